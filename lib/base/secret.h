#ifndef LIB_BASE_SECRET_H
#define LIB_BASE_SECRET_H
/*
 * secret: keys, tokens, passwords and addresses that are as good as passwords.
 *
 * A secret NAME is looked for in the file that was named (--…-file, environment NAME_FILE), then in
 * the environment variable NAME, then in $CREDENTIALS_DIRECTORY/NAME (systemd.exec(5),
 * "CREDENTIALS"). It is one line of printable ASCII. What stood in the environment is wiped
 * there, and the process is made undumpable, so that neither /proc/PID/environ nor a core file
 * shows it.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stdbool.h>

struct secret {
	char *value; /* NULL: not given */
	size_t n;    /* its bytes, before a NUL */
};

/* 0 also when it is given nowhere (value is NULL then); -1 when what was named cannot be read. file
 * may be NULL. */
int secret_load(struct secret *s, const char *name, const char *file, struct err *e);

/* The same, and it is an error when it is given nowhere; the message names the ways to. */
int secret_need(struct secret *s, const char *name, const char *file, struct err *e);

/* From the same places, but as it is: any bytes, several lines, up to max of them. The process
 * stays dumpable, for some must reach their own /proc, but leaves no core file; secret_mask() does
 * not know it. */
int secret_load_bytes(struct secret *s, const char *name, const char *file, size_t max,
		      struct err *e);

/* Every loaded secret that occurs in text is replaced by "****"; the last guard before anything is
 * printed. In place; text never grows: a shorter secret is overwritten by as many '*'. */
void secret_mask(char *text);

/* Wipes and frees. */
void secret_wipe(struct secret *s);
#endif

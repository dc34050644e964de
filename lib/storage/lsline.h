#ifndef LIB_STORAGE_LSLINE_H
#define LIB_STORAGE_LSLINE_H
/*
 * lsline: a directory as an SSH server prints it, in the manner of "ls -l" (the longname of
 * draft-ietf-secsh-filexfer-02, section 7; libcurl puts " -> TARGET" behind links).
 */
#include <stdbool.h>
#include <stdint.h>

struct lsline {
	char kind; /* '-' a file, 'd' a directory, 'l' a symbolic link, others */
	int64_t bytes;
	const char *name; /* valid until the next call, as is link */
	const char *link; /* NULL: it is none */
};

/* The next entry of the page, which moves on; "." and "..", and lines that are none, are left out.
 * *text is memory that is kept from call to call, NULL at first, the caller's to free(); it is
 * freed and NULL at the end, when this is false. */
bool lsline_next(const char **page, char **text, struct lsline *out);
#endif

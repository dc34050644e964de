#ifndef LIB_RESTORE_MISHAP_H
#define LIB_RESTORE_MISHAP_H
/*
 * mishap: what went wrong in a restore, counted exactly and kept in part: the first ones of each
 * kind, so that memory is bounded and a report can show them.
 */
#include <stddef.h>
#include <stdint.h>

enum mishap_kind {
	MISHAP_FAILED,   /* the server said no: the backup does not restore whole */
	MISHAP_REFUSED,  /* we did: it would act outside the temporary server */
	MISHAP_HARMLESS, /* the server said no, and it does not matter (harmless.h) */
	MISHAP_SKIPPED,  /* left out as asked (--skip-extension), with what needs it */
	MISHAP_KINDS
};

enum { MISHAP_MESSAGE = 256, MISHAP_STATEMENT = 201, MISHAP_KEPT = 20 };

struct mishap {
	enum mishap_kind kind;
	uint64_t line;    /* of the script; 0: not known */
	char sqlstate[6]; /* "" when not known */
	char message[MISHAP_MESSAGE];
	char statement[MISHAP_STATEMENT]; /* its beginning, printable, strings that may be secret
					     cut */
	const char *why;                  /* refused and harmless: the reason; not owned */
};

struct mishaps {
	uint64_t count[MISHAP_KINDS];
	struct mishap *v; /* of each kind the MISHAP_KEPT with the lowest lines, by line */
	size_t n;
};

/* message and statement are quoted: any text will do, neither need be printable. */
void mishaps_add(struct mishaps *l, enum mishap_kind kind, uint64_t line, const char *sqlstate,
		 const char *message, const char *statement, const char *why);
/* Adds those of a part that was restored at the same time. */
void mishaps_merge(struct mishaps *l, const struct mishaps *part);
void mishaps_free(struct mishaps *l);
#endif

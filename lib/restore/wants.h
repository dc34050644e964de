#ifndef LIB_RESTORE_WANTS_H
#define LIB_RESTORE_WANTS_H
/*
 * wants: what a dump needs of the machine that it is restored on: extensions and locales. Looked
 * for in an archive's table of contents, or in the statements of a script that come before its
 * first data (pg_dump puts extensions and tables there), and asked of the temporary server before
 * anything is restored into it.
 */
#include "lib/base/buf.h"
#include "lib/base/strv.h"
#include "lib/dump/archive.h"
#include "lib/dump/stream.h"
#include "lib/pg/conn.h"

struct wants {
	struct strv extensions; /* names */
	struct strv collations; /* names in pg_catalog: "de_DE.utf8" */
	struct strv locales;    /* of the operating system, for collations that the dump makes */
};

void wants_of_statement(const char *sql, size_t n, struct wants *out);
void wants_of_archive(const struct archive *a, struct wants *w);
/* Reads s as far as needed. What cannot be read is not looked at: the restore will say why. */
void wants_of_script(struct stream *s, struct wants *w);

/* -1 with *e when something is not there: it names all of it, and what to install. skip: extensions
 * that nobody needs. major: of the server, which is in its packages' names. */
int wants_check(struct pg *pg, const struct wants *w, const struct strv *skip, int major,
		struct err *e);

/* The Debian package that an extension is in: "postgresql-15-postgis-3". */
void wants_package(const char *extension, int major, struct buf *out);

void wants_free(struct wants *w);
#endif

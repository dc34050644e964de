#include "lib/restore/wants.h"

#include "lib/dump/sqlscan.h"
#include "lib/dump/sqlstmt.h"
#include "lib/dump/sqlwords.h"
#include "lib/pg/query.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 256, HEAD_MAX_B = 16 * 1024 * 1024, TOLD_MAX = 700 };

/* ---- what it wants ------------------------------------------------------------------ */

static void add(const struct sqlwords *w, struct strv *to)
{
	char name[NAME];

	if (sql_value(w->text, &w->t, name, sizeof(name)) && !strv_has(to, name))
		strv_add(to, name);
}

/* name (provider = libc, locale = 'de_DE.utf8'); before version 15: lc_collate, lc_ctype. Those of
 * ICU take any name. */
static void make_collation(struct sqlwords *w, struct wants *out)
{
	struct strv found = { 0 };
	bool icu = false;

	while (sqlwords_next(w)) {
		bool provider = sqlwords_is(w, "provider");

		if (!provider && !sqlwords_is(w, "locale") && !sqlwords_is(w, "lc_collate") &&
		    !sqlwords_is(w, "lc_ctype"))
			continue;
		if (!sqlwords_next(w) || !sqlwords_char(w, '=') || !sqlwords_next(w))
			continue;
		if (provider)
			icu = !sqlwords_is(w, "libc");
		else
			add(w, &found);
	}
	for (size_t i = 0; i < found.n && !icu; i++)
		if (!strv_has(&out->locales, found.v[i]))
			strv_add(&out->locales, found.v[i]);
	strv_free(&found);
}

/* COLLATE pg_catalog."de_DE.utf8" anywhere in a table, a type or an index. */
static void collate(struct sqlwords *w, struct wants *out)
{
	while (sqlwords_next(w))
		if (sqlwords_is(w, "collate") && sqlwords_next(w) && sqlwords_is(w, "pg_catalog") &&
		    sqlwords_next(w) && sqlwords_char(w, '.') && sqlwords_next(w))
			add(w, &out->collations);
}

void wants_of_statement(const char *sql, size_t n, struct wants *out)
{
	struct sqlwords w = { .text = sql, .n = n };
	char name[NAME];

	if (!sqlwords_next(&w) || !sqlwords_is(&w, "create") || !sqlwords_next(&w))
		return;
	if (sqlstmt_extension(sql, n, name, sizeof(name))) {
		if (!strv_has(&out->extensions, name))
			strv_add(&out->extensions, name);
	} else if (sqlwords_is(&w, "collation"))
		make_collation(&w, out);
	else
		collate(&w, out);
}

void wants_of_archive(const struct archive *a, struct wants *w)
{
	for (size_t i = 0; i < a->n; i++)
		wants_of_statement(a->entries[i].defn, strlen(a->entries[i].defn), w);
}

void wants_of_script(struct stream *s, struct wants *w)
{
	SQLSCAN_AUTO *sc = sqlscan_new(stream_name(s), 0);
	const unsigned char *p;
	struct sqlscan_event ev;
	struct err e;
	ssize_t n;
	int got;

	for (size_t read_b = 0; read_b < HEAD_MAX_B; read_b += (size_t)n) {
		n = stream_next(s, &p, &e);
		if (n <= 0)
			return;
		sqlscan_feed(sc, p, (size_t)n);
		while ((got = sqlscan_next(sc, &ev, &e)) > 0) {
			if (ev.kind == SQLSCAN_COPY)
				return;
			if (ev.kind == SQLSCAN_STATEMENT)
				wants_of_statement(ev.text, ev.n, w);
		}
		if (got < 0)
			return;
	}
}

/* ---- whether it is there ------------------------------------------------------------ */

/* Extensions whose Debian package is not simply called as they are. */
static const struct {
	const char *extension, *package; /* %d: the server's major version */
} packages[] = {
	{ "postgis", "postgresql-%d-postgis-3" },
	{ "postgis_raster", "postgresql-%d-postgis-3" },
	{ "postgis_topology", "postgresql-%d-postgis-3" },
	{ "postgis_tiger_geocoder", "postgresql-%d-postgis-3" },
	{ "address_standardizer", "postgresql-%d-postgis-3" },
	{ "vector", "postgresql-%d-pgvector" },
	{ "pg_cron", "postgresql-%d-cron" },
	{ "pg_partman", "postgresql-%d-partman" },
	{ "pg_repack", "postgresql-%d-repack" },
	{ "timescaledb", "timescaledb-2-postgresql-%d" },
	{ "plpython3u", "postgresql-plpython3-%d" },
	{ "hstore_plpython3u", "postgresql-plpython3-%d" },
	{ "jsonb_plpython3u", "postgresql-plpython3-%d" },
	{ "plperl", "postgresql-plperl-%d" },
	{ "plperlu", "postgresql-plperl-%d" },
	{ "pltcl", "postgresql-pltcl-%d" },
	{ "pltclu", "postgresql-pltcl-%d" },
};

void wants_package(const char *extension, int major, struct buf *out)
{
	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
		const char *package = packages[i].package, *at = strstr(package, "%d");

		if (strcmp(extension, packages[i].extension) != 0)
			continue;
		buf_addf(out, "%.*s%d%s", (int)(at - package), package, major, at + 2);
		return;
	}
	buf_addf(out, "postgresql-%d-", major);
	for (const char *p = extension; *p; p++)
		buf_addc(out, *p == '_' ? '-' : *p);
}

/* 1: the query has a row. */
static int asks(struct pg *pg, const char *query, const char *name, struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg, query, &name, 1, e);

	return r ? PQntuples(r) > 0 : -1;
}

static bool has_locale(const char *name)
{
	locale_t l = newlocale(LC_COLLATE_MASK | LC_CTYPE_MASK, name, (locale_t)0);

	if (l != (locale_t)0)
		freelocale(l);
	return l != (locale_t)0;
}

static int tell_extensions(struct pg *pg, const struct strv *names, const struct strv *skip,
			   int major, struct buf *told, struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];
		int there = strv_has(skip, name)
				    ? 1
				    : asks(pg,
					   "SELECT FROM pg_catalog.pg_available_extensions "
					   "WHERE name = $1",
					   name, e);

		if (there < 0)
			return -1;
		if (there)
			continue;
		buf_addf(told, "%sthe extension %s (install ", told->len ? ", " : "", name);
		wants_package(name, major, told);
		buf_addf(told, " or the like, or leave it out with --skip-extension %s)", name);
	}
	return 0;
}

static void tell_locale(const char *name, struct buf *told)
{
	buf_addf(told, "%sthe locale %s (make it with locale-gen or localedef)",
		 told->len ? ", " : "", name);
}

static int tell_collations(struct pg *pg, const struct strv *names, struct buf *told, struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		int there = asks(pg, "SELECT FROM pg_catalog.pg_collation WHERE collname = $1",
				 names->v[i], e);

		if (there < 0)
			return -1;
		if (!there)
			tell_locale(names->v[i], told);
	}
	return 0;
}

int wants_check(struct pg *pg, const struct wants *w, const struct strv *skip, int major,
		struct err *e)
{
	BUF_AUTO told = BUF_INIT(TOLD_MAX);

	if (tell_extensions(pg, &w->extensions, skip, major, &told, e) < 0 ||
	    tell_collations(pg, &w->collations, &told, e) < 0)
		return -1;
	for (size_t i = 0; i < w->locales.n; i++)
		if (!has_locale(w->locales.v[i]))
			tell_locale(w->locales.v[i], &told);
	if (told.len == 0)
		return 0;
	return err_set(e, ERR_SYSTEM, "not restored, for it needs what is not installed here: %s",
		       told.s);
}

void wants_free(struct wants *w)
{
	strv_free(&w->extensions);
	strv_free(&w->collations);
	strv_free(&w->locales);
}

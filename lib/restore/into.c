#include "lib/restore/into.h"

#include "lib/base/memory.h"
#include "lib/base/proc.h"
#include "lib/base/xmem.h"
#include "lib/dump/archive.h"
#include "lib/dump/encoding.h"
#include "lib/dump/part.h"
#include "lib/dump/sqlstmt.h"
#include "lib/dump/tar.h"
#include "lib/pg/query.h"
#include "lib/restore/pick.h"
#include "lib/restore/provide.h"
#include "lib/restore/script.h"
#include "lib/restore/sections.h"
#include "lib/restore/wants.h"

#include <stdio.h>
#include <string.h>

enum { CONNINFO_MAX = PATH_MAX + 1024 };

/* Of a script, what may be read ahead of the sessions that restore it: a 32nd of the memory. */
#define AHEAD_MIN_B ((uint64_t)16 << 20)
#define AHEAD_MAX_B ((uint64_t)512 << 20)

#define UNNAMED "restored" /* for a script that does not say what its database is called */

/* conninfo must outlive the session. */
static int open_database(const struct cluster *c, const char *dbname, struct buf *conninfo,
			 struct pg *pg, struct err *e)
{
	struct pg_target target = { .what = "the temporary server",
				    .conninfo = cluster_conninfo(c, dbname, conninfo),
				    .env = PG_ENV_NONE,
				    .writable = true };

	return pg_open(pg, &target, e);
}

/* ---- the database ------------------------------------------------------------------- */

static bool plain_word(const char *s)
{
	return *s &&
	       s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] ==
		       '\0';
}

/* A new one with the dump's encoding, or UTF8 where that is none for servers. The locale C goes
 * with every encoding; the server's own only with UTF8. */
static int create_database(struct pg *pg, const char *name, const char *encoding, struct err *e)
{
	BUF_AUTO sql = BUF_INIT(2048);

	buf_adds(&sql, "CREATE DATABASE ");
	if (pg_quote(pg, NULL, name, &sql, e) < 0)
		return -1;
	buf_adds(&sql, " TEMPLATE template0");
	if (plain_word(encoding) && strcmp(encoding, "UTF8") != 0 &&
	    encoding_of(encoding) == ENCODING_SERVER)
		buf_addf(&sql, " ENCODING '%s' LC_COLLATE 'C' LC_CTYPE 'C'", encoding);
	return pg_run(pg, sql.s, e);
}

/* The server has a database postgres already; and nobody restores into the templates. */
static const char *database_name(const char *in_dump)
{
	if (*in_dump == '\0' || strncmp(in_dump, "template", strlen("template")) == 0)
		return UNNAMED;
	return in_dump;
}

static int make_database(const struct into_job *job, struct pg *pg, const char *in_dump,
			 struct into *out, struct err *e)
{
	const char *name = database_name(in_dump);

	strv_add(&out->databases, name);
	out->database = out->databases.v[0];
	if (strcmp(name, "postgres") == 0)
		return 0;
	return create_database(pg, name, job->what->encoding, e);
}

/* ---- archives ----------------------------------------------------------------------- */

static int read_archive(const struct into_job *job, struct archive *a, struct err *e)
{
	STREAM_AUTO *s = job->what->kind == DUMP_DIRECTORY
				 ? part_open(job->path, "toc.dat", job->reading, NULL, e)
				 : stream_open_path(job->path, job->reading, e);
	struct tar_member m;

	if (s == NULL || (job->what->kind == DUMP_TAR && tar_next(s, &m, e) < 0))
		return -1;
	return archive_read(s, a, e);
}

static int read_wants(const struct into_job *job, struct wants *w, struct err *e)
{
	const bool script = job->what->kind == DUMP_SQL || job->what->kind == DUMP_CLUSTER ||
			    job->what->kind == DUMP_OTHER_SQL;
	STREAM_AUTO *s = script ? stream_open_path(job->path, job->reading, e) : NULL;
	ARCHIVE_AUTO a = { 0 };

	if (script && s)
		wants_of_script(s, w);
	else if (script || read_archive(job, &a, e) < 0)
		return -1;
	wants_of_archive(&a, w);
	return 0;
}

/* The head of a script of several databases does not tell about the later ones. */
static bool skips(const struct into_job *job, const struct wants *w)
{
	bool found = job->what->kind == DUMP_CLUSTER && job->skip_extensions->n > 0;

	for (size_t i = 0; i < w->extensions.n; i++)
		found = found || strv_has(job->skip_extensions, w->extensions.v[i]);
	return found;
}

int into_check(const struct into_job *job, struct into *out, struct err *e)
{
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	struct wants w = { 0 };
	PG_AUTO pg = { 0 };
	int ret = read_wants(job, &w, e);

	if (ret == 0)
		ret = open_database(job->cluster, "postgres", &conninfo, &pg, e);
	if (ret == 0)
		ret = wants_check(&pg, &w, job->skip_extensions, job->cluster->opts.bin->major, e);
	out->skips = skips(job, &w);
	wants_free(&w);
	return ret;
}

static int provide_all(struct pg *pg, const struct strv *names, const char *what,
		       int (*provide)(struct pg *, const char *, struct err *), struct into *out,
		       struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		/* PostgreSQL keeps such names for itself: it has them, or nobody can make them. */
		int made = strncmp(names->v[i], "pg_", 3) == 0 ? 0 : provide(pg, names->v[i], e);

		if (made < 0)
			return err_wrap(e, "make the %s %s", what, names->v[i]);
		if (made)
			strv_addf(&out->made, "%s %s", what, names->v[i]);
	}
	return 0;
}

static void add_once(struct strv *l, const char *name)
{
	if (*name && !strv_has(l, name))
		strv_add(l, name);
}

/* Roles and tablespaces are never in a dump of one database, but its owners and grants name them.
 */
static int provide_what_it_names(struct pg *pg, const struct archive *a, struct into *out,
				 struct err *e)
{
	STRV_AUTO roles = { 0 };
	STRV_AUTO tablespaces = { 0 };

	for (size_t i = 0; i < a->n; i++) {
		add_once(&roles, a->entries[i].owner);
		sqlstmt_roles(a->entries[i].defn, strlen(a->entries[i].defn), &roles);
		add_once(&tablespaces, a->entries[i].tablespace);
	}
	if (provide_all(pg, &roles, "role", provide_role, out, e) < 0)
		return -1;
	return provide_all(pg, &tablespaces, "tablespace", provide_tablespace, out, e);
}

/* The file that names what is to be restored; *list stays NULL when that is all. */
static int pick(const struct into_job *job, const struct archive *a, char **list, struct err *e)
{
	struct pick p;
	int ret = 0;

	pick_entries(a, job->skip_extensions, &p, job->mishaps);
	if (p.n_out) {
		*list = xasprintf("%s/restore.list", job->cluster->opts.dir);
		ret = pick_write(a, &p, *list, e);
	}
	pick_free(&p);
	return ret;
}

int into_archive(const struct into_job *job, struct into *out, struct err *e)
{
	AUTO_FREE char *list = NULL;
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	ARCHIVE_AUTO a = { 0 };
	PG_AUTO pg = { 0 };
	int ret;

	if (read_archive(job, &a, e) < 0 || pick(job, &a, &list, e) < 0)
		return -1;
	phases_begin(job->phases, PHASE_PRE_DATA);
	ret = open_database(job->cluster, "postgres", &conninfo, &pg, e);
	if (ret == 0)
		ret = make_database(job, &pg, a.header.database, out, e);
	if (ret == 0)
		ret = provide_what_it_names(&pg, &a, out, e);
	pg_close(&pg);
	phases_end(job->phases, PHASE_PRE_DATA);
	return ret < 0 ? -1 : sections_run(job, out->database, list, e);
}

/* ---- scripts ------------------------------------------------------------------------ */

static void take_times(struct phases *p, const struct script_result *r)
{
	static const enum phase phase[] = {
		[SCRIPT_PRE_DATA] = PHASE_PRE_DATA,
		[SCRIPT_DATA] = PHASE_DATA,
		[SCRIPT_POST_DATA] = PHASE_POST_DATA,
	};

	for (int i = 0; i < SCRIPT_PHASES; i++) {
		p->ran[phase[i]] = true;
		p->ms[phase[i]] += r->phase_ms[i];
	}
	p->unpack_along_ms = r->unpack_ms;
}

/* What was restored is where the script went; without a \connect, where it began. */
static void take_result(const struct into_job *job, struct script_result *r, struct into *out)
{
	take_times(job->phases, r);
	*job->mishaps = r->mishaps;
	r->mishaps = (struct mishaps){ 0 };
	out->made = r->made;
	r->made = (struct strv){ 0 };
	if (r->databases.n == 0)
		return;
	strv_free(&out->databases);
	out->databases = r->databases;
	r->databases = (struct strv){ 0 };
	out->database = out->databases.v[out->databases.n - 1];
}

static int judge_end(const struct into_job *job, const struct script_result *r, struct into *out,
		     struct err *e)
{
	if (r->uncommitted)
		return err_set(e, ERR_BACKUP,
			       "read %s: it ends in an open transaction, whose work is "
			       "lost",
			       job->path);
	if (!sniff_has_end(job->what)) {
		(void)snprintf(out->note, sizeof(out->note), "%s",
			       "it was not made by pg_dump, and "
			       "has no end mark");
		return 0;
	}
	if (r->end == SQLSCAN_CUT)
		return err_set(e, ERR_BACKUP,
			       "read %s: it is cut short: the comment that ends every "
			       "dump is missing",
			       job->path);
	out->clipped = r->end == SQLSCAN_CLIPPED;
	if (out->clipped)
		(void)snprintf(out->note, sizeof(out->note), "%s",
			       "the empty line at its very end is missing: was it cut there?");
	return 0;
}

/* pg_dumpall, and pg_dump --create, make their databases themselves and go there. */
static int make_first(const struct into_job *job, struct into *out, struct err *e)
{
	bool makes_its_own = job->what->kind == DUMP_CLUSTER || job->what->database[0];
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	PG_AUTO pg = { 0 };

	if (open_database(job->cluster, "postgres", &conninfo, &pg, e) < 0)
		return -1;
	return make_database(job, &pg, makes_its_own ? "postgres" : "", out, e);
}

static size_t ahead_b(void)
{
	uint64_t b = memory_b() / 32;

	return b < AHEAD_MIN_B ? AHEAD_MIN_B : b > AHEAD_MAX_B ? AHEAD_MAX_B : b;
}

int into_script(const struct into_job *job, struct into *out, struct err *e)
{
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	struct script_opts opts = { .cluster = job->what->kind == DUMP_CLUSTER,
				    .sessions = sniff_has_end(job->what) ? job->jobs : 0,
				    .ahead_b = ahead_b(),
				    .rows_only = job->rows_only && sniff_has_end(job->what) };
	struct script_result r = { 0 };
	STREAM_AUTO *s = stream_open_path(job->path, job->reading, e);
	int ret;

	if (s == NULL || make_first(job, out, e) < 0)
		return -1;
	opts.conninfo = cluster_conninfo(job->cluster, "postgres", &conninfo);
	opts.dbname = out->database;
	out->whole = !opts.rows_only;
	opts.left_out = out->skips ? job->skip_extensions : NULL;
	ret = script_run(s, &opts, &r, e);
	take_result(job, &r, out);
	job->phases->decrypts_along = sniff_is_encrypted(job->what);
	job->phases->decrypt_along_ms = stream_decrypt_ms(s);
	job->phases->wait_ms += stream_waited_ms(s);
	if (ret == 0)
		ret = judge_end(job, &r, out, e);
	script_result_free(&r);
	return ret;
}

/* ---- ready -------------------------------------------------------------------------- */

/* Databases by size, those of the list only. */
static int measure(struct pg *pg, struct into *out, struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg,
				    "SELECT datname, pg_catalog.pg_database_size(oid) "
				    "FROM pg_catalog.pg_database WHERE NOT datistemplate "
				    "ORDER BY 2 DESC, 1",
				    NULL, 0, e);
	struct strv sorted = { 0 };
	int64_t bytes;

	if (r == NULL)
		return -1;
	for (int i = 0; i < PQntuples(r); i++) {
		if (!strv_has(&out->databases, pg_cell(r, i, 0)))
			continue;
		strv_add(&sorted, pg_cell(r, i, 0));
		if (pg_cell_int(r, i, 1, &bytes))
			out->bytes += bytes;
	}
	if (sorted.n == 0)
		return err_set(e, ERR_BACKUP, "restore: none of its databases could be made");
	strv_free(&out->databases);
	out->databases = sorted;
	out->database = sorted.v[0];
	return 0;
}

static int analyze_all(const struct into_job *job, const struct into *out, struct err *e)
{
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	int ret = 0;

	phases_begin(job->phases, PHASE_ANALYZE);
	for (size_t i = 0; ret == 0 && i < out->databases.n; i++) {
		PG_AUTO pg = { 0 };

		ret = open_database(job->cluster, out->databases.v[i], &conninfo, &pg, e);
		if (ret == 0)
			ret = pg_run(&pg, "ANALYZE", e);
	}
	phases_end(job->phases, PHASE_ANALYZE);
	return ret;
}

/* What the two large phases have made, for their rates. */
static int measure_phases(struct pg *pg, struct phases *p, const struct into *out, struct err *e)
{
	PGRESULT_AUTO *r =
		pg_query(pg,
			 "SELECT pg_catalog.sum(pg_catalog.pg_relation_size(oid)) "
			 "FILTER (WHERE relkind = 'i' AND relnamespace <> 99), "
			 "pg_catalog.sum(pg_catalog.pg_relation_size(oid)) "
			 "FILTER (WHERE relkind <> 'i' OR relnamespace = 99) "
			 "FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm', 't', 'i') "
			 "AND (oid >= 16384 OR oid = 2613)",
			 NULL, 0, e);
	int64_t indexes = 0, rows = 0;

	if (r == NULL)
		return -1;
	if (out->databases.n != 1) /* the phases are of all of them */
		return 0;
	if (pg_cell_int(r, 0, 0, &indexes))
		p->bytes[PHASE_POST_DATA] = (uint64_t)indexes;
	if (pg_cell_int(r, 0, 1, &rows))
		p->bytes[PHASE_DATA] = (uint64_t)rows;
	return 0;
}

int into_ready(const struct into_job *job, struct into *out, struct err *e)
{
	BUF_AUTO first = BUF_INIT(CONNINFO_MAX);
	BUF_AUTO second = BUF_INIT(CONNINFO_MAX);
	PG_AUTO admin = { 0 };
	PG_AUTO pg = { 0 };
	int ret;

	if (open_database(job->cluster, "postgres", &first, &admin, e) < 0 ||
	    measure(&admin, out, e) < 0 || (job->analyze && analyze_all(job, out, e) < 0))
		return -1;
	phases_begin(job->phases, PHASE_READY);
	ret = open_database(job->cluster, out->database, &second, &pg, e);
	if (ret == 0)
		ret = pg_run(&pg, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_class", e);
	phases_end(job->phases, PHASE_READY);
	return ret < 0 ? -1 : measure_phases(&pg, job->phases, out, e);
}

void into_free(struct into *i)
{
	strv_free(&i->databases);
	strv_free(&i->made);
}

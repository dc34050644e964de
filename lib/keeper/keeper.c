#include "lib/keeper/driver.h"

#include "lib/base/num.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/select.h"
#include "lib/storage/uri.h"

#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEPER_POINTER(name) &keeper_##name,
static const struct keeper_driver *const drivers[] = { KEEPER_DRIVERS(KEEPER_POINTER) NULL };
#undef KEEPER_POINTER

/* --- the source ------------------------------------------------------------------------------- */

static const struct keeper_driver *driver_of(const char *source)
{
	for (const struct keeper_driver *const *d = drivers; *d; d++) {
		const size_t n = strlen((*d)->scheme);

		if (strncmp(source, (*d)->scheme, n) == 0 && source[n] == ':')
			return *d;
	}
	return NULL;
}

bool keeper_claims(const char *source)
{
	return driver_of(source) != NULL;
}

static int bad_source(const struct keeper *k, const char *what, struct err *e)
{
	return err_set(e, ERR_USAGE, "use source %s: %s; write %s", k->shown, what,
		       k->driver->form);
}

/* One KEY=VALUE behind the '?'. */
static int take_parameter(struct keeper *k, const char *text, size_t n, char **user, struct err *e)
{
	const char *equals = memchr(text, '=', n);
	const size_t key = equals ? (size_t)(equals - text) : n;
	BUF_AUTO value = BUF_INIT(PATH_MAX);
	struct err why;
	uint64_t repo;

	if (!equals || !uri_decode(&value, equals + 1, n - key - 1, false) || value.len == 0)
		return bad_source(k, "what follows the '?' is not KEY=VALUE", e);
	if (key == strlen("config") && strncmp(text, "config", key) == 0 && !k->config) {
		k->config = xstrdup(value.s);
	} else if (key == strlen("user") && strncmp(text, "user", key) == 0 && !*user) {
		*user = xstrdup(value.s);
	} else if (k->driver->repositories && key == strlen("repo") &&
		   strncmp(text, "repo", key) == 0 && !k->repo) {
		if (num_u64(value.s, 1, UINT_MAX, &repo, &why) < 0)
			return bad_source(k, "the repository is not a number", e);
		k->repo = (unsigned)repo;
	} else {
		return bad_source(k, "what follows the '?' is not known, or there twice", e);
	}
	return 0;
}

static int take_parameters(struct keeper *k, const char *query, char **user, struct err *e)
{
	while (*query) {
		const size_t n = strcspn(query, "&");

		if (take_parameter(k, query, n, user, e) < 0)
			return -1;
		query += n + (query[n] == '&');
	}
	return 0;
}

/* Whom its package runs it as; on a machine without that user, whom we run everything as. */
static int settle_user(struct keeper *k, const char *user, struct err *e)
{
	const struct passwd *pw;

	if (!user && geteuid() == 0 && getpwnam(k->driver->user))
		user = k->driver->user;
	if (identity_unprivileged(user, &k->who, e) < 0)
		return -1;
	pw = getpwuid(k->who.uid);
	k->home = xstrdup(pw && pw->pw_dir ? pw->pw_dir : "/");
	return 0;
}

static int settle_name(struct keeper *k, const char *text, size_t n, struct err *e)
{
	BUF_AUTO name = BUF_INIT(PATH_MAX);

	if (!uri_decode(&name, text, n, false))
		return bad_source(k, "the name is none", e);
	if (!k->driver->nameless) {
		if (name.len == 0 || strpbrk(name.s, "/ ") || name.s[0] == '-')
			return bad_source(k, "the name is missing, or none", e);
		k->name = xstrdup(name.s);
		return 0;
	}
	if (name.len && name.s[0] != '/')
		return bad_source(k, "what follows the ':' is not the path of a file", e);
	k->name = xstrdup("its repository");
	k->config = name.len ? xstrdup(name.s) : NULL;
	return 0;
}

int keeper_open(struct keeper *k, const char *source, struct err *e)
{
	AUTO_FREE char *user = NULL;
	const char *text;
	size_t n;

	*k = (struct keeper){ .driver = driver_of(source), .shown = xstrdup(source) };
	text = source + strlen(k->driver->scheme) + 1;
	n = strcspn(text, "?");
	if (settle_name(k, text, n, e) < 0 ||
	    take_parameters(k, text + n + (text[n] == '?'), &user, e) < 0)
		return -1;
	return settle_user(k, user, e);
}

void keeper_close(struct keeper *k)
{
	free(k->shown);
	free(k->name);
	free(k->config);
	free(k->archive);
	free(k->home);
	*k = (struct keeper){ 0 };
}

/* --- what it holds ---------------------------------------------------------------------------- */

static void *grown(void *v, size_t n, size_t size)
{
	/* Room is made in powers of two. */
	return (n & (n - 1)) == 0 ? xrealloc(v, n ? 2 * n : 1, size) : v;
}

char *keeper_text(const json_t *o, const char *field)
{
	const char *s = record_text(o, field);

	return s && s[0] ? xstrdup(s) : NULL;
}

int64_t keeper_whole(const json_t *o, const char *field)
{
	int64_t n;

	return record_int(o, field, &n) && n >= 0 ? n : -1;
}

struct keeper_backup *keeper_list_add(struct keeper_list *l)
{
	l->v = grown(l->v, l->n, sizeof(*l->v));
	l->v[l->n] = (struct keeper_backup){ .started_ms = -1,
					     .stopped_ms = -1,
					     .bytes = -1,
					     .set_bytes = -1,
					     .database_bytes = -1 };
	return &l->v[l->n++];
}

void keeper_list_trouble(struct keeper_list *l, const char *subject, enum verdict verdict,
			 const char *fmt, ...)
{
	struct keeper_trouble *t;
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	l->trouble = grown(l->trouble, l->n_trouble, sizeof(*l->trouble));
	t = &l->trouble[l->n_trouble++];
	t->subject = xstrdup(subject);
	t->text = n < 0 ? xchecked(NULL) : text;
	t->verdict = verdict;
}

static void backup_free(struct keeper_backup *b)
{
	char *const owned[] = { b->name,           b->type,       b->prior,
				b->start_lsn,      b->stop_lsn,   b->start_wal,
				b->stop_wal,       b->archive,    b->system_identifier,
				b->server_version, b->encryption, b->host,
				b->fault };

	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
		free(owned[i]);
}

void keeper_list_free(struct keeper_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		backup_free(&l->v[i]);
	for (size_t i = 0; i < l->n_trouble; i++) {
		free(l->trouble[i].subject);
		free(l->trouble[i].text);
	}
	free(l->v);
	free(l->trouble);
	*l = (struct keeper_list){ 0 };
}

static int by_age(const void *a, const void *b)
{
	const struct keeper_backup *x = a, *y = b;

	if (x->stopped_ms != y->stopped_ms)
		return x->stopped_ms < y->stopped_ms ? -1 : 1;
	if (x->repo != y->repo)
		return x->repo < y->repo ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool wanted(const struct keeper_backup *b, const struct keeper_filter *f)
{
	static const struct strv all = { 0 };

	return select_wanted(b->name, f->match ? f->match : &all, f->exclude ? f->exclude : &all) &&
	       (!f->as_of_ms || b->stopped_ms <= f->as_of_ms);
}

/* Sorted before, so that the Nth newest is known. */
static void apply(struct keeper_list *l, const struct keeper_filter *f)
{
	size_t kept = 0, first;

	for (size_t i = 0; i < l->n; i++) {
		if (wanted(&l->v[i], f)) {
			l->v[kept++] = l->v[i];
			continue;
		}
		backup_free(&l->v[i]);
		l->unwanted++;
	}
	l->n = kept;
	if (f->nth == 0)
		return;
	first = f->nth <= kept ? kept - (size_t)f->nth : kept;
	for (size_t i = 0; i < kept; i++)
		if (i != first)
			backup_free(&l->v[i]);
	l->n = first < kept;
	l->unwanted += kept - l->n;
	if (l->n)
		l->v[0] = l->v[first];
}

int keeper_list(const struct keeper *k, const struct keeper_filter *filter, struct keeper_list *out,
		struct err *e)
{
	*out = (struct keeper_list){ 0 };
	if (k->driver->list(k, out, e) < 0)
		return -1;
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_age);
	apply(out, filter);
	return 0;
}

const char *keeper_none(const struct keeper_list *l)
{
	return l->unwanted ? "no backup in the repository is wanted: see --match, --exclude, "
			     "--as-of and --nth"
			   : "no backup in the repository";
}

/* --- records ---------------------------------------------------------------------------------- */

static void set_bytes(json_t *o, const char *field, int64_t bytes)
{
	if (bytes >= 0)
		json_object_set_new(o, field, json_integer(bytes));
}

json_t *keeper_describe(const struct keeper *k, const struct keeper_backup *b)
{
	json_t *o = json_object();

	record_set_text(o, "source", k->shown);
	record_set_text(o, "name", b->name);
	record_set_text(o, "format", k->driver->scheme);
	record_set_text(o, "type", b->type);
	record_set_text(o, "prior", b->prior);
	record_set_text(o, "encryption", b->encryption);
	if (b->repo)
		json_object_set_new(o, "repository", json_integer(b->repo));
	set_bytes(o, "bytes", b->bytes);
	set_bytes(o, "set_bytes", b->set_bytes);
	set_bytes(o, "database_bytes", b->database_bytes);
	record_set_time(o, "started_at", b->started_ms);
	record_set_time(o, "taken_at", b->stopped_ms);
	record_set_text(o, "start_lsn", b->start_lsn);
	record_set_text(o, "stop_lsn", b->stop_lsn);
	record_set_text(o, "start_wal", b->start_wal);
	record_set_text(o, "system_identifier", b->system_identifier);
	record_set_text(o, "server_version", b->server_version);
	record_set_text(o, "host", b->host);
	if (b->permanent)
		json_object_set_new(o, "permanent", json_true());
	record_set_text(o, "fault", b->fault);
	return o;
}

void keeper_say_troubles(struct stage *st, const struct keeper_list *l)
{
	struct check c;

	for (size_t i = 0; i < l->n_trouble; i++) {
		check_init(&c, "repository", l->trouble[i].subject);
		check_say(&c, l->trouble[i].verdict, "%s", l->trouble[i].text);
		stage_check(st, &c);
	}
	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].fault)
			continue;
		check_init(&c, "backup-fault", l->v[i].name);
		check_say(&c, V_WARNING, "%s", l->v[i].fault);
		stage_check(st, &c);
	}
}

void keeper_verify(const struct keeper *k, struct stage *st, bool listed)
{
	const struct keeper_filter all = { 0 };
	KEEPER_LIST_AUTO l = { 0 };
	struct err e = { 0 };

	if (keeper_list(k, &all, &l, &e) < 0) {
		stage_error(st, "repository", "", &e);
		return;
	}
	if (!listed)
		keeper_say_troubles(st, &l);
	k->driver->verify(k, &l, st);
}

int keeper_restore(const struct keeper *k, const struct keeper_restore *r, struct err *e)
{
	return k->driver->restore(k, r, e);
}

int keeper_wal_names(const struct keeper *k, struct strv *names, struct err *e)
{
	return k->driver->wal_names(k, names, e);
}

int keeper_wal_get(const struct keeper *k, const char *name, const char *dir, const char *data,
		   struct err *e)
{
	return k->driver->wal_get(k, name, dir, data, e);
}

void keeper_check(const struct keeper *k, struct stage *st)
{
	struct err e = { 0 };
	struct check c;

	check_init(&c, "repository-check", "");
	k->driver->check(k, &c, &e);
	if (e.kind != ERR_NONE)
		check_say(&c, err_status(&e), "%s", e.msg);
	stage_check(st, &c);
}

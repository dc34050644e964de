#include "lib/physical/integrity.h"

#include "lib/base/human.h"
#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/physical/ancestry.h"
#include "lib/physical/coverage.h"
#include "lib/physical/descent.h"
#include "lib/physical/listed.h"
#include "lib/physical/look.h"
#include "lib/physical/tarfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_SAID = 20 };

/* --- the manifest ---------------------------------------------------------------------------- */

/* Is it in *m? If not, that there is none, or a bad one, was said. */
static bool read_manifest(struct stage *st, const char *of, int dir, const char *where,
			  const char *lone, struct manifest *m)
{
	struct err e = { 0 };
	const int found = listed_read(dir, where, lone, m, &e);
	struct check c;

	if (found < 0) {
		stage_error(st, "backup-manifest", of, &e);
	} else if (found == 0) {
		check_init(&c, "backup-manifest", of);
		check_say(&c, V_WARNING,
			  "there is no backup_manifest: lost, added and changed files can only be "
			  "told by their pages and names");
		stage_check(st, &c);
	}
	return found > 0;
}

static void say_manifest(struct stage *st, const char *of, const struct manifest *m)
{
	char files[HUMAN_SIZE], bytes[HUMAN_SIZE];
	struct check c;

	check_init(&c, "backup-manifest", of);
	check_metric_int(&c, "manifest_files", (int64_t)m->n_files, "");
	check_metric_int(&c, "manifest_bytes", (int64_t)m->total_b, "B");
	check_say(&c, V_OK, "lists %s files, %s; its own checksum is right",
		  human_count((int64_t)m->n_files, files), human_bytes(m->total_b, bytes));
	stage_check(st, &c);
}

/* --- files ------------------------------------------------------------------------------------ */

static const struct {
	const char *one, *many;
} kinds[FOUND_KINDS] = {
	[FOUND_MISSING] = { "is missing", "missing" },
	[FOUND_EXTRA] = { "is not in the manifest", "not in the manifest" },
	[FOUND_SIZE] = { "has the wrong size", "of the wrong size" },
	[FOUND_SUM] = { "has the wrong checksum", "with the wrong checksum" },
	[FOUND_DAMAGED] = { "is damaged", "damaged" },
	[FOUND_LINK] = { "cannot belong to a backup", "that cannot belong to a backup" },
	[FOUND_SEGMENT] = { "leaves a relation incomplete", "leave a relation incomplete" },
	[FOUND_CLOSED] = { "could not be looked at", "that could not be looked at" },
};

static enum verdict gravity(enum survey_kind kind)
{
	return kind == FOUND_CLOSED ? V_UNKNOWN : V_CRITICAL;
}

static void say_each_file(struct stage *st, const char *of, const struct survey *s,
			  enum verdict grave)
{
	unsigned said = 0;

	for (size_t i = 0; i < s->n_findings && said < FILES_SAID; i++) {
		const struct survey_finding *f = &s->findings[i];
		AUTO_FREE char *path = NULL;
		struct check c;

		if (gravity(f->kind) != grave)
			continue;
		path = *of ? xasprintf("%s/%s", of, f->path) : xstrdup(f->path);
		check_init(&c, "backup-file", path);
		check_say(&c, grave, "%s%s%s", kinds[f->kind].one, f->what ? ": " : "",
			  f->what ? f->what : "");
		stage_check(st, &c);
		said++;
	}
}

static void say_files(struct stage *st, const char *of, const struct survey *s, bool listed,
		      double seconds)
{
	char files[HUMAN_SIZE], bytes[HUMAN_SIZE], sums[HUMAN_SIZE], n[HUMAN_SIZE];
	struct check c;

	check_init(&c, "backup-files", of);
	check_metric_int(&c, "files", (int64_t)s->files, "");
	check_metric_int(&c, "bytes", (int64_t)s->bytes, "B");
	check_metric_real(&c, "integrity_seconds", seconds, "s");
	for (int k = 0; k < FOUND_KINDS; k++)
		if (s->found[k])
			check_say(&c, gravity((enum survey_kind)k), "%s %s",
				  human_count((int64_t)s->found[k], n), kinds[k].many);
	if (s->unlooked)
		check_say(&c, c.status, "%s files of the manifest were out of reach for it",
			  human_count((int64_t)s->unlooked, n));
	(void)human_count((int64_t)s->files, files);
	(void)human_bytes(s->bytes, bytes);
	if (s->files == 0 && !s->found[FOUND_CLOSED])
		check_say(&c, V_CRITICAL, "there is no file to look at");
	else if (listed && s->sums)
		check_say(&c, V_OK, "%s files, %s, all as the manifest says; %s checksums compared",
			  files, bytes, human_count((int64_t)s->sums, sums));
	else
		check_say(&c, V_OK, "%s files, %s; %s", files, bytes,
			  listed ? "names and sizes as the manifest says, no checksums compared"
				 : "all readable, no manifest to compare with");
	stage_check(st, &c);
	say_each_file(st, of, s, V_CRITICAL);
	say_each_file(st, of, s, V_UNKNOWN);
}

/* --- pages ------------------------------------------------------------------------------------ */

/* The first of n. */
static void say_bad_page(struct check *c, const struct survey_page *p, const char *fault,
			 uint64_t n)
{
	char count[HUMAN_SIZE], values[64] = "";

	if (p->fault == FAULT_CHECKSUM)
		(void)snprintf(values, sizeof(values), " (%04" PRIx16 " instead of %04" PRIx16 ")",
			       p->is, p->ought);
	check_say(c, V_CRITICAL, "pages %s: %s, the first is page %" PRIu32 " of %s%s", fault,
		  human_count((int64_t)n, count), p->block, p->path, values);
}

static void say_bad_pages(struct check *c, const struct survey *s)
{
	static const char *const faults[FAULTS] = {
		[FAULT_HEADER] = "with a damaged header",
		[FAULT_CHECKSUM] = "with the wrong checksum",
		[FAULT_NO_CHECKSUM] = "without a checksum",
	};

	for (int f = 0; f < FAULTS; f++)
		for (size_t i = 0; i < s->n_bad_pages; i++)
			if ((int)s->bad_pages[i].fault == f) {
				say_bad_page(c, &s->bad_pages[i], faults[f], s->faults[f]);
				break;
			}
}

static void say_pages(struct stage *st, const char *of, const struct survey *s, bool listed)
{
	const bool known = s->has_control && s->control.known;
	char pages[HUMAN_SIZE], torn[HUMAN_SIZE], zero[HUMAN_SIZE];
	struct check c;

	check_init(&c, "page-checksums", of);
	check_metric_int(&c, "pages", (int64_t)s->pages, "");
	check_metric_int(&c, "new_pages", (int64_t)s->new_pages, "");
	check_metric_int(&c, "torn_pages", (int64_t)s->torn_pages, "");
	(void)human_count((int64_t)s->pages, pages);
	(void)human_count((int64_t)s->torn_pages, torn);
	say_bad_pages(&c, s);
	if (s->pages == 0)
		check_say(&c, V_UNKNOWN, "there was no page to look at");
	else if (known && !s->control.checksums)
		check_say(&c, V_WARNING,
			  "data checksums are off: of %s pages only the headers could be verified",
			  pages);
	else if (s->torn_pages)
		check_say(&c, V_OK,
			  "%s pages are sound; %s changed while they were copied, their "
			  "WAL repairs them",
			  pages, torn);
	else
		check_say(&c, V_OK, "%s pages are sound", pages);
	if (c.status == V_OK && s->new_pages && !listed)
		check_say(&c, V_OK,
			  "%s of them are all zero: without a manifest nobody knows whether they "
			  "were written",
			  human_count((int64_t)s->new_pages, zero));
	stage_check(st, &c);
}

/* --- what the cluster says of itself -----------------------------------------------------------
 */

static void say_control(struct stage *st, const char *of, const struct survey *s,
			const struct manifest *m)
{
	const struct control *k = &s->control;
	const int major = control_major(k);
	struct check c;

	if (!s->has_control && s->control_error.kind != ERR_NONE) {
		stage_error(st, "control-file", of, &s->control_error);
		return;
	}
	check_init(&c, "control-file", of);
	if (!s->has_control && survey_closed(s, "global/pg_control")) {
		check_say(&c, V_UNKNOWN, "global/pg_control could not be looked at");
	} else if (!s->has_control) {
		check_say(&c, V_CRITICAL,
			  "there is no global/pg_control: no server can start from this");
	} else {
		if (m && m->system_identifier && m->system_identifier != k->system_identifier)
			check_say(&c, V_CRITICAL,
				  "it is of the cluster %" PRIu64 ", the manifest of %" PRIu64,
				  k->system_identifier, m->system_identifier);
		if (major && s->version && major != (int)strtol(s->version, NULL, 10))
			check_say(&c, V_CRITICAL, "it is of PostgreSQL %d, PG_VERSION says %s",
				  major, s->version);
		if (s->has_label && k->checkpoint < s->label.checkpoint)
			check_say(&c, V_CRITICAL,
				  "its checkpoint %" PRIX32 "/%" PRIX32 " is older than %" PRIX32
				  "/%" PRIX32
				  ", with which the backup began: it is of another time",
				  (uint32_t)(k->checkpoint >> 32), (uint32_t)k->checkpoint,
				  (uint32_t)(s->label.checkpoint >> 32),
				  (uint32_t)s->label.checkpoint);
		if (s->version == NULL && survey_closed(s, "PG_VERSION"))
			check_say(&c, V_UNKNOWN, "PG_VERSION could not be looked at");
		else if (s->version == NULL)
			check_say(&c, V_CRITICAL, "there is no PG_VERSION");
		check_say(&c, V_OK,
			  "PostgreSQL %s, %s, timeline %" PRIu32 ", checkpoint %" PRIX32 "/%" PRIX32
			  ", cluster %" PRIu64,
			  s->version ? s->version : "?", control_state_name(k->state), k->timeline,
			  (uint32_t)(k->checkpoint >> 32), (uint32_t)k->checkpoint,
			  k->system_identifier);
	}
	stage_check(st, &c);
}

static void say_label(struct stage *st, const char *of, const struct survey *s)
{
	char when[UTC_SIZE];
	struct check c;

	if (s->label_error.kind != ERR_NONE) {
		stage_error(st, "backup-label", of, &s->label_error);
		return;
	}
	check_init(&c, "backup-label", of);
	if (s->has_label)
		check_say(&c, V_OK,
			  "backup \"%s\", recovery begins at %" PRIX32 "/%" PRIX32 " (%s)%s%s",
			  s->label.text, (uint32_t)(s->label.start >> 32), (uint32_t)s->label.start,
			  s->label.start_file, s->label.started_ms < 0 ? "" : ", started ",
			  s->label.started_ms < 0 ? "" : utc_human(s->label.started_ms, when));
	else if (s->has_control && s->control.state == CONTROL_SHUT_DOWN)
		check_say(&c, V_OK, "none, and none is needed: the cluster was shut down");
	else if (survey_closed(s, "backup_label"))
		check_say(&c, V_UNKNOWN, "backup_label could not be looked at");
	else
		check_say(&c, V_CRITICAL,
			  "there is no backup_label, and the cluster was running: "
			  "recovery would begin at the wrong place");
	stage_check(st, &c);
}

static void say_wal(struct stage *st, const char *of, const struct manifest *m,
		    const struct survey *s)
{
	COVERAGE_AUTO wal;
	struct check c;

	coverage_judge(m, s, &wal);
	check_init(&c, "backup-wal", of);
	check_metric_int(&c, "needed_segments", wal.needed, "");
	if (wal.closed)
		check_say(&c, V_UNKNOWN,
			  "of the WAL segments that make it consistent (%u) these could not be "
			  "looked "
			  "at: %u",
			  wal.needed, wal.closed);
	if (wal.n_faults && wal.present == 0)
		check_say(&c, V_CRITICAL,
			  "none of the WAL segments (%u) that make it consistent is here: %s; "
			  "where an "
			  "archive has them, say --no-wal",
			  wal.needed, wal.faults.s);
	else if (wal.n_faults)
		check_say(&c, V_CRITICAL,
			  "of the WAL segments that make it consistent (%u) these are bad (%u): %s",
			  wal.needed, wal.n_faults, wal.faults.s);
	else if (wal.needed == 0)
		check_say(&c,
			  s->has_control && s->control.state == CONTROL_SHUT_DOWN ? V_OK
										  : V_UNKNOWN,
			  "neither a manifest nor a label says which WAL is needed");
	else if (!wal.complete)
		check_say(&c, V_WARNING,
			  "the first segment that it needs is here and sound; without a "
			  "manifest nobody knows the last one");
	else
		check_say(&c, V_OK,
			  "all WAL segments that make it consistent are here and sound (%u)",
			  wal.needed);
	stage_check(st, &c);
}

/* --- the backup ------------------------------------------------------------------------------- */

/* The backup's directory, open. Of a tar alone it is that where it lies, and *lone is its name;
 * that of a base.tar is the whole set. */
static int open_backup(const char *path, char **where, char **lone, struct err *e)
{
	const char *const slash = strrchr(path, '/');
	const char *const name = slash ? slash + 1 : path;
	struct stat st;
	int dir;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		*where = slash == path ? xstrdup("/")
			 : slash       ? xstrndup(path, (size_t)(slash - path))
				       : xstrdup(".");
		*lone = strncmp(name, "base.tar", 8) == 0 ? NULL : xstrdup(name);
	} else {
		*where = xstrdup(path);
	}
	dir = open(*where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		(void)err_set(e, ERR_SYSTEM, "open %s: %s%s", *where, strerror(errno),
			      look_way_out(errno));
	return dir;
}

/* A tar alone may be anything. */
static int expect_tar(int dir, const char *where, const char *lone, struct err *e)
{
	TARFILE_AUTO *t = tarfile_open(dir, where, lone, false, e);
	struct tar_member m;

	if (t == NULL || tar_next(tarfile_stream(t), &m, e) > 0)
		return t ? 0 : -1;
	return err_set(e, ERR_SYSTEM,
		       "look at %s/%s: this is no tar, and so no base backup; for a dump take "
		       "restore-to-temp",
		       where, lone);
}

static bool is_backup(const struct survey *s, const struct survey_opts *opts)
{
	return (s->tars && opts->lone == NULL) || s->version != NULL || s->has_control ||
	       opts->manifest != NULL;
}

static int look(struct stage *st, const char *of, const char *path,
		const struct integrity_opts *config, struct manifest *m, struct survey *s,
		struct survey_opts *opts, struct err *e)
{
	AUTO_FREE char *where = NULL, *lone = NULL;
	FD_AUTO dir = open_backup(path, &where, &lone, e);

	*opts = (struct survey_opts){ .sums = !config->no_sums,
				      .pages = !config->no_pages,
				      .jobs = config->jobs,
				      .lone = lone };
	if (dir < 0 || (lone && expect_tar(dir, where, lone, e) < 0))
		return -1;
	if (read_manifest(st, of, dir, where, lone, m))
		opts->manifest = m;
	if (survey_run(dir, where, opts, s, e) < 0)
		return -1;
	if (is_backup(s, opts))
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "look at %s: neither PG_VERSION nor base.tar is there: this is no base "
		       "backup; for a dump take restore-to-temp",
		       path);
}

/* of: its subject in the checks. */
static void look_at_one(struct stage *st, const char *of, const char *path,
			const struct integrity_opts *config)
{
	MANIFEST_AUTO m = { .version = 0 };
	SURVEY_AUTO s = { .files = 0 };
	const int64_t begun_ms = mono_ms();
	struct survey_opts opts;
	struct err e = { 0 };

	if (look(st, of, path, config, &m, &s, &opts, &e) < 0) {
		stage_error(st, "backup-files", of, &e);
		return;
	}
	if (opts.manifest)
		say_manifest(st, of, &m);
	say_files(st, of, &s, opts.manifest != NULL, (double)(mono_ms() - begun_ms) / 1000);
	if (opts.pages)
		say_pages(st, of, &s, opts.manifest != NULL);
	say_control(st, of, &s, opts.manifest);
	say_label(st, of, &s);
	if (opts.pages && !config->no_wal)
		say_wal(st, of, opts.manifest, &s);
}

void integrity_check(struct stage *st, const char *path, const struct integrity_opts *config)
{
	struct integrity_opts older = *config;
	STRV_AUTO ancestors = { 0 };
	char absolute[PATH_MAX];
	struct err e = { 0 };

	if (realpath(path, absolute) == NULL)
		(void)snprintf(absolute, sizeof(absolute), "%s", path);
	else if (!config->alone && ancestry_find(absolute, NULL, &ancestors, &e) < 0)
		stage_error(st, "backup-chain", "", &e);
	older.no_wal = true; /* what counts is the WAL from the youngest on */
	for (size_t i = 0; i < ancestors.n; i++)
		look_at_one(st, ancestry_name(ancestors.v[i], absolute), ancestors.v[i], &older);
	look_at_one(st, "", absolute, config);
	if (ancestors.n > 0)
		descent_check(st, &ancestors, absolute);
}

#include "lib/keeper/walg.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/keeper/segments.h"
#include "lib/physical/wal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- backup-list ------------------------------------------------------------------------------ */

/* The name of a delta ends with the first segment of the backup that it builds on. */
static const char *base_of(const char *name)
{
	static const char mark[] = "_D_";
	const char *at = name ? strstr(name, mark) : NULL;

	return at ? at + strlen(mark) : NULL;
}

/* utility.BackupNamePrefix; nothing else is put into a path or a command. */
static bool is_name(const char *text)
{
	return text && strncmp(text, "base_", strlen("base_")) == 0 && !strchr(text, '/');
}

static const json_t *backup_at(const json_t *answer, const char *wal)
{
	const json_t *o;
	size_t i;

	json_array_foreach(answer, i, o) {
		const char *begins = record_text(o, "wal_file_name");

		if (begins && strcmp(begins, wal) == 0)
			return o;
	}
	return NULL;
}

/* With all that it builds on; -1 when a size is not said. *lost: the one that is not there. */
static int64_t chain_bytes(const json_t *answer, const json_t *o, const char **lost)
{
	size_t left = json_array_size(answer);
	int64_t sum = 0;

	while (o && left-- > 0) {
		const int64_t bytes = keeper_whole(o, "compressed_size");
		const char *base = base_of(record_text(o, "backup_name"));

		sum = bytes < 0 || sum < 0 || sum > INT64_MAX - bytes ? -1 : sum + bytes;
		if (!base)
			return sum;
		o = backup_at(answer, base);
		*lost = o ? NULL : base;
	}
	return -1;
}

static char *lsn_text(int64_t lsn)
{
	return lsn > 0 ? xasprintf("%" PRIX32 "/%" PRIX32, (uint32_t)((uint64_t)lsn >> 32),
				   (uint32_t)lsn)
		       : NULL;
}

static int64_t time_of(const json_t *o, const char *field)
{
	const char *text = record_text(o, field);
	int64_t ms;

	return text && utc_parse(text, &ms) && ms > 0 ? ms : -1;
}

/* The segment that holds the last byte before its end. */
static char *last_wal(const struct keeper_backup *b, int64_t finish)
{
	const struct segments_need need = { b->name, b->start_wal, NULL, b->start_lsn };
	const uint32_t size_b = segments_size(&need);
	char name[WAL_NAME_SIZE];
	uint32_t timeline;
	uint64_t lsn;

	if (size_b == 0 || finish <= 0 || !wal_of_name(b->start_wal, size_b, &timeline, &lsn))
		return NULL;
	wal_name(timeline, ((uint64_t)finish - 1) & ~(uint64_t)(size_b - 1), size_b, name);
	return xstrdup(name);
}

static void set_cluster(struct keeper_backup *b, const json_t *o)
{
	const int64_t id = keeper_whole(o, "system_identifier");
	const int64_t version = keeper_whole(o, "pg_version");

	if (id > 0)
		b->system_identifier = xasprintf("%" PRId64, id);
	if (version >= 100000) /* from PostgreSQL 10 on */
		b->server_version =
			xasprintf("%" PRId64 ".%" PRId64, version / 10000, version % 10000);
	b->host = keeper_text(o, "hostname");
}

static int take_backup(const json_t *answer, const json_t *o, struct keeper_list *out,
		       struct err *e)
{
	const char *name = record_text(o, "backup_name");
	const int64_t finished_ms = time_of(o, "finish_time");
	const char *base = base_of(name), *lost = NULL;
	const int64_t set_bytes = chain_bytes(answer, o, &lost);
	struct keeper_backup *b;

	if (!is_name(name) || (finished_ms < 0 && time_of(o, "time") < 0))
		return err_set(e, ERR_REMOTE,
			       "read wal-g backup-list: a backup without a name or a time");
	if (lost) {
		keeper_list_trouble(out, name, V_CRITICAL,
				    "it cannot be restored: what it builds on, the backup from "
				    "WAL segment %s on, is not there",
				    lost);
		return 0;
	}
	b = keeper_list_add(out);
	b->name = xstrdup(name);
	b->type = xstrdup(base ? "incr" : "full");
	b->prior = base ? keeper_text(backup_at(answer, base), "backup_name") : NULL;
	b->started_ms = time_of(o, "start_time");
	b->stopped_ms = finished_ms < 0 ? time_of(o, "time") : finished_ms;
	b->start_lsn = lsn_text(keeper_whole(o, "start_lsn"));
	b->stop_lsn = lsn_text(keeper_whole(o, "finish_lsn"));
	b->start_wal = keeper_text(o, "wal_file_name");
	b->stop_wal = last_wal(b, keeper_whole(o, "finish_lsn"));
	b->bytes = keeper_whole(o, "compressed_size");
	b->set_bytes = set_bytes;
	b->database_bytes = base ? -1 : keeper_whole(o, "uncompressed_size");
	b->permanent = record_true(o, "is_permanent");
	set_cluster(b, o);
	return 0;
}

int walg_list(const json_t *answer, struct keeper_list *out, struct err *e)
{
	const json_t *o;
	size_t i;

	if (!json_is_array(answer))
		return err_set(e, ERR_REMOTE, "read wal-g backup-list: it is no list");
	json_array_foreach(answer, i, o)
		if (take_backup(answer, o, out, e) < 0)
			return -1;
	return 0;
}

/* --- a sentinel ------------------------------------------------------------------------------- */

int walg_sentinel(const json_t *answer, const char *backup, struct walg_sentinel *out,
		  struct err *e)
{
	const json_t *spec = json_object_get(answer, "Spec");
	const char *from = record_text(answer, "DeltaFrom");

	*out = (struct walg_sentinel){ .bytes = -1, .data_bytes = -1 };
	if (!json_is_object(answer) || !json_object_get(answer, "LSN") || (from && !is_name(from)))
		return err_set(e, ERR_BACKUP, "read the sentinel of %s: damaged: it is none",
			       backup);
	out->from = from ? xstrdup(from) : NULL;
	out->bytes = keeper_whole(answer, "CompressedSize");
	out->data_bytes = keeper_whole(answer, "DataCatalogSize");
	out->spec = json_is_null(spec) ? NULL : spec;
	return 0;
}

void walg_sentinel_free(struct walg_sentinel *s)
{
	free(s->from);
	*s = (struct walg_sentinel){ 0 };
}

/* What names a tablespace: the link to it in pg_tblspc. */
static bool is_oid(const char *text)
{
	const size_t n = text ? strspn(text, "0123456789") : 0;

	return n > 0 && n <= strlen("4294967295") && text[n] == '\0';
}

char *walg_spec(const json_t *spec, const char *data, const char *places, struct err *e)
{
	JSON_AUTO *out = json_object();
	json_t *names = json_array();
	const json_t *one;
	size_t i;

	json_object_set_new(out, "base_prefix", json_string(data));
	json_object_set_new(out, "tablespaces", names);
	json_array_foreach(json_object_get(spec, "tablespaces"), i, one) {
		const char *oid = json_string_value(one);
		AUTO_FREE char *loc = xasprintf("%s/%s", places, oid ? oid : "");
		AUTO_FREE char *link = xasprintf("pg_tblspc/%s", oid ? oid : "");
		json_t *place;

		if (!is_oid(oid)) {
			(void)err_set(e, ERR_BACKUP,
				      "read the sentinel: damaged: it names a tablespace that is "
				      "none");
			return NULL;
		}
		place = json_object();
		record_set_text(place, "loc", loc);
		record_set_text(place, "link", link);
		json_array_append_new(names, json_string(oid));
		json_object_set_new(out, oid, place);
	}
	return xchecked(json_dumps(out, JSON_COMPACT));
}

bool walg_spec_harmless(const json_t *spec, const char *backup, struct err *e)
{
	const char *prefix = record_text(spec, "base_prefix");
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(spec, "tablespaces"), i, one) {
		const char *oid = json_string_value(one);
		const char *place = record_text(oid ? json_object_get(spec, oid) : NULL, "loc");
		AUTO_FREE char *link =
			xasprintf("%s/pg_tblspc/%s", prefix ? prefix : "", oid ? oid : "");
		struct stat st;

		if (place && prefix && stat(place, &st) == 0 && S_ISDIR(st.st_mode) &&
		    lstat(link, &st) == 0 && S_ISLNK(st.st_mode))
			continue;
		(void)err_set(
			e, ERR_USAGE,
			"restore %s: WAL-G would make the place of a tablespace on this machine, "
			"whatever it is told: make the empty directory %s and the link %s to it "
			"first, for the user that it runs as",
			backup, place ? place : "of it", link);
		return false;
	}
	return true;
}

/* --- st ls ------------------------------------------------------------------------------------ */

/* "obj  374  2026-11-21 16:21:04.33 +0000 UTC backup_label.tar.lz4 " */
static void take_part(const char *line, struct walg_parts *out)
{
	char name[256];
	int64_t bytes;

	if (sscanf(line, "obj %" SCNd64 " %*s %*s %*s %*s %255s", &bytes, name) != 2 || bytes < 0)
		return;
	strv_add(&out->names, name);
	out->control = out->control || strncmp(name, "pg_control.tar", 14) == 0;
	if (bytes <= INT64_MAX - out->bytes)
		out->bytes += bytes;
}

void walg_parts(const char *listing, struct walg_parts *out)
{
	AUTO_FREE char *copy = xstrdup(listing);
	char *rest = copy;
	const char *line;

	*out = (struct walg_parts){ 0 };
	while ((line = strsep(&rest, "\n")) != NULL)
		take_part(line, out);
}

void walg_parts_free(struct walg_parts *p)
{
	strv_free(&p->names);
}

bool walg_parts_whole(const struct walg_parts *p, int64_t promised, struct buf *why)
{
	char is[HUMAN_SIZE], was[HUMAN_SIZE];

	if (p->names.n == 0)
		buf_adds(why, "none of its parts is there");
	else if (!p->control)
		buf_adds(why, "the part with pg_control is not there");
	else if (promised > p->bytes)
		buf_addf(why,
			 "its %zu parts are %s, not the %s that were stored: one is missing or cut "
			 "off",
			 p->names.n, human_bytes((uint64_t)p->bytes, is),
			 human_bytes((uint64_t)promised, was));
	return why->len == 0;
}

/* --- wal-show --------------------------------------------------------------------------------- */

static int bad_wal(struct err *e)
{
	return err_set(e, ERR_REMOTE, "read wal-g wal-show: a timeline without its segments");
}

static json_t *missing_of(const json_t *timeline)
{
	json_t *gone = json_object();
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(timeline, "missing_segments"), i, one)
		if (json_is_string(one))
			json_object_set_new(gone, json_string_value(one), json_true());
	return gone;
}

static int take_timeline(const json_t *o, uint32_t segment_b, struct strv *names, struct err *e)
{
	const char *first = record_text(o, "start_segment"), *last = record_text(o, "end_segment");
	const int64_t count = keeper_whole(o, "segments_count");
	JSON_AUTO *gone = missing_of(o);
	uint64_t from, to, n;
	uint32_t timeline, of;

	if (!first || !last || !wal_of_name(first, segment_b, &timeline, &from) ||
	    !wal_of_name(last, segment_b, &of, &to) || of != timeline || to < from)
		return bad_wal(e);
	/* A range that is not what is there and what is missing is not walked. */
	n = (to - from) / segment_b + 1;
	if (count < 0 || n != (uint64_t)count + json_object_size(gone))
		return bad_wal(e);
	for (uint64_t i = 0; i < n; i++) {
		char name[WAL_NAME_SIZE];

		wal_name(timeline, from + i * segment_b, segment_b, name);
		if (!json_object_get(gone, name))
			strv_add(names, name);
	}
	if (keeper_whole(o, "parent_id") > 0)
		strv_addf(names, "%08" PRIX32 ".history", timeline);
	return 0;
}

int walg_wal(const json_t *answer, uint32_t segment_b, struct strv *names, struct err *e)
{
	const json_t *o;
	size_t i;

	if (!json_is_array(answer))
		return err_set(e, ERR_REMOTE, "read wal-g wal-show: it is no list");
	json_array_foreach(answer, i, o)
		if (take_timeline(o, segment_b, names, e) < 0)
			return -1;
	return 0;
}

/* --- failures and wal-verify ------------------------------------------------------------------ */

static bool says_one_of(const char *said, const char *const *words)
{
	for (const char *const *w = words; *w; w++)
		if (strstr(said, *w))
			return true;
	return false;
}

enum err_kind walg_kind(const char *said)
{
	/* What was encrypted begins with no magic number, either. */
	static const char *const locked[] = { "magic number", "incorrect key", "init decrypt",
					      NULL };
	static const char *const damage[] = { "checksum",
					      "corrupt",
					      "unexpected EOF",
					      "invalid",
					      "tar extract",
					      "did not provide files",
					      "pg_control",
					      "not found in",
					      "no such file or directory",
					      "Not Found",
					      "does not exist",
					      "Wanted to fetch increment",
					      "decompress",
					      "MDC",
					      "no backups",
					      "No backups found",
					      NULL };

	return !says_one_of(said, locked) && says_one_of(said, damage) ? ERR_BACKUP : ERR_REMOTE;
}

static const struct {
	const char *status, *words;
	enum verdict verdict;
} segment_states[] = {
	{ "MISSING_LOST", "lost", V_CRITICAL },
	{ "MISSING_DELAYED", "not archived yet", V_WARNING },
	{ "MISSING_UPLOADING", "not there, and may be on its way", V_WARNING },
};

static void say_sequence(const json_t *o, struct check *c, int64_t *found)
{
	const char *status = record_text(o, "status");
	const char *first = record_text(o, "start_segment"), *last = record_text(o, "end_segment");
	const int64_t n = keeper_whole(o, "segments_count");
	const size_t states = sizeof(segment_states) / sizeof(segment_states[0]);
	size_t i = 0;

	if (!status || !first || !last || n < 0) {
		check_say(c, V_UNKNOWN, "WAL-G names segments that are not understood");
		return;
	}
	if (strcmp(status, "FOUND") == 0) {
		*found += n;
		return;
	}
	while (i < states && strcmp(segment_states[i].status, status) != 0)
		i++;
	if (i == states)
		check_say(c, V_UNKNOWN, "WAL-G calls %s %s", first, status);
	else if (n == 1)
		check_say(c, segment_states[i].verdict, "WAL segment %s is %s", first,
			  segment_states[i].words);
	else
		check_say(c, segment_states[i].verdict,
			  "WAL segments %s to %s (%" PRId64 ") are %s", first, last, n,
			  segment_states[i].words);
}

static enum verdict verdict_of(const json_t *result)
{
	const char *status = record_text(result, "status");

	if (status && strcmp(status, "OK") == 0)
		return V_OK;
	if (status && strcmp(status, "WARNING") == 0)
		return V_WARNING;
	return status && strcmp(status, "FAILURE") == 0 ? V_CRITICAL : V_UNKNOWN;
}

void walg_verified(const json_t *answer, struct check *c)
{
	const json_t *integrity = json_object_get(answer, "integrity");
	const json_t *timeline = json_object_get(answer, "timeline");
	const json_t *ids = json_object_get(timeline, "details"), *o;
	const enum verdict whole = verdict_of(integrity);
	char n[HUMAN_SIZE];
	int64_t found = 0;
	size_t i;

	json_array_foreach(json_object_get(integrity, "details"), i, o)
		say_sequence(o, c, &found);
	if (verdict_of(timeline) != V_OK)
		check_say(c, verdict_of(timeline),
			  "production is on timeline %" PRId64 ", the newest in the archive is "
			  "%" PRId64,
			  keeper_whole(ids, "current_timeline_id"),
			  keeper_whole(ids, "highest_storage_timeline_id"));
	/* It may know more than it lists. */
	if (whole != V_OK && (!c->said || verdict_worst(whole, c->status) != c->status))
		check_say(c, whole, "WAL-G does not call the archive whole");
	if (!c->said)
		check_say(c, V_OK,
			  "the WAL from the oldest backup to where production is, %s segments, is "
			  "in the archive",
			  human_count(found, n));
	check_metric_int(c, "segments", found, "");
}

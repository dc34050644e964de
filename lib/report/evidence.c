#include "lib/report/evidence.h"

#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/report/outlet.h"
#include "lib/report/past.h"
#include "lib/report/performer.h"
#include "lib/report/rows.h"
#include "lib/report/run.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_MAX = 256 * 1024, PATH_LIMIT = 4096, HEX_SIZE = 65, DIGEST_SIZE = 32 };

/* What each control wants, in short, what of it a run shows, and the checks without which it does
 * not (either of a pair that is joined by '|'). */
static const struct control {
	const char *id, *wants, *shown_by;
	const char *needs[3];
} controls[] = {
	{ "SOC 2 A1.2",
	  "backups are made and kept as the objectives ask",
	  "the listing: backups, their age and size",
	  { "listing" } },
	{ "SOC 2 A1.3",
	  "recovery is tested; backup data is complete and intact",
	  "the restore, and the comparison of its rows",
	  { "restore", "row-count|baseline-rows" } },
	{ "ISO/IEC 27001:2022 A.8.13",
	  "backup copies are maintained and regularly tested",
	  "the restore onto a server of its own, and its checks",
	  { "restore" } },
	{ "DORA Art. 12(2)",
	  "backup and restoration procedures are tested periodically",
	  "this run, and the history of runs",
	  { "restore" } },
	{ "DORA Art. 12(6)",
	  "recovery time and recovery point objectives",
	  "RTO and RPO, measured, against their targets",
	  { "restore", "verified-rto", "verified-rpo" } },
	{ "DORA Art. 12(7)",
	  "checks and reconciliations when data is recovered",
	  "the comparison of restored rows with production or the baseline",
	  { "restore", "row-count|baseline-rows" } },
	{ "NIST SP 800-53 CP-9(1)",
	  "backup information is tested for reliability and integrity",
	  "the checks of the backup's bytes and of the restored rows",
	  { "backup-complete|dump-complete|backup-files", "restore" } },
	{ "NIST SP 800-53 CP-9(2)",
	  "a sample is restored as part of contingency testing",
	  "the restore of the whole backup",
	  { "restore" } },
	{ "NIST SP 800-53 CP-4",
	  "the contingency plan is tested, its results are reviewed",
	  "this record, with the review below",
	  { "restore" } },
	{ "HIPAA 164.308(a)(7)(ii)(D)",
	  "contingency plans are tested and revised",
	  "this record, with the review below",
	  { "restore" } },
};

enum { NEEDS = sizeof(controls[0].needs) / sizeof(controls[0].needs[0]) };

static void set_text(json_t *o, const char *field, const char *value)
{
	if (value && *value)
		json_object_set_new(o, field, record_string(value, strlen(value)));
}

static json_t *moment(int64_t ms)
{
	char at[UTC_SIZE];

	return json_string(utc_format(ms, at));
}

static json_t *sentence_of(const struct summary *s, const json_t *check)
{
	BUF_AUTO b = BUF_INIT(PIECE_MAX);

	rows_sentence(s, check, &b);
	return json_string(b.s);
}

static json_t *name_of(const struct row *row)
{
	BUF_AUTO b = BUF_INIT(PIECE_MAX);

	rows_name(row, &b);
	return json_string(b.s);
}

/* Everything that the run says of itself in a word: its id and times, and whatever it may say of
 * configuration, operator and chain. */
static json_t *of_run(json_t *run)
{
	json_t *o = json_object(), *v;
	const char *key;

	json_object_foreach(run, key, v)
		if (!json_is_array(v) && strcmp(key, "backup") != 0 &&
		    strcmp(key, "instance") != 0 && strcmp(key, "record") != 0 &&
		    strcmp(key, "performed") != 0 && strcmp(key, "v") != 0)
			json_object_set(o, key, v);
	return o;
}

static json_t *method(const struct summary *s)
{
	json_t *o = json_object(), *tools = json_array();
	char durability[64];

	for (size_t i = 0; i < s->n_tools; i++) {
		const struct summary_tool *t = &s->tools[i];
		json_t *tool;

		if (t->begun + t->ended == 0)
			continue;
		tool = json_pack("{s:o, s:b}", "tool", record_string(t->name, strlen(t->name)),
				 "ended", t->ended >= t->begun);
		json_object_set_new(tool, "seconds", json_real(t->seconds));
		json_array_append_new(tools, tool);
	}
	(void)snprintf(durability, sizeof(durability), "%.40s",
		       record_word(s->instance, "durability"));
	set_text(o, "restore",
		 summary_restored(s)
			 ? "the backup was restored into a temporary server of its own, "
			   "apart from production, and removed afterwards"
			 : "nothing was restored");
	set_text(o, "durability", durability);
	set_text(o, "postgresql", record_word(s->instance, "server_version"));
	set_text(o, "recovery_point", record_word(s->instance, "recovery_point"));
	json_object_set_new(o, "steps", tools);
	return o;
}

/* {"achieved_seconds", "target_seconds", "met"} of RTO or RPO; null when it was not measured. */
static json_t *objective(double achieved, double target)
{
	json_t *o;

	if (!isfinite(achieved))
		return json_null();
	o = json_pack("{s:f}", "achieved_seconds", achieved);
	if (isfinite(target)) {
		json_object_set_new(o, "target_seconds", json_real(target));
		json_object_set_new(o, "met", json_boolean(achieved <= target));
	}
	return o;
}

/* The thresholds of its figures: "rto_seconds crit 1800". */
static json_t *thresholds(const json_t *check)
{
	BUF_AUTO b = BUF_INIT(PIECE_MAX);
	const json_t *m;
	size_t i;

	json_array_foreach(json_object_get(check, "metrics"), i, m) {
		if (*record_word(m, "warn"))
			buf_addf(&b, "%s%s warning unless %s", b.len ? "; " : "",
				 record_word(m, "name"), record_word(m, "warn"));
		if (*record_word(m, "crit"))
			buf_addf(&b, "%s%s critical unless %s", b.len ? "; " : "",
				 record_word(m, "name"), record_word(m, "crit"));
	}
	return record_string(b.s, b.len);
}

static json_t *result_of(const struct summary *s, const struct row *row)
{
	json_t *o = json_pack("{s:o, s:s, s:s, s:s, s:o, s:o}", "check", name_of(row), "id",
			      row->name, "found_by", record_word(row->check, "tool"), "verdict",
			      verdict_name(row->status), "result", sentence_of(s, row->check),
			      "threshold", thresholds(row->check));
	static const char *const fields[] = { "expected", "observed" };

	for (size_t i = 0; o && i < sizeof(fields) / sizeof(fields[0]); i++) {
		json_t *v = json_object_get(row->check, fields[i]);

		if (v)
			json_object_set(o, fields[i], v);
	}
	return o;
}

static json_t *results(const struct summary *s, bool only_exceptions)
{
	json_t *list = json_array();
	struct rows rows;

	if (only_exceptions)
		rows_findings(s, &rows);
	else
		rows_table(s, &rows);
	for (size_t i = 0; i < rows.n; i++)
		if (rows.v[i].check)
			json_array_append_new(list, result_of(s, &rows.v[i]));
		else
			json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "id",
							      rows.v[i].name, "verdict",
							      verdict_name(V_OK), "further_checks",
							      (json_int_t)rows.v[i].more));
	rows_free(&rows);
	return list;
}

/* What this run says nothing about. */
static json_t *not_checked(const struct summary *s)
{
	static const struct {
		const char *check, *words;
	} wanted[] = {
		{ "restore", "whether the backup can be restored" },
		{ "row-count", "whether rows are missing, by comparison with production" },
		{ "baseline-content", "whether the content of rows is that of the backup's moment "
				      "(no baseline with checksums)" },
		{ "verified-rto", "how long recovery takes" },
		{ "verified-rpo", "how much data would be lost" },
		{ "temporary-server", "whether the restored copy was removed" },
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const json_t *check;
		bool found = false;
		size_t at;

		json_array_foreach(s->checks, at, check)
			found |= strcmp(record_word(check, "check"), wanted[i].check) == 0;
		if (!found)
			json_array_append_new(list, json_string(wanted[i].words));
	}
	return list;
}

/* Is there a check of that name, or of one of those names? */
static bool was_checked(const struct summary *s, const char *names)
{
	const json_t *check;
	size_t i;

	for (;;) {
		const size_t n = strcspn(names, "|");

		json_array_foreach(s->checks, i, check) {
			const char *name = record_word(check, "check");

			if (strlen(name) == n && strncmp(name, names, n) == 0)
				return true;
		}
		if (names[n] == '\0')
			return false;
		names += n + 1;
	}
}

static json_t *control_of(const struct summary *s, const struct control *c)
{
	const bool good = s->status == V_OK || s->status == V_WARNING;
	BUF_AUTO why = BUF_INIT(PIECE_MAX);

	if (!good)
		buf_addf(&why, "the run's verdict is %s", verdict_name(s->status));
	for (size_t i = 0; i < NEEDS && c->needs[i] && why.len == 0; i++)
		if (!was_checked(s, c->needs[i]))
			buf_addf(&why, "this run has no check %s", c->needs[i]);
	for (char *p = why.s; *p; p++)
		if (*p == '|')
			*p = '/';
	return json_pack("{s:s, s:s, s:s, s:b, s:s}", "id", c->id, "wants", c->wants, "shown_by",
			 c->shown_by, "supported", why.len == 0, "reason", why.s);
}

static json_t *integrity(const struct evidence *ev, const json_t *run)
{
	json_t *o = json_object();
	char *line = record_print(run, SIZE_MAX);
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	char hex[HEX_SIZE];

	if (line && EVP_Digest(line, strlen(line), digest, NULL, EVP_sha256(), NULL) == 1) {
		for (size_t i = 0; i < DIGEST_SIZE; i++)
			(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
		set_text(o, "run_sha256", hex);
	}
	set_text(o, "history", ev->history);
	if (ev->head->seq > 0) {
		json_object_set_new(o, "chain_sequence", json_integer(ev->head->seq));
		set_text(o, "chain_head_sha256", ev->head->sha256);
	}
	free(line);
	return o;
}

json_t *evidence_object(const struct evidence *ev, json_t *run)
{
	const struct summary *s = ev->s;
	json_t *o = json_pack("{s:s, s:i, s:o}", "record", "evidence", "v", 1, "made_at",
			      moment(s->ended_ms));
	json_t *scope = json_object(), *list = json_array();
	struct past_run figures;

	(void)past_run_of(run, &figures);
	set_text(scope, "system", s->label);
	set_text(scope, "reference", ev->reference);
	if (s->backup)
		json_object_set(o, "backup", json_object_get(run, "backup"));
	json_object_set_new(o, "scope", scope);
	json_object_set_new(o, "method", method(s));
	json_object_set_new(o, "run", of_run(run));
	json_object_set_new(o, "performed", performer_object(s->host));
	json_object_set_new(o, "rto", objective(figures.rto_s, figures.rto_target_s));
	json_object_set_new(o, "rpo", objective(figures.rpo_s, figures.rpo_target_s));
	json_object_set_new(o, "results", results(s, false));
	json_object_set_new(o, "exceptions", results(s, true));
	json_object_set_new(o, "not_checked", not_checked(s));
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		json_array_append_new(list, control_of(s, &controls[i]));
	json_object_set_new(o, "controls", list);
	json_object_set_new(o, "integrity", integrity(ev, run));
	return o;
}

static int put(const char *path, const char *suffix, const struct buf *what, struct err *e)
{
	BUF_AUTO name = BUF_INIT(PATH_LIMIT);

	buf_addf(&name, "%s%s", path, suffix);
	return outlet_put(name.s, STDOUT_FILENO, what, e);
}

int evidence_put(const struct evidence *ev, const char *path, struct err *e)
{
	JSON_AUTO *run = run_object(ev->s, SIZE_MAX);
	JSON_AUTO *object = evidence_object(ev, run);
	BUF_AUTO page = BUF_INIT(OUTLET_MAX), json = BUF_INIT(OUTLET_MAX);
	char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(15));

	evidence_markdown(object, &page);
	buf_addf(&json, "%s\n", text ? text : "");
	free(text);
	if (put(path, ".md", &page, e) < 0)
		return -1;
	return put(path, ".json", &json, e);
}

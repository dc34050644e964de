#include "lib/dump/findings.h"

#include "lib/base/buf.h"
#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"

#include <stdio.h>
#include <string.h>

/* A record has 64 KiB, a name up to 2 * 63 bytes, of which JSON may make six each: for names that
 * people give there is room for more. */
enum { SEQUENCES_MAX = 64 };

const char *finding_table(const struct census_table *t, char out[FINDING_NAME])
{
	(void)snprintf(out, FINDING_NAME, "%s%s%s", t->database, t->database[0] ? "." : "",
		       t->name);
	return out;
}

void finding_format(struct check *c, const struct inspected *in)
{
	const struct sniffed *w = &in->what;
	char text[SNIFF_TEXT], made[UTC_SIZE];
	BUF_AUTO more = BUF_INIT(512);

	(void)sniff_describe(w, text);
	if (w->database[0])
		buf_addf(&more, "; database %s", w->database);
	if (in->encoding[0])
		buf_addf(&more, ", %s", in->encoding);
	if (w->local_ms >= 0)
		buf_addf(&more, "; made %.19s by its host's clock", utc_human(w->local_ms, made));
	if (w->name_says[0])
		check_say(c, V_WARNING, "%s%s, but its name says %s", text, more.s, w->name_says);
	else
		check_say(c, V_OK, "%s%s", text, more.s);
	check_field(c, "format", json_string(sniff_format(w)));
	if (w->database[0])
		check_field(c, "database", record_string(w->database, strlen(w->database)));
	if (in->encoding[0])
		check_field(c, "encoding", record_string(in->encoding, strlen(in->encoding)));
	if (w->server_version[0])
		check_field(c, "server_version",
			    record_string(w->server_version, strlen(w->server_version)));
}

void finding_rows(struct check *c, const struct census_table *t, enum verdict damage)
{
	char rows[HUMAN_SIZE], bytes[HUMAN_SIZE];
	char hash[ROWHASH_TEXT_SIZE];

	if (!t->whole) {
		check_say(c, damage, "its rows are not all there, or damaged");
		return;
	}
	check_metric_int(c, "rows", (int64_t)t->tally.rows, "rows");
	check_metric_int(c, "bytes", (int64_t)t->tally.bytes, "B");
	check_observed_int(c, (int64_t)t->tally.rows);
	check_field(c, "table", record_string(t->name, strlen(t->name)));
	if (t->database[0])
		check_field(c, "database", record_string(t->database, strlen(t->database)));
	if (t->tally.hashes)
		check_field(c, "checksum", json_string(rowhash_text(&t->tally.hash, hash)));
	check_say(c, V_OK, "%s (%s)", human_count((int64_t)t->tally.rows, rows),
		  human_bytes(t->tally.bytes, bytes));
}

void finding_newest(struct check *c, const struct census_table *t, int64_t now_ms)
{
	char at[UTC_SIZE], age[HUMAN_SIZE];
	const double age_s = (double)(now_ms - t->tally.newest_ms) / 1000;

	if (!t->tally.found) {
		check_say(c, t->tally.rows ? V_UNKNOWN : V_OK,
			  t->tally.rows ? "no row has a moment there" : "the table is empty");
		return;
	}
	check_observed_text(c, utc_format(t->tally.newest_ms, at));
	check_metric_real(c, "data_age_seconds", age_s, "s");
	if (age_s < 0)
		check_say(c, V_OK, "%s, %s in the future", utc_human(t->tally.newest_ms, at),
			  human_duration(-age_s, age));
	else
		check_say(c, V_OK, "%s, %s ago", utc_human(t->tally.newest_ms, at),
			  human_duration(age_s, age));
}

void finding_sequences(struct check *c, const struct census *rows, size_t *i)
{
	const char *const database = *i < rows->n_sequences ? rows->sequences[*i].database : "";
	const size_t first = *i;
	json_t *all = json_object();

	for (; *i < rows->n_sequences && *i - first < SEQUENCES_MAX; ++*i) {
		const struct census_sequence *q = &rows->sequences[*i];
		JSON_AUTO *name = record_string(q->name, strlen(q->name));

		if (strcmp(q->database, database) != 0)
			break;
		(void)json_object_set_new(
			all, json_string_value(name),
			json_pack("{s:I, s:b}", "last", (json_int_t)q->last, "called", q->called));
	}
	check_field(c, "sequences", all);
	if (*database)
		check_field(c, "database", record_string(database, strlen(database)));
	check_metric_int(c, "sequences", (int64_t)(*i - first), "");
	check_say(c, V_OK, "the positions of %zu%s%s", *i - first, *database ? " of " : "",
		  database);
}

void finding_complete(struct check *c, const struct inspected *in, uint64_t rows, double seconds)
{
	char count[HUMAN_SIZE], bytes[HUMAN_SIZE];

	check_metric_int(c, "tables", (int64_t)in->rows.n, "");
	check_metric_int(c, "rows", (int64_t)rows, "rows");
	check_metric_int(c, "objects", (int64_t)in->objects, "");
	check_metric_int(c, "data_bytes", (int64_t)in->data_b, "B");
	check_metric_real(c, "inspect_seconds", seconds, "s");
	if (in->rows.n == 0)
		check_say(c, V_WARNING, "%s, but it holds the data of no table",
			  in->note[0] ? in->note : "complete");
	else
		check_say(
			c, in->unproven ? V_WARNING : V_OK,
			"%s; %zu table%s with %s rows, %s; that it restores is not proven by this",
			in->note[0] ? in->note : "complete to the last byte", in->rows.n,
			in->rows.n == 1 ? "" : "s", human_count((int64_t)rows, count),
			human_bytes(in->data_b, bytes));
}

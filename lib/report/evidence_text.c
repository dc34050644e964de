#include "lib/report/evidence.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/text.h"
#include "lib/report/paper.h"
#include "lib/report/rows.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 256 * 1024, WORD_SIZE = 96 };

/* "tool_version" -> "Tool version" */
static void add_word(const char *key, struct buf *out)
{
	char words[WORD_SIZE];

	(void)snprintf(words, sizeof(words), "%s", key);
	for (char *p = words; *p; p++)
		if (*p == '_')
			*p = '-';
	text_title(out, words);
}

/* Anything but a list, as a line. */
static void add_fact(struct paper *p, const char *key, const json_t *v)
{
	BUF_AUTO word = BUF_INIT(PIECE_MAX), value = BUF_INIT(PIECE_MAX);
	char *flat = NULL;

	add_word(key, &word);
	if (json_is_string(v)) {
		paper_fact(p, word.s, json_string_value(v));
		return;
	}
	if (json_is_null(v))
		return;
	if (json_is_boolean(v)) {
		buf_adds(&value, json_is_true(v) ? "yes" : "no");
	} else {
		flat = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
		buf_adds(&value, flat ? flat : "");
		free(flat);
	}
	paper_fact(p, word.s, value.s);
}

static void add_section(struct paper *p, const char *title, json_t *object)
{
	const char *key;
	json_t *v;

	paper_heading(p, 2, "%s", title);
	paper_facts_begin(p);
	json_object_foreach(object, key, v)
		if (!json_is_array(v))
			add_fact(p, key, v);
	paper_facts_end(p);
}

static void add_objective(struct paper *p, const char *name, const json_t *objective)
{
	double achieved = 0, target = 0;
	char a[HUMAN_SIZE], t[HUMAN_SIZE];
	BUF_AUTO words = BUF_INIT(PIECE_MAX);

	if (!record_real(objective, "achieved_seconds", &achieved))
		buf_adds(&words, "not measured");
	else if (!record_real(objective, "target_seconds", &target))
		buf_addf(&words, "%s; no target is set", human_duration(achieved, a));
	else
		buf_addf(&words, "%s, target %s: %s", human_duration(achieved, a),
			 human_duration(target, t),
			 record_true(objective, "met") ? "met" : "NOT MET");
	paper_fact(p, name, words.s);
}

static void add_results(struct paper *p, const char *title, const json_t *list, const char *none)
{
	static const char *const columns[] = { "Check",    "Verdict",   "Result",
					       "Expected", "Threshold", NULL };
	const json_t *r;
	size_t i;

	paper_heading(p, 2, "%s", title);
	if (json_array_size(list) == 0) {
		paper_text(p, "%s", none);
		return;
	}
	paper_table_begin(p, columns);
	json_array_foreach(list, i, r) {
		BUF_AUTO expected = BUF_INIT(PIECE_MAX), more = BUF_INIT(PIECE_MAX);
		const char *cells[] = { record_word(r, "check"),     record_word(r, "verdict"),
					record_word(r, "result"),    expected.s,
					record_word(r, "threshold"), NULL };
		int64_t n;

		if (rows_value(r, "expected", &expected))
			cells[3] = expected.s;
		if (record_int(r, "further_checks", &n)) {
			buf_addf(&more, "and %lld more, all ok", (long long)n);
			cells[0] = record_word(r, "id");
			cells[2] = more.s;
		}
		paper_row(p, cells);
	}
	paper_table_end(p);
}

static void add_list(struct paper *p, const char *title, const json_t *list, const char *none)
{
	const json_t *v;
	size_t i;

	paper_heading(p, 2, "%s", title);
	if (json_array_size(list) == 0)
		paper_text(p, "%s", none);
	json_array_foreach(list, i, v)
		paper_text(p, "- %s", json_string_value(v));
}

static void add_steps(struct paper *p, const json_t *steps)
{
	static const char *const columns[] = { "Step", "Time", NULL };
	const json_t *v;
	size_t i;

	paper_table_begin(p, columns);
	json_array_foreach(steps, i, v) {
		char time[HUMAN_SIZE];
		double seconds = 0;
		const char *cells[] = { record_word(v, "tool"), "did not end", NULL };

		if (record_true(v, "ended") && record_real(v, "seconds", &seconds))
			cells[1] = human_duration(seconds, time);
		paper_row(p, cells);
	}
	paper_table_end(p);
}

static void add_controls(struct paper *p, const json_t *list)
{
	static const char *const columns[] = { "Control", "Wants", "Shown by", "This run", NULL };
	const json_t *c;
	size_t i;

	paper_heading(p, 2, "Controls");
	paper_table_begin(p, columns);
	json_array_foreach(list, i, c) {
		BUF_AUTO words = BUF_INIT(PIECE_MAX);
		const char *cells[] = { record_word(c, "id"), record_word(c, "wants"),
					record_word(c, "shown_by"), "supports it", NULL };

		if (!record_true(c, "supported")) {
			buf_addf(&words, "does NOT support it: %s", record_word(c, "reason"));
			cells[3] = words.s;
		}
		paper_row(p, cells);
	}
	paper_table_end(p);
	paper_text(
		p,
		"A run supports a control; whether the control is met is for the auditor to say.");
}

void evidence_markdown(json_t *object, struct buf *out)
{
	static const char *const columns[] = { "Reviewed by", "Date", "Follow-up, ticket", NULL };
	static const char *const blank[] = { " ", " ", " ", NULL };
	json_t *scope = json_object_get(object, "scope");
	json_t *method = json_object_get(object, "method");
	struct paper p = { .out = out };
	BUF_AUTO title = BUF_INIT(PIECE_MAX);

	buf_addf(&title, "Evidence of a backup test: %s", record_word(scope, "system"));
	paper_begin(&p, title.s, "000000");
	add_section(&p, "Scope", scope);
	add_section(&p, "Backup", json_object_get(object, "backup"));
	add_section(&p, "Method", method);
	add_steps(&p, json_object_get(method, "steps"));
	add_section(&p, "Run", json_object_get(object, "run"));
	add_section(&p, "Performed by", json_object_get(object, "performed"));
	paper_heading(&p, 2, "Objectives");
	paper_facts_begin(&p);
	add_objective(&p, "Recovery time (RTO)", json_object_get(object, "rto"));
	add_objective(&p, "Recovery point (RPO)", json_object_get(object, "rpo"));
	paper_facts_end(&p);
	add_results(&p, "Exceptions", json_object_get(object, "exceptions"), "None.");
	add_results(&p, "Results", json_object_get(object, "results"), "Nothing was checked.");
	add_list(&p, "Not checked", json_object_get(object, "not_checked"),
		 "Nothing was left out.");
	add_controls(&p, json_object_get(object, "controls"));
	add_section(&p, "Integrity", json_object_get(object, "integrity"));
	paper_heading(&p, 2, "Review");
	paper_table_begin(&p, columns);
	paper_row(&p, blank);
	paper_table_end(&p);
	paper_end(&p, "Keep it in write-once storage for the audit's window.");
}

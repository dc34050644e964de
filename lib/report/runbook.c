#include "lib/report/runbook.h"

#include "lib/base/human.h"
#include "lib/base/shellword.h"
#include "lib/base/utc.h"
#include "lib/report/html_parts.h"
#include "lib/report/runbook_parts.h"

#include <math.h>
#include <string.h>

/* Small letters, digits and underscores need no quotes; keywords as names are rare enough to be
 * quoted by hand. */
static void add_identifier(struct buf *out, const char *s, size_t n)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const bool simple = n && strspn(s, plain) >= n && !(s[0] >= '0' && s[0] <= '9');

	if (simple) {
		buf_add(out, s, n);
		return;
	}
	buf_addc(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			buf_addc(out, '"');
		buf_addc(out, (char)((unsigned char)s[i] < ' ' ? '?' : s[i]));
	}
	buf_addc(out, '"');
}

void runbook_table(struct buf *out, const char *name)
{
	const size_t schema = strcspn(name, ".");

	add_identifier(out, name, schema);
	if (name[schema] == '.') {
		buf_addc(out, '.');
		add_identifier(out, name + schema + 1, strlen(name + schema + 1));
	}
}

void runbook_step(struct writing *w, const char *title, double seconds)
{
	char time[HUMAN_SIZE];

	w->step++;
	if (isfinite(seconds))
		paper_heading(w->p, 3, "Step %d: %s (measured: %s)", w->step, title,
			      human_duration(seconds, time));
	else
		paper_heading(w->p, 3, "Step %d: %s", w->step, title);
}

static bool can_replay(const struct runbook *rb)
{
	return rb->keeper.program || (rb->base_backup && (rb->wal || rb->restore_command));
}

enum side runbook_side(const struct writing *w, enum until until)
{
	const bool physical = w->drill.kind == DRILL_PHYSICAL;

	if (can_replay(w->rb) &&
	    (until == UNTIL_INCIDENT || physical || w->rb->source == NULL || w->rb->keeper.program))
		return SIDE_REPLAY;
	if (w->rb->source == NULL || physical)
		return SIDE_NONE;
	return w->drill.kind == DRILL_CLUSTER ? SIDE_CLUSTER : SIDE_DATABASE;
}

void runbook_verify(struct writing *w, const char *command, enum until until)
{
	BUF_AUTO commands = BUF_INIT(RUNBOOK_BLOCK);
	static const char *const columns[] = { "Table", "Expected", NULL };

	if (w->drill.n_tables == 0)
		return;
	for (size_t i = 0; i < w->drill.n_tables; i++) {
		BUF_AUTO sql = BUF_INIT(RUNBOOK_BLOCK);

		buf_adds(&sql, "SELECT count(*) FROM ");
		runbook_table(&sql, w->drill.tables[i].name);
		buf_addf(&commands, "%s -At -c ", command);
		shellword_add(&commands, sql.s);
		buf_addc(&commands, '\n');
	}
	paper_code(w->p, "sh", commands.s);
	paper_table_begin(w->p, columns);
	for (size_t i = 0; i < w->drill.n_tables; i++) {
		char count[HUMAN_SIZE], words[HUMAN_SIZE + 64];
		const char *cells[] = { w->drill.tables[i].name, words, NULL };

		(void)snprintf(words, sizeof(words), "%s%s",
			       human_count(w->drill.tables[i].rows, count),
			       until == UNTIL_END ? "" : ", or as many as there were then");
		paper_row(w->p, cells);
	}
	paper_table_end(w->p);
}

static void add_drill(struct writing *w)
{
	const struct drill *d = &w->drill;
	char at[UTC_SIZE], taken[UTC_SIZE], time[HUMAN_SIZE];

	paper_heading(w->p, 2, "The last drill");
	if (!d->known) {
		paper_text(
			w->p,
			"There was none: no duration in here is measured, and nobody has seen this "
			"backup restore. Run verify-backup first.");
		return;
	}
	paper_facts_begin(w->p);
	paper_fact(w->p, "Date", utc_human(d->at_ms, at));
	paper_fact(w->p, "Result",
		   d->verified ? "the backup was restored and verified"
			       : "it was NOT verified: read its report before you "
				 "rely on this backup");
	paper_fact(w->p, "Backup", d->name);
	if (d->taken_ms != INT64_MIN)
		paper_fact(w->p, "Taken", utc_human(d->taken_ms, taken));
	paper_fact(w->p, "PostgreSQL", d->version);
	if (isfinite(d->rto_s))
		paper_fact(w->p, "Recovery time, measured", human_duration(d->rto_s, time));
	if (isfinite(w->rb->rto_target_s))
		paper_fact(w->p, "Target", human_duration(w->rb->rto_target_s, time));
	if (isfinite(d->rpo_s))
		paper_fact(w->p, "Data lost if it is needed now, measured",
			   human_duration(d->rpo_s, time));
	if (isfinite(w->rb->rpo_target_s))
		paper_fact(w->p, "Target of that", human_duration(w->rb->rpo_target_s, time));
	paper_facts_end(w->p);
}

static void add_choice(struct writing *w)
{
	static const char *const columns[] = { "What happened", "Scenario", NULL };
	static const char *const rows[][3] = {
		{ "Rows or tables are gone or wrong; the rest is in use", "1. Accidental deletion",
		  NULL },
		{ "The database is damaged: errors about pages, files, indexes", "2. Corruption",
		  NULL },
		{ "Everything since a moment is wrong: a bad migration, an attack",
		  "3. A point in time", NULL },
		{ "The machine, the site or the region is gone", "4. Loss of the host or region",
		  NULL },
	};

	paper_heading(w->p, 2, "Which scenario");
	paper_text(w->p,
		   "First: write down the time, say who decides, send the first message (at the "
		   "end), and stop what does the damage. Do not delete anything.");
	paper_table_begin(w->p, columns);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		paper_row(w->p, rows[i]);
	paper_table_end(w->p);
	paper_text(
		w->p,
		"Commands are for sh, as the user that PostgreSQL runs as (su - postgres), not as "
		"root; all blocks of a scenario in one shell, in their order. Stop at the first "
		"error: every step can be looked into, and the live data is changed only where a "
		"step says so.");
}

static void add_message(struct writing *w)
{
	const struct runbook *rb = w->rb;
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);
	char time[HUMAN_SIZE];

	paper_heading(w->p, 2, "Message to stakeholders");
	if (rb->contact)
		paper_text(w->p, "To: %s", rb->contact);
	buf_addf(&b,
		 "Subject: %s database: [deletion | corruption | outage], recovery under way\n\n",
		 rb->label);
	buf_adds(&b,
		 "Since [TIME] UTC [WHAT USERS SEE]. The cause is [KNOWN | being looked into].\n"
		 "We are restoring from backup.\n\n");
	buf_addf(&b, "- Expected back: [TIME]%s%s.\n",
		 isfinite(w->drill.rto_s) ? "; the last drill took " : "",
		 isfinite(w->drill.rto_s) ? human_duration(w->drill.rto_s, time) : "");
	buf_addf(&b, "- Data since [TIME OF THE RECOVERY POINT] may be lost%s%s.\n",
		 isfinite(w->drill.rpo_s) ? "; in the last drill that was " : "",
		 isfinite(w->drill.rpo_s) ? human_duration(w->drill.rpo_s, time) : "");
	buf_adds(&b, "- Please do not [WRITE TO | RETRY AGAINST] the system until we say so.\n"
		     "- Next message: [TIME, at most 30 minutes from now], from [NAME].\n");
	paper_code(w->p, "text", b.s);
}

void runbook_write(const struct runbook *rb, struct paper *p)
{
	struct writing w = { .rb = rb, .p = p };
	char title[512], made[UTC_SIZE], last[512];

	drill_of(rb->drill, &w.drill);
	(void)snprintf(title, sizeof(title), "Recovery runbook: %s", rb->label);
	paper_begin(p, title, html_colour(w.drill.verified ? V_OK : V_UNKNOWN));
	add_drill(&w);
	add_choice(&w);
	runbook_deletion(&w);
	runbook_corruption(&w);
	runbook_point_in_time(&w);
	runbook_loss(&w);
	add_message(&w);
	(void)snprintf(
		last, sizeof(last),
		"Made %s from the configuration and the last drill; make it anew rather than "
		"edit it. Print it, or keep it where this database's host is not needed.",
		utc_human(rb->now_ms, made));
	paper_end(p, last);
}

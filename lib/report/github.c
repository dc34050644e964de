#include "lib/report/github.h"

#include "lib/base/text.h"
#include "lib/report/rows.h"

#include <string.h>

enum { PIECE_MAX = 256 * 1024 };

void github_escape(const char *s, bool property, struct buf *out)
{
	BUF_AUTO safe = BUF_INIT(PIECE_MAX);

	text_safe(&safe, s);
	for (const char *p = safe.s; *p; p++)
		if (*p == '%' || (property && (*p == ':' || *p == ',')))
			buf_addf(out, "%%%02X", (unsigned)*p);
		else
			buf_addc(out, *p);
}

static void add_value(const json_t *check, const char *field, struct buf *out)
{
	BUF_AUTO value = BUF_INIT(PIECE_MAX);

	if (!rows_value(check, field, &value))
		return;
	buf_addf(out, "%%0A%s: ", field);
	github_escape(value.s, false, out);
}

static void add_finding(const struct summary *s, const char *command, const struct row *row,
			struct buf *out)
{
	BUF_AUTO name = BUF_INIT(PIECE_MAX), sentence = BUF_INIT(PIECE_MAX);

	rows_name(row, &name);
	rows_sentence(s, row->check, &sentence);
	buf_addf(out, "::%s title=", command);
	github_escape(name.s, true, out);
	buf_adds(out, "::");
	github_escape(sentence.s, false, out);
	add_value(row->check, "expected", out);
	add_value(row->check, "observed", out);
	buf_addc(out, '\n');
}

void github_report(const struct summary *s, const char *title, struct buf *out)
{
	static const char *const commands[] = { "error", "warning" };
	BUF_AUTO headline = BUF_INIT(PIECE_MAX), tally = BUF_INIT(PIECE_MAX);
	size_t written[2] = { 0, 0 };
	struct rows rows;

	rows_findings(s, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		const size_t which = rows.v[i].status == V_WARNING;

		if (written[which]++ < GITHUB_ANNOTATIONS)
			add_finding(s, commands[which], &rows.v[i], out);
	}
	rows_free(&rows);
	rows_headline(s, title, &headline);
	rows_tally(s, &tally);
	buf_adds(out, "::notice title=Backup verification::");
	github_escape(headline.s, false, out);
	buf_adds(out, "%0A");
	github_escape(tally.s, false, out);
	buf_addc(out, '\n');
}

#include "lib/base/manual.h"

#include <ctype.h>
#include <string.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

static const char released[] = "November 21, 2026";

/* Appends text wrapped at HELP_WIDTH, every line but the first indented. */
static void wrap(struct buf *out, const char *text, size_t indent)
{
	size_t column = indent;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + n > HELP_WIDTH) {
			buf_addf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_addc(out, ' ');
			column++;
		}
		buf_add(out, text, n);
		column += n;
		text += n + (text[n] == ' ');
	}
	buf_addc(out, '\n');
}

static void help_option(struct buf *out, const struct opt *o)
{
	BUF_AUTO left = BUF_INIT(256);
	BUF_AUTO text = BUF_INIT(4096);

	buf_adds(&left, "  ");
	if (o->letter)
		buf_addf(&left, "-%c, ", o->letter);
	else
		buf_adds(&left, "    ");
	buf_addf(&left, "--%s", o->name);
	if (o->arg)
		buf_addf(&left, o->kind == OPT_FLAG ? "[=%s]" : " %s", o->arg);
	buf_adds(&text, o->help);
	if (o->env)
		buf_addf(&text, " [%s]", o->env);
	if (left.len + 2 > HELP_COLUMN)
		buf_addf(out, "%s\n%*s", left.s, HELP_COLUMN, "");
	else
		buf_addf(out, "%-*s", HELP_COLUMN, left.s);
	wrap(out, text.s, HELP_COLUMN);
}

static void help_table(struct buf *out, const char *title, const struct opt *table)
{
	if (table == NULL || table->kind == OPT_END)
		return;
	buf_addf(out, "\n%s:\n", title);
	for (const struct opt *o = table; o->kind != OPT_END; o++)
		if (!o->hidden)
			help_option(out, o);
}

void manual_help(struct buf *out, const struct tool *t, const struct opt *shared)
{
	buf_addf(out, "usage: %s [OPTION...]%s%s\n\n", t->name, t->operands[0] ? " " : "",
		 t->operands);
	wrap(out, t->what, 0);
	help_table(out, "Options", t->options);
	help_table(out, "Options of every tool", shared);
	buf_adds(out, "\nA name in brackets is the environment variable that gives the default.\n"
		      "Exit status: 0 ok, 1 warning, 2 critical, 3 unknown (could not look).\n");
	buf_addf(out, "Manual: man %s\n", t->name);
}

/* Text in mdoc: no request by accident, no escape by accident. */
static void mdoc_text(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((i == 0 || s[i - 1] == '\n') && (s[i] == '.' || s[i] == '\''))
			buf_adds(out, "\\&");
		if (s[i] == '\\')
			buf_adds(out, "\\e");
		else if (s[i] == '-')
			buf_adds(out, "\\-");
		else if (s[i] == '\'')
			buf_adds(out, "\\(aq");
		else
			buf_addc(out, s[i]);
	}
}

/* A sentence a line: after a full stop and a blank mdoc wants a new input line. */
static void mdoc_sentences(struct buf *out, const char *s, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i + 1 < n; i++) {
		if ((s[i] != '.' && s[i] != '!' && s[i] != '?') || s[i + 1] != ' ' ||
		    !isupper((unsigned char)(i + 2 < n ? s[i + 2] : 'a')))
			continue;
		mdoc_text(out, s + from, i + 1 - from);
		buf_addc(out, '\n');
		from = i + 2;
	}
	mdoc_text(out, s + from, n - from);
	buf_addc(out, '\n');
}

static void mdoc_paragraphs(struct buf *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t n = end ? (size_t)(end - text) : strlen(text);

		mdoc_sentences(out, text, n);
		text += n;
		text += strspn(text, "\n");
		if (*text)
			buf_adds(out, ".Pp\n");
	}
}

static void mdoc_option(struct buf *out, const struct opt *o)
{
	if (o->letter)
		buf_addf(out, ".It Fl %c , Fl \\-%s", o->letter, o->name);
	else
		buf_addf(out, ".It Fl \\-%s", o->name);
	if (o->arg)
		buf_addf(out, o->kind == OPT_FLAG ? " Ns Op = Ns Cm %s" : " Ar %s", o->arg);
	buf_addc(out, '\n');
	mdoc_text(out, o->help, strlen(o->help));
	buf_adds(out, ".\n");
	if (o->env)
		buf_addf(out, "Environment:\n.Ev %s .\n", o->env);
}

static void mdoc_table(struct buf *out, const struct opt *table)
{
	for (const struct opt *o = table; o && o->kind != OPT_END; o++)
		if (!o->hidden)
			mdoc_option(out, o);
}

/* Examples are pairs of lines: the command, what it does; an empty line between pairs. */
static void mdoc_examples(struct buf *out, const char *text)
{
	buf_adds(out, ".Sh EXAMPLES\n");
	while (*text) {
		size_t command = strcspn(text, "\n");
		const char *why = text + command + (text[command] == '\n');
		size_t n = strcspn(why, "\n");

		mdoc_sentences(out, why, n);
		buf_adds(out, ".Bd -literal -offset indent\n");
		mdoc_text(out, text, command);
		buf_adds(out, "\n.Ed\n");
		text = why + n;
		text += strspn(text, "\n");
		if (*text)
			buf_adds(out, ".Pp\n");
	}
}

/* "a(1), b(7)" as cross references. */
static void mdoc_see_also(struct buf *out, const char *text)
{
	buf_adds(out, ".Sh SEE ALSO\n");
	while (*text) {
		size_t name = strcspn(text, "(");
		size_t n = strcspn(text, ",");

		buf_adds(out, ".Xr ");
		buf_add(out, text, name);
		buf_addf(out, " %c%s\n", name < n ? text[name + 1] : '1', text[n] ? " ," : "");
		text += n;
		text += strspn(text, ", ");
	}
}

void manual_mdoc(struct buf *out, const struct tool *t, const struct opt *shared)
{
	buf_addf(out, ".Dd %s\n.Dt ", released);
	for (const char *p = t->name; *p; p++)
		buf_addc(out, (char)toupper((unsigned char)*p));
	buf_addf(out, " 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd ", t->name);
	mdoc_text(out, t->what, strlen(t->what));
	buf_adds(out, "\n.Sh SYNOPSIS\n.Nm\n.Op Ar OPTION...\n");
	if (t->operands[0])
		buf_addf(out, ".Ar %s\n", t->operands);
	buf_adds(out, ".Sh DESCRIPTION\n");
	mdoc_paragraphs(out, t->description);
	buf_adds(out, ".Pp\nThe options are:\n.Bl -tag -width Ds\n");
	mdoc_table(out, t->options);
	mdoc_table(out, shared);
	buf_adds(out, ".El\n.Sh EXIT STATUS\n.Bl -tag -width Ds\n"
		      ".It 0\nok\n.It 1\nwarning\n"
		      ".It 2\ncritical: it looked, and the backup is bad\n"
		      ".It 3\nunknown: it could not look\n.El\n");
	if (t->examples && t->examples[0])
		mdoc_examples(out, t->examples);
	if (t->see_also && t->see_also[0])
		mdoc_see_also(out, t->see_also);
}

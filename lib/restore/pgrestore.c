#include "lib/restore/pgrestore.h"

#include "lib/base/io.h"
#include "lib/base/strv.h"
#include "lib/base/voices.h"
#include "lib/base/xmem.h"
#include "lib/restore/harmless.h"

#include <stdlib.h>
#include <string.h>

/* Appends what fits; a message is quoted, not kept. */
static void add_line(struct buf *b, const char *text)
{
	size_t room = b->max - b->len, n = strlen(text);

	if (b->len && room) {
		buf_addc(b, '\n');
		room--;
	}
	buf_add(b, text, n < room ? n : room);
}

static void set_text(struct buf *b, const char *text)
{
	buf_reset(b);
	add_line(b, text);
}

static const char *after(const char *line, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(line, prefix, n) == 0 ? line + n : NULL;
}

/* What comes before the server's own words says nothing that they do not. */
static const char *server_words(const char *message)
{
	const char *words = strstr(message, "ERROR:  ");

	if (words == NULL || after(message, "COPY failed"))
		return message;
	return words + strlen("ERROR:  ");
}

/* at: what pg_restore was at, which finds the statement as a line number does in a script. */
static void note(struct mishaps *m, const char *message, const char *statement, const char *at)
{
	const char *why = harmless("", message, statement);
	BUF_AUTO b = BUF_INIT(2500);

	if (*at)
		buf_addf(&b, "%.200s: ", at);
	buf_adds(&b, message);
	mishaps_add(m, why ? MISHAP_HARMLESS : MISHAP_FAILED, 0, "", b.s, statement, why);
}

static void flush(struct pgrestore_said *s, struct pgrestore_voice *v, struct mishaps *m)
{
	if (v->error.len) {
		s->seen++;
		note(m, server_words(v->error.s), v->statement.s, v->at.s);
	}
	buf_reset(&v->error);
	buf_reset(&v->statement);
	v->in_statement = false;
}

/* "215; 1259 16386 TABLE orders shop": what is behind the two ids. */
static void take_entry(struct pgrestore_voice *v, const char *text)
{
	const char *p = strchr(text, ';');

	for (int i = 0; p && i < 3; i++)
		p = strchr(p + 1, ' ');
	set_text(&v->at, p ? p + 1 : text);
}

/* The text behind "pg_restore: error: ", also as versions before 12 put it. */
static const char *error_text(const char *said)
{
	const char *p = after(said, "error: ");

	if (p == NULL && said[0] == '[' && strstr(said, "] Error from TOC entry") == NULL &&
	    strstr(said, "] Error while") == NULL) {
		p = strstr(said, "] ");
		p = p ? p + 2 : said;
	}
	return p;
}

static void own_line(struct pgrestore_said *s, struct pgrestore_voice *v, const char *said,
		     struct mishaps *m)
{
	const char *p;

	p = after(said, "detail: ");
	if (p == NULL)
		p = after(said, "hint: ");
	if (p) {
		if (v->error.len)
			add_line(&v->error, p);
		return;
	}
	flush(s, v, m);
	if ((p = error_text(said)) != NULL)
		set_text(&v->error, p);
	else if ((p = strstr(said, "from TOC entry ")) != NULL)
		take_entry(v, p + strlen("from TOC entry "));
	else if ((p = after(said, "warning: errors ignored on restore: ")) != NULL)
		s->declared += (unsigned)strtoul(p, NULL, 10);
}

static struct pgrestore_voice *voice_of(struct pgrestore_said *s, pid_t who)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->voices[i].who == who)
			return &s->voices[i];
	s->voices = xrealloc(s->voices, s->n + 1, sizeof(*s->voices));
	s->voices[s->n] = (struct pgrestore_voice){
		.who = who, .error = BUF_INIT(2000), .statement = BUF_INIT(500), .at = BUF_INIT(300)
	};
	return &s->voices[s->n++];
}

void pgrestore_line(struct pgrestore_said *s, pid_t who, const char *line, struct mishaps *m)
{
	struct pgrestore_voice *v = voice_of(s, who);
	const char *p = after(line, "pg_restore: ");

	if (*line)
		set_text(&s->last, p ? p : line);
	if (p) {
		own_line(s, v, p, m);
		return;
	}
	p = after(line, "Command was: ");
	if (p || after(line, "    Command was: ")) {
		v->in_statement = true;
		set_text(&v->statement, p ? p : line + strlen("    Command was: "));
	} else if (v->in_statement) {
		add_line(&v->statement, line);
	} else if (v->error.len) {
		add_line(&v->error, line);
	}
}

void pgrestore_end(struct pgrestore_said *s, int status, struct mishaps *m)
{
	BUF_AUTO b = BUF_INIT(600);
	char text[64];

	for (size_t i = 0; i < s->n; i++)
		flush(s, &s->voices[i], m);
	if (status != 0 && s->seen == 0) {
		buf_addf(&b, "pg_restore %s", proc_status_text(status, text, sizeof(text)));
		if (s->last.len)
			buf_addf(&b, ": %.400s", s->last.s);
		note(m, b.s, "", "");
		s->seen++;
	}
	for (; s->seen < s->declared; s->seen++)
		note(m, "a statement failed that pg_restore counted but did not show", "", "");
}

void pgrestore_said_free(struct pgrestore_said *s)
{
	for (size_t i = 0; i < s->n; i++) {
		buf_free(&s->voices[i].error);
		buf_free(&s->voices[i].statement);
		buf_free(&s->voices[i].at);
	}
	free(s->voices);
	buf_free(&s->last);
}

/* What --verbose tells of a run with several jobs. */
static void see(const struct pgrestore *p, const char *line)
{
	static const char made[] = "pg_restore: entering main parallel loop";
	static const char finished[] = "pg_restore: finished item ";
	const char *item = p->see ? after(line, finished) : NULL;

	if (p->see && strcmp(line, made) == 0)
		p->see(p->ctx, PGRESTORE_MADE);
	if (item && (strstr(item, " TABLE DATA ") || strstr(item, " BLOBS ")))
		p->see(p->ctx, PGRESTORE_ROWS);
}

/* What hears it. */
struct listener {
	const struct pgrestore *p;
	struct pgrestore_said said;
	struct mishaps *m;
};

static void hear_line(void *ctx, pid_t who, const char *line)
{
	struct listener *l = ctx;

	pgrestore_line(&l->said, who, line, l->m);
	see(l->p, line);
}

static void arguments(const struct pgrestore *p, struct strv *argv)
{
	strv_addf(argv, "%s/pg_restore", p->bindir);
	strv_addf(argv, "--dbname=%s", p->conninfo);
	for (const char *const *section = p->sections; *section; section++)
		strv_addf(argv, "--section=%s", *section);
	strv_add(argv, "--no-password");
	if (p->jobs > 1)
		strv_addf(argv, "--jobs=%u", p->jobs);
	if (p->see)
		strv_add(argv, "--verbose");
	if (p->list)
		strv_addf(argv, "--use-list=%s", p->list);
	strv_add(argv, "--");
	strv_add(argv, p->path);
}

int pgrestore_run(const struct pgrestore *p, struct mishaps *m, struct err *e)
{
	struct listener l = { .p = p, .said = PGRESTORE_SAID_INIT, .m = m };
	STRV_AUTO argv = { 0 };
	struct proc run = *p->how;
	FD_AUTO hear = -1;
	int fd[3] = { -1, -1, -1 }, status, ret;
	pid_t pid;

	if (voices_open(&hear, &fd[2], e) < 0)
		return -1;
	arguments(p, &argv);
	run.argv = argv.v;
	run.fd = fd;
	pid = proc_spawn(&run, e);
	io_close(&fd[2]);
	if (pid < 0)
		return -1;
	ret = voices_read(hear, hear_line, &l, e);
	if (proc_wait(pid, &status, e) < 0)
		ret = -1;
	else
		pgrestore_end(&l.said, status, m);
	pgrestore_said_free(&l.said);
	return ret;
}

#include "lib/keeper/driver.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { REASON_LINES = 3, REASON_MAX = 500 };

static bool begins_with_one(const char *s, const char *const *prefixes)
{
	for (const char *const *p = prefixes; p && *p; p++)
		if (strncmp(s, *p, strlen(*p)) == 0)
			return true;
	return false;
}

/* What configures the libpq or the TLS in any of them. Their own files say the rest. */
static bool passes(const struct keeper_driver *d, const char *variable)
{
	static const char *const all[] = { "PGPASSFILE=", "PGSERVICEFILE=", "PGSYSCONFDIR=",
					   "PGSSL",       "SSL_CERT_",      NULL };

	return begins_with_one(variable, all) || begins_with_one(variable, d->passes);
}

static bool is_set(const struct keeper_driver *d, const char *variable)
{
	const size_t n = strcspn(variable, "=") + 1;

	for (const char *const *s = d->settings; s && *s; s++)
		if (strncmp(*s, variable, n) == 0)
			return true;
	return false;
}

static void environment(const struct keeper *k, struct strv *out)
{
	const char *path = getenv("PATH");

	for (char **v = environ; *v; v++)
		if (passes(k->driver, *v) && !is_set(k->driver, *v))
			strv_add(out, *v);
	for (const char *const *s = k->driver->settings; s && *s; s++)
		strv_add(out, *s);
	strv_addf(out, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin");
	strv_addf(out, "HOME=%s", k->home);
	strv_addf(out, "USER=%s", k->who.name);
	strv_addf(out, "LOGNAME=%s", k->who.name);
	strv_add(out, "LC_ALL=C.UTF-8");
	strv_add(out, "TZ=UTC");
}

static int read_back(int fd, const char *program, struct buf *out, struct err *e)
{
	char chunk[4096];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, ERR_SYSTEM, "read what %s says: %s", program, strerror(errno));
	while (!out->full && (n = io_read_full(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	return 0;
}

int keeper_run(const struct keeper *k, const struct strv *argv, uint64_t limit_s,
	       struct keeper_said *said, struct err *e)
{
	FD_AUTO errors = memfd_create("errors", MFD_CLOEXEC);
	const int fd[3] = { -1, -1, errors };
	STRV_AUTO env = { 0 };
	struct proc p = { .argv = argv->v, .cwd = "/", .fd = fd, .dies_with_us = true };

	if (errors < 0)
		return err_set(e, ERR_SYSTEM, "run %s: memory for its messages: %s", argv->v[0],
			       strerror(errno));
	environment(k, &env);
	p.env = env.v;
	p.as = k->who.drops ? &k->who : NULL;
	buf_reset(&said->out);
	buf_reset(&said->err);
	if (proc_capture(&p, limit_s, said->drop ? NULL : &said->out, &said->status, e) < 0 ||
	    read_back(errors, argv->v[0], &said->err, e) < 0)
		return -1;
	if (said->out.len == said->out.max)
		return err_set(e, ERR_SYSTEM, "run %s: it says more than %d MiB", argv->v[0],
			       KEEPER_OUT_MAX >> 20);
	return 0;
}

void keeper_said_free(struct keeper_said *said)
{
	buf_free(&said->out);
	buf_free(&said->err);
}

/* "2026/11/21 16:26:22.105895 ", as Go's log package writes it. */
static const char *past_stamp(const char *line)
{
	const size_t day = strspn(line, "0123456789/");
	const size_t clock = line[day] == ' ' ? strspn(line + day + 1, "0123456789:.") : 0;

	return day == strlen("2026/11/21") && clock >= strlen("16:26:22") &&
			       line[day + 1 + clock] == ' '
		       ? line + day + 1 + clock + 1
		       : line;
}

/* Past "ERROR: [055]: ", as pgBackRest, "ERROR: ", as Barman, or "ERROR: " and the time, as WAL-G
 * begins. */
static const char *past_level(const char *line)
{
	static const char *const levels[] = { "ERROR: ", "CRITICAL: ", NULL };

	for (const char *const *l = levels; *l; l++)
		if (strncmp(line, *l, strlen(*l)) == 0)
			line += strlen(*l);
	if (*line == '[' && strspn(line + 1, "0123456789") == 3 && strncmp(line + 4, "]: ", 3) == 0)
		line += strlen("[055]: ");
	return past_stamp(line);
}

void keeper_reason(const char *text, struct buf *out)
{
	static const char *const lesser[] = { "WARN", "INFO: ", NULL };
	int lines = 0;

	while (*text && lines < REASON_LINES && out->len < REASON_MAX) {
		const size_t n = strcspn(text, "\n");
		const char *line = text + strspn(text, " \t\r");
		const size_t left = n - (size_t)(line - text);

		if (line < text + n && !begins_with_one(line, lesser)) {
			const char *from = past_level(line);
			const size_t cut = (size_t)(from - line);

			buf_addf(out, "%s%.*s", lines ? "; " : "",
				 (int)(left - cut < REASON_MAX ? left - cut : REASON_MAX), from);
			lines++;
		}
		text += n + (text[n] == '\n');
	}
}

json_t *keeper_parse(const struct keeper *k, const struct keeper_said *said, struct err *e)
{
	BUF_AUTO why = BUF_INIT(2 * REASON_MAX);
	json_error_t je;
	json_t *j = json_loadb(said->out.s, said->out.len, JSON_REJECT_DUPLICATES, &je);
	char status[64];

	if (j)
		return j;
	keeper_reason(said->err.len ? said->err.s : said->out.s, &why);
	if (why.len == 0)
		buf_addf(&why, "%s, no JSON on its output (%s)",
			 proc_status_text(said->status, status, sizeof(status)), je.text);
	(void)err_set(e, ERR_REMOTE, "ask %s about %s as user %s: %s", k->driver->called, k->name,
		      k->who.name, why.s);
	return NULL;
}

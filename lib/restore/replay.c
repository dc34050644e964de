#include "lib/restore/replay.h"

#include "lib/base/io.h"
#include "lib/base/utc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 16 * 1024 };

/* What follows the words; NULL: they are not in it. */
static const char *after(const char *line, const char *words)
{
	const char *at = strstr(line, words);

	return at ? at + strlen(words) : NULL;
}

static void keep(char *out, size_t size, const char *text, const char *until)
{
	size_t n = strcspn(text, until);

	if (n >= size)
		n = size - 1;
	memcpy(out, text, n);
	out[n] = '\0';
}

/* Messages about the data itself. */
static const char *const damages[] = {
	"invalid page in block",
	"page verification failed",
	"WAL contains references to invalid pages",
	"could not access status of transaction",
	"contains wrong checksum",
	"incorrect checksum in control file",
	"file contains invalid data",
	"could not read block",
};

/* Messages about WAL that cannot be gone on with; at its end one of them is normal. */
static const char *const troubles[] = {
	"WAL file is from different database system",
	"invalid record length",
	"invalid magic number",
	"invalid info bits",
	"unexpected pageaddr",
	"out-of-sequence timeline ID",
	"incorrect resource manager data checksum",
	"incorrect prev-link",
	"record with incorrect prev-link",
	"there is no contrecord flag",
	"contrecord",
	"invalid contrecord length",
	"incorrect XLOG_SEG_SIZE",
	"Incorrect XLOG_BLCKSZ",
	"invalid resource manager ID",
	"has wrong size",
	"could not open file \"pg_wal/",
	"could not read from log segment",
	"could not read from WAL segment",
	"could not restore file",
	"record length",
	"invalid primary checkpoint",
	"invalid checkpoint",
};

static bool has_one(const char *line, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static void see_failure(struct replay *r, const char *line)
{
	const char *text = after(line, "FATAL:  ");
	size_t n = strlen(r->fatal);

	if (text == NULL)
		text = after(line, "PANIC:  ");
	if (text && r->fatal[0] == '\0') {
		(void)snprintf(r->fatal, sizeof(r->fatal), "%s", text);
		r->detail = true;
		return;
	}
	text = after(line, "DETAIL:  ");
	if (text && r->detail)
		(void)snprintf(r->fatal + n, sizeof(r->fatal) - n, " (%s)", text);
	r->detail = false;
}

static void see_wrong(struct replay *r, const char *line)
{
	const char *text = after(line, ":  ");

	if (text == NULL)
		text = line;
	if (r->damage[0] == '\0' && has_one(line, damages, sizeof(damages) / sizeof(damages[0])))
		(void)snprintf(r->damage, sizeof(r->damage), "%s", text);
	/* Once it is open for all, nothing is said of WAL that matters. */
	else if (r->ready_ms == 0 && strncmp(line, "LOG:", 4) == 0 &&
		 has_one(line, troubles, sizeof(troubles) / sizeof(troubles[0])))
		(void)snprintf(r->trouble, sizeof(r->trouble), "%s", text);
}

void replay_line(struct replay *r, const char *line, int64_t now_ms)
{
	const char *text;

	see_failure(r, line);
	see_wrong(r, line);
	if (strncmp(line, "LOG:  ", 6) != 0)
		return;
	line += 6;
	if ((text = after(line, "redo starts at ")) != NULL) {
		r->redo_ms = now_ms;
		keep(r->redo_lsn, sizeof(r->redo_lsn), text, " ");
	} else if (strncmp(line, "consistent recovery state reached", 33) == 0) {
		r->consistent_ms = now_ms;
	} else if ((text = after(line, "redo done at ")) != NULL) {
		keep(r->done_lsn, sizeof(r->done_lsn), text, " ");
	} else if (strncmp(line, "recovery stopping ", 18) == 0) {
		(void)snprintf(r->stopped, sizeof(r->stopped), "%s", line);
	} else if ((text = after(line, "last completed transaction was at log time ")) != NULL) {
		(void)snprintf(r->commit, sizeof(r->commit), "%s", text);
	} else if (strncmp(line, "database system is ready to accept connections", 46) == 0) {
		r->ready_ms = now_ms;
	}
}

static void take(struct replay *r, const char *p, size_t n, int64_t now_ms)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\n') {
			if (r->held_n < sizeof(r->held) - 1)
				r->held[r->held_n++] = p[i];
			continue;
		}
		r->held[r->held_n] = '\0';
		r->held_n = 0;
		replay_line(r, r->held, now_ms);
	}
}

bool replay_follow(void *replay)
{
	struct replay *r = replay;
	FD_AUTO fd = open(r->path, O_RDONLY | O_CLOEXEC);
	int64_t now_ms = mono_ms();
	char piece[PIECE];
	ssize_t n;

	if (fd < 0 || lseek(fd, r->at, SEEK_SET) < 0)
		return false;
	while ((n = io_read_full(fd, piece, sizeof(piece))) > 0) {
		r->at += n;
		take(r, piece, (size_t)n, now_ms);
	}
	return r->ready_ms != 0;
}

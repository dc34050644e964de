#include "lib/base/stage.h"

#include "lib/base/io.h"
#include "lib/base/nagios.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	FORMAT_VERSION = 1,
	TEXT_MAX = 1 << 20,
	SHOWN_OF_BAD_LINE = 60,
	BAD_LINES_SHOWN = 20,
	LOCK_PATIENCE_S = 2
};

/* Everything written goes through write_out() under this lock, so that the time limit's last words
 * never land in the middle of a line. */
static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;

static void write_out(struct stage *st, const struct buf *b)
{
	if (st->out_failed || b->len == 0)
		return;
	if (b->full || io_write_all(STDOUT_FILENO, b->s, b->len) < 0) {
		tool_warn("write to standard output: %s",
			  b->full ? "record too long" : strerror(errno));
		st->out_failed = true;
	}
}

/* A copy that cannot be written is as good as no output: COMMAND would be fed half of it. */
static void write_tee(struct stage *st, const struct buf *b)
{
	if (st->tee_fd < 0 || b->full || io_write_all(st->tee_fd, b->s, b->len) == 0)
		return;
	tool_warn("write a copy of the records: %s", strerror(errno));
	st->out_failed = true;
}

static bool writes_records(const struct stage *st)
{
	return common.output == OUTPUT_RECORDS && !st->tool->sink;
}

/* For people: what is not ok always, the rest unless --quiet. */
static void show(struct stage *st, const json_t *object)
{
	BUF_AUTO b = BUF_INIT(TEXT_MAX);
	enum verdict v;

	if (common.quiet && (!verdict_parse(record_text(object, "status"), &v) || v == V_OK))
		return;
	text_record(&b, object, text_colour(STDOUT_FILENO));
	write_out(st, &b);
}

/* The fields that every record has, then its own. Takes over own. */
static json_t *complete(const struct stage *st, const char *kind, json_t *own)
{
	char at[UTC_SIZE];
	json_t *o = json_object();

	json_object_set_new(o, "record", json_string(kind));
	json_object_set_new(o, "tool", json_string(st->tool->name));
	json_object_set_new(o, "run", json_string(st->run));
	json_object_set_new(o, "at", json_string(utc_format(utc_now_ms(), at)));
	if (st->label[0])
		json_object_set_new(o, "label", record_string(st->label, strlen(st->label)));
	json_object_update_missing(o, own);
	json_decref(own);
	return o;
}

static void add_line(struct buf *b, const json_t *object)
{
	char *line = record_print(object, RECORD_MAX);

	if (line == NULL)
		b->full = true;
	else
		buf_addf(b, "%s\n", line);
	free(line);
}

static void emit_locked(struct stage *st, const char *kind, json_t *own)
{
	JSON_AUTO *o = complete(st, kind, own);
	BUF_AUTO b = BUF_INIT(RECORD_MAX + 1);

	add_line(&b, o);
	write_tee(st, &b);
	if (writes_records(st)) {
		write_out(st, &b);
	} else if (common.output == OUTPUT_TEXT && !st->tool->sink) {
		show(st, o);
	}
}

static json_t *begin_fields(void)
{
	return json_pack("{s:s, s:i, s:s}", "event", "begin", "v", FORMAT_VERSION, "version",
			 VERSION);
}

static json_t *end_fields(const struct stage *st)
{
	double seconds = (double)(mono_ms() - st->started_ms) / 1000;

	return json_pack("{s:s, s:s, s:f, s:i}", "event", "end", "status", verdict_name(st->status),
			 "seconds", seconds, "checks", (int)st->checks);
}

static void begin_locked(struct stage *st)
{
	if (st->begun)
		return;
	st->begun = true;
	if (st->run[0] == '\0')
		(void)runid_make(utc_now_ms(), st->run);
	emit_locked(st, "stage", begin_fields());
}

static void begin(struct stage *st)
{
	(void)pthread_mutex_lock(&out_lock);
	begin_locked(st);
	(void)pthread_mutex_unlock(&out_lock);
}

static void emit(struct stage *st, const char *kind, json_t *own)
{
	(void)pthread_mutex_lock(&out_lock);
	begin_locked(st);
	emit_locked(st, kind, own);
	(void)pthread_mutex_unlock(&out_lock);
}

static bool gathers(const struct stage *st)
{
	return st->tool->sink || st->tool->gathers;
}

static void count_check(struct stage *st, struct check *c)
{
	st->status = st->checks++ ? verdict_worst(st->status, c->status) : c->status;
	if (common.output == OUTPUT_NAGIOS || gathers(st))
		json_array_append(st->kept, c->object);
}

void stage_count(struct stage *st, const json_t *check)
{
	struct check c = { .object = json_deep_copy(check) };

	(void)verdict_parse(record_text(check, "status"), &c.status);
	count_check(st, &c);
	check_drop(&c);
}

void stage_check(struct stage *st, struct check *c)
{
	count_check(st, c);
	emit(st, "check", json_incref(c->object));
	check_drop(c);
}

void stage_record(struct stage *st, const char *kind, json_t *fields)
{
	emit(st, kind, fields);
}

void stage_error(struct stage *st, const char *name, const char *subject, const struct err *e)
{
	struct check c;

	check_init(&c, name, subject);
	check_say(&c, err_status(e), "%s", e->msg);
	stage_check(st, &c);
}

static void print_plugin_line(struct stage *st)
{
	BUF_AUTO b = BUF_INIT(TEXT_MAX);

	if (common.output != OUTPUT_NAGIOS || st->tool->sink)
		return;
	nagios_line(&b, st->tool->name, st->status, st->kept);
	buf_addc(&b, '\n');
	write_out(st, &b);
}

/* The time limit: whatever the tool hangs in (a dead network mount, a peer that never answers), the
 * stream still learns that it was not finished. */
static void *keep_time(void *arg)
{
	struct stage *st = arg;
	struct timespec patience;
	struct check c;

	const int64_t grace_ms = (int64_t)st->tool->grace_s * 1000;

	for (int64_t until = st->started_ms + (int64_t)common.timeout_s * 1000 + grace_ms;;) {
		int64_t left = until - mono_ms();

		if (left <= 0)
			break;
		(void)nanosleep(&(struct timespec){ left / 1000, left % 1000 * 1000000 }, NULL);
	}
	(void)clock_gettime(CLOCK_REALTIME, &patience);
	patience.tv_sec += LOCK_PATIENCE_S;
	if (pthread_mutex_timedlock(&out_lock, &patience) == 0) {
		check_init(&c, "timeout", "");
		check_say(&c, V_UNKNOWN,
			  "%s did not finish within %llu s; allow more with --timeout",
			  st->tool->name, (unsigned long long)common.timeout_s);
		count_check(st, &c);
		begin_locked(st);
		emit_locked(st, "check", json_incref(c.object));
		emit_locked(st, "stage", end_fields(st));
		print_plugin_line(st);
	}
	_exit(V_UNKNOWN);
}

static void start_time_limit(struct stage *st)
{
	pthread_attr_t attr;
	pthread_t thread;
	int failed;

	if (common.timeout_s == 0 || (st->tool->own_timeout && st->tool->grace_s == 0))
		return;
	if (st->in && gathers(st)) {
		record_give_up_at(st->in, st->started_ms + (int64_t)common.timeout_s * 1000);
		return;
	}
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	failed = pthread_create(&thread, &attr, keep_time, st);
	(void)pthread_attr_destroy(&attr);
	if (failed)
		tool_die("start the time limit: %s", strerror(failed));
}

void stage_begin(struct stage *st, const struct tool *t)
{
	bool reads =
		t->sink || (!t->source && common.output != OUTPUT_NAGIOS && !isatty(STDIN_FILENO));

	*st = (struct stage){
		.tool = t, .started_ms = mono_ms(), .status = V_UNKNOWN, .tee_fd = -1
	};
	st->kept = json_array();
	if (common.run)
		(void)snprintf(st->run, sizeof(st->run), "%s", common.run);
	if (common.label)
		(void)snprintf(st->label, sizeof(st->label), "%s", common.label);
	if (reads)
		st->in = record_open(STDIN_FILENO);
	start_time_limit(st);
	if (!reads) {
		(void)pthread_mutex_lock(&out_lock);
		begin_locked(st);
		(void)pthread_mutex_unlock(&out_lock);
	}
}

static void adopt(struct stage *st, const json_t *object)
{
	const char *run = record_text(object, "run");
	const char *label = record_text(object, "label");

	if (st->run[0] == '\0' && run && strlen(run) < sizeof(st->run))
		(void)snprintf(st->run, sizeof(st->run), "%s", run);
	if (st->label[0] == '\0' && label && strlen(label) < sizeof(st->label))
		(void)snprintf(st->label, sizeof(st->label), "%s", label);
}

void stage_pass(struct stage *st, const struct record *r)
{
	BUF_AUTO b = BUF_INIT(RECORD_MAX + 1);

	buf_add(&b, r->line, r->len);
	buf_addc(&b, '\n');
	(void)pthread_mutex_lock(&out_lock);
	write_tee(st, &b);
	if (writes_records(st))
		write_out(st, &b);
	else if (common.output == OUTPUT_TEXT && !st->tool->sink)
		show(st, r->object);
	(void)pthread_mutex_unlock(&out_lock);
}

void stage_tee(struct stage *st, int fd)
{
	BUF_AUTO b = BUF_INIT(RECORD_MAX + 1);

	st->tee_fd = fd;
	if (fd < 0 || !st->begun)
		return;

	JSON_AUTO *begin = complete(st, "stage", begin_fields());

	add_line(&b, begin);
	write_tee(st, &b);
}

/* One cause, one finding: the line is not passed on, or every later stage would report it again. */
static void report_bad_line(struct stage *st, const struct record *r)
{
	int shown = r->len < SHOWN_OF_BAD_LINE ? (int)r->len : SHOWN_OF_BAD_LINE;
	struct check c;

	if (st->bad_lines++ >= BAD_LINES_SHOWN)
		return;
	check_init(&c, "input-record", "");
	check_say(&c, V_UNKNOWN, "line %u of standard input is no record, %s: %.*s", st->lines,
		  r->why, shown, r->line);
	stage_check(st, &c);
}

/* A stream of garbage is one finding more, not a million. */
static void report_other_bad_lines(struct stage *st)
{
	struct check c;

	if (st->bad_lines <= BAD_LINES_SHOWN)
		return;
	check_init(&c, "input-record", "");
	check_say(&c, V_UNKNOWN, "%u more lines of standard input are no records",
		  st->bad_lines - BAD_LINES_SHOWN);
	st->bad_lines = 0;
	stage_check(st, &c);
}

bool stage_next(struct stage *st, struct record *r)
{
	struct err e = { 0 };
	int got;

	while (st->in && (got = record_read(st->in, r, &e)) != 0) {
		if (got < 0) {
			stage_error(st, "input-record", "", &e);
			break;
		}
		st->lines++;
		if (r->why) {
			report_bad_line(st, r);
			continue;
		}
		adopt(st, r->object);
		stage_pass(st, r);
		begin(st);
		return true;
	}
	begin(st); /* a child process that says something must not say this too */
	report_other_bad_lines(st);
	record_close(st->in);
	st->in = NULL;
	return false;
}

void stage_drain(struct stage *st)
{
	struct record r;

	while (stage_next(st, &r))
		;
}

void stage_leave_input(struct stage *st)
{
	record_close(st->in);
	st->in = NULL;
}

int stage_end(struct stage *st)
{
	stage_drain(st);
	if (st->checks == 0 && st->tool->may_be_empty)
		st->status = V_OK;
	if (st->checks == 0 && !st->tool->may_be_empty) {
		struct check c;

		check_init(&c, "nothing-checked", "");
		check_say(&c, V_UNKNOWN, "%s had nothing to check", st->tool->name);
		stage_check(st, &c);
	}
	emit(st, "stage", end_fields(st));
	(void)pthread_mutex_lock(&out_lock);
	print_plugin_line(st);
	json_decref(st->kept);
	st->kept = NULL;
	/* The lock is kept: from here on the time limit has nothing to say. */
	return st->out_failed ? V_UNKNOWN : (int)st->status;
}

int stage_fail(struct stage *st, const char *name, const char *subject, const struct err *e)
{
	stage_error(st, name, subject, e);
	return stage_end(st);
}

#include "lib/alert/sender.h"

#include "lib/alert/delivery.h"
#include "lib/alert/notice.h"
#include "lib/alert/state.h"
#include "lib/base/secret.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOTAL_S = 60, TRY_S = 10, HOST_SIZE = 256, SAID_MAX = 256, DRY_MAX = 8 << 20 };

static const char unlabelled[] = "unlabelled";
static const char check_name[] = "alert-delivery";

struct sender_options sender_options;

/* One run of a sender. */
struct run {
	const struct sender *sender;
	const char *label;
	char name[64]; /* of this sender: the check's subject */
	char host[HOST_SIZE];
	char *root;            /* state directory; owned */
	struct strv dead;      /* ids of runs that were cut off */
	struct err unprepared; /* what keeps it from sending at all */
	struct stage stage;
	struct story story;
	unsigned namesakes; /* senders of our name before us in the pipeline */
	bool begun;         /* delivery is */
	struct delivery delivery;
	struct notice notice;
	struct sending sending;
};

int sender_parse_from(const char *word, void *to, struct err *e)
{
	if (!verdict_parse(word, to) || *(enum verdict *)to == V_OK)
		return err_set(e, ERR_USAGE, "'%s' is none of warning, unknown, critical", word);
	return 0;
}

static void begin_delivery(struct run *r, bool mark)
{
	if (r->begun)
		return;
	r->begun = true;
	r->label = r->stage.label[0] ? r->stage.label : common.label ? common.label : unlabelled;
	delivery_begin(&r->delivery, r->root, r->name, r->label, mark);
}

static struct notice notice_for(const struct run *r)
{
	const struct sender *s = r->sender;

	return (struct notice){
		.per_check = s->per_check,
		.rules = { .when = sender_options.when,
			   .remind_s = sender_options.remind_s,
			   .from = sender_options.from,
			   .resolve_blindly = s->resolve_blindly },
		.compose = s->compose,
		.tell_passed = s->tell_passed && *s->tell_passed,
		.label = r->label,
		.run = r->stage.run,
		.host = r->host,
		.report_url = sender_options.report_url,
		.runbook_url = sender_options.runbook_url,
		.at_ms = utc_now_ms(),
	};
}

static enum fate deliver(void *ctx, const json_t *message, struct err *e)
{
	struct run *r = ctx;
	enum fate fate = FATE_HELD;

	if (r->unprepared.kind != ERR_NONE)
		*e = r->unprepared;
	else
		fate = r->sender->deliver(&r->sending, message, e);
	secret_mask(e->msg);
	secret_mask(r->sending.flaw.msg);
	return fate;
}

/* From here on the clock of --deliver-within runs. */
static void open_transport(struct run *r, struct buf *dry, struct buf *said)
{
	struct sending *w = &r->sending;
	struct courier_options o;

	w->ca_file = sender_options.ca_file;
	w->try_ms = sender_options.try_s * 1000;
	w->deadline_ms = mono_ms() + (int64_t)sender_options.total_s * 1000;
	w->dry = dry;
	w->said = said;
	o = (struct courier_options){ .ca_file = w->ca_file,
				      .try_ms = w->try_ms,
				      .deadline_ms = w->deadline_ms,
				      .dry = dry };
	if (!r->sender->own_transport && r->unprepared.kind == ERR_NONE)
		w->courier = courier_open(&o, &r->unprepared);
}

static void close_transport(struct run *r)
{
	courier_close(r->sending.courier);
	r->sending.courier = NULL;
}

/* What to say about runs of which is known that they began and died before they told anything. */
static void word_cut_off(const struct run *r, const json_t *dead, char *out, size_t size)
{
	const char *first = json_string_value(json_array_get(dead, 0));
	size_t n = json_array_size(dead);
	char at[UTC_SIZE];

	(void)utc_human(home_begun_ms(&r->delivery.home, first), at);
	if (n == 1)
		(void)snprintf(out, size,
			       "the run that began at %s was cut off; nothing is known of its "
			       "result",
			       at);
	else
		(void)snprintf(out, size,
			       "%zu runs were cut off, the first of which began at %s; nothing is "
			       "known of their results",
			       n, at);
}

/* One message about all of them; their marks go when it is on the disk. */
static void tell_cut_off(struct run *r, json_t *messages)
{
	JSON_AUTO *untold = json_array();
	char text[256];
	struct story s;

	home_dead(&r->delivery.home, &r->dead);
	for (size_t i = 0; i < r->dead.n; i++)
		if (!state_has_decided(r->delivery.state, r->dead.v[i]) &&
		    !state_knows_dead(r->delivery.state, r->dead.v[i]))
			json_array_append_new(untold, json_string(r->dead.v[i]));
	state_know_dead(r->delivery.state, &r->dead);
	if (json_array_size(untold) == 0)
		return;
	word_cut_off(r, untold, text, sizeof(text));
	story_of(&s, story_cut_off, V_UNKNOWN, text);
	notice_decide(&r->notice, &s, r->delivery.state, messages);
	story_free(&s);
	/* Of the one story that there is so far. */
	if (json_array_size(messages) > 0)
		json_object_set(json_array_get(messages, 0), "dead", untold);
}

/* Decides, and puts on the disk what was decided. story NULL: only about runs that were cut off. */
static void decide(struct run *r, const struct story *story)
{
	json_t *messages = json_array();
	json_t *message;
	size_t i;

	delivery_recover(&r->delivery, r->sending.deadline_ms);
	r->notice = notice_for(r);
	if (r->delivery.home.lock_fd >= 0)
		tell_cut_off(r, messages);
	if (story)
		notice_decide(&r->notice, story, r->delivery.state, messages);
	json_array_foreach(messages, i, message)
		delivery_add(&r->delivery, message, i + 1 == json_array_size(messages));
	delivery_commit(&r->delivery);
	for (i = 0; i < r->dead.n; i++)
		home_bury(&r->delivery.home, r->dead.v[i]);
	strv_free(&r->dead);
	json_decref(messages);
}

static void say_delivered(struct check *c, const struct run *r, const struct delivery_result *d)
{
	const struct err *trouble = &r->delivery.trouble;

	if (d->sent > 0)
		check_say(c, V_OK, "%u message%s delivered: %s", d->sent, d->sent > 1 ? "s" : "",
			  r->notice.why);
	else if (d->lost + d->waiting + d->refused == 0)
		check_say(c, V_OK, "not needed: %s", r->notice.why);
	if (d->waiting > 0)
		check_say(c, V_WARNING,
			  "%u message%s in the spool, for the next run or --flush: %s", d->waiting,
			  d->waiting > 1 ? "s wait" : " waits", d->why.msg);
	if (d->refused > 0)
		check_say(c, V_WARNING, "%u message%s refused for good: %s", d->refused,
			  d->refused > 1 ? "s were" : " was", d->why.msg);
	if (d->lost > 0)
		check_say(c, V_WARNING, "%u message%s lost: %s", d->lost,
			  d->lost > 1 ? "s are" : " is", d->why.msg);
	if (r->sending.flaw.kind != ERR_NONE)
		check_say(c, V_WARNING, "delivered, but not all of it: %s", r->sending.flaw.msg);
	if (trouble->kind != ERR_NONE)
		check_say(c, V_WARNING, "what is told cannot be remembered: %s", trouble->msg);
}

static void report(struct run *r, const struct delivery_result *d)
{
	struct check c;

	check_init(&c, check_name, r->name);
	check_observed_text(&c, d->lost + d->refused ? "failed"
				: d->waiting         ? "spooled"
				: d->sent            ? "delivered"
						     : "not needed");
	say_delivered(&c, r, d);
	check_metric_int(&c, "messages_sent", d->sent, "");
	check_metric_int(&c, "messages_waiting", d->waiting, "");
	stage_check(&r->stage, &c);
}

/* Another sender of our name told about this run already; see sender.h. */
static void rename_if_second(struct run *r)
{
	size_t n = strlen(r->name);

	if (r->namesakes == 0 || sender_options.name)
		return;
	(void)snprintf(r->name + n, sizeof(r->name) - n, "-%u", r->namesakes + 1);
	home_unmark(&r->delivery.home);
	delivery_end(&r->delivery);
	r->begun = false;
	begin_delivery(r, false);
}

static void note(struct run *r, const struct record *record)
{
	const char *check = record_text(record->object, "check");
	const char *subject = record_text(record->object, "subject");
	size_t n = strlen(r->name);

	summary_take(&r->story.summary, record->object);
	if (check == NULL || subject == NULL || strcmp(check, check_name) != 0)
		return;
	/* NAME, and the NAME-2 of a second one. */
	if (strncmp(subject, r->name, n) == 0 &&
	    (subject[n] == '\0' || (subject[n] == '-' && isdigit((unsigned char)subject[n + 1]))))
		r->namesakes++;
}

static void gather(struct run *r)
{
	struct record record;

	story_begin(&r->story, r->sender->tool->name);
	if (common.label && !sender_options.dry_run)
		begin_delivery(r, true);
	stage_begin(&r->stage, r->sender->tool);
	while (stage_next(&r->stage, &record)) {
		if (!sender_options.dry_run)
			begin_delivery(r, true);
		note(r, &record);
	}
	summary_take_own(&r->story.summary, &r->stage);
	story_finish(&r->story, &sender_options.expect, &sender_options.expect_restored,
		     utc_now_ms());
}

static int run_filter(struct run *r)
{
	struct delivery_result result;

	gather(r);
	begin_delivery(r, false);
	rename_if_second(r);
	open_transport(r, NULL, NULL);
	decide(r, &r->story);
	delivery_send(&r->delivery, deliver, r, &result);
	close_transport(r);
	report(r, &result);
	story_free(&r->story);
	delivery_end(&r->delivery);
	return stage_end(&r->stage);
}

static int run_flush(struct run *r)
{
	struct delivery_result result;

	stage_begin(&r->stage, r->sender->tool);
	begin_delivery(r, false);
	open_transport(r, NULL, NULL);
	decide(r, NULL);
	(void)snprintf(r->notice.why, sizeof(r->notice.why), "%s",
		       delivery_waiting(&r->delivery) ? "from the spool" : "nothing waits");
	delivery_send(&r->delivery, deliver, r, &result);
	close_transport(r);
	report(r, &result);
	delivery_end(&r->delivery);
	return stage_end(&r->stage);
}

static int run_test(struct run *r)
{
	BUF_AUTO said = BUF_INIT(SAID_MAX);
	struct err e = { 0 };
	struct check c;
	JSON_AUTO *message = NULL;

	stage_begin(&r->stage, r->sender->tool);
	r->label = r->stage.label[0] ? r->stage.label : unlabelled;
	r->notice = notice_for(r);
	message = notice_test(&r->notice);
	open_transport(r, NULL, &said);
	check_init(&c, check_name, r->name);
	if (deliver(r, message, &e) == FATE_ACCEPTED) {
		secret_mask(said.s);
		check_say(&c, V_OK, "the test alert was accepted%s%s", said.len ? ": " : "",
			  said.s);
		if (r->sending.flaw.kind != ERR_NONE)
			check_say(&c, V_WARNING,
				  "the test alert was accepted, but not all of it "
				  "arrived: %s",
				  r->sending.flaw.msg);
	} else {
		check_say(&c, V_UNKNOWN, "the test alert was not accepted: %s", e.msg);
	}
	close_transport(r);
	stage_check(&r->stage, &c);
	return stage_end(&r->stage);
}

/* What would be sent now, to standard error. Reads the state, writes nothing. */
static int run_dry(struct run *r)
{
	BUF_AUTO requests = BUF_INIT(DRY_MAX);
	json_t *messages = json_array();
	struct home home = HOME_INIT;
	struct err e = { 0 };
	struct check c;
	json_t *message, *state = NULL;
	size_t i;

	gather(r);
	r->label = r->stage.label[0] ? r->stage.label : unlabelled;
	if (r->root && home_open(&home, r->root, r->name, r->label, false, &e) == 0) {
		AUTO_FREE char *path = xasprintf("%s/state.json", home.dir);

		state = state_load(path, &e);
	}
	if (state == NULL)
		state = state_new();
	r->notice = notice_for(r);
	notice_decide(&r->notice, &r->story, state, messages);
	open_transport(r, &requests, NULL);
	check_init(&c, check_name, r->name);
	check_say(&c, V_OK, "dry run, %zu messages would be sent: %s", json_array_size(messages),
		  r->notice.why);
	json_array_foreach(messages, i, message)
		if (deliver(r, message, &e) != FATE_ACCEPTED)
			check_say(&c, V_WARNING, "it cannot be sent: %s", e.msg);
	close_transport(r);
	secret_mask(requests.s);
	(void)fputs(requests.s, stderr);
	stage_check(&r->stage, &c);
	json_decref(messages);
	json_decref(state);
	home_close(&home);
	story_free(&r->story);
	return stage_end(&r->stage);
}

static void prepare(struct run *r)
{
	if (gethostname(r->host, sizeof(r->host) - 1) < 0)
		(void)snprintf(r->host, sizeof(r->host), "localhost");
	/* A key that cannot be read must not break the pipeline: the records pass, the message is
	 * spooled, and the check says why. */
	if (r->sender->prepare)
		(void)r->sender->prepare(&r->unprepared);
	(void)snprintf(r->name, sizeof(r->name), "%s",
		       sender_options.name ? sender_options.name : r->sender->tool->name);
}

static int run_mode(struct run *r)
{
	if (sender_options.test)
		return run_test(r);
	if (sender_options.flush)
		return run_flush(r);
	return sender_options.dry_run ? run_dry(r) : run_filter(r);
}

int sender_main(const struct sender *s, int argc, char **argv)
{
	struct run r = { .sender = s, .delivery = { .home = HOME_INIT } };
	struct tool alone;
	struct sender by_itself;
	int first, status;

	sender_options = (struct sender_options){
		.when = s->when, .from = V_WARNING, .total_s = TOTAL_S, .try_s = TRY_S
	};
	first = tool_begin(s->tool, argc, argv);
	if (first < argc)
		tool_usage("operand '%s': this tool takes none", argv[first]);
	prepare(&r);
	if (common.output == OUTPUT_NAGIOS)
		tool_usage("option --nagios: this tool is no monitoring plugin");
	if (!sender_options.test && !sender_options.flush && isatty(STDIN_FILENO))
		tool_usage("standard input is a terminal; pipe the records of probes into it");
	/* A test and a flush read no records. */
	alone = *s->tool;
	alone.source = sender_options.test || sender_options.flush;
	by_itself = *s;
	by_itself.tool = &alone;
	r.sender = &by_itself;
	r.root = home_root(sender_options.state_dir);
	status = run_mode(&r);
	if (s->finish)
		s->finish();
	free(r.root);
	return status;
}

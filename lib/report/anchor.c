#include "lib/report/anchor.h"

#include "lib/base/history.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/net/courier.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { TRY_MS = 10000, SEQ_SIZE = 24 };

static json_t *print(const struct anchor_run *run)
{
	json_t *o = json_pack("{s:s}", "record", "anchor");

	record_set_text(o, "label", run->label);
	record_set_text(o, "run", run->run);
	record_set_time(o, "at", run->at_ms);
	json_object_set_new(o, "seq", json_integer(run->head.seq));
	json_object_set_new(o, "sha256", json_string(run->head.sha256));
	return o;
}

static int post(const char *url, const json_t *object, const char *ca_file, uint64_t within_s,
		struct err *e)
{
	const struct courier_options options = {
		.ca_file = ca_file,
		.try_ms = TRY_MS,
		.deadline_ms = mono_ms() + (int64_t)within_s * 1000,
	};
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	char *body = record_print(object, RECORD_MAX);
	const struct courier_request q = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = body ? body : "",
		.len = body ? strlen(body) : 0,
	};
	struct courier_answer answer = COURIER_ANSWER_INIT;
	struct courier *courier = courier_open(&options, e);
	enum fate fate = FATE_HELD;

	if (courier) {
		fate = courier_send(courier, &q, &answer, e);
		courier_answer_free(&answer);
		courier_close(courier);
	}
	free(body);
	return fate == FATE_ACCEPTED ? 0 : -1;
}

static bool is_url(const char *target)
{
	return strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0;
}

int anchor_put(const char *target, const struct anchor_run *run, const char *ca_file,
	       uint64_t within_s, struct err *e)
{
	JSON_AUTO *object = print(run);

	if (is_url(target))
		return post(target, object, ca_file, within_s, e);
	HISTORY_AUTO *file = history_file_open(target);

	return history_append(file, run->label, object, NULL, e);
}

static void take(struct anchors *a, const json_t *object)
{
	const char *sha = record_text(object, "sha256");
	const char *before;
	char key[SEQ_SIZE];
	int64_t seq;

	if (sha == NULL || !record_int(object, "seq", &seq) || seq < 1)
		return;
	(void)snprintf(key, sizeof(key), "%" PRId64, seq);
	before = record_text(a->known, key);
	if (before && strcmp(before, sha) != 0 && a->torn == 0)
		a->torn = seq;
	json_object_set_new(a->known, key, json_string(sha));
	a->n++;
	if (seq > a->last)
		a->last = seq;
}

int anchors_load(struct anchors *a, const char *file, const char *label, struct err *e)
{
	FD_AUTO fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct record_reader *reader;
	struct record r;
	int got;

	*a = (struct anchors){ .n = 0 };
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "open anchors %s: %s", file, strerror(errno));
	a->known = json_object();
	reader = record_open(fd);
	while ((got = record_read(reader, &r, e)) > 0) {
		const char *its = r.object ? record_text(r.object, "label") : NULL;

		if (r.object && strcmp(r.kind, "anchor") == 0 && strcmp(its ? its : "", label) == 0)
			take(a, r.object);
	}
	record_close(reader);
	return got;
}

void anchors_free(struct anchors *a)
{
	json_decref(a->known);
	a->known = NULL;
}

bool anchors_agree(const struct anchors *a, const struct chain_head *line)
{
	const char *sha;
	char key[SEQ_SIZE];

	(void)snprintf(key, sizeof(key), "%" PRId64, line->seq);
	sha = record_text(a->known, key);
	return sha == NULL || strcmp(sha, line->sha256) == 0;
}

#include "lib/base/buf.h"
#include "lib/base/history_driver.h"
#include "lib/base/record.h"
#include "lib/base/signature.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 64 * 1024 };

void history_close(struct history *h)
{
	if (h)
		h->driver->close(h);
}

void history_cleanup(struct history **h)
{
	history_close(*h);
}

const char *history_name(const struct history *h)
{
	return h->name;
}

static bool begins_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

/* libpq allows blanks around the '='. */
static bool has_key(const char *pairs, const char *key)
{
	const size_t n = strlen(key);

	for (const char *p = pairs; (p = strstr(p, key)); p += n)
		if ((p == pairs || p[-1] == ' ') && p[n + strspn(p + n, " ")] == '=')
			return true;
	return false;
}

bool history_in_database(const char *place)
{
	if (begins_with(place, "postgresql://") || begins_with(place, "postgres://"))
		return true;
	return *place != '/' && *place != '.' &&
	       (has_key(place, "dbname") || has_key(place, "service"));
}

static int too_long(const char *place, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "history %s: the run is longer than %d bytes", place,
		       HISTORY_LINE_MAX);
}

/* The run as it will be read again: figures lose digits when they are printed, and what is signed
 * must not. */
static json_t *as_printed(const json_t *run)
{
	AUTO_FREE char *line = record_print(run, HISTORY_LINE_MAX);
	struct err why;

	return line ? record_parse(line, strlen(line), &why) : NULL;
}

int history_compose(struct history_entry *entry, json_t *chain, int64_t seq, const char *place,
		    struct err *e)
{
	json_t *run = entry->run;

	entry->seq = seq;
	(void)json_object_del(run, "chain");
	(void)json_object_del(run, "signature");
	json_object_set(run, "chain", chain);
	if (entry->seal && entry->seal->sign_key &&
	    signature_add(run, entry->seal->sign_key, e) < 0)
		return -1;
	free(entry->line);
	entry->line = record_print(run, HISTORY_LINE_MAX);
	return entry->line ? 0 : too_long(place, e);
}

int history_append(struct history *h, const char *label, const json_t *run,
		   struct history_seal *seal, struct err *e)
{
	JSON_AUTO *printed = as_printed(run);
	struct history_entry entry = { .run = printed, .seal = seal };
	int r;

	if (printed == NULL)
		return too_long(h->name, e);
	r = h->driver->append(h, label, &entry, e);
	if (r == 0 && seal) {
		seal->head.seq = entry.seq;
		chain_sha(entry.line, strlen(entry.line), seal->head.sha256);
	}
	free(entry.line);
	return r;
}

static bool belongs(const json_t *run, const char *label)
{
	const char *kind = record_text(run, "record");
	const char *its = record_text(run, "label");

	return kind && strcmp(kind, "run") == 0 &&
	       (label == NULL || strcmp(its ? its : "", label) == 0);
}

/* Up to the first list, closed by a brace. Inside a string its quotes would have backslashes, and
 * inside an inner object one brace is not enough: then, as where there is no list, the whole line
 * is read. */
static json_t *parse_head(const char *line, size_t len, struct err *why)
{
	static const char stages[] = ",\"stages\":[", checks[] = ",\"checks\":[";
	const char *list = memmem(line, len, stages, sizeof(stages) - 1);
	json_t *run = NULL;

	if (list == NULL)
		list = memmem(line, len, checks, sizeof(checks) - 1);
	if (list && (size_t)(list - line) < HEAD_MAX) {
		BUF_AUTO head = BUF_INIT(HEAD_MAX + 1);

		buf_add(&head, line, (size_t)(list - line));
		buf_addc(&head, '}');
		run = record_parse(head.s, head.len, why);
	}
	return run ? run : record_parse(line, len, why);
}

bool history_offer(struct history_walk *walk, const char *line, size_t len)
{
	JSON_AUTO *run = NULL;
	struct err why;

	if (walk->text &&
	    (line == NULL || memmem(line, len, walk->text, strlen(walk->text)) == NULL))
		return true;
	if (line)
		run = walk->heads ? parse_head(line, len, &why) : record_parse(line, len, &why);
	if (run == NULL)
		walk->skipped++;
	return run == NULL || !belongs(run, walk->label) || walk->take(run, walk->to);
}

bool history_offer_head(struct history_walk *walk, const char *head, size_t len, bool *whole)
{
	BUF_AUTO closed = BUF_INIT(HEAD_MAX + 1);
	JSON_AUTO *run = NULL;
	struct err why;

	buf_add(&closed, head, len);
	buf_addc(&closed, '}');
	run = closed.full ? NULL : record_parse(closed.s, closed.len, &why);
	*whole = run == NULL;
	return run == NULL || !belongs(run, walk->label) || walk->take(run, walk->to);
}

static int go(struct history *h, struct history_walk *walk, unsigned *skipped, struct err *e)
{
	const int r = h->driver->walk(h, walk, e);

	if (skipped)
		*skipped = walk->skipped;
	return r;
}

int history_walk(struct history *h, const char *label, history_take *take, void *to,
		 unsigned *skipped, struct err *e)
{
	struct history_walk walk = { .label = label, .most = SIZE_MAX, .take = take, .to = to };

	return go(h, &walk, skipped, e);
}

int history_search(struct history *h, const char *label, const char *text, history_take *take,
		   void *to, struct err *e)
{
	struct history_walk walk = {
		.label = label, .text = text, .most = SIZE_MAX, .take = take, .to = to
	};

	return go(h, &walk, NULL, e);
}

int history_walk_heads(struct history *h, const char *label, history_take *take, void *to,
		       unsigned *skipped, struct err *e)
{
	struct history_walk walk = {
		.label = label, .heads = true, .most = SIZE_MAX, .take = take, .to = to
	};

	return go(h, &walk, skipped, e);
}

/* The newest runs, newest first. */
struct newest {
	json_t *runs;
	size_t most;
};

static bool keep_newest(json_t *run, void *to)
{
	struct newest *n = to;

	if (json_array_size(n->runs) < n->most)
		json_array_append(n->runs, run);
	return json_array_size(n->runs) < n->most;
}

static json_t *reversed(const json_t *list)
{
	json_t *out = json_array();

	for (size_t i = json_array_size(list); i > 0; i--)
		json_array_append(out, json_array_get(list, i - 1));
	return out;
}

json_t *history_load(struct history *h, const char *label, size_t most, unsigned *skipped,
		     struct err *e)
{
	JSON_AUTO *runs = json_array();
	struct newest newest = { .runs = runs, .most = most };
	struct history_walk walk = {
		.label = label, .most = most, .take = keep_newest, .to = &newest
	};

	return go(h, &walk, skipped, e) < 0 ? NULL : reversed(runs);
}

/* A proof on its way: what a row is kept with must be what its line says. */
struct proving {
	struct chain_walk *chain;
	const struct chain_visitor *visitor;
	const struct history_raw *raw;
	struct chain_proof *proof;
};

static bool is_as_kept(const struct history_raw *raw, const struct chain_line *line,
		       struct chain_proof *proof)
{
	const char *label = record_text(line->object, "label");
	int64_t at_ms;

	if (!record_time(line->object, "at", &at_ms))
		at_ms = INT64_MIN;
	if (raw->seq == line->head.seq && at_ms == raw->at_ms &&
	    strcmp(raw->label, label ? label : "") == 0)
		return true;
	proof->bad = line->number;
	(void)snprintf(proof->why, sizeof(proof->why),
		       "its row's label, number or time is not what the line says: it was changed");
	return false;
}

static bool take_proved(const struct chain_line *line, void *to)
{
	const struct proving *p = to;

	if (p->raw->row && !is_as_kept(p->raw, line, p->proof))
		return false;
	return p->visitor == NULL || p->visitor->take(line, p->visitor->to);
}

static bool prove_raw(const struct history_raw *raw, void *to)
{
	struct proving *p = to;

	p->raw = raw;
	return chain_walk_line(p->chain, raw->bytes, raw->len);
}

int history_prove(struct history *h, const char *label, const struct chain_visitor *visitor,
		  struct chain_proof *out, struct err *e)
{
	struct proving p = { .visitor = visitor, .proof = out };
	const struct chain_visitor both = { take_proved, &p };
	int r;

	p.chain = chain_walk_open(HISTORY_LINE_MAX, &both, out);
	r = h->driver->raw(h, label, prove_raw, &p, e);
	chain_walk_close(p.chain);
	return r;
}

int history_parts(struct history *h, history_visit *visit, void *to, struct err *e)
{
	return h->driver->parts(h, visit, to, e);
}

/* Any bytes as a script: scanning ends, and tells the same whatever the pieces are. */
#include "lib/dump/sqlscan.h"

#include "lib/base/xmem.h"
#include "lib/dump/sqlstmt.h"
#include "lib/restore/harmless.h"
#include "lib/restore/meta.h"
#include "lib/restore/outside.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	uint64_t sum, rows, events;
	int status;
	struct sqlscan_end end;
	char why[200];
};

static void add(struct outcome *o, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		o->sum = (o->sum ^ b[i]) * 1099511628211ULL;
}

static void look_into(const struct sqlscan_event *ev)
{
	struct strv roles = { 0 };
	char out[64];

	if (ev->kind == SQLSCAN_DATA || ev->kind == SQLSCAN_DATA_END)
		return;
	sqlstmt_roles(ev->text, ev->n, &roles);
	(void)sqlstmt_words(ev->text, ev->n, out, sizeof(out));
	(void)sqlstmt_copy_target(ev->text, ev->n, out, sizeof(out));
	(void)sqlstmt_setting(ev->text, ev->n, "x", out, sizeof(out));
	(void)outside(ev->text, ev->n);
	(void)harmless("", "x does not exist", ev->text);
	(void)meta_parse(ev->text, out, sizeof(out));
	strv_free(&roles);
}

static void see(struct outcome *o, const struct sqlscan_event *ev)
{
	add(o, ev->text, ev->n);
	o->rows += ev->rows;
	sqlscan_end_see(&o->end, ev);
	if (ev->kind == SQLSCAN_DATA) /* may come in parts */
		return;
	o->events++;
	add(o, &ev->kind, sizeof(ev->kind));
	add(o, &ev->line, sizeof(ev->line));
	add(o, &ev->at_b, sizeof(ev->at_b));
	add(o, &ev->amid, sizeof(ev->amid));
	if (ev->kind != SQLSCAN_DATA_END && strlen(ev->text) != ev->n)
		abort();
	look_into(ev);
}

static struct outcome scan(const uint8_t *data, size_t size, size_t step)
{
	struct sqlscan *sc = sqlscan_new("f", 1 << 20);
	struct outcome o = { .sum = 14695981039346656037ULL };
	struct sqlscan_event ev;
	struct err e = { 0 };
	size_t at = 0, k;

	do {
		uint8_t *piece;

		k = size - at < step ? size - at : step;
		piece = xmalloc(k);
		if (k > 0) {
			memcpy(piece, data + at, k);
			sqlscan_feed(sc, piece, k);
		} else {
			sqlscan_feed_end(sc);
		}
		while ((o.status = sqlscan_next(sc, &ev, &e)) > 0)
			see(&o, &ev);
		free(piece);
		at += k;
	} while (k > 0 && o.status == 0);
	if (o.status < 0)
		memcpy(o.why, e.msg, sizeof(o.why) - 1);
	sqlscan_free(sc);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome a = scan(data, size, size + 1);
	static const size_t steps[] = { 1, 2, 7, 64 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct outcome b = scan(data, size, steps[i]);

		if (a.status != b.status || strcmp(a.why, b.why) != 0)
			abort();
		/* A NUL byte stops the piece it is in: what was told before may differ. */
		if (a.status == 0 &&
		    (a.sum != b.sum || a.rows != b.rows || a.events != b.events ||
		     sqlscan_end_judge(&a.end, size) != sqlscan_end_judge(&b.end, size)))
			abort();
	}
	return 0;
}

#include "lib/pg/content_diff.h"

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/base/xmem.h"
#include "lib/pg/catalog.h"
#include "lib/pg/content.h"
#include "lib/pg/content_json.h"
#include "lib/pg/relation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED = 5, KEY_SHOWN = 80, ROW_SHOWN = 300, KEY_MAX = 16 * 1024, SQL_MAX = 256 * 1024 };

/* A range in which one row differs. */
struct suspect {
	size_t range;
	uint64_t k;
	char *key, *row; /* owned: as found in the restored table; NULL: not there */
};

struct search {
	const struct pg_relation *r;
	const struct keyranges *ranges;
	struct suspect v[NAMED];
	size_t n;
	struct buf key;
};

static int look_at(const char *line, size_t len, void *ctx, struct err *e)
{
	struct search *s = ctx;
	uint64_t k;

	(void)e;
	buf_reset(&s->key);
	if (!pg_content_key(s->r, line, len, &s->key))
		return 0;
	k = keyrange_number(s->ranges, s->key.s, s->key.len);
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].k == k && !s->v[i].key) {
			s->v[i].key = xstrdup(s->key.s);
			s->v[i].row = xstrndup(line, len);
		}
	return 0;
}

/* One more reading of the table, for the rows that differ. */
static void look_up(struct pg *here, const char *ident, struct search *s)
{
	PG_TABLES_AUTO tables = { 0 };
	PG_RELATIONS_AUTO all = { 0 };
	BUF_AUTO sql = BUF_INIT(SQL_MAX);
	struct err ignored = { 0 };

	if (!here->link || pg_tables_load(here, &tables, &ignored) < 0 ||
	    pg_relations_load(here, &tables, &all, &ignored) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(all.v[i].ident, ident) != 0)
			continue;
		s->r = &all.v[i];
		if (pg_content_copy(s->r, &sql, &ignored) == 0)
			(void)pg_copy_rows(here, sql.s, look_at, s, &ignored);
		s->r = NULL;
	}
}

static void add_shown(struct buf *out, const char *text, size_t most)
{
	BUF_AUTO safe = BUF_INIT(KEY_MAX);
	AUTO_FREE char *copy = xstrdup(text);

	for (char *p = copy; *p; p++)
		if (*p == '\t')
			*p = ',';
	text_safe(&safe, copy);
	utf8_cut(out, safe.s, most);
}

/* "from 17 to below 34" */
static void add_range(struct buf *out, const struct keyranges *r, size_t i)
{
	if (!r->v[i].from && i + 1 == r->n) {
		buf_adds(out, "of any key");
		return;
	}
	if (r->v[i].from) {
		buf_adds(out, "from ");
		add_shown(out, r->v[i].from, KEY_SHOWN);
	}
	if (i + 1 < r->n) {
		buf_adds(out, r->v[i].from ? " to below " : "below ");
		add_shown(out, r->v[i + 1].from, KEY_SHOWN);
	}
}

static const char *fate(const struct keyranges *was, const struct keyranges *is, size_t i)
{
	uint64_t before = was->v[i].rows.rows, now = is->v[i].rows.rows;

	if (before == now)
		return "changed";
	return now < before ? "lost" : "added";
}

static void say_one(const struct keyranges *was, const struct keyranges *is,
		    const struct suspect *s, bool show_rows, struct buf *out)
{
	if (s->key) {
		buf_adds(out, "; key ");
		add_shown(out, s->key, KEY_SHOWN);
	} else if (was->number) {
		buf_addf(out, "; key %" PRId64, (int64_t)s->k);
	} else {
		buf_adds(out, "; one row with a key ");
		add_range(out, was, s->range);
	}
	buf_addf(out, " %s", fate(was, is, s->range));
	if (!show_rows || !s->row)
		return;
	buf_adds(out, ": ");
	add_shown(out, s->row, ROW_SHOWN);
}

static void say_many(const struct keyranges *was, const struct keyranges *is, size_t i,
		     struct buf *out)
{
	buf_adds(out, "; several rows with keys ");
	add_range(out, was, i);
	buf_addf(out, " (%" PRIu64 ", were %" PRIu64 ")", is->v[i].rows.rows, was->v[i].rows.rows);
}

static void compare(struct pg *here, const char *ident, const struct keyranges *was,
		    const struct keyranges *is, bool show_rows, struct buf *out)
{
	struct search s = { .ranges = was, .key = BUF_INIT(KEY_MAX) };
	size_t many = 0, first_many = 0, last_many = 0, singles = 0;

	for (size_t i = 0; i < was->n; i++) {
		uint64_t k;
		enum keyrange_finding f = keyrange_compare(was, is, i, &k);

		if (f == KEYRANGE_ONE && singles++ < NAMED)
			s.v[s.n++] = (struct suspect){ .range = i, .k = k };
		if (f == KEYRANGE_MANY) {
			first_many = many++ ? first_many : i;
			last_many = i;
		}
	}
	if (ident && s.n && (!was->number || show_rows))
		look_up(here, ident, &s);
	for (size_t i = 0; i < s.n; i++) {
		say_one(was, is, &s.v[i], show_rows, out);
		free(s.v[i].key);
		free(s.v[i].row);
	}
	if (many)
		say_many(was, is, first_many, out);
	if (many > 1) {
		buf_addf(out, " and in %zu more ranges, the last ", many - 1);
		add_range(out, was, last_many);
	}
	if (singles > s.n)
		buf_addf(out, "; and %zu more", singles - s.n);
	buf_free(&s.key);
}

static bool alike(const struct keyranges *a, const struct keyranges *b)
{
	if (a->n != b->n || a->number != b->number)
		return false;
	for (size_t i = 1; i < a->n; i++)
		if (strcmp(a->v[i].from, b->v[i].from) != 0)
			return false;
	return true;
}

void content_diff(struct pg *here, const char *ident, const json_t *was, const json_t *is,
		  bool show_rows, struct buf *out)
{
	struct keyranges before = { 0 }, now = { 0 };

	if (pg_ranges_parse(was, &before) && pg_ranges_parse(is, &now) && alike(&before, &now))
		compare(here, ident, &before, &now, show_rows, out);
	keyranges_free(&before);
	keyranges_free(&now);
}

#include "lib/pg/content_json.h"

#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <string.h>

static void put_text(json_t *o, const char *name, const char *text)
{
	if (text)
		(void)json_object_set_new(o, name, record_string(text, strlen(text)));
}

static json_t *newest(const struct pg_content *c, const struct pg_table *t)
{
	json_t *o = json_object();

	if (t->created.name)
		put_text(o, t->created.name, c->newest_created);
	if (t->changed.name)
		put_text(o, t->changed.name, c->newest_changed);
	return o;
}

/* [from, rows, hash, weighted] */
static json_t *ranges(const struct keyranges *r)
{
	json_t *list = json_array();
	char hash[ROWHASH_TEXT_SIZE], weighted[KEYRANGE_SUM_SIZE];

	for (size_t i = 0; i < r->n; i++) {
		const struct keyrange *v = &r->v[i];
		json_t *one = json_array();

		(void)json_array_append_new(one, v->from ? record_string(v->from, strlen(v->from))
							 : json_null());
		(void)json_array_append_new(one, json_integer((json_int_t)v->rows.rows));
		(void)json_array_append_new(one, json_string(rowhash_text(&v->rows, hash)));
		(void)json_array_append_new(one,
					    json_string(keyrange_sum_text(v->weighted, weighted)));
		(void)json_array_append_new(list, one);
	}
	return list;
}

json_t *pg_content_json(const struct pg_content *c, const struct pg_relation *r, bool hashed)
{
	json_t *o = json_object();
	char hash[ROWHASH_TEXT_SIZE];

	(void)json_object_set_new(o, "rows", json_integer(c->rows));
	if (r && r->table->unlogged)
		(void)json_object_set_new(o, "unlogged", json_true());
	if (r)
		(void)json_object_set_new(o, "newest", newest(c, r->table));
	if (hashed)
		put_text(o, "hash", rowhash_text(&c->hash, hash));
	if (r)
		put_text(o, "key", r->key);
	if (c->ranges.n == 0)
		return o;
	(void)json_object_set_new(o, "key_number", json_boolean(c->ranges.number));
	(void)json_object_set_new(o, "ranges", ranges(&c->ranges));
	return o;
}

static bool parse_range(const json_t *one, bool first, struct keyrange *out)
{
	const json_t *from = json_array_get(one, 0), *rows = json_array_get(one, 1);
	const char *hash = json_string_value(json_array_get(one, 2));
	const char *weighted = json_string_value(json_array_get(one, 3));

	if ((first ? !json_is_null(from) : !json_is_string(from)) || !json_is_integer(rows) ||
	    !hash || !weighted || !rowhash_parse(hash, &out->rows) ||
	    !keyrange_sum_parse(weighted, &out->weighted))
		return false;
	out->rows.rows = (uint64_t)json_integer_value(rows);
	out->from = first ? NULL : xstrdup(json_string_value(from));
	return true;
}

bool pg_ranges_parse(const json_t *entry, struct keyranges *out)
{
	const json_t *list = json_object_get(entry, "ranges");
	size_t n = json_array_size(list);

	*out = (struct keyranges){ .number = record_true(entry, "key_number") };
	if (n == 0 || n > KEYRANGE_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!parse_range(json_array_get(list, i), i == 0, &out->v[i])) {
			keyranges_free(out);
			return false;
		}
		out->n++;
	}
	return true;
}

void pg_ranges_like(const json_t *entry, struct keyranges *out, bool number)
{
	struct keyranges model;

	if (!pg_ranges_parse(entry, &model))
		return;
	if (model.number == number)
		keyranges_like(out, &model);
	keyranges_free(&model);
}

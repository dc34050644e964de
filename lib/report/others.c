#include "lib/report/others.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <string.h>

enum { WORDS_MAX = 64 * 1024 };

/* What every record has is no news. */
static bool is_common(const char *key)
{
	static const char *const common[] = { "record", "tool", "run", "at", "label" };

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strcmp(key, common[i]) == 0)
			return true;
	return false;
}

static void add_words(const char *name, bool title, struct buf *out)
{
	BUF_AUTO dashed = BUF_INIT(WORDS_MAX);

	for (const char *p = name; *p; p++)
		buf_addc(&dashed, (char)(*p == '_' ? '-' : *p));
	if (title)
		text_title(out, dashed.s);
	else
		text_words(out, dashed.s);
}

void others_title(const json_t *record, struct buf *out)
{
	const char *kind = record_text(record, "record");

	add_words(kind ? kind : "", true, out);
}

static void add_value(const json_t *v, struct buf *out)
{
	char count[HUMAN_SIZE];
	const size_t n = json_is_array(v) ? json_array_size(v) : json_object_size(v);

	if (json_is_string(v))
		text_safe(out, json_string_value(v));
	else if (json_is_integer(v))
		buf_adds(out, human_count(json_integer_value(v), count));
	else if (json_is_real(v))
		buf_addf(out, "%.6g", json_real_value(v));
	else if (json_is_boolean(v))
		buf_adds(out, json_is_true(v) ? "yes" : "no");
	else if (json_is_null(v))
		buf_adds(out, "none");
	else
		buf_addf(out, "%s entr%s", human_count((int64_t)n, count), n == 1 ? "y" : "ies");
}

void others_sentence(json_t *record, struct buf *out)
{
	const char *key;
	json_t *v;
	bool first = true;

	json_object_foreach(record, key, v) {
		if (is_common(key))
			continue;
		buf_adds(out, first ? "" : ", ");
		add_words(key, false, out);
		buf_addc(out, ' ');
		add_value(v, out);
		first = false;
	}
}

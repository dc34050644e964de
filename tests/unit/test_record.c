#include "lib/base/record.h"

#include "tests/unit/suite.h"

#include <stdlib.h>
#include <unistd.h>

/* Lines through a pipe, written by a child in pieces of `piece` bytes. */
static struct record_reader *feed(const char *text, size_t len, size_t piece)
{
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	if (fork() == 0) {
		close(p[0]);
		for (size_t i = 0; i < len; i += piece) {
			size_t n = len - i < piece ? len - i : piece;

			if (write(p[1], text + i, n) != (ssize_t)n)
				_exit(1);
		}
		_exit(0);
	}
	close(p[1]);
	return record_open(p[0]);
}

static const struct {
	const char *line;
	bool good;
} lines[] = {
	{ "{}", true },
	{ "{\"record\":\"check\",\"n\":9007199254740993}", true },
	{ "{\"a\":\"\\u00e9\\n\"}", true },
	{ "[]", false },
	{ "null", false },
	{ "", false },
	{ " ", false },
	{ "{\"a\":1", false },
	{ "{} x", false },
	{ "{\"a\":01}", false },
	{ "{\"a\":1,\"a\":2}", false },
	{ "{\"a\":\"\\u0000\"}", false },
	{ "{\"a\":\"\xff\"}", false },
	{ "{\"a\":18446744073709551616}", false },
	{ "{\"a\":NaN}", false },
	{ "ERROR: relation does not exist", false },
};

START_TEST(only_a_strict_json_object_is_a_record)
{
	char text[256];
	struct err e = { 0 };
	struct record r;
	struct record_reader *in;

	(void)snprintf(text, sizeof(text), "%s\n{\"record\":\"next\"}\n", lines[_i].line);
	in = feed(text, strlen(text), 7);
	ck_assert_int_eq(record_read(in, &r, &e), 1);
	ck_assert_str_eq(r.line, lines[_i].line);
	ck_assert_msg((r.why == NULL) == lines[_i].good, "'%s': %s", lines[_i].line,
		      r.why ? r.why : "taken");
	ck_assert(lines[_i].good || r.object == NULL);
	ck_assert_int_eq(record_read(in, &r, &e), 1);
	ck_assert_str_eq(r.kind, "next");
	ck_assert_int_eq(record_read(in, &r, &e), 0);
	record_close(in);
}
END_TEST

START_TEST(integers_keep_all_64_bits)
{
	static const char text[] = "{\"n\":9223372036854775807,\"m\":-9223372036854775808,"
				   "\"r\":0.1,\"odd\":9007199254740993}";
	struct err e = { 0 };
	JSON_AUTO *o = record_parse(text, strlen(text), &e);
	char *back = record_print(o, 1000);
	int64_t n;

	ck_assert_str_eq(back, text);
	free(back);
	ck_assert(record_int(o, "n", &n));
	ck_assert(n == INT64_MAX);
	ck_assert(!record_int(o, "r", &n));
	ck_assert(!record_int(o, "absent", &n));
}
END_TEST

/* The longest line is taken, one byte more is refused, and what follows is read. */
START_TEST(a_line_over_the_limit_is_refused_and_the_next_one_read)
{
	static const char next[] = "\n{\"record\":\"next\"}\n";
	size_t len = (size_t)RECORD_MAX + (size_t)_i;
	char *line = malloc(len + sizeof(next));
	struct err e = { 0 };
	struct record r;
	struct record_reader *in;

	ck_assert_ptr_nonnull(line);
	memset(line, 'x', len);
	memcpy(line, "{\"a\":\"", 6);
	memcpy(line + len - 2, "\"}", 2);
	memcpy(line + len, next, sizeof(next));
	in = feed(line, len + sizeof(next) - 1, 5000);
	ck_assert_int_eq(record_read(in, &r, &e), 1);
	ck_assert_msg((r.why == NULL) == (_i == 0), "%s", r.why ? r.why : "taken");
	ck_assert_int_eq(record_read(in, &r, &e), 1);
	ck_assert_str_eq(r.kind, "next");
	ck_assert_int_eq(record_read(in, &r, &e), 0);
	record_close(in);
	free(line);
}
END_TEST

START_TEST(a_cut_last_line_is_no_record)
{
	static const char text[] = "{\"a\":1}\n{\"record\":\"che";
	struct err e = { 0 };
	struct record r;
	struct record_reader *in = feed(text, strlen(text), 3);

	ck_assert_int_eq(record_read(in, &r, &e), 1);
	ck_assert_ptr_null(r.why);
	ck_assert_int_eq(record_read(in, &r, &e), 1);
	ck_assert_ptr_nonnull(r.why);
	ck_assert_int_eq(record_read(in, &r, &e), 0);
	record_close(in);
}
END_TEST

START_TEST(an_unreadable_input_is_an_error)
{
	struct err e = { 0 };
	struct record r;
	struct record_reader *in = record_open(-1);

	ck_assert_int_eq(record_read(in, &r, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	record_close(in);
}
END_TEST

static const struct {
	const char *in;
	size_t len;
	const char *want;
} texts[] = {
	{ "plain", 5, "plain" },
	{ "caf\xc3\xa9", 5, "caf\xc3\xa9" },
	{ "a\xff\x62", 3, "a\xef\xbf\xbd\x62" },
	{ "\xc3", 1, "\xef\xbf\xbd" },
	{ "\xc0\xaf", 2, "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xf4\x90\x80\x80", 4, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xf0\x9f\x90\x98", 4, "\xf0\x9f\x90\x98" },
	{ "a\0b", 3, "a\xef\xbf\xbd\x62" },
	{ "", 0, "" },
};

START_TEST(foreign_text_becomes_valid_json_text)
{
	JSON_AUTO *s = record_string(texts[_i].in, texts[_i].len);

	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(json_string_value(s), texts[_i].want);
}
END_TEST

START_TEST(a_record_that_would_be_too_long_is_not_printed)
{
	JSON_AUTO *o = json_pack("{s:s}", "a", "0123456789");
	char *s = record_print(o, 18);

	ck_assert_ptr_nonnull(s);
	free(s);
	ck_assert_ptr_null(record_print(o, 17));
}
END_TEST

START_TEST(a_word_is_never_missing)
{
	json_t *o = json_pack("{s:s, s:i}", "name", "shop", "bytes", 1);

	ck_assert_str_eq(record_word(o, "name"), "shop");
	ck_assert_str_eq(record_word(o, "bytes"), "");
	ck_assert_str_eq(record_word(NULL, "name"), "");
	json_decref(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("record");
	TCase *c = tcase_create("record");

	tcase_add_loop_test(c, only_a_strict_json_object_is_a_record, 0, CASES(lines));
	tcase_add_test(c, integers_keep_all_64_bits);
	tcase_add_loop_test(c, a_line_over_the_limit_is_refused_and_the_next_one_read, 0, 3);
	tcase_add_test(c, a_cut_last_line_is_no_record);
	tcase_add_test(c, an_unreadable_input_is_an_error);
	tcase_add_loop_test(c, foreign_text_becomes_valid_json_text, 0, CASES(texts));
	tcase_add_test(c, a_record_that_would_be_too_long_is_not_printed);
	tcase_add_test(c, a_word_is_never_missing);
	suite_add_tcase(s, c);
	return suite_run(s);
}

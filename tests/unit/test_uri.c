#include "lib/storage/uri.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *plain, *encoded;
	bool keep_slash;
} encodings[] = {
	{ "", "", false },
	{ "AZaz09-_.~", "AZaz09-_.~", false },
	{ "a/b c", "a/b%20c", true },
	{ "a/b c", "a%2Fb%20c", false },
	{ "+%&=?#*'()!:@,;", "%2B%25%26%3D%3F%23%2A%27%28%29%21%3A%40%2C%3B", true },
	{ "\xc3\xa9\n\x7f", "%C3%A9%0A%7F", true },
};

START_TEST(encode)
{
	BUF_AUTO b = BUF_INIT(256);

	uri_encode(&b, encodings[_i].plain, encodings[_i].keep_slash);
	ck_assert_str_eq(b.s, encodings[_i].encoded);
}
END_TEST

START_TEST(decode_what_was_encoded)
{
	BUF_AUTO b = BUF_INIT(256);
	const char *s = encodings[_i].encoded;

	ck_assert(uri_decode(&b, s, strlen(s), true));
	ck_assert_str_eq(b.s, encodings[_i].plain);
}
END_TEST

static const struct {
	const char *in, *out; /* NULL: refused */
	bool plus;
} decodings[] = {
	{ "a+b", "a b", true },
	{ "a+b", "a+b", false },
	{ "%2b%2B", "++", true },
	{ "%", NULL, false },
	{ "%4", NULL, false },
	{ "%4g", NULL, false },
	{ "%g4", NULL, false },
	{ "a%00b", NULL, false },
	{ "%41%", NULL, false },
	{ "%7e%7E", "~~", false },
	{ "\xc3\xa9", "\xc3\xa9", false },
};

START_TEST(decode)
{
	BUF_AUTO b = BUF_INIT(256);
	bool ok = uri_decode(&b, decodings[_i].in, strlen(decodings[_i].in), decodings[_i].plus);

	ck_assert_int_eq(ok, decodings[_i].out != NULL);
	if (ok)
		ck_assert_str_eq(b.s, decodings[_i].out);
}
END_TEST

static const struct {
	const char *uri;
	size_t n;
} schemes[] = {
	{ "s3://b", 2 },   { "http://", 4 }, { "a+b-c.9://x", 7 }, { "/a/b", 0 },
	{ "a:b", 0 },      { "9a://b", 0 },  { "://b", 0 },        { "", 0 },
	{ "./s3://x", 0 }, { "a b://c", 0 }, { "s3:/b", 0 },
};

START_TEST(scheme)
{
	ck_assert_uint_eq(uri_scheme(schemes[_i].uri), schemes[_i].n);
}
END_TEST

static const struct {
	const char *uri, *shown;
} secrets[] = {
	{ "https://h/p", "https://h/p" },
	{ "https://user:pw@h:8/p?X-Amz-Signature=1#f", "https://h:8/p" },
	{ "https://a@b@h/p@q", "https://h/p@q" },
	{ "https://h?q=a@b", "https://h" },
	{ "https://h#x@y", "https://h" },
	{ "s3://b/k", "s3://b/k" },
	{ "/a@b/c", "/a@b/c" },
	{ "", "" },
};

START_TEST(shown)
{
	BUF_AUTO b = BUF_INIT(256);

	uri_shown(&b, secrets[_i].uri);
	ck_assert_str_eq(b.s, secrets[_i].shown);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("uri");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, encode, 0, CASES(encodings));
	tcase_add_loop_test(t, decode_what_was_encoded, 0, CASES(encodings));
	tcase_add_loop_test(t, decode, 0, CASES(decodings));
	tcase_add_loop_test(t, scheme, 0, CASES(schemes));
	tcase_add_loop_test(t, shown, 0, CASES(secrets));
	suite_add_tcase(s, t);
	return suite_run(s);
}

#include "lib/storage/s3list.h"
#include "tests/unit/suite.h"

#include <inttypes.h>
#include <string.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult>"
#define TAIL "</ListBucketResult>"
#define ENTRY(key, size) "<Contents><Key>" key "</Key><Size>" size "</Size></Contents>"

static int note(const struct keyspace_entry *entry, void *ctx, struct err *e)
{
	(void)e;
	buf_addf(ctx, "%s|%" PRId64 "|%" PRId64 "|%s\n", entry->key, entry->bytes,
		 entry->modified_ms, entry->etag);
	return 0;
}

static const struct {
	const char *xml, *entries, *next;
	bool truncated;
} pages[] = {
	{ HEAD TAIL, "", "", false },
	{ "<?xml version=\"1.0\"?><ListBucketResult "
	  "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>pg/</Prefix>"
	  "<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>pg/a</Key>"
	  "<LastModified>2024-01-02T03:04:05.678Z</LastModified><ETag>&quot;ab-2&quot;</ETag>"
	  "<Size>42</Size><Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"
	  "</ListBucketResult>",
	  "pg/a|42|1704164645678|\"ab-2\"\n", "", false },
	/* Raw keys stay as they are, with their % and +. */
	{ HEAD ENTRY("a%20b+c&amp;d", "1") TAIL, "a%20b+c&d|1|-1|\n", "", false },
	/* Encoded keys, said so before or after them; the token never is. */
	{ HEAD "<EncodingType>url</EncodingType>" ENTRY("a%20b+c%2Bd%26%C3%A9%0A", "1") TAIL,
	  "a b c+d&\xc3\xa9\n|1|-1|\n", "", false },
	{ HEAD ENTRY("a%2Fb",
		     "0") "<IsTruncated>true</IsTruncated><NextContinuationToken>x%20y "
			  "&amp;=</NextContinuationToken><EncodingType>url</EncodingType>" TAIL,
	  "a/b|0|-1|\n", "x%20y &=", true },
	/* What is nested elsewhere is not taken. */
	{ HEAD "<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>"
	       "<Contents><Key>k</Key><Size>9223372036854775807</Size>"
	       "<Owner><Key>no</Key><Size>7</Size></Owner></Contents>" TAIL,
	  "k|9223372036854775807|-1|\n", "", false },
	{ HEAD ENTRY("a", "1") ENTRY("b", "2") TAIL, "a|1|-1|\nb|2|-1|\n", "", false },
};

START_TEST(page)
{
	BUF_AUTO got = BUF_INIT(4096);
	struct s3_page p;
	struct err e = { 0 };

	ck_assert_int_eq(s3list_parse(pages[_i].xml, strlen(pages[_i].xml), &p, note, &got, &e), 0);
	ck_assert_str_eq(got.s, pages[_i].entries);
	ck_assert_str_eq(p.next.s, pages[_i].next);
	ck_assert_int_eq(p.truncated, pages[_i].truncated);
	buf_free(&p.next);
}
END_TEST

static const char *const broken[] = {
	"",
	"no XML",
	HEAD,
	HEAD ENTRY("a", "1"),
	HEAD "</Wrong>",
	"<Error><Code>NoSuchBucket</Code></Error>",
	"<html><body>login</body></html>",
	HEAD ENTRY("", "1") TAIL,
	HEAD ENTRY("a", "") TAIL,
	HEAD ENTRY("a", "-1") TAIL,
	HEAD ENTRY("a", "9223372036854775808") TAIL,
	HEAD "<Contents><Size>1</Size></Contents>" TAIL,
	HEAD "<EncodingType>url</EncodingType>" ENTRY("a%zz", "1") TAIL,
	"<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult>&a;</ListBucketResult>",
};

START_TEST(no_listing)
{
	BUF_AUTO got = BUF_INIT(4096);
	struct s3_page p;
	struct err e = { 0 };

	ck_assert_int_eq(s3list_parse(broken[_i], strlen(broken[_i]), &p, note, &got, &e), -1);
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	ck_assert_str_ne(e.msg, "");
}
END_TEST

START_TEST(a_key_longer_than_any)
{
	BUF_AUTO xml = BUF_INIT(65536);
	BUF_AUTO got = BUF_INIT(4096);
	struct s3_page p;
	struct err e = { 0 };

	buf_adds(&xml, HEAD "<Contents><Key>");
	while (xml.len < KEYSPACE_KEY_MAX + 100)
		buf_addc(&xml, 'k');
	buf_adds(&xml, "</Key><Size>1</Size></Contents>" TAIL);
	ck_assert_int_eq(s3list_parse(xml.s, xml.len, &p, note, &got, &e), -1);
	ck_assert_str_eq(got.s, "");
}
END_TEST

static int refuse(const struct keyspace_entry *entry, void *ctx, struct err *e)
{
	(void)entry;
	++*(int *)ctx;
	return err_set(e, ERR_USAGE, "enough");
}

START_TEST(stop_in_the_middle)
{
	const char *xml = HEAD ENTRY("a", "1") ENTRY("b", "2") TAIL;
	struct s3_page p;
	struct err e = { 0 };
	int calls = 0;

	ck_assert_int_eq(s3list_parse(xml, strlen(xml), &p, refuse, &calls, &e), -1);
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(e.msg, "enough");
}
END_TEST

static const struct {
	const char *xml, *code, *message, *region;
} errors[] = {
	{ "<Error><Code>NoSuchBucket</Code><Message>it is gone</Message></Error>", "NoSuchBucket",
	  "it is gone", "" },
	{ "<?xml version=\"1.0\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code>"
	  "<Region>eu-west-1</Region></Error>",
	  "AuthorizationHeaderMalformed", "", "eu-west-1" },
	{ "<Error><Code>Cut</Code><Mess", "Cut", "", "" },
	{ "<Other><Code>x</Code></Other>", "", "", "" },
	{ "<html>Bad gateway</html>", "", "", "" },
	{ "", "", "", "" },
};

START_TEST(error_document)
{
	struct s3_error got;

	s3list_error(errors[_i].xml, strlen(errors[_i].xml), &got);
	ck_assert_str_eq(got.code, errors[_i].code);
	ck_assert_str_eq(got.message, errors[_i].message);
	ck_assert_str_eq(got.region, errors[_i].region);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("s3list");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, page, 0, CASES(pages));
	tcase_add_loop_test(t, no_listing, 0, CASES(broken));
	tcase_add_test(t, a_key_longer_than_any);
	tcase_add_test(t, stop_in_the_middle);
	tcase_add_loop_test(t, error_document, 0, CASES(errors));
	suite_add_tcase(s, t);
	return suite_run(s);
}

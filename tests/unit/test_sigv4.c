/* The published vectors: Amazon S3 API Reference ("Examples: Signature Calculations") and AWS
 * General Reference (the IAM ListUsers example), and a path-style one with a session token. */
#include "lib/storage/sigv4.h"
#include "tests/unit/suite.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ID "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define DATE "20130524T000000Z"

static const struct sigv4_header range_headers[] = {
	{ "host", "examplebucket.s3.amazonaws.com" },
	{ "range", "bytes=0-9" },
	{ "x-amz-content-sha256", EMPTY },
	{ "x-amz-date", DATE },
};

static const struct sigv4_header list_headers[] = {
	{ "host", "examplebucket.s3.amazonaws.com" },
	{ "x-amz-content-sha256", EMPTY },
	{ "x-amz-date", DATE },
};

static const struct sigv4_header token_headers[] = {
	{ "host", "127.0.0.1:9000" },
	{ "x-amz-content-sha256", EMPTY },
	{ "x-amz-date", "20240102T030405Z" },
	{ "x-amz-security-token", "TOKEN" },
};

static const struct sigv4_header iam_headers[] = {
	{ "content-type", "application/x-www-form-urlencoded; charset=utf-8" },
	{ "host", "iam.amazonaws.com" },
	{ "x-amz-date", "20150830T123600Z" },
};

static const struct {
	struct sigv4_key key;
	struct sigv4_request request;
	const char *canonical_hash, *signature, *names;
} cases[] = {
	{ { ID, SECRET, "us-east-1", "s3" },
	  { "GET", "/test.txt", "", range_headers, 4, EMPTY, DATE },
	  "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
	  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
	  "host;range;x-amz-content-sha256;x-amz-date" },
	{ { ID, SECRET, "us-east-1", "s3" },
	  { "GET", "/", "max-keys=2&prefix=J", list_headers, 3, EMPTY, DATE },
	  "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
	  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
	  "host;x-amz-content-sha256;x-amz-date" },
	{ { ID, SECRET, "eu-west-1", "s3" },
	  { "GET", "/backups", "delimiter=%2F&list-type=2&prefix=pg%2Forders%2F", token_headers, 4,
	    EMPTY, "20240102T030405Z" },
	  "82596bc7ad8ef4447ea8c80df20044d652f2e1e2c51ff6c02ef48583f6089986",
	  "97ee554cd4670f9a6a966391eeeb777a1c68fe41575924902902306930513c8f",
	  "host;x-amz-content-sha256;x-amz-date;x-amz-security-token" },
	{ { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "iam" },
	  { "GET", "/", "Action=ListUsers&Version=2010-05-08", iam_headers, 3, EMPTY,
	    "20150830T123600Z" },
	  "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59",
	  "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
	  "content-type;host;x-amz-date" },
};

START_TEST(published_vectors)
{
	BUF_AUTO got = BUF_INIT(4096);
	BUF_AUTO want = BUF_INIT(4096);
	struct sigv4_signed made;
	struct err e = { 0 };

	ck_assert_int_eq(sigv4_sign(&cases[_i].key, &cases[_i].request, &got, &made, &e), 0);
	ck_assert_str_eq(made.canonical_hash, cases[_i].canonical_hash);
	ck_assert_str_eq(made.signature, cases[_i].signature);
	buf_addf(&want,
		 "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, "
		 "Signature=%s",
		 cases[_i].key.id, cases[_i].request.date, cases[_i].key.region,
		 cases[_i].key.service, cases[_i].names, cases[_i].signature);
	ck_assert_str_eq(got.s, want.s);
}
END_TEST

START_TEST(dates)
{
	char out[SIGV4_DATE_SIZE];
	struct err e = { 0 };

	ck_assert_int_eq(sigv4_date(1369353600, out, &e), 0);
	ck_assert_str_eq(out, "20130524T000000Z");
	ck_assert_int_eq(sigv4_date(0, out, &e), 0);
	ck_assert_str_eq(out, "19700101T000000Z");
	ck_assert_int_eq(sigv4_date(1LL << 60, out, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
}
END_TEST

START_TEST(a_secret_that_is_too_long)
{
	BUF_AUTO out = BUF_INIT(4096);
	BUF_AUTO secret = BUF_INIT(8192);
	struct sigv4_key key = cases[0].key;
	struct err e = { 0 };

	while (secret.len < 5000)
		buf_addc(&secret, 'x');
	key.secret = secret.s;
	ck_assert_int_eq(sigv4_sign(&key, &cases[0].request, &out, NULL, &e), -1);
	ck_assert_ptr_null(strstr(e.msg, "xxx"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sigv4");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, published_vectors, 0, CASES(cases));
	tcase_add_test(t, dates);
	tcase_add_test(t, a_secret_that_is_too_long);
	suite_add_tcase(s, t);
	return suite_run(s);
}

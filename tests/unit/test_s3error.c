/* What refusals of S3 servers of all kinds come out as. */
#include "lib/storage/s3error.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <time.h>

#define ERROR(code, more) "<Error><Code>" code "</Code><Message>words</Message>" more "</Error>"

static const struct {
	long status;
	const char *body;
	const char *mark; /* a header, NULL for none */
	const char *region;
	enum err_kind kind;
	const char *says;
} cases[] = {
	{ 404, ERROR("NoSuchKey", ""), NULL, "", ERR_BACKUP,
	  "get s3://b/k: there is no such object" },
	{ 404, "", NULL, "", ERR_BACKUP, "there is no such object (404)" },
	{ 404, "", "x-amz-delete-marker=true", "", ERR_BACKUP, "list-object-versions" },
	{ 404, ERROR("NoSuchBucket", ""), NULL, "", ERR_REMOTE, "there is no such bucket" },
	/* MinIO names its region in every error. */
	{ 403, ERROR("AccessDenied", "<Region>eu-west-9</Region>"), NULL, "", ERR_REMOTE,
	  "lack s3:ListBucket" },
	{ 403, "", NULL, "", ERR_REMOTE, "AccessDenied (403)" },
	{ 400, ERROR("ExpiredToken", ""), NULL, "", ERR_REMOTE, "session token has expired" },
	{ 301, ERROR("PermanentRedirect", "<Endpoint>e.example.com</Endpoint>"), NULL, "eu-west-9",
	  ERR_REMOTE, "the bucket is in region eu-west-9, not in us-east-1" },
	{ 301, ERROR("PermanentRedirect", "<Endpoint>e.example.com</Endpoint>"), NULL, "us-east-1",
	  ERR_REMOTE, "set AWS_ENDPOINT_URL to https://e.example.com" },
	{ 400, ERROR("AuthorizationHeaderMalformed", "<Region>eu-west-9</Region>"), NULL, "",
	  ERR_REMOTE, "region eu-west-9, not in us-east-1" },
	{ 403, ERROR("InvalidObjectState", "<StorageClass>GLACIER</StorageClass>"), NULL, "",
	  ERR_REMOTE,
	  "archived (GLACIER, InvalidObjectState); restore it from its storage class first: aws "
	  "s3api "
	  "restore-object --bucket b --key 'k' --restore-request '{\"Days\":7,"
	  "\"GlacierJobParameters\":{\"Tier\":\"Standard\"}}'" },
	{ 403, ERROR("InvalidObjectState", "<StorageClass>INTELLIGENT_TIERING</StorageClass>"),
	  NULL, "", ERR_REMOTE, "'{\"GlacierJobParameters\"" },
	{ 403, ERROR("InvalidObjectState", ""), "x-amz-restore=ongoing-request=\"true\"", "",
	  ERR_REMOTE, "has been asked for" },
	{ 418, ERROR("Teapot", ""), NULL, "", ERR_REMOTE, "the server answers 418 Teapot: words" },
	{ 502, "<html>", NULL, "", ERR_REMOTE, "the server answers 502" },
};

START_TEST(refusals)
{
	struct download_reply r = { .status = cases[_i].status,
				    .date_ms = -1,
				    .text = BUF_INIT(4096),
				    .url = BUF_INIT(16) };
	const struct s3_asked asked = { "get", "s3://b/k", "b", "k", "us-east-1" };
	struct err e = { 0 };

	buf_adds(&r.text, cases[_i].body);
	if (cases[_i].mark)
		strv_add(&r.marks, cases[_i].mark);
	(void)snprintf(r.region, sizeof(r.region), "%s", cases[_i].region);
	ck_assert_int_eq(s3error_set(&r, &asked, &e), -1);
	ck_assert_msg(strstr(e.msg, cases[_i].says) != NULL, "%s", e.msg);
	ck_assert_int_eq(e.kind, cases[_i].kind);
	download_reply_free(&r);
}
END_TEST

START_TEST(skewed_clock)
{
	struct download_reply r = { .status = 403,
				    .date_ms = ((int64_t)time(NULL) + 3600) * 1000,
				    .text = BUF_INIT(4096),
				    .url = BUF_INIT(16) };
	const struct s3_asked asked = { "get", "s3://b/k", "b", "k", "us-east-1" };
	struct err e = { 0 };

	buf_adds(&r.text, ERROR("RequestTimeTooSkewed", ""));
	ck_assert_int_eq(s3error_set(&r, &asked, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "by NTP; this machine's clock is 3"));
	ck_assert_ptr_nonnull(strstr(e.msg, "s behind the server's"));
	download_reply_free(&r);
}
END_TEST

static const struct {
	const char *marks[2];
	bool archived;
} heads[] = {
	{ { NULL }, false },
	{ { "x-amz-storage-class=STANDARD_IA" }, false },
	{ { "x-amz-storage-class=GLACIER_IR" }, false },
	{ { "x-amz-storage-class=GLACIER" }, true },
	{ { "X-Amz-Storage-Class=DEEP_ARCHIVE" }, true },
	{ { "x-amz-storage-class=INTELLIGENT_TIERING" }, false },
	{ { "x-amz-storage-class=INTELLIGENT_TIERING", "x-amz-archive-status=ARCHIVE_ACCESS" },
	  true },
	{ { "x-amz-storage-class=GLACIER", "x-amz-restore=ongoing-request=\"true\"" }, true },
	{ { "x-amz-storage-class=GLACIER", "x-amz-restore=ongoing-request=\"false\", "
					   "expiry-date=\"Fri, 23 Dec 2012 00:00:00 GMT\"" },
	  false },
};

START_TEST(archives)
{
	struct download_reply r = { .status = 200, .text = BUF_INIT(16), .url = BUF_INIT(16) };

	for (int i = 0; i < 2; i++)
		if (heads[_i].marks[i])
			strv_add(&r.marks, heads[_i].marks[i]);
	ck_assert_int_eq(s3error_archived(&r), heads[_i].archived);
	download_reply_free(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("s3error");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, refusals, 0, CASES(cases));
	tcase_add_test(t, skewed_clock);
	tcase_add_loop_test(t, archives, 0, CASES(heads));
	suite_add_tcase(s, t);
	return suite_run(s);
}

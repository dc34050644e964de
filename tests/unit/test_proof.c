/* What the bytes "123456789" are compared with, and what comes of it. */
#include "lib/storage/proof.h"
#include "tests/unit/suite.h"

#include <string.h>

#define SHA256 "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
#define MD5 "25f9e794323b453885f5181f1b624d0b"
#define OTHER "00000000000000000000000000000000"

static const struct {
	struct storage_stat known;
	struct proof_wish wish;
	const char *told, *refused; /* one of them; "" for neither */
} cases[] = {
	{ { .bytes = 9 }, { "", "", "", "" }, "", NULL },
	{ { .bytes = 9 }, { SHA256, "", "x.sha256", "" }, "x.sha256", NULL },
	{ { .bytes = 9 },
	  { OTHER OTHER, "", "x.sha256", "" },
	  NULL,
	  "their SHA-256 is " SHA256 ", x.sha256 says " OTHER OTHER },
	{ { .bytes = 9 }, { "", MD5, "", "x.md5" }, "x.md5", NULL },
	{ { .bytes = 9 },
	  { "", OTHER, "", "x.md5" },
	  NULL,
	  "their MD5 is " MD5 ", x.md5 says " OTHER },
	{ { .bytes = 9 }, { SHA256, MD5, "x.sha256", "x.md5" }, "x.sha256, x.md5", NULL },
	/* ETags, where they are MD5s */
	{ { .bytes = 9, .etag = "\"" MD5 "\"", .etag_md5 = true },
	  { "", "", "", "" },
	  "ETag",
	  NULL },
	{ { .bytes = 9, .etag = "\"" OTHER "\"", .etag_md5 = true },
	  { "", "", "", "" },
	  NULL,
	  "ETag says " OTHER },
	{ { .bytes = 9, .etag = "\"" OTHER "\"" }, { "", "", "", "" }, "", NULL },
	{ { .bytes = 9, .etag = "\"v1-9\"", .etag_md5 = true }, { "", "", "", "" }, "", NULL },
	{ { .bytes = 9, .etag = "", .etag_md5 = true }, { "", "", "", "" }, "", NULL },
	/* A sidecar's SHA-256 makes an MD5 needless */
	{ { .bytes = 9, .etag = "\"" OTHER "\"", .etag_md5 = true },
	  { SHA256, "", "x.sha256", "" },
	  "x.sha256",
	  NULL },
	/* Of parts whose size the storage says, and of guessed ones: these prove nothing if they
	 * differ
	 */
	{ { .bytes = 9, .etag = "\"" OTHER "-2\"", .etag_md5 = true, .part_bytes = 5 },
	  { "", "", "", "" },
	  NULL,
	  "-2, ETag says" },
	{ { .bytes = 9, .etag = "\"" OTHER "-1\"", .etag_md5 = true },
	  { "", "", "", "" },
	  "",
	  NULL },
	{ { .bytes = 9, .etag = "\"" OTHER "-7\"", .etag_md5 = true },
	  { "", "", "", "" },
	  "",
	  NULL },
	/* What the storage keeps */
	{ { .bytes = 9, .sums.sha256 = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=" },
	  { "", "", "", "" },
	  "x-amz-checksum-sha256",
	  NULL },
	{ { .bytes = 9, .sums.sha256 = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiA=" },
	  { "", "", "", "" },
	  NULL,
	  "x-amz-checksum-sha256 says 15e2" },
	{ { .bytes = 9, .sums.crc64nvme = "rosUhgp5mIg=" },
	  { "", "", "", "" },
	  "x-amz-checksum-crc64nvme",
	  NULL },
	{ { .bytes = 9, .sums.crc64nvme = "rosUhgp5mIA=" },
	  { "", "", "", "" },
	  NULL,
	  "their CRC-64/NVME is rosUhgp5mIg=, x-amz-checksum-crc64nvme says rosUhgp5mIA=" },
	{ { .bytes = 9, .sums.crc32c = "4waSgw==" },
	  { "", "", "", "" },
	  "x-amz-checksum-crc32c",
	  NULL },
	{ { .bytes = 9, .sums.crc32 = "y/Q5Jg==" },
	  { "", "", "", "" },
	  "x-amz-checksum-crc32",
	  NULL },
	{ { .bytes = 9, .sums.md5 = "JfnnlDI7RTiF9RgfG2JNCw==" },
	  { "", "", "", "" },
	  "Content-MD5",
	  NULL },
	{ { .bytes = 9, .sums.md5 = "AAAAlDI7RTiF9RgfG2JNCw==" },
	  { "", "", "", "" },
	  NULL,
	  "Content-MD5 says AAAA" },
};

START_TEST(compared)
{
	struct err e = { 0 };
	BUF_AUTO told = BUF_INIT(200);
	char hex[DIGEST_HEX_SIZE];
	struct proof p;
	int rc;

	ck_assert_int_eq(proof_begin(&p, &cases[_i].known, &cases[_i].wish, &e), 0);
	ck_assert_int_eq(proof_add(&p, "wrong", 5, &e), 0);
	ck_assert_int_eq(proof_reset(&p, &e), 0);
	ck_assert_int_eq(proof_add(&p, "12345678", 8, &e), 0);
	ck_assert_int_eq(proof_add(&p, "9", 1, &e), 0);
	rc = proof_end(&p, "x", hex, &told, &e);
	proof_free(&p);
	ck_assert_str_eq(hex, SHA256);
	if (cases[_i].refused) {
		ck_assert_int_eq(rc, -1);
		ck_assert_int_eq(e.kind, ERR_BACKUP);
		ck_assert_msg(strstr(e.msg, cases[_i].refused) != NULL, "%s", e.msg);
	} else {
		ck_assert_msg(rc == 0, "%s", e.msg);
		ck_assert_str_eq(told.s, cases[_i].told);
	}
}
END_TEST

/* A mebibyte of zeros, as md5sum and sha256sum see it, in pieces of so many bytes: the large ones
 * are digested by two threads. */
static const size_t pieces[] = { 1, 1000, 64 * 1024, 256 * 1024, 1024 * 1024 };

START_TEST(pieces_of_any_size)
{
	enum { ALL = 1024 * 1024 };
	static const unsigned char zeros[ALL];
	static const struct storage_stat known = { .bytes = ALL,
						   .etag = "\"b6d81b360a5672d80c27430f39153e2c\"",
						   .etag_md5 = true };
	const struct proof_wish wish = { .md5 = OTHER, .md5_from = "x.md5" };
	const size_t piece = pieces[_i];
	char hex[DIGEST_HEX_SIZE];

	for (int wrong = 0; wrong <= 1; wrong++) {
		BUF_AUTO told = BUF_INIT(200);
		struct err e = { 0 };
		struct proof p;
		int rc;

		ck_assert_int_eq(proof_begin(&p, &known, wrong ? &wish : NULL, &e), 0);
		for (size_t at = 0; at < ALL; at += piece) {
			size_t n = piece < ALL - at ? piece : ALL - at;

			if (proof_add(&p, zeros, n, &e) < 0)
				ck_abort_msg("%s", e.msg);
		}
		rc = proof_end(&p, "x", hex, &told, &e);
		proof_free(&p);
		ck_assert_str_eq(hex, "30e14955ebf1352266dc2ff8067e6810"
				      "4607e750abb9d3b36582b8af909fcb58");
		ck_assert_int_eq(rc, wrong ? -1 : 0);
		ck_assert_str_eq(told.s, "ETag");
	}
}
END_TEST

static const struct {
	int64_t total, n, part;
} parts[] = {
	{ (int64_t)1 << 30, 128, 8 << 20 },
	{ (int64_t)1 << 30, 205, 5 << 20 },
	{ ((int64_t)8 << 20) + 1, 2, 8 << 20 },
	{ 100, 1, 8 << 20 },
	{ 100, 7, 0 },
};

START_TEST(guessed)
{
	ck_assert_int_eq(proof_part_bytes(parts[_i].total, parts[_i].n), parts[_i].part);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proof");
	TCase *c = tcase_create("proof");

	tcase_add_loop_test(c, compared, 0, CASES(cases));
	tcase_add_loop_test(c, pieces_of_any_size, 0, CASES(pieces));
	tcase_add_loop_test(c, guessed, 0, CASES(parts));
	suite_add_tcase(s, c);
	return suite_run(s);
}

/* manifest: what it takes, and what it refuses, with which words. */
#include "lib/physical/manifest.h"
#include "lib/storage/digest.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

/* body, its last line not ended, becomes a manifest with the right checksum of its own. */
static int parse(const char *body, struct manifest *m, struct err *e)
{
	char text[4096], sum[DIGEST_HEX_SIZE];
	int n = snprintf(text, sizeof(text), "%s\n", body);

	ck_assert_int_eq(digest_of(text, (size_t)n, sum, e), 0);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\"Manifest-Checksum\": \"%s\"}\n", sum);
	return manifest_parse(text, (size_t)n, "m", m, e);
}

#define VERSION1 "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n"
#define FILE_A "{ \"Path\": \"a\", \"Size\": 3, \"Last-Modified\": \"2026-02-17 01:58:42 GMT\", "
#define CRC "\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"0a0b0c0d\" }"
#define FILES "\"Files\": [\n" FILE_A CRC "],\n"
#define WAL "\"WAL-Ranges\": [{ \"Timeline\": 1, \"Start-LSN\": \"0/28\", \"End-LSN\": \"1/2A\" }],"

START_TEST(a_manifest_is_read)
{
	MANIFEST_AUTO m;
	struct err e = { 0 };
	const int status = parse(VERSION1 "\"Files\": [" FILE_A CRC
					  ",\n{ \"Encoded-Path\": \"C3ff\", \"Size\": 0 } ],\n" WAL,
				 &m, &e);

	ck_assert_msg(status == 0, "%s", e.msg);
	ck_assert_uint_eq(m.n_files, 2);
	ck_assert_uint_eq(m.total_b, 3);
	ck_assert_ptr_nonnull(manifest_find(&m, "a"));
	ck_assert_int_eq(manifest_find(&m, "a")->algorithm, HASH_CRC32C);
	ck_assert_mem_eq(manifest_find(&m, "a")->sum, "\x0a\x0b\x0c\x0d", 4);
	ck_assert_int_eq(manifest_find(&m, "\xc3\xff")->algorithm, HASH_NONE);
	ck_assert_ptr_null(manifest_find(&m, "b"));
	ck_assert_uint_eq(m.n_wal, 1);
	ck_assert_uint_eq(m.wal[0].start, 0x28);
	ck_assert_uint_eq(m.wal[0].end, 0x10000002a);
}
END_TEST

START_TEST(version_2_has_a_system_identifier)
{
	MANIFEST_AUTO m;
	struct err e = { 0 };
	const int status = parse("{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n"
				 "\"System-Identifier\": 17710517359190073981,\n" FILES WAL,
				 &m, &e);

	ck_assert_msg(status == 0, "%s", e.msg);
	ck_assert(m.system_identifier == UINT64_C(17710517359190073981));
}
END_TEST

/* The cases of PostgreSQL's src/bin/pg_verifybackup/t/005_bad_manifest.pl, and some more. Those
 * about the manifest's last line are below. */
static const struct {
	const char *body, *why;
} bad[] = {
	{ "", "no JSON object" },
	{ "{", "begin with its version" },
	{ "[]", "no JSON object" },
	{ "{}", "no JSON" },
	{ "{ \"Files\": []," WAL, "begin with its version" },
	{ "{ \"PostgreSQL-Backup-Manifest-Version\": \"1\",\n" FILES WAL, "version is no number" },
	{ "{ \"PostgreSQL-Backup-Manifest-Version\": 1e0,\n" FILES WAL, "version is no number" },
	{ VERSION1 "\"PostgreSQL-Backup-Manifest-Version\": 1,\n" FILES WAL, "two versions" },
	{ VERSION1 FILES WAL "\"Files\": [],", "two lists of files" },
	{ VERSION1 "\"Oops\": 1,\n" FILES WAL, "unknown field" },
	{ VERSION1 "\"System-Identifier\": 1,\n" FILES WAL, "system identifier" },
	{ VERSION1 "\"Files\": {},\n" WAL, "a list is missing" },
	{ VERSION1 "\"Files\": true,\n" WAL, "a list is missing" },
	{ VERSION1 "\"Files\": [{}],\n" WAL, "without a path" },
	{ VERSION1 "\"Files\": [1],\n" WAL, "entry is not one" },
	{ VERSION1 "\"Files\": [[]],\n" WAL, "entry is not one" },
	{ VERSION1 "\"Files\": [" FILE_A CRC ",],\n" WAL, "an entry is no JSON" },
	{ VERSION1 "\"Files\": [" FILE_A CRC "\n" WAL, "a list does not end" },
	{ VERSION1 "\"Files\": [" FILE_A "\"Oops\": 1 }],\n" WAL, "entry is not one" },
	{ VERSION1 "\"Files\": [{ \"Size\": 3 }],\n" WAL, "without a path" },
	{ VERSION1 "\"Files\": [{ \"Path\": \"\", \"Size\": 3 }],\n" WAL, "without a path" },
	{ VERSION1 "\"Files\": [{ \"Path\": \"a\" }],\n" WAL, "without a size: a" },
	{ VERSION1 "\"Files\": [{ \"Path\": \"a\", \"Size\": \"3\" }],\n" WAL,
	  "without a size: a" },
	{ VERSION1 "\"Files\": [{ \"Path\": \"a\", \"Size\": -3 }],\n" WAL, "without a size: a" },
	{ VERSION1 "\"Files\": [{ \"Path\": \"a\", \"Size\": 3.5 }],\n" WAL, "without a size: a" },
	{ VERSION1 "\"Files\": [{ \"Path\": \"a\", \"Encoded-Path\": \"61\", \"Size\": 3 }],\n" WAL,
	  "two paths" },
	{ VERSION1 "\"Files\": [{ \"Encoded-Path\": \"6\", \"Size\": 3 }],\n" WAL, "not encoded" },
	{ VERSION1 "\"Files\": [{ \"Encoded-Path\": \"123\", \"Size\": 3 }],\n" WAL,
	  "not encoded" },
	{ VERSION1 "\"Files\": [{ \"Encoded-Path\": \"6x\", \"Size\": 3 }],\n" WAL, "not encoded" },
	{ VERSION1 "\"Files\": [{ \"Encoded-Path\": \"6100\", \"Size\": 3 }],\n" WAL,
	  "not encoded" },
	{ VERSION1 "\"Files\": [" FILE_A CRC ", " FILE_A CRC "],\n" WAL, "lists a file twice: a" },
	{ VERSION1 "\"Files\": [" FILE_A "\"Checksum\": \"0a0b0c0d\" }],\n" WAL,
	  "a checksum without its algorithm: a" },
	{ VERSION1 "\"Files\": [" FILE_A "\"Checksum-Algorithm\": \"CRC32C\" }],\n" WAL,
	  "an algorithm without a checksum: a" },
	{ VERSION1 "\"Files\": [" FILE_A
		   "\"Checksum-Algorithm\": \"MD5\", \"Checksum\": \"\" }],\n" WAL,
	  "an unknown checksum algorithm: a" },
	{ VERSION1 "\"Files\": [" FILE_A
		   "\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"0a0b0c\" }],\n" WAL,
	  "a checksum of the wrong length: a" },
	{ VERSION1 FILES "\"WAL-Ranges\": {},", "a list is missing" },
	{ VERSION1 FILES "\"WAL-Ranges\": true,", "a list is missing" },
	{ VERSION1 FILES "\"WAL-Ranges\": [{}],", "without a timeline" },
	{ VERSION1 FILES "\"WAL-Ranges\": [0],", "WAL range is not one" },
	{ VERSION1 FILES "\"WAL-Ranges\": [{ \"Start-LSN\": \"0/1\", \"End-LSN\": \"0/2\" }],",
	  "without a timeline" },
	{ VERSION1 FILES "\"WAL-Ranges\": [{ \"Timeline\": \"1\", \"Start-LSN\": \"0/1\", "
			 "\"End-LSN\": \"0/2\" }],",
	  "without a timeline" },
	{ VERSION1 FILES
	  "\"WAL-Ranges\": [{ \"Timeline\": true, \"Start-LSN\": \"0/1\", \"End-LSN\": \"0/2\" }],",
	  "without a timeline" },
	{ VERSION1 FILES "\"WAL-Ranges\": [{ \"Timeline\": 1, \"End-LSN\": \"0/2\" }],",
	  "without a start" },
	{ VERSION1 FILES "\"WAL-Ranges\": [{ \"Timeline\": 1, \"Start-LSN\": \"0/1\" }],",
	  "without an end" },
	{ VERSION1 FILES "\"WAL-Ranges\": [{ \"Timeline\": 1, \"Start-LSN\": \"oops\", "
			 "\"End-LSN\": \"0/2\" }],",
	  "without a start" },
	{ VERSION1 FILES
	  "\"WAL-Ranges\": [{ \"Timeline\": 1, \"Start-LSN\": \"0/1\", \"End-LSN\": \"oops\" }],",
	  "without an end" },
	{ VERSION1 FILES "\"WAL-Ranges\": [{ \"Timeline\": 1, \"Start-LSN\": \"0/3\", "
			 "\"End-LSN\": \"0/2\" }],",
	  "ends before it starts" },
	{ VERSION1 FILES "\"WAL-Ranges\": [{ \"Timeline\": 1, \"Start-LSN\": \"0/1\", "
			 "\"End-LSN\": \"0/2\", \"Oops\": 1 }],",
	  "WAL range is not one" },
};

START_TEST(what_is_no_manifest_is_refused)
{
	MANIFEST_AUTO m;
	struct err e = { 0 };

	ck_assert_int_lt(parse(bad[_i].body, &m, &e), 0);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
	ck_assert_msg(strstr(e.msg, bad[_i].why) != NULL, "\"%s\" is not in: %s", bad[_i].why,
		      e.msg);
}
END_TEST

/* Of a manifest without two whole lines, or with an impossible checksum. */
static const char *const bad_ends[] = {
	"{\"PostgreSQL-Backup-Manifest-Version\": 1, \"Files\": [], \"Manifest-Checksum\": null}\n",
	"{\"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [],\n\"Manifest-Checksum\": null}",
	"{\"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [],\n\"Manifest-Checksum\": "
	"null}\n",
	"{\"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [],\n\"Manifest-Checksum\": \""
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01234567890-\"}\n",
	"\n",
	"\n\n",
};

START_TEST(a_manifest_needs_its_last_line)
{
	MANIFEST_AUTO m;
	struct err e = { 0 };

	ck_assert_int_lt(manifest_parse(bad_ends[_i], strlen(bad_ends[_i]), "m", &m, &e), 0);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
	ck_assert_msg(strstr(e.msg, "cut short") || strstr(e.msg, "was changed"), "%s", e.msg);
}
END_TEST

START_TEST(a_changed_manifest_is_refused)
{
	static const char text[] = VERSION1 FILES WAL "\n\"Manifest-Checksum\": \""
						      "00000000000000000000000000000000"
						      "00000000000000000000000000000000\"}\n";
	MANIFEST_AUTO m;
	struct err e = { 0 };

	ck_assert_int_lt(manifest_parse(text, sizeof(text) - 1, "m", &m, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "was changed"));
	manifest_free(&m);
	ck_assert_int_lt(manifest_parse(text, sizeof(text) - 2, "m", &m, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "cut short"));
}
END_TEST

START_TEST(a_newer_manifest_is_not_called_damaged)
{
	MANIFEST_AUTO m;
	struct err e = { 0 };

	ck_assert_int_lt(parse("{ \"PostgreSQL-Backup-Manifest-Version\": 3,\n" FILES WAL, &m, &e),
			 0);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
}
END_TEST

static const struct {
	const char *text;
	bool good;
	uint64_t lsn;
} lsns[] = {
	{ "0/0", true, 0 },
	{ "16/B374D848", true, UINT64_C(0x16b374d848) },
	{ "ffffffff/ffffffff", true, UINT64_MAX },
	{ "100000000/0", false, 0 },
	{ "0/100000000", false, 0 },
	{ "/1", false, 0 },
	{ "1/", false, 0 },
	{ "1", false, 0 },
	{ "", false, 0 },
	{ "1/2/3", false, 0 },
	{ " 1/2", false, 0 },
	{ "-1/2", false, 0 },
	{ "0x1/2", false, 0 },
};

START_TEST(an_lsn_is_two_hex_numbers)
{
	uint64_t lsn = 0;

	ck_assert(manifest_lsn(lsns[_i].text, &lsn) == lsns[_i].good);
	ck_assert(lsn == lsns[_i].lsn);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("manifest");
	TCase *t = tcase_create("manifest");

	tcase_add_test(t, a_manifest_is_read);
	tcase_add_test(t, version_2_has_a_system_identifier);
	tcase_add_loop_test(t, what_is_no_manifest_is_refused, 0, CASES(bad));
	tcase_add_loop_test(t, a_manifest_needs_its_last_line, 0, CASES(bad_ends));
	tcase_add_test(t, a_changed_manifest_is_refused);
	tcase_add_test(t, a_newer_manifest_is_not_called_damaged);
	tcase_add_loop_test(t, an_lsn_is_two_hex_numbers, 0, CASES(lsns));
	suite_add_tcase(s, t);
	return suite_run(s);
}

/* walrecord, walpath, walfile, walledger: names, histories, ledgers, records across borders. */
#include "lib/base/bytes.h"
#include "lib/base/xmem.h"
#include "lib/physical/walcommit.h"
#include "lib/physical/walfile.h"
#include "lib/physical/walledger.h"
#include "lib/physical/walpath.h"
#include "lib/physical/walrecord.h"
#include "lib/storage/crc.h"
#include "tests/unit/suite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- names -------------------------------------------------------------------------- */

static const struct {
	const char *object;
	int kind; /* -1: none */
	const char *stem;
} names[] = {
	{ "0000000100000000000000A1", WALFILE_SEGMENT, "0000000100000000000000A1" },
	{ "wals/0000000100000000/0000000100000000000000A1.gz", WALFILE_SEGMENT,
	  "0000000100000000000000A1" },
	{ "0000000100000000000000A1-0123456789abcdef0123456789abcdef01234567.zst", WALFILE_SEGMENT,
	  "0000000100000000000000A1" },
	{ "0000000100000000000000A1-0123456789abcdef0123456789abcdef0123456", -1, "" },
	{ "0000000100000000000000A1.partial", WALFILE_PARTIAL, "0000000100000000000000A1" },
	{ "0000000100000000000000A1.partial.lz4", WALFILE_PARTIAL, "0000000100000000000000A1" },
	{ "0000000100000000000000A1.00000028.backup", WALFILE_LABEL, "0000000100000000000000A1" },
	{ "0000000100000000000000A1.0000028.backup", -1, "" },
	{ "00000002.history", WALFILE_HISTORY, "00000002" },
	{ "00000002.history.xz", WALFILE_HISTORY, "00000002" },
	{ "00000002", -1, "" },
	{ "0000000100000000000000a1", -1, "" },
	{ "0000000100000000000000A", -1, "" },
	{ "0000000100000000000000A1.tmp", -1, "" },
	{ "0000000100000000000000A10", -1, "" },
	{ "", -1, "" },
};

START_TEST(a_name_says_what_a_file_is)
{
	enum walfile_kind kind;
	char stem[WALFILE_STEM];
	const bool is = walfile_of(names[_i].object, &kind, stem);

	ck_assert_int_eq(is, names[_i].kind >= 0);
	if (is) {
		ck_assert_int_eq((int)kind, names[_i].kind);
		ck_assert_str_eq(stem, names[_i].stem);
	}
}
END_TEST

/* ---- histories ---------------------------------------------------------------------- */

START_TEST(the_path_follows_the_history)
{
	WALPATH_AUTO p;
	struct err e;
	const char *text = "1\t0/5000108\tno recovery target specified\n\n"
			   "2\t0/9000000\tbefore 2026-02-17\n";

	ck_assert_int_eq(walpath_parse(text, 4, "00000004.history", &p, &e), 0);
	ck_assert_uint_eq(p.n, 3);
	ck_assert_uint_eq(walpath_at(&p, 0x4000000, 1 << 24), 1);
	/* The segment in which a timeline was left belongs to the next. */
	ck_assert_uint_eq(walpath_at(&p, 0x5000000, 1 << 24), 2);
	ck_assert_uint_eq(walpath_at(&p, 0x8000000, 1 << 24), 2);
	ck_assert_uint_eq(walpath_at(&p, 0x9000000, 1 << 24), 4);
	ck_assert(walpath_leads_over(&p, 1, 0x5000107));
	ck_assert(!walpath_leads_over(&p, 1, 0x5000108));
	ck_assert(!walpath_leads_over(&p, 3, 0x5000108));
	ck_assert(walpath_forks_in(&p, 0x5000000, 1 << 24));
	ck_assert(!walpath_forks_in(&p, 0x6000000, 1 << 24));
}
END_TEST

static const char *const bad_histories[] = {
	"",
	"1\n",
	"x\t0/1\tr\n",
	"1\t5\tr\n",
	"4\t0/1\tr\n",
	"2\t0/1\tr\n1\t0/2\tr\n",
	"1\t0/2\tr\n2\t0/1\tr\n",
	"0\t0/1\tr\n",
};

START_TEST(a_damaged_history_is_refused)
{
	WALPATH_AUTO p;
	struct err e;

	ck_assert_int_eq(walpath_parse(bad_histories[_i], 4, "x", &p, &e), -1);
	ck_assert_int_eq((int)e.kind, ERR_BACKUP);
}
END_TEST

/* ---- records ------------------------------------------------------------------------ */

enum { SEGMENT = 1 << 20, PAGE = 8192, FIRST = 40, OTHER = 24 };
static const uint64_t begin_lsn = 0x3000000;

/* Two segments with records of any length, as a server writes them. */
struct writer {
	unsigned char *p;
	size_t at, last;
};

static void put(struct writer *w, const unsigned char *p, size_t n, size_t left)
{
	while (n > 0) {
		size_t room;

		if (w->at % PAGE == 0) {
			unsigned char *page = w->p + w->at;
			const bool first = w->at % SEGMENT == 0;
			const uint16_t magic = 0xD110;
			const uint16_t info = (uint16_t)((left > 0 ? 1 : 0) | (first ? 2 : 0));
			const uint32_t one = 1, rem = (uint32_t)left, size = SEGMENT, page_b = PAGE;
			const uint64_t lsn = begin_lsn + w->at, cluster = 77;

			memcpy(page, &magic, 2);
			memcpy(page + 2, &info, 2);
			memcpy(page + 4, &one, 4);
			memcpy(page + 8, &lsn, 8);
			memcpy(page + 16, &rem, 4);
			if (first) {
				memcpy(page + 24, &cluster, 8);
				memcpy(page + 32, &size, 4);
				memcpy(page + 36, &page_b, 4);
			}
			w->at += first ? FIRST : OTHER;
		}
		room = PAGE - w->at % PAGE;
		if (room > n)
			room = n;
		memcpy(w->p + w->at, p, room);
		w->at += room;
		p += room;
		n -= room;
		left -= left < room ? left : room;
	}
}

static void write_record(struct writer *w, uint32_t length, unsigned char rmgr, unsigned char info,
			 int64_t us)
{
	AUTO_FREE unsigned char *r = xcalloc(1, length);
	size_t start = w->at;
	uint64_t prev = w->last;
	uint32_t crc;

	if (start % PAGE == 0)
		start += start % SEGMENT ? OTHER : FIRST;
	for (uint32_t i = WAL_RECORD_HEADER; i < length; i++)
		r[i] = (unsigned char)(i * 7 + start);
	memcpy(r, &length, 4);
	memcpy(r + WAL_RECORD_PREV, &prev, 8);
	r[WAL_RECORD_INFO] = info;
	r[WAL_RECORD_RMGR] = rmgr;
	if (us != 0) {
		r[24] = 255;
		r[25] = 8;
		memcpy(r + 26, &us, 8);
	}
	crc = (uint32_t)crc_add(CRC_32C, 0, r + WAL_RECORD_HEADER, length - WAL_RECORD_HEADER);
	crc = (uint32_t)crc_add(CRC_32C, crc, r, WAL_RECORD_CRC);
	memcpy(r + WAL_RECORD_CRC, &crc, 4);
	w->last = begin_lsn + start;
	/* A page's header says what is left of the record: none when it begins there. */
	if (w->at % PAGE == 0) {
		put(w, r, 1, 0);
		put(w, r + 1, length - 1, length - 1);
	} else {
		put(w, r, length, length);
	}
	w->at = (w->at + 7) & ~(size_t)7;
}

/* Fills the first segment up to a point left bytes before its end, where a record of length begins
 * that is a commit. */
static unsigned char *two_segments(size_t left, uint32_t length, int64_t us)
{
	struct writer w = { .p = xcalloc(4, SEGMENT) };

	while (w.at + 4000 < SEGMENT - left)
		write_record(&w, 1000, 10, 0, 0);
	for (size_t rest; (rest = SEGMENT - left - w.at) > 0;)
		write_record(&w,
			     (uint32_t)(rest > 2000          ? 1000
					: rest >= 48 + OTHER ? 24
							     : rest),
			     10, 0, 0);
	write_record(&w, length, 1, 0, us);
	write_record(&w, 100, 10, 0, 0);
	write_record(&w, 24, 0, 0x40, 0);
	return w.p;
}

static void walk(const unsigned char *p, size_t piece, struct wal_summary *out)
{
	WAL_WALK_AUTO *w = wal_walk_new();

	wal_walk_begin(w);
	for (size_t at = 0; at < SEGMENT; at += piece)
		wal_walk_add(w, p + at, at + piece < SEGMENT ? piece : SEGMENT - at);
	wal_walk_end(w, out);
}

/* How many bytes of the record are in the first segment: its header may be cut, too. */
static const size_t lefts[] = { 8, 16, 24, 32, 40, 64, 72, 1024 };

START_TEST(a_record_across_a_border_is_verified)
{
	const size_t left = lefts[_i];
	AUTO_FREE unsigned char *p = two_segments(left, 5000, 1000000);
	struct wal_summary one, two, bad;

	walk(p, 8192, &one);
	walk(p + SEGMENT, 100003, &two);
	ck_assert_int_eq((int)one.fault, WAL_SOUND);
	ck_assert_int_eq((int)two.fault, WAL_SOUND);
	ck_assert(two.switched);
	ck_assert_uint_eq(one.tail.bytes, left);
	bad = two;
	ck_assert_int_eq((int)wal_join(&one, &two), WAL_SOUND);
	ck_assert_uint_eq(two.commits, 1);
	ck_assert_int_eq(two.last_commit_ms, INT64_C(946684801000));
	/* One byte of it behind the border, and one before. */
	p[SEGMENT + 4000] ^= 1;
	walk(p + SEGMENT, SEGMENT, &bad);
	ck_assert_int_eq((int)wal_join(&one, &bad), WAL_BAD_CRC);
	p[SEGMENT + 4000] ^= 1;
	p[SEGMENT - 1] ^= 1;
	walk(p, SEGMENT, &one);
	walk(p + SEGMENT, SEGMENT, &bad);
	ck_assert_int_ne((int)wal_join(&one, &bad), WAL_SOUND);
}
END_TEST

START_TEST(a_record_of_several_segments_is_verified)
{
	AUTO_FREE unsigned char *p = two_segments(lefts[_i], 2000000, 1000000);
	struct wal_summary s[3];

	for (size_t i = 0; i < 3; i++)
		walk(p + i * SEGMENT, 65536, &s[i]);
	ck_assert(s[1].inside);
	ck_assert_int_eq((int)wal_join(&s[0], &s[1]), WAL_SOUND);
	ck_assert_int_eq((int)wal_join(&s[1], &s[2]), WAL_SOUND);
	ck_assert_uint_eq(s[2].commits, 1);
	p[SEGMENT + 77777] ^= 1;
	walk(p + SEGMENT, 4096, &s[1]);
	walk(p + 2 * (size_t)SEGMENT, 4096, &s[2]);
	ck_assert_int_eq((int)wal_join(&s[0], &s[1]), WAL_SOUND);
	ck_assert_int_eq((int)wal_join(&s[1], &s[2]), WAL_BAD_CRC);
}
END_TEST

/* ---- checksums, ledger -------------------------------------------------------------- */

START_TEST(checksums_are_joined_and_taken_apart)
{
	const char *text = "a checksum is linear, so it can be joined";
	const size_t n = strlen(text), k = (size_t)_i;

	for (int kind = CRC_32C; kind <= CRC_64NVME; kind++) {
		const enum crc_kind c = (enum crc_kind)kind;
		const uint64_t whole = crc_add(c, 0, text, n), front = crc_add(c, 0, text, k),
			       back = crc_add(c, 0, text + k, n - k);

		ck_assert(crc_join(c, front, back, n - k) == whole);
		ck_assert(crc_join(c, front, whole, n - k) == back);
	}
}
END_TEST

START_TEST(a_changed_line_is_no_entry)
{
	static const char json[] =
		"{\"file\":\"a\",\"etag\":\"\",\"bytes\":1,\"modified\":2,\"verified\":3,"
		"\"head\":\"\",\"tail\":\"\",\"summary\":"
		"[1,2,3,4,5,6,7,0,0,0,1,2,3,0,0,0,0,0,1,2,3,4]}";
	AUTO_FREE char *line = xasprintf("%08" PRIx32 " %s",
					 (uint32_t)crc_add(CRC_32C, 0, json, strlen(json)), json);
	struct walledger_entry entry;

	ck_assert(walledger_parse(line, strlen(line), &entry));
	ck_assert_int_eq(entry.verified_ms, 3);
	ck_assert_uint_eq(entry.sum.digest, 4);
	free(entry.file);
	free(entry.etag);
	for (size_t i = 0; i < strlen(line); i++) {
		if (i == 8)
			continue; /* the blank */
		line[i] ^= 1;
		ck_assert(!walledger_parse(line, strlen(line), &entry));
		line[i] ^= 1;
		ck_assert(!walledger_parse(line, i, &entry));
	}
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

int main(void)
{
	Suite *s = suite_create("walrecord");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, a_name_says_what_a_file_is, 0, COUNT(names));
	tcase_add_test(c, the_path_follows_the_history);
	tcase_add_loop_test(c, a_damaged_history_is_refused, 0, COUNT(bad_histories));
	tcase_add_loop_test(c, a_record_across_a_border_is_verified, 0, COUNT(lefts));
	tcase_add_loop_test(c, a_record_of_several_segments_is_verified, 0, COUNT(lefts));
	tcase_add_loop_test(c, checksums_are_joined_and_taken_apart, 0, 42);
	tcase_add_test(c, a_changed_line_is_no_entry);
	suite_add_tcase(s, c);
	return suite_run(s);
}

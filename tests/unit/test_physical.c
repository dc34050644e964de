/* page, control, label and wal: what they take, and what they refuse. */
#include "lib/physical/control.h"
#include "lib/physical/coverage.h"
#include "lib/physical/label.h"
#include "lib/physical/page.h"
#include "lib/physical/wal.h"
#include "lib/storage/crc.h"
#include "tests/unit/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- pages ------------------------------------------------------------------------------------ */

static const struct {
	const char *path;
	bool paged;
	uint32_t block;
} files[] = {
	{ "base/5/1259", true, 0 },
	{ "base/5/16400.2", true, 262144 },
	{ "base/5/16400_vm", true, 0 },
	{ "base/5/16400_fsm.1", true, 131072 },
	{ "base/5/16400_init", true, 0 },
	{ "global/1262", true, 0 },
	{ "pg_tblspc/16500/PG_15_202209061/5/16501.1", true, 131072 },
	{ "base/5/pg_filenode.map", false, 0 },
	{ "base/5/PG_VERSION", false, 0 },
	{ "base/5/t3_16400", false, 0 },
	{ "base/5/16400.", false, 0 },
	{ "base/5/16400.x", false, 0 },
	{ "base/5/16400_other", false, 0 },
	{ "base/5/16400.2.3", false, 0 },
	{ "base/16400", false, 0 },
	{ "base/5/99999999999", false, 0 },
	{ "global/pg_control", false, 0 },
	{ "pg_tblspc/16500/5/16501", false, 0 },
	{ "pg_tblspc/16500/PG_15_202209061", false, 0 },
	{ "pg_xact/0000", false, 0 },
	{ "INCREMENTAL.16400", false, 0 },
};

START_TEST(files_of_relations_have_pages)
{
	uint32_t block = 0;

	ck_assert(page_file(files[_i].path, 131072, &block) == files[_i].paged);
	ck_assert(!files[_i].paged || block == files[_i].block);
}
END_TEST

/* A page as PostgreSQL 15 wrote it into an empty table's visibility map would be: header only. */
static void make_page(unsigned char page[8192])
{
	memset(page, 0, 8192);
	page[12] = 24;                 /* lower */
	page[14] = 0, page[15] = 0x20; /* upper: 8192 */
	page[16] = 0, page[17] = 0x20; /* special: 8192 */
	page[18] = 4, page[19] = 0x20; /* size and layout */
}

START_TEST(a_page_is_judged_by_header_and_checksum)
{
	unsigned char page[8192] = { 0 };
	uint16_t sum;

	ck_assert_int_eq(page_look(page, sizeof(page), 0, true), PAGE_NEW);
	page[8191] = 1;
	ck_assert_int_eq(page_look(page, sizeof(page), 0, true), PAGE_HEADER);
	make_page(page);
	sum = page_checksum(page, sizeof(page), 7);
	ck_assert_uint_ne(sum, 0);
	page[8] = (unsigned char)sum, page[9] = (unsigned char)(sum >> 8);
	ck_assert_uint_eq(page_checksum(page, sizeof(page), 7), sum);
	ck_assert_int_eq(page_look(page, sizeof(page), 7, true), PAGE_SOUND);
	ck_assert_int_eq(page_look(page, sizeof(page), 8, true), PAGE_CHECKSUM);
	page[4000] ^= 1;
	ck_assert_int_eq(page_look(page, sizeof(page), 7, true), PAGE_CHECKSUM);
	ck_assert_int_eq(page_look(page, sizeof(page), 7, false), PAGE_SOUND);
	page[13] = 0xff;
	ck_assert_int_eq(page_look(page, sizeof(page), 7, false), PAGE_HEADER);
}
END_TEST

/* --- pg_control ------------------------------------------------------------------------------- */

static void put32(unsigned char *p, size_t at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		p[at + i] = (unsigned char)(v >> (8 * i));
}

/* As PostgreSQL 15 lays it out; its CRC stands at 288. */
static void make_control(unsigned char p[CONTROL_SIZE])
{
	memset(p, 0, CONTROL_SIZE);
	put32(p, 0, 77);
	put32(p, 8, 1300);
	put32(p, 12, 202209061);
	put32(p, 16, CONTROL_IN_PRODUCTION);
	put32(p, 32, 0x17000060);
	put32(p, 48, 3);
	put32(p, 180, 250);
	put32(p, 216, 8192);
	put32(p, 220, 131072);
	put32(p, 224, 8192);
	put32(p, 228, 16 << 20);
	put32(p, 252, 1);
}

static void sign_control(unsigned char p[CONTROL_SIZE])
{
	put32(p, 288, (uint32_t)crc_add(CRC_32C, 0, p, 288));
}

static const uint32_t control_versions[] = { 1201, 1300, 1700, 1800 };

START_TEST(pg_control_is_read)
{
	unsigned char p[CONTROL_SIZE];
	struct control c;
	struct err e = { 0 };

	make_control(p);
	put32(p, 8, control_versions[_i]);
	sign_control(p);
	ck_assert_msg(control_parse(p, sizeof(p), "c", &c, &e) == 0, "%s", e.msg);
	ck_assert(c.known && c.checksums);
	ck_assert_uint_eq(c.system_identifier, 77);
	ck_assert_int_eq(control_major(&c), 15);
	ck_assert_uint_eq(c.timeline, 3);
	ck_assert_int_eq(c.max_connections, 250);
	ck_assert_uint_eq(c.wal_segment_size, 16 << 20);
	ck_assert_str_eq(control_state_name(c.state), "in production");
}
END_TEST

START_TEST(a_damaged_pg_control_is_refused)
{
	unsigned char p[CONTROL_SIZE];
	struct control c;
	struct err e = { 0 };

	make_control(p);
	ck_assert_int_lt(control_parse(p, sizeof(p), "c", &c, &e), 0);
	sign_control(p);
	ck_assert_int_lt(control_parse(p, sizeof(p) - 1, "c", &c, &e), 0);
	p[40] ^= 1;
	ck_assert_int_lt(control_parse(p, sizeof(p), "c", &c, &e), 0);
	make_control(p);
	put32(p, 16, 9);
	sign_control(p);
	ck_assert_int_lt(control_parse(p, sizeof(p), "c", &c, &e), 0);
	make_control(p);
	put32(p, 228, 5);
	sign_control(p);
	ck_assert_int_lt(control_parse(p, sizeof(p), "c", &c, &e), 0);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
	/* A version that is not known here: the CRC holds, the rest is left alone. */
	make_control(p);
	put32(p, 8, 9999);
	sign_control(p);
	ck_assert_int_eq(control_parse(p, sizeof(p), "c", &c, &e), 0);
	ck_assert(!c.known && control_major(&c) == 15);
}
END_TEST

/* --- backup_label ----------------------------------------------------------------------------- */

START_TEST(a_backup_label_is_read)
{
	static const char text[] =
		"START WAL LOCATION: 1/17000028 (file 000000030000000100000017)\n"
		"CHECKPOINT LOCATION: 1/17000060\n"
		"BACKUP METHOD: streamed\n"
		"BACKUP FROM: primary\n"
		"START TIME: 2026-02-17 01:58:42 UTC\n"
		"LABEL: nightly\n"
		"START TIMELINE: 3\n";
	struct label l;
	struct err e = { 0 };

	ck_assert_msg(label_parse(text, sizeof(text) - 1, "l", &l, &e) == 0, "%s", e.msg);
	ck_assert(l.start == 0x117000028 && l.checkpoint == 0x117000060);
	ck_assert_uint_eq(l.timeline, 3);
	ck_assert_str_eq(l.start_file, "000000030000000100000017");
	ck_assert_str_eq(l.text, "nightly");
	ck_assert_int_eq(l.started_ms, 1771293522000);
}
END_TEST

static const char *const bad_labels[] = {
	"",
	"LABEL: x\n",
	"START WAL LOCATION: none\nCHECKPOINT LOCATION: 0/1\n",
	"START WAL LOCATION: 0/1 (file x)\n",
	"START WAL LOCATION: 0/1 (file x)\nCHECKPOINT LOCATION: 1\n",
	"XSTART WAL LOCATION: 0/1 (file x)\nCHECKPOINT LOCATION: 0/1\n",
};

START_TEST(a_label_without_positions_is_refused)
{
	struct label l;
	struct err e = { 0 };

	ck_assert_int_lt(label_parse(bad_labels[_i], strlen(bad_labels[_i]), "l", &l, &e), 0);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
}
END_TEST

START_TEST(a_zone_that_means_several_things_gives_no_time)
{
	static const char text[] = "START WAL LOCATION: 0/1 (file x)\nCHECKPOINT LOCATION: 0/1\n"
				   "START TIME: 2026-02-17 01:58:42 CST";
	struct label l;
	struct err e = { 0 };

	ck_assert_int_eq(label_parse(text, sizeof(text) - 1, "l", &l, &e), 0);
	ck_assert_int_eq(l.started_ms, -1);
}
END_TEST

/* --- WAL -------------------------------------------------------------------------------------- */

static const struct {
	uint32_t timeline;
	uint64_t lsn;
	uint32_t size;
	const char *name;
} segments[] = {
	{ 1, 0x2000000, 16 << 20, "000000010000000000000002" },
	{ 3, 0x1ff000000, 16 << 20, "0000000300000001000000FF" },
	{ 3, 0x200000000, 16 << 20, "000000030000000200000000" },
	{ 0xabcdef01, 0x1fff00000, 1 << 20, "ABCDEF010000000100000FFF" },
	{ 1, 0x140000000, 1 << 30, "000000010000000100000001" },
};

START_TEST(segments_are_named_by_timeline_and_position)
{
	char name[WAL_NAME_SIZE];
	uint32_t timeline;
	uint64_t lsn;

	wal_name(segments[_i].timeline, segments[_i].lsn + 100, segments[_i].size, name);
	ck_assert_str_eq(name, segments[_i].name);
	ck_assert(wal_of_name(name, segments[_i].size, &timeline, &lsn));
	ck_assert(timeline == segments[_i].timeline && lsn == segments[_i].lsn);
}
END_TEST

static const char *const no_segments[] = {
	"",
	"00000001000000000000000",
	"0000000100000000000000020",
	"00000001000000000000000g",
	"00000001000000000000000a",
	"000000000000000000000002",
	"000000010000000000000100",
	"00000002.history",
	"000000010000000000000002.partial",
};

START_TEST(other_names_are_no_segments)
{
	uint32_t timeline;
	uint64_t lsn;

	ck_assert(!wal_of_name(no_segments[_i], 16 << 20, &timeline, &lsn));
}
END_TEST

START_TEST(crc32c_is_that_of_the_standard)
{
	/* RFC 3720, appendix B.4. */
	ck_assert(crc_add(CRC_32C, 0, "123456789", 9) == 0xe3069283);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("physical");
	TCase *t = tcase_create("physical");

	tcase_add_loop_test(t, files_of_relations_have_pages, 0, CASES(files));
	tcase_add_test(t, a_page_is_judged_by_header_and_checksum);
	tcase_add_loop_test(t, pg_control_is_read, 0, CASES(control_versions));
	tcase_add_test(t, a_damaged_pg_control_is_refused);
	tcase_add_test(t, a_backup_label_is_read);
	tcase_add_loop_test(t, a_label_without_positions_is_refused, 0, CASES(bad_labels));
	tcase_add_test(t, a_zone_that_means_several_things_gives_no_time);
	tcase_add_loop_test(t, segments_are_named_by_timeline_and_position, 0, CASES(segments));
	tcase_add_loop_test(t, other_names_are_no_segments, 0, CASES(no_segments));
	tcase_add_test(t, crc32c_is_that_of_the_standard);
	suite_add_tcase(s, t);
	return suite_run(s);
}

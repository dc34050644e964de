/* Tests of lib/physical/entrance.h: files of a cluster as PostgreSQL lays them out, made here. */
#include "lib/base/io.h"
#include "lib/physical/entrance.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 8192, HEADER = 32, AUTHID_FILE = 16384, DATABASE_FILE = 1262 };

/* t_infomask */
enum { MADE = 0x0100, ABORTED = 0x0200, LOCKED = 0x0080, KEPT = 0x0800 };

static char dir[32];

struct row {
	const char *name;
	uint32_t oid;
	uint16_t mask;
	uint32_t xmax;
	bool super, login; /* a role */
	bool allows;       /* a database */
};

struct page {
	unsigned char p[BLOCK];
	size_t items, free;
};

static void put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *p, uint32_t v)
{
	put16(p, v & 0xffff);
	put16(p + 2, v >> 16);
}

static void write_to(const char *name, const void *p, size_t n)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/global/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, p, n), 0);
	(void)close(fd);
}

static void add(struct page *pg, const struct row *r, const unsigned char *rest, size_t n)
{
	unsigned char *tuple;
	const size_t length = HEADER + 4 + ENTRANCE_NAME + n;

	pg->free -= (length + 7) & ~(size_t)7;
	tuple = pg->p + pg->free;
	put32(tuple + 4, r->xmax);
	put16(tuple + 20, r->mask);
	tuple[22] = HEADER;
	put32(tuple + HEADER, r->oid);
	memcpy(tuple + HEADER + 4, r->name, strlen(r->name));
	memcpy(tuple + HEADER + 4 + ENTRANCE_NAME, rest, n);
	put32(pg->p + 24 + 4 * pg->items++, (uint32_t)pg->free | 1U << 15 | (uint32_t)length << 17);
	put16(pg->p + 12, (unsigned)(24 + 4 * pg->items));
}

static void write_roles(const struct row *rows)
{
	struct page pg = { .free = BLOCK };
	char name[16];

	for (; rows->name; rows++) {
		const unsigned char rest[] = { rows->super, 1, 0, 0, rows->login, 0, 0 };

		add(&pg, rows, rest, sizeof(rest));
	}
	(void)snprintf(name, sizeof(name), "%d", AUTHID_FILE);
	write_to(name, pg.p, BLOCK);
}

static void write_databases(const struct row *rows, int major)
{
	struct page pg = { .free = BLOCK };
	char name[16];

	for (; rows->name; rows++) {
		unsigned char rest[200] = { 0 };
		const size_t at = 8 + (major >= 15 ? 1 : 128);

		rest[at] = 1;
		rest[at + 1] = rows->allows;
		add(&pg, rows, rest, sizeof(rest));
	}
	(void)snprintf(name, sizeof(name), "%d", DATABASE_FILE);
	write_to(name, pg.p, BLOCK);
}

static void write_map(void)
{
	unsigned char map[512] = { 0 };

	put32(map, 0x592717);
	put32(map + 4, 3);
	put32(map + 8, 1213);
	put32(map + 12, 1213);
	put32(map + 16, 1260);
	put32(map + 20, AUTHID_FILE);
	put32(map + 24, 1262);
	put32(map + 28, DATABASE_FILE);
	write_to("pg_filenode.map", map, sizeof(map));
}

static const struct row usual[] = {
	{ "postgres", 10, MADE | KEPT, 0, .super = true, .login = true }, { .name = NULL }
};
static const struct row databases[] = { { "shop", 16400, MADE | KEPT, 0, .allows = true },
					{ "postgres", 5, MADE | KEPT, 0, .allows = true },
					{ "template1", 1, MADE | KEPT, 0, .allows = true },
					{ "template0", 4, MADE | KEPT, .super = false },
					{ .name = NULL } };

static void setup(void)
{
	char path[64];

	(void)snprintf(dir, sizeof(dir), "/tmp/bp-entrance-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/global", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	write_map();
	write_roles(usual);
	write_databases(databases, 15);
}

static void teardown(void)
{
	static const char *const names[] = { "/global/pg_filenode.map", "/global/16384",
					     "/global/1262", "/global", "" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", dir, names[i]);
		ck_assert_int_eq(remove(path), 0);
	}
}

static void expect(int major, const char *user, const char *database)
{
	struct entrance in = { .user = "" };
	struct err e = { 0 };

	ck_assert_msg(entrance_find(dir, BLOCK, major, &in, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(in.user, user);
	ck_assert_str_eq(in.database, database);
}

static void refuse(const char *why)
{
	struct entrance in = { .user = "" };
	struct err e = { 0 };

	ck_assert_int_eq(entrance_find(dir, BLOCK, 15, &in, &e), -1);
	ck_assert_msg(strstr(e.msg, why) != NULL, "%s", e.msg);
}

START_TEST(as_initdb_makes_it)
{
	expect(15, "postgres", "template1");
	write_databases(databases, 13);
	expect(13, "postgres", "template1");
}
END_TEST

static const struct {
	struct row rows[4];
	const char *user; /* NULL: nobody */
} roles[] = {
	/* renamed: the old row is superseded, whether that was noted or not */
	{ { { "postgres", 10, MADE, 700, .super = true, .login = true },
	    { "owner", 10, KEPT, 0, .super = true, .login = true } },
	  "owner" },
	/* a rename that was taken back */
	{ { { "postgres", 10, MADE | KEPT, 700, .super = true, .login = true },
	    { "owner", 10, ABORTED | KEPT, 0, .super = true, .login = true } },
	  "postgres" },
	/* a password change has locked it */
	{ { { "owner", 10, MADE | LOCKED, 700, .super = true, .login = true } }, "owner" },
	/* the first one may not log in; others are no superusers */
	{ { { "postgres", 10, MADE | KEPT, 0, .super = true },
	    { "app", 16400, MADE | KEPT, 0, .login = true },
	    { "dba", 16401, MADE | KEPT, 0, .super = true, .login = true } },
	  "dba" },
	{ { { "dba", 16401, MADE | KEPT, 0, .super = true, .login = true },
	    { "owner", 10, MADE | KEPT, 0, .super = true, .login = true } },
	  "owner" },
	{ { { "app", 16400, MADE | KEPT, 0, .login = true } }, NULL },
};

START_TEST(the_superuser_is_found)
{
	write_roles(roles[_i].rows);
	if (roles[_i].user)
		expect(15, roles[_i].user, "template1");
	else
		refuse("no role of the cluster");
}
END_TEST

START_TEST(the_database_takes_connections)
{
	static const struct row closed[] = { { "template1", 1, MADE | KEPT, .super = false },
					     { "shop", 16400, MADE | KEPT, 0, .allows = true },
					     { .name = NULL } };
	static const struct row none[] = { { "template1", 1, MADE | KEPT, .super = false },
					   { .name = NULL } };

	write_databases(closed, 15);
	expect(15, "postgres", "shop");
	write_databases(none, 15);
	refuse("none that takes connections");
}
END_TEST

/* Whatever the files hold, nothing is read beyond them. */
START_TEST(damage_is_survived)
{
	unsigned char p[BLOCK];
	struct entrance in;
	struct err e;
	uint32_t noise = 1;

	for (unsigned round = 0; round < 300; round++) {
		for (size_t i = 0; i < sizeof(p); i++) {
			noise = noise * 1664525 + 1013904223;
			p[i] = (unsigned char)(noise >> 24);
		}
		if (round % 2)
			put32(p + 24, (uint32_t)(8000 + round) | 1U << 15 | 190U << 17);
		write_to("16384", p, BLOCK);
		(void)entrance_find(dir, BLOCK, 15, &in, &e);
	}
	write_to("16384", p, 100);
	refuse("no role of the cluster");
	write_to("pg_filenode.map", p, 512);
	refuse("catalogue 1260 is not in it");
	write_to("pg_filenode.map", "\x17\x27\x59\0\xff\xff\xff\xff", 8);
	refuse("catalogue 1260 is not in it");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("entrance");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, as_initdb_makes_it);
	tcase_add_loop_test(t, the_superuser_is_found, 0, CASES(roles));
	tcase_add_test(t, the_database_takes_connections);
	tcase_add_test(t, damage_is_survived);
	suite_add_tcase(s, t);
	return suite_run(s);
}

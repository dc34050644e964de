#include "lib/pg/covering.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <string.h>

/* By the backup's name: of which database it is. "": of none. */
static const struct {
	const char *backup, *database;
} names[] = {
	{ "shop-20260217.dump", "shop" },
	{ "daily/2026-02-17/shop.sql.gz", "shop" },
	{ "shop_eu-20260217.dump", "shop_eu" },
	{ "backup-shop_eu.tar", "shop_eu" },
	{ "pg.shop.2026.dump", "shop" },
	{ "workshop-20260217.dump", "" },
	{ "shop2-20260217.dump", "" },
	{ "sh\xc3\xb6p-20260217.dump", "" },
	{ "", "" },
};

START_TEST(names_say_the_database)
{
	COVERING_AUTO c = { 0 };
	const char *want = names[_i].database;

	covering_add_database(&c, "shop", 1);
	covering_add_database(&c, "shop_eu", 1);
	covering_add_database(&c, "sh", 1);
	covering_take(&c, names[_i].backup, 1000, COVERING_DATABASE, NULL);
	for (size_t i = 0; i < c.n; i++)
		ck_assert_msg((c.v[i].backup != NULL) == (strcmp(c.v[i].name, want) == 0), "%s: %s",
			      names[_i].backup, c.v[i].name);
	ck_assert(!c.roles);
}
END_TEST

START_TEST(its_header_wins_over_its_name)
{
	COVERING_AUTO c = { 0 };

	covering_add_database(&c, "shop", 1);
	covering_add_database(&c, "billing", 1);
	covering_take(&c, "shop.dump", 1000, COVERING_DATABASE, "billing");
	ck_assert_ptr_null(c.v[0].backup);
	ck_assert_str_eq(c.v[1].backup, "shop.dump");
	/* one that the server does not have covers nothing */
	covering_take(&c, "shop2.dump", 2000, COVERING_DATABASE, "gone");
	ck_assert_ptr_null(c.v[0].backup);
	ck_assert_uint_eq(c.backups, 2);
}
END_TEST

START_TEST(the_newest_counts_whatever_the_order)
{
	COVERING_AUTO c = { 0 };

	covering_add_database(&c, "shop", 1);
	covering_take(&c, "shop-2", 2000, COVERING_DATABASE, NULL);
	covering_take(&c, "shop-3", 3000, COVERING_DATABASE, NULL);
	covering_take(&c, "shop-1", 1000, COVERING_DATABASE, NULL);
	ck_assert_str_eq(c.v[0].backup, "shop-3");
	ck_assert_int_eq(c.v[0].at_ms, 3000);
}
END_TEST

START_TEST(a_cluster_covers_all_and_the_roles)
{
	COVERING_AUTO c = { 0 };

	covering_add_database(&c, "shop", 1);
	covering_add_database(&c, "billing", 1);
	covering_take(&c, "globals.sql", 1000, COVERING_ROLES, NULL);
	ck_assert(c.roles);
	ck_assert_ptr_null(c.v[0].backup);
	covering_take(&c, "base", 2000, COVERING_CLUSTER, NULL);
	ck_assert_str_eq(c.v[0].backup, "base");
	ck_assert_str_eq(c.v[1].backup, "base");
}
END_TEST

START_TEST(names_say_what_kind_it_is)
{
	ck_assert_int_eq(covering_by_name("pg_dumpall-20260217.sql.gz"), COVERING_CLUSTER);
	ck_assert_int_eq(covering_by_name("all-databases.sql"), COVERING_CLUSTER);
	ck_assert_int_eq(covering_by_name("db1-globals-20260217.sql"), COVERING_ROLES);
	ck_assert_int_eq(covering_by_name("payrolls-20260217.dump"), COVERING_DATABASE);
	ck_assert_int_eq(covering_by_name("shop.dump"), COVERING_DATABASE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("covering");
	TCase *c = tcase_create("covering");

	tcase_add_loop_test(c, names_say_the_database, 0, CASES(names));
	tcase_add_test(c, its_header_wins_over_its_name);
	tcase_add_test(c, the_newest_counts_whatever_the_order);
	tcase_add_test(c, a_cluster_covers_all_and_the_roles);
	tcase_add_test(c, names_say_what_kind_it_is);
	suite_add_tcase(s, c);
	return suite_run(s);
}

#include "lib/storage/intake.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *head, *is;
} pages[] = {
	{ "<!DOCTYPE html><html>", "an HTML page" },
	{ "<!doctype HTML>", "an HTML page" },
	{ "<html lang=\"en\">", "an HTML page" },
	{ "\r\n \t<HTML>", "an HTML page" },
	{ "\xef\xbb\xbf<?xml version=\"1.0\"?>", "an XML document" },
	{ "<Error><Code>AccessDenied", "an XML document" },
	{ "PGDMP", NULL },
	{ "--\n-- PostgreSQL database dump\n--\n", NULL },
	{ "<", NULL },
	{ "<htm", NULL },
	{ "x<html>", NULL },
	{ "   ", NULL },
	{ "", NULL },
};

START_TEST(page)
{
	const char *is = intake_page((const unsigned char *)pages[_i].head, strlen(pages[_i].head));

	if (pages[_i].is)
		ck_assert_str_eq(is, pages[_i].is);
	else
		ck_assert_ptr_null(is);
}
END_TEST

START_TEST(one_pass)
{
	struct intake t;
	struct storage_sink sink;
	struct err e = { 0 };
	char hex[DIGEST_HEX_SIZE];
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(intake_begin(&t, fileno(f), &e), 0);
	sink = intake_sink(&t);
	ck_assert_int_eq(sink.write(sink.ctx, "wrong", 5, &e), 0);
	/* The object was replaced: all begins again. */
	ck_assert_int_eq(sink.restart(sink.ctx, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "12345", 5, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "6789", 4, &e), 0);
	ck_assert_uint_eq(t.bytes, 9);
	ck_assert_int_eq(memcmp(t.head, "123456789", 9), 0);
	ck_assert_int_eq(digest_hex(t.digest, hex, &e), 0);
	/* FIPS 180-4 of "123456789" */
	ck_assert_str_eq(hex, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
	ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
	ck_assert_int_eq(ftell(f), 9);
	intake_free(&t);
	ck_assert_int_eq(fclose(f), 0);
}
END_TEST

START_TEST(a_write_that_fails)
{
	FILE *full = fopen("/dev/full", "we");
	struct intake t;
	struct storage_sink sink;
	struct err e = { 0 };

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(intake_begin(&t, fileno(full), &e), 0);
	sink = intake_sink(&t);
	ck_assert_int_eq(sink.write(sink.ctx, "x", 1, &e), -1);
	ck_assert_int_ne(t.write_errno, 0);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	intake_free(&t);
	(void)fclose(full);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("intake");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, page, 0, CASES(pages));
	tcase_add_test(t, one_pass);
	tcase_add_test(t, a_write_that_fails);
	suite_add_tcase(s, t);
	return suite_run(s);
}

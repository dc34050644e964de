#include "lib/base/xmem.h"
#include "lib/storage/digest.h"
#include "lib/storage/intake.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <unistd.h>

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
	const struct storage_stat known = { .bytes = 9 };
	atomic_ullong total = 0;
	struct intake t = { .at = 3, .most = 9, .proving = true, .total = &total };
	struct storage_sink sink = intake_sink(&t);
	struct err e = { 0 };
	BUF_AUTO told = BUF_INIT(100);
	char hex[DIGEST_HEX_SIZE], back[13] = "";
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	t.fd = fileno(f);
	ck_assert_int_eq(intake_begin(&t, &known, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "wrong", 5, &e), 0);
	/* The object was replaced: all begins again. */
	ck_assert_int_eq(sink.restart(sink.ctx, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "12345", 5, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "6789", 4, &e), 0);
	ck_assert_uint_eq(t.bytes, 9);
	ck_assert_uint_eq(total, 9);
	ck_assert_int_eq(memcmp(t.head, "123456789", 9), 0);
	ck_assert_int_eq(proof_end(&t.proof, "x", hex, &told, &e), 0);
	/* FIPS 180-4 of "123456789" */
	ck_assert_str_eq(hex, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
	ck_assert_int_eq(pread(t.fd, back, 12, 0), 12);
	ck_assert_int_eq(memcmp(back + 3, "123456789", 9), 0);
	/* More than was promised. */
	ck_assert_int_eq(sink.write(sink.ctx, "0", 1, &e), -1);
	ck_assert_int_eq(e.kind, ERR_REMOTE);
	intake_end(&t, false);
	ck_assert_uint_eq(total, 0);
	ck_assert_int_eq(fclose(f), 0);
}
END_TEST

static const int64_t lengths[] = { 0,
				   1,
				   16384,
				   INTAKE_GATHERED - 1,
				   INTAKE_GATHERED,
				   INTAKE_GATHERED + 1,
				   3 * INTAKE_GATHERED + 7 };
static const size_t pieces[] = { 16384, 5000, INTAKE_GATHERED, 2 * INTAKE_GATHERED + 3 };

static char byte_at(int64_t i)
{
	return (char)(i * 7 + i / 1021);
}

/* Follows the stream: it gets every byte once, in order, in large pieces, and finds it in its
 * place. */
struct listener {
	const struct intake *reads; /* NULL: does not look */
	int64_t bytes;
	int calls, wrong;
	int64_t refuses_from; /* 0: takes all */
	int64_t arrived;
};

static int listen_to(void *ctx, const void *p, size_t n, struct err *e)
{
	struct listener *l = ctx;

	if (l->refuses_from && l->bytes + (int64_t)n > l->refuses_from)
		return err_set(e, ERR_SYSTEM, "enough");
	if (l->reads) {
		AUTO_FREE char *there = xmalloc(n);
		const off_t at = l->reads->at + l->bytes;

		l->wrong +=
			pread(l->reads->fd, there, n, at) != (ssize_t)n || memcmp(there, p, n) != 0;
	}
	for (size_t i = 0; i < n; i++)
		l->wrong += ((const char *)p)[i] != byte_at(l->bytes + (int64_t)i);
	l->bytes += (int64_t)n;
	l->calls++;
	return 0;
}

/* Nothing is told of before it has been listened to. */
static int arrive(void *ctx, size_t n, struct err *e)
{
	struct listener *l = ctx;

	(void)e;
	l->arrived += (int64_t)n;
	l->wrong += l->arrived > l->bytes;
	return 0;
}

/* Whatever the pieces are, with the length known or not, everything arrives. */
START_TEST(gathers)
{
	const int64_t length = lengths[_i / 2 % CASES(lengths)];
	const size_t piece = pieces[_i / 2 / CASES(lengths)];
	const struct storage_stat known = { .bytes = length };
	struct listener l = { 0 };
	const struct storage_sink stream = { .write = listen_to, .ctx = &l };
	struct intake t = { .at = 11,
			    .most = _i % 2 ? length : -1,
			    .proving = true,
			    .gathers = true,
			    .stream = &stream,
			    .arrived = arrive,
			    .arrived_ctx = &l };
	struct storage_sink sink = intake_sink(&t);
	AUTO_FREE char *all = xmalloc((size_t)length + 1), *back = xmalloc((size_t)length + 1);
	struct err e = { 0 };
	BUF_AUTO told = BUF_INIT(100);
	char hex[DIGEST_HEX_SIZE], whole[DIGEST_HEX_SIZE];
	struct digest *d = digest_new(&e);
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	t.fd = fileno(f);
	l.reads = &t;
	for (int64_t i = 0; i < length; i++)
		all[i] = byte_at(i);
	ck_assert_int_eq(intake_begin(&t, &known, &e), 0);
	for (int64_t i = 0; i < length; i += (int64_t)piece)
		ck_assert_int_eq(
			sink.write(sink.ctx, all + i,
				   length - i < (int64_t)piece ? (size_t)(length - i) : piece, &e),
			0);
	ck_assert_int_eq(intake_flush(&t, &e), 0);
	ck_assert_int_eq(intake_flush(&t, &e), 0);
	ck_assert_uint_eq(t.bytes, (uint64_t)length);
	ck_assert_uint_eq(t.placed, (uint64_t)length);
	ck_assert_int_eq(l.bytes, length);
	ck_assert_int_eq(l.arrived, length);
	ck_assert_int_eq(l.wrong, 0);
	ck_assert_int_le(l.calls, (int)(length / INTAKE_GATHERED) + 1);
	ck_assert_int_eq(pread(t.fd, back, (size_t)length + 1, 11), length);
	ck_assert_int_eq(memcmp(all, back, (size_t)length), 0);
	ck_assert_int_eq(proof_end(&t.proof, "x", hex, &told, &e), 0);
	ck_assert_int_eq(digest_add(d, all, (size_t)length, &e), 0);
	ck_assert_int_eq(digest_hex(d, whole, &e), 0);
	ck_assert_str_eq(hex, whole);
	digest_free(&d);
	intake_end(&t, true);
	ck_assert_int_eq(fclose(f), 0);
}
END_TEST

/* A part of a whole: the whole proves it, and goes on from it. */
START_TEST(part_of_a_whole)
{
	const struct storage_stat known = { .bytes = 3 * INTAKE_GATHERED + 3 };
	struct intake whole = { .fd = -1, .most = known.bytes, .proving = true };
	struct intake part = {
		.fd = -1, .most = 3 * INTAKE_GATHERED, .gathers = true, .of = &whole
	};
	struct storage_sink sink = intake_sink(&part), rest = intake_sink(&whole);
	AUTO_FREE char *zeros = xcalloc(3, INTAKE_GATHERED);
	struct err e = { 0 };
	BUF_AUTO told = BUF_INIT(100);
	char hex[DIGEST_HEX_SIZE], expected[DIGEST_HEX_SIZE];
	DIGEST_AUTO d = digest_new(&e);

	ck_assert_int_eq(intake_begin(&whole, &known, &e), 0);
	ck_assert_int_eq(intake_begin(&part, &known, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, zeros, (size_t)3 * INTAKE_GATHERED, &e), 0);
	ck_assert_int_eq(intake_flush(&part, &e), 0);
	intake_end(&part, true);
	ck_assert_uint_eq(whole.bytes, 3 * INTAKE_GATHERED);
	ck_assert_int_eq(rest.write(rest.ctx, "end", 3, &e), 0);
	ck_assert_int_eq(proof_end(&whole.proof, "x", hex, &told, &e), 0);
	ck_assert_int_eq(digest_add(d, zeros, (size_t)3 * INTAKE_GATHERED, &e), 0);
	ck_assert_int_eq(digest_add(d, "end", 3, &e), 0);
	ck_assert_int_eq(digest_hex(d, expected, &e), 0);
	ck_assert_str_eq(hex, expected);
	ck_assert_int_eq(whole.head[0], 0);
	intake_end(&whole, true);
}
END_TEST

/* Who listens, and refuses, is heard at once, at the next piece or at the end. */
START_TEST(refused)
{
	const struct storage_stat known = { .bytes = 5 * INTAKE_GATHERED };
	struct listener l = { .refuses_from = (2 + _i) * INTAKE_GATHERED };
	const struct storage_sink stream = { .write = listen_to, .ctx = &l };
	struct intake t = { .fd = -1,
			    .most = 5 * INTAKE_GATHERED,
			    .gathers = true,
			    .stream = &stream,
			    .arrived = arrive,
			    .arrived_ctx = &l };
	struct storage_sink sink = intake_sink(&t);
	AUTO_FREE char *piece = xcalloc(INTAKE_GATHERED, 1);
	struct err e = { 0 };
	int rc = 0;

	ck_assert_int_eq(intake_begin(&t, &known, &e), 0);
	for (int i = 0; rc == 0 && i < 5; i++)
		rc = sink.write(sink.ctx, piece, INTAKE_GATHERED, &e);
	if (rc == 0)
		rc = intake_flush(&t, &e);
	ck_assert_int_eq(rc, -1);
	ck_assert_str_eq(e.msg, "enough");
	ck_assert_int_eq(l.arrived, l.refuses_from);
	intake_end(&t, false);
}
END_TEST

/* The object is replaced while the old bytes are proven. */
START_TEST(begins_again_meanwhile)
{
	const struct storage_stat known = { .bytes = 3 };
	struct intake t = { .fd = -1, .most = -1, .proving = true, .gathers = true };
	struct storage_sink sink = intake_sink(&t);
	AUTO_FREE char *old = xcalloc(3, INTAKE_GATHERED);
	struct err e = { 0 };
	BUF_AUTO told = BUF_INIT(100);
	char hex[DIGEST_HEX_SIZE];

	ck_assert_int_eq(intake_begin(&t, &known, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, old, (size_t)3 * INTAKE_GATHERED, &e), 0);
	ck_assert_int_eq(sink.restart(sink.ctx, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "abc", 3, &e), 0);
	ck_assert_int_eq(intake_flush(&t, &e), 0);
	ck_assert_int_eq(proof_end(&t.proof, "x", hex, &told, &e), 0);
	/* FIPS 180-4, appendix B.1 */
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	intake_end(&t, true);
}
END_TEST

/* What was gathered of the object that was replaced is not written. */
START_TEST(forgets_what_is_gathered)
{
	const struct storage_stat known = { .bytes = 5 };
	struct intake t = { .most = 5, .gathers = true };
	struct storage_sink sink = intake_sink(&t);
	struct err e = { 0 };
	char back[6] = "";
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	t.fd = fileno(f);
	ck_assert_int_eq(intake_begin(&t, &known, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "old", 3, &e), 0);
	ck_assert_int_eq(sink.restart(sink.ctx, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "new", 3, &e), 0);
	ck_assert_int_eq(pread(t.fd, back, 5, 0), 0);
	ck_assert_int_eq(intake_flush(&t, &e), 0);
	ck_assert_int_eq(pread(t.fd, back, 5, 0), 3);
	ck_assert_str_eq(back, "new");
	intake_end(&t, true);
	ck_assert_int_eq(fclose(f), 0);
}
END_TEST

START_TEST(a_write_that_fails)
{
	FILE *full = fopen("/dev/full", "we");
	const struct storage_stat known = { .bytes = 9 };
	struct intake t = { .most = -1 };
	struct storage_sink sink = intake_sink(&t);
	struct err e = { 0 };

	ck_assert_ptr_nonnull(full);
	t.fd = fileno(full);
	ck_assert_int_eq(intake_begin(&t, &known, &e), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "x", 1, &e), -1);
	ck_assert_int_ne(t.write_errno, 0);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	intake_end(&t, true);
	(void)fclose(full);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("intake");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, page, 0, CASES(pages));
	tcase_add_test(t, one_pass);
	tcase_add_loop_test(t, gathers, 0, 2 * CASES(lengths) * CASES(pieces));
	tcase_add_test(t, part_of_a_whole);
	tcase_add_loop_test(t, refused, 0, 3);
	tcase_add_test(t, begins_again_meanwhile);
	tcase_add_test(t, forgets_what_is_gathered);
	tcase_add_test(t, a_write_that_fails);
	suite_add_tcase(s, t);
	return suite_run(s);
}

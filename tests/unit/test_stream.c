/* What is packed comes out whole, or it is told what is wrong with it. */
#include "tests/unit/unpack.h"

static unsigned char plain[PLAIN], packed[2 * ROOM];
static struct result r;

START_TEST(whole)
{
	const struct packer *k = &packers[_i];
	static const size_t steps[] = { 1, 2, 7, 100, ROOM };
	size_t n;

	fill(plain, PLAIN);
	n = k->pack(plain, PLAIN, packed);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		unpack_with(packed, n, steps[i], (struct stream_opts){ .codec = k->codec }, &r);
		ck_assert_msg(r.status == 0, "%s", r.e.msg);
		ck_assert_uint_eq(r.n, PLAIN);
		ck_assert_mem_eq(r.out, plain, PLAIN);
		ck_assert_str_eq(r.compression, k->name);
		ck_assert_str_eq(r.note, "");
		ck_assert_uint_eq(r.in_b, n);
		ck_assert_uint_eq(r.out_b, PLAIN);
	}
}
END_TEST

START_TEST(packed_nothing)
{
	const struct packer *k = &packers[_i];
	size_t n = k->pack("", 0, packed);

	unpack(k, packed, n, &r);
	ck_assert_msg(r.status == 0, "%s", r.e.msg);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(cut_anywhere)
{
	const struct packer *k = &packers[_i];
	size_t n;

	fill(plain, PLAIN);
	n = k->pack(plain, PLAIN, packed);
	for (size_t cut = k->magic; cut < n; cut++) {
		unpack(k, packed, cut, &r);
		ck_assert_msg(r.status == -1, "%s cut at %zu of %zu", k->name, cut, n);
		ck_assert_int_eq(r.e.kind, ERR_BACKUP);
		ck_assert_msg(strstr(r.e.msg, "truncated") != NULL, "%s", r.e.msg);
		ck_assert(memcmp(r.out, plain, r.n) == 0);
	}
}
END_TEST

/* Adler-32, all that zlib has, is blind to some changes: one of these flips turns "gef" into
 * "fge", which has the same sum. */
static bool adler_is_blind(const struct packer *k)
{
	return strcmp(k->name, "zlib") == 0 && r.n == PLAIN &&
	       adler32(1, r.out, PLAIN) == adler32(1, plain, PLAIN);
}

/* A flipped bit is found, or harmless (the time in gzip's header): never other bytes. */
START_TEST(flipped_anywhere)
{
	const struct packer *k = &packers[_i];
	size_t n, found = 0;

	fill(plain, PLAIN);
	n = k->pack(plain, PLAIN, packed);
	for (size_t i = 0; i < n * 8; i++) {
		packed[i / 8] ^= (unsigned char)(1u << i % 8);
		unpack(k, packed, n, &r);
		packed[i / 8] ^= (unsigned char)(1u << i % 8);
		if (r.status == 0 && i / 8 >= k->magic && !adler_is_blind(k))
			ck_assert_msg(r.n == PLAIN && memcmp(r.out, plain, PLAIN) == 0,
				      "%s: bit %zu of byte %zu", k->name, i % 8, i / 8);
		found += r.status != 0;
	}
	ck_assert_uint_gt(found, n * 7);
}
END_TEST

START_TEST(several_members)
{
	const struct packer *k = &packers[_i];
	size_t n;

	if (k->codec) /* one zlib stream is all there is: more is an error */
		return;
	fill(plain, PLAIN);
	n = k->pack(plain, 1000, packed);
	n += k->pack(plain + 1000, 0, packed + n);
	n += k->pack(plain + 1000, PLAIN - 1000, packed + n);
	unpack(k, packed, n, &r);
	ck_assert_msg(r.status == 0, "%s", r.e.msg);
	ck_assert_uint_eq(r.n, PLAIN);
	ck_assert_mem_eq(r.out, plain, PLAIN);
}
END_TEST

START_TEST(something_behind)
{
	const struct packer *k = &packers[_i];
	size_t n;

	fill(plain, PLAIN);
	n = k->pack(plain, PLAIN, packed);
	memcpy(packed + n, "garbage", 7);
	unpack(k, packed, n + 7, &r);
	ck_assert_int_eq(r.status, -1);
	ck_assert_int_eq(r.e.kind, ERR_BACKUP);
	ck_assert_msg(strstr(r.e.msg, "foreign bytes") != NULL, "%s", r.e.msg);
	ck_assert_uint_eq(r.n, PLAIN);

	memset(packed + n, 0, 512);
	unpack(k, packed, n + 512, &r);
	ck_assert_int_eq(r.status, k->padded ? 0 : -1);
	ck_assert_str_eq(r.note, !k->padded ? ""
				 : strcmp(k->name, "gzip") == 0
					 ? "512 zero bytes follow the gzip data"
					 : "512 zero bytes follow the xz data");
}
END_TEST

START_TEST(twice)
{
	static unsigned char inner[ROOM];
	const struct packer *k = &packers[_i];
	char want[32];
	size_t n;

	fill(plain, PLAIN);
	n = pack_gzip(plain, PLAIN, inner);
	n = k->pack(inner, n, packed);
	unpack(k, packed, n, &r);
	ck_assert_msg(r.status == 0, "%s", r.e.msg);
	if (k->codec) { /* told what it is: what comes out is data, whatever it looks like */
		ck_assert_str_eq(r.compression, k->name);
		return;
	}
	ck_assert_mem_eq(r.out, plain, PLAIN);
	(void)snprintf(want, sizeof(want), "gzip in %s", k->name);
	ck_assert_str_eq(r.compression, want);
	ck_assert_msg(strstr(r.note, want) != NULL, "%s", r.note);
}
END_TEST

START_TEST(too_deep)
{
	static unsigned char other[ROOM];
	size_t n = pack_gzip("x", 1, packed);

	for (int i = 0; i < STREAM_DEPTH; i++) {
		memcpy(other, packed, n);
		n = pack_gzip(other, n, packed);
	}
	unpack(&packers[0], packed, n, &r);
	ck_assert_int_eq(r.status, -1);
	ck_assert_msg(strstr(r.e.msg, "more than 6 times") != NULL, "%s", r.e.msg);
}
END_TEST

START_TEST(limits)
{
	size_t n;

	fill(plain, PLAIN);
	n = pack_gzip(plain, PLAIN, packed);
	unpack_with(packed, n, ROOM, (struct stream_opts){ .max_out_b = PLAIN }, &r);
	ck_assert_int_eq(r.status, 0);
	unpack_with(packed, n, ROOM, (struct stream_opts){ .max_out_b = PLAIN - 1, .name = "f" },
		    &r);
	ck_assert_int_eq(r.e.kind, ERR_SYSTEM);
	ck_assert_str_eq(r.e.msg, "read f: more than 2999 bytes come out of it; raise MAX_UNPACKED "
				  "if that is right");
}
END_TEST

START_TEST(ratio)
{
	enum { BOMB = 80 * 1024 * 1024 };
	unsigned char *zeros = xcalloc(BOMB, 1);
	struct memory m = { packed, 0, ROOM };
	struct stream_source source = { read_memory, &m };
	struct stream_opts o = { .max_ratio = 1000 };
	struct err e = { 0 };
	const unsigned char *p;
	struct stream *s;
	ssize_t got;

	m.n = pack_zstd(zeros, BOMB, packed);
	s = stream_open(&source, &o, &e);
	ck_assert_ptr_nonnull(s);
	do
		got = stream_next(s, &p, &e);
	while (got > 0);
	ck_assert_int_eq(got, -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_msg(strstr(e.msg, "more than 1000 to 1") != NULL, "%s", e.msg);
	stream_close(s);
	free(zeros);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stream");
	TCase *c = tcase_create("stream");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, whole, 0, PACKERS);
	tcase_add_loop_test(c, packed_nothing, 0, PACKERS);
	tcase_add_loop_test(c, cut_anywhere, 0, PACKERS);
	tcase_add_loop_test(c, flipped_anywhere, 0, PACKERS);
	tcase_add_loop_test(c, several_members, 0, PACKERS);
	tcase_add_loop_test(c, something_behind, 0, PACKERS);
	tcase_add_loop_test(c, twice, 0, PACKERS);
	tcase_add_test(c, too_deep);
	tcase_add_test(c, limits);
	tcase_add_test(c, ratio);
	suite_add_tcase(s, c);
	return suite_run(s);
}

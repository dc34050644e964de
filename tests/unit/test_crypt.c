/* Encrypted containers made by gpg 2.2, age 1.1 and OpenSSL 3.0 (tests/fixtures/crypt), of the
 * lines 1 to 200, or to 13000 ("two": two chunks of age's). The passphrase is "correct horse". */
#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/age.h"
#include "lib/dump/base64.h"
#include "lib/dump/pgp.h"
#include "lib/dump/sniff.h"
#include "lib/dump/stream.h"
#include "tests/unit/memory.h"
#include "tests/unit/suite.h"

#include <unistd.h>

#define FIXTURES "tests/fixtures/crypt/"

enum { SMALL = 200, TWO = 13000, FILE_MAX = 1 << 20 };

static struct keys keys;
static struct buf file = BUF_INIT(FILE_MAX), plain = BUF_INIT(FILE_MAX), got = BUF_INIT(FILE_MAX);
static struct err error;
static char encryption[64], doubt[128];

static void lines(unsigned n)
{
	buf_reset(&plain);
	for (unsigned i = 1; i <= n; i++)
		buf_addf(&plain, "%u\n", i);
}

static void load(const char *name)
{
	char path[256];
	struct err e = { 0 };

	(void)snprintf(path, sizeof(path), FIXTURES "%s", name);
	buf_reset(&file);
	ck_assert_msg(io_slurp(path, &file, &e) == 0, "%s", e.msg);
}

static void use(const char *passphrase, const char *key)
{
	char path[256];
	struct err e = { 0 };

	keys_wipe(&keys);
	keys = (struct keys){ 0 };
	if (passphrase)
		ck_assert_int_eq(setenv("DECRYPT_PASSPHRASE", passphrase, 1), 0);
	(void)snprintf(path, sizeof(path), FIXTURES "%s", key ? key : "");
	ck_assert_msg(keys_load(&keys, &(struct keys_config){ NULL, key ? path : NULL, 0 }, &e) ==
			      0,
		      "%s", e.msg);
}

/* The first n bytes of the file, step at a time. 0: to the verified end. */
static int decrypt(size_t n, size_t step)
{
	struct memory m = { file.s, n, step };
	struct stream_source source = { read_memory, &m };
	struct stream_opts o = { .name = "f", .keys = &keys };
	const unsigned char *p;
	struct stream *s;
	ssize_t k;

	buf_reset(&got);
	error = (struct err){ 0 };
	s = stream_open(&source, &o, &error);
	if (s == NULL)
		return -1;
	while ((k = stream_next(s, &p, &error)) > 0)
		buf_add(&got, p, (size_t)k);
	(void)snprintf(encryption, sizeof(encryption), "%s", stream_encryption(s));
	(void)snprintf(doubt, sizeof(doubt), "%s", stream_doubt(s));
	ck_assert_str_eq(stream_compression(s), "none");
	stream_close(s);
	return (int)k;
}

static void fails(enum err_kind kind, const char *says)
{
	ck_assert_int_eq(decrypt(file.len, FILE_MAX), -1);
	ck_assert_msg(error.kind == kind && strstr(error.msg, says), "%u: %s", error.kind,
		      error.msg);
}

static const struct {
	const char *name, *passphrase, *key;
	const char *encryption;
	unsigned lines;
	unsigned iterations;
} containers[] = {
	{ "pbkdf2.enc", "correct horse", NULL, "openssl", SMALL, 0 },
	{ "pbkdf2.enc", "correct horse", NULL, "openssl", SMALL, 10000 },
	{ "iter12345.enc", "correct horse", NULL, "openssl", SMALL, 12345 },
	{ "legacy-sha256.enc", "correct horse", NULL, "openssl", SMALL, 0 },
	{ "legacy-md5.enc", "correct horse", NULL, "openssl", SMALL, 0 },
	{ "aes128-sha512.enc", "correct horse", NULL, "openssl", SMALL, 0 },
	{ "base64.enc", "correct horse", NULL, "openssl", SMALL, 0 },
	{ "oneline.enc", "correct horse", NULL, "openssl", SMALL, 0 },
	{ "two.age", NULL, "age.key", "age", TWO, 0 },
	{ "small.age", NULL, "age.key", "age", SMALL, 0 },
	{ "empty.age", NULL, "age.key", "age", 0, 0 },
	{ "armor.age", NULL, "age.key", "age", SMALL, 0 },
	{ "pass.age", "correct horse", NULL, "age", SMALL, 0 },
	{ "pass.gpg", "correct horse", NULL, "gpg", SMALL, 0 },
	{ "two.gpg", "correct horse", NULL, "gpg", TWO, 0 },
	{ "key.gpg", NULL, "gpg.key", "gpg", SMALL, 0 },
	{ "key.gpg.asc", NULL, "gpg.key", "gpg", SMALL, 0 },
	{ "locked.gpg", "correct horse", "gpg-locked.key", "gpg", SMALL, 0 },
};

START_TEST(whole)
{
	static const size_t steps[] = { FILE_MAX, 1000, 1 };
	bool quick = !strstr(containers[_i].name, "gpg") && !strstr(containers[_i].name, "pass");

	load(containers[_i].name);
	lines(containers[_i].lines);
	use(containers[_i].passphrase, containers[_i].key);
	keys.iterations = containers[_i].iterations;
	for (int i = 0; i < (quick ? CASES(steps) : 1); i++) {
		ck_assert_msg(decrypt(file.len, steps[i]) == 0, "%s", error.msg);
		ck_assert_uint_eq(got.len, plain.len);
		ck_assert_mem_eq(got.s, plain.s, plain.len);
		ck_assert_str_eq(encryption, containers[_i].encryption);
		ck_assert_int_eq(*doubt != '\0', strcmp(encryption, "openssl") == 0);
	}
	ck_assert_str_eq(sniff_encryption((unsigned char *)file.s, file.len),
			 containers[_i].encryption);
	ck_assert_str_eq(sniff_encryption((unsigned char *)file.s, 48), containers[_i].encryption);
}
END_TEST

START_TEST(without_keys_it_is_given_out_as_it_is)
{
	load(containers[_i].name);
	use(NULL, NULL);
	ck_assert_int_eq(decrypt(file.len, 100), 0);
	ck_assert_mem_eq(got.s, file.s, file.len);
	ck_assert_str_eq(encryption, "none");
}
END_TEST

/* That it could not be looked into says nothing about the backup: ERR_USAGE. */
static const struct {
	const char *name, *passphrase, *key, *says;
} locked[] = {
	{ "pbkdf2.enc", "wrong", NULL, "the passphrase is wrong, or another" },
	{ "iter12345.enc", "correct horse", NULL, "DECRYPT_ITERATIONS" },
	{ "pbkdf2.enc", NULL, "age.key", "asks for a passphrase" },
	{ "small.age", NULL, "age-other.key", "not for the given key" },
	{ "small.age", NULL, "gpg.key", "no age identity" },
	{ "small.age", "correct horse", NULL, "DECRYPT_KEY_FILE" },
	{ "ssh.age", NULL, "age.key", "of the kind ssh-ed25519" },
	{ "pass.age", "wrong", NULL, "the passphrase is wrong" },
	{ "pass.age", NULL, "age.key", "DECRYPT_PASSPHRASE_FILE" },
	{ "pass.gpg", "wrong", NULL, "the passphrase is wrong" },
	{ "pass.gpg", NULL, "gpg.key", "DECRYPT_PASSPHRASE_FILE" },
	{ "key.gpg", NULL, "gpg-locked.key", "which is not in the given key file" },
	{ "key.gpg", NULL, "age.key", "which is not in the given key file" },
	{ "key.gpg", "correct horse", NULL, "name the file of the secret key" },
	{ "locked.gpg", "wrong", "gpg-locked.key", "the passphrase is wrong" },
	{ "locked.gpg", NULL, "gpg-locked.key", "asks for a passphrase" },
};

START_TEST(wrong_key)
{
	load(locked[_i].name);
	use(locked[_i].passphrase, locked[_i].key);
	fails(ERR_USAGE, locked[_i].says);
	ck_assert_uint_eq(got.len, 0);
}
END_TEST

/* What the format cannot tell is in codec_openssl.c. */
static const struct {
	const char *name, *passphrase, *key;
	size_t from; /* shorter files are not recognised */
	size_t every;
} cuts[] = {
	{ "small.age", NULL, "age.key", 22, 1 }, { "two.age", NULL, "age.key", 300, 997 },
	{ "armor.age", NULL, "age.key", 34, 1 }, { "pass.gpg", "correct horse", NULL, 16, 130 },
	{ "key.gpg", NULL, "gpg.key", 30, 160 }, { "key.gpg.asc", NULL, "gpg.key", 60, 300 },
};

START_TEST(cut)
{
	load(cuts[_i].name);
	lines(TWO);
	use(cuts[_i].passphrase, cuts[_i].key);
	ck_assert_int_eq(decrypt(file.len, FILE_MAX), 0);
	for (size_t n = cuts[_i].from; n < file.len; n += cuts[_i].every) {
		/* The armor's last newline is a nicety. */
		if (file.s[n] == '\n' && n + 1 == file.len)
			break;
		ck_assert_msg(decrypt(n, FILE_MAX) == -1, "%s cut at %zu", cuts[_i].name, n);
		ck_assert_msg(error.kind == ERR_BACKUP && strstr(error.msg, "truncated"),
			      "%s cut at %zu: %s", cuts[_i].name, n, error.msg);
		/* gpg gives out what it has before it looks at its check. */
		if (strcmp(cuts[_i].name, "two.age") == 0)
			ck_assert_mem_eq(got.s, plain.s, got.len);
	}
}
END_TEST

START_TEST(cut_at_the_border_of_chunks)
{
	load("two.age");
	use(NULL, "age.key");
	ck_assert_int_eq(decrypt(file.len - (66894 - 65536 + 16), FILE_MAX), -1);
	ck_assert_msg(strstr(error.msg, "at the border of two chunks") != NULL, "%s", error.msg);
	ck_assert_int_eq(error.kind, ERR_BACKUP);
}
END_TEST

/* Never other bytes than the right ones; and a finding, or (in what surrounds an armor) none. */
static const struct {
	const char *name, *passphrase, *key;
	size_t every;
} flips[] = {
	{ "small.age", NULL, "age.key", 1 },       { "two.age", NULL, "age.key", 1009 },
	{ "pass.gpg", "correct horse", NULL, 97 }, { "two.gpg", "correct horse", NULL, 20011 },
	{ "key.gpg", NULL, "gpg.key", 160 },
};

START_TEST(flipped)
{
	load(flips[_i].name);
	lines(TWO);
	use(flips[_i].passphrase, flips[_i].key);
	for (size_t i = 30; i < file.len; i += flips[_i].every) {
		file.s[i] ^= 1;
		ck_assert_msg(decrypt(file.len, FILE_MAX) == -1, "%s flipped at %zu",
			      flips[_i].name, i);
		ck_assert_msg(error.kind == ERR_BACKUP || i < 250, "%s flipped at %zu: %s",
			      flips[_i].name, i, error.msg);
		ck_assert(*error.msg != '\0');
		file.s[i] ^= 1;
	}
}
END_TEST

START_TEST(openssl_tells_what_it_can)
{
	load("pbkdf2.enc");
	use("correct horse", NULL);
	ck_assert_int_eq(decrypt(file.len - 1, FILE_MAX), -1);
	ck_assert_msg(strstr(error.msg, "truncated: it ends within a block") != NULL, "%s",
		      error.msg);
	ck_assert_int_eq(decrypt(10, FILE_MAX), -1);
	ck_assert_msg(strstr(error.msg, "truncated: it ends before its first block") != NULL, "%s",
		      error.msg);
	/* Longer than what is looked at first: the end is found out at the end. */
	buf_reset(&file);
}
END_TEST

START_TEST(age_header_bounds)
{
	struct age_header *h = xmalloc(sizeof(*h));
	BUF_AUTO many = BUF_INIT(FILE_MAX);
	const char *why = "";

	load("two.age");
	ck_assert_int_eq(age_header_parse((unsigned char *)file.s, file.len, h, &why), 1);
	ck_assert_uint_eq(h->n_stanzas, 2);
	for (size_t n = 0, whole_n = h->n; n < whole_n; n++)
		ck_assert_int_eq(age_header_parse((unsigned char *)file.s, n, h, &why), 0);
	buf_adds(&many, "age-encryption.org/v1\n");
	for (int i = 0; i < AGE_STANZAS + 1; i++)
		buf_adds(&many, "-> new-kind a b c\n\n");
	ck_assert_int_eq(age_header_parse((unsigned char *)many.s, many.len, h, &why), -1);
	ck_assert_str_eq(why, "more than 256 recipients");
	free(h);
}
END_TEST

static const struct {
	const char *line;
	bool good;
} identities[] = {
	{ "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ5S4JFA", false },
	{ "AGE-SECRET-KEY-1", false },
	{ "", false },
	{ "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj", false },
	{ "AGE-SECRET-KEY-15UDL6MXG88JSC80KZ6VD4PN2YXSEKPZY4LWPD90XQQXF2Q4ZV6CS2X9N6C", true },
	{ "AGE-SECRET-KEY-15UDL6MXG88JSC80KZ6VD4PN2YXSEKPZY4LWPD90XQQXF2Q4ZV6CS2X9N6D", false },
	{ "AGE-SECRET-KEY-15UDL6MXG88JSC80KZ6VD4PN2YXSEKPZY4LWPD90XQQXF2Q4ZV6CS2X9N6B", false },
};

START_TEST(identity)
{
	unsigned char key[AGE_POINT];

	ck_assert_int_eq(age_identity(identities[_i].line, strlen(identities[_i].line), key),
			 identities[_i].good);
}
END_TEST

static const struct {
	const char *text, *bytes;
	ssize_t n;
} base64s[] = {
	{ "", "", 0 },          { "Zg", "f", 1 },        { "Zg==", "f", 1 }, { "Zm8=", "fo", 2 },
	{ "Zm9v", "foo", 3 },   { "Zm9vYg", "foob", 4 }, { "Z", "", -1 },    { "Zh", "", -1 },
	{ "Zg=", "", -1 },      { "Zg===", "", -1 },     { "Z===", "", -1 }, { "Zm9\n", "", -1 },
	{ "Zm9vZm9v", "", -1 }, { "=", "", -1 },         { "====", "", -1 },
};

START_TEST(base64)
{
	unsigned char out[5];
	ssize_t n = base64_decode(base64s[_i].text, strlen(base64s[_i].text), out, sizeof(out));

	ck_assert_int_eq(n, base64s[_i].n);
	if (n > 0)
		ck_assert_mem_eq(out, base64s[_i].bytes, (size_t)n);
}
END_TEST

static const struct {
	const char *bytes;
	size_t n;
	bool cut;
} packets[] = {
	{ "", 0, false },
	{ "\xc3", 1, true },
	{ "\xc3\x02", 2, true },
	{ "\xc3\x02"
	  "ab",
	  4, false },
	{ "\xc3\x02"
	  "abc",
	  5, false },            /* no packet: not ours to judge */
	{ "\xd2\xe1", 2, true }, /* a piece of 2 bytes, and more to come */
	{ "\xd2\xe1"
	  "ab",
	  4, true },
	{ "\xd2\xe1"
	  "ab\x01",
	  5, true },
	{ "\xd2\xe1"
	  "ab\x01"
	  "c",
	  6, false },
	{ "\xd2\xc0\x00", 3, true }, /* 192 bytes */
	{ "\xd2\xff\x00\x00\x00\x01", 6, true },
	{ "\xd2\xff\x00\x00\x00\x01"
	  "a",
	  7, false },
	{ "\x84\x01", 2, true }, /* the old format */
	{ "\x84\x01"
	  "a",
	  3, false },
	{ "\x85\x00\x01", 3, true },
	{ "\xa7"
	  "anything",
	  9, false }, /* up to the end of the file, whatever it is */
	{ "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE----", 57, true },
	{ "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n", 59, false },
};

START_TEST(walk)
{
	for (size_t step = 1; step <= packets[_i].n + 1; step++) {
		struct pgp_walk w = { 0 };

		for (size_t at = 0; at < packets[_i].n; at += step)
			pgp_walk(&w, (const unsigned char *)packets[_i].bytes + at,
				 step < packets[_i].n - at ? step : packets[_i].n - at);
		ck_assert_msg(pgp_walk_cut(&w) == packets[_i].cut, "packet %d by %zu", _i, step);
	}
}
END_TEST

START_TEST(walk_192)
{
	struct pgp_walk w = { 0 };
	unsigned char body[192] = { 0 };

	pgp_walk(&w, (const unsigned char *)"\xd2\xc0\x00", 3);
	pgp_walk(&w, body, 191);
	ck_assert(pgp_walk_cut(&w));
	pgp_walk(&w, body, 1);
	ck_assert(!pgp_walk_cut(&w));
}
END_TEST

START_TEST(told_without_unpacking)
{
	ck_assert_str_eq(sniff_encryption_named("shop.sql.gz.gpg"), "gpg");
	ck_assert_str_eq(sniff_encryption_named("shop.dump.age.zst"), "age");
	ck_assert_str_eq(sniff_encryption_named("shop.ENC"), "openssl");
	ck_assert_ptr_null(sniff_encryption_named("shop.dump"));
	ck_assert_ptr_null(sniff_encryption_named(".gpg"));
	ck_assert_str_eq(sniff_encryption((const unsigned char *)"PGDMP", 5), "none");
	ck_assert_ptr_null(sniff_encryption((const unsigned char *)"\x1f\x8b\x08", 3));
	ck_assert_str_eq(sniff_encryption_of(FIXTURES "small.age"), "age");
	ck_assert_ptr_null(sniff_encryption_of(FIXTURES "missing"));
	ck_assert_ptr_null(sniff_encryption_of(FIXTURES));
}
END_TEST

START_TEST(passphrases)
{
	char path[] = "/tmp/test_crypt.XXXXXX";
	int fd = mkstemp(path);
	struct err e = { 0 };

	keys_wipe(&keys);
	ck_assert_int_eq(write(fd, "one\r\ntwo\n", 9), 9);
	ck_assert_int_eq(keys_load(&keys, &(struct keys_config){ path, NULL, 0 }, &e), 0);
	ck_assert_str_eq(keys.passphrase.value, "one");
	ck_assert(keys_any(&keys));
	keys_wipe(&keys);
	ck_assert(!keys_any(&keys));
	ck_assert(!keys_any(NULL));
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(keys_load(&keys, &(struct keys_config){ path, NULL, 0 }, &e), -1);
	ck_assert_int_eq(pwrite(fd, "\nx", 2, 0), 2);
	ck_assert_int_eq(keys_load(&keys, &(struct keys_config){ path, NULL, 0 }, &e), -1);
	ck_assert_msg(strstr(e.msg, "its first line is empty") != NULL, "%s", e.msg);
	ck_assert_int_eq(pwrite(fd, "a\0b", 3, 0), 3);
	ck_assert_int_eq(keys_load(&keys, &(struct keys_config){ path, NULL, 0 }, &e), -1);
	ck_assert_msg(strstr(e.msg, "NUL") != NULL, "%s", e.msg);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crypt");
	TCase *c = tcase_create("containers"), *p = tcase_create("parts");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, whole, 0, CASES(containers));
	tcase_add_loop_test(c, without_keys_it_is_given_out_as_it_is, 0, CASES(containers));
	tcase_add_loop_test(c, wrong_key, 0, CASES(locked));
	tcase_add_loop_test(c, cut, 0, CASES(cuts));
	tcase_add_test(c, cut_at_the_border_of_chunks);
	tcase_add_loop_test(c, flipped, 0, CASES(flips));
	tcase_add_test(c, openssl_tells_what_it_can);
	suite_add_tcase(s, c);
	tcase_add_test(p, age_header_bounds);
	tcase_add_loop_test(p, identity, 0, CASES(identities));
	tcase_add_loop_test(p, base64, 0, CASES(base64s));
	tcase_add_loop_test(p, walk, 0, CASES(packets));
	tcase_add_test(p, walk_192);
	tcase_add_test(p, told_without_unpacking);
	tcase_add_test(p, passphrases);
	suite_add_tcase(s, p);
	return suite_run(s);
}

/* Any bytes as an encrypted file: the headers of age, the packets of OpenPGP, base64, and openssl
 * enc from "Salted__" on; gpg itself is not run. */
#include "lib/dump/age.h"
#include "lib/dump/pgp.h"
#include "tests/unit/memory.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many bytes came out of it; -1: not to a verified end. */
static int64_t decrypt(const uint8_t *data, size_t size, size_t step)
{
	/* That of tests/fixtures/crypt/age.key; one iteration, so that many are tried. */
	static char identity[] =
		"AGE-SECRET-KEY-15UDL6MXG88JSC80KZ6VD4PN2YXSEKPZY4LWPD90XQQXF2Q4ZV6CS2X9N6C";
	static char passphrase[] = "correct horse";
	const struct keys keys = { .key = { identity, sizeof(identity) - 1 },
				   .passphrase = { passphrase, sizeof(passphrase) - 1 },
				   .iterations = 1 };
	const struct stream_opts opts = { .max_out_b = 1 << 20, .keys = &keys };
	struct memory m = { data, size, step };
	struct stream_source source = { read_memory, &m };
	struct err e = { 0 };
	struct stream *s = stream_open(&source, &opts, &e);
	const unsigned char *p;
	int64_t sum = 0;
	ssize_t n = -1;

	while (s && (n = stream_next(s, &p, &e)) > 0)
		sum += n;
	stream_close(s);
	return n < 0 ? -1 : sum;
}

/* A passphrase of age's takes its time by intent, and a program is not for here. */
static bool too_slow(const uint8_t *data, size_t size)
{
	return memmem(data, size, "scrypt", 6) || pgp_begins(data, size);
}

static void walk(const uint8_t *data, size_t size)
{
	struct pgp_walk whole = { 0 }, bytes = { 0 };

	pgp_walk(&whole, data, size);
	for (size_t i = 0; i < size; i++)
		pgp_walk(&bytes, data + i, 1);
	if (pgp_walk_cut(&whole) != pgp_walk_cut(&bytes))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct age_header h;
	const char *why = "";

	if (age_header_parse(data, size, &h, &why) > 0 && (h.n > size || h.mac_n > h.n))
		abort();
	walk(data, size);
	/* Inside of a layer something slow may begin too: no compression is looked into. */
	if (too_slow(data, size) || size < 8 ||
	    (memcmp(data, "age-", 4) != 0 && memcmp(data, "----", 4) != 0 &&
	     memcmp(data, "Salted__", 8) != 0 && memcmp(data, "U2Fsd", 5) != 0))
		return 0;
	if (decrypt(data, size, size) != decrypt(data, size, 3))
		abort();
	return 0;
}

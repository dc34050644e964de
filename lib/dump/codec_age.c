#include "lib/base/xmem.h"
#include "lib/dump/age.h"
#include "lib/dump/codec.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The payload: a nonce, then chunks, each with its tag; all but the last are full. Each is
 * encrypted under the number of the chunk, and whether it is the last one. */
enum { NONCE = 16, CHUNK = 64 * 1024, TAG = 16, SEALED = CHUNK + TAG, COUNTER = 12 };

struct age {
	const struct keys *keys;
	bool open; /* the payload's key is known */
	EVP_CIPHER_CTX *cipher;
	unsigned char key[32], counter[COUNTER];
	unsigned char plain[CHUNK]; /* decrypted and verified; [pos, len) is not given out yet */
	size_t pos, len;
	uint64_t chunks;
	bool last; /* it was the last chunk */
	char why[256];
};

static void *age_open(const struct keys *keys)
{
	struct age *a = xcalloc(1, sizeof(*a));

	a->keys = keys;
	a->cipher = EVP_CIPHER_CTX_new();
	if (a->cipher)
		return a;
	free(a);
	return NULL;
}

static void age_close(void *state)
{
	struct age *a = state;

	EVP_CIPHER_CTX_free(a->cipher);
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
}

static enum codec_step say(struct age *a, enum codec_step r, const char *why)
{
	if (why != a->why)
		(void)snprintf(a->why, sizeof(a->why), "%s", why);
	return r;
}

static void take(struct codec_io *io, size_t n)
{
	io->in += n;
	io->in_n -= n;
}

static enum codec_step unlock(struct age *a, const struct age_header *h, const unsigned char *text)
{
	unsigned char file_key[AGE_KEY];
	enum age_result r = age_unlock(h, text, a->keys, file_key, a->why);
	bool ok = r == AGE_OPEN &&
		  age_derive(file_key, AGE_KEY, text + h->n, NONCE, "payload", a->key);

	OPENSSL_cleanse(file_key, sizeof(file_key));
	if (ok)
		return CODEC_MORE;
	if (r == AGE_OPEN)
		return say(a, CODEC_FAILED, "the library would not derive the key");
	return r == AGE_LOCKED ? CODEC_LOCKED : r == AGE_DAMAGED ? CODEC_DAMAGED : CODEC_FAILED;
}

/* The header, and the nonce behind it. */
static enum codec_step begin(struct age *a, struct codec_io *io)
{
	struct age_header *h = xmalloc(sizeof(*h));
	const char *why = "";
	enum codec_step r = CODEC_MORE;
	int got = age_header_parse(io->in, io->in_n, h, &why);

	if (got < 0) {
		r = say(a, CODEC_DAMAGED, why);
	} else if (got == 0 || io->in_n < h->n + NONCE) {
		if (io->in_ends)
			r = say(a, CODEC_CUT, "it ends within its header");
	} else {
		r = unlock(a, h, io->in);
		a->open = r == CODEC_MORE;
		if (a->open)
			take(io, h->n + NONCE);
	}
	free(h);
	return r;
}

static bool open_chunk(struct age *a, const unsigned char *p, size_t n, bool last)
{
	unsigned char tag[TAG];
	int made = 0, rest = 0;

	memcpy(tag, p + n - TAG, TAG);
	a->counter[COUNTER - 1] = last;
	if (EVP_DecryptInit_ex(a->cipher, EVP_chacha20_poly1305(), NULL, a->key, a->counter) <= 0 ||
	    EVP_DecryptUpdate(a->cipher, a->plain, &made, p, (int)(n - TAG)) <= 0 ||
	    EVP_CIPHER_CTX_ctrl(a->cipher, EVP_CTRL_AEAD_SET_TAG, TAG, tag) <= 0 ||
	    EVP_DecryptFinal_ex(a->cipher, a->plain + made, &rest) <= 0)
		return false;
	a->pos = 0;
	a->len = (size_t)made;
	return true;
}

static void count_up(struct age *a)
{
	a->chunks++;
	for (int i = COUNTER - 2; i >= 0; i--)
		if (++a->counter[i] != 0)
			break;
}

/* The input ends with this chunk, and it does not open as the last one. */
static enum codec_step bad_end(struct age *a, const unsigned char *p, size_t n)
{
	if (n == SEALED && open_chunk(a, p, n, false)) {
		a->len = 0;
		return say(a, CODEC_CUT,
			   "it ends at the border of two chunks, and more belong to it");
	}
	if (n == SEALED)
		return say(a, CODEC_DAMAGED, "its last chunk was changed");
	return say(a, CODEC_CUT,
		   "it ends in the middle of a chunk (or its last chunk was changed)");
}

static enum codec_step next_chunk(struct age *a, struct codec_io *io)
{
	size_t n = io->in_n < SEALED ? io->in_n : SEALED;
	bool ends = io->in_ends && io->in_n == n;

	if (io->in_n <= SEALED && !io->in_ends)
		return CODEC_MORE;
	if (n < TAG)
		return say(a, CODEC_CUT, "it ends between two chunks");
	if (!open_chunk(a, io->in, n, ends))
		return ends ? bad_end(a, io->in, n) : say(a, CODEC_DAMAGED, "a chunk was changed");
	if (a->len == 0 && a->chunks > 0)
		return say(a, CODEC_DAMAGED, "an empty chunk at its end");
	take(io, n);
	count_up(a);
	a->last = ends;
	return CODEC_MORE;
}

static enum codec_step age_step(void *state, struct codec_io *io, const char **why)
{
	struct age *a = state;
	enum codec_step r = CODEC_MORE;
	size_t n;

	*why = a->why;
	if (!a->open)
		return begin(a, io);
	if (a->pos == a->len && !a->last)
		r = next_chunk(a, io);
	if (r != CODEC_MORE)
		return r;
	n = a->len - a->pos < io->out_n ? a->len - a->pos : io->out_n;
	memcpy(io->out, a->plain + a->pos, n);
	a->pos += n;
	io->out += n;
	io->out_n -= n;
	return a->last && a->pos == a->len ? CODEC_END : CODEC_MORE;
}

const struct codec codec_age = {
	.name = "age",
	.kind = CODEC_ENCRYPTION,
	.begins = age_begins,
	.open = age_open,
	.step = age_step,
	.close = age_close,
};

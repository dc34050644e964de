#include "lib/storage/sum.h"

#include "lib/base/xmem.h"
#include "lib/storage/crc.h"
#include "lib/storage/digest.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* One digest of some bytes. */
struct lane {
	EVP_MD_CTX *md; /* NULL for a CRC */
	uint64_t crc;
};

struct sum {
	enum sum_kind kind;
	int64_t part_bytes, in_part, parts;
	struct lane bytes, digests;
};

static int refused(enum sum_kind kind, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "compute %s: the OpenSSL library refused", sum_name(kind));
}

const char *sum_name(enum sum_kind kind)
{
	static const char *const names[] = {
		[SUM_MD5] = "MD5",      [SUM_SHA1] = "SHA-1",     [SUM_SHA256] = "SHA-256",
		[SUM_CRC32] = "CRC-32", [SUM_CRC32C] = "CRC-32C", [SUM_CRC64NVME] = "CRC-64/NVME"
	};

	return names[kind];
}

static const EVP_MD *method(enum sum_kind kind)
{
	switch (kind) {
	case SUM_MD5:
		return EVP_md5();
	case SUM_SHA1:
		return EVP_sha1();
	case SUM_SHA256:
		return EVP_sha256();
	case SUM_CRC32:
	case SUM_CRC32C:
	case SUM_CRC64NVME:
		break;
	}
	return NULL;
}

static int lane_reset(struct lane *l, enum sum_kind kind, struct err *e)
{
	l->crc = 0;
	if (method(kind) == NULL)
		return 0;
	if (l->md == NULL)
		l->md = EVP_MD_CTX_new();
	return l->md && EVP_DigestInit_ex(l->md, method(kind), NULL) == 1 ? 0 : refused(kind, e);
}

static int lane_add(struct lane *l, enum sum_kind kind, const void *p, size_t n, struct err *e)
{
	if (l->md)
		return EVP_DigestUpdate(l->md, p, n) == 1 ? 0 : refused(kind, e);
	if (kind == SUM_CRC32)
		l->crc = crc32_z(l->crc, p, n);
	else
		l->crc = crc_add(kind == SUM_CRC32C ? CRC_32C : CRC_64NVME, l->crc, p, n);
	return 0;
}

/* The digest in network byte order; 0 with *e when it cannot be had. */
static size_t lane_end(struct lane *l, enum sum_kind kind, unsigned char out[EVP_MAX_MD_SIZE],
		       struct err *e)
{
	size_t bytes = kind == SUM_CRC64NVME ? 8 : 4;
	unsigned n = 0;

	if (l->md) {
		if (EVP_DigestFinal_ex(l->md, out, &n) == 1)
			return n;
		(void)refused(kind, e);
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		out[i] = (unsigned char)(l->crc >> 8 * (bytes - 1 - i));
	return bytes;
}

struct sum *sum_new(enum sum_kind kind, int64_t part_bytes, struct err *e)
{
	struct sum *s = xcalloc(1, sizeof(*s));

	s->kind = kind;
	s->part_bytes = part_bytes;
	if (sum_reset(s, e) < 0)
		sum_free(&s);
	return s;
}

void sum_free(struct sum **s)
{
	if (*s == NULL)
		return;
	EVP_MD_CTX_free((*s)->bytes.md);
	EVP_MD_CTX_free((*s)->digests.md);
	free(*s);
	*s = NULL;
}

int sum_reset(struct sum *s, struct err *e)
{
	s->in_part = s->parts = 0;
	if (lane_reset(&s->bytes, s->kind, e) < 0)
		return -1;
	return s->part_bytes ? lane_reset(&s->digests, s->kind, e) : 0;
}

static int end_part(struct sum *s, struct err *e)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	size_t n = lane_end(&s->bytes, s->kind, raw, e);

	s->in_part = 0;
	s->parts++;
	if (n == 0 || lane_add(&s->digests, s->kind, raw, n, e) < 0)
		return -1;
	return lane_reset(&s->bytes, s->kind, e);
}

int sum_add(struct sum *s, const void *p, size_t n, struct err *e)
{
	const unsigned char *from = p;

	if (s->part_bytes == 0)
		return lane_add(&s->bytes, s->kind, p, n, e);
	while (n > 0) {
		int64_t room = s->part_bytes - s->in_part;
		size_t step = (uint64_t)room < n ? (size_t)room : n;

		if (lane_add(&s->bytes, s->kind, from, step, e) < 0)
			return -1;
		from += step;
		n -= step;
		s->in_part += (int64_t)step;
		if (s->in_part == s->part_bytes && end_part(s, e) < 0)
			return -1;
	}
	return 0;
}

int sum_end(struct sum *s, bool hex, char out[SUM_TEXT_SIZE], struct err *e)
{
	unsigned char raw[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE + 1];
	size_t n;

	if (s->in_part > 0 && end_part(s, e) < 0)
		return -1;
	n = lane_end(s->part_bytes ? &s->digests : &s->bytes, s->kind, raw, e);
	if (n == 0)
		return -1;
	if (hex)
		digest_print(raw, n, (char *)text);
	else
		(void)EVP_EncodeBlock(text, raw, (int)n);
	if (s->part_bytes)
		(void)snprintf(out, SUM_TEXT_SIZE, "%s-%" PRId64, (char *)text, s->parts);
	else
		(void)snprintf(out, SUM_TEXT_SIZE, "%s", (char *)text);
	return 0;
}

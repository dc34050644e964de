#include "lib/storage/proof.h"

#include "lib/base/beside.h"
#include "lib/base/num.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

enum { MIB = 1024 * 1024, SHA256_BYTES = 32, SHA256_BASE64 = 44, BESIDE_MIN = 64 * 1024 };

/* --- what there is to compare with ---------------------------------------------------------- */

int64_t proof_part_bytes(int64_t total, int64_t n)
{
	static const int64_t usual[] = { 8,  5,   16,  64,  15,  10,  32,  6,    12,   20,   25,
					 50, 100, 128, 200, 256, 500, 512, 1024, 2048, 4096, 5120 };

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if ((total + usual[i] * MIB - 1) / (usual[i] * MIB) == n)
			return usual[i] * MIB;
	return 0;
}

/* The N of "...-N", 0 where there is none. */
static int64_t part_count(const char *text)
{
	const char *dash = strrchr(text, '-');
	struct err ignored;
	uint64_t n;

	return dash && num_u64(dash + 1, 1, 1000000, &n, &ignored) == 0 ? (int64_t)n : 0;
}

static bool is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdefABCDEF") >= n;
}

/* Takes this one, unless it is made of parts whose size nothing tells. */
static bool choose(struct proof *p, const struct storage_stat *known, enum sum_kind kind,
		   const char *where, const char *text, struct err *e)
{
	int64_t parts = part_count(text), part_bytes = known->part_bytes;
	bool guessed = parts > 0 && part_bytes == 0;

	if (text[0] == '\0' || strlen(text) >= sizeof(p->text))
		return false;
	if (guessed)
		part_bytes = proof_part_bytes(known->bytes, parts);
	if (parts > 0 && part_bytes == 0)
		return false;
	(void)snprintf(p->text, sizeof(p->text), "%s", text);
	p->guessed = guessed;
	p->kind = kind;
	p->where = where;
	/* That of the whole is computed anyway. */
	if (kind != SUM_SHA256 || parts > 0)
		p->stored = sum_new(kind, parts > 0 ? part_bytes : 0, e);
	return true;
}

static bool choose_etag(struct proof *p, const struct storage_stat *known, struct err *e)
{
	char text[SUM_TEXT_SIZE];
	const char *etag = known->etag;
	size_t n = strlen(etag);

	if (!known->etag_md5 || etag[0] != '"' || n < 34 || n >= sizeof(text) ||
	    !is_hex(etag + 1, 32) || (etag[33] != '"' && etag[33] != '-'))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)n - 2, etag + 1);
	p->hex = true;
	return choose(p, known, SUM_MD5, "ETag", text, e);
}

static void choose_stored(struct proof *p, const struct storage_stat *known, struct err *e)
{
	const struct storage_sums *s = &known->sums;
	bool strong = p->wish && p->wish->sha256[0];

	if (choose(p, known, SUM_SHA256, "x-amz-checksum-sha256", s->sha256, e) ||
	    choose(p, known, SUM_CRC64NVME, "x-amz-checksum-crc64nvme", s->crc64nvme, e) ||
	    choose(p, known, SUM_CRC32C, "x-amz-checksum-crc32c", s->crc32c, e) ||
	    choose(p, known, SUM_CRC32, "x-amz-checksum-crc32", s->crc32, e) || strong ||
	    choose(p, known, SUM_SHA1, "x-amz-checksum-sha1", s->sha1, e) ||
	    choose(p, known, SUM_MD5, "Content-MD5", s->md5, e))
		return;
	(void)choose_etag(p, known, e);
}

int proof_begin(struct proof *p, const struct storage_stat *known, const struct proof_wish *wish,
		struct err *e)
{
	struct err why = { 0 };

	*p = (struct proof){ .wish = wish, .sha256 = digest_new(e) };
	if (p->sha256 == NULL)
		return -1;
	choose_stored(p, known, &why);
	if (wish && wish->md5[0])
		p->md5 = sum_new(SUM_MD5, 0, &why);
	if (why.kind == ERR_NONE)
		return 0;
	*e = why;
	proof_free(p);
	return -1;
}

void proof_free(struct proof *p)
{
	digest_free(&p->sha256);
	sum_free(&p->stored);
	sum_free(&p->md5);
	beside_free(&p->beside);
}

/* --- the pass ------------------------------------------------------------------------------- */

int proof_reset(struct proof *p, struct err *e)
{
	if (digest_reset(p->sha256, e) < 0 || (p->stored && sum_reset(p->stored, e) < 0))
		return -1;
	return p->md5 ? sum_reset(p->md5, e) : 0;
}

static int add_sums(void *ctx, const void *bytes, size_t n, struct err *e)
{
	const struct proof *p = ctx;

	if (p->stored && sum_add(p->stored, bytes, n, e) < 0)
		return -1;
	return p->md5 ? sum_add(p->md5, bytes, n, e) : 0;
}

/* Of large pieces the other digests are computed at the same time. */
static bool beside(struct proof *p, size_t n)
{
	if (n < BESIDE_MIN || (p->stored == NULL && p->md5 == NULL))
		return false;
	if (p->beside == NULL)
		p->beside = beside_new();
	return p->beside != NULL;
}

int proof_add(struct proof *p, const void *bytes, size_t n, struct err *e)
{
	struct err other;
	int rc;

	if (!beside(p, n))
		return digest_add(p->sha256, bytes, n, e) < 0 ? -1 : add_sums(p, bytes, n, e);
	beside_start(p->beside, add_sums, p, bytes, n);
	rc = digest_add(p->sha256, bytes, n, e);
	if (beside_wait(p->beside, &other) == 0 || rc < 0)
		return rc;
	*e = other;
	return -1;
}

/* --- the end -------------------------------------------------------------------------------- */

int proof_differs(const char *name, const char *what, const char *from, const char *said,
		  const char *is, struct err *e)
{
	return err_set(e, ERR_BACKUP,
		       "read %s: its bytes are not those that were stored: their %s is %s, %s says "
		       "%s; keep an older backup and look at the storage",
		       name, what, is, from, said);
}

void proof_tell(struct buf *told, const char *what)
{
	if (strstr(told->s, what) == NULL)
		buf_addf(told, "%s%s", told->len ? ", " : "", what);
}

/* "X5..=" as hex, to be compared with the digest that we print so. */
static bool base64_to_hex(const char *text, char out[DIGEST_HEX_SIZE])
{
	unsigned char raw[SHA256_BASE64];

	if (strlen(text) != SHA256_BASE64 ||
	    EVP_DecodeBlock(raw, (const unsigned char *)text, SHA256_BASE64) < SHA256_BYTES)
		return false;
	digest_print(raw, SHA256_BYTES, out);
	return true;
}

static int end_stored(struct proof *p, const char *name, const char *sha256, struct buf *told,
		      struct err *e)
{
	char is[SUM_TEXT_SIZE], said[SUM_TEXT_SIZE];

	(void)snprintf(said, sizeof(said), "%s", p->text);
	if (p->stored == NULL && !base64_to_hex(p->text, said))
		return 0;
	if (p->stored == NULL)
		(void)snprintf(is, sizeof(is), "%s", sha256);
	else if (sum_end(p->stored, p->hex, is, e) < 0)
		return -1;
	if (p->hex ? strcasecmp(is, said) == 0 : strcmp(is, said) == 0) {
		proof_tell(told, p->where);
		return 0;
	}
	return p->guessed ? 0 : proof_differs(name, sum_name(p->kind), p->where, said, is, e);
}

static int end_wish(struct proof *p, const char *name, const char *sha256, struct buf *told,
		    struct err *e)
{
	const struct proof_wish *w = p->wish;
	char is[SUM_TEXT_SIZE];

	if (w->sha256[0] && strcmp(w->sha256, sha256) != 0)
		return proof_differs(name, "SHA-256", w->sha256_from, w->sha256, sha256, e);
	if (w->sha256[0])
		proof_tell(told, w->sha256_from);
	if (p->md5 == NULL)
		return 0;
	if (sum_end(p->md5, true, is, e) < 0)
		return -1;
	if (strcmp(w->md5, is) != 0)
		return proof_differs(name, "MD5", w->md5_from, w->md5, is, e);
	proof_tell(told, w->md5_from);
	return 0;
}

int proof_end(struct proof *p, const char *name, char sha256[DIGEST_HEX_SIZE], struct buf *told,
	      struct err *e)
{
	if (digest_hex(p->sha256, sha256, e) < 0)
		return -1;
	if (p->text[0] && end_stored(p, name, sha256, told, e) < 0)
		return -1;
	return p->wish ? end_wish(p, name, sha256, told, e) : 0;
}

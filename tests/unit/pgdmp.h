#ifndef TESTS_UNIT_PGDMP_H
#define TESTS_UNIT_PGDMP_H
/*
 * pgdmp: writes archives as pg_dump does, for the versions that no installed pg_dump makes.
 */
#include "lib/base/buf.h"

#include <stdint.h>
#include <string.h>

static inline void pgdmp_int(struct buf *b, int64_t v)
{
	uint64_t m = v < 0 ? (uint64_t)-v : (uint64_t)v;

	buf_addc(b, v < 0);
	for (int i = 0; i < 4; i++, m >>= 8)
		buf_addc(b, (char)(m & 0xff));
}

static inline void pgdmp_text(struct buf *b, const char *s)
{
	if (s == NULL) {
		pgdmp_int(b, -1);
		return;
	}
	pgdmp_int(b, (int64_t)strlen(s));
	buf_adds(b, s);
}

/* packing: 0 none, 1 gzip, 2 lz4, 3 zstd. Made at 2026-02-17 01:58:42. */
static inline void pgdmp_header(struct buf *b, int minor, int format, int packing, int64_t entries)
{
	static const int made[] = { 42, 58, 1, 17, 1, 126, 0 };

	buf_adds(b, "PGDMP");
	buf_addc(b, 1);
	buf_addc(b, (char)minor);
	buf_addc(b, 0);
	buf_addc(b, 4);
	buf_addc(b, 8);
	buf_addc(b, (char)format);
	if (minor >= 15)
		buf_addc(b, (char)packing);
	else
		pgdmp_int(b, packing ? -1 : 0);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		pgdmp_int(b, made[i]);
	pgdmp_text(b, "shop");
	pgdmp_text(b, "15.20 (Debian 15.20-0+deb12u1)");
	pgdmp_text(b, "15.20 (Debian 15.20-0+deb12u1)");
	pgdmp_int(b, entries);
}

/* where: the file or member; NULL: a custom archive, with the offset unknown. */
static inline void pgdmp_entry(struct buf *b, int minor, int64_t id, const char *desc,
			       const char *tag, int section, const char *defn, const char *copy,
			       const char *where)
{
	bool has_data = strcmp(desc, "TABLE DATA") == 0 || strcmp(desc, "BLOBS") == 0;

	pgdmp_int(b, id);
	pgdmp_int(b, has_data);
	pgdmp_text(b, "1259");
	pgdmp_text(b, "16384");
	pgdmp_text(b, tag);
	pgdmp_text(b, desc);
	pgdmp_int(b, section);
	pgdmp_text(b, defn);
	pgdmp_text(b, "");
	pgdmp_text(b, copy);
	pgdmp_text(b, "public");
	pgdmp_text(b, "");
	if (minor >= 14)
		pgdmp_text(b, "heap");
	if (minor >= 16)
		pgdmp_int(b, 'r');
	pgdmp_text(b, "alice");
	pgdmp_text(b, "false");
	pgdmp_text(b, "1");
	pgdmp_text(b, NULL);
	if (where) {
		pgdmp_text(b, where);
		return;
	}
	buf_addc(b, has_data ? 1 : 3);
	for (int i = 0; i < 8; i++)
		buf_addc(b, 0);
}

/* A custom archive's block in chunks of at most step bytes. */
static inline void pgdmp_block(struct buf *b, int64_t id, const char *data, size_t step)
{
	size_t n = strlen(data);

	buf_addc(b, 1);
	pgdmp_int(b, id);
	for (size_t at = 0; at < n; at += step) {
		size_t k = n - at < step ? n - at : step;

		pgdmp_int(b, (int64_t)k);
		buf_add(b, data + at, k);
	}
	pgdmp_int(b, 0);
}

/* A tar member with its content and padding. */
static inline void pgdmp_tar(struct buf *b, const char *name, const char *data, size_t n)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	(void)snprintf(h, 100, "%s", name);
	(void)snprintf(h + 124, 12, "%011o", (unsigned)n);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	(void)snprintf(h + 148, 12, "%06o", sum & 0777777);
	buf_add(b, h, sizeof(h));
	buf_add(b, data, n);
	while (b->len % 512)
		buf_addc(b, '\0');
}
#endif

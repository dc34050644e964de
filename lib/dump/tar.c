#include "lib/dump/tar.h"

#include <inttypes.h>
#include <string.h>

/* Offsets and widths of a header's fields. */
enum {
	NAME_N = 100,
	SIZE_AT = 124,
	SIZE_N = 12,
	SUM_AT = 148,
	SUM_N = 8,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	PREFIX_AT = 345,
	PREFIX_N = 155
};

static bool octal(const unsigned char *p, size_t n, uint64_t *out)
{
	size_t i = 0;

	*out = 0;
	while (i < n && p[i] == ' ')
		i++;
	if (i == n || p[i] < '0' || p[i] > '7')
		return false;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		*out = *out * 8 + (uint64_t)(p[i] - '0');
	return i == n || p[i] == ' ' || p[i] == '\0';
}

/* The high bit of the first byte says: binary, most significant byte first. */
static bool size_of(const unsigned char *p, uint64_t *out)
{
	if (!(p[0] & 0x80))
		return octal(p, SIZE_N, out);
	*out = 0;
	for (size_t i = 1; i < SIZE_N; i++) {
		if (*out >> 55)
			return false;
		*out = *out << 8 | p[i];
	}
	return p[0] == 0x80;
}

/* A long path is split: prefix/name. */
static void name_of(const unsigned char *p, char out[TAR_NAME])
{
	size_t prefix = 0, name = strnlen((const char *)p, NAME_N);

	if (memcmp(p + MAGIC_AT, "ustar", 6) == 0)
		prefix = strnlen((const char *)p + PREFIX_AT, PREFIX_N);
	memcpy(out, p + PREFIX_AT, prefix);
	if (prefix > 0)
		out[prefix++] = '/';
	memcpy(out + prefix, p, name);
	out[prefix + name] = '\0';
}

bool tar_header(const unsigned char *p, size_t n, struct tar_member *m)
{
	uint64_t sum = 0, want;

	if (n < TAR_BLOCK || p[0] == 0)
		return false;
	/* The checksum's own bytes count as blanks. */
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_N ? ' ' : p[i];
	if (!octal(p + SUM_AT, SUM_N, &want) || sum != want || !size_of(p + SIZE_AT, &m->size_b))
		return false;
	m->type = p[TYPE_AT] ? (char)p[TYPE_AT] : '0';
	name_of(p, m->name);
	return true;
}

static bool is_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int only_zeros_left(struct stream *s, struct err *e)
{
	const unsigned char *p;
	ssize_t n;

	while ((n = stream_next(s, &p, e)) > 0)
		if (!is_zero(p, (size_t)n))
			return err_set(e, ERR_BACKUP,
				       "read %s: foreign bytes follow the end of the tar archive",
				       stream_name(s));
	return (int)n;
}

static int truncated(const struct stream *s, struct err *e)
{
	return err_set(e, ERR_BACKUP, "read %s: truncated: the tar archive ends at byte %" PRIu64,
		       stream_name(s), stream_out_b(s));
}

int tar_next(struct stream *s, struct tar_member *m, struct err *e)
{
	unsigned char block[2 * TAR_BLOCK];
	ssize_t n = stream_read(s, block, TAR_BLOCK, e);

	if (n < 0)
		return -1;
	if (n < TAR_BLOCK)
		return truncated(s, e);
	if (tar_header(block, TAR_BLOCK, m))
		return 1;
	if (!is_zero(block, TAR_BLOCK))
		return err_set(e, ERR_BACKUP,
			       "read %s: damaged: no tar header before byte %" PRIu64,
			       stream_name(s), stream_out_b(s));
	n = stream_read(s, block, TAR_BLOCK, e);
	if (n < 0)
		return -1;
	if (n < TAR_BLOCK || !is_zero(block, TAR_BLOCK))
		return truncated(s, e);
	return only_zeros_left(s, e);
}

int tar_pad(struct stream *s, const struct tar_member *m, struct err *e)
{
	uint64_t n = (TAR_BLOCK - m->size_b % TAR_BLOCK) % TAR_BLOCK;
	int64_t got = stream_skip(s, n, e);

	if (got < 0)
		return -1;
	return (uint64_t)got < n ? truncated(s, e) : 0;
}

#include "lib/base/xmem.h"
#include "lib/dump/base64.h"
#include "lib/dump/codec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines of base64, between two lines of dashes (age -a: RFC 7468, strict) or bare (openssl enc
 * -base64). The text ends with the padding, or with the closing line, or with the file. */
static const char age_first[] = "-----BEGIN AGE ENCRYPTED FILE-----";
static const char age_last[] = "-----END AGE ENCRYPTED FILE-----";
/* "Salted__", and a part of the next character. */
static const char salted[] = "U2FsdGVkX1";

enum { LINE_MAX_N = 1024 };

struct armor {
	const char *first, *last; /* NULL: bare */
	bool begun, closed;
	char kept[4]; /* characters of a group of four that is not whole yet */
	size_t n_kept;
	bool padded;
	char why[128];
};

static bool age_armor_begins(const unsigned char *p, size_t n)
{
	return n >= strlen(age_first) && memcmp(p, age_first, strlen(age_first)) == 0;
}

static bool openssl_base64_begins(const unsigned char *p, size_t n)
{
	return n >= strlen(salted) && memcmp(p, salted, strlen(salted)) == 0;
}

static void *age_armor_open(const struct keys *keys)
{
	struct armor *a = xcalloc(1, sizeof(*a));

	(void)keys;
	a->first = age_first;
	a->last = age_last;
	return a;
}

static void *openssl_base64_open(const struct keys *keys)
{
	(void)keys;
	return xcalloc(1, sizeof(struct armor));
}

static enum codec_step say(struct armor *a, enum codec_step r, const char *why)
{
	(void)snprintf(a->why, sizeof(a->why), "%s", why);
	return r;
}

static bool flush(struct armor *a, struct codec_io *io)
{
	ssize_t n = base64_decode(a->kept, a->n_kept, io->out, io->out_n);

	if (n < 0)
		return false;
	a->padded = a->n_kept > 0 && a->kept[a->n_kept - 1] == '=';
	a->n_kept = 0;
	io->out += n;
	io->out_n -= (size_t)n;
	return true;
}

/* One line, or a part of one. */
static bool decode(struct armor *a, struct codec_io *io, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r' && i + 1 == n)
			break;
		if (a->padded)
			return false;
		a->kept[a->n_kept++] = p[i];
		if (a->n_kept == sizeof(a->kept) && !flush(a, io))
			return false;
	}
	return true;
}

static enum codec_step end(struct armor *a, struct codec_io *io)
{
	if (a->last && !a->closed)
		return say(a, CODEC_CUT, "its closing line is missing");
	if (a->n_kept > 0 && !flush(a, io))
		return say(a, CODEC_CUT, "it ends within a group of base64");
	return CODEC_END;
}

static bool only_blanks(const char *p, size_t n)
{
	while (n > 0 && isspace((unsigned char)p[n - 1]))
		n--;
	return n == 0;
}

static bool is_line(const char *p, size_t n, const char *what)
{
	while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == ' '))
		n--;
	return n == strlen(what) && memcmp(p, what, n) == 0;
}

static enum codec_step take_line(struct armor *a, struct codec_io *io, const char *p, size_t n)
{
	if (a->first && !a->begun) {
		a->begun = true;
		return is_line(p, n, a->first) ? CODEC_MORE
					       : say(a, CODEC_DAMAGED, "its first line");
	}
	if (a->closed)
		return only_blanks(p, n)
			       ? CODEC_MORE
			       : say(a, CODEC_DAMAGED, "something follows its closing line");
	if (a->last && is_line(p, n, a->last)) {
		a->closed = true;
		return CODEC_MORE;
	}
	if (a->last && n > 0 && io->in_ends && n == io->in_n && n < strlen(a->last) &&
	    memcmp(p, a->last, n) == 0)
		return CODEC_MORE; /* a part of it: end() says that it is missing */
	return decode(a, io, p, n) ? CODEC_MORE : say(a, CODEC_DAMAGED, "a line is no base64");
}

static enum codec_step armor_step(void *state, struct codec_io *io, const char **why)
{
	struct armor *a = state;
	enum codec_step r = CODEC_MORE;

	*why = a->why;
	while (r == CODEC_MORE && io->in_n > 0 && io->out_n >= LINE_MAX_N) {
		const char *p = (const char *)io->in;
		const char *nl = memchr(p, '\n', io->in_n);
		size_t n = nl ? (size_t)(nl - p) : io->in_n;

		if (n > LINE_MAX_N && a->first)
			return say(a, CODEC_DAMAGED, "a line that is too long");
		if (nl == NULL && !io->in_ends && n <= LINE_MAX_N)
			return CODEC_MORE;
		if (n > LINE_MAX_N) { /* openssl enc -A: all in one line */
			n = LINE_MAX_N;
			nl = NULL;
		}
		r = take_line(a, io, p, n);
		io->in += n + (nl != NULL);
		io->in_n -= n + (nl != NULL);
	}
	return r == CODEC_MORE && io->in_n == 0 && io->in_ends ? end(a, io) : r;
}

const struct codec codec_age_armor = {
	.name = "age",
	.kind = CODEC_ARMOR,
	.begins = age_armor_begins,
	.open = age_armor_open,
	.step = armor_step,
	.close = free,
};

const struct codec codec_openssl_base64 = {
	.name = "openssl",
	.kind = CODEC_ARMOR,
	.begins = openssl_base64_begins,
	.open = openssl_base64_open,
	.step = armor_step,
	.close = free,
};

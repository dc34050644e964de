#include "lib/base/chain.h"

#include "lib/base/backward.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHA_BYTES = 32, CHUNK = 64 * 1024 };

/* Hashing fails only where memory is out. */
static void must(int done)
{
	if (done != 1)
		(void)xchecked(NULL);
}

static void to_hex(const unsigned char *digest, char out[CHAIN_SHA_SIZE])
{
	for (size_t i = 0; i < SHA_BYTES; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void chain_sha(const char *line, size_t len, char out[CHAIN_SHA_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };

	must(EVP_Digest(line, len, digest, NULL, EVP_sha256(), NULL));
	to_hex(digest, out);
}

/* Bytes that are hashed as they come. */
struct span {
	EVP_MD_CTX *sum;
	int64_t bytes;
};

static void span_begin(struct span *s)
{
	s->bytes = 0;
	if (s->sum == NULL)
		s->sum = xchecked(EVP_MD_CTX_new());
	must(EVP_DigestInit_ex(s->sum, EVP_sha256(), NULL));
}

static void span_add(struct span *s, const char *p, size_t n)
{
	must(EVP_DigestUpdate(s->sum, p, n));
	s->bytes += (int64_t)n;
}

/* So far; more may follow. */
static void span_sha(const struct span *s, char out[CHAIN_SHA_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	EVP_MD_CTX *copy = xchecked(EVP_MD_CTX_new());

	must(EVP_MD_CTX_copy_ex(copy, s->sum));
	must(EVP_DigestFinal_ex(copy, digest, NULL));
	EVP_MD_CTX_free(copy);
	to_hex(digest, out);
}

static void span_free(struct span *s)
{
	EVP_MD_CTX_free(s->sum);
	s->sum = NULL;
}

/* {"bytes","sha256"} of the file from there to `size`, and of the newline that comes next. */
static json_t *print_span(int fd, off_t from, off_t size, bool cut)
{
	__attribute__((cleanup(span_free))) struct span s = { 0 };
	char chunk[CHUNK], sha[CHAIN_SHA_SIZE];

	span_begin(&s);
	while (from < size) {
		const size_t want = size - from < CHUNK ? (size_t)(size - from) : CHUNK;
		const ssize_t n = pread(fd, chunk, want, from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : EAGAIN;
			return NULL;
		}
		span_add(&s, chunk, (size_t)n);
		from += n;
	}
	if (cut)
		span_add(&s, "\n", 1);
	span_sha(&s, sha);
	return json_pack("{s:I, s:s}", "bytes", (json_int_t)s.bytes, "sha256", sha);
}

static bool seq_of(const json_t *object, int64_t *seq)
{
	return record_int(json_object_get(object, "chain"), "seq", seq) && *seq > 0;
}

/* The last readable line of a file. */
struct last {
	bool found;
	off_t end;   /* of its bytes, before the newline */
	int64_t seq; /* 0: it has none */
	char sha256[CHAIN_SHA_SIZE];
};

static int find_last(int fd, off_t size, size_t most, struct last *out)
{
	struct backward b = { .fd = fd, .at = size, .most = most };
	const char *line;
	size_t len;
	int got = 1;

	*out = (struct last){ .found = false };
	while (!out->found && (got = backward_line(&b, &line, &len)) > 0) {
		struct err why;
		JSON_AUTO *object = line && len ? record_parse(line, len, &why) : NULL;

		if (object == NULL)
			continue;
		out->found = true;
		out->end = backward_offset(&b, line) + (off_t)len;
		chain_sha(line, len, out->sha256);
		if (!seq_of(object, &out->seq))
			out->seq = 0;
	}
	backward_free(&b);
	return out->found || got == 0 ? 0 : -1;
}

static json_t *link_to(int64_t seq, const char *sha)
{
	return json_pack("{s:I, s:s}", "seq", (json_int_t)seq + 1, "previous", sha);
}

json_t *chain_after(const char *line, size_t len, int64_t seq)
{
	char sha[CHAIN_SHA_SIZE] = "";

	if (line)
		chain_sha(line, len, sha);
	return link_to(seq, sha);
}

json_t *chain_next(int fd, off_t size, bool cut, size_t most, int64_t *seq)
{
	JSON_AUTO *chain = NULL;
	json_t *span = NULL;
	struct last last;
	off_t from;

	if (find_last(fd, size, most, &last) < 0)
		return NULL;
	*seq = last.seq + 1;
	chain = link_to(last.seq, last.sha256);
	/* Behind the last line's own newline, which may be missing yet. */
	from = last.seq == 0 ? 0 : last.end + (last.end < size || cut ? 1 : 0);
	if (from < size + cut) {
		span = print_span(fd, from, size, cut);
		if (span == NULL)
			return NULL;
		json_object_set_new(chain, last.seq == 0 ? "unchained" : "aside", span);
	}
	return json_incref(chain);
}

struct chain_walk {
	size_t most;
	const struct chain_visitor *visitor;
	struct chain_proof *proof;
	struct span before; /* everything, until the chain begins */
	struct span aside;  /* unreadable, since the last readable line */
	size_t aside_lines, aside_first;
	char last[CHAIN_SHA_SIZE]; /* of the last readable line */
};

__attribute__((format(printf, 3, 4))) static bool bad(struct chain_walk *w, size_t number,
						      const char *fmt, ...)
{
	va_list args;

	w->proof->bad = number;
	va_start(args, fmt);
	(void)vsnprintf(w->proof->why, sizeof(w->proof->why), fmt, args);
	va_end(args);
	return false;
}

/* Does the chain's field say the span? No bytes: no field. */
static bool covers(const json_t *chain, const char *field, const struct span *s)
{
	const json_t *said = json_object_get(chain, field);
	const char *its = record_text(said, "sha256");
	char sha[CHAIN_SHA_SIZE];
	int64_t bytes;

	if (s->bytes == 0)
		return said == NULL;
	span_sha(s, sha);
	return its && record_int(said, "bytes", &bytes) && bytes == s->bytes &&
	       strcmp(its, sha) == 0;
}

static bool begins(struct chain_walk *w, const json_t *chain, int64_t seq)
{
	const size_t number = w->proof->lines;

	if (seq != 1)
		return bad(w, w->aside_lines ? w->aside_first : number,
			   "the chain begins with number %" PRId64
			   ": the lines before it were removed",
			   seq);
	if (!covers(chain, "unchained", &w->before) || json_object_get(chain, "aside"))
		return bad(w, number > 1 ? number - 1 : 1,
			   "what stands before the chain was changed since it began");
	w->proof->unchained = number - 1;
	return true;
}

static bool goes_on(struct chain_walk *w, const json_t *chain, int64_t seq)
{
	const int64_t want = w->proof->head.seq + 1;
	const size_t number = w->proof->lines;
	const char *previous = record_text(chain, "previous");

	if (seq != want)
		return bad(w, w->aside_lines ? w->aside_first : number,
			   "number %" PRId64 " where %" PRId64
			   " must follow: lines were removed, added or reordered",
			   seq, want);
	if (previous == NULL || strcmp(previous, w->last) != 0)
		return bad(w, number - 1 - w->aside_lines,
			   "it is not the line that the next one was chained to: it was changed");
	if (!covers(chain, "aside", &w->aside) || json_object_get(chain, "unchained"))
		return bad(w, w->aside_lines ? w->aside_first : number,
			   "unreadable bytes that were no crash's: a line was damaged or added");
	return true;
}

static void set_aside(struct chain_walk *w, const char *line, size_t len)
{
	if (w->aside_lines++ == 0)
		w->aside_first = w->proof->lines;
	span_add(&w->aside, line, len);
}

/* A readable line, without its newline. */
static bool take_object(struct chain_walk *w, json_t *object, const char *line, size_t len)
{
	const json_t *chain = json_object_get(object, "chain");
	struct chain_head *head = &w->proof->head;
	const char *previous = record_text(chain, "previous");
	int64_t seq;

	if (!seq_of(object, &seq)) {
		if (head->seq)
			return bad(w, w->proof->lines,
				   "it is not chained: it was added or changed");
		chain_sha(line, len, w->last);
		return true;
	}
	if (head->seq ? !goes_on(w, chain, seq) : !begins(w, chain, seq))
		return false;
	if (head->seq == 0 && (previous == NULL || strcmp(previous, w->last) != 0))
		return bad(w, w->proof->lines, "it does not name the line before it");
	if (head->seq)
		w->proof->aside += w->aside_lines;
	head->seq = seq;
	chain_sha(line, len, w->last);
	memcpy(head->sha256, w->last, sizeof(head->sha256));
	return true;
}

bool chain_walk_line(struct chain_walk *w, const char *raw, size_t len)
{
	const size_t bare = len - (raw[len - 1] == '\n');
	const int64_t before = w->proof->head.seq;
	struct chain_line line;
	struct err why;
	JSON_AUTO *object = bare && bare <= w->most ? record_parse(raw, bare, &why) : NULL;

	w->proof->lines++;
	if (object == NULL)
		set_aside(w, raw, len);
	else if (!take_object(w, object, raw, bare))
		return false;
	if (w->proof->head.seq == 0)
		span_add(&w->before, raw, len);
	if (object == NULL)
		return true;
	span_begin(&w->aside);
	w->aside_lines = 0;
	if (w->proof->head.seq == before || w->visitor == NULL)
		return true;
	line = (struct chain_line){ w->proof->lines, object, w->proof->head };
	return w->visitor->take(&line, w->visitor->to);
}

struct chain_walk *chain_walk_open(size_t most, const struct chain_visitor *visitor,
				   struct chain_proof *out)
{
	struct chain_walk *w = xcalloc(1, sizeof(*w));

	*w = (struct chain_walk){ .most = most, .visitor = visitor, .proof = out };
	*out = (struct chain_proof){ .bad = 0 };
	span_begin(&w->before);
	span_begin(&w->aside);
	return w;
}

void chain_walk_close(struct chain_walk *w)
{
	w->proof->loose = w->aside_lines;
	span_free(&w->before);
	span_free(&w->aside);
	free(w);
}

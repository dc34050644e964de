#include "lib/dump/multi.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/codec.h"
#include "lib/dump/members.h"
#include "lib/dump/parallel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* A piece is as many members as have so many bytes, so that small ones cost little. Pieces that are
 * unpacked and not given out yet wait in slots. */
enum { PIECE_MIN_B = 256 * 1024, SLOTS = 2 * PARALLEL_MAX, BLOCKS = 64, KEPT = 4 };
#define WINDOWS_B ((uint64_t)32 << 20)

struct block {
	struct block *next;
	unsigned char *of; /* what is in it */
	const unsigned char *p;
	size_t n;
};

struct slot {
	struct block *first, **last;
	bool over; /* nothing more comes */
	struct err error;
};

struct multi {
	struct stream_opts piece; /* how to open one */
	int fd;
	pthread_t threads[PARALLEL_MAX];
	unsigned started;

	pthread_mutex_t walk; /* on the next two */
	uint64_t next_b;      /* where the next piece begins; NOWHERE: there is none */
	uint64_t pieces;      /* that were taken */

	pthread_mutex_t lock; /* on the rest */
	pthread_cond_t changed;
	struct slot slots[SLOTS];
	uint64_t turn;       /* the piece that is given out */
	uint64_t end;        /* how many pieces there are; NOWHERE: not known yet */
	struct block *free;  /* a list */
	unsigned used;       /* blocks that are not in it */
	struct block *shown; /* is being given out; or NULL */
	bool stop;
};
#define NOWHERE UINT64_MAX

/* A piece of the file as a source. */
struct range {
	int fd;
	uint64_t at_b, end_b;
};

static ssize_t read_range(void *ctx, void *p, size_t n, struct err *e)
{
	struct range *r = ctx;
	uint64_t left = r->end_b - r->at_b;
	ssize_t got;

	do
		got = pread(r->fd, p, n < left ? n : (size_t)left, (off_t)r->at_b);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(e, ERR_SYSTEM, "read a member: %s", strerror(errno));
	r->at_b += (uint64_t)got;
	return got;
}

/* Its members; what follows a member whose end cannot be told belongs to the last piece, where
 * unpacking will tell what it is. False: there is none left. */
static bool take_piece(struct multi *m, struct range *piece, uint64_t *number)
{
	struct member next;
	bool any, more = true;

	(void)pthread_mutex_lock(&m->walk);
	any = m->next_b != NOWHERE;
	*piece = (struct range){ m->fd, m->next_b, m->next_b };
	*number = m->pieces;
	m->pieces += any;
	while (any && (more = member_at(m->fd, m->piece.codec, piece->end_b, &next)) &&
	       piece->end_b - piece->at_b < PIECE_MIN_B)
		piece->end_b = next.end_b;
	m->next_b = any && more ? piece->end_b : NOWHERE;
	if (!more)
		piece->end_b = INT64_MAX; /* the file's end */
	(void)pthread_mutex_unlock(&m->walk);
	return any;
}

/* ---- threads that unpack ------------------------------------------------------------- */

/* A block for this piece: the last ones are kept for the piece whose turn it is, so that it always
 * gets one. NULL: stop. */
static struct block *wait_block(struct multi *m, uint64_t piece)
{
	struct block *b;

	(void)pthread_mutex_lock(&m->lock);
	while (!m->stop && m->used >= (m->turn == piece ? BLOCKS : BLOCKS - KEPT))
		(void)pthread_cond_wait(&m->changed, &m->lock);
	b = m->stop ? NULL : m->free;
	if (b)
		m->free = b->next;
	m->used += !m->stop;
	if (b == NULL && !m->stop) {
		b = xcalloc(1, sizeof(*b));
		b->of = xmalloc(STREAM_BLOCK);
	}
	(void)pthread_mutex_unlock(&m->lock);
	return b;
}

static bool wait_slot(struct multi *m, uint64_t piece)
{
	bool stop;

	(void)pthread_mutex_lock(&m->lock);
	while (!m->stop && piece >= m->turn + SLOTS)
		(void)pthread_cond_wait(&m->changed, &m->lock);
	stop = m->stop;
	(void)pthread_mutex_unlock(&m->lock);
	return !stop;
}

static void release(struct multi *m, struct block *b)
{
	b->next = m->free;
	m->free = b;
	m->used--;
}

/* The next block of a piece, or (n <= 0) its end. */
static void put(struct multi *m, uint64_t piece, struct block *b, ssize_t n, const struct err *e)
{
	struct slot *slot = &m->slots[piece % SLOTS];

	(void)pthread_mutex_lock(&m->lock);
	if (n > 0) {
		b->n = (size_t)n;
		b->next = NULL;
		*slot->last = b;
		slot->last = &b->next;
	} else {
		release(m, b);
		slot->over = true;
		slot->error = *e;
	}
	(void)pthread_cond_broadcast(&m->changed);
	(void)pthread_mutex_unlock(&m->lock);
}

static void unpack_piece(struct multi *m, struct range *piece, uint64_t number)
{
	const struct stream_source source = { read_range, piece };
	struct stream_opts opts = m->piece;
	struct err e = { 0 };
	STREAM_AUTO *s = NULL;
	struct block *b;
	ssize_t n = 1;

	opts.at_b = piece->at_b;
	s = stream_open(&source, &opts, &e);
	while (n > 0 && (b = wait_block(m, number)) != NULL) {
		n = s ? stream_exchange(s, &b->of, &b->p, &e) : -1;
		put(m, number, b, n, &e);
	}
}

static void *work(void *multi)
{
	struct multi *m = multi;
	struct range piece;
	uint64_t number;

	while (take_piece(m, &piece, &number))
		if (!wait_slot(m, number))
			return NULL;
		else
			unpack_piece(m, &piece, number);
	(void)pthread_mutex_lock(&m->lock);
	m->end = number;
	(void)pthread_cond_broadcast(&m->changed);
	(void)pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* ---- who reads ----------------------------------------------------------------------- */

static void begin_slot(struct slot *slot)
{
	*slot = (struct slot){ .last = &slot->first };
}

/* 1: .shown has bytes; 0: the end; -1 with *e. */
static int show_next(struct multi *m, struct err *e)
{
	for (;;) {
		struct slot *slot = &m->slots[m->turn % SLOTS];

		if (slot->first) {
			m->shown = slot->first;
			slot->first = m->shown->next;
			if (slot->first == NULL)
				slot->last = &slot->first;
			return 1;
		}
		if (slot->over && slot->error.kind != ERR_NONE) {
			*e = slot->error;
			return -1;
		}
		if (slot->over) {
			begin_slot(slot);
			m->turn++;
			(void)pthread_cond_broadcast(&m->changed);
		} else if (m->turn == m->end) {
			return 0;
		} else {
			(void)pthread_cond_wait(&m->changed, &m->lock);
		}
	}
}

static ssize_t read_multi(void *ctx, void *p, size_t n, struct err *e)
{
	struct multi *m = ctx;
	int r = 1;

	if (m->shown == NULL) {
		(void)pthread_mutex_lock(&m->lock);
		r = show_next(m, e);
		(void)pthread_mutex_unlock(&m->lock);
	}
	if (r <= 0)
		return r;
	if (n > m->shown->n)
		n = m->shown->n;
	memcpy(p, m->shown->p, n);
	m->shown->p += n;
	m->shown->n -= n;
	if (m->shown->n > 0)
		return (ssize_t)n;
	(void)pthread_mutex_lock(&m->lock);
	release(m, m->shown);
	(void)pthread_cond_broadcast(&m->changed);
	(void)pthread_mutex_unlock(&m->lock);
	m->shown = NULL;
	return (ssize_t)n;
}

/* ---- all ----------------------------------------------------------------------------- */

static void free_blocks(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		free(b->of);
		free(b);
		b = next;
	}
}

static void multi_close(void *multi)
{
	struct multi *m = multi;

	(void)pthread_mutex_lock(&m->lock);
	m->stop = true;
	(void)pthread_cond_broadcast(&m->changed);
	(void)pthread_mutex_unlock(&m->lock);
	while (m->started > 0)
		(void)pthread_join(m->threads[--m->started], NULL);
	for (int i = 0; i < SLOTS; i++)
		free_blocks(m->slots[i].first);
	free_blocks(m->free);
	if (m->shown) {
		free(m->shown->of);
		free(m->shown);
	}
	(void)pthread_cond_destroy(&m->changed);
	(void)pthread_mutex_destroy(&m->lock);
	(void)pthread_mutex_destroy(&m->walk);
	io_close(&m->fd);
	free(m);
}

/* How many threads are of use: as many as there are members, up to PARALLEL_MAX. */
static unsigned threads_for(int fd, const char *codec, unsigned threads)
{
	struct member m = { 0 };
	uint64_t window_b = 1;
	unsigned n = 0;

	while (n < threads && n < PARALLEL_MAX && member_at(fd, codec, m.end_b, &m)) {
		if (m.window_b > window_b)
			window_b = m.window_b;
		n++;
	}
	return n < WINDOWS_B / window_b ? n : (unsigned)(WINDOWS_B / window_b);
}

static struct stream *begin(int fd, const char *codec, const struct stream_opts *opts,
			    unsigned threads, struct err *e)
{
	struct multi *m = xcalloc(1, sizeof(*m));
	const struct stream_source source = { read_multi, m };
	struct stream_opts whole = *opts;
	struct stream *s;

	m->piece = (struct stream_opts){ .name = opts->name,
					 .codec = codec,
					 .max_ratio = opts->max_ratio };
	m->fd = fd;
	m->end = NOWHERE;
	(void)pthread_mutex_init(&m->walk, NULL);
	(void)pthread_mutex_init(&m->lock, NULL);
	(void)pthread_cond_init(&m->changed, NULL);
	for (int i = 0; i < SLOTS; i++)
		begin_slot(&m->slots[i]);
	while (m->started < threads && pthread_create(&m->threads[m->started], NULL, work, m) == 0)
		m->started++;
	if (m->started == 0) {
		(void)err_set(e, ERR_SYSTEM, "read %.200s: no thread can be started", opts->name);
		multi_close(m);
		return NULL;
	}
	whole.packed = codec;
	s = stream_open(&source, &whole, e);
	if (s)
		stream_own(s, multi_close);
	else
		multi_close(m);
	return s;
}

struct stream *multi_open_path(const char *path, const struct stream_opts *opts, unsigned threads,
			       struct err *e)
{
	struct stream_opts named = opts ? *opts : (struct stream_opts){ 0 };
	unsigned char head[CODEC_MAGIC];
	const struct codec *codec = NULL;
	int fd = threads > 1 && !named.codec ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);

	if (n > 0)
		codec = codec_recognise(head, (size_t)n);
	if (codec)
		threads = threads_for(fd, codec->name, threads);
	if (codec == NULL || threads < 2) {
		io_close(&fd);
		return stream_open_path(path, opts, e);
	}
	if (named.name == NULL)
		named.name = path;
	return begin(fd, codec->name, &named, threads, e);
}

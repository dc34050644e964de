#include "lib/physical/walrecord.h"

#include "lib/base/bytes.h"
#include "lib/base/xmem.h"
#include "lib/physical/walcommit.h"
#include "lib/storage/crc.h"

#include <stdlib.h>
#include <string.h>

/* Page headers: XLogPageHeaderData, XLogLongPageHeaderData; both aligned to 8 bytes. */
enum { PAGE_INFO = 2, PAGE_TIMELINE = 4, PAGE_REM_LEN = 16, PAGE_SHORT = 24, PAGE_LONG = 40 };
enum { INFO_CONTINUED = 0x0001, INFO_OVERWRITES = 0x0008 };
/* XLogRecordMaxSize: 1020 MiB. */
enum { ALIGNMENT = 8, RECORD_MAX_B = 1020 * 1024 * 1024 };

enum state { AT_RECORD, IN_HEAD, IN_RECORD, SWITCHED, STOPPED };

struct wal_walk {
	struct wal_summary out;
	enum state state;
	uint64_t page_lsn;
	uint64_t left; /* bytes of the record, or of the head, that are to come */
	uint64_t record_lsn;
	struct wal_edge record;
	unsigned char page[WAL_PAGE_MAX]; /* what came of a page so far */
	size_t page_n;
	uint32_t page_size; /* 0: the first page is yet to come */
};

struct wal_walk *wal_walk_new(void)
{
	return xcalloc(1, sizeof(struct wal_walk));
}

void wal_walk_free(struct wal_walk **w)
{
	free(*w);
	*w = NULL;
}

void wal_walk_begin(struct wal_walk *w)
{
	memset(&w->out, 0, sizeof(w->out));
	memset(&w->record, 0, sizeof(w->record));
	w->state = AT_RECORD;
	w->page_size = 0;
	w->page_n = 0;
	w->page_lsn = w->left = w->record_lsn = 0;
}

static void stop(struct wal_walk *w, enum wal_fault fault, uint64_t lsn)
{
	w->out.fault = fault;
	w->out.fault_lsn = lsn;
	w->state = STOPPED;
}

static void commit(struct wal_summary *s, int64_t at_ms)
{
	s->commits++;
	if (s->first_commit_ms == 0 || at_ms < s->first_commit_ms)
		s->first_commit_ms = at_ms;
	if (at_ms > s->last_commit_ms)
		s->last_commit_ms = at_ms;
}

/* All of it has come: its header with at least the first n bytes of it, and the checksum of what
 * is behind the header. */
static bool record_sound(struct wal_summary *s, const unsigned char *r, size_t n, uint32_t crc)
{
	int64_t at_ms;

	if ((uint32_t)crc_add(CRC_32C, crc, r, WAL_RECORD_CRC) != bytes_le32(r + WAL_RECORD_CRC))
		return false;
	if (wal_commit(r, n, &at_ms))
		commit(s, at_ms);
	return true;
}

static size_t edge_n(const struct wal_edge *r)
{
	return r->bytes < WAL_EDGE ? (size_t)r->bytes : WAL_EDGE;
}

/* In the order of the records: a multiplication between two makes it count. */
static void digest(struct wal_summary *s, uint32_t crc)
{
	/* FNV-1a, of whole checksums instead of bytes. */
	static const uint64_t prime = UINT64_C(0x100000001b3);

	s->digest = (s->digest ^ crc) * prime;
}

static void end_record(struct wal_walk *w, const unsigned char *r, size_t n, uint32_t crc)
{
	if (!record_sound(&w->out, r, n, crc)) {
		stop(w, WAL_BAD_CRC, w->record_lsn);
		return;
	}
	digest(&w->out, bytes_le32(r + WAL_RECORD_CRC));
	w->state = wal_is_switch(r) ? SWITCHED : AT_RECORD;
	w->out.switched = w->state == SWITCHED;
}

static void keep_first(struct wal_edge *r, const unsigned char *p, size_t n)
{
	if (r->bytes < WAL_EDGE)
		memcpy(r->first + r->bytes, p, n < WAL_EDGE - r->bytes ? n : WAL_EDGE - r->bytes);
}

/* The header is whole: does it follow the record before? */
static bool chained(struct wal_walk *w, const unsigned char *header)
{
	const uint64_t prev = bytes_le64(header + WAL_RECORD_PREV);

	if (w->out.first_record == 0) {
		w->out.first_record = w->record_lsn;
		w->out.first_prev = prev;
	} else if (prev != w->out.last_record) {
		stop(w, WAL_BAD_CHAIN, w->record_lsn);
		return false;
	}
	w->out.last_record = w->record_lsn;
	return true;
}

/* As most are: no page cuts it, and nothing of it need be kept. */
static void whole_record(struct wal_walk *w, const unsigned char *p, size_t n)
{
	const size_t header = WAL_RECORD_HEADER;

	if (chained(w, p))
		end_record(w, p, n, (uint32_t)crc_add(CRC_32C, 0, p + header, n - header));
}

static void feed_record(struct wal_walk *w, const unsigned char *p, size_t n)
{
	struct wal_edge *r = &w->record;
	const uint64_t before = r->bytes;
	const size_t header = before < WAL_RECORD_HEADER ? WAL_RECORD_HEADER - (size_t)before : 0;

	keep_first(r, p, n);
	r->bytes += n;
	w->left -= n;
	if (header > 0 && r->bytes >= WAL_RECORD_HEADER && !chained(w, r->first))
		return;
	if (n > header)
		r->crc = (uint32_t)crc_add(CRC_32C, r->crc, p + header, n - header);
	if (w->left > 0)
		return;
	end_record(w, r->first, edge_n(r), r->crc);
	r->bytes = 0;
}

static void feed_head(struct wal_walk *w, const unsigned char *p, size_t n)
{
	struct wal_edge *h = &w->out.head;

	keep_first(h, p, n);
	h->bytes += n;
	h->crc = (uint32_t)crc_add(CRC_32C, h->crc, p, n);
	w->left -= n;
	if (w->left == 0)
		w->state = AT_RECORD;
}

static void begin_record(struct wal_walk *w, const unsigned char *p, uint64_t lsn)
{
	const uint32_t length = bytes_le32(p);

	if (length == 0) {
		stop(w, WAL_ENDS, lsn);
	} else if (length < WAL_RECORD_HEADER || length > RECORD_MAX_B) {
		stop(w, WAL_BAD_LENGTH, lsn);
	} else {
		w->state = IN_RECORD;
		w->left = length;
		w->record_lsn = lsn;
		w->record.bytes = 0;
		w->record.crc = 0;
	}
}

static bool zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Does a record go on where the page's header says one does? */
static bool continues(struct wal_walk *w, const unsigned char *p)
{
	const uint16_t info = bytes_le16(p + PAGE_INFO);
	const uint32_t rem = bytes_le32(p + PAGE_REM_LEN);
	const bool first = w->page_lsn == w->out.header.lsn;

	if (first && (info & INFO_CONTINUED) && rem > 0 && rem <= RECORD_MAX_B) {
		w->state = IN_HEAD;
		w->out.head_left = w->left = rem;
		return true;
	}
	if (info & INFO_OVERWRITES) {
		w->out.overwrites = w->out.overwrites || first;
		if (w->state == IN_RECORD)
			w->state = AT_RECORD;
	}
	if (w->state == IN_RECORD || w->state == IN_HEAD)
		return (info & INFO_CONTINUED) && rem == w->left;
	return !(info & INFO_CONTINUED) && rem == 0;
}

static void feed(struct wal_walk *w, const unsigned char *p, size_t at)
{
	while (at < w->page_size && w->state < SWITCHED) {
		const size_t room = w->page_size - at;
		const bool begins = w->state == AT_RECORD;
		size_t n;

		if (begins)
			begin_record(w, p + at, w->page_lsn + at);
		if (w->state >= SWITCHED)
			return;
		n = w->left < room ? (size_t)w->left : room;
		if (begins && n == w->left)
			whole_record(w, p + at, n);
		else if (w->state == IN_HEAD)
			feed_head(w, p + at, n);
		else
			feed_record(w, p + at, n);
		at = (at + n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	}
	/* Since PostgreSQL 11 the pages behind a switch are all zeros; before, they have headers.
	 */
	if (w->state == SWITCHED && at < w->page_size && !zero(p + at, w->page_size - at))
		stop(w, WAL_NOT_ZERO, w->page_lsn + at);
}

static void look_at_page(struct wal_walk *w, const unsigned char *p)
{
	const size_t header = w->page_lsn == w->out.header.lsn ? PAGE_LONG : PAGE_SHORT;

	if (w->state == STOPPED || (w->state == SWITCHED && zero(p, w->page_size)))
		return;
	if (zero(p, header))
		stop(w, w->state == SWITCHED ? WAL_NOT_ZERO : WAL_ENDS, w->page_lsn);
	else if (!wal_page(p, &w->out.header, w->page_lsn))
		stop(w, WAL_BAD_PAGE, w->page_lsn);
	else if (!continues(w, p))
		stop(w, WAL_NOT_CONTINUED, w->page_lsn);
	if (w->state == STOPPED)
		return;
	w->out.timeline = bytes_le32(p + PAGE_TIMELINE);
	feed(w, p, header);
}

static void page(struct wal_walk *w, const unsigned char *p)
{
	look_at_page(w, p);
	w->page_lsn += w->page_size;
}

/* The first page says how long pages are. */
static void begin_pages(struct wal_walk *w, const unsigned char *p)
{
	struct wal_header *h = &w->out.header;

	w->page_size = WAL_PAGE_SIZE;
	if (!wal_header(p, h) || h->block_size > WAL_PAGE_MAX ||
	    (h->block_size & (h->block_size - 1)) != 0) {
		memset(h, 0, sizeof(*h));
		stop(w, WAL_NO_HEADER, 0);
		return;
	}
	w->page_size = h->block_size;
	w->page_lsn = h->lsn;
}

void wal_walk_add(struct wal_walk *w, const unsigned char *p, size_t n)
{
	w->out.bytes += n;
	while (n > 0) {
		const size_t wanted = w->page_size ? w->page_size : WAL_HEADER_SIZE;
		size_t part;

		if (w->page_n == 0 && n >= wanted && w->page_size) {
			page(w, p);
			p += wanted;
			n -= wanted;
			continue;
		}
		part = n < wanted - w->page_n ? n : wanted - w->page_n;
		memcpy(w->page + w->page_n, p, part);
		w->page_n += part;
		p += part;
		n -= part;
		if (w->page_n < wanted)
			continue;
		if (w->page_size == 0) {
			begin_pages(w, w->page);
			continue; /* the rest of that page */
		}
		page(w, w->page);
		w->page_n = 0;
	}
}

void wal_walk_end(struct wal_walk *w, struct wal_summary *out)
{
	if (w->page_size == 0)
		stop(w, WAL_NO_HEADER, 0);
	else if (w->out.fault != WAL_NO_HEADER && w->out.bytes != w->out.header.segment_size)
		stop(w, WAL_BAD_SIZE, w->out.header.lsn + w->out.bytes);
	if (w->state == IN_RECORD) {
		w->out.tail = w->record;
		/* Also when not even its header is whole. */
		w->out.last_record = w->record_lsn;
		if (w->out.first_record == 0)
			w->out.first_record = w->record_lsn;
	}
	w->out.inside = w->state == IN_HEAD;
	digest(&w->out, w->out.head.crc);
	digest(&w->out, w->out.tail.crc);
	*out = w->out;
}

const char *wal_fault_text(enum wal_fault fault)
{
	static const char *const texts[WAL_FAULTS] = {
		[WAL_SOUND] = "it is sound",
		[WAL_NO_HEADER] = "it does not begin as a WAL segment does",
		[WAL_BAD_PAGE] = "the page is one of another place, version or timeline",
		[WAL_BAD_LENGTH] = "the record's length is impossible",
		[WAL_BAD_CHAIN] = "the record does not follow the one before it",
		[WAL_BAD_CRC] = "the record's checksum is wrong",
		[WAL_NOT_CONTINUED] = "the record that the page before began does not go on",
		[WAL_ENDS] = "the WAL ends in the middle of the segment",
		[WAL_NOT_ZERO] = "there is something behind the end of the WAL",
		[WAL_BAD_SIZE] = "its size is wrong",
	};

	return texts[fault];
}

/* --- borders ---------------------------------------------------------------------------------- */

/* The record so far: t, and what the next segment holds of it. */
static void append(struct wal_edge *t, const struct wal_edge *h)
{
	const size_t header =
		t->bytes < WAL_RECORD_HEADER ? WAL_RECORD_HEADER - (size_t)t->bytes : 0;
	const size_t skipped = header < h->bytes ? header : (size_t)h->bytes;
	const uint64_t n = h->bytes - skipped;
	/* Of the bytes behind the record's header. */
	const uint64_t crc =
		skipped == 0 ? h->crc
			     : crc_join(CRC_32C, crc_add(CRC_32C, 0, h->first, skipped), h->crc, n);

	keep_first(t, h->first, h->bytes < WAL_EDGE ? (size_t)h->bytes : WAL_EDGE);
	t->crc = (uint32_t)crc_join(CRC_32C, t->crc, crc, n);
	t->bytes += h->bytes;
}

enum wal_fault wal_join(const struct wal_summary *before, struct wal_summary *after)
{
	struct wal_edge whole = before->tail;

	/* A record whose header the next border cuts has said nothing yet. */
	if (after->first_prev != 0 && before->last_record != 0 &&
	    after->first_prev != before->last_record)
		return WAL_BAD_CHAIN;
	if (after->overwrites)
		return WAL_SOUND;
	if (whole.bytes == 0)
		return after->head.bytes == 0 ? WAL_SOUND : WAL_NOT_CONTINUED;
	if (after->head.bytes == 0 || bytes_le32(whole.first) != whole.bytes + after->head_left)
		return WAL_NOT_CONTINUED;
	append(&whole, &after->head);
	if (after->inside) {
		/* The next border goes on from here. */
		after->tail = whole;
		after->last_record = before->last_record;
		return WAL_SOUND;
	}
	return record_sound(after, whole.first, edge_n(&whole), whole.crc) ? WAL_SOUND
									   : WAL_BAD_CRC;
}

#include "lib/physical/walledger.h"

#include "lib/base/atomic.h"
#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"
#include "lib/physical/hash.h"
#include "lib/storage/crc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUM_DIGITS = 8, EDGE_HEX = 2 * WAL_EDGE + 1 };
/* Some 700 bytes a segment: a million of them. */
#define LEDGER_MAX_B ((size_t)1 << 30)

/* Every number of a summary, in the order in which they stand in a line. */
enum { NUMBERS = 22 };

static void to_numbers(const struct wal_summary *s, uint64_t v[NUMBERS])
{
	const uint64_t all[NUMBERS] = {
		s->header.magic,
		s->header.timeline,
		s->header.lsn,
		s->header.system_identifier,
		s->header.segment_size,
		s->header.block_size,
		s->timeline,
		s->switched,
		s->overwrites,
		s->inside,
		s->first_record,
		s->last_record,
		s->first_prev,
		s->head_left,
		s->head.bytes,
		s->head.crc,
		s->tail.bytes,
		s->tail.crc,
		s->commits,
		(uint64_t)s->first_commit_ms,
		(uint64_t)s->last_commit_ms,
		s->digest,
	};

	memcpy(v, all, sizeof(all));
}

static void from_numbers(const uint64_t v[NUMBERS], struct wal_summary *s)
{
	*s = (struct wal_summary){
		.header = { .magic = (uint16_t)v[0],
			    .timeline = (uint32_t)v[1],
			    .lsn = v[2],
			    .system_identifier = v[3],
			    .segment_size = (uint32_t)v[4],
			    .block_size = (uint32_t)v[5] },
		.timeline = (uint32_t)v[6],
		.switched = v[7] != 0,
		.overwrites = v[8] != 0,
		.inside = v[9] != 0,
		.first_record = v[10],
		.last_record = v[11],
		.first_prev = v[12],
		.head_left = v[13],
		.head = { .bytes = v[14], .crc = (uint32_t)v[15] },
		.tail = { .bytes = v[16], .crc = (uint32_t)v[17] },
		.commits = v[18],
		.first_commit_ms = (int64_t)v[19],
		.last_commit_ms = (int64_t)v[20],
		.digest = v[21],
	};
	s->bytes = s->header.segment_size;
}

static void edge_hex(const struct wal_edge *edge, char out[EDGE_HEX])
{
	out[0] = '\0';
	for (size_t i = 0; i < WAL_EDGE && i < edge->bytes; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", edge->first[i]);
}

static bool edge_parse(const char *hex, struct wal_edge *edge)
{
	const size_t n = edge->bytes < WAL_EDGE ? (size_t)edge->bytes : WAL_EDGE;

	return hex != NULL && hash_parse(hex, edge->first, n);
}

/* JSON knows no numbers without a sign: these are the same 64 bits with one. */
static bool numbers_of(const json_t *list, uint64_t v[NUMBERS])
{
	if (json_array_size(list) != NUMBERS)
		return false;
	for (size_t i = 0; i < NUMBERS; i++) {
		if (!json_is_integer(json_array_get(list, i)))
			return false;
		v[i] = (uint64_t)json_integer_value(json_array_get(list, i));
	}
	return true;
}

bool walledger_parse(const char *line, size_t n, struct walledger_entry *out)
{
	char sum[SUM_DIGITS + 1];
	uint64_t v[NUMBERS];
	const char *file, *etag;
	struct err ignored;
	bool sound = false;
	json_t *o;

	memset(out, 0, sizeof(*out));
	if (n <= SUM_DIGITS + 1)
		return false;
	line += SUM_DIGITS + 1;
	n -= SUM_DIGITS + 1;
	(void)snprintf(sum, sizeof(sum), "%08" PRIx32, (uint32_t)crc_add(CRC_32C, 0, line, n));
	if (memcmp(sum, line - SUM_DIGITS - 1, SUM_DIGITS) != 0)
		return false;
	o = record_parse(line, n, &ignored);
	file = record_text(o, "file");
	etag = record_text(o, "etag");
	if (file && etag && record_int(o, "bytes", &out->bytes) &&
	    record_int(o, "modified", &out->modified_ms) &&
	    record_int(o, "verified", &out->verified_ms) &&
	    numbers_of(json_object_get(o, "summary"), v)) {
		from_numbers(v, &out->sum);
		sound = edge_parse(record_text(o, "head"), &out->sum.head) &&
			edge_parse(record_text(o, "tail"), &out->sum.tail);
	}
	if (sound) {
		out->file = xstrdup(file);
		out->etag = xstrdup(etag);
	}
	json_decref(o);
	return sound;
}

static int by_file(const void *a, const void *b)
{
	return strcmp(((const struct walledger_entry *)a)->file,
		      ((const struct walledger_entry *)b)->file);
}

int walledger_load(struct walledger *l, const char *path, struct err *e)
{
	BUF_AUTO text = BUF_INIT(LEDGER_MAX_B);

	*l = (struct walledger){ 0 };
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (io_slurp(path, &text, e) < 0)
		return -1;
	for (const char *s = text.s; *s != '\0';) {
		const size_t n = strcspn(s, "\n");
		struct walledger_entry entry;

		if (!walledger_parse(s, n, &entry)) {
			l->damaged++;
		} else {
			if ((l->n & (l->n + 1)) == 0)
				l->v = xrealloc(l->v, 2 * (l->n + 1), sizeof(*l->v));
			l->v[l->n++] = entry;
		}
		s += n + (s[n] == '\n');
	}
	if (strlen(text.s) != text.len)
		l->damaged++;
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_file);
	return 0;
}

const struct walledger_entry *walledger_find(const struct walledger *l, const char *file,
					     int64_t bytes, int64_t modified_ms, const char *etag)
{
	const struct walledger_entry key = { .file = xstrdup(file) };
	const struct walledger_entry *found =
		l->n ? bsearch(&key, l->v, l->n, sizeof(*l->v), by_file) : NULL;

	free(key.file);
	return found && found->bytes == bytes && found->modified_ms == modified_ms &&
			       strcmp(found->etag, etag) == 0
		       ? found
		       : NULL;
}

void walledger_add(struct walledger *l, const struct walledger_entry *entry)
{
	if ((l->n & (l->n + 1)) == 0)
		l->v = xrealloc(l->v, 2 * (l->n + 1), sizeof(*l->v));
	l->v[l->n] = *entry;
	l->v[l->n].file = xstrdup(entry->file);
	l->v[l->n++].etag = xstrdup(entry->etag);
}

static void print(struct buf *out, const struct walledger_entry *entry)
{
	char head[EDGE_HEX], tail[EDGE_HEX];
	uint64_t v[NUMBERS];
	json_t *numbers = json_array(), *o;
	AUTO_FREE char *line = NULL;

	to_numbers(&entry->sum, v);
	for (size_t i = 0; i < NUMBERS; i++)
		(void)json_array_append_new(numbers, json_integer((json_int_t)v[i]));
	edge_hex(&entry->sum.head, head);
	edge_hex(&entry->sum.tail, tail);
	o = json_pack("{s:o,s:s,s:I,s:I,s:I,s:s,s:s,s:o}", "file",
		      record_string(entry->file, strlen(entry->file)), "etag", entry->etag, "bytes",
		      (json_int_t)entry->bytes, "modified", (json_int_t)entry->modified_ms,
		      "verified", (json_int_t)entry->verified_ms, "head", head, "tail", tail,
		      "summary", numbers);
	line = o ? record_print(o, RECORD_MAX) : NULL;
	json_decref(o);
	if (line != NULL)
		buf_addf(out, "%08" PRIx32 " %s\n",
			 (uint32_t)crc_add(CRC_32C, 0, line, strlen(line)), line);
}

int walledger_save(const struct walledger *l, const char *path, struct err *e)
{
	BUF_AUTO text = BUF_INIT(LEDGER_MAX_B);

	for (size_t i = 0; i < l->n; i++)
		print(&text, &l->v[i]);
	if (text.full)
		return err_set(e, ERR_SYSTEM, "write %s: more than %zu bytes", path, LEDGER_MAX_B);
	return atomic_write(path, text.s, text.len, 0600, e);
}

void walledger_free(struct walledger *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].file);
		free(l->v[i].etag);
	}
	free(l->v);
	*l = (struct walledger){ 0 };
}

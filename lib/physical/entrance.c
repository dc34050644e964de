#include "lib/physical/entrance.h"

#include "lib/base/bytes.h"
#include "lib/base/io.h"
#include "lib/base/xmem.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
	PG_AUTHID = 1260,
	PG_DATABASE = 1262,
	BOOTSTRAP_ROLE = 10,
	MAP_MAGIC = 0x592717,
	MAP_MAX = 1024,
	CATALOGUE_MAX = 256 * 1024 * 1024,
	PAGE_HEADER = 24,
	ITEM_NORMAL = 1,
	TUPLE_HEADER = 23,
	/* t_infomask */
	XMAX_ONLY_LOCKS = 0x0080,
	XMIN_COMMITTED = 0x0100,
	XMIN_INVALID = 0x0200,
	XMAX_INVALID = 0x0800,
};

/* Both catalogues begin with these two columns. */
enum { ROW_OID = 0, ROW_NAME = 4, ROW_REST = ROW_NAME + ENTRANCE_NAME };

/* Tells whether the row is better than what *best holds so far. */
typedef bool better_fn(const unsigned char *row, size_t n, int major, int *best);

static int file_of(const char *data, uint32_t catalogue, uint32_t *file, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/global/pg_filenode.map", data);
	BUF_AUTO map = BUF_INIT(MAP_MAX);

	if (io_slurp(path, &map, e) < 0)
		return -1;
	if (map.len >= 8 && bytes_le32(map.s) == MAP_MAGIC)
		for (uint32_t i = 0; i < bytes_le32(map.s + 4) && 16 + 8 * (size_t)i <= map.len;
		     i++)
			if (bytes_le32(map.s + 8 + 8 * i) == catalogue) {
				*file = bytes_le32(map.s + 12 + 8 * i);
				return 0;
			}
	return err_set(e, ERR_BACKUP, "read pg_filenode.map: damaged: catalogue %u is not in it",
		       (unsigned)catalogue);
}

/* By its hint bits alone. A row that was never hinted as aborted may pass; then the server says no.
 */
static bool may_be_live(const unsigned char *tuple)
{
	const uint16_t mask = bytes_le16(tuple + 20);
	const bool made = (mask & (XMIN_COMMITTED | XMIN_INVALID)) != XMIN_INVALID;

	return made && (mask & (XMAX_INVALID | XMAX_ONLY_LOCKS) || bytes_le32(tuple + 4) == 0);
}

static void look_at_page(const unsigned char *page, uint32_t size, int major, better_fn *better,
			 int *best, char name[ENTRANCE_NAME])
{
	const size_t lower = bytes_le16(page + 12);

	for (size_t at = PAGE_HEADER; at + 4 <= lower && at + 4 <= size; at += 4) {
		const uint32_t item = bytes_le32(page + at);
		const size_t offset = item & 0x7fff, length = item >> 17;
		const unsigned char *tuple = page + offset;
		size_t header;

		if ((item >> 15 & 3) != ITEM_NORMAL || length < TUPLE_HEADER ||
		    offset + length > size)
			continue;
		header = tuple[22];
		if (header < TUPLE_HEADER || header + ROW_REST > length || !may_be_live(tuple))
			continue;
		if (better(tuple + header, length - header, major, best))
			(void)snprintf(name, ENTRANCE_NAME, "%.*s", ENTRANCE_NAME - 1,
				       (const char *)tuple + header + ROW_NAME);
	}
}

static int choose(const char *data, uint32_t block_size, int major, uint32_t catalogue,
		  better_fn *better, char name[ENTRANCE_NAME], struct err *e)
{
	BUF_AUTO pages = BUF_INIT(CATALOGUE_MAX);
	AUTO_FREE char *path = NULL;
	uint32_t file = 0;
	int best = 0;

	if (file_of(data, catalogue, &file, e) < 0)
		return -1;
	path = xasprintf("%s/global/%u", data, (unsigned)file);
	if (io_slurp(path, &pages, e) < 0)
		return -1;
	for (size_t at = 0; at + block_size <= pages.len; at += block_size)
		look_at_page((const unsigned char *)pages.s + at, block_size, major, better, &best,
			     name);
	return best;
}

/* The first superuser that may log in, but best of all that of initdb. */
static bool better_role(const unsigned char *row, size_t n, int major, int *best)
{
	enum { SUPER = ROW_REST, LOGIN = ROW_REST + 4 };
	const int rank = bytes_le32(row + ROW_OID) == BOOTSTRAP_ROLE ? 2 : 1;

	(void)major;
	if (n <= LOGIN || !row[SUPER] || !row[LOGIN] || rank <= *best)
		return false;
	*best = rank;
	return true;
}

/* Any that takes connections; rather one that no user has put triggers or settings into. */
static bool better_database(const unsigned char *row, size_t n, int major, int *best)
{
	/* datdba, encoding; then 15 has the provider, those before two names; datistemplate */
	const size_t allows = ROW_REST + 8 + (major >= 15 ? 1 : 2 * ENTRANCE_NAME) + 1;
	const char *name = (const char *)row + ROW_NAME;
	const int rank = strncmp(name, "template1", ENTRANCE_NAME) == 0  ? 3
			 : strncmp(name, "postgres", ENTRANCE_NAME) == 0 ? 2
									 : 1;

	if (n <= allows || !row[allows] || rank <= *best)
		return false;
	*best = rank;
	return true;
}

int entrance_find(const char *data, uint32_t block_size, int major, struct entrance *out,
		  struct err *e)
{
	int found = choose(data, block_size, major, PG_AUTHID, better_role, out->user, e);

	if (found == 0)
		return err_set(
			e, ERR_BACKUP,
			"look for a superuser: no role of the cluster is one and may log in");
	if (found > 0)
		found = choose(data, block_size, major, PG_DATABASE, better_database, out->database,
			       e);
	if (found == 0)
		return err_set(e, ERR_BACKUP,
			       "look for databases: there is none that takes connections");
	return found < 0 ? -1 : 0;
}

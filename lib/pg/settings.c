#include "lib/pg/settings.h"

#include "lib/base/human.h"
#include "lib/pg/query.h"

#include <inttypes.h>
#include <string.h>

enum { KB = 1024 };

/* All of them are known to every version since 10. */
static const char query[] =
	"SELECT name, setting, CASE unit WHEN '8kB' THEN setting::bigint * 8192 "
	"WHEN 'kB' THEN setting::bigint * 1024 ELSE 0 END "
	"FROM pg_catalog.pg_settings WHERE name IN ('shared_buffers', 'work_mem', "
	"'maintenance_work_mem', 'max_parallel_workers', 'max_parallel_maintenance_workers', "
	"'max_worker_processes', 'effective_io_concurrency', 'wal_level', 'wal_buffers', "
	"'min_wal_size', 'max_wal_size', 'checkpoint_timeout', 'checkpoint_completion_target', "
	"'full_page_writes', 'wal_log_hints', 'bgwriter_delay', 'bgwriter_lru_maxpages') "
	"ORDER BY name";

/* The most that makes sense here: of shared buffers, and of each session that builds an index. */
static uint64_t most(const char *name, uint64_t memory_b, unsigned jobs)
{
	if (strcmp(name, "shared_buffers") == 0)
		return memory_b / 4;
	if (strcmp(name, "maintenance_work_mem") == 0)
		return memory_b / 4 / (jobs ? jobs : 1);
	return UINT64_MAX;
}

static void cut_down(const char *name, uint64_t is_b, uint64_t to_b, struct strv *out,
		     struct buf *less)
{
	char is[HUMAN_SIZE], to[HUMAN_SIZE];

	strv_addf(out, "%s=%" PRIu64 "kB", name, to_b / KB);
	buf_addf(less, "%s%s cut down from %s to %s", less->len ? ", " : "", name,
		 human_bytes(is_b, is), human_bytes(to_b, to));
}

int settings_read(struct pg *pg, uint64_t memory_b, unsigned jobs, struct strv *out,
		  struct buf *less, struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg, query, NULL, 0, e);
	int64_t bytes;

	if (r == NULL)
		return -1;
	for (int i = 0; i < PQntuples(r); i++) {
		const char *name = pg_cell(r, i, 0);
		uint64_t limit_b = most(name, memory_b, jobs);

		if (pg_cell_int(r, i, 2, &bytes) && bytes > 0 && (uint64_t)bytes > limit_b)
			cut_down(name, (uint64_t)bytes, limit_b, out, less);
		else
			strv_addf(out, "%s=%s", name, pg_cell(r, i, 1));
	}
	return 0;
}

#include "lib/restore/sections.h"

#include "lib/base/proc.h"
#include "lib/base/utc.h"
#include "lib/restore/pgrestore.h"

enum { CONNINFO_MAX = PATH_MAX + 1024 };

/* One after the other, for what cannot be read by several. */
static int run_each(const struct into_job *job, struct pgrestore *p, struct err *e)
{
	static const struct {
		const char *name[2];
		enum phase phase;
	} sections[] = {
		{ { "pre-data" }, PHASE_PRE_DATA },
		{ { "data" }, PHASE_DATA },
		{ { "post-data" }, PHASE_POST_DATA },
	};
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (job->rows_only && sections[i].phase == PHASE_POST_DATA)
			break;
		p->sections = sections[i].name;
		phases_begin(job->phases, sections[i].phase);
		ret = pgrestore_run(p, job->mishaps, e);
		phases_end(job->phases, sections[i].phase);
	}
	return ret;
}

struct seen {
	struct phases *phases;
	enum phase phase;
	int64_t rows_ms; /* when the last rows were in */
};

static void see_progress(void *ctx, enum pgrestore_at at)
{
	struct seen *p = ctx;

	p->rows_ms = mono_ms();
	if (at != PGRESTORE_MADE || p->phase != PHASE_PRE_DATA)
		return;
	phases_end(p->phases, p->phase);
	p->phase = PHASE_DATA;
	phases_begin(p->phases, p->phase);
}

/* By several, in one run: what makes a table and then fills it need not log its rows, and nobody
 * waits at the border between rows and indexes. */
static int run_at_once(const struct into_job *job, const struct pgrestore *p, struct err *e)
{
	static const char *const all[] = { "pre-data", "data", "post-data", NULL };
	static const char *const rows_only[] = { "pre-data", "data", NULL };
	struct seen at = { .phases = job->phases, .phase = PHASE_PRE_DATA };
	struct pgrestore run = *p;
	int ret;

	run.sections = job->rows_only ? rows_only : all;
	run.jobs = job->jobs;
	run.see = see_progress;
	run.ctx = &at;
	phases_begin(job->phases, at.phase);
	ret = pgrestore_run(&run, job->mishaps, e);
	phases_end(job->phases, at.phase);
	if (at.phase == PHASE_DATA && !job->rows_only)
		phases_move(job->phases, PHASE_DATA, PHASE_POST_DATA,
			    job->phases->ended_ms - at.rows_ms);
	return ret;
}

int sections_run(const struct into_job *job, const char *database, const char *list, struct err *e)
{
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	STRV_AUTO env = { 0 };
	struct proc how = { .cwd = job->cluster->opts.dir };
	struct pgrestore p = { .how = &how,
			       .bindir = job->cluster->opts.bin->path,
			       .jobs = 1,
			       .list = list,
			       .path = job->path };

	cluster_environment(job->cluster, &env);
	how.env = env.v;
	p.conninfo = cluster_conninfo(job->cluster, database, &conninfo);
	return job->jobs > 1 && job->what->kind != DUMP_TAR ? run_at_once(job, &p, e)
							    : run_each(job, &p, e);
}

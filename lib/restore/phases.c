#include "lib/restore/phases.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"

static const struct {
	const char *metric;
	const char *text;
	const char *bytes, *rate;
} names[PHASES] = {
	[PHASE_BRING] = { "repository_seconds", "out of the repository", "repository_bytes",
			  "repository_rate" },
	[PHASE_DECRYPT] = { "decrypt_seconds", "decrypt", NULL, NULL },
	[PHASE_UNPACK] = { "unpack_seconds", "unpack", "unpack_bytes", "unpack_rate" },
	[PHASE_COMBINE] = { "combine_seconds", "putting the chain together", "combine_bytes",
			    "combine_rate" },
	[PHASE_START] = { "start_seconds", "server", NULL, NULL },
	[PHASE_CONSISTENT] = { "consistent_seconds", "until consistent", NULL, NULL },
	[PHASE_REPLAY] = { "replay_seconds", "replay", "replay_bytes", "replay_rate" },
	[PHASE_PRE_DATA] = { "pre_data_seconds", "tables", NULL, NULL },
	[PHASE_DATA] = { "data_seconds", "rows", "data_bytes", "data_rate" },
	[PHASE_POST_DATA] = { "post_data_seconds", "indexes and constraints", "post_data_bytes",
			      "post_data_rate" },
	[PHASE_ANALYZE] = { "analyze_seconds", "statistics", NULL, NULL },
	[PHASE_READY] = { "ready_seconds", "first answer", NULL, NULL },
};

void phases_begin(struct phases *p, enum phase which)
{
	if (p->progress && !p->ran[which])
		p->progress(names[which].text);
	p->ran[which] = true;
	p->began_ms = mono_ms();
}

void phases_end(struct phases *p, enum phase which)
{
	p->ended_ms = mono_ms();
	p->ms[which] += p->ended_ms - p->began_ms;
}

void phases_move(struct phases *p, enum phase from, enum phase to, int64_t ms)
{
	if (ms > p->ms[from])
		ms = p->ms[from];
	p->ms[from] -= ms;
	p->ms[to] += ms;
	p->ran[to] = true;
}

double phases_restore_s(const struct phases *p)
{
	int64_t sum = 0;

	for (int i = 0; i < PHASES; i++)
		sum += p->ms[i];
	return (double)sum / 1000;
}

double phases_total_s(const struct phases *p)
{
	if (p->arrives_along)
		return (double)(p->ended_ms - p->arrives_ms) / 1000;
	return phases_restore_s(p) + (p->fetch_s > 0 ? p->fetch_s : 0);
}

/* Bytes in a second; 0 when there is nothing to say. */
static double rate_of(uint64_t bytes, int64_t ms)
{
	return ms > 0 ? (double)bytes * 1000 / (double)ms : 0;
}

void phases_text(const struct phases *p, struct buf *out)
{
	double restore_s = phases_restore_s(p);
	char text[HUMAN_SIZE];

	buf_addf(out, "%s to a temporary server (", human_duration(phases_total_s(p), text));
	if (p->fetch_s >= 0)
		buf_addf(out, "fetch %s, ", human_duration(p->fetch_s, text));
	buf_addf(out, "restore %s", human_duration(restore_s, text));
	if (p->arrives_along)
		buf_addf(out, " while it was fetched, which it waited %s for",
			 human_duration((double)p->wait_ms / 1000, text));
	/* What takes a tenth of the restore is worth a word. */
	for (int i = 0; i < PHASES; i++) {
		if (!p->ran[i] || (double)p->ms[i] / 1000 * 10 < restore_s)
			continue;
		buf_addf(out, ", %s %s", names[i].text,
			 human_duration((double)p->ms[i] / 1000, text));
		if (rate_of(p->bytes[i], p->ms[i]) > 0)
			buf_addf(out, " at %s/s",
				 human_bytes((uint64_t)rate_of(p->bytes[i], p->ms[i]), text));
	}
	buf_addc(out, ')');
}

void phases_metrics(const struct phases *p, struct check *c)
{
	check_metric_real(c, "restore_seconds", phases_restore_s(p), "s");
	if (p->find_s >= 0)
		check_metric_real(c, "find_seconds", p->find_s, "s");
	for (int i = 0; i < PHASES; i++) {
		if (!p->ran[i])
			continue;
		check_metric_real(c, names[i].metric, (double)p->ms[i] / 1000, "s");
		if (names[i].bytes && p->bytes[i]) {
			check_metric_int(c, names[i].bytes, (int64_t)p->bytes[i], "B");
			check_metric_real(c, names[i].rate, rate_of(p->bytes[i], p->ms[i]), "B/s");
		}
	}
	if (p->arrives_along)
		check_metric_real(c, "fetch_wait_seconds", (double)p->wait_ms / 1000, "s");
	if (p->decrypts_along)
		check_metric_real(c, "decrypt_along_seconds", (double)p->decrypt_along_ms / 1000,
				  "s");
	if (p->unpack_along_ms > 0)
		check_metric_real(c, "unpack_along_seconds", (double)p->unpack_along_ms / 1000,
				  "s");
}

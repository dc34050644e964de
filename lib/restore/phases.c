#include "lib/restore/phases.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"

static const struct {
	const char *metric;
	const char *text;
} names[PHASES] = {
	[PHASE_UNPACK] = { "unpack_seconds", "unpack" },
	[PHASE_START] = { "start_seconds", "server" },
	[PHASE_PRE_DATA] = { "pre_data_seconds", "tables" },
	[PHASE_DATA] = { "data_seconds", "rows" },
	[PHASE_POST_DATA] = { "post_data_seconds", "indexes and constraints" },
	[PHASE_READY] = { "ready_seconds", "first answer" },
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
	p->ms[which] += mono_ms() - p->began_ms;
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
	return phases_restore_s(p) + (p->fetch_s > 0 ? p->fetch_s : 0);
}

void phases_text(const struct phases *p, struct buf *out)
{
	double restore_s = phases_restore_s(p);
	char text[HUMAN_SIZE];

	buf_addf(out, "%s to a temporary server (", human_duration(phases_total_s(p), text));
	if (p->fetch_s >= 0)
		buf_addf(out, "fetch %s, ", human_duration(p->fetch_s, text));
	buf_addf(out, "restore %s", human_duration(restore_s, text));
	/* What takes a tenth of the restore is worth a word. */
	for (int i = 0; i < PHASES; i++)
		if (p->ran[i] && (double)p->ms[i] / 1000 * 10 >= restore_s)
			buf_addf(out, ", %s %s", names[i].text,
				 human_duration((double)p->ms[i] / 1000, text));
	buf_addc(out, ')');
}

void phases_metrics(const struct phases *p, struct check *c)
{
	check_metric_real(c, "restore_seconds", phases_restore_s(p), "s");
	for (int i = 0; i < PHASES; i++)
		if (p->ran[i])
			check_metric_real(c, names[i].metric, (double)p->ms[i] / 1000, "s");
}

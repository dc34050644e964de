/* check-copies: the 3-2-1 rule over the listings of several sources. */
#include "lib/base/human.h"
#include "lib/base/stage.h"
#include "lib/base/xmem.h"
#include "lib/keeper/keeper.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DAY_S = 24 * 60 * 60, NAMES_MAX = 1024 };

static struct {
	uint64_t copies, media, offsite, max_lag_s;
	struct strv elsewhere;
} config = { .copies = 3, .media = 2, .offsite = 1, .max_lag_s = DAY_S + DAY_S / 12 };

/* clang-format off */
static const struct opt options[] = {
	{ OPT_COUNT, 0, "copies", "N", &config.copies,
	  "so many copies of the data, production being one; default: 3", "MIN_COPIES", false, NULL },
	{ OPT_COUNT, 0, "media", "N", &config.media,
	  "on so many media: file systems, servers, object stores; default: 2", "MIN_MEDIA", false,
	  NULL },
	{ OPT_COUNT, 0, "offsite", "N", &config.offsite,
	  "so many of them elsewhere; default: 1", "MIN_OFFSITE", false, NULL },
	{ OPT_LIST, 0, "offsite-source", "PATTERN", &config.elsewhere,
	  "sources that are elsewhere; default: all that have a URL of another machine; may be "
	  "repeated", "OFFSITE_SOURCES", false, NULL },
	{ OPT_DURATION, 0, "max-lag", "DURATION", &config.max_lag_s,
	  "a source whose newest backup is so much older than the newest of all holds no copy; "
	  "default: 26h", "MAX_COPY_LAG", false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "check-copies",
	.what = "check that backups lie in several places",
	.operands = "",
	.description =
		"The 3-2-1 rule: three copies of the data, on two media, one elsewhere. Reads the "
		"\"backup\" records of several listings, one after the other. Production is the "
		"first copy; each source whose newest backup is not empty and hardly older than "
		"the newest of all is another. A medium is a file system of this machine, a server "
		"or a bucket. Fewer than asked for is critical.\n"
		"\n"
		"Whether a copy restores is not asked here: give restore-to-temp each in turn.",
	.examples =
		"{ list-backups /srv/backups; list-backups s3://elsewhere/shop/; } | check-copies\n"
		"three copies, two media, one elsewhere?",
	.see_also = "check-retention(1), list-backups(1), restore-to-temp(1)",
	.options = options,
};

/* A source, by its newest backup that is not empty. */
struct place {
	char *source, *medium; /* owned */
	bool elsewhere;
	bool dated;
	int64_t at_ms;
};

struct places {
	struct place *v;
	size_t n;
};

static bool is_remote(const char *source)
{
	return strstr(source, "://") && strncmp(source, "file://", strlen("file://")) != 0;
}

/* Scheme and authority of a URL: that is a server or a bucket. */
static char *medium_of(const char *source)
{
	const char *path = is_remote(source) ? strstr(source, "://") + strlen("://") : source;
	struct stat st;

	if (keeper_claims(source))
		return xstrdup(source);
	if (is_remote(source))
		return xstrndup(source, (size_t)(path - source) + strcspn(path, "/"));
	if (strncmp(path, "file://", strlen("file://")) == 0)
		path += strlen("file://");
	if (stat(path, &st) == 0)
		return xasprintf("device %llu", (unsigned long long)st.st_dev);
	return xstrdup("files of this machine");
}

static bool is_elsewhere(const char *source)
{
	for (size_t i = 0; i < config.elsewhere.n; i++)
		if (fnmatch(config.elsewhere.v[i], source, 0) == 0)
			return true;
	return config.elsewhere.n == 0 && is_remote(source);
}

static struct place *place_of(struct places *p, const char *source)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].source, source) == 0)
			return &p->v[i];
	p->v = xrealloc(p->v, p->n + 1, sizeof(*p->v));
	p->v[p->n] = (struct place){ .source = xstrdup(source),
				     .medium = medium_of(source),
				     .elsewhere = is_elsewhere(source) };
	return &p->v[p->n++];
}

static void see(struct places *p, const struct record *r)
{
	const char *source;
	struct place *place;
	int64_t at_ms, bytes;

	if (!r->object || strcmp(r->kind, "backup") != 0)
		return;
	source = record_text(r->object, "source");
	if (!source)
		return;
	place = place_of(p, source);
	if ((record_int(r->object, "bytes", &bytes) && bytes == 0) ||
	    (!record_time(r->object, "taken_at", &at_ms) &&
	     !record_time(r->object, "modified_at", &at_ms)))
		return;
	if (!place->dated || at_ms > place->at_ms)
		place->at_ms = at_ms;
	place->dated = true;
}

/* Each source that does not count says why; those that do come to the front. */
static size_t keep_copies(struct stage *st, struct places *p)
{
	int64_t newest_ms = 0;
	size_t copies = 0;
	char lag[HUMAN_SIZE];

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].dated && (newest_ms == 0 || p->v[i].at_ms > newest_ms))
			newest_ms = p->v[i].at_ms;
	for (size_t i = 0; i < p->n; i++) {
		struct place place = p->v[i];
		double lag_s = (double)(newest_ms - place.at_ms) / 1000;
		struct check c;

		check_init(&c, "copy", place.source);
		if (!place.dated)
			check_say(&c, V_WARNING,
				  "no copy: no backup of a known time that is not empty");
		else if (lag_s > (double)config.max_lag_s)
			check_say(&c, V_WARNING,
				  "no copy: its newest is %s older than that of another",
				  human_duration(lag_s, lag));
		else
			check_say(&c, V_OK, "%s, %s", place.medium,
				  place.elsewhere ? "elsewhere" : "here");
		if (c.status == V_OK) {
			p->v[i] = p->v[copies];
			p->v[copies++] = place;
		}
		stage_check(st, &c);
	}
	return copies;
}

static size_t count_media(const struct places *p, size_t copies)
{
	size_t n = 0;

	for (size_t i = 0; i < copies; i++) {
		size_t k = 0;

		while (k < i && strcmp(p->v[k].medium, p->v[i].medium) != 0)
			k++;
		n += k == i;
	}
	return n;
}

static size_t count_elsewhere(const struct places *p, size_t copies)
{
	size_t n = 0;

	for (size_t i = 0; i < copies; i++)
		n += p->v[i].elsewhere;
	return n;
}

static void check_rule(struct stage *st, const char *name, const char *what, uint64_t n,
		       uint64_t wanted)
{
	struct check c;

	check_init(&c, name, "");
	check_say(&c, n < wanted ? V_CRITICAL : V_OK, "%llu %s; %llu wanted", (unsigned long long)n,
		  what, (unsigned long long)wanted);
	check_metric_int(&c, name, (int64_t)n, "");
	stage_check(st, &c);
}

int main(int argc, char **argv)
{
	struct places p = { 0 };
	struct record r;
	struct stage st;
	size_t copies;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	stage_begin(&st, &tool);
	while (stage_next(&st, &r))
		see(&p, &r);
	copies = keep_copies(&st, &p);
	if (p.n > 0) {
		check_rule(&st, "copies", "copies, production being one", copies + 1,
			   config.copies);
		check_rule(&st, "media", "media that hold one", count_media(&p, copies),
			   config.media);
		check_rule(&st, "offsite", "elsewhere", count_elsewhere(&p, copies),
			   config.offsite);
	}
	for (size_t i = 0; i < p.n; i++) {
		free(p.v[i].source);
		free(p.v[i].medium);
	}
	free(p.v);
	return stage_end(&st);
}

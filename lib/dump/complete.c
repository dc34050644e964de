#include "lib/dump/complete.h"

#include "lib/dump/complete_parts.h"
#include "lib/dump/sqlscan.h"

#include <string.h>

static int no_end(const char *path, const struct sqlscan_end *end, struct err *e)
{
	const char *what = end->in_cluster ? "-- PostgreSQL database cluster dump complete"
					   : "-- PostgreSQL database dump complete";

	if (end->closing == SQLSCAN_OPEN && !end->in_cluster && !end->in_dump)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: something was added after \"%s\", or that is missing",
			       path, what);
	if (end->closing == SQLSCAN_OPEN || end->in_cluster)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: truncated: \"%s\" is missing at its end", path, what);
	return err_set(e, ERR_BACKUP, "read %.200s: truncated within the lines after \"%s\"", path,
		       what);
}

static int scan(struct stream *s, struct sqlscan *sc, struct sqlscan_end *end, struct complete *out,
		struct err *e)
{
	struct sqlscan_event ev;
	const unsigned char *p;
	ssize_t n;
	int r;

	do {
		n = stream_next(s, &p, e);
		if (n < 0)
			return -1;
		if (n > 0)
			sqlscan_feed(sc, p, (size_t)n);
		else
			sqlscan_feed_end(sc);
		while ((r = sqlscan_next(sc, &ev, e)) > 0) {
			sqlscan_end_see(end, &ev);
			out->tables += ev.kind == SQLSCAN_COPY;
		}
		if (r < 0)
			return -1;
	} while (n > 0);
	out->data_b = stream_out_b(s);
	return 0;
}

static int complete_script(const char *path, const struct sniffed *what,
			   const struct stream_opts *limits, struct complete *out, struct err *e)
{
	STREAM_AUTO *s = stream_open_path(path, limits, e);
	SQLSCAN_AUTO *sc = sqlscan_new(path, 0);
	struct sqlscan_end end = { 0 };
	enum sqlscan_verdict verdict;

	if (s == NULL || scan(s, sc, &end, out, e) < 0)
		return -1;
	if (!sniff_has_end(what)) {
		(void)snprintf(out->note, sizeof(out->note),
			       "not made by pg_dump: no end mark could prove that it is whole");
		return 0;
	}
	verdict = sqlscan_end_judge(&end, out->data_b);
	if (verdict == SQLSCAN_CUT)
		return no_end(path, &end, e);
	if (verdict == SQLSCAN_CLIPPED)
		(void)snprintf(out->note, sizeof(out->note),
			       "the empty line at its very end is missing: cut there?");
	return 0;
}

int complete_check(const char *path, const struct sniffed *what, const struct stream_opts *opts,
		   struct complete *out, struct err *e)
{
	struct parts p = { .path = path, .out = out };
	int r;

	*out = (struct complete){ 0 };
	if (sniff_refuse(path, what, e) < 0)
		return -1;
	if (opts) {
		p.limits.max_out_b = opts->max_out_b;
		p.limits.max_ratio = opts->max_ratio;
	}
	if (what->kind == DUMP_CUSTOM)
		r = complete_custom(&p, e);
	else if (what->kind == DUMP_DIRECTORY)
		r = complete_directory(&p, e);
	else if (what->kind == DUMP_TAR)
		r = complete_tar(&p, e);
	else
		r = complete_script(path, what, &p.limits, out, e);
	parts_free(&p);
	return r;
}

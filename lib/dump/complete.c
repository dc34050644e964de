#include "lib/dump/complete.h"

#include "lib/dump/complete_parts.h"
#include "lib/dump/multi.h"
#include "lib/dump/script.h"

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

static int complete_script(struct parts *p, const struct sniffed *what, struct err *e)
{
	STREAM_AUTO *s = multi_open_path(p->path, &p->limits, p->threads, e);
	struct sqlscan_end end = { 0 };
	enum sqlscan_verdict verdict;

	if (s == NULL || script_scan(s, p->rows, &end, p->out, e) < 0)
		return -1;
	if (!sniff_has_end(what)) {
		(void)snprintf(p->out->note, sizeof(p->out->note),
			       "not made by pg_dump: no end mark could prove that it is whole");
		p->out->unproven = true;
		return 0;
	}
	verdict = sqlscan_end_judge(&end, p->out->data_b);
	if (verdict == SQLSCAN_CUT)
		return no_end(p->path, &end, e);
	p->out->unproven = verdict == SQLSCAN_CLIPPED;
	if (p->out->unproven)
		(void)snprintf(p->out->note, sizeof(p->out->note),
			       "the empty line at its very end is missing: cut there?");
	return 0;
}

static int check(struct parts *p, const struct sniffed *what, const struct stream_opts *opts,
		 struct complete *out, struct err *e)
{
	int r;

	*out = (struct complete){ 0 };
	p->out = out;
	if (opts) {
		p->limits.max_out_b = opts->max_out_b;
		p->limits.max_ratio = opts->max_ratio;
		p->limits.keys = opts->keys;
	}
	(void)pthread_mutex_init(&p->lock, NULL);
	if (sniff_refuse(p->path, what, e) < 0)
		r = -1;
	else if (what->kind == DUMP_CUSTOM)
		r = complete_custom(p, e);
	else if (what->kind == DUMP_DIRECTORY)
		r = complete_directory(p, e);
	else if (what->kind == DUMP_TAR)
		r = complete_tar(p, e);
	else if (what->kind == DUMP_PACKED_DIRECTORY)
		r = err_set(
			e, ERR_USAGE,
			"read %.200s: of a tar of a directory archive nothing can be told without "
			"unpacking it; unpack it and give the directory, or restore it",
			p->path);
	else
		r = complete_script(p, what, e);
	parts_free(p);
	return r;
}

int complete_check(const char *path, const struct sniffed *what, const struct stream_opts *opts,
		   struct complete *out, struct err *e)
{
	struct parts p = { .path = path, .threads = 1 };

	return check(&p, what, opts, out, e);
}

int complete_count(const char *path, const struct sniffed *what, const struct stream_opts *opts,
		   unsigned threads, struct census *rows, struct complete *out, struct err *e)
{
	struct parts p = { .path = path, .threads = threads, .rows = rows };

	return check(&p, what, opts, out, e);
}

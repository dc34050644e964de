#include "lib/dump/inspect.h"

#include "lib/dump/complete.h"
#include "lib/dump/mongo.h"
#include "lib/dump/multi.h"
#include "lib/dump/mysql.h"

#include <stdio.h>
#include <string.h>

void inspected_free(struct inspected *i)
{
	census_free(&i->rows);
}

static int of_postgresql(const char *path, const struct inspect_opts *opts, struct inspected *out,
			 struct err *e)
{
	struct complete whole;
	int r = complete_count(path, &out->what, &opts->reading, opts->threads, &out->rows, &whole,
			       e);

	(void)snprintf(out->encoding, sizeof(out->encoding), "%s",
		       whole.encoding[0] ? whole.encoding : out->what.encoding);
	(void)snprintf(out->note, sizeof(out->note), "%s", whole.note);
	out->unproven = whole.unproven;
	out->objects = whole.objects;
	out->data_b = whole.data_b;
	return r;
}

static int of_others(const char *path, const struct inspect_opts *opts, struct inspected *out,
		     struct err *e)
{
	STREAM_AUTO *s = multi_open_path(path, &opts->reading, opts->threads, e);
	int r;

	if (s == NULL)
		return -1;
	if (out->what.kind == DUMP_MYSQL)
		r = mysql_count(s, &out->rows, out->note, sizeof(out->note), e);
	else
		r = mongo_count(s, &out->rows, e);
	out->unproven = out->note[0] != '\0';
	out->data_b = stream_out_b(s);
	return r;
}

int inspect_path(const char *path, const struct inspect_opts *opts, struct inspected *out,
		 struct err *e)
{
	int r;

	if (sniff_path(path, &opts->reading, &out->what, e) < 0)
		return -1;
	out->recognised = true;
	out->rows.hashes = opts->hashes;
	out->rows.time_columns = opts->time_columns;
	if (out->what.kind == DUMP_MYSQL || out->what.kind == DUMP_MONGO)
		r = of_others(path, opts, out, e);
	else
		r = of_postgresql(path, opts, out, e);
	census_sort(&out->rows);
	return r;
}

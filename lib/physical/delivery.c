#include "lib/physical/delivery.h"

#include "lib/base/human.h"
#include "lib/dump/sniff.h"
#include "lib/storage/describe.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static uint64_t bytes_of(const struct delivery *d)
{
	return d->fetched->bytes + d->chain->bytes;
}

static json_t *texts(const struct strv *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(a, record_string(l->v[i], strlen(l->v[i])));
	return a;
}

static void say_backup(struct stage *st, const struct delivery *d)
{
	const struct fetched *f = d->fetched;
	json_t *fields = describe_backup(d->from, d->backup);
	const char *encryption = sniff_encryption_of(f->path);

	json_object_set_new(fields, "path", record_string(f->path, strlen(f->path)));
	json_object_set_new(fields, "bytes", json_integer((json_int_t)f->bytes));
	json_object_set_new(fields, "sha256", json_string(f->sha256));
	if (encryption)
		json_object_set_new(fields, "encryption", json_string(encryption));
	json_object_set_new(fields, "newest", json_true());
	if (f->sidecars.n > 0)
		json_object_set_new(fields, "sidecars", texts(&f->sidecars));
	if (d->chain->paths.n > 0)
		json_object_set_new(fields, "ancestors", texts(&d->chain->paths));
	stage_record(st, "backup", fields);
}

static void add_metrics(struct check *c, const struct delivery *d)
{
	const struct fetched *f = d->fetched;
	const double seconds = f->seconds + d->chain->seconds;

	check_metric_int(c, "bytes", (int64_t)bytes_of(d), "B");
	/* What lies here already is not fetched; reading it for the digest is no part of a
	 * recovery. What is restored meanwhile takes no time of its own. */
	check_metric_real(c, d->early ? "fetch_along_seconds" : "fetch_seconds",
			  d->here ? 0 : seconds, "s");
	if (d->here)
		return;
	if (seconds > 0)
		check_metric_real(c, "rate", (double)bytes_of(d) / seconds, "B/s");
	check_metric_int(c, "connections", f->connections, "");
	check_metric_int(c, "retries", (int64_t)atomic_load(&storage_tally(d->from)->retries), "");
}

static void say_download(struct stage *st, const struct delivery *d)
{
	const struct fetched *f = d->fetched;
	char size[HUMAN_SIZE], with[64] = "";
	struct check c;

	check_init(&c, "backup-download", "");
	if (d->chain->paths.n > 0)
		(void)snprintf(with, sizeof(with), ", with the %zu that it builds on",
			       d->chain->paths.n);
	check_say(&c, V_OK, "%s%s, SHA-256 %.12s\u2026%s%s%s%s%s", human_bytes(bytes_of(d), size),
		  with, f->sha256, f->told[0] ? ", agrees with " : "", f->told,
		  f->signer[0] ? ", signed by " : "", f->signer,
		  d->here    ? ", used where it is"
		  : d->early ? ", readable while it came"
			     : "");
	if (f->odd[0])
		check_say(&c, V_WARNING, "not all of it could be checked: %s", f->odd);
	add_metrics(&c, d);
	stage_check(st, &c);
}

void delivery_say(struct stage *st, const struct delivery *d)
{
	say_backup(st, d);
	say_download(st, d);
}

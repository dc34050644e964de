#include "lib/base/verified.h"

#include "lib/base/fresh.h"
#include "lib/base/history.h"
#include "lib/base/utc.h"

enum { RUNS_READ = 1000 };

void verified_read(struct verified *v, const char *path, const char *label)
{
	*v = (struct verified){ .path = path, .label = label };
	if (path)
		v->runs = history_load(path, label, RUNS_READ, &v->skipped, &v->error);
	else
		(void)err_set(&v->error, ERR_USAGE,
			      "not measured: --max-verified-age needs --history");
}

void verified_free(struct verified *v)
{
	json_decref(v->runs);
	v->runs = NULL;
}

const json_t *verified_backup(const struct verified *v)
{
	size_t n = json_array_size(v->runs);

	return n ? json_object_get(json_array_get(v->runs, n - 1), "backup") : NULL;
}

void verified_say(struct check *c, const struct verified *v, bool now, uint64_t limit_s)
{
	int64_t at_ms;

	if (!v->runs)
		check_say(c, V_UNKNOWN, "%s", v->error.msg);
	else if (now)
		check_say(c, V_OK, "by this run, if it succeeds");
	else if (fresh_find_proved(v->runs, &at_ms))
		fresh_say_verified(c, at_ms, utc_now_ms(), limit_s);
	else
		check_say(c, V_CRITICAL,
			  "never verified: none of %zu runs in %s%s%s proved a backup",
			  json_array_size(v->runs), v->path, *v->label ? " for " : "", v->label);
	if (v->skipped)
		check_say(c, V_WARNING, "%u unreadable lines in %s", v->skipped, v->path);
}

#include "lib/restore/production.h"

#include "lib/base/memory.h"
#include "lib/pg/query.h"
#include "lib/pg/settings.h"

enum { SETTINGS_S = 30 };

void production_settings(struct stage *st, const char *conninfo, unsigned jobs,
			 struct strv *settings)
{
	struct pg_target target = { .what = "production",
				    .conninfo = conninfo,
				    .statement_s = SETTINGS_S };
	BUF_AUTO less = BUF_INIT(1024);
	PG_AUTO pg = { 0 };
	struct err e = { 0 };
	struct check c;

	check_init(&c, "production-settings", "");
	if (pg_open(&pg, &target, &e) < 0 ||
	    settings_read(&pg, memory_b(), jobs, settings, &less, &e) < 0)
		check_say(&c, V_WARNING, "not known, restored with a new server's: %s", e.msg);
	else if (less.len)
		check_say(&c, V_WARNING, "not all fit here: %s", less.s);
	else
		check_say(&c, V_OK, "taken over: %zu of memory and WAL", settings->n);
	stage_check(st, &c);
}

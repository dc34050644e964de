#include "lib/restore/target.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/physical/manifest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_B = 63 }; /* PostgreSQL's NAMEDATALEN - 1 */

static const struct {
	const char *prefix, *setting, *text;
} kinds[] = {
	[TARGET_LATEST] = { NULL, NULL, "the end of the WAL" },
	[TARGET_IMMEDIATE] = { NULL, "recovery_target", "the end of the backup" },
	[TARGET_TIME] = { "time:", "recovery_target_time", "" },
	[TARGET_LSN] = { "lsn:", "recovery_target_lsn", "WAL position " },
	[TARGET_XID] = { "xid:", "recovery_target_xid", "transaction " },
	[TARGET_NAME] = { "name:", "recovery_target_name", "restore point " },
};

static bool is_xid(const char *s)
{
	struct err ignored;
	uint64_t n;

	return num_u64(s, 1, UINT64_MAX, &n, &ignored) == 0;
}

static bool is_lsn(const char *s)
{
	uint64_t lsn;

	return manifest_lsn(s, &lsn);
}

/* "2026-02-": nobody calls a restore point so. */
static bool like_time(const char *s)
{
	static const char pattern[] = "dddd-dd-";

	for (size_t i = 0; i < sizeof(pattern) - 1; i++)
		if (pattern[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != pattern[i])
			return false;
	return true;
}

static bool is_name(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return *s && strlen(s) <= NAME_MAX_B;
}

static bool fits(enum target_kind kind, const char *s)
{
	int64_t ms;

	switch (kind) {
	case TARGET_TIME:
		return utc_parse(s, &ms);
	case TARGET_LSN:
		return is_lsn(s);
	case TARGET_XID:
		return is_xid(s);
	case TARGET_NAME:
		return is_name(s);
	case TARGET_LATEST:
	case TARGET_IMMEDIATE:
	default:
		return false;
	}
}

/* When the server reads this setting it knows no names of zones yet, and not Z either. */
static void spell_time(char *s, size_t size)
{
	size_t n = strlen(s);

	if (s[strcspn(s, "Tt")])
		s[strcspn(s, "Tt")] = ' ';
	if (n > 0 && (s[n - 1] == 'Z' || s[n - 1] == 'z'))
		(void)snprintf(s + n - 1, size - n + 1, "+00");
}

static int take(struct target *t, enum target_kind kind, const char *value, struct err *e)
{
	static const char *const want[] = {
		[TARGET_TIME] = "a time with its zone, such as 2026-02-17T01:58:42Z",
		[TARGET_LSN] = "a WAL position, such as 0/5000060",
		[TARGET_XID] = "a transaction's number",
		[TARGET_NAME] = "the name of a restore point, of at most 63 bytes",
	};

	if (!fits(kind, value) || strlen(value) >= sizeof(t->value))
		return err_set(e, ERR_USAGE, "'%.80s' is not %s", value, want[kind]);
	t->kind = kind;
	(void)snprintf(t->value, sizeof(t->value), "%s", value);
	if (kind == TARGET_TIME)
		spell_time(t->value, sizeof(t->value));
	return 0;
}

int target_parse(const char *text, struct target *t, struct err *e)
{
	if (strcmp(text, "latest") == 0 || strcmp(text, "immediate") == 0) {
		t->kind = *text == 'l' ? TARGET_LATEST : TARGET_IMMEDIATE;
		(void)snprintf(t->value, sizeof(t->value), "%s", text);
		return 0;
	}
	for (enum target_kind k = TARGET_TIME; k <= TARGET_NAME; k++)
		if (strncmp(text, kinds[k].prefix, strlen(kinds[k].prefix)) == 0)
			return take(t, k, text + strlen(kinds[k].prefix), e);
	if (like_time(text))
		return take(t, TARGET_TIME, text, e);
	for (enum target_kind k = TARGET_LSN; k < TARGET_NAME; k++)
		if (fits(k, text))
			return take(t, k, text, e);
	return take(t, TARGET_NAME, text, e);
}

int target_timeline(const char *text, struct target *t, struct err *e)
{
	struct err ignored;
	uint64_t n;

	if (strcmp(text, "latest") != 0 && strcmp(text, "current") != 0 &&
	    num_u64(text, 1, INT32_MAX, &n, &ignored) < 0)
		return err_set(e, ERR_USAGE, "'%.40s' is neither latest nor current nor a number",
			       text);
	(void)snprintf(t->timeline, sizeof(t->timeline), "%s", text);
	return 0;
}

void target_settings(const struct target *t, struct strv *settings)
{
	const char *usual = t->kind == TARGET_IMMEDIATE ? "current" : "latest";

	if (kinds[t->kind].setting)
		strv_addf(settings, "%s=%s", kinds[t->kind].setting, t->value);
	strv_addf(settings, "recovery_target_timeline=%s", t->timeline[0] ? t->timeline : usual);
	strv_add(settings, "recovery_target_action=promote");
}

const char *target_text(const struct target *t, char out[TARGET_TEXT])
{
	const bool value = t->kind >= TARGET_TIME;

	(void)snprintf(out, TARGET_TEXT, "%s%s", kinds[t->kind].text, value ? t->value : "");
	return out;
}

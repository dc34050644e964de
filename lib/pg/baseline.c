#include "lib/pg/baseline.h"

#include "lib/base/atomic.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/signature.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 100,000 tables with 64 ranges each stay below it. */
#define FILE_MAX ((size_t)1 << 30)

enum { VERSION_KNOWN = 1, OWNER_ONLY = 0600 };

char *pg_baseline_find(const char *setting, const char *path)
{
	char *beside;
	size_t n;

	if (setting && strcmp(setting, "auto") != 0)
		return strcmp(setting, "none") == 0 ? NULL : xstrdup(setting);
	if (!path)
		return NULL;
	n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	beside = xasprintf("%.*s" BASELINE_SUFFIX, (int)n, path);
	if (access(beside, F_OK) == 0)
		return beside;
	free(beside);
	return NULL;
}

int pg_baseline_write(json_t *baseline, const char *path, const char *key_file, struct err *e)
{
	AUTO_FREE char *text = NULL;

	if (key_file && signature_add(baseline, key_file, e) < 0)
		return -1;
	text = json_dumps(baseline, JSON_INDENT(1) | JSON_SORT_KEYS);
	if (!text)
		return err_set(e, ERR_SYSTEM, "write %s: it cannot be put into JSON", path);
	return atomic_write(path, text, strlen(text), OWNER_ONLY, e);
}

static bool is_baseline(const json_t *o)
{
	const char *format = record_text(o, "format");
	int64_t v;

	return format && strcmp(format, "backup-probes baseline") == 0 && record_int(o, "v", &v) &&
	       v == VERSION_KNOWN;
}

static bool has_int(const json_t *entry, const char *field)
{
	int64_t n;

	return record_int(entry, field, &n);
}

static bool is_table(json_t *entry, bool hashed)
{
	return has_int(entry, "rows") && (!hashed || record_text(entry, "hash"));
}

static bool is_sequence(json_t *entry, bool hashed)
{
	const json_t *later = json_object_get(entry, "later");

	(void)hashed;
	return has_int(entry, "last") && (!later || has_int(later, "last"));
}

static bool is_kind(json_t *entry, bool hashed)
{
	const char *name;
	json_t *definition;

	(void)hashed;
	json_object_foreach(entry, name, definition)
		if (!json_is_string(definition))
			return false;
	return json_is_object(entry);
}

/* A table without its number of rows would agree with one that was emptied: what the comparison
 * leans on has to be there. */
static int check_entries(const json_t *o, struct err *e)
{
	static const struct {
		const char *name;
		bool (*whole)(json_t *entry, bool hashed);
	} parts[] = { { "tables", is_table }, { "sequences", is_sequence }, { "schema", is_kind } };
	const bool hashed = record_text(o, "checksum") != NULL;
	const char *name;
	json_t *entry;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		json_t *part = json_object_get(o, parts[i].name);

		if (!json_is_object(part))
			return err_set(e, ERR_BACKUP, "its \"%s\" are missing", parts[i].name);
		json_object_foreach(part, name, entry)
			if (!parts[i].whole(entry, hashed))
				return err_set(e, ERR_BACKUP, "\"%s\" of its \"%s\" is damaged",
					       name, parts[i].name);
	}
	if (!is_table(json_object_get(o, "large_objects"), hashed))
		return err_set(e, ERR_BACKUP, "its \"large_objects\" are missing or damaged");
	return 0;
}

json_t *pg_baseline_read(const char *path, const char *key_file, struct err *e)
{
	BUF_AUTO text = BUF_INIT(FILE_MAX);
	json_t *baseline;

	if (io_slurp(path, &text, e) < 0)
		return NULL;
	baseline = record_parse(text.s, text.len, e);
	if (!baseline) {
		e->kind = ERR_BACKUP;
		(void)err_wrap(e, "read the baseline %s", path);
		return NULL;
	}
	if (!is_baseline(baseline))
		(void)err_set(e, ERR_BACKUP, "read %s: it is no baseline of version %d", path,
			      VERSION_KNOWN);
	else if (check_entries(baseline, e) < 0)
		(void)err_wrap(e, "read the baseline %s", path);
	else if (!key_file || signature_verify(baseline, key_file, e) == 0)
		return baseline;
	else
		(void)err_wrap(e, "trust the baseline %s", path);
	json_decref(baseline);
	return NULL;
}

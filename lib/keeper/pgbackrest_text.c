#include "lib/keeper/pgbackrest.h"

#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 400 };

static bool starts(const char *line, const char *with, const char **rest)
{
	const size_t n = strlen(with);

	if (strncmp(line, with, n) != 0)
		return false;
	*rest = line + n;
	return true;
}

static struct pgbackrest_count *more(struct pgbackrest_count **v, size_t *n, const char *name,
				     size_t len)
{
	*v = xrealloc(*v, *n + 1, sizeof(**v));
	(*v)[*n] = (struct pgbackrest_count){ .name = xstrndup(name, len) };
	return &(*v)[(*n)++];
}

/* "15-1, total WAL checked: 9, total valid WAL: 8", or "none found" */
static bool take_archive(struct pgbackrest_verified *v, const char *text,
			 struct pgbackrest_count **last)
{
	const size_t n = strcspn(text, ",");
	int64_t checked, valid;
	int end = 0;

	*last = NULL;
	if (strcmp(text, "none found") == 0)
		return true;
	(void)sscanf(text + n, ", total WAL checked: %" SCNd64 ", total valid WAL: %" SCNd64 "%n",
		     &checked, &valid, &end);
	if (end == 0 || text[n + (size_t)end] != '\0')
		return false;
	*last = more(&v->archives, &v->n_archives, text, n);
	(*last)->checked = checked;
	(*last)->valid = valid;
	return true;
}

/* "20261121-101347F, status: valid, total files checked: 965, total valid files: 965", or "none
 * found" */
static bool take_backup(struct pgbackrest_verified *v, const char *text,
			struct pgbackrest_count **last)
{
	const size_t n = strcspn(text, ",");
	const char *status;
	int64_t checked = 0, valid = 0;
	size_t len;
	int end = 0;

	*last = NULL;
	if (strcmp(text, "none found") == 0)
		return true;
	if (!starts(text + n, ", status: ", &status))
		return false;
	len = strcspn(status, ",");
	(void)sscanf(status + len,
		     ", total files checked: %" SCNd64 ", total valid files: %" SCNd64 "%n",
		     &checked, &valid, &end);
	if (status[len] != '\0' && (end == 0 || status[len + (size_t)end] != '\0'))
		return false;
	*last = more(&v->backups, &v->n_backups, text, n);
	(*last)->status = xstrndup(status, len);
	(*last)->checked = checked;
	(*last)->valid = valid;
	return true;
}

/* Below each of them: "missing: 0, checksum invalid: 1, size invalid: 0, other: 0" */
static bool take_faults(struct pgbackrest_count *of, const char *text)
{
	int end = 0;

	if (of)
		(void)sscanf(text,
			     "missing: %" SCNd64 ", checksum invalid: %" SCNd64
			     ", size invalid: %" SCNd64 ", other: %" SCNd64 "%n",
			     &of->missing, &of->checksum, &of->size, &of->other, &end);
	return end > 0 && text[end] == '\0';
}

static bool take_line(struct pgbackrest_verified *v, const char *line,
		      struct pgbackrest_count **last)
{
	const char *text;

	if (*line == '\0' || starts(line, "stanza: ", &text))
		return true;
	if (starts(line, "status: ", &text)) {
		v->ok = strcmp(text, "ok") == 0;
		v->error = strcmp(text, "error") == 0;
		return v->ok || v->error;
	}
	if (starts(line, "  archiveId: ", &text))
		return take_archive(v, text, last);
	if (starts(line, "  backup: ", &text))
		return take_backup(v, text, last);
	if (starts(line, "    missing: ", &text))
		return take_faults(*last, line + strlen("    "));
	if (!v->error || !starts(line, "  ", &text))
		return false;
	buf_addf(&v->words, "%s%s", v->words.len ? "; " : "", text + strspn(text, " "));
	return true;
}

bool pgbackrest_verified(const char *text, struct pgbackrest_verified *out)
{
	struct pgbackrest_count *last = NULL;
	bool understood = true;

	*out = (struct pgbackrest_verified){ .words = BUF_INIT(WORDS_MAX) };
	while (*text) {
		const size_t n = strcspn(text, "\n");
		char *line = xstrndup(text, n);

		understood = take_line(out, line, &last) && understood;
		free(line);
		text += n + (text[n] == '\n');
	}
	return understood && (out->ok || out->error);
}

static void counts_free(struct pgbackrest_count *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].status);
	}
	free(v);
}

void pgbackrest_verified_free(struct pgbackrest_verified *v)
{
	counts_free(v->archives, v->n_archives);
	counts_free(v->backups, v->n_backups);
	buf_free(&v->words);
	*v = (struct pgbackrest_verified){ 0 };
}

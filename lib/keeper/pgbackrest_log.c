#include "lib/keeper/pgbackrest.h"

#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

enum { ERRORS_MAX = 4000, COPY_MAX = 200 };

static bool ends(const char *text, const char *with)
{
	const size_t n = strlen(text), m = strlen(with);

	return n >= m && strcmp(text + n - m, with) == 0;
}

/* "shop/20261121-161721F/backup.manifest.copy": of a manifest with its backup. */
static const char *file_of(const char *path)
{
	const char *last = strrchr(path, '/'), *folder;

	if (!last)
		return path;
	if (strncmp(last, "/backup.manifest", strlen("/backup.manifest")) != 0)
		return last + 1;
	folder = memrchr(path, '/', (size_t)(last - path));
	return folder ? folder + 1 : path;
}

/* Of the main manifest it says itself that it uses the copy, and of a backup without both, too. */
static bool is_told(const char *file)
{
	return ends(file, "/backup.manifest");
}

static void add_missing(struct pgbackrest_log *l, const char *path)
{
	AUTO_FREE char *name = xstrndup(path, strcspn(path, "'"));

	if (!is_told(file_of(name)))
		strv_addf(&l->copies, "%s is missing", file_of(name));
}

/* Nothing of a file's content is repeated: a passphrase may stand in it. */
static void add_unsound(struct pgbackrest_log *l, const char *text)
{
	static const char checksum[] = "invalid checksum, ";
	const char *file = strrchr(text, ' ');

	if (strncmp(text, checksum, strlen(checksum)) != 0 || !file)
		strv_addf(&l->copies, "one that cannot be read: %.*s", (int)strcspn(text, "'\"={:"),
			  text);
	else if (!is_told(file_of(file + 1)))
		strv_addf(&l->copies, "%s has another checksum", file_of(file + 1));
}

static void take_detail(struct pgbackrest_log *l, const char *text)
{
	static const char missing[] = "unable to open missing file '";
	/* What it says there beside, of storage and program, too. */
	static const char *const others[] = { "archiveId: ",  "archive path '",
					      "no archives ", "no backups ",
					      "libssh2 ",     "manifest missing for ",
					      "statistics: ", "known hosts " };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(text, others[i], strlen(others[i])) == 0)
			return;
	if (strncmp(text, missing, strlen(missing)) == 0)
		add_missing(l, text + strlen(missing));
	else if (strstr(text, " does not match ") || ends(text, ", using copy"))
		strv_addf(&l->copies, "%.*s", COPY_MAX, text);
	else
		add_unsound(l, text);
}

enum level { NOTE, DETAIL, OTHER };
static const struct {
	const char *begin;
	enum level is;
} levels[] = { { "INFO: ", NOTE }, { "WARN: ", NOTE }, { "DETAIL: ", DETAIL } };

void pgbackrest_log(const char *text, struct pgbackrest_log *out)
{
	enum level is = OTHER;

	*out = (struct pgbackrest_log){ .errors = BUF_INIT(ERRORS_MAX) };
	while (*text) {
		const size_t n = strcspn(text, "\n");
		AUTO_FREE char *line = xstrndup(text, n);
		const char *from = line;

		/* What goes on is set in. */
		if (*line != ' ')
			is = OTHER;
		for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
			if (strncmp(line, levels[i].begin, strlen(levels[i].begin)) == 0) {
				is = levels[i].is;
				from = line + strlen(levels[i].begin);
			}
		if (is == OTHER)
			buf_addf(&out->errors, "%s\n", line);
		else if (from != line && is == NOTE)
			strv_add(&out->notes, from);
		else if (from != line)
			take_detail(out, from);
		text += n + (text[n] == '\n');
	}
}

void pgbackrest_log_free(struct pgbackrest_log *l)
{
	strv_free(&l->notes);
	strv_free(&l->copies);
	buf_free(&l->errors);
}

bool pgbackrest_note_names(const char *note, const char *name)
{
	const size_t n = strlen(name);

	for (const char *at = note; (at = strchr(at, '\'')) != NULL; at++)
		if (strncmp(at + 1, name, n) == 0 && (at[1 + n] == '\'' || at[1 + n] == '/'))
			return true;
	return false;
}

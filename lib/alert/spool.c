#include "lib/alert/spool.h"

#include "lib/base/atomic.h"
#include "lib/base/io.h"
#include "lib/base/num.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 12 };

static const char waiting[] = ".json", refused[] = ".refused";

static char *path_of(const char *dir, int64_t sequence, const char *ending)
{
	return xasprintf("%s/%0*" PRId64 "%s", dir, DIGITS, sequence, ending);
}

static bool sequence_of(const char *name, const char *ending, int64_t *out)
{
	char digits[DIGITS + 1];
	struct err e = { 0 };

	if (strlen(name) != DIGITS + strlen(ending) || strcmp(name + DIGITS, ending) != 0)
		return false;
	(void)snprintf(digits, sizeof(digits), "%s", name);
	return num_i64(digits, 0, INT64_MAX, out, &e) == 0;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int list(const char *dir, const char *ending, struct spool_list *l, struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	int64_t sequence;

	*l = (struct spool_list){ 0 };
	if (d == NULL && errno == ENOENT)
		return 0;
	if (d == NULL)
		return err_set(e, ERR_SYSTEM, "open the spool %s: %s", dir, strerror(errno));
	while ((entry = readdir(d)) != NULL) {
		if (!sequence_of(entry->d_name, ending, &sequence))
			continue;
		l->sequence = xrealloc(l->sequence, l->n + 1, sizeof(*l->sequence));
		l->sequence[l->n++] = sequence;
	}
	(void)closedir(d);
	if (l->n > 0)
		qsort(l->sequence, l->n, sizeof(*l->sequence), compare);
	return 0;
}

int spool_list(const char *dir, struct spool_list *l, struct err *e)
{
	return list(dir, waiting, l, e);
}

void spool_list_free(struct spool_list *l)
{
	free(l->sequence);
	*l = (struct spool_list){ 0 };
}

/* Removes the oldest until there is room for one more. */
static int make_room(const char *dir, const char *ending, size_t most, struct err *e)
{
	SPOOL_LIST_AUTO l;

	if (list(dir, ending, &l, e) < 0)
		return -1;
	for (size_t i = 0; l.n - i >= most; i++) {
		AUTO_FREE char *path = path_of(dir, l.sequence[i], ending);

		if (unlink(path) < 0 && errno != ENOENT)
			return err_set(e, ERR_SYSTEM, "remove %s: %s", path, strerror(errno));
	}
	return 0;
}

int spool_add(const char *dir, int64_t sequence, const json_t *message, struct err *e)
{
	AUTO_FREE char *path = path_of(dir, sequence, waiting);
	AUTO_FREE char *text = record_print(message, SPOOL_MESSAGE_MAX);

	if (text == NULL)
		return err_set(e, ERR_SYSTEM, "spool a message: it is larger than %d bytes",
			       SPOOL_MESSAGE_MAX);
	if (make_room(dir, waiting, SPOOL_MOST, e) < 0)
		return -1;
	return atomic_write(path, text, strlen(text), 0600, e);
}

json_t *spool_read(const char *dir, int64_t sequence, struct err *e)
{
	AUTO_FREE char *path = path_of(dir, sequence, waiting);
	BUF_AUTO b = BUF_INIT(SPOOL_MESSAGE_MAX);
	json_t *message;

	if (io_slurp(path, &b, e) < 0)
		return NULL;
	message = record_parse(b.s, b.len, e);
	if (message == NULL)
		(void)err_wrap(e, "read %s", path);
	return message;
}

static int sync_dir(const char *dir, struct err *e)
{
	if (atomic_sync_dir(dir) < 0)
		return err_set(e, ERR_SYSTEM, "sync the spool %s: %s", dir, strerror(errno));
	return 0;
}

int spool_remove(const char *dir, int64_t sequence, struct err *e)
{
	AUTO_FREE char *path = path_of(dir, sequence, waiting);

	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(e, ERR_SYSTEM, "remove %s: %s", path, strerror(errno));
	return sync_dir(dir, e);
}

int spool_set_aside(const char *dir, int64_t sequence, struct err *e)
{
	AUTO_FREE char *from = path_of(dir, sequence, waiting);
	AUTO_FREE char *to = path_of(dir, sequence, refused);

	if (make_room(dir, refused, SPOOL_REFUSED_MOST, e) < 0)
		return -1;
	if (rename(from, to) < 0)
		return err_set(e, ERR_SYSTEM, "rename %s: %s", from, strerror(errno));
	return sync_dir(dir, e);
}

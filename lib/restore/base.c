#include "lib/restore/base.h"

#include "lib/base/human.h"
#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/bindir.h"
#include "lib/restore/unpack_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LABEL_MAX = 64 * 1024 };

int base_read_manifest(struct base *b, const char *path, struct err *e)
{
	AUTO_FREE char *name = xasprintf("%s/backup_manifest", path);

	if (access(name, F_OK) < 0)
		return 0;
	b->has_manifest = manifest_of(path, &b->manifest, e) == 0;
	return b->has_manifest ? 0 : -1;
}

int base_read_version(struct base *b, const char *data, struct err *e)
{
	AUTO_FREE char *name = xasprintf("%s/PG_VERSION", data);
	BUF_AUTO text = BUF_INIT(sizeof(b->version) - 1);

	if (access(name, F_OK) < 0)
		return err_set(e, ERR_BACKUP, "read the backup: damaged: it has no PG_VERSION");
	if (io_slurp(name, &text, e) < 0)
		return -1;
	if (text.len == 0)
		return err_set(e, ERR_BACKUP, "read PG_VERSION: damaged: it is empty");
	text.s[strcspn(text.s, "\n")] = '\0';
	(void)snprintf(b->version, sizeof(b->version), "%s", text.s);
	b->major = pg_major(b->version);
	return b->major ? 0
			: err_set(e, ERR_BACKUP, "read PG_VERSION: damaged: '%s' is no version",
				  b->version);
}

static int read_control(struct base *b, const char *data, struct err *e)
{
	static const char *const inside = "global/pg_control";
	AUTO_FREE char *name = xasprintf("%s/%s", data, inside);
	FD_AUTO fd = open(name, O_RDONLY | O_CLOEXEC);
	unsigned char p[CONTROL_SIZE + 1];
	ssize_t n = fd < 0 ? -1 : io_read_full(fd, p, sizeof(p));

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_BACKUP, "read the backup: damaged: it has no %s", inside);
	if (n < 0)
		return err_set(e, ERR_SYSTEM, "read %s: %s", inside, strerror(errno));
	return control_parse(p, (size_t)n, inside, &b->control, e);
}

static int read_label(struct base *b, const char *data, struct err *e)
{
	AUTO_FREE char *name = xasprintf("%s/backup_label", data);
	BUF_AUTO text = BUF_INIT(LABEL_MAX);

	if (access(name, F_OK) < 0)
		return 0;
	if (io_slurp(name, &text, e) < 0 ||
	    label_parse(text.s, text.len, "backup_label", &b->label, e) < 0)
		return -1;
	b->has_label = true;
	if (b->label.prior_start == 0)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "restore the backup: it is an incremental one, useless without those before "
		       "it, which could not be looked for; let the user that it is restored as "
		       "read it and what lies beside it");
}

int base_look(struct base *b, const char *data, struct err *e)
{
	if (base_read_version(b, data, e) < 0 || read_control(b, data, e) < 0)
		return -1;
	return read_label(b, data, e);
}

/* Not all that is listed was unpacked, and WAL is the server's to judge. */
static bool compared(const char *path)
{
	return !unpack_leaves(path) && strncmp(path, "pg_wal/", 7) != 0;
}

int base_compare(const struct base *b, const char *data, struct err *e)
{
	FD_AUTO dir = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct manifest *m = &b->manifest;
	uint64_t missing = 0, odd = 0;
	const char *first = "";
	struct stat st;

	if (dir < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", data, strerror(errno));
	for (size_t i = 0; b->has_manifest && i < m->n_files; i++) {
		const struct manifest_file *f = &m->files[i];
		bool there;

		if (!compared(f->path))
			continue;
		there = fstatat(dir, f->path, &st, 0) == 0 && S_ISREG(st.st_mode);
		if (there && (uint64_t)st.st_size == f->size_b)
			continue;
		if (missing + odd == 0)
			first = f->path;
		missing += !there;
		odd += there;
	}
	if (missing + odd == 0)
		return 0;
	return err_set(e, ERR_BACKUP,
		       "compare with backup_manifest: %" PRIu64 " files are missing, %" PRIu64
		       " have another size, first of all %.300s",
		       missing, odd, first);
}

static void add_layout(const struct base *b, struct buf *out)
{
	const struct unpacked *u = &b->unpacked;

	buf_addf(out, "physical base backup%s of PostgreSQL %s", u->tars ? " in tar" : "",
		 b->version);
	if (u->tars && u->compression[0] && strcmp(u->compression, "none") != 0)
		buf_addf(out, ", %s", u->compression);
	if (u->tars && u->encryption[0] && strcmp(u->encryption, "none") != 0)
		buf_addf(out, ", encrypted with %s", u->encryption);
	if (u->tablespaces.n)
		buf_addf(out, ", %zu tablespace%s", u->tablespaces.n,
			 u->tablespaces.n == 1 ? "" : "s");
	buf_addf(out, ", system identifier %" PRIu64, b->control.system_identifier);
}

void base_say_format(const struct base *b, struct stage *st)
{
	const struct unpacked *u = &b->unpacked;
	BUF_AUTO text = BUF_INIT(1000);
	char at[UTC_SIZE], id[24];
	struct check c;

	check_init(&c, "backup-format", "");
	check_field(&c, "format", json_string(u->tars ? "base-tar" : "base-directory"));
	check_field(&c, "compression", json_string(u->compression[0] ? u->compression : "none"));
	check_field(&c, "encryption", json_string(u->encryption[0] ? u->encryption : "none"));
	(void)snprintf(id, sizeof(id), "%" PRIu64, b->control.system_identifier);
	check_field(&c, "system_identifier", json_string(id));
	add_layout(b, &text);
	if (b->has_label) {
		buf_addf(&text, "; begun at %" PRIX32 "/%" PRIX32, (uint32_t)(b->label.start >> 32),
			 (uint32_t)b->label.start);
		if (b->label.started_ms >= 0)
			buf_addf(&text, ", %s", utc_human(b->label.started_ms, at));
		if (strcmp(b->label.from, "standby") == 0)
			buf_adds(&text, ", from a standby");
	}
	check_say(&c, V_OK, "%s", text.s);
	stage_check(st, &c);
}

void base_say_complete(const struct base *b, struct stage *st)
{
	char size[HUMAN_SIZE], files[HUMAN_SIZE];
	struct check c;

	check_init(&c, "backup-complete", "");
	check_metric_int(&c, "files", (int64_t)b->unpacked.files, "");
	check_metric_int(&c, "unpacked_bytes", (int64_t)b->unpacked.bytes, "B");
	(void)human_count((int64_t)b->unpacked.files, files);
	(void)human_bytes(b->unpacked.bytes, size);
	if (!b->has_label && b->control.state != CONTROL_SHUT_DOWN &&
	    b->control.state != CONTROL_SHUT_DOWN_IN_RECOVERY)
		check_say(&c, V_WARNING,
			  "it has no backup_label, and its pg_control says %s: sound only if it is "
			  "an atomic snapshot; a copy of a running server without it is silently "
			  "corrupt",
			  control_state_name(b->control.state));
	else if (!b->has_label)
		check_say(&c, V_OK, "%s files, %s, of a server that was shut down", files, size);
	else if (b->has_manifest)
		check_say(&c, V_OK,
			  "complete: all files of its manifest, in their sizes; %s files, %s",
			  files, size);
	else
		check_say(&c, V_OK,
			  "complete as far as it can be told without a manifest: %s files, %s",
			  files, size);
	stage_check(st, &c);
}

int64_t base_began_ms(const struct base *b)
{
	if (b->has_label && b->label.started_ms >= 0)
		return b->label.started_ms;
	return b->control.known ? b->control.checkpoint_ms : -1;
}

void base_free(struct base *b)
{
	unpacked_free(&b->unpacked);
	manifest_free(&b->manifest);
}

#include "lib/storage/sidecar.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/storage/intake.h"
#include "lib/storage/landing.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDECAR_MAX = 16 * 1024 * 1024, SHA256_HEX = 64, MD5_HEX = 32, ODD_MAX = 400 };

static const char *const suffixes[] = { ".sha256",      ".sha256sum", ".md5",        ".md5sum",
					".sig",         ".asc",       ".sha256.sig", ".sha256.asc",
					".counts.json", NULL };
static const char *const lists[] = { "SHA256SUMS",     "MD5SUMS",        "SHA256SUMS.asc",
				     "SHA256SUMS.sig", "SHA256SUMS.gpg", NULL };
static const char *const endings[] = { ".asc", ".sig", ".gpg", NULL }; /* of signatures */

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* --- a list of digests ------------------------------------------------------------------------ */

static size_t hex_length(const char *s)
{
	return strspn(s, "0123456789abcdefABCDEF");
}

/* "SHA256 (NAME) = HEX", cut into its parts; NULL where it is not so. */
static const char *read_tag(char *line, char **name)
{
	char *open = strstr(line, " ("), *close = strstr(line, ") = ");

	if (open == NULL || close == NULL || close < open)
		return NULL;
	*close = '\0';
	*name = open + 2;
	return close + strlen(") = ");
}

static void read_line(char *line, void (*each)(void *ctx, const char *hex, const char *name),
		      void *ctx)
{
	char nothing[] = "", *name = nothing, *s;
	const char *hex = read_tag(line, &name);
	size_t n;

	if (hex == NULL) {
		/* A backslash says that the name has escapes: such a name is not ours. */
		hex = line;
		n = hex_length(line);
		if (line[n] == ' ' || line[n] == '\t') {
			name = line + n + strspn(line + n, " \t");
			name += *name == '*';
			line[n] = '\0';
		}
	}
	n = hex_length(hex);
	if ((n != SHA256_HEX && n != MD5_HEX) || hex[n] != '\0')
		return;
	for (s = line + (hex - line); *s; s++)
		*s = (char)tolower((unsigned char)*s);
	each(ctx, hex, name);
}

void sidecar_parse(const char *text, void (*each)(void *ctx, const char *hex, const char *name),
		   void *ctx)
{
	while (*text) {
		size_t n = strcspn(text, "\r\n");
		AUTO_FREE char *line = xstrndup(text, n);

		read_line(line, each, ctx);
		text += n + strspn(text + n, "\r\n");
	}
}

/* --- what they say ---------------------------------------------------------------------------- */

struct reading {
	struct sidecars *c;
	const struct backup *b;
	const char *from; /* the sidecar's name: borrowed from c */
	bool own;         /* it is this backup's own, not a list for many */
	unsigned lines, taken;
	char hex[SHA256_HEX + 1]; /* the last one */
};

static void set_wish(struct proof_wish *w, const char *hex, const char *from)
{
	if (strlen(hex) == SHA256_HEX) {
		memcpy(w->sha256, hex, SHA256_HEX + 1);
		w->sha256_from = from;
	} else {
		memcpy(w->md5, hex, MD5_HEX + 1);
		w->md5_from = from;
	}
}

static int by_member(const void *a, const void *b)
{
	const struct sidecar_member *x = a, *y = b;

	return strcmp(x->member, y->member);
}

static struct proof_wish *member_wish(struct sidecars *c, const char *member)
{
	for (size_t i = c->n_members; i-- > 0;)
		if (strcmp(c->members[i].member, member) == 0)
			return &c->members[i].wish;
	c->members = xrealloc(c->members, c->n_members + 1, sizeof(*c->members));
	c->members[c->n_members] = (struct sidecar_member){ .member = xstrdup(member) };
	return &c->members[c->n_members++].wish;
}

static void take_line(void *ctx, const char *hex, const char *name)
{
	struct reading *r = ctx;
	const char *base = last_part(r->b->name);
	size_t n = strlen(base);

	r->lines++;
	(void)snprintf(r->hex, sizeof(r->hex), "%s", hex);
	if (strncmp(name, "./", 2) == 0)
		name += 2;
	if (strcmp(name, "-") == 0) /* standard input */
		name++;
	if (strcmp(last_part(name), base) == 0 || (name[0] == '\0' && r->own)) {
		set_wish(&r->c->whole, hex, r->from);
		r->taken++;
	} else if (r->b->files > 0 && name[0]) {
		/* Written from within the directory, or from beside it. */
		if (strncmp(name, base, n) == 0 && name[n] == '/')
			name += n + 1;
		set_wish(member_wish(r->c, name), hex, r->from);
		r->taken++;
	}
}

static bool is_signature(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (const char *const *end = endings; dot && *end; end++)
		if (strcmp(dot, *end) == 0)
			return true;
	return false;
}

static bool holds_digests(const char *name)
{
	const char *base = last_part(name);

	return !is_signature(base) && (strstr(base, ".sha256") || strstr(base, ".md5") ||
				       strcmp(base, lists[0]) == 0 || strcmp(base, lists[1]) == 0);
}

/* The signatures of a list of digests. */
static int verify_list(struct sidecars *c, struct storage *s, const char *name,
		       const struct buf *text, struct err *e)
{
	for (const char *const *end = endings; *end; end++) {
		AUTO_FREE char *signature = xasprintf("%s%s", name, *end);

		if (c->signatures.keyring && strv_has(&c->names, signature) &&
		    signatures_check_text(&c->signatures, s, signature, name, text, &c->odd, e) < 0)
			return -1;
	}
	return 0;
}

static int read_sidecar(struct sidecars *c, struct storage *s, const struct backup *b,
			const char *name, bool own, struct err *e)
{
	BUF_AUTO text = BUF_INIT(SIDECAR_MAX);
	struct reading r = { .c = c, .b = b, .from = last_part(name), .own = own };
	struct err why;

	if (!holds_digests(name))
		return 0;
	if (storage_slurp(s, name, &text, &why) < 0) {
		buf_addf(&c->odd, "%s%s", c->odd.len ? "; " : "", why.msg);
		return 0;
	}
	if (verify_list(c, s, name, &text, e) < 0)
		return -1;
	sidecar_parse(text.s, take_line, &r);
	/* The backup was renamed after its only digest was written. */
	if (own && r.taken == 0 && r.lines == 1) {
		set_wish(&c->whole, r.hex, r.from);
		r.taken++;
	}
	if (own && r.taken == 0)
		buf_addf(&c->odd, "%s%s holds no digest of it", c->odd.len ? "; " : "", r.from);
	return 0;
}

/* --- finding them ----------------------------------------------------------------------------- */

static int peek(void *ctx, const void *p, size_t n, struct err *e)
{
	struct buf *head = ctx;
	size_t room = head->max - head->len;

	(void)e;
	buf_add(head, p, n < room ? n : room);
	return 0;
}

static bool is_page(struct storage *s, const char *name)
{
	BUF_AUTO head = BUF_INIT(INTAKE_HEAD);
	const struct storage_sink sink = { .write = peek, .ctx = &head };
	struct err ignored;

	return storage_read(s, name, "", 0, INTAKE_HEAD, &sink, &ignored) < 0 ||
	       intake_page((const unsigned char *)head.s, head.len);
}

/* Nothing was listed but the backup itself; and some servers have a page for everything. */
static bool exists(struct storage *s, const char *name)
{
	struct storage_stat st;
	struct err ignored;

	return storage_stat(s, name, &st, &ignored) == 0 && st.bytes > 0 && !is_page(s, name);
}

/* What they could be called: first NAME's own, in the order of suffixes, then lists of several. */
static size_t name_candidates(struct strv *names, const struct backup *b, bool alone)
{
	const char *slash = strrchr(b->name, '/');
	int beside = slash && !b->whole ? (int)(slash + 1 - b->name) : 0;
	size_t own;

	/* A source that is a directory has nothing beside it that was listed. */
	for (const char *const *suffix = suffixes; *suffix && !(b->whole && b->files > 0); suffix++)
		strv_addf(names, "%s%s", b->name, *suffix);
	own = names->n;
	for (const char *const *l = lists; *l && !alone; l++) {
		strv_addf(names, "%.*s%s", beside, b->name, *l);
		if (b->files > 0 && !b->whole)
			strv_addf(names, "%s/%s", b->name, *l);
	}
	return own;
}

int sidecar_find(struct sidecars *c, struct storage *s, const struct catalog *catalog,
		 const struct backup *b, const char *keyring, struct err *e)
{
	const bool alone = storage_is_object(s);
	STRV_AUTO names = { 0 };
	size_t own = name_candidates(&names, b, alone);
	AUTO_FREE bool *there = xcalloc(names.n + 1, sizeof(*there));

	*c = (struct sidecars){ .signatures = { .keyring = keyring }, .odd = BUF_INIT(ODD_MAX) };
	if (!alone && catalog_present(catalog, &names, there, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (alone ? !exists(s, names.v[i]) : !there[i])
			continue;
		strv_add(&c->names, names.v[i]);
		if (i < own)
			strv_add(&c->suffixes, suffixes[i]);
	}
	for (size_t i = 0; i < c->names.n; i++)
		if (read_sidecar(c, s, b, c->names.v[i], i < c->suffixes.n, e) < 0)
			return -1;
	if (c->n_members > 1)
		qsort(c->members, c->n_members, sizeof(*c->members), by_member);
	return 0;
}

int sidecar_verify(struct sidecars *c, struct storage *s, const struct backup *b, int fd,
		   struct err *e)
{
	for (const char *const *end = endings; *end; end++) {
		AUTO_FREE char *signature = xasprintf("%s%s", b->name, *end);

		if (c->signatures.keyring && strv_has(&c->suffixes, *end) &&
		    signatures_check(&c->signatures, s, signature, b->name, fd, b->bytes, &c->odd,
				     e) < 0)
			return -1;
	}
	return 0;
}

void sidecar_free(struct sidecars *c)
{
	signatures_free(&c->signatures);
	for (size_t i = 0; i < c->n_members; i++)
		free(c->members[i].member);
	free(c->members);
	strv_free(&c->names);
	strv_free(&c->suffixes);
	buf_free(&c->odd);
}

const struct proof_wish *sidecar_wish(const struct sidecars *c, const char *member)
{
	AUTO_FREE char *name = xstrdup(member);
	const struct sidecar_member key = { .member = name };
	const struct sidecar_member *found =
		c->n_members ? bsearch(&key, c->members, c->n_members, sizeof(key), by_member)
			     : NULL;

	return found ? &found->wish : NULL;
}

/* --- bringing them ---------------------------------------------------------------------------- */

static int bring_one(struct storage *s, const char *from, const char *dir, const char *to,
		     const struct identity *owner, struct err *e)
{
	BUF_AUTO text = BUF_INIT(SIDECAR_MAX);
	struct landing l = LANDING_NONE;
	int rc;

	if (storage_slurp(s, from, &text, e) < 0 || landing_file(&l, dir, to, owner, NULL, e) < 0)
		return -1;
	rc = io_write_all(l.fd, text.s, text.len);
	if (rc < 0)
		rc = err_set(e, ERR_SYSTEM, "store %s in %s: %s", to, dir, strerror(errno));
	if (rc == 0)
		rc = landing_commit(&l, e);
	landing_drop(&l, false);
	return rc;
}

int sidecar_bring(const struct sidecars *c, struct storage *s, const struct backup *b,
		  const char *dir, const char *name, const struct identity *owner, struct err *e)
{
	for (const char *const *suffix = suffixes; *suffix; suffix++) {
		AUTO_FREE char *from = xasprintf("%s%s", b->name, *suffix);
		AUTO_FREE char *to = xasprintf("%s%s", name, *suffix);
		AUTO_FREE char *path = xasprintf("%s/%s", dir, to);

		if (strv_has(&c->suffixes, *suffix)) {
			if (bring_one(s, from, dir, to, owner, e) < 0)
				return -1;
		} else if (unlink(path) < 0 && errno != ENOENT) {
			return err_set(e, ERR_SYSTEM, "remove %s, which is another backup's: %s",
				       path, strerror(errno));
		}
	}
	return 0;
}

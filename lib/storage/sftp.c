/*
 * The storage on an SSH server: sftp://USER@HOST[:PORT]/PATH (below the home directory: /~/PATH),
 * by libcurl with libssh2. The server's key must be in the known_hosts file; there is no way to go
 * on without. Keys come from the agent, a key file, or a password file.
 *
 * A directory is listed as one on this machine is (local.c): its own level, whole trees that are
 * one backup, directories named by date. The listing is what the server prints as "ls -l" would, of
 * which sizes and kinds are taken; times are asked for file by file, as those printed lack the
 * year.
 *
 * SFTP has no ETags: a file's time and size are made into one, so that its parts can be tied
 * together, also those of another run. Not of one that was written just now: its time, in whole
 * seconds, may be that of another version, too.
 */
#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/net/easy.h"
#include "lib/storage/driver.h"
#include "lib/storage/lsline.h"
#include "lib/storage/uri.h"
#include "lib/storage/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	URL_MAX = 32 * 1024,
	SECRET_MAX = 4096,
	STALL_BYTES_S = 1024,
	/* libssh2 asks for four times as much ahead, which a far server is waited for otherwise. */
	RECEIVE_BUFFER = 256 * 1024,
	SETTLED_MS = 3000,
};

struct sftp {
	CURL *curl;
	char *url;    /* of the object, or of the place with its '/' at the end */
	bool used;    /* it had a session */
	bool further; /* there are others, which do without it */
	atomic_uint clones;
	char reason[CURL_ERROR_SIZE];
};

static void sftp_close(void *state)
{
	struct sftp *f = state;

	curl_easy_cleanup(f->curl);
	free(f->url);
	free(f);
}

/* --- the handle ------------------------------------------------------------------------------- */

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct storage *s = ctx;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return s->options.stop && *s->options.stop;
}

static bool set_files(CURL *c, const struct storage_access *access)
{
	AUTO_FREE char *usual =
		xasprintf("%s/.ssh/known_hosts", getenv("HOME") ? getenv("HOME") : "");
	const char *known = access && access->known_hosts_file ? access->known_hosts_file : usual;
	const char *key = access ? access->ssh_key_file : NULL;

	return curl_easy_setopt(c, CURLOPT_SSH_KNOWNHOSTS, known) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSH_AUTH_TYPES,
				(long)(CURLSSH_AUTH_AGENT | CURLSSH_AUTH_PUBLICKEY |
				       CURLSSH_AUTH_PASSWORD)) == CURLE_OK &&
	       (key == NULL || curl_easy_setopt(c, CURLOPT_SSH_PRIVATE_KEYFILE, key) == CURLE_OK);
}

/* As ssh(1): who runs this, where the address names nobody. */
static bool set_user(CURL *c, const char *url)
{
	const char *host = url + uri_scheme(url) + 3;
	struct passwd entry, *found = NULL;
	char text[4096];

	if (memchr(host, '@', strcspn(host, "/")))
		return true;
	if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) != 0 || found == NULL)
		return true;
	return curl_easy_setopt(c, CURLOPT_USERNAME, found->pw_name) == CURLE_OK;
}

static int set_password(CURL *c, const struct storage_access *access, struct err *e)
{
	BUF_AUTO secret = BUF_INIT(SECRET_MAX);
	CURLcode rc;

	if (access == NULL || access->password_file == NULL)
		return 0;
	if (io_read_secret(access->password_file, &secret, e) < 0)
		return -1;
	rc = curl_easy_setopt(c, CURLOPT_PASSWORD, secret.s);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_KEYPASSWD, secret.s);
	explicit_bzero(secret.s, secret.len);
	return rc == CURLE_OK ? 0 : err_set(e, ERR_SYSTEM, "start libcurl: out of memory");
}

static int set_up(struct storage *s, struct sftp *f, struct err *e)
{
	const struct storage_options *o = &s->options;
	CURL *c = f->curl = easy_open("sftp", NULL, e);

	if (c == NULL)
		return -1;
	if (!set_files(c, o->access) || !set_user(c, f->url) ||
	    curl_easy_setopt(c, CURLOPT_FILETIME, 1L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_S) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)o->stall_s) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)o->connect_s) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_XFERINFODATA, s) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->reason) != CURLE_OK)
		return err_set(e, ERR_SYSTEM,
			       "start libcurl: it refuses an option; has it libssh2?");
	return set_password(c, o->access, e);
}

static char *base_name(const char *url)
{
	BUF_AUTO name = BUF_INIT(URL_MAX);
	size_t end = strlen(url), start;

	while (end > 0 && url[end - 1] == '/')
		end--;
	for (start = end; start > 0 && url[start - 1] != '/'; start--)
		;
	return uri_decode(&name, url + start, end - start, false) ? xstrdup(name.s) : xstrdup("");
}

static int sftp_open(struct storage *s, const char *source, struct err *e)
{
	BUF_AUTO shown = BUF_INIT(URL_MAX);
	struct sftp *f = xcalloc(1, sizeof(*f));

	uri_shown(&shown, source);
	s->state = f;
	s->shown = xstrdup(shown.s);
	f->url = xstrdup(source);
	s->base_name = base_name(source);
	if (strchr(source + strlen("sftp://"), '/') == NULL || s->base_name[0] == '\0')
		return err_set(e, ERR_USAGE, "open %s: write sftp://USER@HOST/PATH", shown.s);
	return set_up(s, f, e);
}

static int sftp_clone(const struct storage *of, struct storage *s, struct err *e)
{
	struct sftp *from = of->state;
	struct sftp *f = xcalloc(1, sizeof(*f));

	s->state = f;
	f->further = atomic_fetch_add(&from->clones, 1) > 0;
	f->url = xstrdup(from->url);
	return set_up(s, f, e);
}

/* --- one request ------------------------------------------------------------------------------ */

struct call {
	struct storage *s;
	const struct storage_sink *sink;
	struct err *e;
	int64_t from, count; /* what is asked for; count -1: to the end */
	int64_t version_ms;  /* the file's time; -1: not known yet */
	int64_t done;
	bool judged; /* it is this version that this attempt reads */
	bool failed; /* *e is filled */
};

static int64_t file_time_ms(const struct sftp *f)
{
	curl_off_t t = -1;

	if (curl_easy_getinfo(f->curl, CURLINFO_FILETIME_T, &t) != CURLE_OK || t < 0)
		return -1;
	return (int64_t)t * 1000;
}

/* libcurl asks for the time before the bytes. */
static int judge(struct call *c)
{
	const int64_t is_ms = file_time_ms(c->s->state);

	c->judged = true;
	if (c->version_ms < 0)
		c->version_ms = is_ms;
	if (c->version_ms == is_ms)
		return 0;
	return err_set(c->e, ERR_REMOTE, "get %s: it was replaced meanwhile", c->s->shown);
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	const size_t bytes = size * n;

	if (c->sink == NULL)
		return bytes;
	if ((!c->judged && judge(c) < 0) || c->sink->write(c->sink->ctx, p, bytes, c->e) < 0) {
		c->failed = true;
		return CURL_WRITEFUNC_ERROR;
	}
	c->done += (int64_t)bytes;
	return bytes;
}

static int failure(const struct call *c, const char *url, CURLcode rc)
{
	const struct sftp *f = c->s->state;
	BUF_AUTO shown = BUF_INIT(URL_MAX);
	const char *why = f->reason[0] ? f->reason : curl_easy_strerror(rc);

	uri_shown(&shown, url);
	switch ((int)rc) {
	case CURLE_ABORTED_BY_CALLBACK:
		return err_set(c->e, ERR_SYSTEM, "get %s: interrupted", shown.s);
	case CURLE_PEER_FAILED_VERIFICATION:
		return err_set(
			c->e, ERR_REMOTE,
			"get %s: the server's key is not the one in known_hosts; if it is new, "
			"get it with ssh-keyscan, compare its fingerprint, and name the file with "
			"--known-hosts",
			shown.s);
	case CURLE_LOGIN_DENIED:
		return err_set(
			c->e, ERR_REMOTE,
			"get %s: the server lets this user not in; name a key with --ssh-key or "
			"a password with --password-file",
			shown.s);
	case CURLE_REMOTE_FILE_NOT_FOUND:
		return err_set(c->e, ERR_BACKUP, "get %s: there is no such file", shown.s);
	default:
		return err_set(c->e, ERR_REMOTE, "get %s: %s", shown.s, why);
	}
}

/* What is still missing of what was asked for, as libcurl wants it. False: everything. */
static bool range_text(const struct call *c, char out[64])
{
	const int64_t from = c->from + c->done;

	if (c->count >= 0)
		(void)snprintf(out, 64, "%" PRId64 "-%" PRId64, from, c->from + c->count - 1);
	else
		(void)snprintf(out, 64, "%" PRId64 "-", from);
	return c->sink && (from > 0 || c->count >= 0);
}

static CURLcode perform(struct call *c, const char *url, bool head)
{
	struct sftp *f = c->s->state;
	CURLcode rc = curl_easy_setopt(f->curl, CURLOPT_URL, url);
	char range[64];

	f->reason[0] = '\0';
	c->judged = false;
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(f->curl, CURLOPT_NOBODY, head ? 1L : 0L);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(f->curl, CURLOPT_RANGE, range_text(c, range) ? range : NULL);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, on_body);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, c);
	return rc == CURLE_OK ? curl_easy_perform(f->curl) : rc;
}

static bool still_connected(const struct sftp *f)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	char c;

	if (curl_easy_getinfo(f->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD)
		return false;
	errno = 0;
	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0 || errno == EAGAIN;
}

/* Another attempt can mend it. What libcurl says of a file when its connection broke is what the
 * server said last, of another file (libssh2_sftp_last_error(3)). */
static bool passing(const struct sftp *f, CURLcode rc)
{
	if (rc == CURLE_REMOTE_FILE_NOT_FOUND || rc == CURLE_REMOTE_ACCESS_DENIED)
		return !still_connected(f);
	/* No session: another one may be more than the server grants. */
	if (rc == CURLE_FAILED_INIT)
		return f->used || !f->further;
	return easy_fate(rc) == FATE_LATER && rc != CURLE_WRITE_ERROR;
}

/* With further attempts that go on where it broke, as long as it is the same file. */
static int run(struct call *c, const char *url, bool head)
{
	struct sftp *f = c->s->state;
	struct retry retry;

	retry_begin(&retry, INT64_MAX);
	retry.stop = c->s->options.stop;
	retry.most_tries = (unsigned)c->s->options.retries + 1;
	for (;;) {
		const CURLcode rc = perform(c, url, head);

		if (rc != CURLE_FAILED_INIT)
			f->used = true;
		if (rc == CURLE_OK)
			return 0;
		if (c->failed)
			return -1;
		if (!passing(f, rc) || retry_wait(&retry, -1) < 0)
			return failure(c, url, rc);
		if (c->s->options.tally)
			atomic_fetch_add(&c->s->options.tally->retries, 1);
	}
}

/* --- objects ---------------------------------------------------------------------------------- */

static void object_url(const struct storage *s, const char *name, struct buf *out)
{
	const struct sftp *f = s->state;
	size_t n = strlen(f->url), base;

	if (s->is_object) {
		/* Beside it lie its sidecars. */
		for (base = n; base > 0 && f->url[base - 1] != '/'; base--)
			;
		buf_add(out, f->url, base);
	} else {
		buf_adds(out, f->url);
	}
	uri_encode(out, name, true);
}

/* "SECONDS-BYTES". */
static void make_etag(struct storage_stat *st)
{
	if (st->bytes < 0 || st->modified_ms < 0 || st->modified_ms + SETTLED_MS > utc_now_ms())
		return;
	(void)snprintf(st->etag, sizeof(st->etag), "\"%" PRId64 "-%" PRId64 "\"",
		       st->modified_ms / 1000, st->bytes);
	st->ranges = true;
}

static int64_t etag_time_ms(const char *etag)
{
	int64_t seconds;

	return sscanf(etag, "\"%" SCNd64 "-", &seconds) == 1 ? seconds * 1000 : -1;
}

static int stat_url(struct storage *s, const char *url, struct storage_stat *out, struct err *e)
{
	struct call c = { .s = s, .e = e, .count = -1, .version_ms = -1 };
	struct sftp *f = s->state;
	curl_off_t bytes = -1;

	if (run(&c, url, true) < 0)
		return -1;
	if (curl_easy_getinfo(f->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &bytes) == CURLE_OK)
		out->bytes = (int64_t)bytes;
	out->modified_ms = file_time_ms(f);
	make_etag(out);
	return 0;
}

static int sftp_stat(struct storage *s, const char *name, struct storage_stat *out, struct err *e)
{
	BUF_AUTO url = BUF_INIT(URL_MAX);

	object_url(s, name, &url);
	return stat_url(s, url.s, out, e);
}

static int sftp_read(struct storage *s, const char *name, const char *etag, int64_t from,
		     int64_t count, const struct storage_sink *sink, struct err *e)
{
	BUF_AUTO url = BUF_INIT(URL_MAX);
	struct call c = { .s = s,
			  .sink = sink,
			  .e = e,
			  .from = from,
			  .count = count,
			  .version_ms = etag_time_ms(etag) };

	object_url(s, name, &url);
	return run(&c, url.s, false);
}

/* --- listing ---------------------------------------------------------------------------------- */

static int get_page(struct storage *s, const char *below, struct buf *page, struct err *e)
{
	BUF_AUTO url = BUF_INIT(URL_MAX);
	const struct storage_sink sink = sink_text(page);
	struct call c = { .s = s, .sink = &sink, .e = e, .count = -1, .version_ms = -1 };

	object_url(s, below, &url);
	if (below[0])
		buf_addc(&url, '/');
	return run(&c, url.s, false);
}

static int parse_page(struct storage *s, const char *below, const struct buf *page,
		      int (*each)(const struct walk_entry *entry, void *ctx, struct err *e),
		      void *ctx, struct err *e)
{
	const char *rest = page->s;
	struct lsline line;
	char *text = NULL;
	int rc = 0;

	(void)s;
	(void)below;
	while (rc == 0 && lsline_next(&rest, &text, &line)) {
		const struct walk_entry entry = { .name = line.name,
						  .directory = line.kind == 'd',
						  .bytes = line.bytes,
						  .modified_ms = -1,
						  .link = line.link };

		if (strchr("-dl", line.kind))
			rc = each(&entry, ctx, e);
	}
	free(text);
	return rc;
}

static const struct walk_pages pages = { .get = get_page, .parse = parse_page, .asks = true };

/* A place is a directory; else the source is one file. */
static int sftp_list(struct storage *s,
		     int (*each)(const struct storage_object *o, void *ctx, struct err *e),
		     void *ctx, struct err *e)
{
	struct sftp *f = s->state;
	struct err why = { 0 };
	BUF_AUTO page = BUF_INIT(WALK_PAGE_MAX);
	struct storage_object o = { s->base_name, -1, -1, "", NULL };
	struct storage_stat st;
	size_t n = strlen(f->url);
	char *file = f->url;

	if (f->url[n - 1] != '/')
		f->url = xasprintf("%s/", file);
	if (get_page(s, "", &page, &why) == 0) {
		if (f->url != file)
			free(file);
		return walk(s, &pages, &page, each, ctx, e);
	}
	if (f->url == file) {
		*e = why;
		return -1;
	}
	free(f->url);
	f->url = file;
	s->is_object = true;
	if (storage_stat(s, s->base_name, &st, e) < 0)
		return -1;
	o.bytes = st.bytes;
	o.modified_ms = st.modified_ms;
	return each(&o, ctx, e);
}

static const char *const schemes[] = { "sftp", NULL };

const struct storage_driver storage_sftp = {
	.schemes = schemes,
	.form = "sftp://USER@HOST/PATH",
	.open = sftp_open,
	.list = sftp_list,
	.stat = sftp_stat,
	.read = sftp_read,
	.in_place = true,
	.clone = sftp_clone,
	.close = sftp_close,
};

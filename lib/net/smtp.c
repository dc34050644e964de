#include "lib/net/smtp.h"

#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/net/easy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { REPLY_MAX = 300 };

struct smtp {
	CURL *curl;
	struct smtp_options options;
};

/* One try. */
struct attempt {
	const char *mail;
	size_t len, read;
	char reply[REPLY_MAX]; /* the server's last 4yz or 5yz */
};

static bool url_has(CURLU *u, CURLUPart part)
{
	char *value = NULL;
	const bool has = curl_url_get(u, part, &value, 0) == CURLUE_OK;

	curl_free(value);
	return has;
}

int smtp_check_url(const char *url, struct err *e)
{
	CURLU *u = curl_url();
	const bool is_url = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;
	const bool is_smtp = strncmp(url, "smtp://", 7) == 0 || strncmp(url, "smtps://", 8) == 0;
	const bool has_login =
		is_url && (url_has(u, CURLUPART_USER) || url_has(u, CURLUPART_PASSWORD));

	curl_url_cleanup(u);
	if (has_login)
		return err_set(e, ERR_USAGE,
			       "use SMTP_URL: user and password belong into SMTP_USER and "
			       "SMTP_PASSWORD");
	if (is_url && is_smtp)
		return 0;
	return err_set(e, ERR_USAGE,
		       "use SMTP_URL: it is not of the form smtp://HOST[:PORT] or "
		       "smtps://HOST[:PORT]");
}

static size_t give_mail(char *to, size_t size, size_t n, void *from)
{
	struct attempt *a = from;
	const size_t most = size * n, left = a->len - a->read;
	const size_t give = left < most ? left : most;

	memcpy(to, a->mail + a->read, give);
	a->read += give;
	return give;
}

/* libcurl hands out the server's replies as headers, each a line. */
static size_t keep_reply(char *data, size_t size, size_t n, void *to)
{
	struct attempt *a = to;
	const size_t len = size * n;
	size_t keep = len < sizeof(a->reply) - 1 ? len : sizeof(a->reply) - 1;

	while (keep > 0 && (data[keep - 1] == '\r' || data[keep - 1] == '\n'))
		keep--;
	if (keep >= 3 && (data[0] == '4' || data[0] == '5') && data[1] >= '0' && data[1] <= '9' &&
	    data[2] >= '0' && data[2] <= '9') {
		memcpy(a->reply, data, keep);
		a->reply[keep] = '\0';
	}
	return len;
}

static bool set_up(const struct smtp *s)
{
	const struct smtp_options *o = &s->options;
	const long tls = o->clear_text ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;
	CURL *c = s->curl;

	return curl_easy_setopt(c, CURLOPT_URL, o->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USE_SSL, tls) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_READFUNCTION, give_mail) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, keep_reply) == CURLE_OK &&
	       (!o->user || curl_easy_setopt(c, CURLOPT_USERNAME, o->user) == CURLE_OK) &&
	       (!o->password || curl_easy_setopt(c, CURLOPT_PASSWORD, o->password) == CURLE_OK);
}

struct smtp *smtp_open(const struct smtp_options *o, struct err *e)
{
	CURL *curl = easy_open("smtp,smtps", o->ca_file, e);
	struct smtp *s;

	if (!curl)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->curl = curl;
	s->options = *o;
	if (set_up(s))
		return s;
	smtp_close(s);
	(void)err_set(e, ERR_SYSTEM, "start libcurl: it cannot send mail");
	return NULL;
}

void smtp_close(struct smtp *s)
{
	if (!s)
		return;
	curl_easy_cleanup(s->curl);
	free(s);
}

/* What a failed try means, and in why the reason and the way out. */
static enum fate judge(CURLcode code, const char *tls, const struct attempt *a, struct buf *why)
{
	if (code == CURLE_USE_SSL_FAILED) {
		buf_adds(why, "it offers no STARTTLS; use smtps:// or --starttls never");
		return FATE_HELD;
	}
	if (a->reply[0]) {
		buf_adds(why, "it says ");
		text_safe(why, a->reply);
	} else {
		buf_adds(why, code == CURLE_PEER_FAILED_VERIFICATION && tls[0]
				      ? tls
				      : curl_easy_strerror(code));
	}
	if (a->reply[0] == '4')
		return FATE_LATER;
	if (strncmp(a->reply, "530", 3) == 0) /* RFC 3207, section 4; RFC 4954, section 6 */
		buf_adds(why, "; it wants --starttls required, or SMTP_USER and SMTP_PASSWORD");
	if (code == CURLE_LOGIN_DENIED) {
		buf_adds(why, "; check SMTP_USER and SMTP_PASSWORD");
		return FATE_HELD;
	}
	if (a->reply[0] == '5')
		return a->read > 0 ? FATE_REFUSED : FATE_HELD;
	return easy_fate(code);
}

/* libcurl 7.88.1 keeps a connection on which the answer to a mail did not come in time; there the
 * late answer would pass for one to the next mail. */
static void break_off(CURL *c)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(c, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
		(void)shutdown(fd, SHUT_RDWR);
}

/* One mail to one recipient. */
static CURLcode perform(struct smtp *s, struct attempt *a, const char *to, long limit_ms,
			char said[CURL_ERROR_SIZE])
{
	struct curl_slist *rcpt = curl_slist_append(NULL, to);
	CURL *c = s->curl;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (rcpt && curl_easy_setopt(c, CURLOPT_MAIL_RCPT, rcpt) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_READDATA, a) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_HEADERDATA, a) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, limit_ms) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, limit_ms) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, said) == CURLE_OK)
		code = curl_easy_perform(c);
	if (code != CURLE_OK)
		break_off(c);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_easy_setopt(c, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(rcpt);
	return code;
}

static enum fate try_once(struct smtp *s, struct attempt *a, const char *to, struct err *e)
{
	const int64_t left = s->options.deadline_ms - mono_ms();
	const int64_t try_ms = (int64_t)s->options.try_ms;
	BUF_AUTO why = BUF_INIT(REPLY_MAX * 2);
	char said[CURL_ERROR_SIZE] = "", where[EASY_WHERE_SIZE];
	enum fate fate = FATE_LATER;
	CURLcode code;

	a->read = 0;
	a->reply[0] = '\0';
	if (left <= 0) {
		buf_adds(&why, "no time is left");
	} else {
		code = perform(s, a, to, (long)(try_ms < left ? try_ms : left), said);
		fate = code == CURLE_OK ? FATE_ACCEPTED : judge(code, said, a, &why);
	}
	if (fate != FATE_ACCEPTED)
		(void)err_set(e, ERR_REMOTE, "mail to %s by %s: %s", to,
			      easy_where(s->options.url, where), why.s);
	return fate;
}

/* What became of the mail for one recipient. */
struct outcome {
	enum fate fate;
	struct err why;
};

/* One more try for each recipient who may still get it. */
static bool try_all(struct smtp *s, struct attempt *a, const struct strv *to, struct outcome *o)
{
	bool again = false;

	for (size_t i = 0; i < to->n; i++) {
		if (o[i].fate == FATE_LATER)
			o[i].fate = try_once(s, a, to->v[i], &o[i].why);
		again = again || o[i].fate == FATE_LATER;
	}
	return again;
}

/* Of recipients who do not have it, what promises most. */
static enum fate better(enum fate a, enum fate b)
{
	if (a == FATE_LATER || b == FATE_LATER)
		return FATE_LATER;
	return a == FATE_HELD || b == FATE_HELD ? FATE_HELD : FATE_REFUSED;
}

enum fate smtp_send(struct smtp *s, const char *from, const struct strv *to, const char *mail,
		    size_t len, unsigned *reached, struct err *e)
{
	struct attempt a = { .mail = mail, .len = len };
	AUTO_FREE struct outcome *o = xcalloc(to->n, sizeof(*o));
	enum fate rest = FATE_REFUSED;
	struct retry r;

	*reached = 0;
	if (curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, from) != CURLE_OK) {
		(void)err_set(e, ERR_SYSTEM, "send a mail: libcurl does not take the sender");
		return FATE_HELD;
	}
	for (size_t i = 0; i < to->n; i++)
		o[i].fate = FATE_LATER;
	retry_begin(&r, s->options.deadline_ms);
	while (try_all(s, &a, to, o) && retry_wait(&r, -1) == 0)
		;
	for (size_t i = 0; i < to->n; i++) {
		if (o[i].fate == FATE_ACCEPTED) {
			(*reached)++;
			continue;
		}
		rest = better(rest, o[i].fate);
		*e = o[i].why;
	}
	return *reached > 0 ? FATE_ACCEPTED : rest;
}

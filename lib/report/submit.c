#include "lib/report/submit.h"

#include "lib/base/record.h"
#include "lib/base/secret.h"
#include "lib/base/utc.h"
#include "lib/net/courier.h"
#include "lib/net/loopback.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 8192, FORM_MAX = 4 * 1024 * 1024, TRY_MS = 10 * 1000, NAME_SIZE = 64 };

/* NRDP says no with status 200, in XML or JSON: a status that is not 0, and a message. */
static enum fate judge_nrdp(struct courier_answer *a, struct buf *why)
{
	const enum fate fate = courier_judge(a, why);

	if (fate != FATE_ACCEPTED || strstr(a->body.s, "<status>0</status>") ||
	    strstr(a->body.s, "\"status\":0") || strstr(a->body.s, "\"status\": 0"))
		return fate;
	buf_adds(why, strstr(a->body.s, "TOKEN") ? "the token is not accepted"
						 : "the answer is not that of NRDP for accepted");
	return FATE_HELD;
}

/* {"results":[{"code":200,...}]}; an empty list, with status 500 (2.13) or 404: the filter found no
 * such service. */
static enum fate judge_icinga2(struct courier_answer *a, struct buf *why)
{
	const enum fate fate = courier_judge(a, why);
	struct err ignored;
	JSON_AUTO *answer = record_parse(a->body.s, a->body.len, &ignored);
	const json_t *results = json_object_get(answer, "results");
	double code = 0;

	if (a->status == 404 || (json_is_array(results) && json_array_size(results) == 0)) {
		buf_reset(why);
		buf_adds(why, "it knows no such host and service");
		return FATE_HELD;
	}
	(void)record_real(json_array_get(results, 0), "code", &code);
	if (fate != FATE_ACCEPTED || (code >= 200 && code < 300))
		return fate;
	buf_adds(why, "the result was not taken");
	return FATE_HELD;
}

/* What a kind of server wants. */
static const struct server {
	const char *name;  /* of its variables: NAME_URL, NAME_USER, NAME_PASSWORD */
	const char *token; /* a variable; NULL: none */
	const char *type;
	const char *path;  /* after the address */
	const char *field; /* of a form, which the report is then; NULL: the report is the body */
	enum fate (*judge)(struct courier_answer *a, struct buf *why);
} servers[] = {
	[SUBMIT_PUSHGATEWAY] = { "PUSHGATEWAY", NULL, "text/plain; version=0.0.4; charset=utf-8",
				 "", NULL, NULL },
	[SUBMIT_NRDP] = { "NRDP", "NRDP_TOKEN", "application/x-www-form-urlencoded", "", "XMLDATA",
			  judge_nrdp },
	[SUBMIT_NRDP_JSON] = { "NRDP", "NRDP_TOKEN", "application/x-www-form-urlencoded", "",
			       "JSONDATA", judge_nrdp },
	[SUBMIT_ICINGA2] = { "ICINGA2", NULL, "application/json",
			     "/v1/actions/process-check-result", NULL, judge_icinga2 },
};

static int load(struct secret *s, const char *server, const char *what, bool needed, struct err *e)
{
	char name[NAME_SIZE], file[NAME_SIZE];
	const char *path;

	if (s->value)
		return 0;
	(void)snprintf(name, sizeof(name), "%s%s", server, what);
	(void)snprintf(file, sizeof(file), "%s%s_FILE", server, what);
	path = getenv(file);
	path = path && *path ? path : NULL;
	return needed ? secret_need(s, name, path, e) : secret_load(s, name, path, e);
}

static int load_keys(struct submit_keys *k, const struct server *server, bool url, struct err *e)
{
	if (url && load(&k->url, server->name, "_URL", true, e) < 0)
		return -1;
	if (server->token)
		return load(&k->token, server->token, "", true, e);
	if (load(&k->user, server->name, "_USER", false, e) < 0)
		return -1;
	return load(&k->password, server->name, "_PASSWORD", k->user.value != NULL, e);
}

/* "user:password@" in an argument would be seen by all. */
static int check_address(const char *url, bool secret, struct err *e)
{
	const char *host = strstr(url, "://");
	const size_t authority = host ? strcspn(host + 3, "/?#") : 0;

	if (host == NULL || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		return err_set(e, ERR_USAGE,
			       "send the report: the address is no http or https URL");
	if (memchr(host + 3, '@', authority))
		return err_set(
			e, ERR_USAGE,
			"send the report: leave user and password out of the address; give them "
			"as NAME_USER and NAME_PASSWORD in the environment or in files");
	if (secret && strncmp(url, "https://", 8) != 0 && !loopback_url(url))
		return err_set(
			e, ERR_USAGE,
			"send the report: a password or token goes to another machine by https "
			"only");
	return 0;
}

void submit_pushgateway_url(const char *base, const char *label, struct buf *out)
{
	size_t n = strlen(base);

	while (n > 0 && base[n - 1] == '/')
		n--;
	buf_add(out, base, n);
	if (strstr(base, "/metrics/job"))
		return;
	buf_adds(out, "/metrics/job/backup_probes");
	if (*label && strchr(label, '/') == NULL) {
		buf_adds(out, "/database/");
		courier_percent(out, label);
	} else if (*label) {
		/* A value with a slash: base64, with the alphabet for URLs, padding optional. */
		unsigned char text[URL_MAX];

		(void)EVP_EncodeBlock(text, (const unsigned char *)label, (int)strlen(label));
		buf_adds(out, "/database@base64/");
		for (unsigned char *c = text; *c && *c != '='; c++)
			buf_addc(out, (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c));
	}
}

static void add_url(const struct server *server, const char *url, const char *label,
		    struct buf *out)
{
	size_t n = strlen(url);

	if (server == &servers[SUBMIT_PUSHGATEWAY]) {
		submit_pushgateway_url(url, label, out);
		return;
	}
	while (*server->path && n > 0 && url[n - 1] == '/')
		n--;
	buf_add(out, url, n);
	if (strstr(url, server->path) == NULL)
		buf_adds(out, server->path);
}

/* RFC 7617. */
static void add_authorization(const struct submit_keys *k, struct buf *out)
{
	SECRET_AUTO pair = BUF_INIT(URL_MAX);
	unsigned char text[2 * URL_MAX];

	buf_addf(&pair, "%s:%s", k->user.value, k->password.value);
	(void)EVP_EncodeBlock(text, (const unsigned char *)pair.s, (int)pair.len);
	buf_addf(out, "Authorization: Basic %s", (const char *)text);
	explicit_bzero(text, sizeof(text));
}

static void add_form(const struct server *server, const struct submit_keys *k,
		     const struct buf *report, struct buf *out)
{
	buf_adds(out, "token=");
	courier_percent(out, k->token.value);
	buf_addf(out, "&cmd=submitcheck&%s=", server->field);
	courier_percent(out, report->s);
}

static int send(const struct submitter *from, const struct server *server, const char *url,
		const char *authorization, const struct buf *body, struct err *e)
{
	const struct courier_options options = {
		.ca_file = from->ca_file,
		.try_ms = TRY_MS,
		.deadline_ms = mono_ms() + (int64_t)from->within_s * 1000,
	};
	struct courier *courier = courier_open(&options, e);
	struct courier_answer answer = COURIER_ANSWER_INIT;
	char type[128];
	const char *headers[] = { type, "Accept: application/json", authorization, NULL };
	const struct courier_request q = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = body->s,
		.len = body->len,
		.judge = server->judge,
	};
	enum fate fate;

	if (courier == NULL)
		return -1;
	(void)snprintf(type, sizeof(type), "Content-Type: %s", server->type);
	fate = courier_send(courier, &q, &answer, e);
	courier_answer_free(&answer);
	courier_close(courier);
	return fate == FATE_ACCEPTED ? 0 : -1;
}

int submit(struct submitter *from, enum submit_kind kind, const char *url, const struct buf *report,
	   struct err *e)
{
	const struct server *server = &servers[kind];
	/* Both ways to speak to NRDP have the same token. */
	struct submit_keys *k = &from->keys[kind == SUBMIT_NRDP_JSON ? SUBMIT_NRDP : kind];
	SECRET_AUTO where = BUF_INIT(URL_MAX), form = BUF_INIT(FORM_MAX);
	SECRET_AUTO authorization = BUF_INIT(4 * URL_MAX);

	if (load_keys(k, server, url == NULL, e) < 0)
		return -1;
	url = url ? url : k->url.value;
	if (check_address(url, k->user.value || k->token.value, e) < 0)
		return -1;
	add_url(server, url, from->label, &where);
	if (server->field)
		add_form(server, k, report, &form);
	if (k->user.value)
		add_authorization(k, &authorization);
	if (where.full || form.full || report->full)
		return err_set(e, ERR_SYSTEM, "send the report: it or its address is too long");
	return send(from, server, where.s, k->user.value ? authorization.s : NULL,
		    server->field ? &form : report, e);
}

void submitter_wipe(struct submitter *from)
{
	for (size_t i = 0; i < SUBMIT_KINDS; i++) {
		secret_wipe(&from->keys[i].url);
		secret_wipe(&from->keys[i].user);
		secret_wipe(&from->keys[i].password);
		secret_wipe(&from->keys[i].token);
	}
}

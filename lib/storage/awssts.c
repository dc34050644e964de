#include "lib/storage/awssts.h"

#include "lib/base/io.h"
#include "lib/base/strv.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/net/courier.h"
#include "lib/net/loopback.h"
#include "lib/storage/s3list.h"
#include "lib/storage/sigv4.h"
#include "lib/storage/uri.h"
#include "lib/storage/xmlread.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOKEN_MAX = 64 * 1024, FORM_MAX = 256 * 1024, TRY_MS = 5000, LIMIT_MS = 20 * 1000 };

#define FORM_TYPE "application/x-www-form-urlencoded"

static void add(struct buf *form, const char *name, const char *value)
{
	buf_addf(form, "%s%s=", form->len ? "&" : "", name);
	uri_encode(form, value, false);
}

static int make_form(struct buf *form, const struct awssts_role *role, const char *token_file,
		     struct err *e)
{
	SECRET_AUTO token = BUF_INIT(TOKEN_MAX);
	AUTO_FREE char *session = role->session
					  ? xstrdup(role->session)
					  : xasprintf("backup-probes-%lld", (long long)time(NULL));

	if (token_file && io_read_secret(token_file, &token, e) < 0)
		return -1;
	add(form, "Action", token_file ? "AssumeRoleWithWebIdentity" : "AssumeRole");
	add(form, "DurationSeconds", role->duration_s ? role->duration_s : "3600");
	if (role->external_id)
		add(form, "ExternalId", role->external_id);
	add(form, "RoleArn", role->arn);
	add(form, "RoleSessionName", session);
	add(form, "Version", "2011-06-15");
	if (token_file)
		add(form, "WebIdentityToken", token.s);
	return form->full ? err_set(e, ERR_USAGE, "the identity token is too long") : 0;
}

/* Host and path of the endpoint, as they are signed. Both are the caller's to free. */
static int split(const char *endpoint, char **host, char **path, struct err *e)
{
	CURLU *u = curl_url();
	char *name = NULL, *port = NULL, *rest = NULL;
	int rc = -1;

	if (u && curl_url_set(u, CURLUPART_URL, endpoint, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PATH, &rest, 0) == CURLUE_OK) {
		if (curl_url_get(u, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) != CURLUE_OK)
			port = NULL;
		*host = xasprintf("%s%s%s", name, port ? ":" : "", port ? port : "");
		*path = xstrdup(rest);
		rc = 0;
	}
	curl_free(name);
	curl_free(port);
	curl_free(rest);
	curl_url_cleanup(u);
	return rc == 0 ? 0 : err_set(e, ERR_USAGE, "the endpoint of STS is no URL");
}

static int sign(const struct aws *where, const struct awskey *by, const char *endpoint,
		const struct buf *form, struct strv *lines, struct err *e)
{
	AUTO_FREE char *host = NULL, *path = NULL;
	char date[SIGV4_DATE_SIZE], hash[DIGEST_HEX_SIZE];
	BUF_AUTO line = BUF_INIT(TOKEN_MAX);
	const struct sigv4_key key = { by->id, by->secret, where->region, "sts" };
	const struct sigv4_header headers[] = {
		{ "content-type", FORM_TYPE },
		{ "host", NULL },
		{ "x-amz-date", date },
		{ "x-amz-security-token", by->token },
	};
	struct sigv4_header signed_headers[4];
	struct sigv4_request request = { "POST", NULL, "", signed_headers, by->token ? 4 : 3,
					 hash,   date };

	if (split(endpoint, &host, &path, e) < 0 ||
	    sigv4_date((long long)time(NULL), date, e) < 0 ||
	    digest_of(form->s, form->len, hash, e) < 0)
		return -1;
	memcpy(signed_headers, headers, sizeof(headers));
	signed_headers[1].value = host;
	request.path = path;
	buf_adds(&line, "Authorization: ");
	if (sigv4_sign(&key, &request, &line, NULL, e) < 0)
		return -1;
	strv_add(lines, line.s);
	strv_addf(lines, "X-Amz-Date: %s", date);
	if (by->token)
		strv_addf(lines, "X-Amz-Security-Token: %s", by->token);
	return line.full ? err_set(e, ERR_USAGE, "the access key is too long") : 0;
}

/* STS says in XML what it minds; "IDPCommunicationError" passes. */
static enum fate judge(struct courier_answer *a, struct buf *why)
{
	struct s3_error error;
	enum fate fate = courier_judge(a, why);

	if (fate == FATE_ACCEPTED)
		return fate;
	s3list_error(a->body.s, a->body.len, &error);
	if (error.code[0] == '\0')
		return fate;
	buf_reset(why);
	text_safe(why, error.code);
	if (error.message[0]) {
		buf_adds(why, ": ");
		text_safe(why, error.message);
	}
	return strcmp(error.code, "IDPCommunicationError") == 0 ? FATE_LATER : fate;
}

static int take_word(const struct courier_answer *a, const char *name, char **to)
{
	SECRET_AUTO text = BUF_INIT(XMLREAD_TEXT_MAX);

	if (!xmlread_first(a->body.s, a->body.len, name, &text) || text.len == 0)
		return -1;
	*to = xstrdup(text.s);
	return 0;
}

static int take(const struct courier_answer *a, struct awskey *out, struct err *e)
{
	AUTO_FREE char *expires = NULL;

	*out = (struct awskey){ .expires_ms = -1 };
	if (take_word(a, "AccessKeyId", &out->id) == 0 &&
	    take_word(a, "SecretAccessKey", &out->secret) == 0 &&
	    take_word(a, "SessionToken", &out->token) == 0 &&
	    take_word(a, "Expiration", &expires) == 0 && utc_parse(expires, &out->expires_ms))
		return 0;
	awskey_free(out);
	return err_set(e, ERR_REMOTE, "the answer of STS holds no keys");
}

static int ask(const struct aws *where, const char *endpoint, const struct strv *lines,
	       const struct buf *form, struct awskey *out, struct err *e)
{
	const struct courier_options options = { .ca_file = where->ca_bundle,
						 .try_ms = TRY_MS,
						 .deadline_ms = mono_ms() + LIMIT_MS,
						 .stop = where->stop };
	const struct courier_request request = { .method = "POST",
						 .url = endpoint,
						 .headers = (const char *const *)lines->v,
						 .body = form->s,
						 .len = form->len,
						 .judge = judge };
	struct courier_answer answer = COURIER_ANSWER_INIT;
	struct courier *client = courier_open(&options, e);
	int rc = -1;

	if (client && courier_send(client, &request, &answer, e) == FATE_ACCEPTED)
		rc = take(&answer, out, e);
	courier_close(client);
	buf_wipe(&answer.body);
	return rc;
}

int awssts_assume(const struct aws *where, const struct awssts_role *role, const struct awskey *by,
		  const char *token_file, struct awskey *out, struct err *e)
{
	AUTO_FREE char *endpoint =
		where->sts_endpoint ? xstrdup(where->sts_endpoint) : aws_own_endpoint(where, "sts");
	SECRET_AUTO form = BUF_INIT(FORM_MAX);
	STRV_AUTO lines = { 0 };

	if (make_form(&form, role, token_file, e) < 0)
		return err_wrap(e, "assume %s", role->arn);
	if (token_file && strncmp(endpoint, "http://", 7) == 0 && !loopback_url(endpoint))
		return err_set(e, ERR_USAGE,
			       "assume %s: the identity token would go in clear text; write the "
			       "endpoint of STS with https",
			       role->arn);
	strv_add(&lines, "Content-Type: " FORM_TYPE);
	if (by && sign(where, by, endpoint, &form, &lines, e) < 0)
		return err_wrap(e, "assume %s", role->arn);
	if (ask(where, endpoint, &lines, &form, out, e) < 0)
		return err_wrap(e, "assume %s", role->arn);
	return 0;
}

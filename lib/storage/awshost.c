#include "lib/storage/awshost.h"

#include "lib/base/io.h"
#include "lib/base/num.h"
#include "lib/base/strv.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/net/courier.h"
#include "lib/net/loopback.h"
#include "lib/storage/awsfiles.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONTAINER_TRY_MS = 2000, CONTAINER_LIMIT_MS = 6000, TOKEN_MAX = 16 * 1024 };

#define ROLES "/latest/meta-data/iam/security-credentials/"

/* What one question was answered with; secret. */
struct answer {
	struct courier_answer http;
	enum fate fate;
};

static void answer_free(struct answer *a)
{
	buf_wipe(&a->http.body);
}
#define ANSWER_AUTO __attribute__((cleanup(answer_free))) struct answer
#define ANSWER_INIT \
	{ \
		COURIER_ANSWER_INIT, FATE_LATER \
	}

static void ask(struct answer *a, const char *method, const char *url, const char *header,
		const struct courier_options *limits, struct err *e)
{
	const char *headers[] = { header, NULL };
	const struct courier_request request = { .method = method,
						 .url = url,
						 .headers = header ? headers : NULL };
	struct courier_options options = *limits;
	struct courier *client;

	options.direct = true;
	client = courier_open(&options, e);
	if (client)
		a->fate = courier_send(client, &request, &a->http, e);
	courier_close(client);
}

/* --- containers ----------------------------------------------------------------------------- */

/* In clear text only where it does not leave the machine: the agents of ECS and EKS. */
static bool agent_url(const char *url)
{
	static const char *const agents[] = { "http://169.254.170.2", "http://169.254.170.23",
					      "http://[fd00:ec2::23]" };

	if (strncmp(url, "https://", 8) == 0 || loopback_url(url))
		return true;
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		size_t n = strlen(agents[i]);

		if (strncmp(url, agents[i], n) == 0 && strchr(":/?", url[n]) != NULL)
			return true;
	}
	return false;
}

/* "Authorization: TOKEN"; empty where there is none. */
static int authorization(struct buf *line, struct err *e)
{
	const char *file = awsfiles_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = awsfiles_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	SECRET_AUTO text = BUF_INIT(TOKEN_MAX);

	if (file && io_read_secret(file, &text, e) < 0)
		return -1;
	if (file)
		token = text.s;
	if (token && strpbrk(token, "\r\n"))
		return err_set(e, ERR_USAGE,
			       "the container's authorization token has several lines");
	if (token)
		buf_addf(line, "Authorization: %s", token);
	return 0;
}

static int container(const struct aws *where, const char *url, struct awskey *out, struct err *e)
{
	const struct courier_options limits = { .try_ms = CONTAINER_TRY_MS,
						.deadline_ms = mono_ms() + CONTAINER_LIMIT_MS,
						.stop = where->stop };
	SECRET_AUTO line = BUF_INIT(TOKEN_MAX + 32);
	ANSWER_AUTO answer = ANSWER_INIT;

	if (!agent_url(url))
		return err_set(e, ERR_USAGE,
			       "AWS_CONTAINER_CREDENTIALS_FULL_URI leads out of this machine in "
			       "clear text; it must be https");
	if (authorization(&line, e) < 0)
		return -1;
	ask(&answer, "GET", url, line.len ? line.s : NULL, &limits, e);
	if (answer.fate != FATE_ACCEPTED)
		return -1;
	return awskey_from_json(out, answer.http.body.s, answer.http.body.len, "Token", e);
}

int awshost_container(const struct aws *where, struct awskey *out, struct err *e)
{
	const char *relative = awsfiles_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = awsfiles_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	AUTO_FREE char *url = NULL;

	if (relative == NULL && full == NULL)
		return 0;
	url = relative ? xasprintf("http://169.254.170.2%s", relative) : xstrdup(full);
	if (container(where, url, out, e) < 0)
		return err_wrap(e, "ask the container's agent for keys");
	return 1;
}

/* --- instances ------------------------------------------------------------------------------ */

static bool is_true(const char *variable)
{
	const char *v = awsfiles_env(variable);

	return v && strcasecmp(v, "true") == 0;
}

static char *instance_url(const char *path)
{
	const char *named = awsfiles_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = awsfiles_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	const char *base = mode && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]"
								 : "http://169.254.169.254";
	size_t n;

	if (named)
		base = named;
	n = strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	return xasprintf("%.*s%s", (int)n, base, path);
}

/* One try each, and a short one: most machines are no instance of EC2. */
static void ask_instance(struct answer *a, const char *method, const char *path, const char *header,
			 struct err *e)
{
	const char *limit = awsfiles_env("AWS_METADATA_SERVICE_TIMEOUT");
	AUTO_FREE char *url = instance_url(path);
	struct courier_options options = { 0 };
	struct err ignored;
	uint64_t limit_s = 1;

	if (limit && num_u64(limit, 1, 60, &limit_s, &ignored) < 0)
		limit_s = 1;
	options.try_ms = limit_s * 1000;
	options.deadline_ms = mono_ms() + (int64_t)options.try_ms;
	ask(a, method, url, header, &options, e);
}

/* The header line for the questions that follow. 1; 0: nobody is there; -1. A service that knows no
 * tokens is the first version, which answers without. */
static int session_token(struct buf *line, struct err *e)
{
	ANSWER_AUTO a = ANSWER_INIT;
	long status;

	ask_instance(&a, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21600",
		     e);
	status = a.http.status;
	if (a.fate == FATE_ACCEPTED && strpbrk(a.http.body.s, "\r\n") == NULL) {
		buf_addf(line, "X-aws-ec2-metadata-token: %s", a.http.body.s);
		return 1;
	}
	if (status == 0)
		return 0;
	if ((status == 403 || status == 404 || status == 405) &&
	    !is_true("AWS_EC2_METADATA_V1_DISABLED"))
		return 1;
	return -1;
}

static int role_keys(const char *role, const char *header, struct awskey *out, struct err *e)
{
	AUTO_FREE char *path = xasprintf(ROLES "%s", role);
	ANSWER_AUTO a = ANSWER_INIT;

	ask_instance(&a, "GET", path, header, e);
	if (a.fate != FATE_ACCEPTED)
		return -1;
	return awskey_from_json(out, a.http.body.s, a.http.body.len, "Token", e);
}

static int instance(struct awskey *out, struct err *e)
{
	SECRET_AUTO header = BUF_INIT(TOKEN_MAX);
	ANSWER_AUTO a = ANSWER_INIT;
	AUTO_FREE char *role = NULL;
	int rc = session_token(&header, e);

	if (rc <= 0)
		return rc;
	ask_instance(&a, "GET", ROLES, header.len ? header.s : NULL, e);
	if (a.http.status == 404)
		return 0;
	if (a.fate != FATE_ACCEPTED)
		return -1;
	/* One name a line; an instance has one role. */
	role = xstrndup(a.http.body.s, strcspn(a.http.body.s, "\r\n"));
	if (role[0] == '\0')
		return 0;
	return role_keys(role, header.len ? header.s : NULL, out, e) < 0 ? -1 : 1;
}

int awshost_instance(struct awskey *out, struct err *e)
{
	int rc;

	if (is_true("AWS_EC2_METADATA_DISABLED"))
		return 0;
	rc = instance(out, e);
	return rc < 0 ? err_wrap(e, "ask the instance's metadata service for keys") : rc;
}

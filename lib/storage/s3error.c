#include "lib/storage/s3error.h"

#include "lib/storage/s3list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *code;
	const char *way_out;
} advice[] = {
	{ "NoSuchBucket", "there is no such bucket; are its name and the endpoint right?" },
	{ "AccessDenied", "the keys are wrong, or lack s3:ListBucket and s3:GetObject here" },
	{ "InvalidAccessKeyId", "the access key is unknown there; see AWS_ACCESS_KEY_ID" },
	{ "SignatureDoesNotMatch", "the secret key is wrong; see AWS_SECRET_ACCESS_KEY" },
	{ "RequestTimeTooSkewed", "the clocks are too far apart; set this machine's by NTP" },
	{ "ExpiredToken", "the session token has expired; get new keys" },
	{ "InvalidToken", "the session token is wrong; see AWS_SESSION_TOKEN" },
	{ "InvalidObjectState", "it is archived; restore it from its storage class first" },
	{ "PreconditionFailed", "it was replaced meanwhile; run it again" },
	{ "SlowDown", "the server is overloaded; try again later" },
};

static const char *advice_for(const char *code)
{
	for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		if (strcmp(advice[i].code, code) == 0)
			return advice[i].way_out;
	return NULL;
}

/* Answers to HEAD have no body: the status alone must tell. */
static const char *code_of_status(long status)
{
	switch (status) {
	case 403:
		return "AccessDenied";
	case 404:
		return "NoSuchKey";
	case 412:
		return "PreconditionFailed";
	default:
		return "";
	}
}

int s3error_set(const struct download_reply *r, const char *verb, const char *shown,
		const char *region, struct err *e)
{
	struct s3_error why;
	int64_t skew_s = download_clock_skew_s(r);
	const char *hint, *actual;
	char clock[96] = "";

	s3list_error(r->text.s, r->text.len, &why);
	if (why.code[0] == '\0')
		(void)snprintf(why.code, sizeof(why.code), "%s", code_of_status(r->status));
	if (strcmp(why.code, "NoSuchKey") == 0)
		return err_set(e, ERR_BACKUP, "%s %s: there is no such object (404)", verb, shown);
	if (skew_s)
		(void)snprintf(clock, sizeof(clock),
			       "; this machine's clock is %" PRId64 " s %s the server's",
			       skew_s < 0 ? -skew_s : skew_s, skew_s < 0 ? "behind" : "ahead of");
	hint = advice_for(why.code);
	if (hint)
		return err_set(e, ERR_REMOTE, "%s %s: %s (%ld); %s%s", verb, shown, why.code,
			       r->status, hint, clock);
	actual = r->region[0] ? r->region : why.region;
	if (actual[0] && strcmp(actual, region) != 0)
		return err_set(e, ERR_REMOTE,
			       "%s %s: the bucket is in region %s, not in %s (%ld); set AWS_REGION",
			       verb, shown, actual, region, r->status);
	return err_set(e, ERR_REMOTE, "%s %s: the server answers %ld %s%s%s%s", verb, shown,
		       r->status, why.code, why.message[0] ? ": " : "", why.message, clock);
}

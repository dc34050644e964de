#include "lib/storage/s3error.h"

#include "lib/base/shellword.h"
#include "lib/storage/s3list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *code;
	const char *way_out;
} advice[] = {
	{ "NoSuchBucket", "there is no such bucket; are its name and the endpoint right?" },
	{ "AccessDenied", "the keys are wrong, or lack s3:ListBucket and s3:GetObject here; where "
			  "the requester pays, set AWS_REQUEST_PAYER=requester" },
	{ "InvalidAccessKeyId", "the access key is unknown there; see AWS_ACCESS_KEY_ID" },
	{ "SignatureDoesNotMatch", "the secret key is wrong; see AWS_SECRET_ACCESS_KEY" },
	{ "RequestTimeTooSkewed", "the clocks are too far apart; set this machine's by NTP" },
	{ "ExpiredToken", "the session token has expired; get new keys" },
	{ "InvalidToken", "the session token is wrong; see AWS_SESSION_TOKEN" },
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

/* --- archives ------------------------------------------------------------------------------- */

static bool deep(const char *class)
{
	return strcmp(class, "GLACIER") == 0 || strcmp(class, "DEEP_ARCHIVE") == 0;
}

bool s3error_archived(const struct download_reply *r)
{
	const char *class = download_mark(r, "x-amz-storage-class");
	const char *restored = download_mark(r, "x-amz-restore");

	if (restored && strstr(restored, "ongoing-request=\"false\""))
		return false;
	return (class && deep(class)) || download_mark(r, "x-amz-archive-status") != NULL;
}

int s3error_archive(const struct download_reply *r, const struct s3_asked *asked, struct err *e)
{
	const char *restore = download_mark(r, "x-amz-restore");
	const char *class = download_mark(r, "x-amz-storage-class");
	BUF_AUTO command = BUF_INIT(KEYSPACE_KEY_MAX);
	struct s3_error why;
	bool tiering;

	s3list_error(r->text.s, r->text.len, &why);
	if (class == NULL)
		class = why.storage_class[0] ? why.storage_class : "an archive class";
	if (restore && strstr(restore, "ongoing-request=\"true\""))
		return err_set(e, ERR_REMOTE,
			       "%s %s: it is archived (%s), its restore has been asked for and "
			       "takes hours; try again then",
			       asked->verb, asked->shown, class);
	tiering = strcmp(class, "INTELLIGENT_TIERING") == 0;
	buf_addf(&command, "aws s3api restore-object --bucket %s --key ", asked->bucket);
	shellword_add(&command, asked->key ? asked->key : "");
	buf_addf(&command,
		 " --restore-request '{%s\"GlacierJobParameters\":{\"Tier\":\"Standard\"}}'",
		 tiering ? "" : "\"Days\":7,");
	return err_set(e, ERR_REMOTE,
		       "%s %s: it is archived (%s, InvalidObjectState); restore it from its "
		       "storage class first: %s",
		       asked->verb, asked->shown, class, command.s);
}

/* --- refusals ------------------------------------------------------------------------------- */

static int absent(const struct download_reply *r, const struct s3_asked *asked, struct err *e)
{
	const char *deleted = download_mark(r, "x-amz-delete-marker");

	if (deleted && strcmp(deleted, "true") == 0)
		return err_set(
			e, ERR_BACKUP,
			"%s %s: it was deleted (404); the bucket keeps versions, so an older "
			"one may be there: see aws s3api list-object-versions",
			asked->verb, asked->shown);
	return err_set(e, ERR_BACKUP, "%s %s: there is no such object (404)", asked->verb,
		       asked->shown);
}

static int elsewhere(const struct download_reply *r, const struct s3_asked *asked,
		     const struct s3_error *why, struct err *e)
{
	const char *actual = r->region[0] ? r->region : why->region;

	if (actual[0] && strcmp(actual, asked->region) != 0)
		return err_set(e, ERR_REMOTE,
			       "%s %s: the bucket is in region %s, not in %s (%ld); set AWS_REGION",
			       asked->verb, asked->shown, actual, asked->region, r->status);
	return err_set(e, ERR_REMOTE,
		       "%s %s: the bucket is in region %s, which is not reached at this endpoint "
		       "(%ld); set AWS_ENDPOINT_URL%s%s",
		       asked->verb, asked->shown, asked->region, r->status,
		       why->endpoint[0] ? " to https://" : "", why->endpoint);
}

int s3error_set(const struct download_reply *r, const struct s3_asked *asked, struct err *e)
{
	struct s3_error why;
	int64_t skew_s = download_clock_skew_s(r);
	const char *hint;
	char clock[96] = "";

	s3list_error(r->text.s, r->text.len, &why);
	if (why.code[0] == '\0')
		(void)snprintf(why.code, sizeof(why.code), "%s", code_of_status(r->status));
	if (strcmp(why.code, "NoSuchKey") == 0)
		return absent(r, asked, e);
	if (strcmp(why.code, "InvalidObjectState") == 0)
		return s3error_archive(r, asked, e);
	/* Others name their region in every error (MinIO). */
	if (r->status == 301 || r->status == 307 ||
	    strcmp(why.code, "AuthorizationHeaderMalformed") == 0)
		return elsewhere(r, asked, &why, e);
	if (skew_s)
		(void)snprintf(clock, sizeof(clock),
			       "; this machine's clock is %" PRId64 " s %s the server's",
			       skew_s < 0 ? -skew_s : skew_s, skew_s < 0 ? "behind" : "ahead of");
	hint = advice_for(why.code);
	if (hint)
		return err_set(e, ERR_REMOTE, "%s %s: %s (%ld); %s%s", asked->verb, asked->shown,
			       why.code, r->status, hint, clock);
	return err_set(e, ERR_REMOTE, "%s %s: the server answers %ld %s%s%s%s", asked->verb,
		       asked->shown, r->status, why.code, why.message[0] ? ": " : "", why.message,
		       clock);
}

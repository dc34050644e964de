#include "lib/storage/azure_error.h"

#include "lib/base/shellword.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/storage/uri.h"
#include "lib/storage/xmlread.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TEXT_MAX = 4 * 1024, SAID_MAX = 300 };

static const struct {
	const char *code;
	const char *way_out;
} advice[] = {
	{ "ContainerNotFound", "there is no such container; are its name and the account right?" },
	{ "AuthenticationFailed",
	  "the key or the SAS is wrong, or the SAS has expired; see AZURE_STORAGE_KEY and "
	  "AZURE_STORAGE_SAS_TOKEN" },
	{ "AuthorizationFailure",
	  "the key or the SAS is wrong, the SAS lacks the right to read and list (sp=rl), or a "
	  "firewall rule of the account refuses this machine" },
	{ "AuthorizationPermissionMismatch", "the SAS lacks the right to read and list (sp=rl)" },
	{ "AuthorizationResourceTypeMismatch", "the SAS is not for containers and blobs (srt=co)" },
	{ "NoAuthenticationInformation",
	  "what is not public needs a right: set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or "
	  "AZURE_STORAGE_CONNECTION_STRING" },
	{ "AccountIsDisabled", "the account is disabled" },
	{ "KeyBasedAuthenticationNotPermitted",
	  "the account takes no shared key; use a SAS made with a user's delegation" },
	{ "ConditionNotMet", "it was replaced meanwhile; run it again" },
	{ "ServerBusy", "the server is overloaded; try again later" },
};

static const char *advice_for(const char *code)
{
	for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		if (strcmp(advice[i].code, code) == 0)
			return advice[i].way_out;
	return NULL;
}

/* The header has it also in answers to HEAD, which have no body. */
static void find_code(const struct download_reply *r, struct buf *out)
{
	const char *code = download_mark(r, "x-ms-error-code");

	if (code)
		text_safe(out, code);
	else if (!xmlread_first(r->text.s, r->text.len, "Code", out) && r->status == 404)
		buf_adds(out, "BlobNotFound");
	if (out->len == 0 && r->status == 412)
		buf_adds(out, "ConditionNotMet");
	if (out->len == 0 && r->status == 403)
		buf_adds(out, "AuthenticationFailed");
}

bool azure_error_archived(const struct download_reply *r)
{
	const char *tier = download_mark(r, "x-ms-access-tier");

	return tier && strcmp(tier, "Archive") == 0;
}

static int archived(const struct download_reply *r, const struct azure_asked *asked,
		    const char *code, struct err *e)
{
	const char *status = download_mark(r, "x-ms-archive-status");
	BUF_AUTO command = BUF_INIT(TEXT_MAX);

	if (strcmp(code, "BlobBeingRehydrated") == 0 ||
	    (status && strncmp(status, "rehydrate-pending", 17) == 0))
		return err_set(
			e, ERR_REMOTE,
			"%s %s: it is coming out of the archive tier, which takes hours; try "
			"again then",
			asked->verb, asked->shown);
	buf_addf(&command, "az storage blob set-tier --account-name %s --container-name %s --name ",
		 asked->account->name, asked->account->container);
	shellword_add(&command, asked->blob);
	buf_adds(&command, " --tier Hot --rehydrate-priority Standard");
	return err_set(e, ERR_REMOTE,
		       "%s %s: it is in the archive tier (BlobArchived); bring it out first: %s",
		       asked->verb, asked->shown, command.s);
}

/* What the service adds for people: "Signature not valid in the specified time frame ...". */
static void find_detail(const struct download_reply *r, struct buf *out)
{
	BUF_AUTO detail = BUF_INIT(TEXT_MAX);

	if (!xmlread_first(r->text.s, r->text.len, "AuthenticationErrorDetail", &detail))
		return;
	detail.s[strcspn(detail.s, "\r\n")] = '\0';
	/* Beyond that it repeats the text that was signed. */
	if (strlen(detail.s) < SAID_MAX && strstr(detail.s, "string to sign") == NULL) {
		buf_adds(out, "; it says: ");
		text_safe(out, detail.s);
	}
}

/* A SAS says itself until when it holds. */
static void find_end(const char *sas, struct buf *out)
{
	BUF_AUTO end = BUF_INIT(TEXT_MAX);
	const char *se = strncmp(sas, "se=", 3) == 0 ? sas : strstr(sas, "&se=");
	int64_t at_ms;

	if (se == NULL)
		return;
	se = strchr(se, '=') + 1;
	if (uri_decode(&end, se, strcspn(se, "&"), false) && utc_parse(end.s, &at_ms) &&
	    at_ms / 1000 < (int64_t)time(NULL))
		buf_addf(out, "; the SAS expired at %s", end.s);
}

int azure_error_set(const struct download_reply *r, const struct azure_asked *asked, struct err *e)
{
	BUF_AUTO code = BUF_INIT(TEXT_MAX);
	BUF_AUTO more = BUF_INIT(TEXT_MAX);
	int64_t skew_s = download_clock_skew_s(r);
	const char *hint;

	find_code(r, &code);
	if (strcmp(code.s, "BlobNotFound") == 0 && asked->blob)
		return err_set(e, ERR_BACKUP, "%s %s: there is no such blob (404)", asked->verb,
			       asked->shown);
	if (strcmp(code.s, "BlobArchived") == 0 || strcmp(code.s, "BlobBeingRehydrated") == 0 ||
	    (r->status == 200 && azure_error_archived(r)))
		return archived(r, asked, code.s, e);
	find_detail(r, &more);
	if (r->status == 403 && asked->account->sas)
		find_end(asked->account->sas, &more);
	if (skew_s)
		buf_addf(&more,
			 "; this machine's clock is %" PRId64 " s %s the server's: set it by NTP",
			 skew_s < 0 ? -skew_s : skew_s, skew_s < 0 ? "behind" : "ahead of");
	hint = advice_for(code.s);
	/* Whoever comes without a right is told so in many ways. */
	if (asked->account->key == NULL && asked->account->sas == NULL && r->status < 500)
		hint = advice_for("NoAuthenticationInformation");
	if (hint)
		return err_set(e, ERR_REMOTE, "%s %s: %s (%ld); %s%s", asked->verb, asked->shown,
			       code.s, r->status, hint, more.s);
	return err_set(e, ERR_REMOTE, "%s %s: the server answers %ld %s%s", asked->verb,
		       asked->shown, r->status, code.s, more.s);
}

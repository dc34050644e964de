#include "lib/storage/awskey.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *s)
{
	return s && s[0] ? xstrdup(s) : NULL;
}

void awskey_copy(struct awskey *to, const struct awskey *from)
{
	*to = (struct awskey){ copy(from->id), copy(from->secret), copy(from->token),
			       from->expires_ms };
}

static void wipe(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void awskey_free(struct awskey *k)
{
	wipe(&k->id);
	wipe(&k->secret);
	wipe(&k->token);
	k->expires_ms = -1;
}

static int take(struct awskey *k, const json_t *o, const char *token_name, struct err *e)
{
	const json_t *version = json_object_get(o, "Version");
	const char *expires = json_string_value(json_object_get(o, "Expiration"));

	if (version && json_integer_value(version) != 1)
		return err_set(e, ERR_REMOTE, "the keys come as another Version than 1");
	if (expires && !utc_parse(expires, &k->expires_ms))
		return err_set(e, ERR_REMOTE, "the keys' Expiration is no time");
	k->id = copy(json_string_value(json_object_get(o, "AccessKeyId")));
	k->secret = copy(json_string_value(json_object_get(o, "SecretAccessKey")));
	k->token = copy(json_string_value(json_object_get(o, token_name)));
	if (k->id && k->secret)
		return 0;
	return err_set(e, ERR_REMOTE, "there is no AccessKeyId and SecretAccessKey in the answer");
}

int awskey_from_json(struct awskey *k, const char *text, size_t n, const char *token_name,
		     struct err *e)
{
	json_t *o = json_loadb(text, n, 0, NULL);
	int rc;

	*k = (struct awskey){ .expires_ms = -1 };
	if (json_is_object(o))
		rc = take(k, o, token_name, e);
	else
		rc = err_set(e, ERR_REMOTE, "the answer is no JSON object");
	json_decref(o);
	if (rc < 0)
		awskey_free(k);
	return rc;
}

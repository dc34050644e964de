#include "lib/storage/azure_account.h"

#include "lib/base/xmem.h"
#include "lib/net/loopback.h"
#include "lib/storage/uri.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 16 * 1024 };

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] ? v : NULL;
}

static void wipe(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void azure_account_free(struct azure_account *a)
{
	free(a->name);
	free(a->endpoint);
	free(a->container);
	free(a->prefix);
	wipe(&a->key);
	wipe(&a->sas);
	*a = (struct azure_account){ 0 };
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void azure_account_copy(struct azure_account *to, const struct azure_account *from)
{
	*to = (struct azure_account){ .name = copy(from->name),
				      .endpoint = copy(from->endpoint),
				      .key = copy(from->key),
				      .sas = copy(from->sas),
				      .container = copy(from->container),
				      .prefix = copy(from->prefix) };
}

/* --- the source ----------------------------------------------------------------------------- */

static bool ends_with(const char *s, size_t n, const char *end)
{
	size_t m = strlen(end);

	return n >= m && strncasecmp(s + n - m, end, m) == 0;
}

/* A SAS says what it is for in "sr": b and its like are one blob. */
static bool for_one_blob(const char *query)
{
	for (const char *p = query; p; p = strchr(p, '&')) {
		p += p[0] == '&' || p[0] == '?';
		if (strncmp(p, "sr=b", 4) == 0)
			return true;
	}
	return false;
}

bool azure_account_claims(const char *source)
{
	static const char *const clouds[] = { ".blob.core.windows.net",
					      ".blob.core.usgovcloudapi.net",
					      ".blob.core.chinacloudapi.cn" };
	const char *host = source + uri_scheme(source) + strlen("://");
	const char *query = strchr(source, '?');
	size_t n = strcspn(host, "/:?#");

	if (strncasecmp(source, "azure:", 6) == 0)
		return true;
	if (query && for_one_blob(query))
		return false;
	for (size_t i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++)
		if (ends_with(host, n, clouds[i]))
			return true;
	return false;
}

static int no_container(const char *source, struct err *e)
{
	BUF_AUTO shown = BUF_INIT(TEXT_MAX);

	uri_shown(&shown, source);
	return err_set(e, ERR_USAGE,
		       "open %s: it names no container; write azure://ACCOUNT/CONTAINER/PREFIX",
		       shown.s);
}

static int take_source(struct azure_account *a, const char *source, struct err *e)
{
	const bool https = strncasecmp(source, "azure:", 6) != 0;
	const char *host = source + uri_scheme(source) + strlen("://");
	const size_t host_n = strcspn(host, https ? "/?#" : "/");
	const char *container = host + host_n + (host[host_n] == '/');
	const size_t container_n = strcspn(container, https ? "/?#" : "/");
	const char *prefix = container + container_n + (container[container_n] == '/');
	const size_t prefix_n = https ? strcspn(prefix, "?#") : strlen(prefix);
	BUF_AUTO decoded = BUF_INIT(TEXT_MAX);

	if (container_n == 0)
		return no_container(source, e);
	if (host_n > 0)
		a->name = xstrndup(host, https ? strcspn(host, ".") : host_n);
	a->container = xstrndup(container, container_n);
	if (https) {
		a->endpoint = xstrndup(source, (size_t)(host + host_n - source));
		if (!uri_decode(&decoded, prefix, prefix_n, false))
			return err_set(e, ERR_USAGE, "open %s: a broken %%-escape", a->endpoint);
		a->prefix = xstrdup(decoded.s);
		if (prefix[prefix_n] == '?')
			a->sas = xstrndup(prefix + prefix_n + 1,
					  strcspn(prefix + prefix_n + 1, "#"));
	} else {
		a->prefix = xstrndup(prefix, prefix_n);
	}
	return 0;
}

/* --- the environment ------------------------------------------------------------------------ */

/* The value of "Name=value" among those that ';' parts; NULL: not there. Owned by the caller. */
static char *word_of(const char *connection, const char *name)
{
	const size_t n = strlen(name);

	for (const char *p = connection; p && *p; p += strcspn(p, ";"), p += *p == ';')
		if (strncasecmp(p, name, n) == 0 && p[n] == '=')
			return xstrndup(p + n + 1, strcspn(p + n + 1, ";"));
	return NULL;
}

static char *find_endpoint(const struct azure_account *a, const char *connection)
{
	const char *named = env("AZURE_STORAGE_SERVICE_ENDPOINT");
	char *endpoint = named ? xstrdup(named) : word_of(connection, "BlobEndpoint");
	AUTO_FREE char *suffix = word_of(connection, "EndpointSuffix");
	AUTO_FREE char *protocol = word_of(connection, "DefaultEndpointsProtocol");
	size_t n;

	if (endpoint == NULL)
		endpoint = xasprintf("%s://%s.blob.%s", protocol ? protocol : "https", a->name,
				     suffix ? suffix : "core.windows.net");
	for (n = strlen(endpoint); n > 0 && endpoint[n - 1] == '/'; n--)
		endpoint[n - 1] = '\0';
	return endpoint;
}

static void take_right(struct azure_account *a, const char *connection)
{
	const char *key = env("AZURE_STORAGE_KEY"), *sas = env("AZURE_STORAGE_SAS_TOKEN");

	if (a->sas == NULL && key)
		a->key = xstrdup(key);
	else if (a->sas == NULL && sas)
		a->sas = xstrdup(sas + (sas[0] == '?'));
	else if (a->sas == NULL) {
		a->key = word_of(connection, "AccountKey");
		a->sas = a->key ? NULL : word_of(connection, "SharedAccessSignature");
	}
}

/* The right that the variables give is to one account. */
static int take_environment(struct azure_account *a, struct err *e)
{
	const char *connection = env("AZURE_STORAGE_CONNECTION_STRING");
	const char *named = env("AZURE_STORAGE_ACCOUNT");
	AUTO_FREE char *theirs = named ? xstrdup(named) : word_of(connection, "AccountName");

	if (a->sas == NULL && a->name && theirs && strcmp(a->name, theirs) != 0)
		return err_set(e, ERR_USAGE,
			       "the source is in the account '%s', the AZURE_STORAGE_ variables "
			       "are for '%s'",
			       a->name, theirs);
	if (a->name == NULL)
		a->name = copy(theirs);
	if (a->name == NULL)
		return err_set(e, ERR_USAGE,
			       "it names no account, nor does AZURE_STORAGE_ACCOUNT; write "
			       "azure://ACCOUNT/CONTAINER/PREFIX");
	if (a->endpoint == NULL)
		a->endpoint = find_endpoint(a, connection);
	take_right(a, connection);
	return 0;
}

static int check(const struct azure_account *a, struct err *e)
{
	const size_t scheme = uri_scheme(a->endpoint);

	if (scheme == 0 || strncasecmp(a->endpoint, "http", 4) != 0 || strchr(a->endpoint, '?'))
		return err_set(e, ERR_USAGE,
			       "the endpoint is no http or https URL; see "
			       "AZURE_STORAGE_SERVICE_ENDPOINT");
	if (a->sas && scheme == 4 && !loopback_url(a->endpoint))
		return err_set(e, ERR_USAGE,
			       "the SAS would go in clear text; write the endpoint with https");
	return 0;
}

int azure_account_load(struct azure_account *a, const char *source, struct err *e)
{
	BUF_AUTO shown = BUF_INIT(TEXT_MAX);

	*a = (struct azure_account){ 0 };
	if (take_source(a, source, e) < 0)
		return -1;
	uri_shown(&shown, source);
	if (take_environment(a, e) < 0 || check(a, e) < 0)
		return err_wrap(e, "open %s", shown.s);
	return 0;
}

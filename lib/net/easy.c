#include "lib/net/easy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AGENT "backup-probes/" VERSION

static bool start_curl(void)
{
	static bool started;

	if (!started)
		started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	return started;
}

/* libcurl says only "problem with the CA cert" in the middle of a handshake; a file that is not
 * there is better said at once, by its name. */
static int check_ca_file(const char *ca_file, struct err *e)
{
	if (ca_file && access(ca_file, R_OK) < 0)
		return err_set(e, ERR_USAGE,
			       "read the CA file %s: %s; name a PEM file with --ca-file", ca_file,
			       strerror(errno));
	return 0;
}

static bool set_up(CURL *c, const char *protocols, const char *ca_file)
{
	return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOPROGRESS, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, AGENT) == CURLE_OK &&
	       (ca_file == NULL || curl_easy_setopt(c, CURLOPT_CAINFO, ca_file) == CURLE_OK);
}

CURL *easy_open(const char *protocols, const char *ca_file, struct err *e)
{
	CURL *c;

	if (check_ca_file(ca_file, e) < 0)
		return NULL;
	c = start_curl() ? curl_easy_init() : NULL;
	if (c && set_up(c, protocols, ca_file))
		return c;
	curl_easy_cleanup(c);
	(void)err_set(e, ERR_SYSTEM, "start libcurl: it refuses; is it older than 7.85.0?");
	return NULL;
}

const char *easy_where(const char *url, char out[EASY_WHERE_SIZE])
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;

	(void)snprintf(out, EASY_WHERE_SIZE, "the address");
	if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK && host[0]) {
		(void)curl_url_get(u, CURLUPART_PORT, &port, 0);
		(void)snprintf(out, EASY_WHERE_SIZE, "%s://%.250s%s%s", scheme, host,
			       port ? ":" : "", port ? port : "");
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return out;
}

enum fate easy_fate(CURLcode code)
{
	switch ((int)code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
	case CURLE_SSL_ENGINE_INITFAILED:
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_LOGIN_DENIED:
	case CURLE_ABORTED_BY_CALLBACK:
		return FATE_HELD;
	default:
		return FATE_LATER;
	}
}

#include "lib/net/loopback.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

bool loopback_url(const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL;
	bool yes = u &&
		   curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		   curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK && is_loopback(host);

	curl_free(host);
	curl_url_cleanup(u);
	return yes;
}

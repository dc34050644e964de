#ifndef LIB_NET_EASY_H
#define LIB_NET_EASY_H
/*
 * easy: what every libcurl handle starts from. Certificates and host names are always verified
 * (there is no switch to turn that off), an own CA file can be named, only the given protocols
 * are spoken, redirects are not followed, signals are left alone.
 *
 * URLs are secrets here: a webhook's address is its password. So no function puts more than a
 * URL's scheme, host and port into a message.
 */
#include "lib/base/err.h"
#include "lib/net/retry.h"

#include <curl/curl.h>
#include <stddef.h>

enum { EASY_WHERE_SIZE = 300 };

/* A handle, or NULL with *e. protocols as CURLOPT_PROTOCOLS_STR takes them ("http,https"); ca_file
 * NULL: the system's certificates. Release with curl_easy_cleanup(). */
CURL *easy_open(const char *protocols, const char *ca_file, struct err *e);

/* "https://host:port" of a URL, for messages; "the address" when it is no URL at all. Returns
 * out. */
const char *easy_where(const char *url, char out[EASY_WHERE_SIZE]);

/* FATE_HELD for errors that a second try cannot change, being ours, the address's or the
 * certificate's; FATE_LATER for all others. */
enum fate easy_fate(CURLcode code);
#endif

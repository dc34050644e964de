#include "lib/storage/uri.h"

#include <string.h>

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void uri_encode(struct buf *out, const char *s, bool keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (is_alpha(*s) || is_digit(*s) || strchr("-_.~", *s) ||
		    (keep_slash && *s == '/')) {
			buf_addc(out, *s);
		} else {
			buf_addc(out, '%');
			buf_addc(out, hex[c >> 4]);
			buf_addc(out, hex[c & 15]);
		}
	}
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool uri_decode(struct buf *out, const char *s, size_t n, bool plus)
{
	for (size_t i = 0; i < n; i++) {
		int high, low;
		unsigned char byte;

		if (s[i] != '%') {
			if (plus && s[i] == '+')
				buf_addc(out, ' ');
			else
				buf_addc(out, s[i]);
			continue;
		}
		if (n - i < 3)
			return false;
		high = hex_value(s[i + 1]);
		low = hex_value(s[i + 2]);
		if (high < 0 || low < 0 || high + low == 0)
			return false;
		byte = (unsigned char)(high * 16 + low);
		buf_add(out, &byte, 1);
		i += 2;
	}
	return true;
}

size_t uri_scheme(const char *s)
{
	size_t n = 0;

	if (!is_alpha(s[0]))
		return 0;
	while (is_alpha(s[n]) || is_digit(s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.')
		n++;
	return strncmp(s + n, "://", 3) == 0 ? n : 0;
}

void uri_shown(struct buf *out, const char *uri)
{
	size_t scheme = uri_scheme(uri);
	const char *host = uri + (scheme ? scheme + 3 : 0);
	size_t authority = strcspn(host, "/?#");
	const char *at = scheme ? memrchr(host, '@', authority) : NULL;

	buf_add(out, uri, (size_t)(host - uri));
	if (at) {
		authority -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	buf_add(out, host, authority + strcspn(host + authority, "?#"));
}

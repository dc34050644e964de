#include "lib/dump/base64.h"

#include <stdint.h>

static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ssize_t base64_decode(const char *p, size_t n, unsigned char *out, size_t size)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t made = 0, pad = 0;

	while (n > 0 && pad < 2 && n % 4 == (4 - pad) % 4 && p[n - 1] == '=') {
		pad++;
		n--;
	}
	if (n % 4 == 1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int v = value(p[i]);

		if (v < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (made == size)
			return -1;
		out[made++] = (unsigned char)(bits >> have);
	}
	/* What is left over of the last character must be nothing. */
	return (bits & ((1u << have) - 1)) == 0 ? (ssize_t)made : -1;
}

#include "lib/base/xmem.h"

#include "lib/base/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *xchecked(void *p)
{
	if (p == NULL) {
		(void)fputs("out of memory\n", stderr);
		exit(V_UNKNOWN);
	}
	return p;
}

void *xmalloc(size_t n)
{
	return xchecked(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return xchecked(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return xchecked(NULL);
	return xchecked(realloc(p, bytes ? bytes : 1));
}

char *xstrdup(const char *s)
{
	return xchecked(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return xchecked(strndup(s, n));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	s = xmalloc(n < 0 ? 1 : (size_t)n + 1);
	s[0] = '\0';
	if (n > 0)
		(void)vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void xfree_auto(void *pointer_to_pointer)
{
	void *p;

	memcpy(&p, pointer_to_pointer, sizeof(p));
	free(p);
}

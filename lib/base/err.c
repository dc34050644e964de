#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Macros while an analyzer reads the header. */
#undef err_set
#undef err_wrap

/* A message is one line: what a server or a file name brought along must not break it. */
static void one_line(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	e->kind = kind;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	one_line(e->msg);
	return -1;
}

/* Appends as much of s as fits. */
static void append(struct err *e, const char *s)
{
	size_t len = strlen(e->msg);
	size_t n = strnlen(s, sizeof(e->msg) - 1 - len);

	memcpy(e->msg + len, s, n);
	e->msg[len + n] = '\0';
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	const struct err below = *e;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	append(e, ": ");
	append(e, below.msg);
	one_line(e->msg);
	return -1;
}

enum verdict err_status(const struct err *e)
{
	return e->kind == ERR_BACKUP ? V_CRITICAL : V_UNKNOWN;
}

#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

int err_wrap(struct err *e, const char *fmt, ...)
{
	char below[sizeof(e->msg)];
	va_list ap;
	int n;

	(void)snprintf(below, sizeof(below), "%s", e->msg);
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->msg))
		(void)snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", below);
	one_line(e->msg);
	return -1;
}

enum verdict err_status(const struct err *e)
{
	return e->kind == ERR_BACKUP ? V_CRITICAL : V_UNKNOWN;
}

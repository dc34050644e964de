#ifndef LIB_BASE_STRV_H
#define LIB_BASE_STRV_H
/*
 * strv: a list of strings that it owns, NULL-terminated, so that .v can be handed to
 * execve(2) or PQconnectdbParams() as it is.
 */
#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **v; /* NULL while empty */
	size_t n;
};

void strv_add(struct strv *l, const char *s);
void strv_addf(struct strv *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strv_has(const struct strv *l, const char *s);
void strv_sort(struct strv *l);
void strv_free(struct strv *l);
#define STRV_AUTO __attribute__((cleanup(strv_free))) struct strv
#endif

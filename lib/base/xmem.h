#ifndef LIB_BASE_XMEM_H
#define LIB_BASE_XMEM_H
/*
 * xmem: allocation that cannot fail. A tool that is out of memory can do nothing better
 * than say so and exit 3 ("could not look"); the supervisor of restore-to-temp still
 * cleans up. Everything returned is the caller's to free().
 */
#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t n);
/* p, which somebody else allocated: never NULL either. */
void *xchecked(void *p);
void *xcalloc(size_t n, size_t size);
/* Like reallocarray(3): n * size is checked. */
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* For __attribute__((cleanup)): frees what the variable points to. */
void xfree_auto(void *pointer_to_pointer);
#define AUTO_FREE __attribute__((cleanup(xfree_auto)))
#endif

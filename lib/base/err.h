#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H
/*
 * err: how a library function says why it failed.
 *
 * The library never prints and never exits (only xmem does, when memory is out): it
 * fills a struct err and returns -1 or NULL. The caller decides what the failure means;
 * err_status() gives the usual answer.
 *
 * Grammar of a message: "verb object: reason; way out" - lower case, no full stop, one
 * line, naming the file, host or option. Control bytes are replaced when it is set.
 */
#include "lib/base/verdict.h"

enum err_kind {
	ERR_NONE,
	ERR_USAGE,  /* the call's words are wrong: option, operand, configuration */
	ERR_SYSTEM, /* this machine would not: file, memory, disk space, missing program */
	ERR_REMOTE, /* the other side would not: network, credentials, a server's refusal */
	ERR_BACKUP, /* we looked, and the backup itself is bad */
};

struct err {
	enum err_kind kind;
	char msg[1024];
};

/* Fills *e and returns -1, so that callers can write: return err_set(...). */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before a message that came from below; returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ERR_BACKUP is critical, everything else unknown: "could not look" is no verdict. */
enum verdict err_status(const struct err *e);

#ifdef __clang_analyzer__
/* It sees one file at a time, so it does not know that these are always -1. */
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_wrap(...) (err_wrap(__VA_ARGS__), -1)
#endif
#endif

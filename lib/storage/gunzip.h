#ifndef LIB_STORAGE_GUNZIP_H
#define LIB_STORAGE_GUNZIP_H
/*
 * gunzip: a document that something on the way has compressed (RFC 1952), though nobody asked for
 * that. Objects are never unpacked: their bytes are what was stored.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Unpacks *text in place where it is gzip; its ceiling holds for what comes out. */
int gunzip_text(struct buf *text, struct err *e);
#endif

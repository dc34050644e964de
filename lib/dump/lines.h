#ifndef LIB_DUMP_LINES_H
#define LIB_DUMP_LINES_H
/*
 * lines: counts the line ends of COPY text at the speed of memory, however short the lines are:
 * with lines of a dozen bytes some ten times as fast as memchr(3) from one to the next. In vectors
 * of the processor at hand: 16 bytes, 32 with AVX2.
 */
#include <stddef.h>
#include <stdint.h>

enum { LINES_BLOCK = 2048 };

/* How many of the n bytes, in whole blocks from the first, hold neither a NUL byte nor a line end
 * with "\." behind it; the line ends in them are added to *lines. 0 also when n is too small for a
 * block: such a rest, and a block with one of these, is for the caller to look at. */
size_t lines_plain(const char *p, size_t n, uint64_t *lines);

/* The line ends in all of them. */
uint64_t lines_count(const char *p, size_t n);
#endif

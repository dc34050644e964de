#ifndef LIB_BASE_NUM_H
#define LIB_BASE_NUM_H
/*
 * num: strict text-to-number, for options and for numbers in foreign text. No blanks, no
 * empty string, no sign where none is meant, no silent wrap. A refusal is ERR_USAGE and
 * says what would have been accepted.
 */
#include "lib/base/err.h"

#include <stdint.h>

int num_u64(const char *s, uint64_t lo, uint64_t hi, uint64_t *out, struct err *e);
int num_i64(const char *s, int64_t lo, int64_t hi, int64_t *out, struct err *e);

/* Bytes: "1048576", "18.2GB" (1000), "512MiB" (1024); B kB KB MB GB TB PB, KiB ... PiB. */
int num_size(const char *s, uint64_t *out, struct err *e);

/* Seconds: "90", "90s", "15m", "26h", "7d", "2w"; fractions where they come out whole. */
int num_duration(const char *s, uint64_t *out, struct err *e);

/* A share: "20%" is 0.2. The sign of percent is needed, so that 20 and 0.2 cannot be mixed up. */
int num_share(const char *s, double *out, struct err *e);
#endif

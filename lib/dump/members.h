#ifndef LIB_DUMP_MEMBERS_H
#define LIB_DUMP_MEMBERS_H
/*
 * members: where the members of a compressed file end, without unpacking them, so that several can
 * be unpacked at the same time.
 *
 * zstd frames (RFC 8878, 3.1.1: each block tells its length; pzstd and concatenation make several),
 * lz4 frames (LZ4 Frame Format 1.6, the same), and gzip members that tell their length in an extra
 * field (BGZF, SAM specification 4.1: bgzip). Of other gzip members nobody knows the end before
 * having unpacked them, pigz's and concatenated ones included.
 */
#include <stdbool.h>
#include <stdint.h>

/* It is not looked for further than this: such a member keeps one processor busy for long. */
#define MEMBER_MAX_B ((uint64_t)64 << 20)

struct member {
	uint64_t end_b;    /* the first byte behind it */
	uint64_t window_b; /* what unpacking it takes in memory, about */
};

/* The member of this codec ("zstd", ...; codec.h) at at_b. False: there is none, it is damaged or
 * cut, or it does not tell where it ends. */
bool member_at(int fd, const char *codec, uint64_t at_b, struct member *m);
#endif

#ifndef LIB_DUMP_CODEC_H
#define LIB_DUMP_CODEC_H
/*
 * codec: what lib/dump/stream.c asks of a compression library, one adapter for each format
 * (codec_*.c). Only the stream uses this; everybody else uses the stream.
 *
 * A compressed file is a sequence of members (gzip members, zstd and lz4 frames, xz and bzip2
 * streams). An adapter decodes one member at a time and verifies what the format lets it verify
 * (CRC, length); the stream finds the borders, padding, garbage and the end of the file.
 */
#include <stdbool.h>
#include <stddef.h>

/* Both windows shrink from the front as bytes are taken and made. */
struct codec_io {
	const unsigned char *in;
	size_t in_n;
	unsigned char *out;
	size_t out_n;
};

enum codec_step {
	CODEC_MORE,    /* wants more input, or more room */
	CODEC_END,     /* the member is whole and verified */
	CODEC_DAMAGED, /* the data contradicts itself */
	CODEC_FAILED,  /* this machine cannot: memory */
};

/* The most bytes that any begins() looks at. */
enum { CODEC_MAGIC = 10 };

struct codec {
	const char *name;
	/* Does a member begin here? NULL: cannot be told by content (zlib). */
	bool (*begins)(const unsigned char *p, size_t n);
	/* Zero bytes after the last member are padding (gzip on tapes, xz to a multiple of 4). */
	bool may_be_padded;
	void *(*open)(void); /* NULL: out of memory */
	/* Ready for the next member; false: out of memory. */
	bool (*restart)(void *state);
	/* *why is set with CODEC_DAMAGED and CODEC_FAILED, to text that outlives the state. */
	enum codec_step (*step)(void *state, struct codec_io *io, const char **why);
	void (*close)(void *state);
};

extern const struct codec codec_gzip;  /* RFC 1952 */
extern const struct codec codec_zlib;  /* RFC 1950: the blocks of a custom-format archive */
extern const struct codec codec_zstd;  /* RFC 8878, windows up to 2 GiB, skippable frames */
extern const struct codec codec_lz4;   /* LZ4 Frame Format 1.6 */
extern const struct codec codec_xz;    /* The .xz File Format 1.1 */
extern const struct codec codec_bzip2; /* bzip2 1.0 */
#endif

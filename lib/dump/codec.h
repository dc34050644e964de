#ifndef LIB_DUMP_CODEC_H
#define LIB_DUMP_CODEC_H
/*
 * codec: what lib/dump/stream.c asks of a format of compression or encryption, one adapter for each
 * (codec_*.c). Only the stream uses this; everybody else uses the stream.
 *
 * A compressed file is a sequence of members (gzip members, zstd and lz4 frames, xz and bzip2
 * streams). An adapter decodes one member at a time and verifies what the format lets it verify
 * (CRC, length); the stream finds the borders, padding, garbage and the end of the file.
 *
 * An encrypted file is one member that ends with the input. Keys come from outside.
 */
#include "lib/dump/keys.h"

#include <stdbool.h>
#include <stddef.h>

/* Both windows shrink from the front as bytes are taken and made. An adapter that neither takes nor
 * makes anything asks for a longer input window; it may grow to CODEC_WINDOW. */
struct codec_io {
	const unsigned char *in;
	size_t in_n;
	unsigned char *out;
	size_t out_n;
	bool in_ends; /* nothing follows what is in the window */
};
enum { CODEC_WINDOW = 256 * 1024 };

enum codec_step {
	CODEC_MORE,    /* wants more input, or more room */
	CODEC_END,     /* the member is whole and verified */
	CODEC_DAMAGED, /* the data contradicts itself */
	CODEC_CUT,     /* it ends too early; a layer that gets no further at the end is that too */
	CODEC_LOCKED,  /* not with these keys */
	CODEC_FAILED,  /* this machine cannot: memory, a missing program */
};

/* The most bytes that any begins() looks at. */
enum { CODEC_MAGIC = 48 };

enum codec_kind {
	CODEC_COMPRESSION,
	CODEC_ENCRYPTION,
	CODEC_ARMOR, /* an encrypted file as text */
};

struct codec {
	const char *name;
	enum codec_kind kind;
	/* Does a member begin here? NULL: cannot be told by content (zlib). */
	bool (*begins)(const unsigned char *p, size_t n);
	/* Zero bytes after the last member are padding (gzip on tapes, xz to a multiple of 4). */
	bool may_be_padded;
	/* NULL: out of memory. keys are borrowed until close(); not for compression, which gets
	 * NULL. */
	void *(*open)(const struct keys *keys);
	/* Ready for the next member; false: out of memory. NULL: there is but one. */
	bool (*restart)(void *state);
	/* *why is set with all but CODEC_MORE and CODEC_END, to text that lives as long as the
	 * state. */
	enum codec_step (*step)(void *state, struct codec_io *io, const char **why);
	void (*close)(void *state);
	/* What the format does not let anybody verify; NULL: nothing. */
	const char *doubt;
};

/* Who decodes what begins like this, or what is called so; NULL: nobody. */
const struct codec *codec_recognise(const unsigned char *p, size_t n);
const struct codec *codec_by_name(const char *name);

extern const struct codec codec_gzip;  /* RFC 1952 */
extern const struct codec codec_zlib;  /* RFC 1950: the blocks of a custom-format archive */
extern const struct codec codec_zstd;  /* RFC 8878, windows up to 2 GiB, skippable frames */
extern const struct codec codec_lz4;   /* LZ4 Frame Format 1.6 */
extern const struct codec codec_xz;    /* The .xz File Format 1.1 */
extern const struct codec codec_bzip2; /* bzip2 1.0 */

#ifdef HAVE_ISAL
/* By ISA-L, where it is installed: three times as fast. */
extern const struct codec codec_gzip_isal;
extern const struct codec codec_zlib_isal;
#endif
bool codec_gzip_begins(const unsigned char *p, size_t n);

extern const struct codec codec_age;            /* age-encryption.org/v1 */
extern const struct codec codec_age_armor;      /* ... between lines of dashes */
extern const struct codec codec_openssl;        /* openssl-enc(1): "Salted__" */
extern const struct codec codec_openssl_base64; /* ... with -base64 */
extern const struct codec codec_gpg;            /* RFC 9580 (4880), binary or armored */
#endif

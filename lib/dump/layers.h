#ifndef LIB_DUMP_LAYERS_H
#define LIB_DUMP_LAYERS_H
/*
 * layers: the inside of a stream (stream.h): the source at the bottom, on it one layer for each
 * compression or encryption, each with a buffer of what it has made and the next one has not taken
 * yet.
 *
 * Only stream.c uses this. A function that fails has filled .failed, and nothing works any more.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/dump/codec.h"
#include "lib/dump/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct layer {
	const struct codec *codec; /* NULL: the source itself */
	void *state;
	struct layer *below;
	unsigned char *buf; /* what is not taken yet is [pos, len) */
	size_t pos, len;
	uint64_t out_b;   /* made so far */
	uint64_t taken_b; /* of the layer below, by this one */
	uint64_t padding_b;
	bool in_member;
	bool ended;
};

struct layers {
	struct stream_source source;
	struct layer v[STREAM_DEPTH + 1]; /* from the source upwards */
	struct layer *top;
	char *name; /* for messages, owned */
	uint64_t max_out_b, max_ratio;
	uint64_t at_b; /* of the source in its file */
	const char *packed;
	const struct keys *keys;
	int64_t decrypt_ns;
	struct buf note;
	struct err failed;
};

void layers_init(struct layers *s, const char *name);
void layers_free(struct layers *s);

/* Puts decoders on top: by content until nothing looks compressed, or the one of that name. */
int layers_push_by_content(struct layers *s);
int layers_push_by_name(struct layers *s, const char *name);

/* At least n bytes in the layer's buffer, unless it ends before. */
int layers_want(struct layers *s, struct layer *l, size_t n);
#endif

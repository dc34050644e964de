#include "lib/storage/gunzip.h"

#include <string.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, CHUNK = 64 * 1024 };

static int inflate_all(z_stream *z, struct buf *out, struct err *e)
{
	unsigned char chunk[CHUNK];
	int rc = Z_OK;

	while (rc == Z_OK && !out->full) {
		z->next_out = chunk;
		z->avail_out = sizeof(chunk);
		rc = inflate(z, Z_NO_FLUSH);
		buf_add(out, chunk, sizeof(chunk) - z->avail_out);
	}
	if (out->full)
		return err_set(e, ERR_REMOTE, "the answer is longer than %zu bytes", out->max);
	return rc == Z_STREAM_END ? 0 : err_set(e, ERR_REMOTE, "the answer is damaged gzip");
}

int gunzip_text(struct buf *text, struct err *e)
{
	struct buf out = BUF_INIT(text->max);
	z_stream z = { 0 };
	int rc;

	if (text->len < 2 || memcmp(text->s, "\x1f\x8b", 2) != 0)
		return 0;
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return err_set(e, ERR_SYSTEM, "start zlib: it refuses");
	z.next_in = (unsigned char *)text->s;
	z.avail_in = (unsigned)text->len;
	rc = inflate_all(&z, &out, e);
	(void)inflateEnd(&z);
	if (rc < 0) {
		buf_free(&out);
		return -1;
	}
	buf_free(text);
	*text = out;
	return 0;
}

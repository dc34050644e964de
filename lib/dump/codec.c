#include "lib/dump/codec.h"

#include <string.h>

/* The surest signs first. */
static const struct codec *const codecs[] = {
#ifdef HAVE_ISAL
	&codec_gzip_isal, &codec_zlib_isal,
#else
	&codec_gzip, &codec_zlib,
#endif
	&codec_zstd,      &codec_lz4,       &codec_xz,      &codec_bzip2,
	&codec_age,       &codec_age_armor, &codec_openssl, &codec_openssl_base64,
	&codec_gpg,
};
enum { CODECS = sizeof(codecs) / sizeof(codecs[0]) };

const struct codec *codec_recognise(const unsigned char *p, size_t n)
{
	for (int i = 0; i < CODECS; i++)
		if (codecs[i]->begins && codecs[i]->begins(p, n))
			return codecs[i];
	return NULL;
}

const struct codec *codec_by_name(const char *name)
{
	for (int i = 0; i < CODECS; i++)
		if (strcmp(codecs[i]->name, name) == 0)
			return codecs[i];
	return NULL;
}

#include "lib/dump/encoding.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MAX_B = 32 };

static const struct {
	const char *name;
	enum encoding_kind kind;
} clients_only[] = {
	{ "sjis", ENCODING_SJIS },        { "shiftjis", ENCODING_SJIS },
	{ "mskanji", ENCODING_SJIS },     { "win932", ENCODING_SJIS },
	{ "windows932", ENCODING_SJIS },  { "shiftjis2004", ENCODING_SJIS },
	{ "big5", ENCODING_PAIRS },       { "win950", ENCODING_PAIRS },
	{ "windows950", ENCODING_PAIRS }, { "gbk", ENCODING_PAIRS },
	{ "win936", ENCODING_PAIRS },     { "windows936", ENCODING_PAIRS },
	{ "uhc", ENCODING_PAIRS },        { "win949", ENCODING_PAIRS },
	{ "windows949", ENCODING_PAIRS }, { "gb18030", ENCODING_PAIRS },
	{ "johab", ENCODING_UNREADABLE },
};

enum encoding_kind encoding_of(const char *name)
{
	char plain[NAME_MAX_B];
	size_t n = 0;

	for (const char *p = name; *p && n + 1 < sizeof(plain); p++)
		if (isalnum((unsigned char)*p))
			plain[n++] = (char)tolower((unsigned char)*p);
	plain[n] = '\0';
	for (size_t i = 0; i < sizeof(clients_only) / sizeof(clients_only[0]); i++)
		if (strcmp(plain, clients_only[i].name) == 0)
			return clients_only[i].kind;
	return ENCODING_SERVER;
}

size_t encoding_step(enum encoding_kind kind, char first)
{
	unsigned char c = (unsigned char)first;

	if (c < 0x80 || kind == ENCODING_SERVER)
		return 1;
	return kind == ENCODING_SJIS && c >= 0xa1 && c <= 0xdf ? 1 : 2;
}

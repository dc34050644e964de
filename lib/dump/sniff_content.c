#include "lib/dump/sniff_content.h"

#include "lib/base/utc.h"
#include "lib/dump/codec.h"
#include "lib/dump/tar.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct text {
	const char *p;
	size_t n;
};

void sniff_quote(char *out, size_t size, const void *p, size_t n)
{
	const char *s = p;

	if (n > size - 1)
		n = size - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = s[i] >= ' ' && s[i] <= '~' ? s[i] : '?';
	out[n] = '\0';
}

static bool begins(struct text t, const char *s)
{
	return t.n >= strlen(s) && memcmp(t.p, s, strlen(s)) == 0;
}

static bool begins_nocase(struct text t, const char *s)
{
	return t.n >= strlen(s) && strncasecmp(t.p, s, strlen(s)) == 0;
}

static struct text from(struct text t, size_t k)
{
	if (k > t.n)
		k = t.n;
	return (struct text){ t.p + k, t.n - k };
}

static struct text find(struct text t, const char *s)
{
	const char *p = memmem(t.p, t.n, s, strlen(s));

	return p ? from(t, (size_t)(p - t.p)) : (struct text){ NULL, 0 };
}

static struct text skip_blanks(struct text t)
{
	while (t.n && isspace((unsigned char)t.p[0]))
		t = from(t, 1);
	return t;
}

/* The line that t begins with, without its end; *rest is what follows. */
static struct text line(struct text t, struct text *rest)
{
	const char *nl = memchr(t.p, '\n', t.n);
	size_t n = nl ? (size_t)(nl - t.p) : t.n;

	*rest = from(t, n + 1);
	while (n && t.p[n - 1] == '\r')
		n--;
	return (struct text){ t.p, n };
}

/* First bytes that tell by themselves. */
static const struct {
	const char *bytes;
	unsigned char n;
	enum dump_kind kind;
	const char *detail;
} magics[] = {
	{ "\x6d\xe2\x99\x81", 4, DUMP_MONGO, "mongodump" },
	{ "PK\x03\x04", 4, DUMP_CONTAINER, "zip" },
	{ "7z\xbc\xaf\x27\x1c", 6, DUMP_CONTAINER, "7z" },
	{ "Rar!\x1a\x07", 6, DUMP_CONTAINER, "rar" },
	{ "\x1f\x9d", 2, DUMP_CONTAINER, "compress (.Z)" },
	{ "\xff\xfe", 2, DUMP_TEXT, "text in UTF-16, as PowerShell's > writes it" },
	{ "\xfe\xff", 2, DUMP_TEXT, "text in UTF-16" },
	{ "-- MySQL dump", 13, DUMP_MYSQL, "mysqldump" },
	{ "-- MariaDB dump", 15, DUMP_MYSQL, "mariadb-dump" },
	{ "/*M!999999", 10, DUMP_MYSQL, "mariadb-dump" },
};

/* What no key was given for. */
static bool by_encryption(struct text t, struct sniffed *out)
{
	const struct codec *c = codec_recognise((const unsigned char *)t.p, t.n);

	if (c == NULL || c->kind == CODEC_COMPRESSION)
		return false;
	out->kind = DUMP_ENCRYPTED;
	(void)snprintf(out->encryption, sizeof(out->encryption), "%s", c->name);
	return true;
}

static bool by_magic(struct text t, struct sniffed *out)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (t.n < magics[i].n || memcmp(t.p, magics[i].bytes, magics[i].n) != 0)
			continue;
		out->kind = magics[i].kind;
		sniff_quote(out->detail, sizeof(out->detail), magics[i].detail,
			    strlen(magics[i].detail));
		return true;
	}
	return false;
}

/* The text of the first element of that name: <Code>AccessDenied</Code>. */
static struct text element(struct text t, const char *open, const char *close)
{
	struct text a = find(t, open), b;

	if (a.p == NULL)
		return a;
	a = from(a, strlen(open));
	b = find(a, close);
	return (struct text){ a.p, b.p ? (size_t)(b.p - a.p) : a.n };
}

static bool by_markup(struct text t, struct sniffed *out)
{
	struct text said;

	if (!begins(t, "<"))
		return false;
	if (find(t, "<mysqldump").p) {
		out->kind = DUMP_MYSQL;
		(void)snprintf(out->detail, sizeof(out->detail), "mysqldump --xml");
		return true;
	}
	out->kind = DUMP_XML;
	said = element(t, "<Code>", "</Code>");
	if (begins_nocase(t, "<!doctype html") || begins_nocase(t, "<html") || find(t, "<html").p) {
		out->kind = DUMP_HTML;
		said = element(t, "<title>", "</title>");
	}
	if (said.p == NULL)
		(void)line(t, &said), said = line(t, &said);
	sniff_quote(out->detail, sizeof(out->detail), said.p, said.n);
	return true;
}

/* "15.20 (Debian 15.20-0+deb12u1)" is 15.20. */
static void version(char *out, size_t size, struct text t)
{
	size_t n = 0;

	while (n < t.n && !isspace((unsigned char)t.p[n]))
		n++;
	sniff_quote(out, size, t.p, n);
}

/* What pg_dump writes into the comments and settings at the head of a script. */
static void header_line(struct text t, struct sniffed *out)
{
	static const char from_server[] = "-- Dumped from database version ";
	static const char by[] = "-- Dumped by pg_dump version ";
	static const char started[] = "-- Started on ";
	static const char encoding[] = "SET client_encoding = '";
	char when[21];

	if (begins(t, from_server)) {
		version(out->server_version, sizeof(out->server_version),
			from(t, strlen(from_server)));
	} else if (begins(t, by)) {
		version(out->dump_version, sizeof(out->dump_version), from(t, strlen(by)));
	} else if (begins(t, started) && t.n >= strlen(started) + 19) {
		(void)snprintf(when, sizeof(when), "%.19sZ", t.p + strlen(started));
		if (!utc_parse(when, &out->local_ms))
			out->local_ms = -1;
	} else if (begins(t, encoding) && out->encoding[0] == '\0') {
		t = from(t, strlen(encoding));
		sniff_quote(out->encoding, sizeof(out->encoding), t.p, t.n >= 2 ? t.n - 2 : 0);
	} else if (begins(t, "\\connect ") && out->kind == DUMP_SQL) {
		t = from(t, strlen("\\connect "));
		sniff_quote(out->database, sizeof(out->database), t.p, t.n);
	}
}

static bool by_header(struct text t, struct sniffed *out)
{
	enum { LINES = 60 };
	bool found = false;
	struct text l;

	for (int i = 0; i < LINES && t.n; i++) {
		l = line(t, &t);
		if (!found && begins(l, "-- PostgreSQL database cluster dump")) {
			out->kind = DUMP_CLUSTER;
			found = true;
		} else if (!found && begins(l, "-- PostgreSQL database dump")) {
			out->kind = DUMP_SQL;
			found = true;
		} else if (!found && l.n && !begins(l, "--")) {
			return false;
		}
		header_line(l, out);
	}
	return found;
}

/* What a script may begin with, once comments are over. */
static bool by_first_word(struct text t, struct sniffed *out)
{
	static const char *const words[] = {
		"SET",  "CREATE", "INSERT", "BEGIN",   "START",    "DROP",   "ALTER",  "SELECT",
		"COPY", "DO",     "GRANT",  "COMMENT", "TRUNCATE", "UPDATE", "DELETE",
	};
	struct text rest, l;
	size_t n;

	for (;;) {
		t = skip_blanks(t);
		if (begins(t, "/*")) {
			l = find(t, "*/");
			if (l.p == NULL)
				return false;
			t = from(l, 2);
		} else if (begins(t, "--") || begins(t, "\\")) {
			(void)line(t, &rest);
			t = rest;
		} else {
			break;
		}
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		n = strlen(words[i]);
		if (begins_nocase(t, words[i]) && t.n > n &&
		    (isspace((unsigned char)t.p[n]) || t.p[n] == ';')) {
			out->kind = DUMP_OTHER_SQL;
			return true;
		}
	}
	return false;
}

static bool is_binary(struct text t)
{
	size_t strange = 0;

	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.p[i];

		if (c == 0)
			return true;
		strange += c < ' ' && !isspace(c);
	}
	return strange * 50 > t.n;
}

static bool only_zeros(struct text t)
{
	return t.p[0] == 0 && (t.n == 1 || memcmp(t.p, t.p + 1, t.n - 1) == 0);
}

void sniff_content(const unsigned char *p, size_t n, struct sniffed *out)
{
	struct text t = { (const char *)p, n }, l;

	if (n == 0) {
		out->kind = DUMP_EMPTY;
		return;
	}
	if (by_encryption(t, out) || by_magic(t, out))
		return;
	if (begins(t, "\xef\xbb\xbf"))
		t = from(t, 3);
	l = skip_blanks(t);
	if (by_markup(l, out) || by_header(l, out) || by_encryption(l, out) || by_magic(l, out))
		return;
	if (is_binary(t)) {
		out->kind = DUMP_BINARY;
		if (only_zeros(t))
			(void)snprintf(out->detail, sizeof(out->detail), "only zero bytes");
		return;
	}
	if (l.n == 0) {
		out->kind = DUMP_EMPTY;
		return;
	}
	if (by_first_word(l, out))
		return;
	out->kind = DUMP_TEXT;
	l = line(l, &t);
	sniff_quote(out->detail, sizeof(out->detail), l.p, l.n);
}

static bool is_base_member(struct text name)
{
	static const char *const names[] = { "backup_label", "PG_VERSION", "backup_manifest",
					     "global/",      "pg_wal/",    "tablespace_map",
					     "base/",        "pg_xact/",   "base.tar" };

	if (begins(name, "./"))
		name = from(name, 2);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (begins(name, names[i]))
			return true;
	return false;
}

/* 3001.dat.gz, blob_16403.dat, blobs.toc, toc.dat: pg_backup_directory.c */
static bool is_directory_member(const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	size_t digits;

	if (strcmp(base, "toc.dat") == 0 || strncmp(base, "blobs", 5) == 0)
		return true;
	if (strncmp(base, "blob_", 5) == 0)
		base += 5;
	digits = strspn(base, "0123456789");
	base += digits;
	return digits > 0 && strncmp(base, ".dat", 4) == 0 && (base[4] == '\0' || base[4] == '.');
}

void sniff_tar(const unsigned char *p, size_t n, struct sniffed *out)
{
	struct tar_member m;
	size_t at = 0;

	out->kind = DUMP_BINARY;
	(void)snprintf(out->detail, sizeof(out->detail), "a tar archive of something else");
	while (at < n && tar_header(p + at, n - at, &m)) {
		size_t name_n = strlen(m.name);

		if (at == 0 && strcmp(m.name, "toc.dat") == 0)
			out->kind = DUMP_TAR;
		else if (m.type == '0' && is_directory_member(m.name))
			out->kind = DUMP_PACKED_DIRECTORY;
		else if (is_base_member((struct text){ m.name, name_n }))
			out->kind = DUMP_BASE_TAR;
		if (out->kind != DUMP_BINARY) {
			out->detail[0] = '\0';
			return;
		}
		if (m.size_b > n)
			return;
		at += TAR_BLOCK + (size_t)(m.size_b + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
}

#include "lib/dump/pgp.h"

#include <string.h>

static const char armor_first[] = "-----BEGIN PGP MESSAGE-----";
static const char armor_last[] = "-----END PGP MESSAGE-----";

enum { TAG_SESSION_PUBLIC = 1, TAG_SESSION_PASSPHRASE = 3 };

static bool begins_armor(const unsigned char *p, size_t n)
{
	return n >= strlen(armor_first) && memcmp(p, armor_first, strlen(armor_first)) == 0;
}

/* Of a packet that is shorter than 8 kB, as one with a session key is. */
struct packet {
	unsigned tag;
	size_t head_n, body_n;
};

static bool short_packet(const unsigned char *p, size_t n, struct packet *out)
{
	if (n < 3 || !(p[0] & 0x80))
		return false;
	out->tag = p[0] & 0x40 ? p[0] & 0x3f : p[0] >> 2 & 0x0f;
	out->head_n = 2;
	out->body_n = p[1];
	if (p[0] & 0x40 ? p[1] < 192 : (p[0] & 3) == 0)
		return true;
	out->head_n = 3;
	if (p[0] & 0x40)
		out->body_n = ((size_t)(p[1] - 192) << 8) + p[2] + 192;
	else
		out->body_n = (size_t)p[1] << 8 | p[2];
	return p[0] & 0x40 ? p[1] < 224 : (p[0] & 3) == 1;
}

static bool in_list(unsigned v, const char *list)
{
	return v != 0 && strchr(list, (int)v) != NULL;
}

bool pgp_begins(const unsigned char *p, size_t n)
{
	static const char public_key[] = "\x01\x02\x10\x12\x19\x1a"; /* RSA, Elgamal, ECDH, X... */
	static const char cipher[] = "\x01\x02\x03\x04\x07\x08\x09\x0a\x0b\x0c\x0d";
	struct packet k;
	const unsigned char *b;

	if (begins_armor(p, n))
		return true;
	if (!short_packet(p, n, &k) || n < k.head_n + 10)
		return false;
	b = p + k.head_n;
	if (k.tag == TAG_SESSION_PUBLIC) /* version, key id of 8 bytes, algorithm */
		return b[0] == 3 && in_list(b[9], public_key) && k.body_n >= 32 && k.body_n <= 2100;
	if (k.tag != TAG_SESSION_PASSPHRASE || k.body_n < 4 || k.body_n > 128)
		return false;
	if (b[0] == 4) /* cipher, kind of the passphrase's derivation, its digest */
		return in_list(b[1], cipher) && (b[2] == 0 || b[2] == 1 || b[2] == 3 || b[2] == 4);
	if (b[0] == 5) /* cipher, mode, derivation */
		return in_list(b[1], cipher) && b[2] >= 1 && b[2] <= 3;
	return b[0] == 6 && b[1] > 3 && in_list(b[2], cipher) && b[3] >= 1 && b[3] <= 3;
}

static void see_tag(struct pgp_walk *w, unsigned char c)
{
	w->length = w->add = 0;
	w->partial = false;
	w->state = PGP_LENGTH;
	w->first_length = true;
	if (!(c & 0x80)) {
		w->state = PGP_LOST;
		return;
	}
	w->old = !(c & 0x40);
	if (w->old && (c & 3) == 3)
		w->state = PGP_ENDLESS;
	else
		w->length_n = w->old ? 1u << (c & 3) : 1;
}

/* The first octet of a new packet's length says how long the length is. */
static void see_first_length(struct pgp_walk *w, unsigned char c)
{
	w->partial = c >= 224 && c < 255;
	w->add = c >= 192 && c < 224 ? 192 : 0;
	w->length_n = w->add ? 1 : c == 255 ? 4 : 0;
	w->length = w->partial ? (uint64_t)1 << (c & 0x1f) : w->add ? c - 192u : c == 255 ? 0 : c;
}

static void see_length(struct pgp_walk *w, unsigned char c)
{
	if (w->first_length && !w->old) {
		see_first_length(w, c);
	} else {
		w->length = w->length << 8 | c;
		w->length_n--;
	}
	w->first_length = false;
	if (w->length_n == 0) {
		w->length += w->add;
		w->state = PGP_BODY;
	}
}

static void end_body(struct pgp_walk *w)
{
	w->state = w->partial ? PGP_LENGTH : PGP_TAG;
	w->length = w->add = 0;
	w->first_length = true;
	w->length_n = 1;
}

static void see_armor(struct pgp_walk *w, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n && w->end_matched < strlen(armor_last); i++) {
		if (p[i] == (unsigned char)armor_last[w->end_matched])
			w->end_matched++;
		else if (!(p[i] == '-' && w->end_matched == 5)) /* a sixth dash */
			w->end_matched = p[i] == '-';
	}
}

void pgp_walk(struct pgp_walk *w, const unsigned char *p, size_t n)
{
	size_t i = 0;

	if (!w->begun && n > 0) {
		w->begun = true;
		w->state = p[0] == '-' ? PGP_ARMOR : PGP_TAG;
	}
	if (w->state == PGP_ARMOR)
		see_armor(w, p, n);
	while (i < n && (w->state == PGP_TAG || w->state == PGP_LENGTH || w->state == PGP_BODY)) {
		if (w->state == PGP_TAG) {
			see_tag(w, p[i++]);
		} else if (w->state == PGP_LENGTH) {
			see_length(w, p[i++]);
		} else {
			uint64_t k = w->length < n - i ? w->length : n - i;

			i += (size_t)k;
			w->length -= k;
		}
		if (w->state == PGP_BODY && w->length == 0)
			end_body(w);
	}
}

bool pgp_walk_cut(const struct pgp_walk *w)
{
	if (w->state == PGP_ARMOR)
		return w->end_matched < strlen(armor_last);
	return w->state == PGP_LENGTH || w->state == PGP_BODY;
}

#ifndef LIB_DUMP_PGP_H
#define LIB_DUMP_PGP_H
/*
 * pgp: the packets of an OpenPGP message, as far as their borders: where one begins, and whether
 * the last one was whole. What is in them is for gpg.
 *
 * Format: RFC 9580, section 4.2 (RFC 4880 has the same), and section 6 for the armor.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does an encrypted message begin here: the armor's first line, or a packet with a session key that
 * is plausible to its version and algorithms? */
bool pgp_begins(const unsigned char *p, size_t n);

/* Start from zero. */
struct pgp_walk {
	enum {
		PGP_TAG,
		PGP_LENGTH,
		PGP_BODY,
		PGP_ENDLESS, /* a packet that ends with the file */
		PGP_ARMOR,
		PGP_LOST /* what is here is no packet */
	} state;
	bool old;          /* packet format */
	bool partial;      /* another piece of the same packet follows the body */
	unsigned length_n; /* bytes of the length that are still to come */
	uint64_t length;   /* what of the body is still to come */
	unsigned add;      /* to the length, when it is known */
	bool first_length;
	bool begun;
	unsigned end_matched; /* characters of the armor's last line */
};

void pgp_walk(struct pgp_walk *w, const unsigned char *p, size_t n);

/* After the last byte: a packet, or the armor, is not whole. */
bool pgp_walk_cut(const struct pgp_walk *w);
#endif

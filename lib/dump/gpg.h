#ifndef LIB_DUMP_GPG_H
#define LIB_DUMP_GPG_H
/*
 * gpg: the program gpg (GnuPG 2.1 or newer) as a decoder: cipher text goes into its standard input,
 * plain text comes out of its standard output, and its status lines say how it went (GnuPG
 * doc/DETAILS, "Format of the --status-fd output").
 *
 * It works in a home of its own, private and empty but for the given key, and is gone with it
 * afterwards: no key ring, no configuration and no agent of the user's has a part in it. The
 * passphrase reaches it through a pipe, the key through memory (memfd_create(2)); in its home it
 * keeps the key as gpg does, behind the passphrase that the key has, if any, until gpg_stop().
 */
#include "lib/base/err.h"
#include "lib/base/tmpdir.h"
#include "lib/dump/keys.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct gpg {
	char home[PATH_MAX];
	struct tmpdir made; /* its home, where no directory was given */
	bool agent;         /* it may have started one */
	pid_t pid;          /* of gpg; 0: not running */
	int in;             /* its standard input: a socket, closed (-1) at the end */
	int out;            /* its standard output, not blocking */
	int said;           /* its status lines and messages, not blocking */
};

/* What the status lines said so far. Start from zero. */
struct gpg_status {
	char line[256]; /* the one that is being read */
	size_t line_n;
	bool opened;    /* the session key is known */
	bool okay;      /* DECRYPTION_OKAY */
	bool changed;   /* BADMDC */
	bool no_key;    /* NO_SECKEY: not for our key */
	bool bad_key;   /* our key, and it did not open it */
	bool wrong;     /* BAD_PASSPHRASE */
	bool asked;     /* for a passphrase, and got none */
	char key[24];   /* whom it is for */
	char said[160]; /* the last message that is no status line; printable */
};

/* Makes the home, imports the key, starts gpg. On -1 nothing is left. */
int gpg_start(struct gpg *g, const struct keys *keys, struct err *e);
/* Waits for the end of gpg, which its descriptors have said already. */
void gpg_wait(struct gpg *g, int *status);
/* Ends whatever still runs and removes the home. */
void gpg_stop(struct gpg *g);

void gpg_status_see(struct gpg_status *s, const char *p, size_t n);
#endif

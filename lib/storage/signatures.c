#include "lib/storage/signatures.h"

#include "lib/base/io.h"
#include "lib/storage/gpgv.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
	SIGNATURE_MAX = 1024 * 1024,
	LIMIT_S = 60,
	SLOWEST_B = 10 * 1000 * 1000, /* a second are read at least, or something is wrong */
};

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static void doubt(struct buf *odd, const char *signature, const struct gpgv_said *said)
{
	buf_addf(odd, "%s%s ", odd->len ? "; " : "", last_part(signature));
	if (said->verdict == GPGV_NONE)
		buf_adds(odd, "holds no signature");
	else if (said->verdict == GPGV_UNKNOWN)
		buf_addf(odd, "is by the key %s, which is not in the keyring", said->key);
	else
		buf_addf(odd, "is by the key %s of %s, and one of both has expired", said->key,
			 said->who);
}

static int judge(struct signatures *g, const char *signature, const char *what,
		 const struct gpgv_said *said, struct buf *odd, struct err *e)
{
	if (said->verdict == GPGV_BAD)
		return err_set(
			e, ERR_BACKUP,
			"read %s: %s, by the key %s of %s, is not its signature: one of both "
			"was changed",
			what, last_part(signature), said->key, said->who);
	if (said->verdict == GPGV_REVOKED)
		return err_set(e, ERR_BACKUP,
			       "read %s: %s is by the key %s of %s, which was revoked", what,
			       last_part(signature), said->key, said->who);
	if (said->verdict != GPGV_GOOD) {
		doubt(odd, signature, said);
		return 0;
	}
	strv_add(&g->good, last_part(what));
	(void)snprintf(g->signer, sizeof(g->signer), "%s (key %s)", said->who, said->key);
	return 0;
}

int signatures_check(struct signatures *g, struct storage *s, const char *signature,
		     const char *what, int fd, int64_t bytes, struct buf *odd, struct err *e)
{
	BUF_AUTO text = BUF_INIT(SIGNATURE_MAX);
	struct gpgv_said said;

	if (storage_slurp(s, signature, &text, e) < 0)
		return -1;
	if (gpgv_check(g->keyring, &text, fd, LIMIT_S + (uint64_t)(bytes / SLOWEST_B), &said, e) <
	    0)
		return err_wrap(e, "check %s", last_part(signature));
	return judge(g, signature, what, &said, odd, e);
}

int signatures_check_text(struct signatures *g, struct storage *s, const char *signature,
			  const char *what, const struct buf *text, struct buf *odd, struct err *e)
{
	FD_AUTO fd = memfd_create("signed", MFD_CLOEXEC);

	if (fd < 0 || io_write_all(fd, text->s, text->len) < 0)
		return err_set(e, ERR_SYSTEM, "check %s: %s", last_part(signature),
			       strerror(errno));
	return signatures_check(g, s, signature, what, fd, (int64_t)text->len, odd, e);
}

void signatures_free(struct signatures *g)
{
	strv_free(&g->good);
}

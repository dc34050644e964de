#include "lib/storage/gpgv.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/strv.h"
#include "lib/base/text.h"
#include "lib/base/tmpdir.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYRING_MAX = 32 * 1024 * 1024, SAID_MAX = 64 * 1024, DEARMOR_S = 60 };

/* --- what it says ---------------------------------------------------------------------------- */

static void take(struct gpgv_said *said, enum gpgv_verdict verdict, const char *key)
{
	BUF_AUTO who = BUF_INIT(GPGV_WHO_SIZE - 1);
	size_t n = strcspn(key, " ");

	if (verdict <= said->verdict)
		return;
	said->verdict = verdict;
	(void)snprintf(said->key, sizeof(said->key), "%.*s", n < 40 ? (int)n : 40, key);
	/* The user id is percent-escaped where it needs to be. */
	if (verdict != GPGV_UNKNOWN && key[n])
		text_safe(&who, key + n + 1);
	(void)snprintf(said->who, sizeof(said->who), "%s", who.s);
}

void gpgv_see(struct gpgv_said *said, const char *line)
{
	static const struct {
		const char *word;
		enum gpgv_verdict verdict;
	} words[] = { { "GOODSIG ", GPGV_GOOD },      { "EXPSIG ", GPGV_EXPIRED },
		      { "EXPKEYSIG ", GPGV_EXPIRED }, { "REVKEYSIG ", GPGV_REVOKED },
		      { "BADSIG ", GPGV_BAD },        { "ERRSIG ", GPGV_UNKNOWN } };
	static const char prefix[] = "[GNUPG:] ";

	if (strncmp(line, prefix, strlen(prefix)) != 0)
		return;
	line += strlen(prefix);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(line, words[i].word, strlen(words[i].word)) == 0)
			take(said, words[i].verdict, line + strlen(words[i].word));
}

/* --- running it ------------------------------------------------------------------------------ */

/* In its home, with nothing of the user's environment but PATH. */
static int run(const char *home, const char *const *words, int in, uint64_t limit_s,
	       struct buf *said, int *status, struct err *e)
{
	const char *path = getenv("PATH");
	const int fd[3] = { in, -1, -1 };
	STRV_AUTO argv = { 0 };
	STRV_AUTO env = { 0 };

	for (; *words; words++)
		strv_add(&argv, *words);
	strv_addf(&env, "PATH=%s", path && *path ? path : "/usr/bin:/bin");
	strv_add(&env, "LC_ALL=C.UTF-8");
	return proc_capture(&(struct proc){ .argv = argv.v, .env = env.v, .cwd = home, .fd = fd },
			    limit_s, said, status, e);
}

static int put(const char *home, const char *name, const struct buf *b, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/%s", home, name);
	FD_AUTO fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, b->s, b->len) < 0)
		return err_set(e, ERR_SYSTEM, "write %s: %s", path, strerror(errno));
	return 0;
}

/* gpgv wants keys without armor. */
static int put_keys(const char *home, const char *keyring, struct err *e)
{
	static const char *const dearmor[] = { "gpg",     "--batch",  "--no-options", "--homedir",
					       ".",       "--output", "keyring.gpg",  "--dearmor",
					       "armored", NULL };
	BUF_AUTO keys = BUF_INIT(KEYRING_MAX);
	BUF_AUTO said = BUF_INIT(SAID_MAX);
	int status;

	if (io_slurp(keyring, &keys, e) < 0)
		return -1;
	if (keys.len < 10 || memcmp(keys.s, "-----BEGIN", 10) != 0)
		return put(home, "keyring.gpg", &keys, e);
	if (put(home, "armored", &keys, e) < 0 ||
	    run(home, dearmor, -1, DEARMOR_S, &said, &status, e) < 0)
		return -1;
	return status == 0 ? 0
			   : err_set(e, ERR_USAGE,
				     "read the keys in %s: gpg cannot; write them "
				     "with gpg --export",
				     keyring);
}

static int check(const char *home, const char *keyring, const struct buf *signature, int data,
		 uint64_t limit_s, struct gpgv_said *out, struct err *e)
{
	static const char *const verify[] = {
		"gpgv",      "--homedir",     ".",           "--status-fd", "1",
		"--keyring", "./keyring.gpg", "./signature", "-",           NULL
	};
	BUF_AUTO said = BUF_INIT(SAID_MAX);
	int status;

	if (put_keys(home, keyring, e) < 0 || put(home, "signature", signature, e) < 0)
		return -1;
	if (lseek(data, 0, SEEK_SET) < 0)
		return err_set(e, ERR_SYSTEM, "read what was signed: %s", strerror(errno));
	if (run(home, verify, data, limit_s, &said, &status, e) < 0)
		return -1;
	for (char *line = said.s, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		end += *end ? (*end = '\0', 1) : 0;
		gpgv_see(out, line);
	}
	/* A good signature that gpgv does not vouch for by its status is none. */
	if (out->verdict == GPGV_GOOD && status != 0)
		return err_set(e, ERR_SYSTEM, "check the signature: gpgv failed");
	return 0;
}

int gpgv_check(const char *keyring, const struct buf *signature, int data, uint64_t limit_s,
	       struct gpgv_said *out, struct err *e)
{
	static const struct identity self;
	struct tmpdir home;
	struct err ignored;
	int rc;

	*out = (struct gpgv_said){ .verdict = GPGV_NONE };
	if (tmpdir_create(&home, NULL, "gpgv", &self, e) < 0)
		return -1;
	rc = check(home.path, keyring, signature, data, limit_s, out, e);
	(void)tmpdir_remove(&home, &ignored);
	return rc;
}

#include "lib/dump/keys.h"

#include "lib/base/num.h"

#include <limits.h>
#include <string.h>

enum { PASSPHRASE_MAX = 4096, KEY_MAX = 1 << 20 };

/* A passphrase is the first line of its file, for gpg and openssl read it so. */
static int cut_line(struct secret *s, struct err *e)
{
	size_t n = strcspn(s->value, "\r\n");

	if (n == 0 || (n < s->n && s->value[n] == '\0'))
		return err_set(e, ERR_USAGE, "use the passphrase: %s; put it into the first line",
			       n == 0 ? "its first line is empty" : "a NUL byte is in it");
	explicit_bzero(s->value + n, s->n - n);
	s->n = n;
	return 0;
}

int keys_parse_iterations(const char *value, void *to, struct err *e)
{
	return num_u64(value, 1, INT_MAX, to, e);
}

int keys_load(struct keys *k, const struct keys_config *c, struct err *e)
{
	k->iterations = c->iterations;
	if (secret_load_bytes(&k->passphrase, "DECRYPT_PASSPHRASE", c->passphrase_file,
			      PASSPHRASE_MAX, e) < 0 ||
	    secret_load_bytes(&k->key, "DECRYPT_KEY", c->key_file, KEY_MAX, e) < 0)
		return -1;
	return k->passphrase.value ? cut_line(&k->passphrase, e) : 0;
}

void keys_wipe(struct keys *k)
{
	secret_wipe(&k->passphrase);
	secret_wipe(&k->key);
}

bool keys_any(const struct keys *k)
{
	return k && (k->passphrase.value || k->key.value);
}

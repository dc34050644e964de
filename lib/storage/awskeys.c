#include "lib/storage/awskeys.h"

#include "lib/base/xmem.h"
#include "lib/storage/awschain.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EARLY_MS = 5 * 60 * 1000, SHORT_MS = 4 * EARLY_MS };

struct awskeys {
	struct aws where;
	pthread_mutex_t lock; /* over what follows */
	struct awskey key;
	bool have;
	int64_t due_ms; /* when to look again; -1: never */
};

struct awskeys *awskeys_open(const struct aws *where)
{
	struct awskeys *k = xcalloc(1, sizeof(*k));

	aws_copy(&k->where, where);
	/* Neither can fail with default attributes on Linux. */
	(void)pthread_mutex_init(&k->lock, NULL);
	return k;
}

void awskeys_close(struct awskeys *k)
{
	if (k == NULL)
		return;
	(void)pthread_mutex_destroy(&k->lock);
	aws_free(&k->where);
	awskey_free(&k->key);
	free(k);
}

/* The real clock, whatever --now says: it is the services that set the end. */
static int64_t real_now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

int64_t awskeys_due_ms(int64_t got_ms, int64_t expires_ms)
{
	int64_t life_ms = expires_ms - got_ms;

	if (expires_ms < 0)
		return -1;
	return life_ms > SHORT_MS ? expires_ms - EARLY_MS : got_ms + life_ms / 4 * 3;
}

static int find(struct awskeys *k, struct err *e)
{
	struct awskey found;

	if (awschain_find(&k->where, &found, e) < 0)
		return -1;
	awskey_free(&k->key);
	k->key = found;
	k->have = true;
	k->due_ms = awskeys_due_ms(real_now_ms(), found.expires_ms);
	return 0;
}

/* New keys, or the old ones for as long as they still hold. */
static int refresh(struct awskeys *k, struct err *e)
{
	int64_t now_ms = real_now_ms();

	if (find(k, e) == 0)
		return 0;
	if (!k->have || now_ms >= k->key.expires_ms)
		return -1;
	k->due_ms = awskeys_due_ms(now_ms, k->key.expires_ms);
	return 0;
}

int awskeys_get(struct awskeys *k, struct awskey *out, struct err *e)
{
	int rc = 0;

	(void)pthread_mutex_lock(&k->lock);
	if (!k->have || (k->due_ms >= 0 && real_now_ms() >= k->due_ms))
		rc = refresh(k, e);
	if (rc == 0)
		awskey_copy(out, &k->key);
	(void)pthread_mutex_unlock(&k->lock);
	return rc;
}

static bool same(const struct awskey *a, const struct awskey *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->secret, b->secret) == 0 &&
	       strcmp(a->token ? a->token : "", b->token ? b->token : "") == 0;
}

bool awskeys_renew(struct awskeys *k, const struct awskey *refused)
{
	struct err ignored;
	bool others;

	(void)pthread_mutex_lock(&k->lock);
	/* Another thread may have been here first. */
	others = k->have && !same(&k->key, refused);
	if (!others)
		others = find(k, &ignored) == 0 && !same(&k->key, refused);
	(void)pthread_mutex_unlock(&k->lock);
	return others;
}

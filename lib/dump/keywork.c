#include "lib/dump/keywork.h"

#include "lib/base/supervise.h"
#include "lib/base/tmpdir.h"

#include <sys/wait.h>

enum { GRACE_S = 5 };

struct keywork {
	const char *tool;
	struct keys *keys;
	int (*work)(void *ctx);
	void *ctx;
	struct tmpdir home; /* for gpg, which is given the key */
};

static int make_home(void *ctx, struct err *e)
{
	static const struct identity self;
	struct keywork *k = ctx;

	k->keys->dir = k->home.path;
	return tmpdir_create(&k->home, NULL, k->tool, &self, e);
}

static int do_work(void *ctx)
{
	const struct keywork *k = ctx;

	return k->work(k->ctx);
}

static void remove_home(void *ctx)
{
	struct keywork *k = ctx;
	struct err ignored;

	(void)tmpdir_remove(&k->home, &ignored);
}

int keywork_run(const char *tool, struct keys *keys, int (*work)(void *ctx), void *ctx, int *status,
		struct err *e)
{
	struct keywork k = { .tool = tool, .keys = keys, .work = work, .ctx = ctx };
	const struct supervise s = { .prepare = make_home,
				     .work = do_work,
				     .clean_up = remove_home,
				     .ctx = &k,
				     .grace_s = GRACE_S };
	enum supervise_end end;
	int waited;

	if (!keys_any(keys)) {
		*status = work(ctx);
		return 0;
	}
	if (supervise_run(&s, &waited, &end, NULL, e) < 0)
		return -1;
	keys->dir = NULL;
	if (end != SUPERVISE_DONE || !WIFEXITED(waited))
		return err_set(e, ERR_SYSTEM, "interrupted");
	*status = WEXITSTATUS(waited);
	return 0;
}

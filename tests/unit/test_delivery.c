#include "lib/alert/delivery.h"

#include "lib/alert/spool.h"
#include "lib/alert/state.h"
#include "lib/base/atomic.h"
#include "lib/base/record.h"
#include "lib/base/tree.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[] = "/tmp/test_delivery.XXXXXX";

static void make_root(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/test_delivery.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void remove_root(void)
{
	struct err e = { 0 };

	ck_assert_int_eq(tree_remove(root, &e), 0);
}

static json_t *message(const char *topic, const char *id)
{
	struct policy_memory m = { true, true, V_CRITICAL, 7, 1000, 2000 };

	return json_pack("{s:s, s:s, s:o}", "topic", topic, "id", id, "memory",
			 state_pack(&m, NULL));
}

/* What arrived: ids, in order. */
struct service {
	char got[256];
	enum fate fate;       /* of the next message */
	unsigned good;        /* so many are accepted before that */
	int die_after_accept; /* 1: the process dies with the answer in its hands */
};

static enum fate send_to(void *ctx, const json_t *m, struct err *e)
{
	struct service *s = ctx;
	size_t n = strlen(s->got);

	if (s->good == 0 && s->fate != FATE_ACCEPTED) {
		(void)err_set(e, ERR_REMOTE, "not today");
		return s->fate;
	}
	s->good -= s->good > 0;
	(void)snprintf(s->got + n, sizeof(s->got) - n, "%s ", record_text(m, "id"));
	if (s->die_after_accept)
		_exit(0);
	return FATE_ACCEPTED;
}

static void add(struct delivery *d, const char *topic, const char *id, bool last)
{
	json_t *m = message(topic, id);

	state_remember(d->state, topic, json_incref(json_object_get(m, "memory")));
	delivery_add(d, m, last);
	json_decref(m);
}

/* Where a process is killed. */
enum step { BEFORE_MARK, MARKED, RECOVERED, ADDED_ONE, ADDED_ALL, COMMITTED, ACCEPTED, SENT };

static void run_until(enum step last)
{
	struct delivery d;
	struct delivery_result r;
	struct service s = { .fate = FATE_ACCEPTED, .die_after_accept = last == ACCEPTED };

	if (last == BEFORE_MARK)
		_exit(0);
	delivery_begin(&d, root, "alert-test", "shop", true);
	if (last == MARKED)
		_exit(0);
	delivery_recover(&d, mono_ms() + 1000);
	if (last == RECOVERED)
		_exit(0);
	add(&d, "x", "1", false);
	if (last == ADDED_ONE)
		_exit(0);
	add(&d, "y", "2", true);
	if (last == ADDED_ALL)
		_exit(0);
	delivery_commit(&d);
	if (last == COMMITTED)
		_exit(0);
	delivery_send(&d, send_to, &s, &r);
	_exit(d.trouble.kind == ERR_NONE ? 0 : 1);
}

static const struct {
	enum step killed;
	const char *sent_later; /* by the next process */
	unsigned cut_off;       /* marks that it finds of runs that decided nothing */
	bool x, y;              /* whether it knows that the topics are open */
} kills[] = {
	{ BEFORE_MARK, "", 0, false, false }, { MARKED, "", 1, false, false },
	{ RECOVERED, "", 1, false, false },   { ADDED_ONE, "1 ", 1, true, false },
	{ ADDED_ALL, "1 2 ", 0, true, true }, { COMMITTED, "1 2 ", 0, true, true },
	{ ACCEPTED, "1 2 ", 0, true, true }, /* the first once more */
	{ SENT, "", 0, true, true },
};

START_TEST(killed_at_every_step)
{
	STRV_AUTO dead = { 0 };
	struct service s = { .fate = FATE_ACCEPTED };
	struct delivery_result r;
	struct delivery d;
	unsigned cut_off = 0;
	int status;
	pid_t pid;

	make_root();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		run_until(kills[_i].killed);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);

	delivery_begin(&d, root, "alert-test", "shop", true);
	delivery_recover(&d, mono_ms() + 1000);
	ck_assert_msg(d.trouble.kind == ERR_NONE, "%s", d.trouble.msg);
	home_dead(&d.home, &dead);
	for (size_t i = 0; i < dead.n; i++) {
		cut_off += !state_has_decided(d.state, dead.v[i]);
		ck_assert_int_gt(home_begun_ms(&d.home, dead.v[i]), 0);
		home_bury(&d.home, dead.v[i]);
	}
	ck_assert_uint_eq(cut_off, kills[_i].cut_off);
	ck_assert_int_eq(state_memory(d.state, "x").open, kills[_i].x);
	ck_assert_int_eq(state_memory(d.state, "y").open, kills[_i].y);
	delivery_commit(&d);
	delivery_send(&d, send_to, &s, &r);
	ck_assert_str_eq(s.got, kills[_i].sent_later);
	ck_assert_uint_eq(r.waiting, 0);
	delivery_end(&d);

	/* And nothing is left for a third. */
	strv_free(&dead);
	delivery_begin(&d, root, "alert-test", "shop", false);
	delivery_recover(&d, mono_ms() + 1000);
	home_dead(&d.home, &dead);
	ck_assert_uint_eq(dead.n, 0);
	ck_assert_uint_eq(delivery_waiting(&d), 0);
	ck_assert_int_eq(state_memory(d.state, "y").open, kills[_i].y);
	delivery_end(&d);
	remove_root();
}
END_TEST

static void open_delivery(struct delivery *d)
{
	delivery_begin(d, root, "alert-test", "shop", true);
	delivery_recover(d, mono_ms() + 1000);
	ck_assert_msg(d->trouble.kind == ERR_NONE, "%s", d->trouble.msg);
}

START_TEST(waits_and_goes_out_in_order)
{
	struct service s = { .fate = FATE_LATER, .good = 1 };
	struct delivery_result r;
	struct delivery d;

	make_root();
	open_delivery(&d);
	add(&d, "x", "1", false);
	add(&d, "x", "2", false);
	add(&d, "x", "3", true);
	delivery_commit(&d);
	delivery_send(&d, send_to, &s, &r);
	ck_assert_uint_eq(r.sent, 1);
	ck_assert_uint_eq(r.waiting, 2);
	ck_assert_str_eq(r.why.msg, "not today");
	delivery_end(&d);

	open_delivery(&d);
	add(&d, "x", "4", true);
	delivery_commit(&d);
	s.fate = FATE_HELD;
	delivery_send(&d, send_to, &s, &r);
	ck_assert_uint_eq(r.waiting, 3);
	s.fate = FATE_ACCEPTED;
	delivery_send(&d, send_to, &s, &r);
	ck_assert_str_eq(s.got, "1 2 3 4 ");
	ck_assert_uint_eq(r.waiting, 0);
	delivery_end(&d);
	remove_root();
}
END_TEST

/* A message that is never taken must not stop those behind it, and counts as not told. */
START_TEST(refused_is_set_aside)
{
	struct service s = { .fate = FATE_REFUSED, .good = 1 };
	struct delivery_result r;
	struct delivery d;

	make_root();
	open_delivery(&d);
	add(&d, "x", "1", false);
	add(&d, "y", "2", false);
	delivery_commit(&d);
	delivery_send(&d, send_to, &s, &r);
	ck_assert_uint_eq(r.sent, 1);
	ck_assert_uint_eq(r.refused, 1);
	ck_assert_uint_eq(r.waiting, 0);
	delivery_end(&d);
	open_delivery(&d);
	ck_assert(state_memory(d.state, "x").open);
	ck_assert(!state_memory(d.state, "y").known);
	delivery_end(&d);
	remove_root();
}
END_TEST

START_TEST(damaged_files_are_set_aside)
{
	AUTO_FREE char *state = NULL, *spooled = NULL, *bad = NULL;
	struct service s = { .fate = FATE_ACCEPTED };
	struct delivery_result r;
	struct err e = { 0 };
	struct delivery d;

	make_root();
	open_delivery(&d);
	state = xasprintf("%s/state.json", d.home.dir);
	bad = xasprintf("%s.bad", state);
	spooled = xasprintf("%s/000000000001.json", d.home.spool);
	add(&d, "x", "1", false);
	add(&d, "x", "2", true);
	delivery_commit(&d);
	delivery_end(&d);
	ck_assert_int_eq(atomic_write(state, "{\"v\":1,", 7, 0600, &e), 0);
	ck_assert_int_eq(atomic_write(spooled, "\0\0\0", 3, 0600, &e), 0);

	delivery_begin(&d, root, "alert-test", "shop", true);
	delivery_recover(&d, mono_ms() + 1000);
	ck_assert_ptr_nonnull(strstr(d.trouble.msg, "what was told before"));
	ck_assert_int_eq(access(bad, F_OK), 0);
	ck_assert(state_is_new(d.state) || state_memory(d.state, "x").open);
	delivery_commit(&d);
	delivery_send(&d, send_to, &s, &r);
	ck_assert_str_eq(s.got, "2 ");
	ck_assert_uint_eq(r.refused, 1);
	delivery_end(&d);
	remove_root();
}
END_TEST

/* No directory: the alert goes out all the same, from memory. */
START_TEST(without_a_directory)
{
	static const char *const roots[] = { "/proc/nowhere", NULL };
	struct service s = { .fate = FATE_ACCEPTED };
	struct delivery_result r;
	struct delivery d;

	for (size_t i = 0; i < 2; i++) {
		s.got[0] = '\0';
		s.fate = FATE_ACCEPTED;
		delivery_begin(&d, roots[i], "alert-test", "shop", true);
		delivery_recover(&d, mono_ms() + 1000);
		add(&d, "x", "1", true);
		delivery_commit(&d);
		delivery_send(&d, send_to, &s, &r);
		ck_assert_str_eq(s.got, "1 ");
		ck_assert_uint_eq(r.sent, 1);
		ck_assert_uint_eq(r.lost, 0);
		ck_assert_int_ne(d.trouble.kind, ERR_NONE);
		s.fate = FATE_LATER;
		delivery_send(&d, send_to, &s, &r);
		ck_assert_uint_eq(r.lost, 1);
		delivery_end(&d);
	}
}
END_TEST

START_TEST(one_at_a_time)
{
	struct delivery first, second;
	struct service s = { .fate = FATE_ACCEPTED };
	struct delivery_result r;
	STRV_AUTO dead = { 0 };

	make_root();
	open_delivery(&first);
	delivery_begin(&second, root, "alert-test", "shop", true);
	delivery_recover(&second, mono_ms() + 100);
	ck_assert_ptr_nonnull(strstr(second.trouble.msg, "another process holds it"));
	/* Both live: neither takes the other's mark for a dead one. */
	home_dead(&first.home, &dead);
	ck_assert_uint_eq(dead.n, 0);
	add(&second, "x", "1", true);
	delivery_commit(&second);
	delivery_send(&second, send_to, &s, &r);
	ck_assert_str_eq(s.got, "1 ");
	delivery_end(&second);
	delivery_end(&first);
	remove_root();
}
END_TEST

START_TEST(labels_do_not_meet)
{
	static const char *const labels[] = { "shop", "Shop", "a/b",      "a%2Fb", "..",
					      ".",    "",     "\xc3\xa4", "a b" };
	char dirs[9][256];

	for (size_t i = 0; i < 9; i++) {
		struct home h;
		struct err e = { 0 };

		ck_assert_int_eq(home_open(&h, "/r", "s", labels[i], false, &e), 0);
		(void)snprintf(dirs[i], sizeof(dirs[i]), "%s", h.dir);
		ck_assert_int_eq(strncmp(h.dir, "/r/s/", 5), 0);
		ck_assert_ptr_null(strchr(h.dir + 5, '/'));
		ck_assert_str_ne(h.dir, "/r/s/.");
		ck_assert_str_ne(h.dir, "/r/s/..");
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(dirs[i], dirs[k]);
		home_close(&h);
	}
}
END_TEST

START_TEST(everything_is_private)
{
	struct delivery d;
	struct stat st;
	char path[512];

	make_root();
	(void)umask(0);
	open_delivery(&d);
	add(&d, "x", "1", true);
	delivery_commit(&d);
	ck_assert_int_eq(stat(d.home.spool, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(d.home.dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	(void)snprintf(path, sizeof(path), "%s/000000000001.json", d.home.spool);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	(void)snprintf(path, sizeof(path), "%s/state.json", d.home.dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	delivery_end(&d);
	remove_root();
}
END_TEST

START_TEST(spool_has_a_ceiling)
{
	SPOOL_LIST_AUTO l = { 0 };
	JSON_AUTO *m = message("x", "1");
	struct err e = { 0 };

	make_root();
	for (int64_t i = 1; i <= SPOOL_MOST; i++) {
		AUTO_FREE char *path = xasprintf("%s/%012d.json", root, (int)i);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(close(fd), 0);
	}
	ck_assert_int_eq(spool_add(root, SPOOL_MOST + 1, m, &e), 0);
	ck_assert_int_eq(spool_list(root, &l, &e), 0);
	ck_assert_uint_eq(l.n, SPOOL_MOST);
	ck_assert_int_eq(l.sequence[0], 2);
	ck_assert_int_eq(l.sequence[l.n - 1], SPOOL_MOST + 1);
	remove_root();
}
END_TEST

static const struct {
	const char *given, *history, *want;
} homes[] = {
	{ "/given", "/h/shop.jsonl", "/given" }, { NULL, "/h/shop.jsonl", "/h/alerts" },
	{ NULL, "shop.jsonl", "alerts" },        { NULL, "/h/", "/h//alerts" },
	{ NULL, "/tmp", "/tmp/alerts" },
};

START_TEST(state_directory)
{
	AUTO_FREE char *dir = NULL;

	ck_assert_int_eq(setenv("HISTORY", homes[_i].history, 1), 0);
	dir = home_root(homes[_i].given);
	ck_assert_str_eq(dir, homes[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("delivery");
	TCase *c = tcase_create("delivery");

	tcase_set_timeout(c, 30);
	tcase_add_loop_test(c, killed_at_every_step, 0, CASES(kills));
	tcase_add_test(c, waits_and_goes_out_in_order);
	tcase_add_test(c, refused_is_set_aside);
	tcase_add_test(c, damaged_files_are_set_aside);
	tcase_add_test(c, without_a_directory);
	tcase_add_test(c, one_at_a_time);
	tcase_add_test(c, labels_do_not_meet);
	tcase_add_test(c, everything_is_private);
	tcase_add_test(c, spool_has_a_ceiling);
	tcase_add_loop_test(c, state_directory, 0, CASES(homes));
	suite_add_tcase(s, c);
	return suite_run(s);
}

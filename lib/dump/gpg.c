#include "lib/dump/gpg.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/strv.h"
#include "lib/base/tree.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SAID_MAX = 4096, LIMIT_S = 60, PIPE_B = 1 << 20 };

/* ---- what it says ------------------------------------------------------------------- */

static const char *after(const char *line, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(line, prefix, n) == 0 ? line + n : NULL;
}

/* GPG_ERR_BAD_PASSPHRASE, with or without the number of its source in the upper bits. */
static bool is_bad_passphrase(const char *error)
{
	enum { BAD_PASSPHRASE = 11, CODE = 0xffff };
	unsigned long code;

	error += strcspn(error, " ");
	code = strtoul(error, NULL, 10);
	return (code & CODE) == BAD_PASSPHRASE;
}

static void see_status(struct gpg_status *s, const char *status)
{
	const char *rest;

	s->opened |= after(status, "PLAINTEXT") != NULL;
	s->okay |= after(status, "DECRYPTION_OKAY") != NULL;
	s->changed |= after(status, "BADMDC") != NULL;
	s->asked |= after(status, "INQUIRE_MAXLEN") || after(status, "MISSING_PASSPHRASE");
	rest = after(status, "NO_SECKEY ");
	if (rest) {
		s->no_key = true;
		(void)snprintf(s->key, sizeof(s->key), "%.16s", rest);
	}
	rest = after(status, "ERROR ");
	if (rest && (after(rest, "symkey_decrypt") || after(rest, "pkdecrypt_failed"))) {
		s->wrong |= is_bad_passphrase(rest);
		s->bad_key |= after(rest, "pkdecrypt_failed") != NULL;
	}
}

static void see_line(struct gpg_status *s)
{
	const char *rest = after(s->line, "[GNUPG:] ");

	if (rest) {
		see_status(s, rest);
		return;
	}
	rest = after(s->line, "gpg: ");
	(void)snprintf(s->said, sizeof(s->said), "%.150s", rest ? rest : s->line);
	for (char *c = s->said; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

void gpg_status_see(struct gpg_status *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			s->line[s->line_n] = '\0';
			see_line(s);
			s->line_n = 0;
		} else if (s->line_n < sizeof(s->line) - 1) {
			s->line[s->line_n++] = p[i];
		}
	}
}

/* ---- running it --------------------------------------------------------------------- */

/* The key or the passphrase as the beginning of a file without a name. */
static int in_memory(const char *p, size_t n)
{
	int fd = memfd_create("key", MFD_CLOEXEC);

	if (fd >= 0 && io_write_all(fd, p, n) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	io_close(&fd);
	return -1;
}

/* Its own directory is its current one: so it is found by whoever ends what is left of us. Nothing
 * of the user's environment but PATH has a say. */
static struct proc program(const struct gpg *g, char *const *argv, char *const *env)
{
	return (struct proc){ .argv = argv, .env = env, .cwd = g->home };
}

static void environment(struct strv *env)
{
	const char *path = getenv("PATH");

	strv_addf(env, "PATH=%s", path && *path ? path : "/usr/bin:/bin");
	strv_add(env, "LC_ALL=C");
}

static void arguments(const struct gpg *g, struct strv *argv)
{
	static const char *const always[] = { "--batch",
					      "--no-tty",
					      "--no-options",
					      "--status-fd",
					      "2",
					      "--no-auto-key-retrieve",
					      "--no-auto-check-trustdb",
					      "--trust-model",
					      "always",
					      "--pinentry-mode",
					      "loopback" };

	strv_add(argv, "gpg");
	strv_add(argv, "--homedir");
	strv_add(argv, g->home);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		strv_add(argv, always[i]);
}

static int import(const struct gpg *g, const struct secret *key, char *const *env, struct err *e)
{
	FD_AUTO in = in_memory(key->value, key->n);
	const int fd[3] = { in, -1, -1 };
	BUF_AUTO said = BUF_INIT(SAID_MAX);
	STRV_AUTO argv = { 0 };
	struct proc p;
	int status;

	if (in < 0)
		return err_set(e, ERR_SYSTEM, "hand gpg the key: %s", strerror(errno));
	arguments(g, &argv);
	strv_add(&argv, "--import");
	p = program(g, argv.v, env);
	p.fd = fd;
	if (proc_capture(&p, LIMIT_S, &said, &status, e) < 0)
		return -1;
	/* A key for age, beside a passphrase for gpg, is no failure: what it opens is told later.
	 */
	return 0;
}

static int spawn(struct gpg *g, const struct keys *keys, char *const *env, const int fd[3],
		 struct err *e)
{
	const struct secret *pass = &keys->passphrase;
	FD_AUTO secret = pass->value ? in_memory(pass->value, pass->n) : -1;
	const int keep[] = { secret, -1 };
	STRV_AUTO argv = { 0 };
	struct proc p;

	if (pass->value && secret < 0)
		return err_set(e, ERR_SYSTEM, "hand gpg the passphrase: %s", strerror(errno));
	arguments(g, &argv);
	if (secret >= 0) {
		strv_add(&argv, "--passphrase-fd");
		strv_addf(&argv, "%d", secret);
	}
	strv_add(&argv, "--decrypt");
	p = program(g, argv.v, env);
	p.fd = fd;
	p.keep = keep;
	g->pid = proc_spawn(&p, e);
	if (g->pid > 0)
		return 0;
	g->pid = 0;
	return -1;
}

/* A socket, for writing into it can be told not to raise SIGPIPE, nor to block; pipes for the
 * rest. ours and theirs: standard input, output and error. */
static int channels(int ours[3], int theirs[3], struct err *e)
{
	int in[2], out[2], said[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0)
		return err_set(e, ERR_SYSTEM, "run gpg: %s", strerror(errno));
	ours[0] = in[0];
	theirs[0] = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "run gpg: %s", strerror(errno));
	ours[1] = out[0];
	theirs[1] = out[1];
	if (pipe2(said, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "run gpg: %s", strerror(errno));
	ours[2] = said[0];
	theirs[2] = said[1];
	(void)fcntl(ours[1], F_SETPIPE_SZ, PIPE_B);
	if (fcntl(ours[1], F_SETFL, O_NONBLOCK) < 0 || fcntl(ours[2], F_SETFL, O_NONBLOCK) < 0)
		return err_set(e, ERR_SYSTEM, "run gpg: %s", strerror(errno));
	return 0;
}

static int start(struct gpg *g, const struct keys *keys, struct err *e)
{
	int ours[3] = { -1, -1, -1 }, theirs[3] = { -1, -1, -1 };
	STRV_AUTO env = { 0 };
	int ret;

	environment(&env);
	if (keys->key.value && import(g, &keys->key, env.v, e) < 0)
		return -1;
	ret = channels(ours, theirs, e);
	if (ret == 0)
		ret = spawn(g, keys, env.v, theirs, e);
	g->in = ours[0];
	g->out = ours[1];
	g->said = ours[2];
	for (int i = 0; i < 3; i++)
		io_close(&theirs[i]);
	return ret;
}

/* In a private directory that somebody else removes, or in one of its own. Names are short, for
 * those of the agent's sockets are bounded (unix(7)). */
static int make_home(struct gpg *g, const char *dir, struct err *e)
{
	static const char longest[] = "/S.gpg-agent.browser";
	const struct identity self = { 0 };
	struct sockaddr_un limit;

	if (dir == NULL) {
		if (tmpdir_create(&g->made, NULL, "gpg", &self, e) < 0)
			return -1;
		memcpy(g->home, g->made.path, sizeof(g->home));
	} else if (snprintf(g->home, sizeof(g->home), "%s/gXXXXXX", dir) >= (int)sizeof(g->home) ||
		   mkdtemp(g->home) == NULL) {
		g->home[0] = '\0';
		return err_set(e, ERR_SYSTEM, "make a home for gpg in %.200s: %s", dir,
			       strerror(errno));
	}
	if (g->agent && strlen(g->home) + sizeof(longest) > sizeof(limit.sun_path)) {
		(void)err_set(e, ERR_SYSTEM,
			      "run gpg in %.200s: this is too long a path for its sockets; name a "
			      "shorter one with --work-dir",
			      g->home);
		gpg_stop(g);
		return -1;
	}
	return 0;
}

int gpg_start(struct gpg *g, const struct keys *keys, struct err *e)
{
	/* For a passphrase that it is given it needs none. */
	*g = (struct gpg){
		.agent = keys->key.value || !keys->passphrase.value, .in = -1, .out = -1, .said = -1
	};
	if (make_home(g, keys->dir, e) < 0)
		return -1;
	if (start(g, keys, e) == 0)
		return 0;
	gpg_stop(g);
	return -1;
}

/* The agent that gpg started for a secret key, and its sockets, which may lie elsewhere
 * (/run/user). */
static void end_agent(const struct gpg *g)
{
	static const char *const tasks[][2] = { { "--kill", "gpg-agent" },
						{ "--remove-socketdir", NULL } };
	STRV_AUTO env = { 0 };

	environment(&env);
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		STRV_AUTO argv = { 0 };
		struct proc p;
		struct err ignored;
		int status;

		strv_add(&argv, "gpgconf");
		strv_add(&argv, "--homedir");
		strv_add(&argv, g->home);
		strv_add(&argv, tasks[i][0]);
		if (tasks[i][1])
			strv_add(&argv, tasks[i][1]);
		p = program(g, argv.v, env.v);
		(void)proc_capture(&p, LIMIT_S, NULL, &status, &ignored);
	}
}

void gpg_wait(struct gpg *g, int *status)
{
	struct err ignored;

	(void)proc_wait(g->pid, status, &ignored);
	g->pid = 0;
}

void gpg_stop(struct gpg *g)
{
	struct err ignored;
	int status;

	io_close(&g->in);
	io_close(&g->out);
	io_close(&g->said);
	if (g->pid > 0) {
		(void)kill(g->pid, SIGKILL);
		gpg_wait(g, &status);
	}
	if (g->home[0] == '\0')
		return;
	if (g->agent)
		end_agent(g);
	if (g->made.path[0])
		(void)tmpdir_remove(&g->made, &ignored);
	else
		(void)tree_remove(g->home, &ignored);
	g->home[0] = '\0';
}

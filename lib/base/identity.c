#include "lib/base/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int from_passwd(const struct passwd *pw, bool drops, struct identity *out, struct err *e)
{
	int n = snprintf(out->name, sizeof(out->name), "%s", pw->pw_name);

	if (n < 0 || (size_t)n >= sizeof(out->name))
		return err_set(e, ERR_USAGE, "use user %s: the name is too long", pw->pw_name);
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	out->drops = drops;
	return 0;
}

static int from_root(const char *user, struct identity *out, struct err *e)
{
	static const char *const usual[] = { "postgres", "nobody" };
	const struct passwd *pw = user ? getpwnam(user) : NULL;

	if (user && pw == NULL)
		return err_set(e, ERR_USAGE, "use user %s: there is no such user on this machine",
			       user);
	for (size_t i = 0; pw == NULL && i < sizeof(usual) / sizeof(usual[0]); i++)
		pw = getpwnam(usual[i]);
	if (pw == NULL)
		return err_set(e, ERR_SYSTEM,
			       "drop root: there is neither a user postgres nor nobody; "
			       "name an unprivileged user with --run-as");
	if (pw->pw_uid == 0)
		return err_set(e, ERR_USAGE,
			       "use user %s: PostgreSQL refuses to run as root; "
			       "name an unprivileged user",
			       pw->pw_name);
	return from_passwd(pw, true, out, e);
}

/* In a container the user id may have no name at all; that alone is no reason to stop. */
static int ourselves(struct identity *out, struct err *e)
{
	const struct passwd *pw = getpwuid(geteuid());

	if (pw)
		return from_passwd(pw, false, out, e);
	*out = (struct identity){ .uid = geteuid(), .gid = getegid() };
	(void)snprintf(out->name, sizeof(out->name), "%ju", (uintmax_t)geteuid());
	return 0;
}

int identity_unprivileged(const char *user, struct identity *out, struct err *e)
{
	if (geteuid() == 0)
		return from_root(user, out, e);
	if (ourselves(out, e) < 0)
		return -1;
	if (user && strcmp(user, out->name) != 0)
		return err_set(e, ERR_USAGE,
			       "use user %s: only root can become somebody else, and this is %s",
			       user, out->name);
	return 0;
}

int identity_become(const struct identity *who)
{
	/* From here on a set-user-ID program gains nothing. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (!who->drops)
		return 0;
	if (setgroups(1, &who->gid) < 0 || setresgid(who->gid, who->gid, who->gid) < 0 ||
	    setresuid(who->uid, who->uid, who->uid) < 0)
		return -1;
	if (setuid(0) == 0 || geteuid() != who->uid) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

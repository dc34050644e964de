#include "lib/base/opt.h"

#include "lib/base/num.h"
#include "lib/base/xmem.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_ONLY = 256 }; /* getopt codes of table entries start above every letter */

struct tables {
	const struct opt *own, *shared;
};

static const struct opt *entry(const struct tables *t, size_t i)
{
	size_t own = 0;

	while (t->own && t->own[own].kind != OPT_END)
		own++;
	return i < own ? &t->own[i] : &t->shared[i - own];
}

static size_t count(const struct opt *table)
{
	size_t n = 0;

	while (table && table[n].kind != OPT_END)
		n++;
	return n;
}

static int set_flag(bool *to, const char *value, struct err *e)
{
	static const char *const yes[] = { "1", "yes", "true", "on" };
	static const char *const no[] = { "0", "no", "false", "off" };

	for (size_t i = 0; value && i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(value, yes[i]) == 0) {
			*to = true;
			return 0;
		}
		if (strcmp(value, no[i]) == 0) {
			*to = false;
			return 0;
		}
	}
	if (value)
		return err_set(e, ERR_USAGE, "'%s' is neither yes nor no", value);
	*to = true;
	return 0;
}

static int set_list(struct strv *to, const char *value, bool from_env)
{
	if (!from_env) {
		strv_add(to, value);
		return 0;
	}
	while (*value) {
		size_t n = strcspn(value, " \t\n");
		AUTO_FREE char *word = xstrndup(value, n);

		if (n > 0)
			strv_add(to, word);
		value += n + (value[n] != '\0');
	}
	return 0;
}

static int set(const struct opt *o, const char *value, bool from_env, struct err *e)
{
	switch (o->kind) {
	case OPT_FLAG:
		if (value && o->arg && strcmp(value, o->arg) == 0)
			value = NULL;
		return set_flag(o->to, value, e);
	case OPT_TEXT:
		*(const char **)o->to = value;
		return 0;
	case OPT_LIST:
		return set_list(o->to, value, from_env);
	case OPT_COUNT:
		return num_u64(value, 0, UINT64_MAX, o->to, e);
	case OPT_DURATION:
		return num_duration(value, o->to, e);
	case OPT_SIZE:
		return num_size(value, o->to, e);
	case OPT_SHARE:
		return num_share(value, o->to, e);
	case OPT_RANGE:
		return range_parse(value, o->to, e);
	case OPT_CALL:
		return o->call(value, o->to, e);
	case OPT_END:
		break;
	}
	return err_set(e, ERR_USAGE, "no such option");
}

static int from_environment(const struct tables *t, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct opt *o = entry(t, i);
		const char *value = o->env ? getenv(o->env) : NULL;

		if (value && value[0] && set(o, value, true, e) < 0)
			return err_wrap(e, "environment variable %s", o->env);
	}
	return 0;
}

/* What getopt_long(3) refused, in our words. word is the argument that it stopped at. */
static int refuse(const struct tables *t, size_t n, int c, const char *word, struct err *e)
{
	for (size_t i = 0; c == ':' && i < n; i++) {
		const struct opt *o = entry(t, i);

		if (optopt == LONG_ONLY + (int)i || (o->letter && optopt == o->letter))
			return err_set(e, ERR_USAGE, "option --%s needs a value: %s", o->name,
				       o->arg);
	}
	if (optopt >= LONG_ONLY)
		return err_set(e, ERR_USAGE, "option --%s takes no value",
			       entry(t, (size_t)(optopt - LONG_ONLY))->name);
	if (optopt)
		return err_set(e, ERR_USAGE, "unknown option '-%c'", optopt);
	return err_set(e, ERR_USAGE, "unknown option '%s'", word);
}

static int takes(const struct opt *o)
{
	if (o->kind == OPT_FLAG && o->arg)
		return optional_argument;
	return o->arg ? required_argument : no_argument;
}

static void fill(const struct tables *t, size_t n, bool command, struct option *lng, char *letters)
{
	char *p = letters;

	if (command)
		*p++ = '+'; /* the first operand ends the options */
	*p++ = ':';         /* our own messages */
	for (size_t i = 0; i < n; i++) {
		const struct opt *o = entry(t, i);

		lng[i] = (struct option){ o->name, takes(o), NULL, LONG_ONLY + (int)i };
		if (o->letter) {
			*p++ = o->letter;
			if (takes(o) == required_argument)
				*p++ = ':';
		}
	}
	*p = '\0';
}

static int from_arguments(const struct tables *t, size_t n, bool command, int argc, char **argv,
			  struct err *e)
{
	AUTO_FREE struct option *lng = xcalloc(n + 1, sizeof(*lng));
	AUTO_FREE char *letters = xcalloc(2 * n + 3, 1);
	int c;

	fill(t, n, command, lng, letters);
	opterr = 0;
	optind = 0; /* glibc: start afresh, so that a test may parse twice */
	while ((c = getopt_long(argc, argv, letters, lng, NULL)) != -1) {
		size_t i = 0;

		if (c == '?' || c == ':')
			return refuse(t, n, c, argv[optind - 1], e);
		if (c >= LONG_ONLY)
			i = (size_t)(c - LONG_ONLY);
		else
			while (entry(t, i)->letter != (char)c)
				i++;
		if (set(entry(t, i), optarg, false, e) < 0)
			return err_wrap(e, "option --%s", entry(t, i)->name);
	}
	return optind;
}

int opt_parse(const struct opt *own, const struct opt *shared, bool command, int argc, char **argv,
	      struct err *e)
{
	const struct tables t = { own, shared };
	size_t n = count(own) + count(shared);

	if (from_environment(&t, n, e) < 0)
		return -1;
	return from_arguments(&t, n, command, argc, argv, e);
}

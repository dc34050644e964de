#ifndef LIB_BASE_OPT_H
#define LIB_BASE_OPT_H
/*
 * opt: one table per tool drives parsing, --help, the man page and the environment.
 *
 * An option writes straight into the variable that its entry points to. An entry with .env is
 * also read from the environment variable of that name (design: one vocabulary for
 * configuration files, environment and options); the command line wins. An empty variable
 * counts as unset.
 */
#include "lib/base/err.h"
#include "lib/base/range.h"
#include "lib/base/strv.h"

#include <stdbool.h>
#include <stdint.h>

enum opt_kind {
	OPT_FLAG,     /* bool: takes no value; in the environment 1/yes/true or 0/no/false.
		       * With .arg, a word, --name=WORD says the same as --name */
	OPT_TEXT,     /* const char *: borrowed from argv or the environment */
	OPT_LIST,     /* struct strv: may be given several times; in the environment by blanks */
	OPT_COUNT,    /* uint64_t: a whole number */
	OPT_DURATION, /* uint64_t: seconds */
	OPT_SIZE,     /* uint64_t: bytes */
	OPT_SHARE,    /* double: 20% is 0.2 */
	OPT_RANGE,    /* struct range: a Nagios threshold */
	OPT_CALL,     /* anything else: .call parses the value */
	OPT_END
};

struct opt {
	enum opt_kind kind;
	char letter;      /* 0: none */
	const char *name; /* without dashes */
	const char *arg;  /* what --help calls the value; NULL for a flag */
	void *to;         /* as the kind says */
	const char *help; /* what it does, with the default; no full stop */
	const char *env;  /* NULL: not in the environment */
	bool hidden;      /* for tests: parsed, not shown */
	int (*call)(const char *value, void *to, struct err *e);
};

#define OPT_TABLE_END \
	{ \
		.kind = OPT_END \
	}

/* Applies the environment, then argv, to both tables (the shared one may be NULL). Returns the
 * index of the first operand (after "--" where there is one), or -1 with *e (ERR_USAGE) naming
 * the option and what it takes. Options may follow operands, which are moved behind them in argv;
 * with `command` the first operand ends the options, for what follows is a command's own. */
int opt_parse(const struct opt *own, const struct opt *shared, bool command, int argc, char **argv,
	      struct err *e);
#endif

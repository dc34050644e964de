#ifndef LIB_BASE_TOOL_H
#define LIB_BASE_TOOL_H
/*
 * tool: what every main() does first, and what all tools share.
 */
#include "lib/base/opt.h"

#include <stdbool.h>
#include <stdint.h>

struct tool {
	const char *name;
	const char *what;        /* one line, completes "NAME - " */
	const char *operands;    /* for the usage line: "SOURCE", "[-- COMMAND [ARG...]]", "" */
	const char *description; /* paragraphs, separated by an empty line */
	const char *examples;    /* command lines, each followed by a line that explains it */
	const char *see_also;    /* "fetch-latest(1), emit-report(1)" */
	const struct opt *options;
	bool command;      /* its operands are a command, whose options are not ours */
	bool source;       /* starts a pipeline: never reads records from standard input */
	bool gathers;      /* acts on the stream as a whole: keeps its own findings as a sink does,
			    * and at --timeout stops reading and goes on */
	bool sink;         /* ends it: reads in every mode, passes nothing on */
	bool may_be_empty; /* having checked nothing is no fault (it only delivers) */
	bool own_timeout;  /* keeps --timeout itself (it has something to clean up first) */
	unsigned grace_s;  /* when it does: so much later it is ended after all; 0: never */
};

enum output { OUTPUT_AUTO, OUTPUT_RECORDS, OUTPUT_TEXT, OUTPUT_NAGIOS };

/* The options that every tool has. */
struct common {
	const char *label;
	const char *run;    /* --run, BACKUP_PROBES_RUN: the id of the whole pipeline */
	uint64_t timeout_s; /* 0: none */
	bool quiet, verbose, progress;
	enum output output; /* never OUTPUT_AUTO after tool_begin() */
};
extern struct common common;

/* Descriptors 0-2 exist, SIGPIPE is ignored, umask 077, no core dumps; parses the options. --help
 * and --version print and exit (0, or 3 as a plugin); wrong usage is one line on standard error
 * and status 3. Called as check_*, or with --nagios, it is a monitoring plugin. Returns the
 * index of the first operand. A tool's default for --timeout goes into common.timeout_s before. */
int tool_begin(const struct tool *t, int argc, char **argv);

/* "NAME: message" on standard error (as a plugin: "NAME UNKNOWN - message" on standard output),
 * status 3. Only before stage_begin(); afterwards see stage_fail(). */
void tool_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The same for wrong usage, with a pointer to --help. */
void tool_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* "NAME: message" on standard error, for people; tool_say() keeps quiet with --quiet, tool_debug()
 * without --verbose. */
void tool_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tool_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tool_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

const char *tool_name(void);
#endif

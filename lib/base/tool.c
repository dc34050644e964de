#include "lib/base/tool.h"

#include "lib/base/completion.h"
#include "lib/base/manual.h"
#include "lib/base/utc.h"
#include "lib/base/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "0"
#endif

enum { MANUAL_MAX = 256 * 1024 };

struct common common;

static const struct tool *current;
static bool plugin;

static int set_records(const char *value, void *to, struct err *e)
{
	(void)value;
	(void)e;
	*(enum output *)to = OUTPUT_RECORDS;
	return 0;
}

static int set_text(const char *value, void *to, struct err *e)
{
	(void)value;
	(void)e;
	*(enum output *)to = OUTPUT_TEXT;
	return 0;
}

static int set_nagios(const char *value, void *to, struct err *e)
{
	(void)value;
	(void)e;
	*(enum output *)to = OUTPUT_NAGIOS;
	return 0;
}

static int set_now(const char *value, void *to, struct err *e)
{
	int64_t ms;

	(void)to;
	if (!utc_parse(value, &ms))
		return err_set(e, ERR_USAGE, "'%s' is not an RFC 3339 time", value);
	utc_set_now(ms);
	return 0;
}

static int show_help(const char *value, void *to, struct err *e);
static int show_version(const char *value, void *to, struct err *e);
static int show_mdoc(const char *value, void *to, struct err *e);
static int show_completion(const char *value, void *to, struct err *e);

/* clang-format off */
static const struct opt shared[] = {
	{ OPT_TEXT, 0, "label", "NAME", &common.label,
	  "the database's name in reports; default: what the records on standard input say", "LABEL", false, NULL },
	{ OPT_DURATION, 't', "timeout", "DURATION", &common.timeout_s,
	  "give up after this long (90s, 15m, 26h) with status 3; default: no limit", "TIMEOUT", false, NULL },
	{ OPT_CALL, 0, "records", NULL, &common.output,
	  "write records (the default unless standard output is a terminal)", NULL, false, set_records },
	{ OPT_CALL, 0, "text", NULL, &common.output,
	  "write for people (the default on a terminal)", NULL, false, set_text },
	{ OPT_CALL, 0, "nagios", NULL, &common.output,
	  "be a monitoring plugin: one line with performance data, no standard input", NULL, false, set_nagios },
	{ OPT_FLAG, 'q', "quiet", NULL, &common.quiet,
	  "for people: only what is not ok", NULL, false, NULL },
	{ OPT_FLAG, 'v', "verbose", NULL, &common.verbose,
	  "say on standard error what is being done", NULL, false, NULL },
	{ OPT_FLAG, 0, "progress", NULL, &common.progress,
	  "show progress on standard error even when it is no terminal", NULL, false, NULL },
	{ OPT_TEXT, 0, "run", "ID", &common.run,
	  "the id of the whole pipeline", "BACKUP_PROBES_RUN", true, NULL },
	{ OPT_CALL, 0, "now", "TIME", NULL, "pretend that it is this time", NULL, true, set_now },
	{ OPT_CALL, 'h', "help", NULL, NULL, "show this text and exit", NULL, false, show_help },
	{ OPT_CALL, 'V', "version", NULL, NULL, "show the version and exit", NULL, false, show_version },
	{ OPT_CALL, 0, "mdoc", NULL, NULL, "print the manual page", NULL, true, show_mdoc },
	{ OPT_CALL, 0, "completion", "SHELL", NULL, "print the completion for a shell", NULL, true, show_completion },
	OPT_TABLE_END,
};
/* clang-format on */

static int print_and_exit(const struct buf *b, int status)
{
	if (fwrite(b->s, 1, b->len, stdout) != b->len || fflush(stdout) != 0)
		tool_die("write to standard output: %s", strerror(errno));
	exit(status);
}

static int show_help(const char *value, void *to, struct err *e)
{
	BUF_AUTO b = BUF_INIT(MANUAL_MAX);

	(void)value;
	(void)to;
	(void)e;
	manual_help(&b, current, shared);
	return print_and_exit(&b, plugin ? V_UNKNOWN : 0);
}

/* What the Makefile found, and what it did not. */
#ifdef HAVE_ISAL
#define GZIP_BY "gzip by ISA-L"
#else
#define GZIP_BY "gzip by zlib (built without ISA-L)"
#endif
#ifdef HAVE_LZ4
#define LZ4_BY "lz4"
#else
#define LZ4_BY "no lz4 (built without liblz4)"
#endif

static int show_version(const char *value, void *to, struct err *e)
{
	BUF_AUTO b = BUF_INIT(MANUAL_MAX);

	(void)value;
	(void)to;
	(void)e;
	buf_addf(&b, "%s (backup-probes) %s\n%s, %s\n", current->name, VERSION, GZIP_BY, LZ4_BY);
	return print_and_exit(&b, plugin ? V_UNKNOWN : 0);
}

static int show_mdoc(const char *value, void *to, struct err *e)
{
	BUF_AUTO b = BUF_INIT(MANUAL_MAX);

	(void)value;
	(void)to;
	(void)e;
	manual_mdoc(&b, current, shared);
	return print_and_exit(&b, 0);
}

static int show_completion(const char *value, void *to, struct err *e)
{
	BUF_AUTO b = BUF_INIT(MANUAL_MAX);

	(void)to;
	if (completion_print(&b, value, current, shared, e) < 0)
		return -1;
	return print_and_exit(&b, 0);
}

/* A closed descriptor 0-2 would be handed out to the next file that is opened, and a record would
 * land in it. It is filled in the wrong direction, so that using it fails. */
static void fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			_exit(V_UNKNOWN);
}

/* Known before the options are parsed, because wrong options must answer as a plugin too. */
static bool is_plugin(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--nagios") == 0)
			return true;
	return strncmp(name, "check_", 6) == 0;
}

int tool_begin(const struct tool *t, int argc, char **argv)
{
	struct err e = { 0 };
	int first;

	current = t;
	fill_descriptors();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	/* Connection strings and keys live in this process: no core file may keep them. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	plugin = is_plugin(argc, argv);
	if (plugin)
		common.output = OUTPUT_NAGIOS;
	first = opt_parse(t->options, shared, t->command, argc, argv, &e);
	if (first < 0)
		tool_usage("%s", e.msg);
	if (common.output == OUTPUT_AUTO)
		common.output = t->sink || isatty(STDOUT_FILENO) ? OUTPUT_TEXT : OUTPUT_RECORDS;
	return first;
}

const char *tool_name(void)
{
	return current ? current->name : "backup-probes";
}

static void __attribute__((format(printf, 1, 0))) say(const char *fmt, va_list ap)
{
	BUF_AUTO b = BUF_INIT(8192);
	char text[4096];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	buf_addf(&b, "%s: %s\n", tool_name(), text);
	(void)fputs(b.s, stderr);
}

static void __attribute__((format(printf, 1, 0), noreturn))
die(const char *fmt, va_list ap, const char *advice)
{
	char text[4096];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if (plugin)
		(void)printf("%s UNKNOWN - %s%s\n", tool_name(), text, advice);
	else
		(void)fprintf(stderr, "%s: %s%s\n", tool_name(), text, advice);
	(void)fflush(stdout);
	exit(V_UNKNOWN);
}

void tool_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(fmt, ap, "");
}

void tool_usage(const char *fmt, ...)
{
	char advice[128];
	va_list ap;

	(void)snprintf(advice, sizeof(advice), "; see %s --help", tool_name());
	va_start(ap, fmt);
	die(fmt, ap, advice);
}

void tool_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void tool_say(const char *fmt, ...)
{
	va_list ap;

	if (common.quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void tool_debug(const char *fmt, ...)
{
	va_list ap;

	if (!common.verbose)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

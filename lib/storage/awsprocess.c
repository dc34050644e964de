#include "lib/storage/awsprocess.h"

#include "lib/base/proc.h"
#include "lib/base/xmem.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORD_MAX = 16 * 1024, ANSWER_MAX = 64 * 1024, LIMIT_S = 60 };

/* One word from *p on, without its quotes. False: a quote is not closed. */
static bool take_word(const char **p, struct buf *word)
{
	char quote = '\0';

	for (; **p && (quote || !strchr(" \t\n", **p)); (*p)++) {
		if (quote ? **p == quote : **p == '\'' || **p == '"') {
			quote = quote ? '\0' : **p;
			continue;
		}
		if (**p == '\\' && quote != '\'' && (*p)[1])
			(*p)++;
		buf_addc(word, **p);
	}
	return quote == '\0';
}

int awsprocess_split(const char *command, struct strv *words, struct err *e)
{
	BUF_AUTO word = BUF_INIT(WORD_MAX);

	for (const char *p = command + strspn(command, " \t\n"); *p; p += strspn(p, " \t\n")) {
		buf_reset(&word);
		if (!take_word(&p, &word) || word.full)
			return err_set(e, ERR_USAGE, "a quote is not closed");
		strv_add(words, word.s);
	}
	return words->n ? 0 : err_set(e, ERR_USAGE, "it is empty");
}

static int run(const struct strv *words, struct awskey *out, struct err *e)
{
	SECRET_AUTO text = BUF_INIT(ANSWER_MAX);
	const struct proc p = { .argv = words->v, .fd = (const int[]){ -1, -1, STDERR_FILENO } };
	char why[64];
	int status;

	if (proc_capture(&p, LIMIT_S, &text, &status, e) < 0)
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, ERR_SYSTEM, "%s %s", words->v[0],
			       proc_status_text(status, why, sizeof(why)));
	return awskey_from_json(out, text.s, text.len, "SessionToken", e);
}

int awsprocess_run(const char *command, struct awskey *out, struct err *e)
{
	STRV_AUTO words = { 0 };

	if (awsprocess_split(command, &words, e) < 0 || run(&words, out, e) < 0)
		return err_wrap(e, "get keys by credential_process");
	return 0;
}

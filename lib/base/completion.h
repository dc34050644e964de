#ifndef LIB_BASE_COMPLETION_H
#define LIB_BASE_COMPLETION_H
/*
 * completion: what a shell offers after TAB, made from the tool's own option table, as --help and
 * the manual page are. An option whose value is called FILE, PATH, DIR or alike is offered files;
 * other values cannot be guessed.
 *
 * bash: bash(1), "Programmable Completion". zsh: zshcompsys(1), "_arguments".
 */
#include "lib/base/buf.h"
#include "lib/base/tool.h"

/* shell is "bash" or "zsh"; anything else is ERR_USAGE. */
int completion_print(struct buf *out, const char *shell, const struct tool *t,
		     const struct opt *shared, struct err *e);
#endif

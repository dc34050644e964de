#include "lib/base/completion.h"

#include <stddef.h>
#include <string.h>

/* Calls each() for the options that are shown, the tool's own first. */
static void each_option(struct buf *out, const struct tool *t, const struct opt *shared,
			void (*each)(struct buf *out, const struct opt *o))
{
	const struct opt *const tables[] = { t->options, shared };

	for (int i = 0; i < 2; i++)
		for (const struct opt *o = tables[i]; o && o->kind != OPT_END; o++)
			if (!o->hidden)
				each(out, o);
}

static bool wants_file(const struct opt *o)
{
	return o->arg &&
	       (strstr(o->arg, "FILE") || strstr(o->arg, "PATH") || strstr(o->arg, "DIR"));
}

/* "full|data": one of these words. */
static bool is_choice(const struct opt *o)
{
	return o->arg && strchr(o->arg, '|') && !wants_file(o);
}

static void add_choices(struct buf *out, const struct opt *o)
{
	for (const char *p = o->arg; *p; p++)
		buf_addc(out, *p == '|' ? ' ' : *p);
}

/* A shell function's name. */
static void add_function(struct buf *out, const char *name)
{
	for (; *name; name++)
		buf_addc(out, *name == '-' ? '_' : *name);
}

/* --- bash ------------------------------------------------------------------------------------ */

static void bash_word(struct buf *out, const struct opt *o)
{
	buf_addf(out, " --%s", o->name);
}

/* As alternatives in a case, behind the one that print_bash() begins with. */
static void bash_alternative(struct buf *out, const struct opt *o)
{
	buf_addf(out, " | --%s", o->name);
	if (o->letter)
		buf_addf(out, " | -%c", o->letter);
}

static void bash_file(struct buf *out, const struct opt *o)
{
	if (wants_file(o))
		bash_alternative(out, o);
}

static void bash_value(struct buf *out, const struct opt *o)
{
	if (o->arg && o->kind != OPT_FLAG && !wants_file(o) && !is_choice(o))
		bash_alternative(out, o);
}

static void bash_choice(struct buf *out, const struct opt *o)
{
	if (!is_choice(o))
		return;
	buf_addf(out, "\t--%s", o->name);
	if (o->letter)
		buf_addf(out, " | -%c", o->letter);
	buf_adds(out, ") mapfile -t COMPREPLY < <(compgen -W '");
	add_choices(out, o);
	buf_adds(out, "' -- \"$cur\"); return ;;\n");
}

static void print_bash(struct buf *out, const struct tool *t, const struct opt *shared)
{
	buf_addf(out, "# bash completion for %s(1)\n_", t->name);
	add_function(out, t->name);
	buf_adds(out,
		 "() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		 "\tcase $prev in\n\t'>' | '<'");
	each_option(out, t, shared, bash_file);
	buf_adds(out, ") mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n\t''");
	each_option(out, t, shared, bash_value);
	buf_adds(out, ") return ;;\n");
	each_option(out, t, shared, bash_choice);
	buf_adds(out, "\tesac\n");
	if (t->command)
		buf_adds(out,
			 "\tif [[ $prev == -- ]]; then\n"
			 "\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\"); return\n\tfi\n");
	buf_adds(out, "\tcase $cur in\n\t-*) mapfile -t COMPREPLY < <(compgen -W '");
	each_option(out, t, shared, bash_word);
	buf_adds(out, "' -- \"$cur\") ;;\n"
		      "\t*) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n\tesac\n}\n");
	buf_adds(out, "complete -o filenames -F _");
	add_function(out, t->name);
	buf_addf(out, " %s\n", t->name);
}

/* --- zsh ------------------------------------------------------------------------------------- */

/* Inside '[...]' of a single-quoted word. */
static void zsh_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			buf_adds(out, "'\\''");
		else if (strchr("[]:\\", *s))
			buf_addf(out, "\\%c", *s);
		else
			buf_addc(out, *s);
	}
}

static void zsh_option(struct buf *out, const struct opt *o)
{
	buf_adds(out, " \\\n\t");
	if (o->letter)
		buf_addf(out, "'(-%c --%s)'{-%c,--%s}'", o->letter, o->name, o->letter, o->name);
	else
		buf_addf(out, "'%s--%s", o->kind == OPT_LIST ? "*" : "", o->name);
	buf_addc(out, '[');
	zsh_text(out, o->help);
	buf_addc(out, ']');
	if (o->arg && o->kind != OPT_FLAG) {
		buf_addc(out, ':');
		zsh_text(out, o->arg);
		if (is_choice(o)) {
			buf_adds(out, ":(");
			add_choices(out, o);
			buf_addc(out, ')');
		} else {
			buf_adds(out, wants_file(o) ? ":_files" : ": ");
		}
	}
	buf_addc(out, '\'');
}

static void print_zsh(struct buf *out, const struct tool *t, const struct opt *shared)
{
	buf_addf(out, "#compdef %s\n# zsh completion for %s(1)\n_arguments -s", t->name, t->name);
	each_option(out, t, shared, zsh_option);
	buf_adds(out, t->command ? " \\\n\t'*::command:_normal'\n" : " \\\n\t'*:file:_files'\n");
}

int completion_print(struct buf *out, const char *shell, const struct tool *t,
		     const struct opt *shared, struct err *e)
{
	if (strcmp(shell, "bash") == 0)
		print_bash(out, t, shared);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(out, t, shared);
	else
		return err_set(e, ERR_USAGE, "there is no completion for %s: take bash or zsh",
			       shell);
	return 0;
}

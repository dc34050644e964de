#include "lib/dump/sqlwords.h"

bool sqlwords_next(struct sqlwords *w)
{
	return sqllex_meaning(&w->lx, w->text, w->n, &w->t) > SQL_UNCLOSED;
}

bool sqlwords_is(const struct sqlwords *w, const char *word)
{
	return sql_is(w->text, &w->t, word);
}

bool sqlwords_char(const struct sqlwords *w, char c)
{
	return w->t.kind == SQL_CHAR && w->text[w->t.at] == c;
}

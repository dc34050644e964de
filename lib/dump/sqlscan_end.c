#include "lib/dump/sqlscan.h"

#include <string.h>

/* A line end, and another one: at least so many bytes. */
enum { EMPTY_LINE = 2 };

static void close_part(struct sqlscan_end *end, const struct sqlscan_event *ev)
{
	end->closing = SQLSCAN_CLOSED;
	end->at_b = ev->at_b + ev->n;
	end->blank = false;
}

static void see_comment(struct sqlscan_end *end, const struct sqlscan_event *ev)
{
	static const struct {
		const char *text;
		bool cluster, over;
	} marks[] = {
		{ "-- PostgreSQL database dump", false, false },
		{ "-- PostgreSQL database dump complete", false, true },
		{ "-- PostgreSQL database cluster dump", true, false },
		{ "-- PostgreSQL database cluster dump complete", true, true },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (strcmp(ev->text, marks[i].text) != 0)
			continue;
		*(marks[i].cluster ? &end->in_cluster : &end->in_dump) = !marks[i].over;
		end->closing = marks[i].over ? SQLSCAN_DASHES : SQLSCAN_OPEN;
		return;
	}
	/* The comment's own last line. */
	if (end->closing == SQLSCAN_DASHES && strcmp(ev->text, "--") == 0) {
		end->closing = SQLSCAN_UNRESTRICT;
		if (end->token[0] == '\0')
			close_part(end, ev);
	} else if (end->closing == SQLSCAN_DASHES) {
		end->closing = SQLSCAN_OPEN;
	}
}

static void see_meta(struct sqlscan_end *end, const struct sqlscan_event *ev)
{
	static const char on[] = "\\restrict ", off[] = "\\unrestrict ";

	if (strncmp(ev->text, off, strlen(off)) == 0 &&
	    strcmp(ev->text + strlen(off), end->token) == 0) {
		end->token[0] = '\0';
		if (end->closing == SQLSCAN_UNRESTRICT)
			close_part(end, ev);
		return;
	}
	end->closing = SQLSCAN_OPEN;
	if (strncmp(ev->text, on, strlen(on)) == 0 && ev->n - strlen(on) < SQLSCAN_TOKEN)
		memcpy(end->token, ev->text + strlen(on), ev->n - strlen(on) + 1);
}

void sqlscan_end_see(struct sqlscan_end *end, const struct sqlscan_event *ev)
{
	if (end->closing == SQLSCAN_CLOSED && ev->at_b >= end->at_b + EMPTY_LINE)
		end->blank = true;
	if (ev->kind == SQLSCAN_COMMENT)
		see_comment(end, ev);
	else if (ev->kind == SQLSCAN_META)
		see_meta(end, ev);
	else
		end->closing = SQLSCAN_OPEN;
}

enum sqlscan_verdict sqlscan_end_judge(const struct sqlscan_end *end, uint64_t total_b)
{
	if (end->closing != SQLSCAN_CLOSED || end->in_dump || end->in_cluster)
		return SQLSCAN_CUT;
	return end->blank || total_b >= end->at_b + EMPTY_LINE ? SQLSCAN_WHOLE : SQLSCAN_CLIPPED;
}

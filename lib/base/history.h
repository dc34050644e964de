#ifndef LIB_BASE_HISTORY_H
#define LIB_BASE_HISTORY_H
/*
 * history: what earlier runs found. One line for each run: a JSON object with "record":"run"
 * (fields: docs/records.md; emit-report writes them), never changed once it is there.
 *
 * Where lines are kept is a driver's affair (history_driver.h): in files (history_file_open()), or
 * in a table of PostgreSQL (lib/pg/history.h, which opens either). A handle opens nothing before it
 * is used, so that what fails is an operation, with *e.
 *
 * Whoever appends waits for other writers of the label, a minute at most, and it returns when the
 * line is on the disk. Every line gets the fields of a chain (chain.h), so that a history that is
 * not what was written is known (history_prove()). Lines that cannot be read are skipped by
 * readers, who begin with the newest run and go no further than needed.
 */
#include "lib/base/chain.h"
#include "lib/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A run's line is at most this long; a longer one is refused when written and skipped when read. */
enum { HISTORY_LINE_MAX = 4 * 1024 * 1024 };

struct history;

/* Files. A path that is a directory, or ends in '/', means PATH/LABEL.jsonl, where every byte of
 * the label that is not a letter, a digit, '-', '_' or '.' becomes '_'. A missing directory is
 * made, its parent is not. Files are 0640, directories 0750: a monitoring user in the group may
 * read. What could not be written whole is taken back; a line cut off by a crash is set aside by
 * the newline that the next append puts first. */
struct history *history_file_open(const char *path);

void history_close(struct history *h);
void history_cleanup(struct history **h);
#define HISTORY_AUTO __attribute__((cleanup(history_cleanup))) struct history

/* For messages: the path, or the server and its database; never a password. Until it closes. */
const char *history_name(const struct history *h);

/* Does the place name a database (postgresql://, postgres://, or pairs with dbname= or service=),
 * and not a path? Paths begin with '/' or '.', or hold neither. */
bool history_in_database(const char *place);

/* How a line is signed, and what the chain's head is with it. */
struct history_seal {
	const char *sign_key; /* a file (signature.h); NULL: not signed */
	struct chain_head head;
};

/* label "" means runs without one; seal may be NULL. */
int history_append(struct history *h, const char *label, const json_t *run,
		   struct history_seal *seal, struct err *e);

/* Proves the label's lines, read from the first: chain_walk. -1 with *e when they cannot be read,
 * or there are none. visitor may be NULL. */
int history_prove(struct history *h, const char *label, const struct chain_visitor *visitor,
		  struct chain_proof *out, struct err *e);

/* Who takes runs, each borrowed (it may take a reference); false ends the walk. */
typedef bool history_take(json_t *run, void *to);

/* The last `most` runs of the label, oldest first, as an array: the caller's. None yet: an empty
 * array. NULL with *e when they cannot be read. *skipped (may be NULL) counts unreadable lines
 * among those looked at. */
json_t *history_load(struct history *h, const char *label, size_t most, unsigned *skipped,
		     struct err *e);

/* For who needs a long past and little of each run: the label's runs, the newest first. 0, also
 * when there are none yet; -1 with *e. */
int history_walk(struct history *h, const char *label, history_take *take, void *to,
		 unsigned *skipped, struct err *e);

/* Only the runs whose line holds the text, such as "\"drill\":{": years in a moment, for the other
 * lines are not parsed. */
int history_search(struct history *h, const char *label, const char *text, history_take *take,
		   void *to, struct err *e);

/* Of each run only the fields before its lists "stages" and "checks", which are most of a line: ten
 * times as fast over years of runs. label NULL: of all labels that a part has. */
int history_walk_heads(struct history *h, const char *label, history_take *take, void *to,
		       unsigned *skipped, struct err *e);

/* Gives each part: a history in a directory, the label of a table; with it any of the above may be
 * done, but appending. visit() returns -1 with *e to end with that. 0, or -1 with *e. */
typedef int history_visit(struct history *part, void *to, struct err *e);
int history_parts(struct history *h, history_visit *visit, void *to, struct err *e);
#endif

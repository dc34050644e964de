#ifndef LIB_STORAGE_POINTERS_H
#define LIB_STORAGE_POINTERS_H
/*
 * pointers: names that only stand for a backup: a symbolic link, or what is called latest
 * (select_pointer()) and is a text with a backup's name, or a copy of one. What is called so and is
 * none of that is a backup of its own.
 */
#include "lib/storage/select.h"
#include "lib/storage/storage.h"

struct pointer {
	struct backup object;
	char *target;      /* owned: the name of an object or a backup, or what was there instead of
			    * one; NULL: it is no pointer */
	bool there;        /* the target is a backup */
	char *newer;       /* owned: the newest backup, when that is not the target; NULL */
	int64_t behind_ms; /* how much older the target is */
	/* Its own. */
	bool certain;      /* whether or not there is such a target */
	char *copy_of;     /* owned: a backup of the same size; NULL */
	bool listed;       /* the target is among those that are asked for */
	int64_t target_ms; /* when that is of */
};

struct pointers {
	struct pointer *v;
	size_t n;
};

/* Takes an object of such a name; a text is read. */
int pointers_add(struct pointers *p, struct storage *s, const struct backup *o, struct err *e);
void pointers_free(struct pointers *p);

/* For each backup that there is. */
void pointers_see(struct pointers *p, const struct backup *b);

/* After them: does it stand for something? */
bool pointer_settle(struct pointer *p);

/* For each backup that is asked for, oldest first, then for the newest: is a target old? */
void pointers_date(struct pointers *p, const struct backup *b);
void pointers_judge(struct pointers *p, const struct backup *newest);

/* The target of that name; NULL. */
const char *pointers_target(const struct pointers *p, const char *name);

/* Is that the backup's name, or that of a folder that it lies in? */
bool pointer_names(const char *target, const struct backup *b);
#endif

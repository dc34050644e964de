#ifndef LIB_KEEPER_DRIVER_H
#define LIB_KEEPER_DRIVER_H
/*
 * driver: what a program that keeps backups is to keeper.c. To add one: write lib/keeper/NAME.c
 * with its own `const struct keeper_driver keeper_NAME`, and add NAME to KEEPER_DRIVERS below.
 * keeper.h says what each function promises.
 */
#include "lib/keeper/keeper.h"

#define KEEPER_DRIVERS(X) \
	X(pgbackrest) \
	X(barman) \
	X(walg)

struct keeper_driver {
	const char *scheme; /* "pgbackrest" */
	const char *called; /* "pgBackRest" */
	const char *form;   /* of a source, for messages */
	const char *user;   /* whom it runs as, when we are root */
	bool repositories;  /* it may have several, told apart by ?repo=N */
	bool nameless; /* it keeps one cluster: the source names its configuration, or nothing */
	const char *const *passes;   /* beginnings of variables that configure it; NULL: none */
	const char *const *settings; /* NAME=VALUE that it gets whatever ours are; NULL: none */
	int (*list)(const struct keeper *k, struct keeper_list *out, struct err *e);
	void (*verify)(const struct keeper *k, const struct keeper_list *l, struct stage *st);
	int (*restore)(const struct keeper *k, const struct keeper_restore *r, struct err *e);
	int (*wal_names)(const struct keeper *k, struct strv *names, struct err *e);
	int (*wal_get)(const struct keeper *k, const char *name, const char *dir, const char *data,
		       struct err *e);
	void (*check)(const struct keeper *k, struct check *c, struct err *e);
};

#define KEEPER_DECLARE(name) extern const struct keeper_driver keeper_##name;
KEEPER_DRIVERS(KEEPER_DECLARE)
#undef KEEPER_DECLARE
#endif

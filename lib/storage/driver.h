#ifndef LIB_STORAGE_DRIVER_H
#define LIB_STORAGE_DRIVER_H
/*
 * driver: what a storage is to storage.c. To add one: write lib/storage/NAME.c with its own
 * `const struct storage_driver storage_NAME`, and add NAME to STORAGE_DRIVERS below. storage.h
 * says what each function promises.
 */
#include "lib/storage/storage.h"

#define STORAGE_DRIVERS(X) \
	X(local) \
	X(azure) \
	X(web) \
	X(sftp) \
	X(s3)

struct storage_driver {
	const char *const *schemes; /* NULL-terminated; "" takes sources without a scheme */
	const char *form;           /* of a source, for messages: "s3://BUCKET/PREFIX" */
	/* Of sources with these schemes only some are its own: is this one? NULL: all are. The
	 * first driver in the list that takes a source has it. */
	bool (*claims)(const char *source);
	/* Fills state, shown and base_name (or -1 with *e, after freeing what it made). */
	int (*open)(struct storage *s, const char *source, struct err *e);
	int (*list)(struct storage *s,
		    int (*each)(const struct storage_object *o, void *ctx, struct err *e),
		    void *ctx, struct err *e);
	int (*stat)(struct storage *s, const char *name, struct storage_stat *out, struct err *e);
	int (*read)(struct storage *s, const char *name, const char *etag, int64_t from,
		    int64_t count, const struct storage_sink *sink, struct err *e);
	/* Whoever writes an object may do so while it is being read. */
	bool in_place;
	/* NULL where objects have no path here. */
	void (*path)(const struct storage *s, const char *name, struct buf *out);
	/* Fills s->state, for another thread than that of *of. */
	int (*clone)(const struct storage *of, struct storage *s, struct err *e);
	void (*close)(void *state);
};

struct storage {
	const struct storage_driver *driver;
	struct storage_options options;
	char *shown;     /* owned: the source without secrets */
	char *base_name; /* owned */
	void *state;     /* the driver's */
	bool is_object;  /* the driver's list() found that the source is one object */
};

#define STORAGE_DECLARE(name) extern const struct storage_driver storage_##name;
STORAGE_DRIVERS(STORAGE_DECLARE)
#undef STORAGE_DECLARE
#endif

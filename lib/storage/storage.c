#include "lib/storage/storage.h"

#include "lib/base/xmem.h"
#include "lib/storage/driver.h"
#include "lib/storage/uri.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENTRY(name) &storage_##name,
static const struct storage_driver *const drivers[] = { STORAGE_DRIVERS(ENTRY) };
#undef ENTRY

static bool takes(const struct storage_driver *d, const char *source, size_t scheme)
{
	for (const char *const *s = d->schemes; *s; s++)
		if (strlen(*s) == scheme && strncasecmp(source, *s, scheme) == 0)
			return d->claims == NULL || d->claims(source);
	return false;
}

static const struct storage_driver *driver_of(const char *source)
{
	size_t n = uri_scheme(source);

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (takes(drivers[i], source, n))
			return drivers[i];
	return NULL;
}

static int unknown_scheme(const char *source, struct err *e)
{
	BUF_AUTO forms = BUF_INIT(512);

#define ADD_FORM(name) buf_addf(&forms, "%s%s", forms.len ? ", " : "", storage_##name.form);
	STORAGE_DRIVERS(ADD_FORM)
#undef ADD_FORM
	return err_set(e, ERR_USAGE, "open source: no storage is called '%.*s://'; there are %s",
		       (int)uri_scheme(source), source, forms.s);
}

struct storage *storage_open(const char *source, const struct storage_options *options,
			     struct err *e)
{
	const struct storage_driver *driver = driver_of(source);
	struct storage *s;

	if (source[0] == '\0') {
		(void)err_set(e, ERR_USAGE, "open source: its name is empty");
		return NULL;
	}
	if (driver == NULL) {
		(void)unknown_scheme(source, e);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->driver = driver;
	s->options = *options;
	if (driver->open(s, source, e) < 0)
		storage_close(&s);
	return s;
}

struct storage *storage_clone(const struct storage *of, struct err *e)
{
	struct storage *s = xcalloc(1, sizeof(*s));

	s->driver = of->driver;
	s->options = of->options;
	s->shown = xstrdup(of->shown);
	s->base_name = xstrdup(of->base_name);
	s->is_object = of->is_object;
	if (s->driver->clone(of, s, e) < 0)
		storage_close(&s);
	return s;
}

void storage_close(struct storage **s)
{
	if (*s == NULL)
		return;
	if ((*s)->state)
		(*s)->driver->close((*s)->state);
	free((*s)->shown);
	free((*s)->base_name);
	free(*s);
	*s = NULL;
}

struct storage_tally *storage_tally(const struct storage *s)
{
	return s->options.tally;
}

const volatile sig_atomic_t *storage_stop(const struct storage *s)
{
	return s->options.stop;
}

const char *storage_shown(const struct storage *s)
{
	return s->shown;
}

const char *storage_base_name(const struct storage *s)
{
	return s->base_name;
}

int storage_list(struct storage *s,
		 int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
		 struct err *e)
{
	return s->driver->list(s, each, ctx, e);
}

bool storage_is_object(const struct storage *s)
{
	return s->is_object;
}

int storage_stat(struct storage *s, const char *name, struct storage_stat *out, struct err *e)
{
	*out = (struct storage_stat){ .bytes = -1, .modified_ms = -1 };
	return s->driver->stat(s, name, out, e);
}

int storage_read(struct storage *s, const char *name, const char *etag, int64_t from, int64_t count,
		 const struct storage_sink *sink, struct err *e)
{
	return s->driver->read(s, name, etag, from, count, sink, e);
}

int storage_slurp(struct storage *s, const char *name, struct buf *out, struct err *e)
{
	const struct storage_sink sink = sink_text(out);

	buf_reset(out);
	if (storage_read(s, name, "", 0, -1, &sink, e) < 0)
		return err_wrap(e, "read %s", name);
	return 0;
}

bool storage_in_place(const struct storage *s)
{
	return s->driver->in_place;
}

bool storage_path(const struct storage *s, const char *name, struct buf *out)
{
	if (s->driver->path == NULL)
		return false;
	s->driver->path(s, name, out);
	return true;
}

#include "lib/report/order.h"

#include "lib/base/xmem.h"
#include "lib/report/outlet.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool order_is_shown(const struct order *o)
{
	return !o->sent && o->path == NULL;
}

static bool is_address(const char *target)
{
	return strncmp(target, "http://", 7) == 0 || strncmp(target, "https://", 8) == 0;
}

int orders_add(struct orders *list, const char *value, struct err *e)
{
	const size_t len = strcspn(value, "=");
	const char *target = value[len] ? value + len + 1 : NULL;
	const struct format *format = format_find(value, len);
	const bool taken = format && format->submit != SUBMIT_NONE;
	struct order o = { .format = format };

	if (format == NULL || (target && *target == '\0'))
		return err_set(e, ERR_USAGE,
			       "'%.40s' is no report; write " FORMAT_NAMES
			       ", with =FILE where it is not for standard output",
			       value);
	o.sent = taken && (target == NULL || is_address(target));
	if (o.sent)
		o.url = target;
	else if (target && strcmp(target, "-") != 0)
		o.path = target;
	list->v = xrealloc(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = o;
	return 0;
}

void orders_free(struct orders *list)
{
	free(list->v);
	*list = (struct orders){ 0 };
}

bool orders_show_past(const struct orders *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].format->past)
			return true;
	return false;
}

int order_carry_out(const struct order *o, const struct view *view, struct submitter *with,
		    size_t *size, struct err *e)
{
	BUF_AUTO report = BUF_INIT(OUTLET_MAX);

	o->format->render(view, &report);
	*size = report.len;
	if (o->sent)
		return submit(with, o->format->submit, o->url, &report, e);
	return outlet_put(o->path, o->format->to_stderr ? STDERR_FILENO : STDOUT_FILENO, &report,
			  e);
}

#include "lib/base/trend.h"

#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

static char *copy(const json_t *fields, const char *name)
{
	const char *s = record_text(fields, name);

	return xstrdup(s ? s : "");
}

bool trend_backup_of(const json_t *fields, struct trend_backup *out)
{
	const char *format = record_text(fields, "format"), *type = record_text(fields, "type");
	int64_t bytes;

	/* What it restores to says more than what is stored of it: an incremental backup of a
	 * quiet day is small. */
	if ((!record_int(fields, "database_bytes", &bytes) &&
	     !record_int(fields, "bytes", &bytes)) ||
	    bytes < 0)
		return false;
	*out = (struct trend_backup){
		.source = copy(fields, "source"),
		.name = copy(fields, "name"),
		.sha256 = copy(fields, "sha256"),
		.format = xasprintf("%s%s%s", format ? format : "", type ? " " : "",
				    type ? type : ""),
		.at_ms = INT64_MIN,
		.bytes = (uint64_t)bytes,
	};
	if (!record_time(fields, "taken_at", &out->at_ms))
		(void)record_time(fields, "modified_at", &out->at_ms);
	return true;
}

void trend_backup_free(struct trend_backup *b)
{
	free(b->source);
	free(b->name);
	free(b->format);
	free(b->sha256);
	*b = (struct trend_backup){ 0 };
}

void trend_add(struct trend_list *list, struct trend_backup *b)
{
	/* Room is made in powers of two. */
	if ((list->n & (list->n - 1)) == 0)
		list->v = xrealloc(list->v, list->n ? 2 * list->n : 1, sizeof(*list->v));
	list->v[list->n++] = *b;
	*b = (struct trend_backup){ 0 };
}

void trend_free(struct trend_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		trend_backup_free(&list->v[i]);
	free(list->v);
	*list = (struct trend_list){ 0 };
}

static int by_age(const void *a, const void *b)
{
	const struct trend_backup *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The same backup seen again: by the listing, by an earlier run. */
static bool same(const struct trend_backup *a, const struct trend_backup *b)
{
	return a->at_ms == b->at_ms && strcmp(a->name, b->name) == 0;
}

static bool agree(const char *a, const char *b)
{
	return *a == '\0' || *b == '\0' || strcmp(a, b) == 0;
}

static bool precedes(const struct trend_backup *b, const struct trend_backup *this)
{
	return !same(b, this) && (this->at_ms == INT64_MIN || b->at_ms <= this->at_ms);
}

size_t trend_before(struct trend_list *list, const struct trend_backup *this, size_t most,
		    uint64_t *bytes, int64_t *at_ms)
{
	const struct trend_backup *taken = NULL;
	size_t n = 0;

	if (list->n == 0)
		return 0;
	qsort(list->v, list->n, sizeof(*list->v), by_age);
	for (size_t i = list->n; i > 0 && n < most; i--) {
		const struct trend_backup *b = &list->v[i - 1];

		if (b->bytes == 0 || !precedes(b, this) || (taken && same(b, taken)) ||
		    !agree(b->source, this->source) || !agree(b->format, this->format))
			continue;
		taken = b;
		/* From the end, for the newest come first. */
		n++;
		bytes[most - n] = b->bytes;
		if (at_ms)
			at_ms[most - n] = b->at_ms;
	}
	memmove(bytes, bytes + (most - n), n * sizeof(*bytes));
	if (at_ms)
		memmove(at_ms, at_ms + (most - n), n * sizeof(*at_ms));
	return n;
}

const struct trend_backup *trend_twin(const struct trend_list *list,
				      const struct trend_backup *this)
{
	for (size_t i = list->n; i > 0 && *this->sha256; i--) {
		const struct trend_backup *b = &list->v[i - 1];

		if (b->bytes == this->bytes && strcmp(b->sha256, this->sha256) == 0 &&
		    precedes(b, this) && agree(b->source, this->source))
			return b;
	}
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(const uint64_t *sizes, size_t n)
{
	uint64_t *sorted = xcalloc(n, sizeof(*sorted));
	uint64_t low, high;

	memcpy(sorted, sizes, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_size);
	low = sorted[(n - 1) / 2];
	high = sorted[n / 2];
	free(sorted);
	return low + (high - low) / 2;
}

static double change(uint64_t from, uint64_t to)
{
	return ((double)to - (double)from) / (double)from;
}

void trend_judge(const uint64_t *earlier, size_t n, uint64_t now_b,
		 const struct trend_limits *limits, struct trend *out)
{
	*out = (struct trend){ .n = n, .status = now_b ? V_OK : V_CRITICAL };
	if (n == 0)
		return;
	out->previous_b = earlier[n - 1];
	out->median_b = median(earlier, n);
	out->against_previous = change(out->previous_b, now_b);
	out->against_median = change(out->median_b, now_b);
	out->dropped_previous = out->against_previous < -limits->max_drop;
	out->dropped_median = out->against_median < -limits->max_drop;
	out->grown = out->against_previous > limits->max_growth &&
		     out->against_median > limits->max_growth;
	if (out->grown)
		out->status = V_WARNING;
	if (out->dropped_previous || out->dropped_median)
		out->status = V_CRITICAL;
}

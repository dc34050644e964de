#include "lib/physical/kind.h"

#include "lib/base/xmem.h"
#include "lib/physical/listed.h"
#include "lib/storage/select.h"

#include <string.h>

enum { HEAD = 64 * 1024 };

void kind_ask(struct storage *s, struct backup *b)
{
	BUF_AUTO head = BUF_INIT(HEAD);
	const struct storage_sink sink = sink_text(&head);
	AUTO_FREE char *name = listed_name(b);
	struct err ignored;

	if (!b->tars || b->in_part)
		return;
	if (storage_read(s, name, "", 0, HEAD, &sink, &ignored) == 0)
		b->in_part = strstr(head.s, "/" SELECT_IN_PART) != NULL;
}

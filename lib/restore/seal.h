#ifndef LIB_RESTORE_SEAL_H
#define LIB_RESTORE_SEAL_H
/*
 * seal: the place that the restorer and its server are shut up in (isolate.h), what of the machine
 * they see there, and what the report says about it.
 */
#include "lib/base/isolate.h"
#include "lib/base/stage.h"
#include "lib/base/strv.h"

struct seal {
	struct isolate in;
	struct strv show; /* the backup, and PostgreSQL where it is not in /usr */
};

/* Finds the best that the system allows, and says so with the check "isolation". dir is private and
 * the only one that can be written to there; backup (NULL: it is in dir) with what it links to
 * (unpack_beside()), and so are its ancestors, which it builds on;
 * pg_bindir (NULL: PATH tells) and templates (may be NULL) are visible.
 * False: required, and not possible. What *out points to must outlive it; seal_free() in any case.
 */
bool seal_find(struct seal *out, struct stage *st, const struct identity *who, const char *dir,
	       const char *backup, const struct strv *ancestors, const char *pg_bindir,
	       const char *templates, bool required);
void seal_free(struct seal *s);
#endif

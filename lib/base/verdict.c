#include "lib/base/verdict.h"

#include <string.h>
#include <sys/wait.h>

static const char *const names[] = { "ok", "warning", "critical", "unknown" };

enum verdict verdict_worst(enum verdict a, enum verdict b)
{
	static const int rank[] = {
		[V_OK] = 0, [V_WARNING] = 1, [V_UNKNOWN] = 2, [V_CRITICAL] = 3
	};

	return rank[a] >= rank[b] ? a : b;
}

const char *verdict_name(enum verdict v)
{
	return names[v];
}

bool verdict_parse(const char *word, enum verdict *out)
{
	*out = V_UNKNOWN;
	for (unsigned i = 0; word && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]) == 0) {
			*out = (enum verdict)i;
			return true;
		}
	}
	return false;
}

enum verdict verdict_of_wait(int status)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) > V_UNKNOWN)
		return V_UNKNOWN;
	return (enum verdict)WEXITSTATUS(status);
}

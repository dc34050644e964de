#ifndef LIB_BASE_VERDICT_H
#define LIB_BASE_VERDICT_H
/*
 * verdict: the four outcomes. Their values are the exit statuses of every tool and the
 * states of a monitoring plugin (Monitoring Plugins guidelines, "Plugin return codes").
 */
#include <stdbool.h>

enum verdict { V_OK = 0, V_WARNING = 1, V_CRITICAL = 2, V_UNKNOWN = 3 };

/* ok < warning < unknown < critical: "could not look" never hides behind ok or warning. */
enum verdict verdict_worst(enum verdict a, enum verdict b);

/* "ok", "warning", "critical", "unknown": the spelling in records. */
const char *verdict_name(enum verdict v);

/* False when the word is none of the four; *out is then V_UNKNOWN. */
bool verdict_parse(const char *word, enum verdict *out);

/* wait(2) status of a chained program: 0..3 pass, anything else (126, 127, a signal) is
 * unknown. */
enum verdict verdict_of_wait(int status);
#endif

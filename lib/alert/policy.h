#ifndef LIB_ALERT_POLICY_H
#define LIB_ALERT_POLICY_H
/*
 * policy: is anybody to be told? Pure: the memory, the finding and the time go in; whether to send,
 * what kind of message it is, and what to remember come out.
 *
 *	failing  what the rules count as a failure: a verdict of `from` or worse
 *	open     a failure was told, its end not yet
 *	changed  failing as before, but with another verdict or in other checks
 *
 *	            failing,    failing, open,  failing, open,   ok,       ok,
 *	            not open    changed         the same         open      not open
 *	kind        TRIGGER     TRIGGER         REMINDER         RESOLVE   REPORT
 *	failure     send        send            when due         send      -
 *	change      send        send            when due (*)     send      -
 *	always      send        send            send             send      send
 *
 * A reminder is due remind_s after the last message. Without remind_s it is due at every run under
 * "failure" and never under "change" (*). A daily run is never exactly a day after the last: a
 * twelfth of remind_s less is enough.
 *
 * With nothing remembered and all well, `resolve_blindly` resolves all the same: the memory may
 * have been lost while something was open at the service, and there a resolve too many is dropped.
 */
#include "lib/base/err.h"
#include "lib/base/verdict.h"

#include <stdbool.h>
#include <stdint.h>

enum policy_when { WHEN_FAILURE, WHEN_ALWAYS, WHEN_CHANGE };

enum alert_kind { ALERT_TRIGGER, ALERT_REMINDER, ALERT_RESOLVE, ALERT_REPORT, ALERT_TEST };

struct policy_rules {
	enum policy_when when;
	uint64_t remind_s;    /* 0: not given */
	enum verdict from;    /* the least verdict that is a failure; V_WARNING usually */
	bool resolve_blindly; /* the service ignores a resolve of what is not open */
};

struct policy_memory {
	bool known; /* there was an earlier run */
	bool open;
	enum verdict verdict; /* as last told */
	uint64_t what;        /* which checks failed, as last told: a fingerprint */
	int64_t since_ms;     /* since when it fails */
	int64_t told_ms;      /* when the last message was decided on */
};

struct policy_finding {
	enum verdict verdict;
	uint64_t what;
	int64_t at_ms;
};

struct policy_decision {
	bool send;
	enum alert_kind kind;
	const char *why; /* a clause for people: "it failed before, and differently" */
	struct policy_memory after;
};

struct policy_decision policy_decide(const struct policy_rules *rules,
				     const struct policy_memory *before,
				     const struct policy_finding *now);

bool policy_fails(const struct policy_rules *rules, enum verdict v);

/* "failure", "always", "change"; for the option table: `to` is an enum policy_when *. */
int policy_parse_when(const char *word, void *to, struct err *e);

/* "trigger", "reminder", "resolve", "report", "test". */
const char *alert_kind_name(enum alert_kind kind);
bool alert_kind_parse(const char *word, enum alert_kind *out);
#endif

#include "lib/pg/fault.h"

#include <stddef.h>
#include <string.h>

/* Longest match first: a whole code before its class. */
static const struct {
	const char *code;
	enum pg_why why;
} codes[] = {
	{ "57014", PG_WHY_TIMEOUT },     /* query_canceled: statement_timeout, or by hand */
	{ "25P03", PG_WHY_TIMEOUT },     /* idle_in_transaction_session_timeout */
	{ "25P04", PG_WHY_TIMEOUT },     /* transaction_timeout */
	{ "55P03", PG_WHY_LOCKED },      /* lock_not_available */
	{ "40001", PG_WHY_CONFLICT },    /* serialization_failure; recovery conflicts use it, too */
	{ "40P01", PG_WHY_CONFLICT },    /* deadlock_detected; so do recovery deadlocks */
	{ "57P04", PG_WHY_NO_DATABASE }, /* database_dropped */
	{ "3D000", PG_WHY_NO_DATABASE }, /* invalid_catalog_name */
	{ "42501", PG_WHY_PERMISSION },  /* insufficient_privilege; row_security=off uses it, too */
	{ "42P01", PG_WHY_MISSING },     /* undefined_table */
	{ "42703", PG_WHY_MISSING },     /* undefined_column */
	{ "3F000", PG_WHY_MISSING },     /* invalid_schema_name */
	{ "58P01", PG_WHY_DAMAGED },     /* undefined_file */
	{ "58030", PG_WHY_DAMAGED },     /* io_error */
	{ "XX001", PG_WHY_DAMAGED },     /* data_corrupted */
	{ "XX002", PG_WHY_DAMAGED },     /* index_corrupted */
	{ "53300", PG_WHY_BUSY },        /* too_many_connections */
	{ "57P", PG_WHY_BUSY },          /* admin_shutdown, crash_shutdown, cannot_connect_now */
	{ "28", PG_WHY_AUTH },           /* invalid_authorization_specification */
	{ "08", PG_WHY_LOST },           /* connection_exception */
};

enum pg_why pg_why_of_sqlstate(const char *sqlstate)
{
	if (!sqlstate || !*sqlstate)
		return PG_WHY_LOST;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strncmp(sqlstate, codes[i].code, strlen(codes[i].code)) == 0)
			return codes[i].why;
	return PG_WHY_OTHER;
}

/* Server texts before libpq's own: with several hosts one message holds the story of each. */
static const struct {
	const char *text;
	enum pg_why why;
} texts[] = {
	{ "password authentication failed", PG_WHY_AUTH },
	{ "authentication failed", PG_WHY_AUTH },
	{ "no pg_hba.conf entry", PG_WHY_AUTH },
	{ "pg_hba.conf rejects", PG_WHY_AUTH },
	{ "no password supplied", PG_WHY_AUTH },
	{ "root certificate", PG_WHY_AUTH },
	{ "certificate verify failed", PG_WHY_AUTH },
	{ "is not permitted to log in", PG_WHY_AUTH },
	{ "role \"", PG_WHY_AUTH },
	{ "database \"", PG_WHY_NO_DATABASE },
	{ "the database system is", PG_WHY_BUSY },
	{ "too many clients", PG_WHY_BUSY },
	{ "remaining connection slots", PG_WHY_BUSY },
	{ "too many connections", PG_WHY_BUSY },
	{ "timeout expired", PG_WHY_TIMEOUT },
	{ "timed out", PG_WHY_TIMEOUT },
	{ "Connection refused", PG_WHY_REFUSED },
	{ "No such file or directory", PG_WHY_REFUSED },
	{ "could not translate host name", PG_WHY_REFUSED },
	{ "No route to host", PG_WHY_REFUSED },
	{ "unreachable", PG_WHY_REFUSED },
	{ "closed the connection", PG_WHY_LOST },
};

enum pg_why pg_why_of_text(const char *text)
{
	for (size_t i = 0; text && i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strstr(text, texts[i].text))
			return texts[i].why;
	return PG_WHY_OTHER;
}

const char *pg_way_out(enum pg_why why)
{
	static const char *const ways[] = {
		[PG_WHY_NONE] = "",
		[PG_WHY_REFUSED] = "; check host and port, and that the server runs",
		[PG_WHY_AUTH] = "; check the user, its password (PGPASSFILE) and pg_hba.conf",
		[PG_WHY_NO_DATABASE] = "; check the name of the database",
		[PG_WHY_BUSY] = "; try again when the server accepts connections",
		[PG_WHY_TIMEOUT] = "; allow more time, or look at what keeps the server busy",
		[PG_WHY_LOCKED] = "; another session holds a lock on it: try again at a quieter "
				  "hour",
		[PG_WHY_CONFLICT] = "; a standby cancels long queries: raise its "
				    "max_standby_streaming_delay, or ask the primary",
		[PG_WHY_LOST] = "; look into the server's log",
		[PG_WHY_PERMISSION] = "; grant the role pg_read_all_data, and BYPASSRLS where row "
				      "security is on",
		[PG_WHY_MISSING] = "",
		[PG_WHY_DAMAGED] = "; the server cannot read its own data",
		[PG_WHY_OTHER] = "",
	};

	return ways[why];
}

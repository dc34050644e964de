#include "lib/restore/harmless.h"

#include "lib/dump/sqllex.h"
#include "lib/dump/sqlstmt.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

/* Appendix A of PostgreSQL's documentation: "undefined ..." */
static const char *const undefined[] = { "42P01", "42704", "42883", "42703", "3F000", "3D000" };

#define ELSEWHERE "it is made of another server's data, which is out of reach here: left empty"

/* statement: its first words, as sqlstmt_words() gives them. */
static const struct {
	const char *sqlstate, *message, *statement, *why;
} known[] = {
	{ "42710", "role \"postgres\" already exists", "create role",
	  "the temporary server has its superuser already" },
	{ "55006", "current user cannot be dropped", "drop role",
	  "the temporary server keeps its superuser" },
	{ "42P04", "database \"postgres\" already exists", "create database",
	  "a new server has it already" },
	{ "55006", "cannot drop the currently open database", "drop database postgres",
	  "the dump of the database postgres goes into the one that is there" },
	{ "55006", "cannot drop the currently open database", "drop database if exists postgres",
	  "the dump of the database postgres goes into the one that is there" },
	{ "42P06", "schema \"public\" already exists", "create schema",
	  "a new database has it already" },
	{ "42710", "extension \"plpgsql\" already exists", "create extension",
	  "a new database has it already" },
	{ "42710", "language \"plpgsql\" already exists", "create",
	  "a new database has it already" },
	{ "08001", "could not establish connection", "refresh materialized view", ELSEWHERE },
	{ "08001", "could not connect to server \"*", "refresh materialized view", ELSEWHERE },
	{ "22023", "invalid value for parameter \"default_tablespace\": *", "set",
	  "the objects go into the default tablespace" },
};

/* Settings that pg_dump makes at the head of a script, of servers 9.0 to 18: none of them changes
 * what is restored. */
static const char *const session_settings[] = {
	"statement_timeout",
	"lock_timeout",
	"transaction_timeout",
	"idle_in_transaction_session_timeout",
	"row_security",
	"xmloption",
	"client_min_messages",
	"check_function_bodies",
	"default_with_oids",
	"default_table_access_method",
	"synchronize_seqscans",
	"quote_all_identifiers",
	"restrict_nonsystem_relation_kind",
};

static bool begins(const char *words, const char *with)
{
	size_t n = strlen(with);

	return strncmp(words, with, n) == 0 && (words[n] == '\0' || words[n] == ' ');
}

bool harmless_undefined(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(undefined) / sizeof(undefined[0]); i++)
		if (strcmp(sqlstate, undefined[i]) == 0)
			return true;
	return false;
}

static bool is_undefined(const char *sqlstate, const char *message)
{
	static const char end[] = "does not exist";
	size_t n = strlen(message);

	if (sqlstate[0] == '\0')
		return n >= strlen(end) && strcmp(message + n - strlen(end), end) == 0;
	return harmless_undefined(sqlstate);
}

/* DROP ..., ALTER TABLE ... DROP CONSTRAINT, ALTER ... DROP DEFAULT, and how pg_dump removes large
 * objects. */
static bool drops(const char *statement, const char *words)
{
	static const char lo_unlink[] = "SELECT pg_catalog.lo_unlink(";
	struct sqllex lx = { 0 };
	struct sql_token t;
	size_t n = strlen(statement);

	if (begins(words, "drop") || strncmp(statement, lo_unlink, strlen(lo_unlink)) == 0)
		return true;
	if (!begins(words, "alter"))
		return false;
	while (sqllex_meaning(&lx, statement, n, &t) > SQL_UNCLOSED)
		if (sql_is(statement, &t, "drop"))
			return true;
	return false;
}

static bool unknown_setting(const char *sqlstate, const char *message, const char *words)
{
	static const char text[] = "unrecognized configuration parameter \"";
	size_t n;

	if ((sqlstate[0] && strcmp(sqlstate, "42704") != 0) || !begins(words, "set") ||
	    strncmp(message, text, strlen(text)) != 0)
		return false;
	message += strlen(text);
	n = strcspn(message, "\"");
	for (size_t i = 0; i < sizeof(session_settings) / sizeof(session_settings[0]); i++)
		if (strlen(session_settings[i]) == n &&
		    strncmp(session_settings[i], message, n) == 0)
			return true;
	return false;
}

const char *harmless(const char *sqlstate, const char *message, const char *statement)
{
	char words[64];

	(void)sqlstmt_words(statement, strlen(statement), words, sizeof(words));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if ((sqlstate[0] == '\0' || strcmp(sqlstate, known[i].sqlstate) == 0) &&
		    fnmatch(known[i].message, message, 0) == 0 && begins(words, known[i].statement))
			return known[i].why;
	if (is_undefined(sqlstate, message) && drops(statement, words))
		return "what it would drop is not there";
	if (unknown_setting(sqlstate, message, words))
		return "a setting of the session that this server does not know";
	return NULL;
}

/* pgbackrest_log: what the log of pgbackrest verify says beside its result. */
#include "lib/keeper/pgbackrest.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *text, *copy; /* NULL: none */
} details[] = {
	{ "DETAIL: backup.info.copy does not match backup.info\n",
	  "backup.info.copy does not match backup.info" },
	{ "DETAIL: archive.info.copy does not match archive.info",
	  "archive.info.copy does not match archive.info" },
	{ "DETAIL: backup '20261121-161721F' manifest.copy does not match manifest\n",
	  "backup '20261121-161721F' manifest.copy does not match manifest" },
	{ "DETAIL: 20261121-161721F/backup.manifest is missing or unusable, using copy\n",
	  "20261121-161721F/backup.manifest is missing or unusable, using copy" },
	{ "DETAIL: unable to open missing file '/r/backup/shop/backup.info.copy' for read\n",
	  "backup.info.copy is missing" },
	{ "DETAIL: unable to open missing file '/r/backup/shop/2F/backup.manifest.copy' for read\n",
	  "2F/backup.manifest.copy is missing" },
	{ "DETAIL: unable to open missing file '/r/backup/shop/2F/backup.manifest' for read\n",
	  NULL },
	{ "DETAIL: unable to open missing file 'name", "name is missing" },
	{ "DETAIL: invalid checksum, actual 'fa' but expected 'ec' <REPO:BACKUP>/backup.info\n",
	  "backup.info has another checksum" },
	{ "DETAIL: invalid checksum, actual 'fa' but expected 'ec' "
	  "<REPO:BACKUP>/2F/backup.manifest",
	  NULL },
	{ "DETAIL: invalid JSON value at line 6 'cipher-pass=\"secret\"': expected boolean\n",
	  "one that cannot be read: invalid JSON value at line 6 " },
	{ "DETAIL: missing '=' in key/value at line 3: secret\n",
	  "one that cannot be read: missing " },
	{ "DETAIL: key/value found outside of section at line 3: secret\n",
	  "one that cannot be read: key/value found outside of section at line 3" },
	{ "DETAIL: archiveId: 15-1, wal start: 000000010000000000000001, wal stop: "
	  "000000010000000000000006\n",
	  NULL },
	{ "DETAIL: statistics: {\"http.client\":{\"total\":1}}\n", NULL },
	{ "DETAIL: manifest missing for '20261121-161721F' - backup may have expired\n", NULL },
	{ "DETAIL: no backups exist in the repo\n", NULL },
	{ "", NULL },
	{ "\n", NULL },
};

START_TEST(copies_that_disagree_are_read)
{
	PGBACKREST_LOG_AUTO log;

	pgbackrest_log(details[_i].text, &log);
	ck_assert_uint_eq(log.copies.n, details[_i].copy ? 1 : 0);
	if (details[_i].copy)
		ck_assert_str_eq(log.copies.v[0], details[_i].copy);
	ck_assert_uint_eq(log.notes.n, 0);
}
END_TEST

START_TEST(levels_are_told_apart)
{
	PGBACKREST_LOG_AUTO log;

	pgbackrest_log("WARN: file missing '15-1/a'\n"
		       "INFO: stanza: shop\n"
		       "      status: error\n"
		       "ERROR: [055]: unable to load info file\n"
		       "       HINT: is there one?\n"
		       "INFO: verify command end: aborted\n",
		       &log);
	ck_assert_uint_eq(log.notes.n, 3);
	ck_assert_str_eq(log.notes.v[0], "file missing '15-1/a'");
	ck_assert_str_eq(log.notes.v[1], "stanza: shop");
	ck_assert_str_eq(log.errors.s, "ERROR: [055]: unable to load info file\n"
				       "       HINT: is there one?\n");
	ck_assert_uint_eq(log.copies.n, 0);
}
END_TEST

static const struct {
	const char *note, *name;
	bool names;
} notes[] = {
	{ "invalid checksum '20261121-161721F/pg_data/base/5/2838.zst'", "20261121-161721F", true },
	{ "'20261121-161721F' may not be recoverable", "20261121-161721F", true },
	{ "duplicate WAL '000000010000000000000002' for '15-1' exists, skipping", "15-1", true },
	{ "invalid size '15-10/0000000100000000/x'", "15-1", false },
	{ "invalid checksum '20261121-161721F_20261122-161721I/x'", "20261121-161721F", false },
	{ "invalid checksum 20261121-161721F/x", "20261121-161721F", false },
	{ "ends with '", "15-1", false },
	{ "", "15-1", false },
};

START_TEST(a_note_names_its_backup)
{
	ck_assert_int_eq(pgbackrest_note_names(notes[_i].note, notes[_i].name), notes[_i].names);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pgbackrest_log");
	TCase *t = tcase_create("pgbackrest_log");

	tcase_add_loop_test(t, copies_that_disagree_are_read, 0, CASES(details));
	tcase_add_test(t, levels_are_told_apart);
	tcase_add_loop_test(t, a_note_names_its_backup, 0, CASES(notes));
	suite_add_tcase(s, t);
	return suite_run(s);
}

#include "lib/report/gitlab.h"

#include "lib/base/record.h"
#include "lib/report/rows.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 256 * 1024, HEX_SIZE = 65, DIGEST_SIZE = 32 };

/* SHA-256 of label, check and subject, in hexadecimal. */
static void fingerprint(const struct summary *s, const struct row *row, char hex[HEX_SIZE])
{
	const char *subject = record_text(row->check, "subject");
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	BUF_AUTO key = BUF_INIT(PIECE_MAX);

	buf_addf(&key, "%s\n%s\n%s", s->label, row->name, subject ? subject : "");
	(void)EVP_Digest(key.s, key.len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static json_t *finding(const struct summary *s, const struct row *row)
{
	static const char *const severities[] = { "info", "minor", "critical", "major" };
	BUF_AUTO words = BUF_INIT(2 * PIECE_MAX), path = BUF_INIT(PIECE_MAX);
	char hex[HEX_SIZE];

	rows_name(row, &words);
	buf_adds(&words, ": ");
	rows_sentence(s, row->check, &words);
	buf_addf(&path, "backup/%s", s->label[0] ? s->label : "database");
	fingerprint(s, row, hex);
	return json_pack("{s:o, s:o, s:s, s:s, s:{s:o, s:{s:i}}}", "description",
			 record_string(words.s, words.len), "check_name",
			 record_string(row->name, strlen(row->name)), "fingerprint", hex,
			 "severity", severities[row->status], "location", "path",
			 record_string(path.s, path.len), "lines", "begin", 1);
}

void gitlab_report(const struct summary *s, struct buf *out)
{
	JSON_AUTO *list = json_array(), *known = json_object();
	struct rows rows;
	char *text;

	rows_findings(s, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		json_t *o = finding(s, &rows.v[i]);
		const char *key = record_text(o, "fingerprint");

		/* GitLab keeps one of a fingerprint; the worst comes first. */
		if (key && json_object_get(known, key) == NULL)
			json_array_append(list, o);
		if (key)
			json_object_set_new(known, key, json_true());
		json_decref(o);
	}
	rows_free(&rows);
	text = json_dumps(list, JSON_INDENT(2));
	buf_addf(out, "%s\n", text ? text : "[]");
	free(text);
}

#include "lib/alert/mime.h"

#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *mailbox, *want; /* NULL: refused */
} addresses[] = {
	{ "user@example.com", "user@example.com" },
	{ "Name <user@example.com>", "user@example.com" },
	{ "\"Ops, DBA\" <o.p+s@mail.example.com> ", "o.p+s@mail.example.com" },
	{ "\xc3\x84rzte <a@example.com>", "a@example.com" },
	{ "<a@example.com>", "a@example.com" },
	{ " root@localhost ", "root@localhost" },
	{ "a@xn--bcher-kva.example", "a@xn--bcher-kva.example" },
	{ "", NULL },
	{ "user", NULL },
	{ "user@", NULL },
	{ "@example.com", NULL },
	{ "a b@example.com", NULL },
	{ "a@b c", NULL },
	{ "a@example.com, b@example.com", NULL },
	{ "a@example..com", NULL },
	{ "a@.example.com", NULL },
	{ "a@example.com.", NULL },
	{ "a@-example.com", NULL },
	{ "a@example-.com", NULL },
	{ ".a@example.com", NULL },
	{ "a.@example.com", NULL },
	{ "a..b@example.com", NULL },
	{ "\xc3\xa4@example.com", NULL },
	{ "a@b\xc3\xbc"
	  "cher.example",
	  NULL },
	{ "a@example.com\r\nBcc: evil@example.com", NULL },
	{ "Name\r\nBcc: evil@example.com <a@example.com>", NULL },
	{ "Name <a@example.com> evil", NULL },
	{ "Name <a@example.com", NULL },
	{ "a@example.com>\nRCPT TO:<b@example.com", NULL },
	{ "0123456789012345678901234567890123456789012345678901234567890123@example.com",
	  "0123456789012345678901234567890123456789012345678901234567890123@example.com" },
	{ "01234567890123456789012345678901234567890123456789012345678901234@example.com", NULL },
};

START_TEST(address_table)
{
	BUF_AUTO out = BUF_INIT(1000);
	struct err e = { 0 };
	const int got = mime_address(&out, addresses[_i].mailbox, &e);

	if (addresses[_i].want) {
		ck_assert_msg(got == 0, "%s", e.msg);
		ck_assert_str_eq(out.s, addresses[_i].want);
	} else {
		ck_assert_int_eq(got, -1);
		ck_assert_int_eq(e.kind, ERR_USAGE);
		ck_assert_str_eq(out.s, "");
	}
}
END_TEST

static const struct {
	const char *value, *want;
} headers[] = {
	{ "shop: OK", "Subject: shop: OK\r\n" },
	{ "", "Subject: \r\n" },
	{ "one two three four five six seven eight nine ten eleven twelve thirteen fourteen",
	  "Subject: one two three four five six seven eight nine ten eleven twelve\r\n"
	  " thirteen fourteen\r\n" },
	{ "\xc3\xa4", "Subject: =?UTF-8?B?w6Q=?=\r\n" },
	{ "=?UTF-8?B?x?=", "Subject: =?UTF-8?B?PT9VVEYtOD9CP3g/PQ==?=\r\n" },
	/* 39 bytes fit into the first word, 45 into the others; no character is divided */
	{ "0123456789012345678901234567890123456\xe2\x82\xac\xe2\x82\xac",
	  "Subject: =?UTF-8?B?MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Ng==?=\r\n"
	  " =?UTF-8?B?4oKs4oKs?=\r\n" },
	{ "0123456789012345678901234567890123456789012345678901234567890",
	  "Subject: =?UTF-8?B?MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4?=\r\n"
	  " =?UTF-8?B?OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MA==?=\r\n" },
};

START_TEST(header_table)
{
	BUF_AUTO out = BUF_INIT(1000);

	mime_header(&out, "Subject", headers[_i].value);
	ck_assert_str_eq(out.s, headers[_i].want);
	for (const char *line = out.s; *line; line = strstr(line, "\r\n") + 2)
		ck_assert_int_le(strstr(line, "\r\n") - line, 78);
}
END_TEST

#define X70 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *text, *want;
} bodies[] = {
	{ "", "" },
	{ "a", "a\r\n" },
	{ "a\n", "a\r\n" },
	{ "a\r\nb\n", "a\r\nb\r\n" },
	{ "a\n\nb", "a\r\n\r\nb\r\n" },
	{ "1+1=2", "1+1=3D2\r\n" },
	{ "\xc3\xa4", "=C3=A4\r\n" },
	{ "a \nb\t\nc ", "a=20\r\nb=09\r\nc=20\r\n" },
	{ "a \r\nb", "a=20\r\nb\r\n" },
	{ " a\tb", " a\tb\r\n" },
	{ "a\rb", "a=0Db\r\n" },
	{ "\x01\x7f", "=01=7F\r\n" },
	{ X70 "12345", X70 "12345\r\n" },
	{ X70 "123456", X70 "12345=\r\n6\r\n" },
	{ X70 "12=", X70 "12=3D\r\n" },
	{ X70 "123=", X70 "123=\r\n=3D\r\n" },
	{ ".", ".\r\n" },
	{ "--=_mixed", "--=3D_mixed\r\n" },
};

START_TEST(body_table)
{
	BUF_AUTO out = BUF_INIT(1000);

	mime_quoted_printable(&out, bodies[_i].text);
	ck_assert_str_eq(out.s, bodies[_i].want);
	for (const char *line = out.s; *line; line = strstr(line, "\r\n") + 2)
		ck_assert_int_le(strstr(line, "\r\n") - line, 76);
}
END_TEST

static struct mime_mail mail_to(const struct strv *to)
{
	return (struct mime_mail){ .from = "Backups <backup@example.com>",
				   .to = to,
				   .subject = "shop: OK",
				   .id = "01JD/x",
				   .date_ms = 1771308700113,
				   .text = "all well\n" };
}

START_TEST(a_plain_mail)
{
	STRV_AUTO to = { 0 };
	BUF_AUTO out = BUF_INIT(10000);
	struct err e = { 0 };
	struct mime_mail m;

	strv_add(&to, "a@example.com");
	strv_add(&to, "\xc3\x84 <b@example.com>");
	m = mail_to(&to);
	ck_assert_int_eq(mime_print(&out, &m, &e), 0);
	ck_assert_str_eq(out.s, "From: \"Backups\" <backup@example.com>\r\n"
				"To: a@example.com,\r\n"
				" =?UTF-8?B?w4Q=?=\r\n"
				" <b@example.com>\r\n"
				"Subject: shop: OK\r\n"
				"Date: Tue, 17 Feb 2026 06:11:40 +0000\r\n"
				"Message-ID: <01JD-x@example.com>\r\n"
				"Auto-Submitted: auto-generated\r\n"
				"MIME-Version: 1.0\r\n"
				"Content-Type: text/plain; charset=utf-8\r\n"
				"Content-Transfer-Encoding: quoted-printable\r\n"
				"\r\n"
				"all well\r\n");
}
END_TEST

START_TEST(all_parts)
{
	static const char *const order[] = {
		"In-Reply-To: <backup-probes-shop@example.com>\r\n",
		"References: <backup-probes-shop@example.com>\r\n",
		"multipart/mixed; boundary=\"=_mixed\"\r\n\r\n--=_mixed\r\n",
		"multipart/alternative; boundary=\"=_alternative\"\r\n\r\n--=_alternative\r\n",
		"text/plain",
		"all well\r\n\r\n--=_alternative\r\n",
		"text/html",
		"<p>all well</p>\r\n\r\n--=_alternative--\r\n",
		"\r\n--=_mixed\r\n",
		"Content-Disposition: attachment; filename=\"re-port--.md\"\r\n",
		"text/markdown",
		"# report\r\n\r\n--=_mixed--\r\n",
	};
	STRV_AUTO to = { 0 };
	BUF_AUTO out = BUF_INIT(10000);
	struct err e = { 0 };
	const char *at;
	struct mime_mail m;

	strv_add(&to, "a@example.com");
	m = mail_to(&to);
	m.thread = "backup-probes/shop";
	m.html = "<p>all well</p>";
	m.file_name = "re\"port\r\n.md";
	m.file = "# report\n";
	ck_assert_int_eq(mime_print(&out, &m, &e), 0);
	at = out.s;
	for (int i = 0; i < CASES(order); i++) {
		ck_assert_msg((at = strstr(at, order[i])) != NULL, "not in order: %s", order[i]);
		at += strlen(order[i]);
	}
	ck_assert_str_eq(at, "");
}
END_TEST

static const struct {
	const char *from, *to, *subject, *why;
} wrong[] = {
	{ "a@example.com", "b@example.com", "x\r\nBcc: c@example.com", "control character" },
	{ "a@example.com", "b@example.com", "x\ny", "control character" },
	{ "a@example.com\nX: y", "b@example.com", "x", "mail address" },
	{ "a@example.com", "b@example.com\nX: y", "x", "mail address" },
	{ "a@example.com", NULL, "x", "recipients" },
};

START_TEST(no_header_can_be_added)
{
	STRV_AUTO to = { 0 };
	BUF_AUTO out = BUF_INIT(10000);
	struct err e = { 0 };
	struct mime_mail m;

	if (wrong[_i].to)
		strv_add(&to, wrong[_i].to);
	m = mail_to(&to);
	m.from = wrong[_i].from;
	m.subject = wrong[_i].subject;
	ck_assert_int_eq(mime_print(&out, &m, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_msg(strstr(e.msg, wrong[_i].why) != NULL, "%s", e.msg);
}
END_TEST

START_TEST(a_mail_that_is_too_large_is_refused)
{
	STRV_AUTO to = { 0 };
	BUF_AUTO out = BUF_INIT(100);
	struct err e = { 0 };
	struct mime_mail m;

	strv_add(&to, "a@example.com");
	m = mail_to(&to);
	ck_assert_int_eq(mime_print(&out, &m, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mime");
	TCase *c = tcase_create("mime");

	tcase_add_loop_test(c, address_table, 0, CASES(addresses));
	tcase_add_loop_test(c, header_table, 0, CASES(headers));
	tcase_add_loop_test(c, body_table, 0, CASES(bodies));
	tcase_add_test(c, a_plain_mail);
	tcase_add_test(c, all_parts);
	tcase_add_loop_test(c, no_header_can_be_added, 0, CASES(wrong));
	tcase_add_test(c, a_mail_that_is_too_large_is_refused);
	suite_add_tcase(s, c);
	return suite_run(s);
}

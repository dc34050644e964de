#include "lib/alert/alert.h"

#include "lib/alert/alertmanager.h"
#include "lib/alert/sign.h"
#include "lib/base/atomic.h"
#include "lib/base/record.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(key_is_made_of_label_and_check)
{
	BUF_AUTO b = BUF_INIT(1024);

	alert_key(&b, "shop", "");
	ck_assert_str_eq(b.s, "backup-probes/shop");
	buf_reset(&b);
	alert_key(&b, "shop", "row-count");
	ck_assert_str_eq(b.s, "backup-probes/shop/row-count");
}
END_TEST

/* A long key is cut on a character's border and still its own. */
START_TEST(key_has_a_limit)
{
	char one[400], two[400];
	BUF_AUTO a = BUF_INIT(1024);
	BUF_AUTO b = BUF_INIT(1024);

	for (size_t i = 0; i < 398; i += 2)
		memcpy(one + i, "\xc3\xa4", 2);
	one[398] = '\0';
	memcpy(two, one, sizeof(two));
	two[396] = 'x';
	two[397] = 'y';
	for (size_t pad = 0; pad < 2; pad++) {
		buf_reset(&a);
		buf_reset(&b);
		alert_key(&a, one + 2 * pad, pad ? "x" : "");
		alert_key(&b, two + 2 * pad, pad ? "x" : "");
		ck_assert_uint_le(a.len, ALERT_KEY_MAX);
		ck_assert_uint_ge(a.len, ALERT_KEY_MAX - 4);
		ck_assert_str_ne(a.s, b.s);
		for (size_t i = 0; i < a.len;) {
			size_t n = utf8_take(a.s + i, a.len - i, NULL);

			ck_assert_uint_gt(n, 0);
			i += n;
		}
	}
}
END_TEST

static const struct {
	const char *in;
	size_t most;
	const char *want;
} texts[] = {
	{ "", 5, "" },
	{ "abc", 3, "abc" },
	{ "abcd", 3, "ab\xe2\x80\xa6" },
	{ "a\nb\tc\x01\x7f", 10, "a b c  " },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", 3, "\xc3\xa4\xc3\xb6\xe2\x80\xa6" },
};

START_TEST(one_line)
{
	BUF_AUTO b = BUF_INIT(1024);

	alert_text(&b, texts[_i].in, texts[_i].most);
	ck_assert_str_eq(b.s, texts[_i].want);
}
END_TEST

static json_t *checks(size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s, s:s}", "check", "row-count",
						"subject", "public.orders", "status", "critical",
						"summary", "12 rows are missing", "run", "01X"));
	return list;
}

static const struct {
	enum alert_kind kind;
	const char *topic;
	enum verdict verdict;
	size_t failing;
	int64_t since_ms;
	const char *want;
} headlines[] = {
	{ ALERT_TRIGGER, "", V_CRITICAL, 1, 0,
	  "shop: CRITICAL: row-count public.orders: 12 rows are missing" },
	{ ALERT_TRIGGER, "", V_WARNING, 3, 0,
	  "shop: WARNING: row-count public.orders: 12 rows are missing (and 2 more)" },
	{ ALERT_REMINDER, "row-count", V_UNKNOWN, 1, 1771294680000,
	  "shop: UNKNOWN: row-count public.orders: 12 rows are missing; since 2026-02-17 02:18:00 "
	  "UTC" },
	{ ALERT_RESOLVE, "", V_OK, 0, 0, "shop: the backup is well again" },
	{ ALERT_RESOLVE, "restore", V_OK, 0, 1771294680000,
	  "shop: restore is well again; it failed since 2026-02-17 02:18:00 UTC" },
	{ ALERT_REPORT, "", V_OK, 0, 0, "shop: OK: the backup passed all checks (0)" },
	{ ALERT_REPORT, "", V_WARNING, 1, 0,
	  "shop: WARNING: row-count public.orders: 12 rows are missing" },
	{ ALERT_TEST, "test", V_OK, 0, 0, "shop: TEST alert of backup-probes; nothing is wrong" },
};

START_TEST(headline)
{
	JSON_AUTO *failing = checks(headlines[_i].failing);
	BUF_AUTO b = BUF_INIT(4096);
	struct alert a = { .kind = headlines[_i].kind,
			   .topic = headlines[_i].topic,
			   .verdict = headlines[_i].verdict,
			   .since_ms = headlines[_i].since_ms,
			   .label = "shop",
			   .failing = failing,
			   .checks = failing };

	alert_headline(&b, &a);
	ck_assert_str_eq(b.s, headlines[_i].want);
}
END_TEST

START_TEST(list_of_checks_is_bounded)
{
	JSON_AUTO *all = checks(500);
	JSON_AUTO *few = alert_checks(all, 2000);
	JSON_AUTO *none = alert_checks(all, 10);
	JSON_AUTO *whole = alert_checks(all, 1 << 20);
	char *text = json_dumps(few, JSON_COMPACT);

	ck_assert_uint_gt(json_array_size(few), 10);
	ck_assert_uint_le(strlen(text), 2000);
	ck_assert_uint_eq(json_array_size(none), 0);
	ck_assert_uint_eq(json_array_size(whole), 500);
	ck_assert_ptr_null(json_object_get(json_array_get(few, 0), "run"));
	free(text);
}
END_TEST

/* One severity fires, the others end; a resolve ends all; labels never change. */
START_TEST(alertmanager_severities)
{
	JSON_AUTO *failing = checks(1);
	struct alert a = { .kind = ALERT_TRIGGER,
			   .topic = "row-count",
			   .verdict = V_UNKNOWN,
			   .label = "shop",
			   .headline = "h",
			   .at_ms = 1771294680000,
			   .since_ms = 1771294600000,
			   .failing = failing,
			   .checks = failing };
	static const char *const severities[] = { "critical", "unknown", "warning" };

	for (int resolve = 0; resolve < 2; resolve++) {
		JSON_AUTO *o = alertmanager_compose(&a, 3600);
		const json_t *alerts = json_object_get(o, "alerts");

		ck_assert_uint_eq(json_array_size(alerts), 3);
		for (size_t i = 0; i < 3; i++) {
			const json_t *alert = json_array_get(alerts, i);
			const json_t *labels = json_object_get(alert, "labels");
			bool firing = !resolve && i == 1;

			ck_assert_uint_eq(json_object_size(labels), 4);
			ck_assert_str_eq(record_text(labels, "severity"), severities[i]);
			ck_assert_str_eq(record_text(labels, "check"), "row-count");
			ck_assert_str_eq(record_text(alert, "startsAt"),
					 "2026-02-17T02:16:40.000Z");
			ck_assert_str_eq(record_text(alert, "endsAt"),
					 firing ? "2026-02-17T03:18:00.000Z"
						: "2026-02-17T02:18:00.000Z");
		}
		a.kind = ALERT_RESOLVE;
	}
}
END_TEST

/* openssl dgst -sha256 -hmac: computed with another implementation. */
START_TEST(signature)
{
	BUF_AUTO b = BUF_INIT(256);

	sign_body(&b, "whsec_test", 1771294680999, "{\"a\":1}", 7);
	ck_assert_str_eq(b.s, "t=1771294680,v1="
			      "500cdafddec9756d46d0b382d3ec3b9f1c16ee914899008cede2bcd8ea357e94");
}
END_TEST

START_TEST(secret_comes_from_file_environment_credentials)
{
	struct secret s = { 0 };
	struct err e = { 0 };
	char dir[] = "/tmp/test_secret.XXXXXX", path[64], other[64];
	static char in_environment[] = "SECRET_T=from-environment";

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/SECRET_T", dir);
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	ck_assert_int_eq(atomic_write(path, "from-credentials\n", 17, 0600, &e), 0);
	ck_assert_int_eq(atomic_write(other, "from-file\r\n", 11, 0600, &e), 0);
	ck_assert_int_eq(secret_load(&s, "SECRET_T", NULL, &e), 0);
	ck_assert_ptr_null(s.value);
	ck_assert_int_eq(secret_need(&s, "SECRET_T", NULL, &e), -1);
	ck_assert_str_eq(e.msg, "find SECRET_T: it is set nowhere; put it into the environment, or "
				"its file's name into SECRET_T_FILE");

	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	ck_assert_int_eq(secret_need(&s, "SECRET_T", NULL, &e), 0);
	ck_assert_str_eq(s.value, "from-credentials");
	secret_wipe(&s);
	ck_assert_ptr_null(s.value);

	ck_assert_int_eq(putenv(in_environment), 0);
	ck_assert_int_eq(secret_need(&s, "SECRET_T", other, &e), 0);
	ck_assert_str_eq(s.value, "from-file");
	secret_wipe(&s);
	ck_assert_int_eq(secret_need(&s, "SECRET_T", NULL, &e), 0);
	ck_assert_str_eq(s.value, "from-environment");
	/* What /proc/PID/environ shows is gone, and a child would not inherit it. */
	ck_assert_str_eq(in_environment, "SECRET_T=");
	ck_assert_ptr_null(getenv("SECRET_T"));
	secret_wipe(&s);

	/* As it is: a key may have many lines, and bytes that are no text. */
	ck_assert_int_eq(atomic_write(other, "two\nlines\0\n", 11, 0600, &e), 0);
	ck_assert_int_eq(secret_load_bytes(&s, "SECRET_T", other, 11, &e), 0);
	ck_assert_uint_eq(s.n, 11);
	ck_assert_mem_eq(s.value, "two\nlines\0\n", 11);
	secret_wipe(&s);
	ck_assert_int_eq(secret_load_bytes(&s, "SECRET_T", other, 10, &e), -1);
	ck_assert_int_eq(setenv("SECRET_T", "once", 1), 0);
	ck_assert_int_eq(secret_load_bytes(&s, "SECRET_T", NULL, 4, &e), 0);
	ck_assert_str_eq(s.value, "once");
	ck_assert_ptr_null(getenv("SECRET_T"));
	secret_wipe(&s);
	ck_assert_int_eq(secret_load_bytes(&s, "SECRET_T", NULL, 64, &e), 0);
	ck_assert_str_eq(s.value, "from-credentials\n");
	secret_wipe(&s);

	ck_assert_int_eq(secret_load(&s, "SECRET_T", "/nowhere/x", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "/nowhere/x"));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}
END_TEST

static const struct {
	const char *value;
	bool good;
} values[] = {
	{ "abc", true },         { "a b~!", true }, { "a\nX-Injected: 1", false },
	{ "a\tb", false },       { "\x7f", false }, { "p\xc3\xa4ss", false },
	{ "trailing\r", false },
};

START_TEST(secret_is_one_printable_line)
{
	struct secret s = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(setenv("SECRET_T", values[_i].value, 1), 0);
	ck_assert_int_eq(secret_load(&s, "SECRET_T", NULL, &e), values[_i].good ? 0 : -1);
	ck_assert_int_eq(s.value != NULL, values[_i].good);
	ck_assert_ptr_null(strstr(e.msg, "Injected"));
	secret_wipe(&s);
}
END_TEST

START_TEST(mask)
{
	struct secret s = { 0 }, t = { 0 };
	struct err e = { 0 };
	char text[] = "a 0123456789 b xy 0123456789";

	ck_assert_int_eq(setenv("SECRET_T", "0123456789", 1), 0);
	ck_assert_int_eq(setenv("SECRET_U", "xy", 1), 0);
	ck_assert_int_eq(secret_load(&s, "SECRET_T", NULL, &e), 0);
	ck_assert_int_eq(secret_load(&t, "SECRET_U", NULL, &e), 0);
	secret_mask(text);
	ck_assert_str_eq(text, "a **** b ** ****");
	secret_wipe(&s);
	secret_wipe(&t);
	secret_mask(text);
	ck_assert_str_eq(text, "a **** b ** ****");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alert");
	TCase *c = tcase_create("alert");

	tcase_add_test(c, key_is_made_of_label_and_check);
	tcase_add_test(c, key_has_a_limit);
	tcase_add_loop_test(c, one_line, 0, CASES(texts));
	tcase_add_loop_test(c, headline, 0, CASES(headlines));
	tcase_add_test(c, list_of_checks_is_bounded);
	tcase_add_test(c, alertmanager_severities);
	tcase_add_test(c, signature);
	tcase_add_test(c, secret_comes_from_file_environment_credentials);
	tcase_add_loop_test(c, secret_is_one_printable_line, 0, CASES(values));
	tcase_add_test(c, mask);
	suite_add_tcase(s, c);
	return suite_run(s);
}

#include "lib/net/courier.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/net/easy.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
	const char *value;
	int64_t want;
} waits[] = {
	{ "0", 0 },
	{ "7", 7000 },
	{ "120", 120000 },
	{ "2147483647", 2147483647000 },
	{ "2147483648", -1 },
	{ "99999999999999999999", -1 },
	{ "Tue, 17 Feb 2026 01:59:00 GMT", 60000 },
	{ "Tue, 17 Feb 2026 01:57:00 GMT", 0 }, /* past: now */
	{ "", -1 },
	{ "-1", -1 },
	{ "1.5", -1 },
	{ "soon", -1 },
	{ "20260217", 20260217000 }, /* seconds, no date */
};

START_TEST(retry_after)
{
	int64_t now_ms;

	ck_assert(utc_parse("2026-02-17T01:58:00Z", &now_ms));
	ck_assert_int_eq(courier_retry_after_ms(waits[_i].value, now_ms), waits[_i].want);
}
END_TEST

static const struct {
	long status;
	enum fate want;
} statuses[] = {
	{ 200, FATE_ACCEPTED }, { 202, FATE_ACCEPTED }, { 204, FATE_ACCEPTED }, { 301, FATE_HELD },
	{ 307, FATE_HELD },     { 400, FATE_REFUSED },  { 401, FATE_HELD },     { 403, FATE_HELD },
	{ 404, FATE_HELD },     { 408, FATE_LATER },    { 409, FATE_HELD },     { 410, FATE_HELD },
	{ 413, FATE_REFUSED },  { 415, FATE_REFUSED },  { 422, FATE_REFUSED },  { 425, FATE_LATER },
	{ 429, FATE_LATER },    { 500, FATE_LATER },    { 502, FATE_LATER },    { 503, FATE_LATER },
	{ 504, FATE_LATER },    { 100, FATE_HELD },     { 0, FATE_HELD },
};

START_TEST(judge_table)
{
	BUF_AUTO why = BUF_INIT(256);
	struct courier_answer a = COURIER_ANSWER_INIT;

	a.status = statuses[_i].status;
	ck_assert_int_eq(courier_judge(&a, &why), statuses[_i].want);
}
END_TEST

static const struct {
	const char *in, *want;
} encoded[] = {
	{ "", "" },
	{ "abcXYZ019-._~", "abcXYZ019-._~" },
	{ "a b/c?d&e=f+g%h", "a%20b%2Fc%3Fd%26e%3Df%2Bg%25h" },
	{ "\xc3\xa4\n", "%C3%A4%0A" },
};

START_TEST(percent)
{
	BUF_AUTO out = BUF_INIT(256);

	courier_percent(&out, encoded[_i].in);
	ck_assert_str_eq(out.s, encoded[_i].want);
}
END_TEST

static const struct {
	const char *url, *want;
} places[] = {
	{ "https://hooks.slack.com/services/T0/B0/secret", "https://hooks.slack.com" },
	{ "https://user:pass@example.com:8443/x?key=secret#secret", "https://example.com:8443" },
	{ "http://[::1]:9093/api", "http://[::1]:9093" },
	{ "smtps://u:p@mail.example.com", "smtps://mail.example.com" },
	{ "secret", "the address" },
	{ "", "the address" },
	{ "https://exa mple/secret", "the address" },
};

START_TEST(where)
{
	char out[EASY_WHERE_SIZE];

	ck_assert_str_eq(easy_where(places[_i].url, out), places[_i].want);
}
END_TEST

START_TEST(ca_file_that_is_not_there)
{
	struct err e = { 0 };

	ck_assert_ptr_null(easy_open("https", "/nowhere/ca.pem", &e));
	ck_assert_str_eq(e.msg, "read the CA file /nowhere/ca.pem: No such file or directory; name "
				"a PEM file with --ca-file");
}
END_TEST

/* Nothing of what is secret may show up in a dry run or in a message. */
START_TEST(nothing_secret_is_shown)
{
	static const char *const headers[] = { "Content-Type: application/json",
					       "Authorization: Bearer s3cret", "X-Api-Key: s3cret",
					       NULL };
	BUF_AUTO dry = BUF_INIT(4096);
	struct courier_options o = { .try_ms = 1000, .deadline_ms = INT64_MAX, .dry = &dry };
	struct courier_request q = { .method = "POST",
				     .url = "http://u:s3cret@127.0.0.1:1/s3cret?s3cret",
				     .headers = headers,
				     .body = "{}",
				     .len = 2 };
	struct courier_answer a = COURIER_ANSWER_INIT;
	struct err e = { 0 };
	struct courier *c = courier_open(&o, &e);

	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(courier_send(c, &q, &a, &e), FATE_ACCEPTED);
	ck_assert_str_eq(dry.s, "POST http://127.0.0.1:1/****\n"
				"Content-Type: application/json\n"
				"Authorization: ****\nX-Api-Key: ****\n\n{}\n");
	courier_close(c);
	o.dry = NULL;
	o.deadline_ms = mono_ms() + 300;
	c = courier_open(&o, &e);
	ck_assert_int_eq(courier_send(c, &q, &a, &e), FATE_LATER);
	ck_assert_ptr_null(strstr(e.msg, "s3cret"));
	ck_assert_ptr_nonnull(strstr(e.msg, "send to http://127.0.0.1:1: "));
	q.url = "ftp://127.0.0.1/s3cret";
	ck_assert_int_eq(courier_send(c, &q, &a, &e), FATE_HELD);
	ck_assert_ptr_null(strstr(e.msg, "s3cret"));
	courier_close(c);
	courier_answer_free(&a);
}
END_TEST

/* A server that accepts and never answers: only the flag ends it before the 60 seconds. */
START_TEST(a_stop_ends_it_at_once)
{
	const struct sockaddr_in any = { .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in at = { 0 };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	volatile sig_atomic_t stop = 1;
	struct courier_options o = {
		.try_ms = 60000, .deadline_ms = mono_ms() + 60000, .direct = true, .stop = &stop
	};
	struct courier_request q = { .method = "GET" };
	struct courier_answer a = COURIER_ANSWER_INIT;
	struct err e = { 0 };
	struct courier *c = courier_open(&o, &e);
	AUTO_FREE char *url = NULL;

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	url = xasprintf("http://127.0.0.1:%d/", ntohs(at.sin_port));
	q.url = url;
	ck_assert_int_ne(courier_send(c, &q, &a, &e), FATE_ACCEPTED);
	ck_assert_uint_eq(a.tries, 1);
	courier_close(c);
	courier_answer_free(&a);
	(void)close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("courier");
	TCase *c = tcase_create("courier");

	tcase_add_loop_test(c, retry_after, 0, CASES(waits));
	tcase_add_loop_test(c, judge_table, 0, CASES(statuses));
	tcase_add_loop_test(c, percent, 0, CASES(encoded));
	tcase_add_loop_test(c, where, 0, CASES(places));
	tcase_add_test(c, ca_file_that_is_not_there);
	tcase_add_test(c, nothing_secret_is_shown);
	tcase_add_test(c, a_stop_ends_it_at_once);
	suite_add_tcase(s, c);
	return suite_run(s);
}

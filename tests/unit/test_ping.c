#include "lib/alert/ping.h"

#include "tests/unit/suite.h"

#include <string.h>

static const char rid[] = "0ccef5ad-1d0c-4b7b-9a3e-0123456789ab";

#define H PING_HEALTHCHECKS
#define C PING_CRONITOR
#define K PING_KUMA
#define B PING_BETTERSTACK
#define HC "https://hc-ping.com/7d0bee08-0cf4-4bcf-8bbf-0a4e5f3d3a2b"
#define RID "rid=0ccef5ad-1d0c-4b7b-9a3e-0123456789ab"

static const struct {
	enum ping_style style;
	const char *url;
	enum ping_event event;
	int status;
	const char *text;
	int64_t elapsed_ms;
	const char *want;
} urls[] = {
	{ H, HC, PING_START, -1, "", -1, HC "/start?" RID },
	{ H, HC, PING_SUCCESS, -1, "t", 5, HC "?" RID },
	{ H, HC "/", PING_FAIL, -1, "t", 5, HC "/fail?" RID },
	{ H, HC, PING_FAIL, 2, "t", 5, HC "/2?" RID },
	{ H, HC, PING_SUCCESS, 0, "t", 5, HC "/0?" RID },
	{ H, HC, PING_START, 0, "t", 5, HC "/start?" RID },
	{ H, "https://hc-ping.com/key/slug?create=1", PING_FAIL, -1, "t", 5,
	  "https://hc-ping.com/key/slug/fail?create=1&" RID },
	{ B, "https://uptime.betterstack.com/api/v1/heartbeat/x", PING_SUCCESS, -1, "t", 5,
	  "https://uptime.betterstack.com/api/v1/heartbeat/x" },
	{ B, "https://uptime.betterstack.com/api/v1/heartbeat/x", PING_FAIL, 3, "t", 5,
	  "https://uptime.betterstack.com/api/v1/heartbeat/x/3" },
	{ C, "https://cronitor.link/p/k/m", PING_START, -1, "", -1,
	  "https://cronitor.link/p/k/m?state=run&series=0ccef5ad-1d0c-4b7b-9a3e-0123456789ab"
	  "&host=h" },
	{ C, "https://cronitor.link/p/k/m", PING_FAIL, 2, "a&b=c d", 61005,
	  "https://cronitor.link/p/k/m?state=fail&series=0ccef5ad-1d0c-4b7b-9a3e-0123456789ab"
	  "&host=h&message=a%26b%3dc+d&status_code=2&metric=duration%3a61.005"
	  "&metric=error_count%3a3" },
	{ K, "https://kuma/api/push/x?status=up&msg=OK&ping=", PING_SUCCESS, -1, "fine", 1234,
	  "https://kuma/api/push/x?status=up&msg=fine&ping=1234" },
	{ K, "https://kuma/api/push/x", PING_FAIL, 2, "bad\nvery", 86400001,
	  "https://kuma/api/push/x?status=down&msg=bad+very" },
};

START_TEST(url)
{
	struct ping p = { .event = urls[_i].event,
			  .status = urls[_i].status,
			  .rid = rid,
			  .host = "h",
			  .text = urls[_i].text,
			  .elapsed_ms = urls[_i].elapsed_ms,
			  .failing = 3 };
	BUF_AUTO out = BUF_INIT(8192);
	struct err e = { 0 };

	ck_assert_int_eq(ping_url(&out, urls[_i].style, urls[_i].url, &p, &e), 0);
	ck_assert_str_eq(out.s, urls[_i].want);
}
END_TEST

START_TEST(no_url_at_all)
{
	struct ping p = { .rid = rid, .host = "h", .text = "" };
	BUF_AUTO out = BUF_INIT(8192);
	struct err e = { 0 };

	ck_assert_int_eq(ping_url(&out, H, "s3cret value", &p, &e), -1);
	ck_assert_ptr_null(strstr(e.msg, "s3cret"));
}
END_TEST

static const struct {
	const char *url;
	enum ping_style want;
} guesses[] = {
	{ HC, H },
	{ "https://hc.example.com/ping/7d0bee08-0cf4-4bcf-8bbf-0a4e5f3d3a2b", H },
	{ "https://cronitor.link/p/key/monitor", C },
	{ "https://status.example.com/api/push/abc?status=up", K },
	{ "https://uptime.betterstack.com/api/v1/heartbeat/abc", B },
	{ "https://uptime.betteruptime.com/api/v1/heartbeat/abc", B },
};

START_TEST(guess)
{
	ck_assert_int_eq(ping_guess(guesses[_i].url), guesses[_i].want);
}
END_TEST

START_TEST(start_only_where_there_is_one)
{
	ck_assert(ping_has(H, PING_START));
	ck_assert(ping_has(C, PING_START));
	ck_assert(!ping_has(K, PING_START));
	ck_assert(!ping_has(B, PING_START));
	ck_assert(ping_has(K, PING_SUCCESS));
	ck_assert(ping_has(B, PING_FAIL));
}
END_TEST

/* The body stays below what a self-hosted service keeps, and is cut between characters. */
START_TEST(body)
{
	static char text[30001];
	BUF_AUTO out = BUF_INIT(64 * 1024);
	struct ping p = { .text = text };

	for (size_t i = 0; i < 30000; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	ping_body(&out, H, &p);
	ck_assert_uint_eq(out.len, 9000);
	text[30000 - 1] = '\0';
	memmove(text + 1, text, 29999);
	text[0] = 'x';
	buf_reset(&out);
	ping_body(&out, B, &p);
	ck_assert_uint_eq(out.len, 8998);
	buf_reset(&out);
	ping_body(&out, K, &p);
	ping_body(&out, C, &p);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_str_eq(ping_method(H), "POST");
	ck_assert_str_eq(ping_method(K), "GET");
}
END_TEST

START_TEST(rid_is_a_uuid)
{
	char a[PING_RID_SIZE], b[PING_RID_SIZE];

	(void)ping_rid(a);
	(void)ping_rid(b);
	ck_assert_uint_eq(strlen(a), 36);
	ck_assert_str_ne(a, b);
	for (size_t i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			ck_assert_int_eq(a[i], '-');
		else
			ck_assert_ptr_nonnull(strchr("0123456789abcdef", a[i]));
	}
	ck_assert_int_eq(a[14], '4');
	ck_assert_ptr_nonnull(strchr("89ab", a[19]));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ping");
	TCase *c = tcase_create("ping");

	tcase_add_loop_test(c, url, 0, CASES(urls));
	tcase_add_test(c, no_url_at_all);
	tcase_add_loop_test(c, guess, 0, CASES(guesses));
	tcase_add_test(c, start_only_where_there_is_one);
	tcase_add_test(c, body);
	tcase_add_test(c, rid_is_a_uuid);
	suite_add_tcase(s, c);
	return suite_run(s);
}

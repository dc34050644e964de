#include "lib/net/loopback.h"

#include "tests/unit/suite.h"

static const struct {
	const char *url;
	bool want;
} urls[] = {
	{ "http://localhost/x", true },
	{ "smtp://localhost", true },
	{ "smtp://127.0.0.1:25", true },
	{ "http://127.8.9.10:80/", true },
	{ "http://[::1]:80/", true },
	{ "http://LOCALHOST/", false }, /* written otherwise: not taken for granted */
	{ "http://localhost.example.com/", false },
	{ "http://localhost@example.com/", false },
	{ "http://127.0.0.1.example.com/", false },
	{ "http://128.0.0.1/", false },
	{ "http://10.0.0.1/", false },
	{ "http://[::2]/", false },
	{ "http://[::ffff:10.0.0.1]/", false },
	{ "http://example.com/localhost", false },
	{ "localhost", false },
	{ "", false },
};

START_TEST(url_table)
{
	ck_assert_msg(loopback_url(urls[_i].url) == urls[_i].want, "%s", urls[_i].url);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loopback");
	TCase *c = tcase_create("loopback");

	tcase_add_loop_test(c, url_table, 0, CASES(urls));
	suite_add_tcase(s, c);
	return suite_run(s);
}

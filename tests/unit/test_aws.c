/* Where S3 is, who we are there, and the small formats on the way to that. */
#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/storage/aws.h"
#include "lib/storage/awschain.h"
#include "lib/storage/awsfiles.h"
#include "lib/storage/awskeys.h"
#include "lib/storage/awsprocess.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char home[] = "/tmp/test-aws-XXXXXX";
static char credentials[64], config[64];

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* "AWS_X=y" for this test alone. */
static void set(const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	AUTO_FREE char *name = xstrndup(assignment, (size_t)(equals - assignment));

	ck_assert_int_eq(setenv(name, equals + 1, 1), 0);
}

static void set_up(void)
{
	static const char *const known[] = {
		"AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN",
		"AWS_PROFILE",
		"AWS_DEFAULT_PROFILE",
		"AWS_REGION",
		"AWS_DEFAULT_REGION",
		"AWS_ENDPOINT_URL",
		"AWS_ENDPOINT_URL_S3",
		"AWS_ENDPOINT_URL_STS",
		"AWS_CA_BUNDLE",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
		"AWS_USE_FIPS_ENDPOINT",
		"AWS_USE_DUALSTACK_ENDPOINT",
		"AWS_REQUEST_PAYER",
		"AWS_ROLE_ARN",
		"AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		(void)unsetenv(known[i]);
	set("AWS_EC2_METADATA_DISABLED=true");
	ck_assert_ptr_nonnull(mkdtemp(home));
	(void)snprintf(credentials, sizeof(credentials), "%s/credentials", home);
	(void)snprintf(config, sizeof(config), "%s/config", home);
	ck_assert_int_eq(setenv("AWS_SHARED_CREDENTIALS_FILE", credentials, 1), 0);
	ck_assert_int_eq(setenv("AWS_CONFIG_FILE", config, 1), 0);
	write_file(credentials, "[default]\n"
				"aws_access_key_id = D\n"
				"aws_secret_access_key = ds\n"
				"aws_session_token = dt\n"
				"[half]\n"
				"aws_access_key_id = H\n"
				"[both]\n"
				"aws_access_key_id = B1\n"
				"aws_secret_access_key = b1\n");
	write_file(config, "[services s]\n"
			   "s3 =\n"
			   "  endpoint_url = http://service\n"
			   "[default]\n"
			   "region = eu-west-1\n"
			   "endpoint_url = http://default\n"
			   "ca_bundle = /ca\n"
			   "s3 =\n"
			   "  addressing_style = virtual\n"
			   "[profile c]\n"
			   "aws_access_key_id = C\n"
			   "aws_secret_access_key = cs\n"
			   "services = s\n"
			   "endpoint_url = http://profile\n"
			   "[c]\n"
			   "region = wrong\n"
			   "[profile both]\n"
			   "aws_access_key_id = B2\n"
			   "aws_secret_access_key = b2\n"
			   "[profile bare]\n"
			   "role_arn = arn\n"
			   "[profile lost]\n"
			   "role_arn = arn\n"
			   "source_profile = gone\n"
			   "[profile odd]\n"
			   "role_arn = arn\n"
			   "credential_source = Elsewhere\n"
			   "[profile sso]\n"
			   "sso_session = x\n"
			   "[profile open]\n"
			   "credential_process = x 'y\n"
			   "[profile empty]\n"
			   "region = x\n");
}

static void tear_down(void)
{
	(void)unlink(credentials);
	(void)unlink(config);
	(void)rmdir(home);
	(void)memcpy(home + strlen(home) - 6, "XXXXXX", 6);
}

static const char *or_none(const char *s)
{
	return s ? s : "-";
}

static const struct {
	const char *env[4];
	/* "region endpoint sts ca style", "-" for none */
	const char *found;
	const char *why; /* a part of the message instead */
} places[] = {
	{ { NULL }, "eu-west-1 http://default http://default /ca 2", NULL },
	{ { "AWS_PROFILE=c" }, "us-east-1 http://service http://profile - 0", NULL },
	{ { "AWS_DEFAULT_PROFILE=c" }, "us-east-1 http://service http://profile - 0", NULL },
	{ { "AWS_REGION=r", "AWS_DEFAULT_REGION=d", "AWS_CA_BUNDLE=/b" },
	  "r http://default http://default /b 2",
	  NULL },
	{ { "AWS_DEFAULT_REGION=d", "AWS_ENDPOINT_URL=http://e" },
	  "d http://e http://e /ca 2",
	  NULL },
	{ { "AWS_ENDPOINT_URL=http://e", "AWS_ENDPOINT_URL_S3=http://s3" },
	  "eu-west-1 http://s3 http://e /ca 2",
	  NULL },
	{ { "AWS_ENDPOINT_URL_STS=http://sts" },
	  "eu-west-1 http://default http://sts /ca 2",
	  NULL },
	{ { "AWS_ENDPOINT_URL=http://e", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true" },
	  "eu-west-1 - - /ca 2",
	  NULL },
	{ { "AWS_PROFILE=nobody" }, NULL, "no profile 'nobody'" },
	{ { "AWS_PROFILE=nobody", "AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=es" },
	  NULL,
	  "no profile 'nobody'" },
	{ { "AWS_CONFIG_FILE=/nonexistent" }, NULL, "/nonexistent" },
};

START_TEST(place)
{
	struct aws a;
	struct err e = { 0 };
	char got[256];
	int rc;

	for (int i = 0; i < 4 && places[_i].env[i]; i++)
		set(places[_i].env[i]);
	rc = aws_load(&a, &e);
	ck_assert_int_eq(rc, places[_i].found ? 0 : -1);
	if (rc < 0) {
		ck_assert_msg(strstr(e.msg, places[_i].why) != NULL, "%s", e.msg);
		return;
	}
	(void)snprintf(got, sizeof(got), "%s %s %s %s %d", a.region, or_none(a.endpoint),
		       or_none(a.sts_endpoint), or_none(a.ca_bundle), (int)a.style);
	ck_assert_str_eq(got, places[_i].found);
	aws_free(&a);
}
END_TEST

static const struct {
	const char *env[4];
	const char *found; /* "id secret token" */
	const char *why;
} keys[] = {
	{ { NULL }, "D ds dt", NULL },
	{ { "AWS_PROFILE=c" }, "C cs -", NULL },
	{ { "AWS_PROFILE=both" }, "B1 b1 -", NULL },
	{ { "AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=es" }, "E es -", NULL },
	{ { "AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=es", "AWS_SESSION_TOKEN=et" },
	  "E es et",
	  NULL },
	{ { "AWS_ACCESS_KEY_ID=E" }, NULL, "AWS_SECRET_ACCESS_KEY is not" },
	{ { "AWS_PROFILE=half" }, NULL, "without its secret" },
	{ { "AWS_PROFILE=bare" }, NULL, "role_arn without source_profile" },
	{ { "AWS_PROFILE=lost" }, NULL, "source_profile 'gone', which is not there" },
	{ { "AWS_PROFILE=odd" }, NULL, "credential_source is 'Elsewhere'" },
	{ { "AWS_PROFILE=sso" }, NULL, "credential_process = aws configure" },
	{ { "AWS_PROFILE=open" }, NULL, "a quote is not closed" },
	{ { "AWS_PROFILE=empty" }, NULL, "none in profile 'empty'" },
	{ { "AWS_PROFILE=empty", "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/" },
	  NULL,
	  "must be https" },
	{ { "AWS_PROFILE=empty", "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.20/" },
	  NULL,
	  "must be https" },
	{ { "AWS_PROFILE=empty", "AWS_ROLE_ARN=a", "AWS_WEB_IDENTITY_TOKEN_FILE=/nonexistent" },
	  NULL,
	  "/nonexistent" },
};

START_TEST(chain)
{
	struct aws where = { .region = (char[]){ "us-east-1" } };
	AWSKEY_AUTO k = { .expires_ms = -1 };
	struct err e = { 0 };
	char got[256];
	int rc;

	for (int i = 0; i < 4 && keys[_i].env[i]; i++)
		set(keys[_i].env[i]);
	rc = awschain_find(&where, &k, &e);
	ck_assert_msg(rc == (keys[_i].found ? 0 : -1), "%s", e.msg);
	if (rc < 0) {
		ck_assert_msg(strstr(e.msg, keys[_i].why) != NULL, "%s", e.msg);
		return;
	}
	(void)snprintf(got, sizeof(got), "%s %s %s", k.id, k.secret, or_none(k.token));
	ck_assert_str_eq(got, keys[_i].found);
	ck_assert_int_eq(k.expires_ms, -1);
}
END_TEST

START_TEST(no_files_at_all)
{
	struct aws a;
	AWSKEY_AUTO k = { .expires_ms = -1 };
	struct err e = { 0 };

	ck_assert_int_eq(unsetenv("AWS_SHARED_CREDENTIALS_FILE"), 0);
	ck_assert_int_eq(unsetenv("AWS_CONFIG_FILE"), 0);
	set("HOME=/nonexistent");
	ck_assert_int_eq(aws_load(&a, &e), 0);
	ck_assert_str_eq(a.region, "us-east-1");
	ck_assert_int_eq(awschain_find(&a, &k, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "set AWS_ACCESS_KEY_ID"));
	aws_free(&a);
}
END_TEST

static const struct {
	const char *region, *service;
	bool fips, dualstack;
	const char *url;
} endpoints[] = {
	{ "eu-west-1", "s3", false, false, "https://s3.eu-west-1.amazonaws.com" },
	{ "cn-north-1", "s3", false, false, "https://s3.cn-north-1.amazonaws.com.cn" },
	{ "us-east-1", "s3", true, true, "https://s3-fips.dualstack.us-east-1.amazonaws.com" },
	{ "us-east-1", "sts", true, true, "https://sts-fips.us-east-1.amazonaws.com" },
};

START_TEST(endpoint)
{
	AUTO_FREE char *region = xstrdup(endpoints[_i].region);
	const struct aws a = { .region = region,
			       .fips = endpoints[_i].fips,
			       .dualstack = endpoints[_i].dualstack };
	AUTO_FREE char *url = aws_own_endpoint(&a, endpoints[_i].service);

	ck_assert_str_eq(url, endpoints[_i].url);
}
END_TEST

static const struct {
	const char *command;
	const char *words; /* with '|' behind each; NULL: refused */
} commands[] = {
	{ "a", "a|" },
	{ "  a  b\tc ", "a|b|c|" },
	{ "'a b' \"c d\"", "a b|c d|" },
	{ "a'b'\"c\"d", "abcd|" },
	{ "'' x", "|x|" },
	{ "a\\ b \\'c", "a b|'c|" },
	{ "'a\\b' \"c\\\"d\"", "a\\b|c\"d|" },
	{ "a\\", "a\\|" },
	{ "", NULL },
	{ "  ", NULL },
	{ "'a", NULL },
	{ "a \"b", NULL },
	{ "\"a\\\"", NULL },
};

START_TEST(words)
{
	STRV_AUTO l = { 0 };
	BUF_AUTO got = BUF_INIT(256);
	struct err e = { 0 };
	int rc = awsprocess_split(commands[_i].command, &l, &e);

	ck_assert_int_eq(rc, commands[_i].words ? 0 : -1);
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		buf_addf(&got, "%s|", l.v[i]);
	if (rc == 0)
		ck_assert_str_eq(got.s, commands[_i].words);
}
END_TEST

static const struct {
	const char *json;
	const char *found; /* "id secret token expires"; NULL: refused */
} answers[] = {
	{ "{\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"s\"}", "I s - -1" },
	{ "{\"Version\":1,\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
	  "\"Expiration\":\"2026-02-17T01:58:42Z\"}",
	  "I s t 1771293522000" },
	{ "{\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"s\",\"Token\":null}", "I s - -1" },
	{ "{\"Version\":2,\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"s\"}", NULL },
	{ "{\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"s\",\"Expiration\":\"soon\"}", NULL },
	{ "{\"AccessKeyId\":\"I\"}", NULL },
	{ "{\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"\"}", NULL },
	{ "{\"AccessKeyId\":1,\"SecretAccessKey\":\"s\"}", NULL },
	{ "[]", NULL },
	{ "", NULL },
	{ "secret", NULL },
};

START_TEST(json)
{
	AWSKEY_AUTO k = { .expires_ms = -1 };
	struct err e = { 0 };
	char got[256];
	const char *text = answers[_i].json;
	int rc = awskey_from_json(&k, text, strlen(text), "Token", &e);

	ck_assert_int_eq(rc, answers[_i].found ? 0 : -1);
	if (rc < 0) {
		ck_assert_ptr_null(strstr(e.msg, "secret"));
		ck_assert_ptr_null(k.secret);
		return;
	}
	(void)snprintf(got, sizeof(got), "%s %s %s %lld", k.id, k.secret, or_none(k.token),
		       (long long)k.expires_ms);
	ck_assert_str_eq(got, answers[_i].found);
}
END_TEST

enum { S = 1000, MIN = 60 * S };

static const struct {
	int64_t got, expires, due;
} lives[] = {
	{ 0, -1, -1 },
	{ 0, 60 * MIN, 55 * MIN },
	{ 5 * MIN, 26 * MIN, 21 * MIN },
	{ 0, 20 * MIN, 15 * MIN },
	{ 0, 4 * MIN, 3 * MIN },
	{ 10 * S, 14 * S, 13 * S },
	{ 10 * S, 10 * S, 10 * S },
};

START_TEST(due)
{
	ck_assert_int_eq(awskeys_due_ms(lives[_i].got, lives[_i].expires), lives[_i].due);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("aws");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, place, 0, CASES(places));
	tcase_add_loop_test(t, chain, 0, CASES(keys));
	tcase_add_test(t, no_files_at_all);
	tcase_add_loop_test(t, endpoint, 0, CASES(endpoints));
	tcase_add_loop_test(t, words, 0, CASES(commands));
	tcase_add_loop_test(t, json, 0, CASES(answers));
	tcase_add_loop_test(t, due, 0, CASES(lives));
	suite_add_tcase(s, t);
	return suite_run(s);
}

#include "lib/base/xmem.h"
#include "lib/storage/aws.h"
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
		"AWS_CA_BUNDLE",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		(void)unsetenv(known[i]);
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
				"aws_access_key_id = H\n");
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
			   "[profile role]\n"
			   "role_arn = arn\n"
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

static const struct {
	const char *env[4];
	/* "key secret token region endpoint ca style", "-" for none */
	const char *found;
	const char *why; /* a part of the message instead */
} cases[] = {
	{ { NULL }, "D ds dt eu-west-1 http://default /ca 2", NULL },
	{ { "AWS_PROFILE=c" }, "C cs - us-east-1 http://service - 0", NULL },
	{ { "AWS_DEFAULT_PROFILE=c" }, "C cs - us-east-1 http://service - 0", NULL },
	{ { "AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=es" },
	  "E es - eu-west-1 http://default /ca 2",
	  NULL },
	{ { "AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=es", "AWS_SESSION_TOKEN=et",
	    "AWS_REGION=r" },
	  "E es et r http://default /ca 2",
	  NULL },
	{ { "AWS_REGION=r", "AWS_DEFAULT_REGION=d", "AWS_CA_BUNDLE=/b" },
	  "D ds dt r http://default /b 2",
	  NULL },
	{ { "AWS_DEFAULT_REGION=d", "AWS_ENDPOINT_URL=http://e" },
	  "D ds dt d http://e /ca 2",
	  NULL },
	{ { "AWS_ENDPOINT_URL=http://e", "AWS_ENDPOINT_URL_S3=http://s3" },
	  "D ds dt eu-west-1 http://s3 /ca 2",
	  NULL },
	{ { "AWS_ENDPOINT_URL=http://e", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true" },
	  "D ds dt eu-west-1 - /ca 2",
	  NULL },
	{ { "AWS_ACCESS_KEY_ID=E" }, NULL, "AWS_SECRET_ACCESS_KEY is not" },
	{ { "AWS_PROFILE=half" }, NULL, "without its secret" },
	{ { "AWS_PROFILE=role" }, NULL, "gets them by role_arn" },
	{ { "AWS_PROFILE=empty" }, NULL, "none in profile 'empty'" },
	{ { "AWS_PROFILE=nobody" }, NULL, "no profile 'nobody'" },
	{ { "AWS_PROFILE=nobody", "AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=es" },
	  NULL,
	  "no profile 'nobody'" },
	{ { "AWS_CONFIG_FILE=/nonexistent" }, NULL, "/nonexistent" },
};

static const char *or_none(const char *s)
{
	return s ? s : "-";
}

START_TEST(settings)
{
	struct aws a;
	struct err e = { 0 };
	char got[256];
	int rc;

	for (int i = 0; i < 4 && cases[_i].env[i]; i++)
		set(cases[_i].env[i]);
	rc = aws_load(&a, &e);
	ck_assert_int_eq(rc, cases[_i].found ? 0 : -1);
	if (rc < 0) {
		ck_assert_msg(strstr(e.msg, cases[_i].why) != NULL, "%s", e.msg);
		return;
	}
	(void)snprintf(got, sizeof(got), "%s %s %s %s %s %s %d", a.key_id, a.secret,
		       or_none(a.token), a.region, or_none(a.endpoint), or_none(a.ca_bundle),
		       (int)a.style);
	ck_assert_str_eq(got, cases[_i].found);
	aws_free(&a);
	ck_assert_ptr_null(a.secret);
}
END_TEST

START_TEST(no_files_at_all)
{
	struct aws a;
	struct err e = { 0 };

	ck_assert_int_eq(unsetenv("AWS_SHARED_CREDENTIALS_FILE"), 0);
	ck_assert_int_eq(unsetenv("AWS_CONFIG_FILE"), 0);
	set("HOME=/nonexistent");
	ck_assert_int_eq(aws_load(&a, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "set AWS_ACCESS_KEY_ID"));
	set("AWS_ACCESS_KEY_ID=E");
	set("AWS_SECRET_ACCESS_KEY=es");
	ck_assert_int_eq(aws_load(&a, &e), 0);
	ck_assert_str_eq(a.region, "us-east-1");
	aws_free(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("aws");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, settings, 0, CASES(cases));
	tcase_add_test(t, no_files_at_all);
	suite_add_tcase(s, t);
	return suite_run(s);
}

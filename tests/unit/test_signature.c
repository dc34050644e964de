/* Signatures that openssl and Python's hmac made of the same bytes, and everything that must not
 * pass. */
#include "lib/base/record.h"
#include "lib/base/signature.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* RFC 8032, 7.1, TEST 1. */
#define PRIVATE \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
	"-----END PRIVATE KEY-----\n"
#define PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" \
	"-----END PUBLIC KEY-----\n"
#define HMAC_VALUE "16f43aad040dffa7d5d95a980437342983cfb27ad559e7b2004eadad8ea0b332"
#define ED25519_VALUE \
	"e5a64c017960dba7cc9a7212aa5045c83a258248e92e404a8ddca3ad94937cf2" \
	"e1c44a9a052a050f4ab17fb30420e06069a14c3e70cc0f35a477573afe804d05"

/* Signed is {"a":"é","b":1}. */
#define OBJECT "{'b': 1, 'a': '\xc3\xa9'}"

struct key_file {
	int fd;
	char path[64];
};

static struct key_file key_of(const char *text)
{
	struct key_file f = { .fd = memfd_create("key", MFD_CLOEXEC) };

	ck_assert(write(f.fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

static const struct {
	const char *sign, *verify, *algorithm, *value;
} keys[] = {
	{ "key", "key", "hmac-sha256", HMAC_VALUE },
	{ "key\n", "key\nmore\n", "hmac-sha256", HMAC_VALUE },
	{ PRIVATE, PUBLIC, "ed25519", ED25519_VALUE },
};

START_TEST(signed_and_verified)
{
	struct key_file sign = key_of(keys[_i].sign), verify = key_of(keys[_i].verify);
	JSON_AUTO *o = json_of(OBJECT);
	const json_t *field;
	struct err e = { 0 };

	ck_assert_msg(signature_add(o, sign.path, &e) == 0, "%s", e.msg);
	field = json_object_get(o, "signature");
	ck_assert_str_eq(record_text(field, "algorithm"), keys[_i].algorithm);
	ck_assert_str_eq(record_text(field, "value"), keys[_i].value);
	ck_assert_msg(signature_verify(o, verify.path, &e) == 0, "%s", e.msg);
	/* signing anew does not sign the old signature */
	ck_assert_int_eq(signature_add(o, sign.path, &e), 0);
	ck_assert_str_eq(record_text(json_object_get(o, "signature"), "value"), keys[_i].value);
	(void)json_object_set_new(o, "b", json_integer(2));
	ck_assert_int_eq(signature_verify(o, verify.path, &e), -1);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
	(void)close(sign.fd);
	(void)close(verify.fd);
}
END_TEST

#define WITH(algorithm, value) \
	"{'b': 1, 'a': '\xc3\xa9', 'signature': {'algorithm': '" algorithm "', 'value': '" value \
	"'}}"

static const struct {
	const char *object, *key;
	enum err_kind kind; /* ERR_NONE: it is right */
} cases[] = {
	{ WITH("hmac-sha256", HMAC_VALUE), "key", ERR_NONE },
	{ WITH("ed25519", ED25519_VALUE), PUBLIC, ERR_NONE },
	{ OBJECT, "key", ERR_BACKUP },
	{ WITH("hmac-sha256", HMAC_VALUE), "another", ERR_BACKUP },
	/* the key decides what is expected, not the file */
	{ WITH("hmac-sha256", HMAC_VALUE), PUBLIC, ERR_BACKUP },
	{ WITH("ed25519", ED25519_VALUE), "key", ERR_BACKUP },
	{ WITH("ed25519", HMAC_VALUE), "key", ERR_BACKUP },
	{ WITH("none", ""), "key", ERR_BACKUP },
	{ WITH("hmac-sha256", ""), "key", ERR_BACKUP },
	{ WITH("hmac-sha256", HMAC_VALUE "00"), "key", ERR_BACKUP },
	{ WITH("hmac-sha256", "16F43AAD"), "key", ERR_BACKUP },
	{ WITH("hmac-sha256", "xx"), "key", ERR_BACKUP },
	{ WITH("hmac-sha256", ED25519_VALUE ED25519_VALUE), "key", ERR_BACKUP },
	{ "{'b': 1, 'signature': 'x'}", "key", ERR_BACKUP },
	{ "{'b': 1, 'signature': {'algorithm': 1, 'value': 2}}", "key", ERR_BACKUP },
	/* a private key is none to verify with */
	{ WITH("ed25519", ED25519_VALUE), PRIVATE, ERR_SYSTEM },
	{ WITH("ed25519", ED25519_VALUE), "-----BEGIN PUBLIC KEY-----\nAAAA\n", ERR_SYSTEM },
};

START_TEST(judged)
{
	struct key_file key = key_of(cases[_i].key);
	JSON_AUTO *o = json_of(cases[_i].object);
	struct err e = { 0 };

	ck_assert_int_eq(signature_verify(o, key.path, &e), cases[_i].kind == ERR_NONE ? 0 : -1);
	ck_assert_msg(e.kind == cases[_i].kind, "%s", e.msg);
	(void)close(key.fd);
}
END_TEST

START_TEST(no_key)
{
	JSON_AUTO *o = json_of(OBJECT);
	struct key_file public = key_of(PUBLIC), empty = key_of("");
	struct err e = { 0 };

	ck_assert_int_eq(signature_add(o, "/nonexistent/key", &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_int_eq(signature_add(o, public.path, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_int_eq(signature_add(o, empty.path, &e), -1);
	ck_assert_ptr_null(json_object_get(o, "signature"));
	(void)close(public.fd);
	(void)close(empty.fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("signature");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, signed_and_verified, 0, CASES(keys));
	tcase_add_loop_test(c, judged, 0, CASES(cases));
	tcase_add_test(c, no_key);
	suite_add_tcase(s, c);
	return suite_run(s);
}

/* Where a container is and by what right it is read, what is signed, and what a listing says. */
#include "lib/base/buf.h"
#include "lib/base/shellword.h"
#include "lib/storage/azure_account.h"
#include "lib/storage/azure_list.h"
#include "lib/storage/azure_sign.h"
#include "tests/unit/suite.h"

#include <string.h>

#define KEY \
	"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

static const char *const variables[] = {
	"AZURE_STORAGE_ACCOUNT",          "AZURE_STORAGE_KEY",
	"AZURE_STORAGE_SAS_TOKEN",        "AZURE_STORAGE_CONNECTION_STRING",
	"AZURE_STORAGE_SERVICE_ENDPOINT",
};

static void set_up(void)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		(void)unsetenv(variables[i]);
}

static const struct {
	const char *source;
	const char *env[5]; /* in the order of variables */
	/* "name endpoint key sas container prefix", "-" for none */
	const char *found;
	const char *why; /* a part of the message instead */
} accounts[] = {
	{ "azure://shop/pg/daily/x",
	  { NULL },
	  "shop https://shop.blob.core.windows.net - - pg daily/x",
	  NULL },
	{ "azure://shop/pg", { NULL }, "shop https://shop.blob.core.windows.net - - pg ", NULL },
	{ "azure:///pg/",
	  { "mine", "a2V5" },
	  "mine https://mine.blob.core.windows.net a2V5 - pg ",
	  NULL },
	{ "azure://shop/pg/a%20b?c",
	  { NULL, NULL, "?sv=1&sig=s" },
	  "shop https://shop.blob.core.windows.net - sv=1&sig=s pg a%20b?c",
	  NULL },
	{ "https://shop.blob.core.windows.net/pg/a%20b/?sv=1&sr=c&sig=s",
	  { "other", "a2V5" },
	  "shop https://shop.blob.core.windows.net - sv=1&sr=c&sig=s pg a b/",
	  NULL },
	{ "https://shop.blob.core.windows.net/pg",
	  { NULL, "a2V5" },
	  "shop https://shop.blob.core.windows.net a2V5 - pg ",
	  NULL },
	{ "azure://shop/pg",
	  { NULL, NULL, NULL,
	    "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=a2V5==;EndpointSuffix=x."
	    "cn" },
	  "shop https://shop.blob.x.cn a2V5== - pg ",
	  NULL },
	{ "azure:///pg",
	  { NULL, NULL, NULL,
	    "BlobEndpoint=http://127.0.0.1:1/dev/;AccountName=dev;"
	    "SharedAccessSignature=sig=s" },
	  "dev http://127.0.0.1:1/dev - sig=s pg ",
	  NULL },
	{ "azure://shop/pg",
	  { NULL, "a2V5", "sig=s", NULL, "https://e.example.com" },
	  "shop https://e.example.com a2V5 - pg ",
	  NULL },
	{ "azure://shop", { NULL }, NULL, "names no container" },
	{ "azure://shop/", { NULL }, NULL, "names no container" },
	{ "https://shop.blob.core.windows.net/?sig=secret", { NULL }, NULL, "names no container" },
	{ "azure:///pg", { NULL }, NULL, "names no account" },
	{ "azure://shop/pg", { "other", "a2V5" }, NULL, "are for 'other'" },
	{ "https://shop.blob.core.windows.net/pg/a%zz", { NULL }, NULL, "broken %-escape" },
	{ "azure://shop/pg", { NULL, NULL, NULL, NULL, "ftp://x" }, NULL, "no http or https URL" },
	{ "azure://shop/pg",
	  { NULL, NULL, "sig=secret", NULL, "http://example.com" },
	  NULL,
	  "in clear text" },
};

static const char *or_none(const char *s)
{
	return s ? s : "-";
}

START_TEST(account)
{
	struct azure_account a;
	BUF_AUTO got = BUF_INIT(1024);
	struct err e = { 0 };
	int rc;

	for (size_t i = 0; i < 5; i++)
		if (accounts[_i].env[i])
			ck_assert_int_eq(setenv(variables[i], accounts[_i].env[i], 1), 0);
	rc = azure_account_load(&a, accounts[_i].source, &e);
	ck_assert_msg(rc == (accounts[_i].found ? 0 : -1), "%s", e.msg);
	if (rc < 0) {
		ck_assert_msg(strstr(e.msg, accounts[_i].why) != NULL, "%s", e.msg);
		ck_assert_ptr_null(strstr(e.msg, "secret"));
	} else {
		buf_addf(&got, "%s %s %s %s %s %s", a.name, a.endpoint, or_none(a.key),
			 or_none(a.sas), a.container, a.prefix);
		ck_assert_str_eq(got.s, accounts[_i].found);
	}
	azure_account_free(&a);
}
END_TEST

static const struct {
	const char *source;
	bool claimed;
} claims[] = {
	{ "azure://shop/pg", true },
	{ "AZURE://shop/pg", true },
	{ "https://shop.blob.core.windows.net/pg/x", true },
	{ "https://shop.Blob.Core.Windows.Net:443/pg/x", true },
	{ "https://shop.blob.core.windows.net/pg/x?sv=1&sr=c&sig=s", true },
	{ "https://shop.blob.core.windows.net/pg/x?sr=b&sig=s", false },
	{ "https://shop.blob.core.windows.net/pg/x?sv=1&sr=bs&sig=s", false },
	{ "https://example.com/shop.blob.core.windows.net/x", false },
	{ "https://blob.core.windows.net.example.com/x", false },
	{ "https://example.com", false },
};

START_TEST(claimed)
{
	ck_assert_int_eq(azure_account_claims(claims[_i].source), claims[_i].claimed);
}
END_TEST

/* The text is that of the documentation's rules; the signature is OpenSSL's own of it. */
START_TEST(signing)
{
	const struct azure_pair query[] = { { "comp", "list" },
					    { "prefix", "a b/" },
					    { "restype", "container" } };
	const struct azure_request list = { .method = "GET",
					    .path = "/devstoreaccount1/pg",
					    .query = query,
					    .n_query = 3,
					    .range = "",
					    .if_match = "",
					    .date = "Tue, 17 Feb 2026 01:58:42 GMT",
					    .version = "2021-12-02" };
	const struct azure_request part = { .method = "GET",
					    .path = "/pg/x",
					    .range = "bytes=0-9",
					    .if_match = "\"0x1\"",
					    .date = "D",
					    .version = "V" };
	BUF_AUTO text = BUF_INIT(1024);
	struct err e = { 0 };

	azure_sign_text("devstoreaccount1", &list, &text);
	ck_assert_str_eq(text.s,
			 "GET\n\n\n\n\n\n\n\n\n\n\n\n"
			 "x-ms-date:Tue, 17 Feb 2026 01:58:42 GMT\nx-ms-version:2021-12-02\n"
			 "/devstoreaccount1/devstoreaccount1/pg\ncomp:list\nprefix:a b/\n"
			 "restype:container");
	buf_reset(&text);
	azure_sign_text("shop", &part, &text);
	ck_assert_str_eq(text.s, "GET\n\n\n\n\n\n\n\n\"0x1\"\n\n\nbytes=0-9\n"
				 "x-ms-date:D\nx-ms-version:V\n/shop/pg/x");
	buf_reset(&text);
	ck_assert_int_eq(azure_sign("devstoreaccount1", KEY, &list, &text, &e), 0);
	ck_assert_str_eq(text.s,
			 "SharedKey devstoreaccount1:8w4Sx+/TAQv+TItl2c166V5cdOjZ+Y0xp+aeQFcsMQo=");
}
END_TEST

static const char *const bad_keys[] = { "", "abc", "a b=", "*&^%" };

START_TEST(bad_key)
{
	const struct azure_request r = { "GET", "/x", NULL, 0, "", "", "D", "V" };
	BUF_AUTO text = BUF_INIT(1024);
	struct err e = { 0 };

	ck_assert_int_eq(azure_sign("a", bad_keys[_i], &r, &text, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "not base64"));
}
END_TEST

#define BLOB(name, more) "<Blob><Name>" name "</Name><Properties>" more "</Properties></Blob>"
#define PAGE(blobs, marker) \
	"<?xml version=\"1.0\"?><EnumerationResults ContainerName=\"c\"><Blobs>" blobs \
	"</Blobs><NextMarker>" marker "</NextMarker></EnumerationResults>"
#define SIZE "<Content-Length>5</Content-Length>"

static const struct {
	const char *xml;
	const char *found; /* "name bytes ms etag|...>marker"; NULL: refused */
} pages[] = {
	{ PAGE("", ""), ">" },
	{ PAGE(BLOB("a/b &amp; c",
		    SIZE "<Etag>0x8D</Etag>"
			 "<Last-Modified>Tue, 17 Feb 2026 01:58:42 GMT</Last-Modified>"),
	       "m&lt;1"),
	  "a/b & c 5 1771293522000 \"0x8D\"|>m<1" },
	{ PAGE(BLOB("a", SIZE "<Etag>\"0x8D\"</Etag>") BLOB("b", SIZE), ""),
	  "a 5 -1 \"0x8D\"|b 5 -1 |>" },
	{ "\xEF\xBB\xBF" PAGE(BLOB("a", SIZE), ""), "a 5 -1 |>" },
	{ PAGE("<Blob><Name Encoded=\"true\">a%20%EF%BF%BE</Name><Properties>" SIZE
	       "</Properties></Blob>",
	       ""),
	  "a \xEF\xBF\xBE 5 -1 |>" },
	{ PAGE(BLOB("dir", "<ResourceType>directory</ResourceType>" SIZE) BLOB("dir/a", SIZE), ""),
	  "dir/a 5 -1 |>" },
	{ PAGE("<BlobPrefix><Name>p/</Name></BlobPrefix>", ""), ">" },
	{ PAGE("<Blob><Name Encoded=\"true\">%zz</Name><Properties>" SIZE "</Properties></Blob>",
	       ""),
	  NULL },
	{ PAGE(BLOB("a", ""), ""), NULL },
	{ PAGE(BLOB("", SIZE), ""), NULL },
	{ PAGE(BLOB("a", "<Content-Length>-5</Content-Length>"), ""), NULL },
	{ "<ListBucketResult></ListBucketResult>", NULL },
	{ "<Error><Code>ServerBusy</Code></Error>", NULL },
	{ "<!DOCTYPE html><html></html>", NULL },
	{ "", NULL },
};

static int see(const struct keyspace_entry *entry, void *ctx, struct err *e)
{
	(void)e;
	buf_addf(ctx, "%s %lld %lld %s|", entry->key, (long long)entry->bytes,
		 (long long)entry->modified_ms, entry->etag);
	return 0;
}

START_TEST(page)
{
	BUF_AUTO got = BUF_INIT(1024);
	BUF_AUTO next = BUF_INIT(1024);
	struct err e = { 0 };
	const char *xml = pages[_i].xml;
	int rc = azure_list_parse(xml, strlen(xml), see, &got, &next, &e);

	ck_assert_msg(rc == (pages[_i].found ? 0 : -1), "%s", e.msg);
	if (rc < 0)
		return;
	buf_addf(&got, ">%s", next.s);
	ck_assert_str_eq(got.s, pages[_i].found);
}
END_TEST

START_TEST(shell_words)
{
	BUF_AUTO got = BUF_INIT(64);

	shellword_add(&got, "a b'c$\"");
	ck_assert_str_eq(got.s, "'a b'\\''c$\"'");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("azure");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, NULL);
	tcase_add_loop_test(t, account, 0, CASES(accounts));
	tcase_add_loop_test(t, claimed, 0, CASES(claims));
	tcase_add_test(t, signing);
	tcase_add_loop_test(t, bad_key, 0, CASES(bad_keys));
	tcase_add_loop_test(t, page, 0, CASES(pages));
	tcase_add_test(t, shell_words);
	suite_add_tcase(s, t);
	return suite_run(s);
}

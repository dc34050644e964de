#include "lib/base/buf.h"
#include "lib/storage/index.h"
#include "tests/unit/suite.h"

#include <inttypes.h>
#include <string.h>

static int note(const struct index_entry *entry, void *ctx, struct err *e)
{
	(void)e;
	buf_addf(ctx, "%s%s|%" PRId64 "|%" PRId64 "\n", entry->name, entry->directory ? "/" : "",
		 entry->bytes, entry->modified_ms);
	return 0;
}

static const struct {
	const char *html, *entries;
} pages[] = {
	{ "", "" },
	{ "<html><body>Welcome</body></html>", "" },
	/* nginx 1.22 */
	{ "<html>\r\n<head><title>Index of /b/</title></head>\r\n<body>\r\n<h1>Index of "
	  "/b/</h1><hr>"
	  "<pre><a href=\"../\">../</a>\r\n"
	  "<a href=\"dir/\">dir/</a>               17-Feb-2026 01:58                   -\r\n"
	  "<a href=\"a%20b%26c.dump\">a b&amp;c.dump</a>    17-Feb-2026 01:58            "
	  "19234567\r\n"
	  "<a href=\"20260217-a-very-long-name-that-is-cut-in-the-text.dump\">"
	  "20260217-a-very-long-name-that-is-cut-in-the..&gt;</a> 01-Jan-2026 00:00   0\r\n"
	  "</pre><hr></body>\r\n</html>\r\n",
	  "dir/|-1|1771293480000\na b&c.dump|19234567|1771293480000\n"
	  "20260217-a-very-long-name-that-is-cut-in-the-text.dump|0|1767225600000\n" },
	/* nginx with autoindex_exact_size off */
	{ "<a href=\"x.dump\">x.dump</a>   17-Feb-2026 01:58    18M\n",
	  "x.dump|-1|1771293480000\n" },
	/* Apache httpd 2.4, fancy */
	{ "<h1>Index of /b</h1>\n<pre><img src=\"/icons/blank.gif\" alt=\"Icon \"> "
	  "<a href=\"?C=N;O=D\">Name</a> <a href=\"?C=M;O=A\">Last modified</a><hr>"
	  "<img src=\"/icons/back.gif\"> <a href=\"/\">Parent Directory</a>     -   \n"
	  "<img src=\"/icons/unknown.gif\"> <a href=\"x.dump\">x.dump</a>  2026-02-17 01:58  1.2M  "
	  "\n"
	  "<hr></pre>",
	  "x.dump|-1|1771293480000\n" },
	/* Apache httpd 2.4, HTMLTable */
	{ "<table><tr><td><a href=\"x.dump\">x.dump</a></td><td align=\"right\">2026-02-17 01:58  "
	  "</td><td align=\"right\">678 </td><td>&nbsp;</td></tr>\n"
	  "<tr><td><a href=\"y.dump\">y.dump</a></td><td>2026-02-18 01:58</td><td>4.0K</td></tr>"
	  "</table>",
	  "x.dump|678|1771293480000\ny.dump|-1|1771379880000\n" },
	/* Apache without dates; Python's http.server */
	{ "<ul><li><a href=\"x.dump\"> x.dump</a></li></ul>", "x.dump|-1|-1\n" },
	/* nginx with autoindex_format json */
	{ "[\n{ \"name\":\"d\", \"type\":\"directory\", \"mtime\":\"Tue, 17 Feb 2026 01:58:42 "
	  "GMT\" },\n"
	  "{ \"name\":\"a b.dump\", \"type\":\"file\", \"mtime\":\"Tue, 17 Feb 2026 01:58:42 "
	  "GMT\", "
	  "\"size\":19234567 }, { \"name\":\"../x\", \"type\":\"file\" }, 7,\n"
	  "{ \"name\":\"..\", \"type\":\"directory\" }, { \"name\":\"x\", \"type\":\"file\" } ]\n",
	  "d/|-1|1771293522000\na b.dump|19234567|1771293522000\nx|-1|-1\n" },
	{ "[]", "" },
	{ "[{", "" },
	/* Links elsewhere */
	{ "<a href=\"http://other/x\">x</a><a href=\"//other/x\">x</a><a href=\"/other/x\">x</a>"
	  "<a href=\"../x\">x</a><a href=\"..\">x</a><a href=\"#top\">x</a><a href=\"a/b\">x</a>"
	  "<a href=\"mailto:x@y\">x</a>",
	  "" },
	{ "<a href=\"./a:b\">x</a><a href=\"a%3Ab\">x</a>", "a:b|-1|-1\na:b|-1|-1\n" },
	{ "<A HREF='/b/x.dump'>x</A>", "x.dump|-1|-1\n" },
	{ "<a class=\"f\" href=\"./x.dump\">x</a>", "x.dump|-1|-1\n" },
	/* A name that would lead out once it is decoded */
	{ "<a href=\"..%2Fx\">x</a><a href=\"%2e%2e\">x</a><a href=\"a%00b\">x</a>", "" },
	/* Cut off */
	{ "<a href=\"x.dump", "" },
	{ "<a href=\"x.dump\"", "" },
	{ "<a href=\"x.dump\">x", "x.dump|-1|-1\n" },
	{ "<a href=\"x.dump\">x</a> 99-Foo-2026 01:58 1", "x.dump|-1|-1\n" },
	{ "<a href=\"x.dump\">x</a> 31-Feb-2026 01:58 1", "x.dump|-1|-1\n" },
	{ "<a href=\"x.dump\">x</a> 17-Feb-2026 01:58:07 12", "x.dump|12|1771293480000\n" },
};

START_TEST(page)
{
	BUF_AUTO got = BUF_INIT(4096);
	struct err e = { 0 };

	ck_assert_int_eq(index_parse(pages[_i].html, strlen(pages[_i].html), "/b/", note, &got, &e),
			 0);
	ck_assert_str_eq(got.s, pages[_i].entries);
}
END_TEST

START_TEST(listing_or_not)
{
	const char *yes = "<title>Index of /x</title>", *no = "<title>Please log in</title>";

	ck_assert(index_is_listing(yes, strlen(yes)));
	ck_assert(!index_is_listing(no, strlen(no)));
	ck_assert(!index_is_listing("", 0));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("index");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, page, 0, CASES(pages));
	tcase_add_test(t, listing_or_not);
	suite_add_tcase(s, t);
	return suite_run(s);
}

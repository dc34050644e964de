#include "lib/alert/mime.h"

#include "lib/base/utf8.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

enum {
	LINE_MOST = 76,     /* RFC 2045, section 6.7; RFC 2047, section 2 */
	HEADER_MOST = 78,   /* RFC 5322, section 2.1.1 */
	WORD_OVERHEAD = 12, /* "=?UTF-8?B?" and "?=" */
	LOCAL_MAX = 64,     /* RFC 5321, section 4.5.3.1.1 */
	DOMAIN_LABEL_MAX = 63,
	DISPLAY_MAX = 200,
	WORD_MOST = 60,
	FILE_NAME_MOST = 60,
};

static const char digits_and_letters[] = "0123456789"
					 "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char atext_marks[] = "!#$%&'*+-/=?^_`{|}~"; /* RFC 5322, section 3.2.3 */

/* No line of quoted-printable can hold "=_", so no body can hold a boundary. */
static const char mixed[] = "=_mixed";
static const char alternative[] = "=_alternative";

/* --- headers ------------------------------------------------------------------------------ */

static bool is_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s > 0x7e)
			return false;
	return true;
}

/* ASCII whose words all fit into a line, and which nobody could take for encoded. */
static bool is_plain_header(const char *s)
{
	size_t word = 0;

	for (const char *p = s; *p; p++) {
		word = *p == ' ' ? 0 : word + 1;
		if (word > WORD_MOST)
			return false;
	}
	return is_ascii(s) && !strstr(s, "=?") && s[0] != ' ';
}

/* Words, a new line before one that would not fit. column is where the first one begins. */
static void fold(struct buf *out, const char *s, size_t column)
{
	while (*s) {
		const size_t blanks = strspn(s, " ");
		const size_t n = blanks + strcspn(s + blanks, " ");

		if (column + n > HEADER_MOST && blanks > 0 && n > blanks) {
			buf_adds(out, "\r\n");
			column = 0;
		}
		buf_add(out, s, n);
		column += n;
		s += n;
	}
}

/* RFC 2047: encoded words of at most 75 characters, each of whole characters. */
static void encode_words(struct buf *out, const char *s, size_t column)
{
	while (*s) {
		const size_t most = (LINE_MOST - WORD_OVERHEAD - column) / 4 * 3;
		unsigned char base64[LINE_MOST];
		size_t n = 0, next;

		for (;;) {
			next = s[n] ? utf8_prefix(s + n, 1) : 0;
			if (next == 0 || n + next > most)
				break;
			n += next;
		}
		(void)EVP_EncodeBlock(base64, (const unsigned char *)s, (int)n);
		buf_addf(out, "=?UTF-8?B?%s?=", (const char *)base64);
		s += n;
		column = 1;
		if (*s)
			buf_adds(out, "\r\n ");
	}
}

void mime_header(struct buf *out, const char *name, const char *value)
{
	const size_t column = strlen(name) + 2;

	buf_addf(out, "%s: ", name);
	if (is_plain_header(value))
		fold(out, value, column);
	else
		encode_words(out, value, column);
	buf_adds(out, "\r\n");
}

/* --- addresses ---------------------------------------------------------------------------- */

static bool is_local_part(const char *s, size_t n)
{
	bool dot = true; /* neither first, nor last, nor two of them */

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.' && dot)
			return false;
		dot = s[i] == '.';
		if (!dot && !strchr(digits_and_letters, s[i]) && !strchr(atext_marks, s[i]))
			return false;
	}
	return n > 0 && n <= LOCAL_MAX && !dot;
}

static bool is_domain(const char *s)
{
	for (;;) {
		const size_t n = strcspn(s, ".");

		if (n == 0 || n > DOMAIN_LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
			return false;
		for (size_t i = 0; i < n; i++)
			if (!strchr(digits_and_letters, s[i]) && s[i] != '-')
				return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

struct mailbox {
	struct buf name, address;
};

static void trim(struct buf *b)
{
	size_t from = strspn(b->s, " \"");

	while (b->len > from && strchr(" \"", b->s[b->len - 1]))
		b->s[--b->len] = '\0';
	memmove(b->s, b->s + from, b->len - from + 1);
	b->len -= from;
}

/* "address" or "name <address>" into its parts, unjudged. */
static void split(struct mailbox *m, const char *s)
{
	const char *open = strrchr(s, '<');
	const char *close = open ? strchr(open, '>') : NULL;

	if (close && close[1 + strspn(close + 1, " ")] == '\0') {
		buf_add(&m->name, s, (size_t)(open - s));
		buf_add(&m->address, open + 1, (size_t)(close - open - 1));
	} else {
		buf_adds(&m->address, s);
	}
	if (m->name.cap)
		trim(&m->name);
	if (m->address.cap)
		trim(&m->address);
}

static int parse(struct mailbox *m, const char *s, struct err *e)
{
	const char *at;

	split(m, s);
	at = strrchr(m->address.s, '@');
	if (is_line(s) && !m->address.full && !m->name.full && at &&
	    is_local_part(m->address.s, (size_t)(at - m->address.s)) && is_domain(at + 1))
		return 0;
	return err_set(e, ERR_USAGE,
		       "mail address '%s': not of the form user@example.com or Name "
		       "<user@example.com>",
		       s);
}

#define MAILBOX_INIT \
	{ \
		.name = BUF_INIT(DISPLAY_MAX), .address = BUF_INIT(MIME_ADDRESS_MAX) \
	}

static void mailbox_free(struct mailbox *m)
{
	buf_free(&m->name);
	buf_free(&m->address);
}
#define MAILBOX_AUTO __attribute__((cleanup(mailbox_free))) struct mailbox

int mime_address(struct buf *out, const char *mailbox, struct err *e)
{
	MAILBOX_AUTO m = MAILBOX_INIT;

	if (parse(&m, mailbox, e) < 0)
		return -1;
	buf_add(out, m.address.s, m.address.len);
	return 0;
}

static void quote(struct buf *out, const char *s)
{
	buf_addc(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

/* One mailbox a line. column: what stands before it. */
static int add_mailbox(struct buf *out, const char *s, size_t column, struct err *e)
{
	MAILBOX_AUTO m = MAILBOX_INIT;
	bool encoded;

	if (parse(&m, s, e) < 0)
		return -1;
	if (m.name.len == 0) {
		buf_adds(out, m.address.s);
		return 0;
	}
	encoded = !is_ascii(m.name.s) || strstr(m.name.s, "=?");
	if (encoded)
		encode_words(out, m.name.s, column);
	else
		quote(out, m.name.s);
	if (encoded || column + m.name.len + m.address.len > HEADER_MOST)
		buf_adds(out, "\r\n");
	buf_addf(out, " <%s>", m.address.s);
	return 0;
}

static int add_from(struct buf *out, const char *from, struct err *e)
{
	buf_adds(out, "From: ");
	if (add_mailbox(out, from, strlen("From: "), e) < 0)
		return -1;
	buf_adds(out, "\r\n");
	return 0;
}

static int add_to(struct buf *out, const struct strv *to, struct err *e)
{
	if (to->n == 0)
		return err_set(e, ERR_USAGE, "recipients: there are none");
	buf_adds(out, "To: ");
	for (size_t i = 0; i < to->n; i++) {
		if (i > 0)
			buf_adds(out, ",\r\n ");
		if (add_mailbox(out, to->v[i], i > 0 ? 1 : strlen("To: "), e) < 0)
			return -1;
	}
	buf_adds(out, "\r\n");
	return 0;
}

/* RFC 5322, section 3.3. */
static void add_date(struct buf *out, int64_t ms)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const time_t t = (time_t)(ms / 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
		 months[tm.tm_mon], 1900 + tm.tm_year, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* "<id@domain of the sender>"; what an id may not hold becomes '-'. */
static void add_id(struct buf *out, const char *header, const char *id, const char *domain)
{
	buf_addf(out, "%s: <", header);
	for (; *id; id++)
		buf_addc(out, strchr(digits_and_letters, *id) || *id == '.' ? *id : '-');
	buf_addf(out, "@%s>\r\n", domain);
}

static int add_headers(struct buf *out, const struct mime_mail *m, struct err *e)
{
	BUF_AUTO address = BUF_INIT(MIME_ADDRESS_MAX);
	const char *domain;

	if (!is_line(m->subject))
		return err_set(e, ERR_USAGE, "subject: it holds a control character");
	if (mime_address(&address, m->from, e) < 0 || add_from(out, m->from, e) < 0 ||
	    add_to(out, m->to, e) < 0)
		return -1;
	domain = strrchr(address.s, '@') + 1;
	mime_header(out, "Subject", m->subject);
	add_date(out, m->date_ms);
	add_id(out, "Message-ID", m->id, domain);
	if (m->thread) {
		add_id(out, "In-Reply-To", m->thread, domain);
		add_id(out, "References", m->thread, domain);
	}
	buf_adds(out, "Auto-Submitted: auto-generated\r\n"
		      "MIME-Version: 1.0\r\n");
	return 0;
}

/* --- bodies ------------------------------------------------------------------------------- */

void mime_quoted_printable(struct buf *out, const char *s)
{
	size_t column = 0;

	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;
		const bool ends_line = s[1 + (s[1] == '\r')] == '\n' || s[1] == '\0';
		const bool plain = (c > ' ' && c <= '~' && c != '=') ||
				   ((c == ' ' || c == '\t') && !ends_line);

		if (c == '\n' || (c == '\r' && s[1] == '\n')) {
			s += c == '\r';
			buf_adds(out, "\r\n");
			column = 0;
			continue;
		}
		if (column + (plain ? 1 : 3) > LINE_MOST - 1) {
			buf_adds(out, "=\r\n");
			column = 0;
		}
		if (plain)
			buf_addc(out, (char)c);
		else
			buf_addf(out, "=%02X", c);
		column += plain ? 1 : 3;
	}
	if (column > 0)
		buf_adds(out, "\r\n");
}

static void add_part(struct buf *out, const char *type, const char *text)
{
	buf_addf(out,
		 "Content-Type: %s; charset=utf-8\r\n"
		 "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		 type);
	mime_quoted_printable(out, text);
}

static void add_body(struct buf *out, const struct mime_mail *m)
{
	if (!m->html) {
		add_part(out, "text/plain", m->text);
		return;
	}
	buf_addf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n--%s\r\n",
		 alternative, alternative);
	add_part(out, "text/plain", m->text);
	buf_addf(out, "\r\n--%s\r\n", alternative);
	add_part(out, "text/html", m->html);
	buf_addf(out, "\r\n--%s--\r\n", alternative);
}

static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot && strcmp(dot, ".html") == 0)
		return "text/html";
	return dot && strcmp(dot, ".md") == 0 ? "text/markdown" : "text/plain";
}

static void add_file(struct buf *out, const char *name, const char *text)
{
	buf_adds(out, "Content-Disposition: attachment; filename=\"");
	for (const char *c = name; *c && c - name < FILE_NAME_MOST; c++)
		buf_addc(out, strchr(digits_and_letters, *c) || strchr("._-", *c) ? *c : '-');
	buf_adds(out, "\"\r\n");
	add_part(out, type_of(name), text);
}

int mime_print(struct buf *out, const struct mime_mail *m, struct err *e)
{
	if (add_headers(out, m, e) < 0)
		return -1;
	if (m->file) {
		buf_addf(out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n",
			 mixed, mixed);
		add_body(out, m);
		buf_addf(out, "\r\n--%s\r\n", mixed);
		add_file(out, m->file_name, m->file);
		buf_addf(out, "\r\n--%s--\r\n", mixed);
	} else {
		add_body(out, m);
	}
	if (out->full)
		return err_set(e, ERR_SYSTEM, "write the mail: it is larger than %zu bytes",
			       out->max);
	return 0;
}

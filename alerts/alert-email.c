/*
 * alert-email: a mail, as text and as HTML, through a mail server.
 */
#include "lib/alert/attachment.h"
#include "lib/alert/letter.h"
#include "lib/alert/mime.h"
#include "lib/alert/sender.h"
#include "lib/base/record.h"
#include "lib/base/secret.h"
#include "lib/base/xmem.h"
#include "lib/net/loopback.h"
#include "lib/net/smtp.h"

#include <string.h>

enum { MAIL_MAX = 8 * 1024 * 1024, THREAD_MAX = 1024 };

enum starttls { STARTTLS_AUTO, STARTTLS_REQUIRED, STARTTLS_NEVER };

static struct {
	const char *url, *user, *password_file, *from, *report_file;
	struct strv to;
	enum starttls starttls;
} config = { .url = "smtp://localhost" };
static struct secret password;
static struct strv recipients; /* the bare addresses of config.to */
static struct buf sender_address = BUF_INIT(MIME_ADDRESS_MAX);

/* "a@example.com, "Ops, night" <b@example.com>": by the commas outside of quotes. */
static int parse_to(const char *value, void *to, struct err *e)
{
	(void)e;
	while (*value) {
		bool quoted = false;
		size_t n = 0;

		for (; value[n] && (quoted || value[n] != ','); n++)
			quoted = quoted != (value[n] == '"');
		if (strspn(value, " ") < n) {
			char *one = xstrndup(value, n);

			strv_add(to, one);
			free(one);
		}
		value += n + (value[n] == ',');
	}
	return 0;
}

static int parse_starttls(const char *word, void *to, struct err *e)
{
	enum starttls *s = to;

	if (strcmp(word, "required") == 0)
		*s = STARTTLS_REQUIRED;
	else if (strcmp(word, "never") == 0)
		*s = STARTTLS_NEVER;
	else
		return err_set(e, ERR_USAGE, "'%s' is neither required nor never", word);
	return 0;
}

static bool in_clear_text(void)
{
	if (strncmp(config.url, "smtps:", 6) == 0)
		return false;
	return config.starttls == STARTTLS_NEVER ||
	       (config.starttls == STARTTLS_AUTO && loopback_url(config.url));
}

static int check_addresses(struct err *e)
{
	if (!config.from)
		return err_set(e, ERR_USAGE, "configure mail: set EMAIL_FROM, the sender");
	if (config.to.n == 0)
		return err_set(e, ERR_USAGE, "configure mail: set EMAIL_TO, the recipients");
	if (mime_address(&sender_address, config.from, e) < 0)
		return err_wrap(e, "EMAIL_FROM");
	for (size_t i = 0; i < config.to.n; i++) {
		BUF_AUTO address = BUF_INIT(MIME_ADDRESS_MAX);

		if (mime_address(&address, config.to.v[i], e) < 0)
			return err_wrap(e, "EMAIL_TO");
		strv_add(&recipients, address.s);
	}
	return 0;
}

static int prepare(struct err *e)
{
	if (smtp_check_url(config.url, e) < 0 || check_addresses(e) < 0 ||
	    secret_load(&password, "SMTP_PASSWORD", config.password_file, e) < 0)
		return -1;
	if (!config.user != !password.value)
		return err_set(e, ERR_USAGE,
			       "configure mail: SMTP_USER and SMTP_PASSWORD go together");
	if (password.value && in_clear_text() && !loopback_url(config.url))
		return err_set(e, ERR_USAGE,
			       "configure mail: a password is not sent without TLS; leave out "
			       "--starttls never");
	return 0;
}

static void finish(void)
{
	secret_wipe(&password);
	strv_free(&recipients);
	buf_free(&sender_address);
}

static json_t *report(const struct alert *a)
{
	json_t *file;
	struct err e;

	if (!config.report_file || a->kind == ALERT_TEST)
		return NULL;
	file = attachment_load(config.report_file, a->checks, &e);
	if (!file)
		tool_warn("the report is not sent along: %s", e.msg);
	return file;
}

/* All mails of one failure, until its end, are one conversation. */
static void name_thread(json_t *body, const struct alert *a)
{
	BUF_AUTO thread = BUF_INIT(THREAD_MAX);

	if (a->since_ms == 0)
		return;
	buf_addf(&thread, "%s.%lld", a->key, (long long)a->since_ms);
	json_object_set_new(body, "thread", record_string(thread.s, thread.len));
}

static json_t *compose(const struct alert *a)
{
	BUF_AUTO subject = BUF_INIT(LETTER_MAX), text = BUF_INIT(LETTER_MAX),
		 html = BUF_INIT(LETTER_MAX);
	json_t *body;

	letter_subject(&subject, a);
	letter_text(&text, a);
	letter_html(&html, a);
	body = json_pack("{s:s, s:s, s:s, s:I, s:o*}", "subject", subject.s, "text", text.s, "html",
			 html.s, "date_ms", (json_int_t)a->at_ms, "report", report(a));
	name_thread(body, a);
	return body;
}

static int print_mail(struct buf *out, const json_t *message, struct err *e)
{
	const json_t *body = json_object_get(message, "body");
	const json_t *file = json_object_get(body, "report");
	struct mime_mail m = { .from = config.from,
			       .to = &config.to,
			       .subject = record_text(body, "subject"),
			       .id = record_text(message, "id"),
			       .thread = record_text(body, "thread"),
			       .text = record_text(body, "text"),
			       .html = record_text(body, "html"),
			       .file_name = record_text(file, "name"),
			       .file = record_text(file, "text") };

	if (!m.subject || !m.text || !m.html || !m.id || !m.file != !m.file_name ||
	    !record_int(body, "date_ms", &m.date_ms))
		return err_set(e, ERR_SYSTEM, "read a message from the spool: it is no mail");
	return mime_print(out, &m, e);
}

static enum fate send_mail(struct sending *w, const struct buf *mail, struct err *e)
{
	const struct smtp_options o = { .url = config.url,
					.user = config.user,
					.password = password.value,
					.ca_file = w->ca_file,
					.clear_text = in_clear_text(),
					.try_ms = w->try_ms,
					.deadline_ms = w->deadline_ms };
	struct smtp *s = smtp_open(&o, e);
	unsigned reached = 0;
	enum fate fate = FATE_HELD;

	if (!s)
		return fate;
	fate = smtp_send(s, sender_address.s, &recipients, mail->s, mail->len, &reached, e);
	smtp_close(s);
	if (fate == FATE_ACCEPTED && reached < recipients.n) {
		w->flaw = *e;
		(void)err_wrap(&w->flaw, "%u of %zu recipients", reached, recipients.n);
	}
	if (fate == FATE_ACCEPTED && w->said)
		buf_addf(w->said, "the mail server took it for %u of %zu recipients", reached,
			 recipients.n);
	return fate;
}

static enum fate deliver(struct sending *w, const json_t *message, struct err *e)
{
	BUF_AUTO mail = BUF_INIT(MAIL_MAX);

	if (print_mail(&mail, message, e) < 0)
		return e->kind == ERR_USAGE ? FATE_HELD : FATE_REFUSED;
	if (!w->dry)
		return send_mail(w, &mail, e);
	buf_addf(w->dry, "MAIL by %s%s%s%s, %s\n\n%s\n", config.url, config.user ? " as " : "",
		 config.user ? config.user : "", password.value ? ", password ****" : "",
		 in_clear_text() ? "clear text" : "TLS", mail.s);
	return FATE_ACCEPTED;
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_CALL, 0, "to", "ADDRESS[,ADDRESS...]", &config.to,
	  "recipients, \"user@example.com\" or \"Name <user@example.com>\"; may be given again",
	  "EMAIL_TO", false, parse_to },
	{ OPT_TEXT, 0, "sender", "ADDRESS", &config.from, "who it is from", "EMAIL_FROM", false, NULL },
	{ OPT_TEXT, 0, "smtp-url", "URL", &config.url,
	  "the mail server, smtp://HOST[:PORT] or smtps://HOST[:PORT]; a path is the name to say in "
	  "EHLO; default: smtp://localhost", "SMTP_URL", false, NULL },
	{ OPT_TEXT, 0, "smtp-user", "USER", &config.user, "user to log in as", "SMTP_USER", false,
	  NULL },
	{ OPT_TEXT, 0, "smtp-password-file", "FILE", &config.password_file,
	  "file with the user's password; else SMTP_PASSWORD in the environment or in "
	  "$CREDENTIALS_DIRECTORY", "SMTP_PASSWORD_FILE", false, NULL },
	{ OPT_CALL, 0, "starttls", "WHEN", &config.starttls,
	  "required (the default) or never (the default for a server on this machine)",
	  "SMTP_STARTTLS", false, parse_starttls },
	{ OPT_TEXT, 0, "report-file", "FILE", &config.report_file,
	  "a report of this run, written before, to be attached", "EMAIL_REPORT_FILE", false, NULL },
	SENDER_OPTIONS("failure"),
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "alert-email",
	.what = "mail a run's outcome",
	.operands = "",
	.description =
		"Passes all records on. When they end it mails the verdict, the measured RPO and "
		"RTO and the size, what failed and what passed, as text and as HTML. A stage that "
		"did not end, an empty stream and a run that was cut off are failures too.\n\n"
		"Each recipient is handed over by itself: an address that is refused keeps no mail "
		"from the others.",
	.examples = "verify-something | alert-email --label shop | emit-report\n"
		    "Mail when it fails and when it is well again; EMAIL_TO, EMAIL_FROM and "
		    "SMTP_URL are set.\n\n"
		    "alert-email --test --label shop\n"
		    "Prove that a mail is taken.",
	.see_also = "alert-pagerduty(1), alert-slack(1), emit-report(1)",
	.options = options,
	.own_timeout = true,
};

static const struct sender email = {
	.tool = &tool,
	.when = WHEN_FAILURE,
	.own_transport = true,
	.prepare = prepare,
	.compose = compose,
	.deliver = deliver,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return sender_main(&email, argc, argv);
}

#include "lib/pg/timecol.h"

#include "lib/base/buf.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { WORDS_MAX = 512 };

enum word { WORD_OTHER, WORD_MOMENT, WORD_CREATION, WORD_CHANGE, WORD_PLAN };

static const struct {
	enum word kind;
	const char *words; /* each between blanks */
} vocabulary[] = {
	{ WORD_CREATION, " created create creation creationdate createdon createdat createtime "
			 "inserted insert insertion added recorded logged ingested received "
			 "registered registration joined signup signed submitted posted placed "
			 "entered imported ctime crdate " },
	{ WORD_MOMENT, " at on ts timestamp tstamp tstmp time date datetime day when moment utc "
		       "event occurred happened order ordered sale sold purchase purchased "
		       "transaction trans txn tx entry log audit measured measurement sampled "
		       "sample observed captured reading recording record visit visited sent "
		       "message started booked booking invoice mtime " },
	{ WORD_CHANGE, " updated update upd modified modify modification changed change touched "
		       "refreshed synced last latest saved edited processed completed closed "
		       "paid shipped delivered finished ended cancelled canceled deleted removed "
		       "archived confirmed approved verified seen read login in logout resolved " },
	{ WORD_PLAN, " expires expiry expire expiration expired exp valid validity until due "
		     "deadline scheduled schedule planned plan next end ends start starts from to "
		     "till effective begin begins renew renewal renews retry birth birthday "
		     "birthdate dob born maturity departure arrival appointment reserved checkin "
		     "checkout eta target estimated expected period delivery before after not "
		     "release publish hire hired trial reminder remind locked lock cutoff " },
};

static enum word kind_of(const char *word, size_t len)
{
	char padded[64];

	if (len == 0 || len > sizeof(padded) - 3)
		return WORD_OTHER;
	padded[0] = ' ';
	memcpy(padded + 1, word, len);
	padded[len + 1] = ' ';
	padded[len + 2] = '\0';
	for (size_t i = 0; i < sizeof(vocabulary) / sizeof(vocabulary[0]); i++)
		if (strstr(vocabulary[i].words, padded))
			return vocabulary[i].kind;
	return WORD_OTHER;
}

/* createdAt, CREATED_AT, "Created at" -> "created at": one blank between words. */
static void to_words(const char *name, struct buf *out)
{
	unsigned char before = '_';

	for (const char *p = name; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (!isalpha(c) && c < 0x80) {
			buf_addc(out, ' ');
		} else {
			if (isupper(c) && islower(before))
				buf_addc(out, ' ');
			buf_addc(out, (char)tolower(c));
		}
		before = c;
	}
}

struct tally {
	unsigned of[WORD_PLAN + 1];
};

static struct tally tally_words(const char *name)
{
	BUF_AUTO words = BUF_INIT(WORDS_MAX);
	struct tally t = { 0 };

	to_words(name, &words);
	for (const char *p = words.s; *p;) {
		size_t len = strcspn(p, " ");

		if (len > 0)
			t.of[kind_of(p, len)]++;
		p += len + (p[len] == ' ');
	}
	return t;
}

bool pg_timecol_is_now(const char *deflt)
{
	static const char *const nows[] = { "now()",
					    "CURRENT_TIMESTAMP",
					    "LOCALTIMESTAMP",
					    "CURRENT_DATE",
					    "clock_timestamp()",
					    "statement_timestamp()",
					    "transaction_timestamp()",
					    "'now'::text" };

	if (!deflt || strpbrk(deflt, "+-*") || strstr(deflt, "interval"))
		return false;
	for (size_t i = 0; i < sizeof(nows) / sizeof(nows[0]); i++)
		if (strstr(deflt, nows[i]))
			return true;
	return false;
}

static int score_name(const struct tally *t, bool now)
{
	if (t->of[WORD_CREATION] > 0)
		return 100;
	if (t->of[WORD_MOMENT] > 0)
		return t->of[WORD_OTHER] > 0 ? 30 : 50;
	return now ? 40 : 0;
}

enum pg_time_role pg_timecol_judge(const struct pg_timecol_facts *f, int *score)
{
	static const int by_type[] = {
		[PG_TIME_DATE] = 0, [PG_TIME_PLAIN] = 15, [PG_TIME_ZONED] = 20
	};
	struct tally t = tally_words(f->name);
	bool now = pg_timecol_is_now(f->deflt);
	int points = score_name(&t, now);

	*score = 0;
	if (f->type == PG_TIME_NONE || t.of[WORD_PLAN] > 0)
		return PG_ROLE_NONE;
	if (points == 0 && t.of[WORD_CHANGE] == 0)
		return PG_ROLE_NONE;
	*score = points + by_type[f->type] + 40 * now + 5 * f->not_null + 10 * f->indexed;
	if (t.of[WORD_CHANGE] > 0) {
		*score = 1 + by_type[f->type] + 10 * f->indexed;
		return PG_ROLE_CHANGED;
	}
	return PG_ROLE_CREATED;
}

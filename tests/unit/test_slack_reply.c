#include "lib/alert/slack_reply.h"

#include "tests/unit/suite.h"

#include <string.h>

struct reply {
	long status;
	const char *body;
	enum fate want;
	const char *why; /* a part of it; "" for none at all */
};

static void assert_reply(const struct reply *r,
			 enum fate (*judge)(struct courier_answer *, struct buf *))
{
	struct courier_answer a = COURIER_ANSWER_INIT;
	BUF_AUTO why = BUF_INIT(512);

	a.status = r->status;
	buf_adds(&a.body, r->body);
	ck_assert_msg(judge(&a, &why) == r->want, "%ld %s", r->status, r->body);
	if (r->why[0])
		ck_assert_msg(strstr(why.s, r->why) != NULL, "%s", why.s);
	else
		ck_assert_str_eq(why.s, "");
	courier_answer_free(&a);
}

static const struct reply hooks[] = {
	{ 200, "ok", FATE_ACCEPTED, "" },
	{ 200, "ok\n", FATE_ACCEPTED, "" },
	{ 200, "", FATE_HELD, "not Slack's" },
	{ 200, "<html>log in</html>", FATE_HELD, "not Slack's" },
	{ 200, "no_service", FATE_HELD, "no_service; make a new incoming webhook" },
	{ 400, "invalid_payload", FATE_REFUSED, "invalid_payload" },
	{ 400, "invalid_blocks", FATE_REFUSED, "invalid_blocks" },
	{ 400, "no_text", FATE_REFUSED, "no_text" },
	{ 400, "user_not_found", FATE_HELD, "user_not_found" },
	{ 400, "a_new_word", FATE_REFUSED, "a_new_word" },
	{ 403, "invalid_token", FATE_HELD, "invalid_token; make a new" },
	{ 403, "action_prohibited", FATE_HELD, "administrator" },
	{ 404, "channel_not_found", FATE_HELD, "SLACK_CHANNEL" },
	{ 404, "no_active_hooks", FATE_HELD, "no_active_hooks" },
	{ 404, "A page", FATE_HELD, "nothing at this address" },
	{ 410, "channel_is_archived", FATE_HELD, "another channel" },
	{ 429, "slow down, please", FATE_LATER, "" },
	{ 429, "rate_limited", FATE_LATER, "rate_limited" },
	{ 500, "rollup_error", FATE_LATER, "rollup_error" },
	{ 503, "", FATE_LATER, "" },
	{ 302, "", FATE_HELD, "redirect" },
};

START_TEST(hook_table)
{
	assert_reply(&hooks[_i], slack_judge_hook);
}
END_TEST

static const struct reply answers[] = {
	{ 200, "{\"ok\":true,\"ts\":\"1.2\"}", FATE_ACCEPTED, "" },
	{ 200, "{\"ok\":false,\"error\":\"channel_not_found\"}", FATE_HELD, "check SLACK_CHANNEL" },
	{ 200, "{\"ok\":false,\"error\":\"not_in_channel\"}", FATE_HELD, "invite the app" },
	{ 200, "{\"ok\":false,\"error\":\"invalid_auth\"}", FATE_HELD, "set SLACK_BOT_TOKEN" },
	{ 200, "{\"ok\":false,\"error\":\"missing_scope\"}", FATE_HELD, "chat:write" },
	{ 200, "{\"ok\":false,\"error\":\"msg_blocks_too_long\"}", FATE_REFUSED,
	  "msg_blocks_too_long" },
	{ 200, "{\"ok\":false,\"error\":\"internal_error\"}", FATE_LATER, "internal_error" },
	{ 200, "{\"ok\":false,\"error\":\"a_new_word\"}", FATE_HELD, "a_new_word" },
	{ 200, "{\"ok\":false,\"error\":\"<b>xoxb-secret\"}", FATE_HELD, "not Slack's" },
	{ 200, "{\"ok\":false}", FATE_HELD, "not Slack's" },
	{ 200, "{\"ok\":\"true\"}", FATE_HELD, "not Slack's" },
	{ 200, "ok", FATE_HELD, "not Slack's" },
	{ 200, "", FATE_HELD, "not Slack's" },
	{ 429, "{\"ok\":false,\"error\":\"ratelimited\"}", FATE_LATER, "ratelimited" },
	{ 429, "", FATE_LATER, "" },
	{ 503, "<html>", FATE_LATER, "" },
	{ 500, "{\"ok\":true}", FATE_LATER, "" },
};

START_TEST(api_table)
{
	assert_reply(&answers[_i], slack_judge_api);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slack_reply");
	TCase *c = tcase_create("slack_reply");

	tcase_add_loop_test(c, hook_table, 0, CASES(hooks));
	tcase_add_loop_test(c, api_table, 0, CASES(answers));
	suite_add_tcase(s, c);
	return suite_run(s);
}

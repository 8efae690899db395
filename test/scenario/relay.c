// The fake media relay: what it is asked for goes to the transcript, and its answers come when the line is over, or when the
// scenario says so (a slow relay).
#include "stage.h"

#include <stdio.h>
#include <string.h>

// A leg that has not been invited yet has no name.
static const char *name_of(const struct stage *stage, uint64_t leg)
{
	for (size_t i = stage->party_count; i-- > 0;)
		if (stage->parties[i].leg == leg)
			return stage->parties[i].name;
	return "a leg";
}

static bool relay_available(void *context)
{
	return ((struct stage *)context)->relay_up;
}

// Offers to those who are yet to be invited are the domain's concern; answers are told of.
static enum err relay_translate(void *context, const struct media_exchange *exchange)
{
	struct stage *stage = context;

	if (stage->relay_refuses)
		return ERR_NO_MEDIA_RELAY;
	if (stage->relay_debt_count == RELAY_DEBTS_MAX)
		stage_fail("the relay owes too much");
	if (exchange->is_answer)
		stage_say(stage, "the relay connects %s with \"%.*s\"", name_of(stage, exchange->from.leg),
			  STR_ARG(exchange->body->bytes));
	stage->relay_debts[stage->relay_debt_count++] =
	    (struct relay_debt){exchange->from.leg, exchange->to.leg, exchange->token, exchange->is_answer};
	return ERR_NONE;
}

static enum err relay_play(void *context, uint64_t leg, const struct media_prompt *prompt)
{
	struct stage *stage = context;

	if (stage->relay_refuses)
		return ERR_NO_MEDIA_RELAY;
	stage_say(stage, "%s hears \"%s\"%s%.*s, %.*s", name_of(stage, leg), prompt_names[prompt->prompt],
		  prompt->prompt != PROMPT_CALL ? ""
		  : str_empty(prompt->caller)   ? " from somebody"
						: " from ",
		  STR_ARG(prompt->prompt == PROMPT_CALL ? prompt->caller : STR_NONE), STR_ARG(prompt->language));
	if (prompt->prompt == PROMPT_HOLD || prompt->prompt == PROMPT_RINGBACK)
		stage->hears_music = leg;
	return ERR_NONE;
}

// A prompt that ends by a key ends with what the key does; music ends for itself.
static void relay_stop(void *context, uint64_t leg)
{
	struct stage *stage = context;

	if (stage->hears_music == leg)
		stage_say(stage, "%s hears it no more", name_of(stage, leg));
	stage->hears_music = 0;
}

static void relay_release(void *context, uint64_t leg)
{
	struct stage *stage = context;
	size_t kept = 0;

	for (size_t i = 0; i < stage->relay_debt_count; i++)
		if (stage->relay_debts[i].from != leg && stage->relay_debts[i].to != leg)
			stage->relay_debts[kept++] = stage->relay_debts[i];
	stage->relay_debt_count = kept;
	stage_say(stage, "%s leaves the relay", name_of(stage, leg));
}

void stage_relay_open(struct stage *stage)
{
	stage->media = (struct media){.context = stage,
				      .available = relay_available,
				      .translate = relay_translate,
				      .play = relay_play,
				      .stop = relay_stop,
				      .release = relay_release};
}

void stage_relay_pay(struct stage *stage)
{
	const struct body offer = {.type = STR("application/sdp"), .bytes = STR("relay's offer")};
	const struct body answer = {.type = STR("application/sdp"), .bytes = STR("relay's answer")};

	while (stage->relay_debt_count > 0) {
		struct relay_debt debt = stage->relay_debts[0];
		stage->relay_debt_count--;
		memmove(stage->relay_debts, stage->relay_debts + 1, stage->relay_debt_count * sizeof debt);
		call_table_media_translated(stage->calls, debt.token, debt.is_answer ? &answer : &offer);
	}
}

void stage_relay_lose(struct stage *stage)
{
	while (stage->relay_debt_count > 0)
		call_table_media_failed(stage->calls, stage->relay_debts[--stage->relay_debt_count].token);
}

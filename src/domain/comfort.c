// What somebody hears who has nobody to hear: music while he is held, the ringing tone while another is rung for him whom he was
// passed on to. It comes from the relay, so where his media do not go through one there is none.
#include "domain/call.h"

enum { SHORTEST_MS = 1000 }; // what was over before that was never played

// A phone that holds sends nothing; MS Teams and whoever is behind a trunk have music of their own.
static bool holds_in_silence(const struct leg *leg)
{
	return leg->holds && !leg->trunk_id;
}

// PROMPT_COUNT: nothing.
static enum prompt wanted(const struct leg *leg)
{
	const struct call *call = leg->call;

	if (leg->state != LEG_TALKING || !leg->anchored)
		return PROMPT_COUNT;
	if (call->state == CALL_TRANSFERRING && leg == call->caller && leg->left_behind)
		return call->rang ? PROMPT_RINGBACK : leg->comfort; // until then the music goes on
	if (call->state == CALL_TALKING && !leg->holds && holds_in_silence(other_side(leg)))
		return PROMPT_HOLD;
	return PROMPT_COUNT;
}

// While the relay is being told of either side's media it has nowhere to play yet; wire.c comes back here then.
static bool relay_is_ready(const struct leg *leg)
{
	const struct leg *other = other_side(leg);

	return list_empty(&leg->letters) && (!other || list_empty(&other->letters));
}

static void play(struct leg *leg, enum prompt prompt)
{
	const struct call_table *table = leg->call->table;
	const struct media_prompt said = {.prompt = prompt,
					  .language = site_prompt_language(directory_site(table->ports.directory))};

	if (relay_is_ready(leg) && table->ports.media->play(table->ports.media->context, leg->id, &said) == ERR_NONE) {
		leg->comfort = prompt;
		leg->comforted_ms = loop_now_ms(table->ports.loop);
	}
}

static void update(struct leg *leg)
{
	struct media *media = leg->call->table->ports.media;
	enum prompt prompt = wanted(leg);

	if (prompt != leg->comfort && leg->comfort != PROMPT_COUNT) {
		media->stop(media->context, leg->id);
		leg->comfort = PROMPT_COUNT;
	}
	if (prompt != leg->comfort)
		play(leg, prompt);
	if (leg->call->state != CALL_TRANSFERRING)
		anchor_forget_left_behind(leg);
}

void comfort_update(struct call *call)
{
	if (leg_is_open(call->caller))
		update(call->caller);
	if (call->winner && leg_is_open(call->winner))
		update(call->winner);
}

// Once more from its beginning.
void talker_has_heard(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	if (loop_now_ms(leg->call->table->ports.loop) - leg->comforted_ms < SHORTEST_MS)
		return;
	leg->comfort = PROMPT_COUNT;
	comfort_update(leg->call);
}

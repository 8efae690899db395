// Prompts: said to one side of a pair, in place of the other side's voice. While one is said neither hears the other: an outside phone
// that is asked to press 1 must not be heard by the caller, whom nobody has answered yet. Of the one that it is said to only the keys
// count meanwhile; a medium that is blocked would have none.
#include "media/pair.h"

#include "base/log.h"

#include <string.h>

static struct end *end_other(struct end *end)
{
	return &end->pair->ends[end == &end->pair->ends[0] ? 1 : 0];
}

// The end where this side has last heard of somebody who has heard of it.
static struct end *end_to_play(struct side *side)
{
	struct end *best = NULL;
	uint64_t best_at = 0;

	list_each (node, following, &side->ends) {
		struct end *end = container_of(node, struct end, node);
		const struct end *other = end_other(end);
		uint64_t at = other->described ? other->described_at : 0;
		if (!end->described || !end->pair->settled)
			continue;
		at = at > end->described_at ? at : end->described_at;
		if (other->described && at > best_at) {
			best = end;
			best_at = at;
		}
	}
	return best;
}

static struct pair *pair_of_play(const struct side *side)
{
	return slots_find(side->rtpengine->pair_ids, side->play.pair);
}

// Without memory for it what plays plays on; the delete at the end of the call ends it, too.
static void order(struct pair *pair, enum command_kind kind, const char *tag)
{
	struct command *command = command_new(pair, kind);

	if (command && json_object_set_new(command->body, "from-tag", json_string(tag))) {
		command_free(command);
		return;
	}
	if (command)
		(void)pair_order(pair, command);
}

static void disturb(struct pair *pair)
{
	struct end *end = pair->said_to ? pair_end_of(pair, pair->said_to) : NULL;

	if (!end)
		return;
	pair->said_to = 0;
	order(pair, COMMAND_UNBLOCK, end_other(end)->tag);
	order(pair, COMMAND_UNSILENCE, end->tag);
}

static void do_not_disturb(struct pair *pair, uint64_t leg)
{
	struct end *end = pair_end_of(pair, leg);

	if (pair->said_to == leg)
		return;
	disturb(pair);
	pair->said_to = leg;
	order(pair, COMMAND_BLOCK, end_other(end)->tag);
	order(pair, COMMAND_SILENCE, end->tag);
}

void play_over(struct side *side)
{
	const struct rtpengine *rtpengine = side->rtpengine;
	struct pair *pair = pair_of_play(side);

	side->play.sequence = 0;
	timer_stop(&side->timer);
	if (pair && !pair->ending)
		disturb(pair);
	rtpengine->sink.prompt_over(rtpengine->sink.context, side->leg);
}

// Told in a later turn, since this comes out of a release or a loss of the other side.
void play_lost(struct side *side)
{
	timer_start(side->rtpengine->options.loop, &side->timer, 1);
}

enum err play_begin(void *context, uint64_t leg, const struct media_prompt *prompt)
{
	struct rtpengine *rtpengine = context;
	struct side *side = side_find(rtpengine, leg);
	const struct end *end = side ? end_to_play(side) : NULL;
	uint64_t sequence = rtpengine->clock + 1;

	if (!end || !rtpengine->options.prompt_order)
		return ERR_NO_MEDIA_RELAY;
	enum err err = rtpengine->options.prompt_order(rtpengine->options.prompt_context, prompt, leg, sequence);
	if (err)
		return err;
	if (side->play.sequence && side->play.pair != end->pair->id)
		play_stop(rtpengine, leg);
	timer_stop(&side->timer);
	side->play.sequence = rtpengine->clock = sequence;
	side->play.pair = end->pair->id;
	return ERR_NONE;
}

static enum err file_play(struct side *side, struct pair *pair, const char *path, uint64_t length_ms)
{
	struct command *command = command_new(pair, COMMAND_PLAY);

	if (!command)
		return ERR_NO_MEMORY;
	if (json_object_set_new(command->body, "from-tag", json_string(pair_end_of(pair, side->leg)->tag)) ||
	    json_object_set_new(command->body, "file", json_string(path))) {
		command_free(command);
		return ERR_NO_MEMORY;
	}
	do_not_disturb(pair, side->leg);
	command->leg = side->leg;
	command->sequence = side->play.sequence;
	command->length_ms = length_ms;
	return pair_order(pair, command);
}

void rtpengine_prompt_ready(struct rtpengine *rtpengine, uint64_t leg, uint64_t sequence, const char *path,
			    uint64_t length_ms)
{
	struct side *side = side_find(rtpengine, leg);
	struct pair *pair = side ? pair_of_play(side) : NULL;

	if (!side || side->play.sequence != sequence || timer_running(&side->timer))
		return; // stopped, replaced, or its pair is lost
	if (!path || !pair || file_play(side, pair, path, length_ms))
		play_over(side); // nothing is said; whoever waits for its end goes on
}

void play_begun(struct rtpengine *rtpengine, const struct command *command, const json_t *answer)
{
	struct side *side = side_find(rtpengine, command->leg);

	if (!side || side->play.sequence != command->sequence)
		return; // stopped, or another one took its place
	if (!str_equal(ng_result(answer), STR("ok"))) {
		play_over(side); // nothing was said; whoever waits for its end goes on
		return;
	}
	uint64_t length_ms = ng_uint(answer, "duration", command->length_ms);
	timer_start(rtpengine->options.loop, &side->timer, length_ms ? length_ms : 1);
}

void play_stop(void *context, uint64_t leg)
{
	struct rtpengine *rtpengine = context;
	struct side *side = side_find(rtpengine, leg);

	if (!side || !side->play.sequence)
		return;
	side->play.sequence = 0;
	timer_stop(&side->timer);
	struct pair *pair = pair_of_play(side);
	if (!pair || pair->ending)
		return;
	order(pair, COMMAND_STOP, pair_end_of(pair, leg)->tag);
	disturb(pair);
}

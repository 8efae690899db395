// Exchanges: a description goes to the relay, and what comes back is what the other side is told.
#include "media/pair.h"

#include "domain/sdp.h"
#include "domain/signalling.h"

#include <stdlib.h>

static struct end *end_number(struct pair *pair, const struct media_side *side)
{
	struct end *end = pair_end_of(pair, side->leg);

	end->number = side->number;
	return end;
}

static void end_describe(struct end *end, const struct description *description)
{
	end->described = true;
	end->has_ice = description->has_ice;
	end->sends = description->sends;
	end->place = description->place;
	end->round = end->pair->rounds;
	end->described_at = ++end->pair->rtpengine->clock;
}

// Packets of it have come from somewhere, since an exchange before this one is over, and it has not moved since.
static bool keeps_place(const struct end *end, const struct end *other, const struct description *description)
{
	return end->described && end->sends && end->place == description->place && end->round < end->pair->rounds &&
	       other->described && other->round >= end->round;
}

// A pair that an answer is for is there since its offer, or lost with its relay.
static enum err pair_for(struct rtpengine *rtpengine, const struct media_exchange *exchange, struct pair **pair)
{
	*pair = pair_find(rtpengine, exchange->from.leg, exchange->to.leg);
	if (*pair)
		return ERR_NONE;
	if (exchange->is_answer || !relays_available(rtpengine->relays))
		return ERR_NO_MEDIA_RELAY;
	struct side *from = side_get(rtpengine, exchange->from.leg), *to = side_get(rtpengine, exchange->to.leg);
	if (!from || !to)
		return ERR_NO_MEMORY;
	*pair = pair_new(rtpengine, (struct side *[]){from, to}, exchange->record, NULL);
	return *pair ? ERR_NONE : ERR_NO_MEMORY;
}

enum err exchange_begin(void *context, const struct media_exchange *exchange)
{
	struct rtpengine *rtpengine = context;
	struct description description;
	struct pair *pair;
	enum err err = description_read(exchange->body, exchange->from.kind, &description);

	if (err || exchange->from.leg == exchange->to.leg)
		return err ? err : ERR_NOT_ACCEPTABLE;
	err = pair_for(rtpengine, exchange, &pair);
	if (err)
		return err;
	struct end *from = end_number(pair, &exchange->from), *to = end_number(pair, &exchange->to);
	struct command *command = command_new(pair, COMMAND_EXCHANGE);
	if (!command)
		return ERR_NO_MEMORY;
	if (!exchange->is_answer)
		pair->rounds++;
	command->body =
	    description_command(exchange, &description,
				&(struct description_way){.call_id = pair->call_id,
							  .from_tag = from->tag,
							  .to_tag = to->tag,
							  .to_has_ice = to->has_ice,
							  .keeps_place = keeps_place(from, to, &description),
							  .association = to->which});
	command->token = exchange->token;
	command->from = exchange->from.leg;
	command->to = exchange->to.leg;
	command->is_first = !from->described && !to->described;
	command->relay = pair->relay;
	str_to_cstring(str_of(pair->call->record), command->record, sizeof command->record);
	command->numbers[0] = from->number;
	command->numbers[1] = to->number;
	command->description = description;
	command->description.text = STR_NONE;
	if (!command->body) {
		command_free(command);
		return ERR_NO_MEMORY;
	}
	err = pair_order(pair, command);
	if (err)
		return err;
	end_describe(from, &description);
	return ERR_NONE;
}

// The first offer between two sides that a relay did not take, or did not live to take, goes to another one. False: it cannot.
static bool move(struct rtpengine *rtpengine, const struct command *command, struct side *sides[2])
{
	struct pair *pair = pair_find(rtpengine, command->from, command->to);
	struct command *again;

	if (!command->is_first || command->is_moved || !relays_choose(rtpengine->relays, command->relay))
		return false;
	if (pair && (pair->settled || !list_empty(&pair->commands)))
		return false;
	if (pair)
		pair_end(pair);
	pair = pair_new(rtpengine, sides, str_of(command->record), command->relay);
	again = pair ? command_new(pair, COMMAND_EXCHANGE) : NULL;
	if (!again)
		return false;
	*again = (struct command){.node = again->node,
				  .kind = COMMAND_EXCHANGE,
				  .body = json_incref(command->body),
				  .give_up_ms = command->give_up_ms,
				  .token = command->token,
				  .from = command->from,
				  .to = command->to,
				  .is_moved = true};
	if (json_object_set_new(again->body, "call-id", json_string(pair->call_id))) {
		command_free(again);
		return false;
	}
	pair->ends[0].which--, pair->ends[1].which--; // the offer shows the fingerprint that it showed before
	pair->ends[0].number = command->numbers[0];
	pair->ends[1].number = command->numbers[1];
	pair->rounds = 1;
	end_describe(&pair->ends[0], &command->description);
	return pair_order(pair, again) == ERR_NONE;
}

void exchange_over(struct rtpengine *rtpengine, const struct command *command, const json_t *answer)
{
	const struct media_sink *sink = &rtpengine->sink;
	struct side *sides[] = {side_find(rtpengine, command->from), side_find(rtpengine, command->to)};
	struct body body = {.type = STR("application/sdp"), .bytes = ng_text(answer, "sdp")};

	if (!sides[0] || !sides[1])
		return; // released meanwhile: who asked does not wait any more
	if (!str_empty(body.bytes) && body.bytes.length <= SDP_SIZE_MAX)
		sink->translated(sink->context, command->token, &body);
	else if (!move(rtpengine, command, sides))
		sink->failed(sink->context, command->token);
}

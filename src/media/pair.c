// Pairs: each has its commands carried out one after the other, so that a delete never overtakes the offer before it.
#include "media/pair.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- calls

static bool has_record(const struct hash_node *node, const void *key)
{
	return str_equal(str_of(container_of(node, struct media_call, node)->record), *(const struct str *)key);
}

static struct media_call *call_get(struct rtpengine *rtpengine, struct str record)
{
	struct str key = str_first(record, RECORD_ID_MAX);
	uint64_t hash = hash_str(key);
	struct hash_node *node = hash_find(rtpengine->calls, hash, has_record, &key);
	struct media_call *call;

	if (node)
		return container_of(node, struct media_call, node);
	call = calloc(1, sizeof *call);
	if (!call)
		return NULL;
	str_to_cstring(key, call->record, sizeof call->record);
	if (hash_insert(rtpengine->calls, &call->node, hash))
		return call;
	free(call);
	return NULL;
}

static void call_leave(struct rtpengine *rtpengine, struct media_call *call)
{
	if (call->pairs)
		return;
	hash_remove(rtpengine->calls, &call->node);
	free(call);
}

// ---- finding

struct both {
	uint64_t low, high;
};

static struct both both_of(uint64_t leg, uint64_t other)
{
	return leg < other ? (struct both){leg, other} : (struct both){other, leg};
}

static bool has_both(const struct hash_node *node, const void *key)
{
	const struct pair *pair = container_of(node, struct pair, node);
	const struct both *wanted = key;
	struct both both = both_of(pair->ends[0].side->leg, pair->ends[1].side->leg);

	return both.low == wanted->low && both.high == wanted->high;
}

struct pair *pair_find(const struct rtpengine *rtpengine, uint64_t leg, uint64_t other)
{
	struct both both = both_of(leg, other);
	struct hash_node *node = hash_find(rtpengine->pairs, hash_bytes(&both, sizeof both), has_both, &both);

	return node ? container_of(node, struct pair, node) : NULL;
}

struct end *pair_end_of(struct pair *pair, uint64_t leg)
{
	return &pair->ends[pair->ends[0].side->leg == leg ? 0 : 1];
}

// ---- making

static void call_id_write(struct pair *pair, char *into, size_t size)
{
	snprintf(into, size, "%s-%" PRIu64 "-%s", pair->rtpengine->instance, pair->id, pair->call->record);
}

struct pair *pair_new(struct rtpengine *rtpengine, struct side *sides[2], struct str record,
		      const struct relay *other_than)
{
	struct both both = both_of(sides[0]->leg, sides[1]->leg);
	struct media_call *call = call_get(rtpengine, record);
	struct pair *pair;

	if (!call)
		return NULL;
	if (!call->relay || call->relay == other_than || !relay_is_up(call->relay))
		call->relay = relays_choose(rtpengine->relays, other_than);
	pair = call->relay ? calloc(1, sizeof *pair) : NULL;
	if (!pair)
		goto no_pair;
	pair->id = slots_add(rtpengine->pair_ids, pair);
	if (!pair->id)
		goto no_id;
	pair->rtpengine = rtpengine;
	pair->call = call;
	pair->relay = call->relay;
	pair->begun_ms = loop_now_ms(rtpengine->options.loop);
	list_init(&pair->commands);
	call_id_write(pair, pair->call_id, sizeof pair->call_id);
	for (int i = 0; i < 2; i++) {
		pair->ends[i] = (struct end){.pair = pair, .side = sides[i], .which = sides[i]->pairs++};
		snprintf(pair->ends[i].tag, sizeof pair->ends[i].tag, "l%" PRIu64, sides[i]->leg);
		list_init(&pair->ends[i].node);
	}
	if (!hash_insert(rtpengine->pairs, &pair->node, hash_bytes(&both, sizeof both)))
		goto no_hash;
	for (int i = 0; i < 2; i++)
		list_append(&sides[i]->ends, &pair->ends[i].node);
	call->pairs++;
	relay_take(pair->relay);
	return pair;

no_hash:
	slots_remove(rtpengine->pair_ids, pair->id);
no_id:
	free(pair);
no_pair:
	call_leave(rtpengine, call);
	return NULL;
}

// ---- commands

struct command *command_new(struct pair *pair, enum command_kind kind)
{
	static const char *const names[] = {
	    [COMMAND_EXCHANGE] = NULL,
	    [COMMAND_BLOCK] = "block media",
	    [COMMAND_SILENCE] = "silence media",
	    [COMMAND_PLAY] = "play media",
	    [COMMAND_STOP] = "stop media",
	    [COMMAND_UNBLOCK] = "unblock media",
	    [COMMAND_UNSILENCE] = "unsilence media",
	    [COMMAND_DELETE] = "delete",
	};
	struct command *command = calloc(1, sizeof *command);

	if (!command)
		return NULL;
	command->kind = kind;
	command->give_up_ms = loop_now_ms(pair->rtpengine->options.loop) + PATIENCE_MS;
	list_init(&command->node);
	if (!names[kind])
		return command;
	command->body = json_pack("{s:s,s:s}", "command", names[kind], "call-id", pair->call_id);
	if (command->body)
		return command;
	free(command);
	return NULL;
}

void command_free(struct command *command)
{
	list_remove(&command->node);
	json_decref(command->body);
	free(command);
}

static void command_over(struct rtpengine *rtpengine, const struct command *command, const json_t *answer)
{
	switch (command->kind) {
	case COMMAND_EXCHANGE:
		exchange_over(rtpengine, command, answer);
		break;
	case COMMAND_PLAY:
		play_begun(rtpengine, command, answer);
		break;
	case COMMAND_BLOCK:
	case COMMAND_SILENCE:
	case COMMAND_STOP:
	case COMMAND_UNBLOCK:
	case COMMAND_UNSILENCE:
	case COMMAND_DELETE:
		break;
	}
}

static void answered(void *context, const json_t *answer);

// False: it cannot be sent, and is still there.
static bool first_send(struct pair *pair)
{
	struct command *command = container_of(pair->commands.next, struct command, node);
	uint64_t now_ms = loop_now_ms(pair->rtpengine->options.loop);
	uint64_t left_ms = command->give_up_ms > now_ms ? command->give_up_ms - now_ms : 0;

	if (left_ms == 0 && command->kind != COMMAND_DELETE)
		return false;
	pair->request =
	    ng_send(relay_client(pair->relay), command->body, left_ms ? left_ms : PATIENCE_MS, answered, pair);
	return pair->request != NULL;
}

// What the relay says of both sides; then the pair is gone.
static void deleted(struct pair *pair, const json_t *answer)
{
	for (int i = 0; i < 2; i++) {
		struct quality quality = {.packets = 0};
		if (pair->ends[i].described && quality_read(answer, pair->ends[i].tag, pair->ends[1 - i].tag, &quality))
			side_tally(pair->ends[i].side, &pair->ends[i], &quality);
	}
	pair_free(pair);
}

// Sends the next command; those that cannot be sent end here. What ends is told last of all, since that may end the pair.
static void pair_go_on(struct pair *pair)
{
	struct rtpengine *rtpengine = pair->rtpengine;
	struct list over;

	list_init(&over);
	while (!list_empty(&pair->commands) && !first_send(pair)) {
		struct command *command = container_of(pair->commands.next, struct command, node);
		list_remove(&command->node);
		list_append(&over, &command->node);
		if (command->kind == COMMAND_DELETE) {
			deleted(pair, NULL);
			break;
		}
	}
	list_each (node, following, &over) {
		struct command *command = container_of(node, struct command, node);
		command_over(rtpengine, command, NULL);
		command_free(command);
	}
}

static void answered(void *context, const json_t *answer)
{
	struct pair *pair = context;
	struct rtpengine *rtpengine = pair->rtpengine;
	struct command *command = container_of(pair->commands.next, struct command, node);

	pair->request = NULL;
	list_remove(&command->node);
	if (!answer)
		log_warning("media_relay_silent", LOG_STR("relay", relay_name(pair->relay)),
			    LOG_STR("command", ng_text(command->body, "command")), LOG_TEXT("call", pair->call_id));
	else if (str_equal(ng_result(answer), STR("error")))
		log_warning("media_relay_refused", LOG_STR("relay", relay_name(pair->relay)),
			    LOG_STR("command", ng_text(command->body, "command")), LOG_TEXT("call", pair->call_id),
			    LOG_STR("why", ng_text(answer, "error-reason")));
	if (command->kind == COMMAND_DELETE) {
		deleted(pair, answer);
	} else {
		if (command->kind == COMMAND_EXCHANGE && !str_empty(ng_text(answer, "sdp")))
			pair->settled = true;
		pair_go_on(pair);
	}
	command_over(rtpengine, command, answer);
	command_free(command);
}

enum err pair_order(struct pair *pair, struct command *command)
{
	bool waits = pair->request != NULL;

	list_append(&pair->commands, &command->node);
	if (waits || first_send(pair))
		return ERR_NONE;
	command_free(command);
	return ERR_NO_MEMORY;
}

// ---- ending

// Out of sight of the sides and of whoever looks for it.
static void pair_detach(struct pair *pair)
{
	pair->ending = true;
	hash_remove(pair->rtpengine->pairs, &pair->node);
	for (int i = 0; i < 2; i++) {
		struct side *side = pair->ends[i].side;
		list_remove(&pair->ends[i].node);
		side->deletes++;
		if (side->play.sequence && side->play.pair == pair->id)
			play_lost(side);
	}
}

void pair_end(struct pair *pair)
{
	struct command *command = command_new(pair, COMMAND_DELETE);

	// Deletes the whole call; only with a tag does rtpengine say how it was.
	if (command && json_object_set_new(command->body, "from-tag", json_string(pair->ends[0].tag))) {
		command_free(command);
		command = NULL;
	}
	pair_detach(pair);
	list_each (node, following, &pair->commands)
		if (node != pair->commands.next || !pair->request)
			command_free(container_of(node, struct command, node));
	if (!command || pair_order(pair, command))
		pair_free(pair); // its ports are freed by the relay's own timeout
}

void pair_free(struct pair *pair)
{
	struct rtpengine *rtpengine = pair->rtpengine;
	struct side *sides[] = {pair->ends[0].side, pair->ends[1].side};

	ng_cancel(pair->request);
	list_each (node, following, &pair->commands)
		command_free(container_of(node, struct command, node));
	slots_remove(rtpengine->pair_ids, pair->id);
	relay_give(pair->relay);
	pair->call->pairs--;
	call_leave(rtpengine, pair->call);
	free(pair);
	for (int i = 0; i < 2; i++) {
		sides[i]->deletes--;
		side_look(sides[i]);
	}
}

void pair_drop(struct pair *pair)
{
	if (!pair->ending)
		pair_detach(pair);
	pair_free(pair);
}

// ---- a relay is gone

struct lost_pairs {
	const struct relay *relay;
	uint64_t before_ms;
	struct list sides;    // to be told
	struct list commands; // to end without an answer
};

static void lost_one(void *object, void *context)
{
	struct pair *pair = object;
	struct lost_pairs *lost = context;

	if (pair->relay != lost->relay || pair->begun_ms >= lost->before_ms)
		return;
	ng_cancel(pair->request);
	pair->request = NULL;
	list_each (node, following, &pair->commands) {
		list_remove(node);
		list_append(&lost->commands, node);
	}
	if (!pair->ending) {
		pair_detach(pair);
		for (int i = 0; i < 2; i++)
			if (pair->settled && list_empty(&pair->ends[i].side->lost))
				list_append(&lost->sides, &pair->ends[i].side->lost);
	}
	if (pair->call->relay == pair->relay)
		pair->call->relay = NULL;
	pair_free(pair);
}

// What is told may change everything, so all that is lost is taken out first. Sides that are released meanwhile leave the list.
void pairs_lost(void *context, struct relay *relay, uint64_t before_ms)
{
	struct rtpengine *rtpengine = context;
	struct lost_pairs lost = {.relay = relay, .before_ms = before_ms};

	list_init(&lost.sides);
	list_init(&lost.commands);
	slots_visit(rtpengine->pair_ids, lost_one, &lost);
	while (!list_empty(&lost.commands)) {
		struct command *command = container_of(lost.commands.next, struct command, node);
		list_remove(&command->node);
		command_over(rtpengine, command, NULL);
		command_free(command);
	}
	while (!list_empty(&lost.sides)) {
		struct side *side = container_of(lost.sides.next, struct side, lost);
		list_remove(&side->lost);
		if (!side->released)
			rtpengine->sink.lost(rtpengine->sink.context, side->leg);
	}
}

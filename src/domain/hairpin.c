// The hairpin guard: a leg of ours to the outside that comes back in as a new call, with nothing of SIP left to know it by. What is
// left is who is called, who is shown as calling, and how long ago the leg went out.
#include "base/log.h"
#include "domain/call.h"

#include <string.h>

// ---- the legs that are out

enum hairpin_key { BY_NUMBER, BY_SHOWN, BY_USER };

static uint64_t shown_hash(const struct leg *leg)
{
	return hash_str(leg->shown_number);
}

void hairpin_watch(struct leg *leg, const struct outgoing_invite *invite)
{
	struct call_table *table = leg->call->table;
	struct attempt *attempt = leg->attempt;
	bool teams =
	    leg->turn->device_kind == DEVICE_TEAMS; // its number may be that of a DID: calls to it are no hairpins
	uint64_t user_id = attempt->user_id ? attempt->user_id : attempt->payer_id;

	leg->shown_number = invite->anonymous ? STR_NONE : arena_copy(&attempt->record->arena, invite->caller_number);
	leg->shown_kind = invite->shown_kind;
	const uint64_t hashes[] = {
	    [BY_NUMBER] = hash_str(leg->turn->number), [BY_SHOWN] = shown_hash(leg), [BY_USER] = hash_uint(user_id)};
	// Without memory for it the guard has a hole, nothing worse.
	for (int key = teams ? BY_SHOWN : BY_NUMBER; key < HAIRPIN_KEYS; key++)
		if (!hash_insert(table->outside[key], &leg->outside[key], hashes[key]))
			leg->outside[key].hash = 0;
}

void hairpin_forget(struct leg *leg)
{
	for (int key = 0; key < HAIRPIN_KEYS; key++) {
		if (leg->outside[key].hash)
			hash_remove(leg->call->table->outside[key], &leg->outside[key]);
		leg->outside[key].hash = 0;
	}
}

// ---- whether an incoming call is one of them

struct question {
	const struct hairpin_arrival *arrival;
	const struct call_table *table;
	uint64_t now_ms;
};

// Who is answered is on nobody's way back any more, and who has been given up is called again, perhaps by the same caller at once.
static bool is_out(const struct leg *leg)
{
	return leg->state == LEG_INVITED || leg->state == LEG_RINGING;
}

static bool within(const struct question *question, const struct leg *leg, uint64_t window_ms)
{
	return is_out(leg) && question->now_ms - leg->began_ms <= window_ms;
}

// The number that the leg has dialled, or one of somebody whom its call is for already.
static bool leads_round(const struct question *question, const struct leg *leg)
{
	const struct user *user = question->arrival->user;

	return str_equal(question->arrival->dialled, leg->turn->number) ||
	       (user && was_visited(leg->call, user->entity.id));
}

static bool is_our_number(const struct call_table *table, struct str canonical)
{
	const struct directory *directory = table->ports.directory;
	struct problem problem = {.err = ERR_NONE};
	struct number number;

	if (directory_did(directory, canonical, 0))
		return true;
	for (const struct trunk *trunk = NULL; (trunk = directory_trunk_after(directory, trunk));)
		if (!str_empty(trunk->caller_id) &&
		    number_parse(directory_plan(directory), trunk->caller_id, &number, &problem) == ERR_NONE &&
		    str_equal(canonical, str_of(number.canonical)))
			return true;
	return false;
}

// The carrier has left the caller as he was shown. Once it rings at a phone, a further call with that number is somebody else's, of the
// same house perhaps.
static bool same_shown(const struct hash_node *node, const void *key)
{
	const struct question *question = key;
	const struct leg *leg = container_of(node, const struct leg, outside[BY_SHOWN]);
	bool in_time = leg->shown_kind == SHOWN_PERSONAL || (leg->progress != 180 && within(question, leg, HAIRPIN_MS));

	return str_equal(leg->shown_number, question->arrival->caller) && leads_round(question, leg) && is_out(leg) &&
	       in_time;
}

// The carrier shows the number that sends the call on.
static bool sent_on_by_number(const struct hash_node *node, const void *key)
{
	const struct question *question = key;
	const struct leg *leg = container_of(node, const struct leg, outside[BY_NUMBER]);

	return str_equal(leg->turn->number, question->arrival->caller) && leads_round(question, leg) && is_out(leg);
}

// The carrier shows nobody, or one of our own numbers: that may be anybody, so it must be soon, before it rings anywhere, and it is
// so once.
static bool weakly(const struct question *question, const struct leg *leg)
{
	return !leg->rang && leg->came_back_over != question->arrival->trunk_id &&
	       within(question, leg, HAIRPIN_REPLACED_MS);
}

static bool same_number(const struct hash_node *node, const void *key)
{
	const struct question *question = key;
	const struct leg *leg = container_of(node, const struct leg, outside[BY_NUMBER]);

	return str_equal(leg->turn->number, question->arrival->dialled) && weakly(question, leg);
}

static bool same_user(const struct hash_node *node, const void *key)
{
	const struct question *question = key;
	const struct leg *leg = container_of(node, const struct leg, outside[BY_USER]);
	uint64_t user_id = leg->attempt->user_id ? leg->attempt->user_id : leg->attempt->payer_id;

	return user_id == question->arrival->user->entity.id && leads_round(question, leg) && weakly(question, leg);
}

static struct leg *find(const struct question *question)
{
	const struct call_table *table = question->table;
	const struct hairpin_arrival *arrival = question->arrival;
	uint64_t called = hash_str(arrival->dialled), caller = hash_str(arrival->caller);
	struct hash_node *node;

	if (!str_empty(arrival->caller)) {
		node = hash_find(table->outside[BY_SHOWN], caller, same_shown, question);
		if (node)
			return container_of(node, struct leg, outside[BY_SHOWN]);
		node = hash_find(table->outside[BY_NUMBER], caller, sent_on_by_number, question);
		if (node)
			return container_of(node, struct leg, outside[BY_NUMBER]);
		if (!is_our_number(table, arrival->caller))
			return NULL;
	}
	node = hash_find(table->outside[BY_NUMBER], called, same_number, question);
	if (node)
		return container_of(node, struct leg, outside[BY_NUMBER]);
	if (!arrival->user)
		return NULL;
	node = hash_find(table->outside[BY_USER], hash_uint(arrival->user->entity.id), same_user, question);
	return node ? container_of(node, struct leg, outside[BY_USER]) : NULL;
}

bool hairpin_comes_back(const struct call_table *table, const struct hairpin_arrival *arrival)
{
	const struct question question = {arrival, table, loop_now_ms(table->ports.loop)};
	struct leg *leg = find(&question);

	if (!leg)
		return false;
	leg->came_back_over = arrival->trunk_id;
	log_info("call_comes_back", LOG_UINT("call", leg->call->id), LOG_UINT("leg", leg->number),
		 LOG_STR("number", leg->turn->number), LOG_STR("dialled", arrival->dialled),
		 LOG_STR("caller", arrival->caller), LOG_UINT("after_ms", question.now_ms - leg->began_ms));
	return true;
}

// ---- what the guard does not see

struct crowd {
	struct str number, shown;
	unsigned count;
};

static bool count_same(const struct hash_node *node, const void *key)
{
	struct crowd *crowd = *(struct crowd *const *)key;
	const struct leg *leg = container_of(node, const struct leg, outside[BY_NUMBER]);

	if (is_out(leg) && leg->shown_kind == SHOWN_CALLERS && str_equal(leg->turn->number, crowd->number) &&
	    str_equal(leg->shown_number, crowd->shown))
		crowd->count++;
	return false;
}

// A round that takes longer than the guard looks back ends here: only so many legs show one caller to one number at a time.
bool hairpin_is_crowded(const struct call_table *table, const struct call_turn *turn,
			const struct outgoing_invite *invite)
{
	struct crowd crowd = {turn->number, invite->anonymous ? STR_NONE : invite->caller_number, 0};
	struct crowd *key = &crowd;

	if (invite->shown_kind != SHOWN_CALLERS)
		return false;
	hash_find(table->outside[BY_NUMBER], hash_str(turn->number), count_same, &key);
	return crowd.count >= HAIRPIN_SAME_MAX;
}

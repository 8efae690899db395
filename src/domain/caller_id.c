// The number that the outside sees of a caller, and of those who sent the call on.
#include "domain/call.h"

#include <string.h>

// ---- numbers that are ours to show

struct str caller_id_of_user(const struct directory *directory, const struct user *user)
{
	if (!user)
		return STR_NONE;
	if (!str_empty(user->caller_id))
		return user->caller_id;
	const struct did *did = directory_did_of_user(directory, user->entity.id);
	return did ? str_first(did->canonical, str_index(did->canonical, '-')) : STR_NONE; // of a range the first
}

// Whose number stands for the call: whose ring plan it is, who forwarded it, or who dialled it.
static const struct user *owner_of(const struct attempt *attempt, const struct call_turn *turn)
{
	const struct directory *directory = attempt->call->table->ports.directory;

	if (turn->guest_id)
		return directory_user(directory, turn->guest_id);
	return directory_user(directory, attempt->user_id ? attempt->user_id : attempt->payer_id);
}

struct shown {
	struct str number;
	enum shown_kind kind;
	bool is_callers; // and stays as private as he wants it
	enum shown_reason reason;
};

const char *const shown_reason_names[] = {
#define SHOWN_REASON(name, text, sentence) text,
#include "domain/shown_reasons.def"
#undef SHOWN_REASON
    NULL};

const char *shown_reason_sentence(enum shown_reason reason)
{
	static const char *const sentences[] = {
#define SHOWN_REASON(name, text, sentence) sentence,
#include "domain/shown_reasons.def"
#undef SHOWN_REASON
	};

	return sentences[reason];
}

// Who calls is the one whose number stands for the call: whatever is shown is his.
static bool calls_himself(const struct attempt *attempt, const struct call_turn *turn)
{
	const struct user *owner = owner_of(attempt, turn);

	return owner && owner->entity.id == attempt->call->caller_user_id;
}

// Of the owner, else the one that all share.
static struct shown own_number(const struct attempt *attempt, const struct call_turn *turn, const struct trunk *trunk)
{
	struct str own = caller_id_of_user(attempt->call->table->ports.directory, owner_of(attempt, turn));

	bool is_callers = calls_himself(attempt, turn);

	return str_empty(own) ? (struct shown){trunk->caller_id, SHOWN_SHARED, is_callers, SHOWN_REASON_TRUNK}
			      : (struct shown){own, SHOWN_PERSONAL, is_callers, SHOWN_REASON_OWN_DID};
}

// The caller's own number as the outside may call it back. An extension means nothing there: then it is another number of his, the
// trunk's, or that of whoever sends the call out.
static struct shown original_number(const struct attempt *attempt, const struct call_turn *turn,
				    const struct trunk *trunk)
{
	const struct call *call = attempt->call;
	const struct directory *directory = call->table->ports.directory;
	const struct call_record *record = attempt->record;

	if (call->caller_kind == CALLER_TRUNK)
		return (struct shown){call->caller_canonical[0] ? str_of(call->caller_canonical)
								: record->caller_number,
				      SHOWN_CALLERS, true, SHOWN_REASON_ORIGINAL};
	struct str number = caller_id_of_user(directory, directory_user(directory, call->caller_user_id));
	if (!str_empty(number))
		return (struct shown){number, SHOWN_PERSONAL, true, SHOWN_REASON_ORIGINAL};
	if (call->caller_device_kind == DEVICE_TEAMS && call->caller_canonical[0]) // the number that Teams knows him by
		return (struct shown){str_of(call->caller_canonical), SHOWN_PERSONAL, true, SHOWN_REASON_ORIGINAL};
	if (!str_empty(trunk->caller_id))
		return (struct shown){trunk->caller_id, SHOWN_SHARED, true, SHOWN_REASON_TRUNK};
	struct shown own = own_number(attempt, turn, trunk);
	if (!str_empty(own.number))
		return own;
	// Nothing else is there: of an emergency call from a device without holder, not even an extension.
	number = call->caller_user_id ? record->caller_number : record->caller_device_number;
	return (struct shown){number, SHOWN_SHARED, true, SHOWN_REASON_EXTENSION};
}

// ---- what is shown

static struct shown shown_by_policy(const struct attempt *attempt, const struct call_turn *turn,
				    const struct trunk *trunk)
{
	const struct device *device = directory_device(attempt->call->table->ports.directory, turn->plan.device_id);
	bool by_trunk = !device || device->caller_id == CALLER_ID_TRUNK_DEFAULT;
	int policy = by_trunk ? trunk->caller_id_policy : device->caller_id;
	struct shown original = original_number(attempt, turn, trunk), own = own_number(attempt, turn, trunk);
	struct str fixed = by_trunk ? trunk->caller_id : device->caller_id_number;

	if (attempt->emergency) {
		original.reason = SHOWN_REASON_EMERGENCY;
		return original;
	}
	if (str_empty(own.number))
		own = original;
	if (turn->shows_own_over == trunk->entity.id || number_refusals_known(attempt->call->table, trunk)) {
		if (own.reason == SHOWN_REASON_OWN_DID)
			own.reason = SHOWN_REASON_REFUSED;
		return own;
	}
	switch ((enum caller_id_policy)policy) {
	case CALLER_ID_FIXED:
		return str_empty(fixed)
			   ? own
			   : (struct shown){fixed, SHOWN_SHARED, calls_himself(attempt, turn), SHOWN_REASON_FIXED};
	case CALLER_ID_OWN_DID:
		return own;
	case CALLER_ID_ORIGINAL:
	case CALLER_ID_TRUNK_DEFAULT:
		break;
	}
	return original;
}

static struct str canonical_outside(const struct directory *directory, struct str number, char room[NUMBER_MAX])
{
	struct problem problem = {.err = ERR_NONE};
	struct number parsed;

	if (number_parse(directory_plan(directory), number, &parsed, &problem) != ERR_NONE ||
	    parsed.class_ == NUMBER_SHORT)
		return number;
	memcpy(room, parsed.canonical, NUMBER_MAX);
	return str_of(room);
}

struct str caller_id_own(const struct attempt *attempt, const struct call_turn *turn, const struct trunk *trunk,
			 char room[NUMBER_MAX])
{
	return canonical_outside(attempt->call->table->ports.directory, own_number(attempt, turn, trunk).number, room);
}

enum shown_reason caller_shown(const struct attempt *attempt, const struct call_turn *turn,
			       struct outgoing_invite *invite, char room[NUMBER_MAX])
{
	const struct call *call = attempt->call;

	invite->caller_number = attempt->record->caller_number;
	invite->caller_name = attempt->record->caller_name;
	invite->anonymous = call->anonymous;
	if (!invite->trunk)
		return SHOWN_REASON_ORIGINAL;
	struct shown shown = shown_by_policy(attempt, turn, invite->trunk);
	if (call->anonymous && !shown.is_callers) // his name would tell what his number does not
		invite->caller_name = STR_NONE;
	invite->anonymous = call->anonymous && shown.is_callers;
	invite->shown_kind = shown.kind;
	invite->caller_number = canonical_outside(call->table->ports.directory, shown.number, room);
	return shown.reason;
}

// ---- who sent the call on

static enum diversion_reason reason_of(const struct attempt *attempt)
{
	const struct result *best = &attempt->best;

	if (best->err == ERR_DO_NOT_DISTURB)
		return DIVERSION_DO_NOT_DISTURB;
	switch (best->outcome) {
	case OUTCOME_BUSY:
	case OUTCOME_DECLINED:
		return DIVERSION_USER_BUSY;
	case OUTCOME_TIMED_OUT:
	case OUTCOME_TOO_SOON:
	case OUTCOME_TOO_LATE:
	case OUTCOME_NOT_CONFIRMED:
		return DIVERSION_NO_ANSWER;
	case OUTCOME_UNREACHABLE:
		return DIVERSION_UNAVAILABLE;
	case OUTCOME_ANSWERED:
	case OUTCOME_ANSWERED_ELSEWHERE:
	case OUTCOME_DECLINED_ELSEWHERE:
	case OUTCOME_CALLER_GAVE_UP:
	case OUTCOME_NOT_RUNG:
	case OUTCOME_REFUSED:
	case OUTCOME_FAILED:
	case OUTCOME_COUNT:
		break;
	}
	return DIVERSION_UNKNOWN;
}

// The number that was called to reach him, else one of his, else the extension.
static struct str diverting_number(const struct attempt *attempt, uint64_t user_id)
{
	const struct call *call = attempt->call;
	const struct directory *directory = call->table->ports.directory;
	const struct user *user = directory_user(directory, user_id);

	if (!user)
		return attempt->called;
	if (call->did_dialled[0] && call->visited_count > 0 && call->visited[0] == user_id)
		return str_of(call->did_dialled);
	struct str number = caller_id_of_user(directory, user);
	return str_empty(number) ? user->extension : number;
}

bool diversions_keep(struct call *call, const struct invitation *invitation, struct arena *arena)
{
	size_t count = invitation->diversion_count < DIVERSIONS_MAX ? invitation->diversion_count : DIVERSIONS_MAX;

	if (count == 0)
		return true;
	call->diversions = arena_alloc(arena, count * sizeof *call->diversions);
	if (!call->diversions)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct diversion *kept = &call->diversions[i];
		*kept = invitation->diversions[i];
		kept->number = arena_copy(arena, kept->number);
		kept->uri = arena_copy(arena, kept->uri);
		if (!kept->number.at || !kept->uri.at)
			return false;
	}
	call->diversion_count = count;
	return true;
}

unsigned diversions_hops(const struct call *call)
{
	unsigned hops = 0;

	for (size_t i = 0; i < call->diversion_count; i++)
		hops += call->diversions[i].times;
	return hops;
}

// A carrier in front of us may send a call from one of a user's numbers to another one, and say so: that is no loop. Only what has
// our own host is what we have written ourselves.
bool diversions_show_loop(const struct call *call, const struct user *user)
{
	const struct directory *directory = call->table->ports.directory;

	for (size_t i = 0; i < call->diversion_count; i++) {
		const struct diversion *diversion = &call->diversions[i];
		char canonical[NUMBER_MAX], own[NUMBER_MAX];
		if (!diversion->is_ours)
			continue;
		struct str number = canonical_outside(directory, diversion->number, canonical);
		const struct did *did = directory_did(directory, number, 0);
		struct destination reached = {.user = NULL};
		if (did)
			(void)destination_of_did(directory, did, number, &reached);
		if (str_equal(number, user->extension) || reached.user == user ||
		    str_equal(number, canonical_outside(directory, user->caller_id, own)))
			return true;
	}
	return false;
}

struct gathering {
	struct diversion *diversions;
	char (*rooms)[NUMBER_MAX];
	size_t count;
};

static void gather(struct gathering *gathering, const struct attempt *attempt, uint64_t user_id,
		   enum diversion_reason reason)
{
	const struct directory *directory = attempt->call->table->ports.directory;

	if (gathering->count == DIVERSIONS_MAX)
		return;
	gathering->diversions[gathering->count] = (struct diversion){
	    .number =
		canonical_outside(directory, diverting_number(attempt, user_id), gathering->rooms[gathering->count]),
	    .reason = reason,
	    .times = 1,
	};
	gathering->count++;
}

// The oldest first: those that came with the call, who forwarded it, whose ring plan or device sends it out.
size_t diversions_gather(const struct attempt *attempt, const struct call_turn *turn,
			 struct diversion diversions[DIVERSIONS_MAX], char rooms[DIVERSIONS_MAX][NUMBER_MAX])
{
	const struct call *call = attempt->call;
	struct gathering gathering = {diversions, rooms, call->diversion_count};

	if (call->diversion_count)
		memcpy(diversions, call->diversions, call->diversion_count * sizeof *diversions);
	list_each (node, following, &call->attempts) {
		const struct attempt *before = container_of(node, const struct attempt, node);
		if (before == attempt)
			break;
		if (before->user_id)
			gather(&gathering, before, before->user_id, reason_of(before));
	}
	if (attempt->user_id && turn->redirector)
		gather(&gathering, attempt, attempt->user_id, DIVERSION_DEFLECTION);
	if (turn->plan.device_id && owner_of(attempt, turn))
		gather(&gathering, attempt, owner_of(attempt, turn)->entity.id, DIVERSION_FOLLOW_ME);
	return gathering.count;
}

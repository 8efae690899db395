// Explanations of what was dialled. The question is put to a call that is none: it has a caller, but no leg was begun and nothing is
// counted, and it is gone with the answer.
#include "domain/call.h"
#include "domain/dial_explanation.h"
#include "domain/trunk_number.h"

#include <string.h>

const char *const dial_step_names[] = {"number", "caller", "feature",     "emergency", "extension",
				       "loop",   "did",    "unknown_did", "routes",    NULL};
const char *const dial_result_names[] = {"refused", "feature", "user", "outside", NULL};

// Everything a decision looks at.
struct rehearsal {
	struct call_table *table;
	const struct dial_question *question;
	struct arena *arena;
	struct dial_explanation *explanation;
	struct call call;
	struct leg caller;
	struct attempt attempt;
	struct call_record *record;
	struct destination destination;
	bool no_memory;
};

static void step_add(struct rehearsal *rehearsal, enum dial_step_kind kind, bool holds, struct str sentence)
{
	struct dial_explanation *explanation = rehearsal->explanation;

	rehearsal->no_memory = rehearsal->no_memory || !sentence.at;
	explanation->steps[explanation->step_count++] =
	    (struct dial_step){.kind = kind, .holds = holds, .sentence = sentence};
}

static void refuse(struct rehearsal *rehearsal, enum err err)
{
	rehearsal->explanation->result = DIAL_REFUSED;
	rehearsal->explanation->refused = err;
}

// ---- how the number is read

static void number_explain(struct rehearsal *rehearsal, enum err err, const struct number *number,
			   const struct problem *problem)
{
	struct dial_explanation *explanation = rehearsal->explanation;

	if (err) {
		step_add(rehearsal, DIAL_STEP_NUMBER, false,
			 arena_copy(rehearsal->arena,
				    problem->sentence[0] ? str_of(problem->sentence) : str_of(err_sentence(err))));
		return;
	}
	explanation->canonical = arena_copy(rehearsal->arena, str_of(number->canonical));
	explanation->class_ = number->class_;
	step_add(rehearsal, DIAL_STEP_NUMBER, true,
		 arena_format(rehearsal->arena, "It is read as %s, which is %s.", number->canonical,
			      number_class_names[number->class_]));
}

// ---- where it leads

static void user_explain(struct rehearsal *rehearsal, const struct user *user)
{
	struct dial_explanation *explanation = rehearsal->explanation;

	explanation->result = DIAL_USER;
	explanation->user_id = user->entity.id;
	explanation->user_title = arena_copy(rehearsal->arena, user->title);
	explanation->user_extension = arena_copy(rehearsal->arena, user->extension);
	rehearsal->no_memory = rehearsal->no_memory || !explanation->user_title.at || !explanation->user_extension.at;
}

static void did_explain(struct rehearsal *rehearsal, const struct destination *destination, enum err err)
{
	const struct did *did = destination->did;

	if (!did) {
		step_add(rehearsal, DIAL_STEP_DID, false, STR("It is no public number of ours."));
	} else {
		rehearsal->explanation->did_id = did->entity.id;
		rehearsal->explanation->did = arena_copy(rehearsal->arena, did->canonical);
		rehearsal->no_memory = rehearsal->no_memory || !rehearsal->explanation->did.at;
		step_add(rehearsal, DIAL_STEP_DID, true,
			 arena_format(rehearsal->arena, "It is our public number %.*s%s%.*s.", STR_ARG(did->number),
				      str_empty(did->last) ? "" : " to ", STR_ARG(did->last)));
	}
	if (!destination->unknown)
		return;
	step_add(rehearsal, DIAL_STEP_UNKNOWN_DID, true,
		 destination->user
		     ? arena_format(rehearsal->arena, "Numbers that lead nowhere go to extension %.*s.",
				    STR_ARG(destination->user->extension))
		     : arena_format(rehearsal->arena, "Numbers that lead nowhere: %s", err_sentence(err)));
}

// ---- the ways out

static struct str verdict_sentence(struct rehearsal *rehearsal, const struct dial_route *way)
{
	char room[TOLL_SENTENCE_MAX];

	if (!way->enabled)
		return STR("Its trunk is switched off.");
	if (way->why_not)
		return arena_copy(rehearsal->arena, toll_sentence(&way->toll, room));
	return STR("A call may go this way.");
}

static void way_explain(struct rehearsal *rehearsal, const struct route *route, struct dial_route *way)
{
	struct attempt *attempt = &rehearsal->attempt;
	const struct call_turn *turn = &attempt->turns[0];
	const struct toll_question question = toll_question_of(attempt, turn, route);
	struct outgoing_invite invite = {.target = TARGET_TRUNK};
	char number[ROUTE_NUMBER_MAX], shown[NUMBER_MAX];

	invite.trunk = directory_trunk(rehearsal->table->ports.directory, route->trunk_id);
	*way = (struct dial_route){
	    .route_id = route->entity.id,
	    .trunk_id = route->trunk_id,
	    .pattern = arena_copy(rehearsal->arena, route->pattern),
	    .trunk = arena_copy(rehearsal->arena, invite.trunk ? invite.trunk->title : STR("")),
	    .cost = route->cost,
	    .enabled = invite.trunk && invite.trunk->enabled,
	    .toll = toll_judge(rehearsal->table->toll, &question),
	};
	way->why_not = way->enabled ? way->toll.err : ERR_TRUNK_DOWN;
	way->sentence = verdict_sentence(rehearsal, way);
	way->sent = STR("");
	if (invite.trunk) {
		way->sent = arena_copy(rehearsal->arena,
				       trunk_number(directory_plan(rehearsal->table->ports.directory), invite.trunk,
						    route, attempt->emergency, turn->number, number));
		way->shown_reason = caller_shown(attempt, turn, &invite, shown);
		way->caller_number = arena_copy(rehearsal->arena, invite.caller_number);
		way->anonymous = invite.anonymous;
		rehearsal->no_memory = rehearsal->no_memory || (!way->caller_number.at && invite.caller_number.length);
	}
	rehearsal->no_memory =
	    rehearsal->no_memory || !way->sentence.at || !way->sent.at || !way->pattern.at || !way->trunk.at;
}

static void ways_explain(struct rehearsal *rehearsal)
{
	struct dial_explanation *explanation = rehearsal->explanation;
	const struct route *routes[ROUTES_MAX];
	const struct destination *destination = &rehearsal->destination;
	size_t count = routes_to(rehearsal->table->ports.directory, str_of(destination->outside.canonical),
				 destination->emergency, routes);
	enum err why = count ? ERR_NONE : ERR_NO_ROUTE;
	bool open = false;

	explanation->routes = arena_alloc(rehearsal->arena, (count + 1) * sizeof *explanation->routes);
	if (!explanation->routes || !attempt_plan_outside(&rehearsal->attempt, &destination->outside)) {
		rehearsal->no_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct dial_route *way = &explanation->routes[explanation->route_count++];
		way_explain(rehearsal, routes[i], way);
		open = open || !way->why_not;
		if (why == ERR_NONE || why == ERR_TRUNK_DOWN) // what forbids says more
			why = way->why_not;
	}
	step_add(rehearsal, DIAL_STEP_ROUTES, open,
		 count == 0 ? STR("No route leads to it.")
			    : arena_format(rehearsal->arena, "%zu route%s to it%s.", count,
					   count == 1 ? " leads" : "s lead", open ? "" : ", but none may be taken"));
	explanation->result = DIAL_OUTSIDE;
	if (!open)
		refuse(rehearsal, why);
}

// ---- a user of ours dials

static void dialled_explain(struct rehearsal *rehearsal, const struct user *user)
{
	struct dial_explanation *explanation = rehearsal->explanation;
	const struct directory *directory = rehearsal->table->ports.directory;
	struct str dialled = rehearsal->question->number, argument;
	struct destination *destination = &rehearsal->destination;
	struct problem problem = {.err = ERR_NONE};
	struct number number;

	explanation->feature = feature_of(directory_features(directory), dialled, &argument);
	step_add(rehearsal, DIAL_STEP_FEATURE, explanation->feature != FEATURE_NONE,
		 explanation->feature != FEATURE_NONE ? STR("It is a feature code.") : STR("It is no feature code."));
	if (explanation->feature != FEATURE_NONE) {
		explanation->result = DIAL_FEATURE;
		return;
	}
	enum err err = destination_of_user(rehearsal->table, user, dialled, destination);
	explanation->emergency = destination->emergency;
	step_add(rehearsal, DIAL_STEP_EMERGENCY, destination->emergency,
		 destination->emergency ? STR("It is an emergency code: nothing forbids it.")
					: STR("It is no emergency code."));
	bool extension = destination->user && !destination->did;
	step_add(rehearsal, DIAL_STEP_EXTENSION, extension,
		 extension
		     ? arena_format(rehearsal->arena, "It is the extension of %.*s.", STR_ARG(destination->user->title))
		     : STR("It is nobody's extension."));
	if (extension) {
		user_explain(rehearsal, destination->user);
		return;
	}
	enum err read = number_parse_dialled(directory_plan(directory), dialled, &number, &problem);
	number_explain(rehearsal, read, &number, &problem);
	if (read) {
		refuse(rehearsal, read);
		return;
	}
	did_explain(rehearsal, destination, err);
	if (destination->user)
		user_explain(rehearsal, destination->user);
	else if (destination->did)
		refuse(rehearsal, err);
	else
		ways_explain(rehearsal);
}

// ---- a trunk brings a call

static void brought_explain(struct rehearsal *rehearsal)
{
	struct dial_explanation *explanation = rehearsal->explanation;
	struct destination *destination = &rehearsal->destination;
	struct problem problem = {.err = ERR_NONE};
	enum err err = destination_find(&rehearsal->call, rehearsal->question->number, destination);
	struct number number;
	enum err read = number_parse(directory_plan(rehearsal->table->ports.directory), rehearsal->question->number,
				     &number, &problem);

	number_explain(rehearsal, read, &number, &problem);
	step_add(rehearsal, DIAL_STEP_CALLER, rehearsal->record->caller_device_id != 0,
		 rehearsal->record->caller_device_id
		     ? arena_format(rehearsal->arena, "The caller's number is one of ours: phones show %.*s %.*s.",
				    STR_ARG(rehearsal->record->caller_number), STR_ARG(rehearsal->record->caller_name))
		     : STR("The caller's number is nobody's here."));
	if (err == ERR_LOOP)
		step_add(rehearsal, DIAL_STEP_LOOP, true, STR("It is a call of ours that comes back."));
	else
		did_explain(rehearsal, destination, err);
	if (destination->user)
		user_explain(rehearsal, destination->user);
	else
		refuse(rehearsal, err);
	rehearsal->no_memory = rehearsal->no_memory || err == ERR_NO_MEMORY;
	explanation->emergency = false;
}

// ---- the whole

static enum err caller_set(struct rehearsal *rehearsal, const struct user *user)
{
	const struct dial_question *question = rehearsal->question;
	struct call *call = &rehearsal->call;
	const struct invitation invitation = {.caller = CALLER_TRUNK,
					      .trunk_id = question->from_trunk,
					      .dialled = question->number,
					      .caller_number = question->caller,
					      .anonymous = !user && str_empty(question->caller),
					      .max_forwards = 70};

	call->table = rehearsal->table;
	call->caller = &rehearsal->caller;
	call->max_forwards = invitation.max_forwards;
	call->anonymous = invitation.anonymous;
	rehearsal->caller.call = call;
	list_init(&call->attempts);
	list_init(&rehearsal->attempt.legs);
	list_append(&call->attempts, &rehearsal->attempt.node);
	rehearsal->attempt.call = call;
	rehearsal->attempt.record = rehearsal->record;
	if (!user)
		return caller_read(call, &invitation, rehearsal->record);
	call->caller_kind = CALLER_DEVICE;
	call->caller_device_kind = DEVICE_SIP_PHONE;
	call->caller_user_id = rehearsal->record->caller_user_id = rehearsal->attempt.payer_id = user->entity.id;
	rehearsal->record->caller_number = arena_copy(&rehearsal->record->arena, user->extension);
	rehearsal->record->caller_name = arena_copy(&rehearsal->record->arena, user->title);
	return rehearsal->record->caller_number.at && rehearsal->record->caller_name.at ? ERR_NONE : ERR_NO_MEMORY;
}

enum err call_table_explain_dial(struct call_table *table, const struct dial_question *question, struct arena *arena,
				 struct dial_explanation *explanation)
{
	const struct user *user = directory_user_by_extension(table->ports.directory, question->as);
	struct rehearsal rehearsal = {.table = table, .question = question, .arena = arena, .explanation = explanation};

	*explanation = (struct dial_explanation){.feature = FEATURE_NONE};
	if (!str_empty(question->as) && !user)
		return ERR_UNKNOWN_NUMBER;
	if (!user && !directory_trunk(table->ports.directory, question->from_trunk))
		return ERR_NOT_FOUND;
	rehearsal.record = call_record_new(NULL);
	if (!rehearsal.record)
		return ERR_NO_MEMORY;
	enum err err = caller_set(&rehearsal, user);
	explanation->caller_number = arena_copy(arena, rehearsal.record->caller_number);
	explanation->caller_name = arena_copy(arena, rehearsal.record->caller_name);
	if (!err && user)
		dialled_explain(&rehearsal, user);
	else if (!err)
		brought_explain(&rehearsal);
	call_record_free(rehearsal.record);
	return !err && rehearsal.no_memory ? ERR_NO_MEMORY : err;
}

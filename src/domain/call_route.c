// Who calls, who is called, by which way, and which number is shown.
#include "domain/call.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

// ---- the caller

// The holder is the caller: his extension and name are shown, never the device's number.
enum err caller_from_device(struct call *call, const struct invitation *invitation, struct call_record *record)
{
	const struct directory *directory = call->table->ports.directory;
	const struct device *device = directory_device(directory, invitation->device_id);
	const struct user *holder = directory_holder(directory, invitation->device_id);

	if (!device)
		return ERR_NOT_ALLOWED;
	call->caller_device_kind = device->device_kind;
	record->caller_device_number = arena_copy(&record->arena, device->number);
	if (!tally_add(call->table, TALLY_DEVICE, invitation->device_id))
		return ERR_NO_MEMORY;
	call->caller->counted = true;
	call->caller_device_id = call->caller->device_id = invitation->device_id;
	leg_talk(call->caller);
	record->caller_device_id = invitation->device_id;
	if (!holder)
		return number_is_emergency(directory_plan(directory), invitation->dialled) ||
			       dials_selection(directory, invitation->dialled)
			   ? ERR_NONE
			   : ERR_NO_HOLDER;
	if (!tally_add(call->table, TALLY_USER, holder->entity.id))
		return ERR_NO_MEMORY;
	call->caller_user_id = call->counted_user_id = record->caller_user_id = holder->entity.id;
	list_append(&tally_find(call->table, TALLY_USER, holder->entity.id)->calls, &call->of_caller);
	record->caller_number = arena_copy(&record->arena, holder->extension);
	record->caller_name = arena_copy(&record->arena, holder->title);
	return record->caller_number.at && record->caller_name.at ? ERR_NONE : ERR_NO_MEMORY;
}

enum err caller_identify(struct call *call, const struct invitation *invitation, struct call_record *record)
{
	call->caller_kind = invitation->caller;
	call->anonymous = invitation->anonymous;
	call->max_forwards = invitation->max_forwards;
	call->answers_early = invitation->answers_early;
	record->dialled =
	    dialled_shown(call->table->ports.directory, str_first(invitation->dialled, 128), &record->arena);
	record->call_id = arena_copy(&record->arena, str_first(invitation->call_id, CALL_ID_MAX));
	switch (invitation->caller) {
	case CALLER_DEVICE:
		return caller_from_device(call, invitation, record);
	case CALLER_TRUNK:
		return caller_from_trunk(call, invitation, record);
	}
	return ERR_INTERNAL;
}

// ---- the called

size_t routes_to(const struct directory *directory, struct str canonical, bool emergency,
		 const struct route *routes[ROUTES_MAX])
{
	size_t count = directory_routes(directory, canonical, routes, ROUTES_MAX);
	char country[NUMBER_MAX];

	if (count > 0 || !emergency)
		return count;
	snprintf(country, sizeof country, "+%.*s", STR_ARG(directory_plan(directory)->country_code));
	return directory_routes(directory, str_of(country), routes, ROUTES_MAX);
}

// Our own numbers are reached without going outside.
static enum err destination_outside(const struct call_table *table, const struct user *payer,
				    struct destination *destination)
{
	const struct directory *directory = table->ports.directory;
	const struct route *routes[ROUTES_MAX];
	struct str canonical = str_of(destination->outside.canonical);
	const struct did *did = directory_did(directory, canonical, 0);

	destination->emergency = destination->outside.class_ == NUMBER_EMERGENCY;
	destination->did = destination->emergency ? NULL : did;
	if (destination->did)
		return destination_of_did(directory, did, canonical, destination);
	size_t count = routes_to(directory, canonical, destination->emergency, routes);
	enum err err = ERR_NO_ROUTE;
	for (size_t i = 0; i < count; i++) {
		const struct toll_question question = {.payer_id = payer ? payer->entity.id : 0,
						       .number = canonical,
						       .route = routes[i],
						       .free = destination->emergency};
		const struct toll_verdict verdict = toll_judge(table->toll, &question);
		if (!verdict.err || verdict.limited) // a limit is for when the leg begins, and for the record
			return ERR_NONE;
		if (err == ERR_NO_ROUTE) {
			toll_refuse(table->toll, &question, &verdict);
			err = verdict.err;
		}
	}
	return err;
}

enum err destination_find(struct call *call, struct str dialled, struct destination *destination)
{
	const struct user *user = directory_user(call->table->ports.directory, call->caller_user_id);

	*destination = (struct destination){.user = NULL};
	if (call->caller_kind == CALLER_TRUNK)
		return destination_from_trunk(call, dialled, destination);
	return destination_of_user(call->table, user, dialled, destination);
}

enum err destination_of_user(const struct call_table *table, const struct user *user, struct str dialled,
			     struct destination *destination)
{
	const struct directory *directory = table->ports.directory;
	const struct number_plan *plan = directory_plan(directory);
	struct problem problem = {.err = ERR_NONE};

	*destination = (struct destination){.user = NULL};
	if (!number_is_emergency(plan, dialled)) {
		destination->user = directory_user_by_extension(directory, dialled);
		if (destination->user)
			return ERR_NONE;
	}
	enum err err = number_parse_dialled(plan, dialled, &destination->outside, &problem);
	if (err)
		return err;
	return destination_outside(table, user, destination);
}

enum err destination_of_forward(const struct call *call, const struct user *user, struct destination *destination)
{
	const struct directory *directory = call->table->ports.directory;
	struct problem problem = {.err = ERR_NONE};

	*destination = (struct destination){.user = NULL};
	if (user->unanswered == UNANSWERED_EXTENSION) {
		destination->user = directory_user_by_extension(directory, user->unanswered_target);
		return destination->user ? ERR_NONE : ERR_UNKNOWN_NUMBER;
	}
	enum err err =
	    number_parse(directory_plan(directory), user->unanswered_target, &destination->outside, &problem);
	if (!err && destination->outside.class_ == NUMBER_EMERGENCY)
		err = ERR_NOT_ALLOWED; // only a person in need dials that
	return err ? err : destination_outside(call->table, user, destination);
}

enum err destination_of_redirect(const struct call *call, const struct user *user, struct str dialled,
				 struct destination *destination)
{
	*destination = (struct destination){.user = NULL};
	if (number_is_emergency(directory_plan(call->table->ports.directory), dialled))
		return ERR_NOT_ALLOWED; // only a person in need dials that
	enum err err = destination_of_user(call->table, user, dialled, destination);
	return !err && destination->emergency ? ERR_NOT_ALLOWED : err;
}

// ---- devices and routes

static bool needs_relay(const struct device *device, int caller_device_kind)
{
	if (device->confirm) // a prompt is played
		return true;
	return media_kinds_need_relay(media_kind_of_device(device->device_kind),
				      media_kind_of_device(caller_device_kind));
}

static bool device_is_trusted(const struct call_table *table, const struct device *device)
{
	const struct site *site = directory_site(table->ports.directory);

	return device->device_kind != DEVICE_EXTERNAL || device->verified_how != VERIFIED_NOT || !site ||
	       !site->require_verified_numbers;
}

static bool leads_to_teams(const struct directory *directory)
{
	const struct route *route;

	return directory_teams_routes(directory, &route, 1) > 0;
}

enum err device_may_ring(const struct call_table *table, const struct device *device, int caller_device_kind,
			 const char **why)
{
	*why = NULL;
	if (!device_is_trusted(table, device))
		return ERR_NOT_VERIFIED;
	if (device->do_not_disturb) {
		*why = "The device is set to do-not-disturb.";
		return ERR_DO_NOT_DISTURB;
	}
	if (device->call_limit && tally_count(table, TALLY_DEVICE, device->entity.id) >= (uint64_t)device->call_limit) {
		*why = "The device is in as many calls as it may be.";
		return ERR_BUSY;
	}
	if (device->device_kind == DEVICE_EXTERNAL && directory_did(table->ports.directory, device->canonical, 0)) {
		*why = "The number is one of our own: the call would come back.";
		return ERR_LOOP;
	}
	if (device->device_kind == DEVICE_TEAMS && !leads_to_teams(table->ports.directory)) {
		*why = "There is no trunk to MS Teams.";
		return ERR_NO_ROUTE;
	}
	if (needs_relay(device, caller_device_kind) && !media_relay_is_there(table))
		return ERR_NO_MEDIA_RELAY;
	if (device_kind_registers(device->device_kind) &&
	    !registrations_any(table->ports.registrations, device->entity.id))
		return ERR_UNREACHABLE;
	return ERR_NONE;
}

static bool route_tried(const struct attempt *attempt, const struct call_turn *turn, uint64_t trunk_id)
{
	list_each (node, following, &attempt->legs) {
		const struct leg *leg = container_of(node, const struct leg, node);
		if (leg->turn == turn && leg->trunk_id == trunk_id)
			return true;
	}
	return false;
}

// Whoever has a device on his ring plan pays for it; otherwise, who dialled, forwarded or was redirected.
static uint64_t payer_of(const struct attempt *attempt, const struct call_turn *turn)
{
	if (turn->guest_id)
		return turn->guest_id;
	return turn->plan.device_id ? attempt->user_id : attempt->payer_id;
}

struct toll_question toll_question_of(const struct attempt *attempt, const struct call_turn *turn,
				      const struct route *route)
{
	return (struct toll_question){.payer_id = payer_of(attempt, turn),
				      .number = turn->number,
				      .route = route,
				      .free = attempt->emergency || turn->device_kind == DEVICE_TEAMS};
}

// A Teams user is nobody of the outside: his number leads there and nowhere else.
static size_t routes_of_turn(const struct attempt *attempt, const struct call_turn *turn,
			     const struct route *routes[ROUTES_MAX])
{
	const struct directory *directory = attempt->call->table->ports.directory;

	if (turn->device_kind == DEVICE_TEAMS)
		return directory_teams_routes(directory, routes, ROUTES_MAX);
	return routes_to(directory, turn->number, attempt->emergency, routes);
}

const struct route *route_of_leg(const struct leg *leg)
{
	return route_over(leg->attempt, leg->turn, leg->trunk_id);
}

// MS Teams speaks SRTP alone; from Teams to Teams nothing stands in between.
static bool trunk_lacks_relay(const struct call *call, const struct trunk *trunk)
{
	return trunk_is_teams(trunk) && call->caller_device_kind != DEVICE_TEAMS && !media_relay_is_there(call->table);
}

const struct route *route_next(const struct attempt *attempt, const struct call_turn *turn, enum err *why)
{
	const struct directory *directory = attempt->call->table->ports.directory;
	const struct route *routes[ROUTES_MAX];
	size_t count = routes_of_turn(attempt, turn, routes);
	struct toll *toll = attempt->call->table->toll;
	enum err err = ERR_NO_ROUTE;

	for (size_t i = 0; i < count; i++) {
		const struct trunk *trunk = directory_trunk(directory, routes[i]->trunk_id);
		if (!trunk || !trunk->enabled)
			continue;
		if (route_tried(attempt, turn, routes[i]->trunk_id))
			continue;
		if (trunk_lacks_relay(attempt->call, trunk)) {
			err = ERR_NO_MEDIA_RELAY;
			continue;
		}
		const struct toll_question question = toll_question_of(attempt, turn, routes[i]);
		const struct toll_verdict verdict = toll_judge(toll, &question);
		if (!verdict.err)
			return routes[i];
		if (err == ERR_NO_ROUTE || verdict.scope == TOLL_OF_TRUNK) // said once of who pays, of each trunk
			toll_refuse(toll, &question, &verdict);
		err = verdict.err;
	}
	if (*why == ERR_NONE) // otherwise the last route's own refusal says more
		*why = err;
	return NULL;
}

const struct route *route_over(const struct attempt *attempt, const struct call_turn *turn, uint64_t trunk_id)
{
	const struct route *routes[ROUTES_MAX];
	size_t count = routes_of_turn(attempt, turn, routes);

	for (size_t i = 0; i < count; i++)
		if (routes[i]->trunk_id == trunk_id)
			return routes[i];
	return NULL;
}

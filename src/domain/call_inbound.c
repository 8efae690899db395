// Calls that trunks bring: who calls, which of our numbers is called, and whom that reaches.
#include "domain/call.h"

#include <stdio.h>
#include <string.h>

enum { EXTENSION_OF_TEAMS_MAX = 7 }; // the shortest E.164 number is longer

// ---- numbers as carriers write them

// As E.164 when it is a number at all; carriers leave the '+' out.
static bool canonical_from_trunk(const struct number_plan *plan, struct str text, char canonical[NUMBER_MAX])
{
	struct number number;
	struct problem problem = {.err = ERR_NONE};
	char with_plus[NUMBER_MAX];

	if (number_parse(plan, text, &number, &problem) == ERR_NONE) {
		memcpy(canonical, number.canonical, NUMBER_MAX);
		return true;
	}
	problem.err = ERR_NONE;
	snprintf(with_plus, sizeof with_plus, "+%.*s", STR_ARG(str_first(text, NUMBER_MAX - 2)));
	if (number_parse(plan, str_of(with_plus), &number, &problem) != ERR_NONE)
		return false;
	memcpy(canonical, number.canonical, NUMBER_MAX);
	return true;
}

// A user who calls in from his own number is shown as himself, a number that several share by its title. He is only shown: what can be
// forged gives no right to anything, so the call stays one of a stranger's (caller_user_id is 0).
static enum err caller_recognise(const struct call *call, struct call_record *record)
{
	const struct directory *directory = call->table->ports.directory;
	const struct trunk *trunk = directory_trunk(directory, call->caller_trunk_id);
	const struct device *device = directory_device_by_canonical(directory, str_of(call->caller_canonical));

	if (!device || !trunk || !trunk->trusts_caller_number)
		return ERR_NONE;
	struct holding_view holding = directory_holding(directory, device->entity.id);
	if (holding.holders == 0)
		return ERR_NONE;
	record->caller_device_id = device->entity.id;
	record->caller_device_number = record->caller_number;
	if (holding.holders == 1) {
		record->caller_number = arena_copy(&record->arena, holding.user->extension);
		record->caller_name = arena_copy(&record->arena, holding.user->title);
	} else if (!str_empty(device->title)) {
		record->caller_name = arena_copy(&record->arena, device->title);
	}
	return record->caller_number.at && record->caller_name.at ? ERR_NONE : ERR_NO_MEMORY;
}

// Who it is, by what the trunk says.
enum err caller_read(struct call *call, const struct invitation *invitation, struct call_record *record)
{
	const struct number_plan *plan = directory_plan(call->table->ports.directory);

	call->caller_kind = CALLER_TRUNK;
	call->caller_trunk_id = call->caller->trunk_id = invitation->trunk_id;
	call->caller_device_kind = trunk_is_teams(directory_trunk(call->table->ports.directory, invitation->trunk_id))
				       ? DEVICE_TEAMS
				       : DEVICE_EXTERNAL;
	if (!diversions_keep(call, invitation, &record->arena))
		return ERR_NO_MEMORY;
	if (!canonical_from_trunk(plan, invitation->caller_number, call->caller_canonical))
		call->caller_canonical[0] = '\0';
	record->caller_trunk_id = invitation->trunk_id;
	if (call->anonymous)
		return ERR_NONE;
	struct str number =
	    call->caller_canonical[0] ? str_of(call->caller_canonical) : str_first(invitation->caller_number, 64);
	record->caller_number = arena_copy(&record->arena, number);
	record->caller_name = arena_copy(&record->arena, str_first(invitation->caller_name, 100));
	if (!record->caller_number.at || !record->caller_name.at)
		return ERR_NO_MEMORY;
	return call->caller_canonical[0] ? caller_recognise(call, record) : ERR_NONE;
}

// Microsoft vouches for its users, over a connection that both ends have proved themselves on: who calls from there is a device of ours
// like any other, and may dial what its holder may.
static const struct device *caller_on_teams(const struct call *call)
{
	if (call->caller_device_kind != DEVICE_TEAMS || !call->caller_canonical[0])
		return NULL;
	return directory_teams_device(call->table->ports.directory, str_of(call->caller_canonical));
}

enum err caller_from_trunk(struct call *call, const struct invitation *invitation, struct call_record *record)
{
	enum err err = leg_load_trunk(call->caller, invitation->trunk_id, TRUNK_LEG_IN);
	enum err read = caller_read(call, invitation, record);
	const struct device *device = caller_on_teams(call);

	if (!read && device) {
		struct invitation own = *invitation;
		own.device_id = device->entity.id;
		own.dialled = dialled_on_teams(call->table->ports.directory, invitation->dialled);
		call->caller_kind = CALLER_DEVICE;
		read = caller_from_device(call, &own, record);
	}
	return read ? read : err;
}

// Teams puts a plus before whatever its user dials. A number so short is an extension, an emergency or a feature code.
struct str dialled_on_teams(const struct directory *directory, struct str dialled)
{
	struct str rest = str_from(dialled, 1), argument;

	if (str_empty(dialled) || dialled.at[0] != '+' || rest.length > EXTENSION_OF_TEAMS_MAX)
		return dialled;
	if (number_is_emergency(directory_plan(directory), rest) || directory_user_by_extension(directory, rest) ||
	    feature_of(directory_features(directory), rest, &argument) != FEATURE_NONE)
		return rest;
	return dialled;
}

// ---- what is called

// Carriers write one number in many ways: with '+', with an international prefix or without, as it is dialled within the country. The
// first reading that is one of ours counts.
static const struct did *did_called(const struct directory *directory, struct str dialled, uint64_t trunk_id,
				    char canonical[NUMBER_MAX])
{
	struct number number;
	struct problem problem = {.err = ERR_NONE};
	char with_plus[NUMBER_MAX];
	const struct did *did = NULL;

	if (!canonical_from_trunk(directory_plan(directory), dialled, canonical))
		return NULL;
	did = directory_did(directory, str_of(canonical), trunk_id);
	if (did || dialled.length > NUMBER_MAX - 2)
		return did;
	snprintf(with_plus, sizeof with_plus, "+%.*s", STR_ARG(dialled));
	if (number_parse(directory_plan(directory), str_of(with_plus), &number, &problem) != ERR_NONE)
		return NULL;
	did = directory_did(directory, str_of(number.canonical), trunk_id);
	if (did)
		memcpy(canonical, number.canonical, NUMBER_MAX);
	return did;
}

static enum err reach_extension(const struct directory *directory, struct str extension,
				struct destination *destination)
{
	destination->user = directory_user_by_extension(directory, extension);
	return destination->user ? ERR_NONE : ERR_UNKNOWN_NUMBER;
}

static enum err reach_unknown(const struct directory *directory, uint64_t trunk_id, struct destination *destination)
{
	const struct trunk *trunk = directory_trunk(directory, trunk_id);
	const struct site *site = directory_site(directory);
	bool as_site = !trunk || trunk->unknown_did == UNKNOWN_DID_SITE;
	enum unknown_did answer = as_site ? UNKNOWN_DID_NOT_FOUND : (enum unknown_did)trunk->unknown_did;

	if (as_site && site)
		answer = (enum unknown_did)(site->unknown_did + 1);
	switch (answer) {
	case UNKNOWN_DID_EXTENSION:
		return reach_extension(directory, as_site ? site->unknown_did_extension : trunk->unknown_did_extension,
				       destination);
	case UNKNOWN_DID_BUSY:
		return ERR_BUSY;
	case UNKNOWN_DID_SITE:
	case UNKNOWN_DID_NOT_FOUND:
		break;
	}
	return ERR_UNKNOWN_NUMBER;
}

enum err destination_of_did(const struct directory *directory, const struct did *did, struct str canonical,
			    struct destination *destination)
{
	char room[NUMBER_MAX];

	destination->user = NULL;
	switch ((enum did_target)did->target) {
	case DID_USER:
		destination->user = directory_user(directory, did->user_id);
		break;
	case DID_DIGITS:
		return reach_extension(directory, did_extension(did, canonical, room), destination);
	case DID_BUSY:
		return ERR_BUSY;
	case DID_NOT_FOUND:
		break;
	}
	return destination->user ? ERR_NONE : ERR_UNKNOWN_NUMBER;
}

// What the number leads to, were the call no loop.
static enum err reach(const struct call *call, const struct did *did, struct str canonical,
		      struct destination *destination)
{
	const struct directory *directory = call->table->ports.directory;
	enum err err = did ? destination_of_did(directory, did, canonical, destination) : ERR_UNKNOWN_NUMBER;

	// A number of a range may stand for an extension that nobody has; one that is set to reach nobody stays so.
	destination->unknown = err == ERR_UNKNOWN_NUMBER && (!did || did->target == DID_DIGITS);
	if (destination->unknown)
		return reach_unknown(directory, call->caller_trunk_id, destination);
	return err;
}

enum err destination_from_trunk(struct call *call, struct str dialled, struct destination *destination)
{
	const struct directory *directory = call->table->ports.directory;
	char canonical[NUMBER_MAX] = "";
	const struct did *did = did_called(directory, dialled, call->caller_trunk_id, canonical);
	enum err err = reach(call, did, str_of(canonical), destination);
	const struct hairpin_arrival arrival = {str_of(canonical), str_of(call->caller_canonical), destination->user,
						call->caller_trunk_id};

	destination->did = did;
	if (did)
		memcpy(call->did_dialled, canonical, NUMBER_MAX);
	if (canonical[0] && hairpin_comes_back(call->table, &arrival))
		return ERR_LOOP;
	if (!err && destination->user && diversions_show_loop(call, destination->user))
		return ERR_LOOP;
	return err;
}

// The fields of a user.
#define OF struct user
#include "domain/user.h"

#include "base/writer.h"
#include "domain/fields.h"

const char *const role_names[] = {"admin", "agent", "auditor", NULL};
static const char *const strategy_names[] = {"at_once", "in_sequence", NULL};
static const char *const unanswered_names[] = {"busy", "hang_up", "extension", "outside", NULL};
static const char *const decline_names[] = {"device", "all", NULL};

static bool digits_only(struct str text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return true;
}

bool extension_allowed(struct str text)
{
	return text.length >= 2 && text.length <= EXTENSION_MAX && digits_only(text);
}

bool pin_allowed(struct str text)
{
	return text.length >= PIN_MIN && text.length <= PIN_MAX && digits_only(text);
}

// What may stand in a sign-in name without quoting anywhere.
static bool name_allowed(struct str text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-' && c != '@')
			return false;
	}
	return true;
}

static const struct field user_fields[] = {
    TEXT(name, .flags = FIELD_REQUIRED | FIELD_FIXED | FIELD_UNIQUE, .min = 1, .max = 64,
	 .rule = "A sign-in name has 1 to 64 letters, digits, dots, dashes, underscores or @.", .allows = name_allowed),
    TEXT(title, .flags = FIELD_REQUIRED, .min = 1, .max = 100, .rule = "A title has 1 to 100 bytes."),
    CHOICE(role, .choices = role_names, .fallback = "agent"),
    TEXT(password_hash, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .max = 256, .secret = "password",
	 .rule = "A password hash has at most 256 bytes."),
    TEXT(pin_hash, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .max = 256, .secret = "pin",
	 .rule = "A PIN's hash has at most 256 bytes."),
    TEXT(extension, .flags = FIELD_REQUIRED | FIELD_UNIQUE, .min = 2, .max = 15,
	 .rule = "An extension has 2 to 15 digits.", .allows = extension_allowed),
    CHOICE(strategy, .choices = strategy_names, .fallback = "at_once"),
    INTEGER(call_limit, .min = 0, .max = 1000, .fallback = "2",
	    .rule = "A call limit is 1 to 1000, or 0 for no limit."),
    BOOLEAN(do_not_disturb, .fallback = "false"),
    CHOICE(decline_stops, .choices = decline_names, .fallback = "device"),
    BOOLEAN(six_hundred_stops_all, .fallback = "true"),
    BOOLEAN(obey_redirects, .fallback = "true"),
    CHOICE(unanswered, .choices = unanswered_names, .fallback = "busy"),
    TEXT(unanswered_target, .max = 64, .rule = "A target is an extension or a number of at most 64 bytes."),
    TEXT(caller_id, .max = 32, .rule = "A caller ID is a number of at most 32 bytes."),
    TEXT(pickup_group, .max = 32, .rule = "A pick-up group is a name of at most 32 bytes."),
    INTEGER(toll_class, .min = 0, .max = 3, .fallback = "1",
	    .rule = "A toll class is 0 (none), 1 (national), 2 (international) or 3 (premium)."),
    BOOLEAN(calls_any_time, .fallback = "false"),
    INTEGER(outside_legs_max, .min = 0, .max = 10000, .fallback = "0",
	    .rule = "A user has up to 1 to 10000 calls to the outside at once; 0 means as the settings say."),
    INTEGER(outside_legs_per_hour, .min = 0, .max = 100000, .fallback = "0",
	    .rule = "A user has up to 1 to 100000 calls to the outside within an hour; 0 means as the settings say."),
    INTEGER(international_legs_per_hour, .min = 0, .max = 100000, .fallback = "0",
	    .rule = "A user has up to 1 to 100000 international calls within an hour; 0 means as the settings say."),
    BOOLEAN(password_change_due, .flags = FIELD_READ_ONLY),
    INTEGER(last_device_id, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .max = INT64_MAX,
	    .rule = "A device's id is a whole number."),
};

static enum err turn_check(const struct user *user, size_t index, struct problem *problem)
{
	const struct turn_plan *turn = &user->turns[index];

	if (turn->device_id == 0)
		return problem_set(problem, ERR_MISSING_FIELD, "turns", "Turn %zu names no device.", index + 1);
	if (turn->start_s < 0 || turn->start_s > RING_S_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, "turns",
				   "Turn %zu must start 0 to %d seconds after the call.", index + 1, RING_S_MAX);
	if (turn->ring_s < 1 || turn->ring_s > RING_S_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, "turns", "Turn %zu must ring for 1 to %d seconds.",
				   index + 1, RING_S_MAX);
	for (size_t i = 0; i < index; i++)
		if (user->turns[i].device_id == turn->device_id)
			return problem_set(problem, ERR_INVALID_FIELD, "turns",
					   "Turns %zu and %zu are the same device.", i + 1, index + 1);
	return ERR_NONE;
}

static enum err target_check(const struct user *user, struct problem *problem)
{
	switch ((enum unanswered)user->unanswered) {
	case UNANSWERED_BUSY:
	case UNANSWERED_HANG_UP:
		return ERR_NONE;
	case UNANSWERED_EXTENSION:
		if (!extension_allowed(user->unanswered_target))
			return problem_set(problem, ERR_INVALID_FIELD, "unanswered_target",
					   "The target must be an extension: 2 to 15 digits.");
		if (str_equal(user->unanswered_target, user->extension))
			return problem_set(problem, ERR_INVALID_FIELD, "unanswered_target",
					   "The target must be somebody else's extension.");
		return ERR_NONE;
	case UNANSWERED_OUTSIDE:
		if (str_empty(user->unanswered_target))
			return problem_set(problem, ERR_MISSING_FIELD, "unanswered_target",
					   "Say which outside number takes the call.");
		return ERR_NONE;
	}
	return ERR_NONE;
}

static enum err user_check(const struct entity *entity, struct problem *problem)
{
	const struct user *user = (const struct user *)entity;

	if (user->turn_count > USER_TURNS_MAX)
		return problem_set(problem, ERR_INVALID_FIELD, "turns", "A ring plan has at most %d devices.",
				   USER_TURNS_MAX);
	for (size_t i = 0; i < user->turn_count; i++) {
		enum err err = turn_check(user, i, problem);
		if (err)
			return err;
	}
	return target_check(user, problem);
}

struct str user_turns_to_text(const struct user *user, struct arena *arena)
{
	char text[USER_TURNS_TEXT_MAX];
	struct writer w = writer_into(text, sizeof text);

	for (size_t i = 0; i < user->turn_count; i++)
		writer_format(&w, "%s%llu:%lld:%lld", i ? " " : "", (unsigned long long)user->turns[i].device_id,
			      (long long)user->turns[i].start_s, (long long)user->turns[i].ring_s);
	return arena_copy(arena, writer_result(&w));
}

static bool turn_from_text(struct str text, struct turn_plan *turn)
{
	struct str device, start;

	return str_take(&text, ':', &device) && str_take(&text, ':', &start) &&
	       str_to_uint(device, INT64_MAX, &turn->device_id) && str_to_int(start, 0, RING_S_MAX, &turn->start_s) &&
	       str_to_int(text, 1, RING_S_MAX, &turn->ring_s);
}

bool user_turns_from_text(struct user *user, struct str text, struct arena *arena)
{
	struct turn_plan *turns = arena_alloc(arena, USER_TURNS_MAX * sizeof *turns);
	struct str piece;
	size_t count = 0;

	if (!turns)
		return false;
	while (str_take(&text, ' ', &piece))
		if (count == USER_TURNS_MAX || !turn_from_text(piece, &turns[count++]))
			return false;
	user->turns = turns;
	user->turn_count = count;
	return true;
}

static const char *const reach_names[] = {"nothing", "unreachable", "reachable", NULL};
static const struct field user_derived[] = {
    {.name = "signed_in", .type = FIELD_BOOLEAN, .flags = FIELD_FILTER},
    {.name = "has_devices", .type = FIELD_BOOLEAN, .flags = FIELD_FILTER},
    {.name = "reach", .type = FIELD_CHOICE, .choices = reach_names},
};

const struct entity_type user_type =
    ENTITY_TYPE(ENTITY_USER, "user", "users", user_fields, .check = user_check, DERIVED(user_derived));

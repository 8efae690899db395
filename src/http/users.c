// What users have beside their fields: a password, and the turns of their ring plan.
#include "http/collection.h"
#include "http/holders.h"
#include "http/server.h"
#include "http/sessions.h"

#include <string.h>

// The last six are only shown; what a client read it may send back.
static const char *const extras[] = {
    "password",      "pin",          "turns",           "has_pin",    "selected_device",
    "session_count", "device_count", "reachable_count", "call_count", NULL};

json_t *turns_to_json(const struct user *user)
{
	json_t *turns = json_array();
	for (size_t i = 0; turns && i < user->turn_count; i++) {
		json_t *turn = json_object();
		bool built = json_put(turn, "device_id", json_id(user->turns[i].device_id)) &&
			     json_put(turn, "start_s", json_integer(user->turns[i].start_s)) &&
			     json_put(turn, "ring_s", json_integer(user->turns[i].ring_s));
		if (!built) {
			json_decref(turn);
			turn = NULL;
		}
		if (json_array_append_new(turns, turn) != 0) {
			json_decref(turns);
			return NULL;
		}
	}
	return turns;
}

static bool user_show(const struct entity *entity, json_t *object)
{
	const struct user *user = (const struct user *)entity;

	return json_put(object, "turns", turns_to_json(user)) &&
	       json_put(object, "has_pin", json_boolean(!str_empty(user->pin_hash)));
}

// ---- what they have and do now

static bool presence_put(json_t *object, const struct user *user, const struct presence *presence, uint64_t sessions)
{
	json_t *selected = json_null();
	if (presence->selected_device_id) {
		selected = json_object();
		if (!json_put(selected, "id", json_id(presence->selected_device_id)) ||
		    !json_put(selected, "number", json_text(str_of(presence->number))) ||
		    !json_put(selected, "title", json_text(str_of(presence->title)))) {
			json_decref(selected);
			selected = NULL;
		}
	}
	return json_put(object, "selected_device", selected) &&
	       json_put(object, "session_count", json_integer((json_int_t)sessions)) &&
	       json_put(object, "device_count", json_integer((json_int_t)user->turn_count)) &&
	       json_put(object, "reachable_count", json_integer(presence->reachable)) &&
	       json_put(object, "call_count", json_integer(presence->calls));
}

static enum err users_annotate(struct request *request, struct entity *const *entities, size_t count,
			       json_t *const *objects)
{
	struct records *records = server_records(request->server);
	const struct field *user_id = entity_field(entity_type(ENTITY_SESSION), STR("user_id"));
	uint64_t *ids = arena_alloc(&request->arena, (count + 1) * sizeof *ids);
	uint64_t *sessions = arena_alloc(&request->arena, (count + 1) * sizeof *sessions);
	struct presence *presences = arena_alloc(&request->arena, (count + 1) * sizeof *presences);
	if (!ids || !sessions || !presences)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		ids[i] = entities[i]->id;
	enum err err = records->count_by(records->context, user_id, ENTITY_SESSION, ids, count, sessions);
	if (!err)
		err = presences_find(request, ids, count, presences);
	for (size_t i = 0; !err && i < count; i++)
		if (!presence_put(objects[i], (const struct user *)entities[i], &presences[i], sessions[i]))
			err = ERR_NO_MEMORY;
	return err;
}

// A password that an administrator has chosen, or one of ours: either way its owner must change it.
static void password_set(struct change *change, struct str password)
{
	struct request *request = change->request;
	struct user *user = (struct user *)change->entity;
	char encoded[PASSWORD_HASH_MAX];
	enum err err = passwords_hash(server_passwords(request->server), password, encoded);
	if (!err)
		user->password_hash = arena_copy(&request->arena, str_of(encoded));
	if (err || !user->password_hash.at)
		problem_set(problem_list_next(&change->problems), err ? err : ERR_NO_MEMORY, NULL, NULL);
	user->password_change_due = request->identity.user->entity.id != user->entity.id;
	change->ends_sessions = change->before != NULL;
}

static void password_prepare(struct change *change)
{
	const json_t *value = json_object_get(change->extras, "password");
	struct str password = {json_string_value(value), json_string_length(value)};
	struct problem problem = {0};
	if (!value) {
		if (change->before || change->problems.count)
			return;
		if (!password_generate(change->secret, USER_PASSWORD_LENGTH))
			problem_set(problem_list_next(&change->problems), ERR_INTERNAL, NULL, NULL);
		else
			password_set(change, str_of(change->secret));
	} else if (!json_is_string(value)) {
		problem_set(problem_list_next(&change->problems), ERR_INVALID_FIELD, "password",
			    "password must be text.");
	} else if (password_check(password, ((struct user *)change->entity)->name, "password", &problem)) {
		*problem_list_next(&change->problems) = problem;
	} else if (change->problems.count == 0) {
		password_set(change, password);
	}
}

static void turns_prepare(struct change *change)
{
	const json_t *value = json_object_get(change->extras, "turns");
	if (!value)
		return;
	json_t *present = turns_to_json((const struct user *)change->entity);
	if (!present || !json_equal(present, value))
		problem_set(problem_list_next(&change->problems), ERR_INVALID_FIELD, "turns",
			    "The turns are changed with the user's ring plan.");
	json_decref(present);
}

static void pin_prepare(struct change *change)
{
	const json_t *value = json_object_get(change->extras, "pin");
	struct str pin = {json_string_value(value), json_string_length(value)};
	struct request *request = change->request;
	struct problem problem = {0};
	struct str hash;
	if (!value || change->problems.count)
		return;
	if (!json_is_string(value))
		problem_set(&problem, ERR_INVALID_FIELD, "pin", "pin must be text.");
	else if (!pin_hash(server_passwords(request->server), pin, &request->arena, &hash, &problem))
		((struct user *)change->entity)->pin_hash = hash;
	if (problem.err)
		*problem_list_next(&change->problems) = problem;
}

static void user_prepare(struct change *change)
{
	const struct user *user = (struct user *)change->entity, *before = (const struct user *)change->before;
	turns_prepare(change);
	pin_prepare(change);
	if (before && before->role != user->role && before->entity.id == change->request->identity.user->entity.id)
		problem_set(problem_list_next(&change->problems), ERR_NOT_ALLOWED, "role",
			    "Nobody can change their own role.");
	password_prepare(change);
}

static void user_changed(struct change *change)
{
	if (change->ends_sessions)
		sessions_end_others(change->request, change->entity->id);
}

static enum err user_deletable(struct request *request, struct problem *problem)
{
	if (request_id(request) == request->identity.user->entity.id)
		return problem_set(problem, ERR_NOT_ALLOWED, NULL, "Nobody can delete themselves.");
	return ERR_NONE;
}

const struct resource user_resource = {
    .extras = extras,
    .secret = "password",
    .prepare = user_prepare,
    .changed = user_changed,
    .show = user_show,
    .annotate = users_annotate,
    .deletable = user_deletable,
};

// What is the caller's own: their devices, the device they pick, their password.
#include "domain/directory.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/holders.h"
#include "http/router.h"
#include "http/server.h"
#include "http/sessions.h"
#include "http/site.h"

// ---- who am I, and what rings for me

enum { TRIES = 3 };

static json_t *device_brief(const struct device *device, const struct holder *holder)
{
	json_t *object = json_object();
	const struct field *kind = entity_field(&device_type, STR("kind"));
	if (json_put(object, "id", json_id(device->entity.id)) &&
	    json_put(object, "number", json_text(device->number)) &&
	    json_put(object, "title", json_text(device->title)) &&
	    json_put(object, "kind", json_string(kind->choices[device->device_kind])) &&
	    json_put(object, "description", json_text(device->description)) &&
	    json_put(object, "registered", json_boolean(holder->registered)) &&
	    json_put(object, "holder", holder_to_json(holder)))
		return object;
	json_decref(object);
	return NULL;
}

static enum err devices_show(struct request *request, const uint64_t *ids, size_t count, json_t **devices)
{
	struct records *records = server_records(request->server);
	struct holder holders[USER_TURNS_MAX];
	enum err err = holders_find(request, ids, count, holders);
	*devices = json_array();
	for (size_t i = 0; !err && i < count; i++) {
		struct entity *device;
		err = records->get(records->context, ENTITY_DEVICE, ids[i], &request->arena, &device);
		if (err == ERR_NOT_FOUND)
			err = ERR_NONE; // deleted this moment
		else if (!err && json_array_append_new(*devices, device_brief((struct device *)device, &holders[i])))
			err = ERR_NO_MEMORY;
	}
	if (!err)
		return ERR_NONE;
	json_decref(*devices);
	*devices = NULL;
	return err;
}

// The device that was selected last, for as long as it can be selected again.
static enum err last_device_show(struct request *request, const struct user *user, json_t **shown)
{
	struct records *records = server_records(request->server);
	uint64_t id = (uint64_t)user->last_device_id;
	struct holder holder;
	struct entity *device = NULL;
	enum err err = id ? records->get(records->context, ENTITY_DEVICE, id, &request->arena, &device) : ERR_NOT_FOUND;
	if (!err)
		err = holders_find(request, &id, 1, &holder);
	bool offered = !err && ((struct device *)device)->available_for_selection;
	*shown = offered ? device_brief((struct device *)device, &holder) : json_null();
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

static const char *state_of(const struct user *user, const struct presence *presence)
{
	if (presence->calls > 0)
		return "in_call";
	if (user->do_not_disturb)
		return "do_not_disturb";
	return presence->reachable > 0 ? "ready" : "unreachable";
}

// The codes that can be dialled from a phone, as they are set now.
struct features_question {
	struct question question;
	struct feature_codes codes;
	bool no_memory;
};

static void features_answer(struct question *question)
{
	struct features_question *asked = container_of(question, struct features_question, question);
	const struct feature_codes *codes = directory_features(question->directory);

	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		asked->codes.code[i] = arena_copy(&question->arena, codes->code[i]);
		asked->no_memory |= !asked->codes.code[i].at;
	}
}

static enum err features_show(struct request *request, json_t **shown)
{
	static const char *const names[FEATURE_COUNT] = {
#define FEATURE(name, key, fallback, argument, help) [FEATURE_##name] = key,
#include "domain/feature_codes.def"
#undef FEATURE
	};
	struct features_question *asked =
	    question_new(server_call_line(request->server), sizeof *asked, features_answer);
	if (!asked)
		return ERR_NO_MEMORY;
	enum err err = question_ask(&asked->question);
	if (!err && asked->no_memory)
		err = ERR_NO_MEMORY;
	*shown = err ? NULL : json_object();
	for (size_t i = 0; !err && i < FEATURE_COUNT; i++)
		if (!json_put(*shown, names[i], json_text(asked->codes.code[i])))
			err = ERR_NO_MEMORY;
	question_free(&asked->question);
	return err;
}

static struct answer me_show(struct request *request, const struct user *user)
{
	struct selection *selection = NULL;
	uint64_t ids[USER_TURNS_MAX];
	size_t count = 0;
	json_t *devices = NULL;
	enum err err = selection_find(request, user->entity.id, &selection);
	bool selected = err == ERR_NONE;
	if (err && err != ERR_NOT_FOUND)
		return answer_err(request, err);
	for (size_t i = 0; i < user->turn_count && i < USER_TURNS_MAX; i++)
		ids[count++] = user->turns[i].device_id;
	if (selected && count == 0)
		ids[count++] = selection->device_id;
	struct presence presence;
	json_t *last = NULL, *features = NULL;
	err = presences_find(request, &user->entity.id, 1, &presence);
	if (!err)
		err = last_device_show(request, user, &last);
	if (!err)
		err = devices_show(request, ids, count, &devices);
	if (!err)
		err = features_show(request, &features);
	if (err) {
		json_decref(last);
		json_decref(devices);
		json_decref(features);
		return answer_err(request, err);
	}
	json_t *body = json_object();
	bool built = json_put(body, "devices", devices);
	built = json_put(body, "feature_codes", features) && built;
	built = json_put(body, "last_device", last) && built &&
		json_put(body, "state", json_string(state_of(user, &presence))) &&
		json_put(body, "calls", json_integer(presence.calls)) &&
		json_put(body, "user", entity_to_json(&user->entity)) &&
		json_put(body, "has_pin", json_boolean(!str_empty(user->pin_hash))) &&
		json_put(body, "role", json_string(role_names[request->identity.role])) &&
		json_put(body, "selection", selected ? entity_to_json(&selection->entity) : json_null()) &&
		json_put(body, "may_select", json_boolean(request->identity.session && user->turn_count == 0));
	if (!built) {
		json_decref(body);
		body = NULL;
	}
	return answer_json(request, 200, body);
}

struct answer me_get(struct request *request)
{
	return me_show(request, request->identity.user);
}

// What people may change of themselves. Everything else of a user is the administrators'.
struct answer me_change(struct request *request)
{
	static const char *const names[] = {"do_not_disturb", "pin", NULL};
	struct records *records = server_records(request->server);
	struct problem_list problems = {.count = 0};
	struct problem problem = {0};
	struct entity *user = NULL;
	enum err err = ERR_STALE;
	struct str hash = STR_NONE;
	bool has_pin = json_object_get(request->json, "pin") != NULL;
	body_only(request->json, names, &problems);
	struct str pin = has_pin ? body_text(request->json, "pin", &problems) : STR_NONE;
	body_boolean(request->json, "do_not_disturb", false, &problems);
	if (problems.count)
		return answer_problems(request, &problems);
	if (pin_hash(server_passwords(request->server), pin, &request->arena, &hash, &problem))
		return answer_problem(request, &problem);
	for (int tries = 0; err == ERR_STALE && tries < TRIES; tries++) {
		problem = (struct problem){0};
		err = records->get(records->context, ENTITY_USER, request->identity.user->entity.id, &request->arena,
				   &user);
		if (err)
			break;
		struct user *changed = (struct user *)user;
		changed->do_not_disturb =
		    body_boolean(request->json, "do_not_disturb", changed->do_not_disturb, &problems);
		if (has_pin)
			changed->pin_hash = hash;
		err = records->update(records->context, user, &problem);
	}
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	return me_show(request, (const struct user *)user);
}

// ---- the password

struct answer me_password_put(struct request *request)
{
	static const char *const names[] = {"password", "new_password", NULL};
	struct records *records = server_records(request->server);
	struct passwords *passwords = server_passwords(request->server);
	struct attempts *attempts = server_attempts(request->server);
	struct user *user = (struct user *)entity_copy(&request->identity.user->entity, &request->arena);
	struct problem_list problems = {.count = 0};
	struct problem problem = {0};
	char encoded[PASSWORD_HASH_MAX];
	body_only(request->json, names, &problems);
	struct str password = body_text(request->json, "password", &problems);
	struct str chosen = body_text(request->json, "new_password", &problems);
	if (problems.count)
		return answer_problems(request, &problems);
	if (!user)
		return answer_err(request, ERR_NO_MEMORY);
	if (password_check(chosen, user->name, "new_password", &problem) ||
	    (str_equal(password, chosen) &&
	     problem_set(&problem, ERR_INVALID_FIELD, "new_password", "The new password is the old one.")))
		return answer_problem(request, &problem);
	unsigned wait_s = attempts_wait_s(attempts, user->name, &request->from, request_now_ms(request));
	enum err err = wait_s ? ERR_TOO_MANY_ATTEMPTS : passwords_verify(passwords, password, user->password_hash);
	if (err == ERR_WRONG_CREDENTIALS) {
		attempts_failed(attempts, user->name, &request->from, request_now_ms(request));
		err = problem_set(&problem, ERR_INVALID_FIELD, "password", "This is not the present password.");
	}
	if (!err)
		err = passwords_hash(passwords, chosen, encoded);
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	user->password_hash = str_of(encoded);
	user->password_change_due = false;
	err = records->update(records->context, &user->entity, &problem);
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	sessions_end_others(request, user->entity.id);
	return answer_empty(204);
}

// ---- the selected device

// The store has the last word, in one transaction: of two who ask for a device at once, one gets it.
static enum err select_device(struct request *request, uint64_t device_id, struct selection **selected,
			      struct problem *problem)
{
	struct records *records = server_records(request->server);
	uint64_t user_id = request->identity.user->entity.id;
	int64_t now_ms = request_now_ms(request);
	struct selection *selection = NULL;
	const struct site *site;
	enum err err = site_read(request, &site);
	if (err)
		return err;
	err = selection_find(request, user_id, &selection);
	if (err && err != ERR_NOT_FOUND)
		return err;
	bool present = err == ERR_NONE;
	if (!present)
		selection = (struct selection *)entity_new(ENTITY_SELECTION, &request->arena);
	if (!selection)
		return ERR_NO_MEMORY;
	selection->user_id = user_id;
	selection->device_id = device_id;
	selection->created_at = now_ms;
	selection->expires_at = site->lease_s ? now_ms + site->lease_s * 1000 : 0;
	*selected = selection;
	return present ? records->update(records->context, &selection->entity, problem)
		       : records->create(records->context, &selection->entity, problem);
}

struct answer me_device_put(struct request *request)
{
	static const char *const names[] = {"device_id", NULL};
	struct problem_list problems = {.count = 0};
	struct problem problem = {0};
	struct selection *selection = NULL;
	body_only(request->json, names, &problems);
	uint64_t device_id = body_id(request->json, "device_id", &problems);
	if (!request->identity.session)
		problem_set(problem_list_next(&problems), ERR_NOT_ALLOWED, NULL,
			    "Only someone who is signed in can select a device.");
	if (problems.count)
		return answer_problems(request, &problems);
	enum err err = select_device(request, device_id, &selection, &problem);
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	return answer_json(request, 200, entity_to_json(&selection->entity));
}

struct answer me_device_delete(struct request *request)
{
	struct records *records = server_records(request->server);
	struct selection *selection = NULL;
	struct problem problem = {0};
	enum err err = selection_find(request, request->identity.user->entity.id, &selection);
	if (!err)
		err = records->remove(records->context, ENTITY_SELECTION, selection->entity.id, 0, DELETE_IF_FREE,
				      &problem);
	return err ? answer_err(request, err) : answer_empty(204);
}

// ---- what could be selected

static enum err selectable_page(struct request *request, struct list_query *query, json_t *items)
{
	struct records *records = server_records(request->server);
	struct entity_page page = {0};
	enum err err = records->list(records->context, ENTITY_DEVICE, query, &request->arena, &page);
	uint64_t *ids = arena_alloc(&request->arena, (page.count + 1) * sizeof *ids);
	struct holder *holders = arena_alloc(&request->arena, (page.count + 1) * sizeof *holders);
	if (err || !ids || !holders)
		return err ? err : ERR_NO_MEMORY;
	for (size_t i = 0; i < page.count; i++)
		ids[i] = page.entities[i]->id;
	err = holders_find(request, ids, page.count, holders);
	for (size_t i = 0; !err && i < page.count; i++)
		if (json_array_append_new(items, device_brief((struct device *)page.entities[i], &holders[i])))
			err = ERR_NO_MEMORY;
	query->cursor = page.next;
	return err;
}

struct answer me_selectable_devices(struct request *request)
{
	struct list_query query = {.limit = LIST_LIMIT_MAX, .sort = STR("number"), .filter_count = 1};
	struct problem problem = {0};
	query.filters[0].field = entity_field(&device_type, STR("available_for_selection"));
	query.filters[0].value = STR("true");
	request_parameter(request, "q", &query.q);
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	json_t *items = json_array();
	enum err err;
	do
		err = selectable_page(request, &query, items);
	while (!err && !str_empty(query.cursor));
	if (!err)
		return collection_page(request, items, (int64_t)json_array_size(items), STR_NONE);
	json_decref(items);
	return answer_err(request, err);
}

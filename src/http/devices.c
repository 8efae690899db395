// What devices have beside their fields: the SIP password, made here, shown once, kept only as hashes.
#include "domain/device.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/holders.h"
#include "http/presence_json.h"
#include "http/router.h"
#include "http/server.h"
#include "http/trunk_state.h"

enum err sip_password_make(struct request *request, struct device *device, char *password)
{
	if (!password_generate(password, SIP_PASSWORD_LENGTH))
		return ERR_INTERNAL;
	struct str realm = server_settings(request->server)->realm;
	return device_set_password(device, realm, str_of(password), &request->arena) ? ERR_NONE : ERR_NO_MEMORY;
}

static void device_prepare(struct change *change)
{
	struct device *device = (struct device *)change->entity;
	if (change->before || change->problems.count || !device_kind_registers(device->device_kind))
		return;
	enum err err = sip_password_make(change->request, device, change->secret);
	if (err)
		problem_set(problem_list_next(&change->problems), err, NULL, NULL);
}

// ---- who has them and what they do now

static const char *state_of(const struct device *device, const struct holder *holder)
{
	switch (holder->activity) {
	case DEVICE_TALKING:
		return "in_call";
	case DEVICE_RINGING:
		return "ringing";
	case DEVICE_IDLE:
		break;
	}
	if (!device_kind_registers(device->device_kind))
		return "outside";
	return holder->registered ? "registered" : "unreachable";
}

// All Teams users are reached over the same trunks, other devices over those that routes lead to.
static enum err teams_trunks_annotate(struct request *request, struct entity *const *entities, size_t count,
				      json_t *const *objects)
{
	json_t *trunks = NULL;
	enum err err = ERR_NONE;
	for (size_t i = 0; !err && i < count; i++) {
		bool is_teams = ((const struct device *)entities[i])->device_kind == DEVICE_TEAMS;
		if (is_teams && !trunks)
			err = teams_trunks_find(request, &trunks);
		if (!err && !json_put(objects[i], "trunks", is_teams ? json_incref(trunks) : json_null()))
			err = ERR_NO_MEMORY;
	}
	json_decref(trunks);
	return err;
}

static enum err devices_annotate(struct request *request, struct entity *const *entities, size_t count,
				 json_t *const *objects)
{
	uint64_t *ids = arena_alloc(&request->arena, (count + 1) * sizeof *ids);
	struct holder *holders = arena_alloc(&request->arena, (count + 1) * sizeof *holders);
	if (!ids || !holders)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		ids[i] = entities[i]->id;
	enum err err = holders_find(request, ids, count, holders);
	for (size_t i = 0; !err && i < count; i++)
		if (!json_put(objects[i], "held", json_string(held_names[holders[i].held])) ||
		    !json_put(objects[i], "holder", holder_to_json(&holders[i])) ||
		    !json_put(objects[i], "holder_count", json_integer((json_int_t)holders[i].holders)) ||
		    !json_put(objects[i], "presence",
			      presence_to_json(server_teams_presence(request->server), ids[i])) ||
		    !json_put(objects[i], "state",
			      json_string(state_of((const struct device *)entities[i], &holders[i]))))
			err = ERR_NO_MEMORY;
	return err ? err : teams_trunks_annotate(request, entities, count, objects);
}

// What is shown beside the fields: what a client read it may send back.
static const char *const extras[] = {"held", "holder", "holder_count", "presence", "state", "trunks", NULL};

const struct resource device_resource = {
    .extras = extras,
    .secret = "sip_password",
    .prepare = device_prepare,
    .annotate = devices_annotate,
};

struct answer device_password_create(struct request *request)
{
	static const char *const names[] = {NULL};
	struct records *records = server_records(request->server);
	struct problem_list problems = {.count = 0};
	struct problem problem = {0};
	struct entity *entity;
	char password[SIP_PASSWORD_LENGTH + 1];
	body_only(request->json, names, &problems);
	if (problems.count)
		return answer_problems(request, &problems);
	enum err err = collection_find(request, &entity);
	if (!err)
		err = collection_match(request, entity->version);
	if (!err && !device_kind_registers(((struct device *)entity)->device_kind))
		err = problem_set(&problem, ERR_NOT_ALLOWED, NULL,
				  "This kind of device does not sign in, so it has no password.");
	if (!err)
		err = sip_password_make(request, (struct device *)entity, password);
	if (!err)
		err = records->update(records->context, entity, &problem);
	if (err == ERR_STALE)
		return answer_stale(request, ENTITY_DEVICE, request_id(request));
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	return collection_show(request, 200, entity, password);
}

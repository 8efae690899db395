// How trunks are: their registrations, and each target, what it answered last, since when.
#include "http/trunk_state.h"

#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

#include <string.h>

enum { TRUNKS_SHOWN_MAX = 1000 };

struct trunk_states_question {
	struct question question;
	const struct http_settings *settings;
	uint64_t trunk_id; // 0: all
	struct trunk_state *states;
	size_t count;
	bool no_memory;
};

static void state_take(struct trunk_states_question *asked, uint64_t trunk_id)
{
	struct trunk_state *state = &asked->states[asked->count++];

	*state = (struct trunk_state){.trunk_id = trunk_id};
	if (asked->settings->trunk_state)
		asked->settings->trunk_state(asked->settings->context, trunk_id, state);
}

static void states_answer(struct question *question)
{
	struct trunk_states_question *asked = container_of(question, struct trunk_states_question, question);
	const struct directory *directory = question->directory;
	size_t count = asked->trunk_id ? 1 : 0;

	if (asked->trunk_id && !directory_trunk(directory, asked->trunk_id))
		return;
	for (const struct trunk *trunk = NULL;
	     !asked->trunk_id && count < TRUNKS_SHOWN_MAX && (trunk = directory_trunk_after(directory, trunk));)
		count++;
	asked->states = arena_alloc(&question->arena, (count + 1) * sizeof *asked->states);
	asked->no_memory = !asked->states;
	if (asked->no_memory)
		return;
	if (asked->trunk_id)
		state_take(asked, asked->trunk_id);
	for (const struct trunk *trunk = NULL; asked->count < count;) {
		trunk = directory_trunk_after(directory, trunk);
		state_take(asked, trunk->entity.id);
	}
}

static json_t *reason_show(const char *reason)
{
	return reason ? json_text(str_of(reason)) : json_null();
}

static json_t *target_show(const struct trunk_target_state *target)
{
	json_t *object = json_object();

	if (json_put(object, "host", json_text(str_of(target->host))) &&
	    json_put(object, "address", json_text(str_of(target->address))) &&
	    json_put(object, "transport", json_string(target->transport)) &&
	    json_put(object, "service", json_string(trunk_service_names[target->service])) &&
	    json_put(object, "reason", reason_show(target->reason)) &&
	    json_put(object, "last_status",
		     target->last_status ? json_integer((json_int_t)target->last_status) : json_null()) &&
	    json_put(object, "round_trip_ms",
		     target->round_trip_ms >= 0 ? json_integer(target->round_trip_ms) : json_null()) &&
	    json_put(object, "checked_at", json_time(target->checked_at)) &&
	    json_put(object, "since", json_time(target->since)))
		return object;
	json_decref(object);
	return NULL;
}

// Null where there is nothing to register.
static json_t *registration_show(const struct trunk_registration_state *registration)
{
	if (registration->status == TRUNK_REGISTRATION_OFF)
		return json_null();
	json_t *object = json_object();
	if (json_put(object, "status", json_string(trunk_registration_status_names[registration->status])) &&
	    json_put(object, "sentence", json_text(str_of(registration->sentence))) &&
	    json_put(object, "last_status",
		     registration->last_status ? json_integer((json_int_t)registration->last_status) : json_null()) &&
	    json_put(object, "registered_until", json_time(registration->registered_until)) &&
	    json_put(object, "next_try_at", json_time(registration->next_try_at)) &&
	    json_put(object, "since", json_time(registration->since)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *state_show(const struct trunk_state *state)
{
	json_t *object = json_object(), *targets = json_array();
	bool built = true;

	for (size_t i = 0; i < state->target_count; i++)
		built = json_array_append_new(targets, target_show(&state->targets[i])) == 0 && built;
	built = json_put(object, "targets", targets) && built;
	built = json_put(object, "registration", registration_show(&state->registration)) && built;
	if (built && json_put(object, "trunk_id", json_id(state->trunk_id)) &&
	    json_put(object, "service", json_string(trunk_service_names[state->service])) &&
	    json_put(object, "reason", reason_show(state->reason)) &&
	    json_put(object, "legs", json_integer((json_int_t)state->legs)) &&
	    json_put(object, "legs_max", json_integer(state->legs_max)) &&
	    json_put(object, "legs_per_s", json_integer(state->legs_per_s)) &&
	    json_put(object, "legs_begun", json_integer((json_int_t)state->legs_begun)) &&
	    json_put(object, "legs_refused", json_integer((json_int_t)state->legs_refused)) &&
	    json_put(object, "own_number_until", json_time(state->own_number_until)))
		return object;
	json_decref(object);
	return NULL;
}

static struct answer states_show(struct request *request, const struct trunk_states_question *asked)
{
	json_t *items = json_array();

	for (size_t i = 0; i < asked->count; i++) {
		if (json_array_append_new(items, state_show(&asked->states[i])) != 0) {
			json_decref(items);
			return answer_err(request, ERR_NO_MEMORY);
		}
	}
	return collection_page(request, items, (int64_t)asked->count, STR_NONE);
}

static struct answer states_ask(struct request *request, uint64_t trunk_id)
{
	struct problem problem = {0};
	struct answer answer;

	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	struct trunk_states_question *asked =
	    question_new(server_call_line(request->server), sizeof *asked, states_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	asked->settings = server_settings(request->server);
	asked->trunk_id = trunk_id;
	enum err err = question_ask(&asked->question);
	if (!err && asked->no_memory)
		err = ERR_NO_MEMORY;
	if (!err && trunk_id && asked->count == 0)
		err = ERR_NOT_FOUND;
	if (err)
		answer = answer_err(request, err);
	else
		answer = trunk_id ? answer_json(request, 200, state_show(asked->states)) : states_show(request, asked);
	question_free(&asked->question);
	return answer;
}

struct answer trunk_state_get(struct request *request)
{
	uint64_t id = request_id(request);

	return id ? states_ask(request, id) : answer_err(request, ERR_NOT_FOUND);
}

struct answer trunk_states_list(struct request *request)
{
	return states_ask(request, 0);
}

// ---- beside something else

json_t *trunk_brief_to_json(const struct trunk_brief *trunk)
{
	json_t *object = json_object();

	if (json_put(object, "id", json_id(trunk->id)) && json_put(object, "title", json_text(trunk->title)) &&
	    json_put(object, "enabled", json_boolean(trunk->enabled)) &&
	    json_put(object, "service", json_string(trunk_service_names[trunk->service])))
		return object;
	json_decref(object);
	return NULL;
}

enum trunk_service trunk_service_of(const struct http_settings *settings, uint64_t trunk_id)
{
	struct trunk_state state = {.trunk_id = trunk_id};

	if (settings->trunk_state)
		settings->trunk_state(settings->context, trunk_id, &state);
	return state.service;
}

struct teams_trunks_question {
	struct question question;
	const struct http_settings *settings;
	struct trunk_brief trunks[ROUTES_MAX];
	size_t count;
	bool no_memory;
};

static void teams_trunks_answer(struct question *question)
{
	struct teams_trunks_question *asked = container_of(question, struct teams_trunks_question, question);
	const struct trunk *trunks[ROUTES_MAX];

	asked->count = directory_teams_trunks(question->directory, trunks, ROUTES_MAX);
	for (size_t i = 0; i < asked->count; i++) {
		asked->trunks[i] = (struct trunk_brief){
		    .id = trunks[i]->entity.id,
		    .title = arena_copy(&question->arena, trunks[i]->title),
		    .enabled = trunks[i]->enabled,
		    .service = trunk_service_of(asked->settings, trunks[i]->entity.id),
		};
		asked->no_memory = asked->no_memory || !asked->trunks[i].title.at;
	}
}

static json_t *teams_trunks_show(const struct teams_trunks_question *asked)
{
	json_t *array = json_array();

	for (size_t i = 0; i < asked->count; i++) {
		if (json_array_append_new(array, trunk_brief_to_json(&asked->trunks[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

enum err teams_trunks_find(struct request *request, json_t **trunks)
{
	struct teams_trunks_question *asked =
	    question_new(server_call_line(request->server), sizeof *asked, teams_trunks_answer);
	if (!asked)
		return ERR_NO_MEMORY;
	asked->settings = server_settings(request->server);
	enum err err = question_ask(&asked->question);
	if (!err) {
		json_t *array = asked->no_memory ? NULL : teams_trunks_show(asked);
		if (array)
			*trunks = array;
		else
			err = ERR_NO_MEMORY;
	}
	question_free(&asked->question);
	return err;
}

// ---- for the status

static void sick_note(struct overview_group *group, const struct trunk *trunk)
{
	if (group->count < OVERVIEW_EXAMPLES_MAX) {
		char *label = group->examples[group->count].label;
		size_t size = sizeof group->examples[group->count].label;
		group->examples[group->count].id = trunk->entity.id;
		str_to_cstring(str_first(trunk->title, size - 1), label, size);
	}
	group->count++;
}

// The first moments after the start are no trouble yet.
static void unregistered_note(struct trunks_sick *sick, const struct trunk *trunk,
			      const struct trunk_registration_state *registration)
{
	if (registration->registered_until || registration->status == TRUNK_REGISTRATION_OFF ||
	    registration->status == TRUNK_REGISTERING)
		return;
	if (sick->unregistered.count == 0)
		memcpy(sick->why, registration->sentence, sizeof sick->why);
	sick_note(&sick->unregistered, trunk);
}

void trunks_look(const struct http_settings *settings, const struct directory *directory, struct trunks_sick *sick)
{
	struct trunk_state state;

	*sick = (struct trunks_sick){0};
	for (const struct trunk *trunk = directory_trunk_after(directory, NULL); trunk && settings->trunk_state;
	     trunk = directory_trunk_after(directory, trunk)) {
		bool limps = false;
		state = (struct trunk_state){.trunk_id = trunk->entity.id};
		settings->trunk_state(settings->context, trunk->entity.id, &state);
		for (size_t i = 0; i < state.target_count; i++)
			limps = limps || state.targets[i].service == TRUNK_OUT_OF_SERVICE;
		unregistered_note(sick, trunk, &state.registration);
		if (state.service == TRUNK_OUT_OF_SERVICE)
			sick_note(&sick->down, trunk);
		else if (limps)
			sick_note(&sick->limping, trunk);
	}
}

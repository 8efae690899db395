// Asks the call thread about devices and users.
#include "http/holders.h"
#include "http/answer.h"
#include "http/server.h"

#include <string.h>

// A list of ids and room for as many answers. All in the question's arena, as the asker may give up.
struct ids_question {
	struct question question;
	const uint64_t *ids;
	size_t count;
	void *answers;
};

static enum err ids_ask(struct request *request, void (*work)(struct question *question), const uint64_t *ids,
			size_t count, void *answers, size_t size)
{
	if (count == 0)
		return ERR_NONE;
	struct ids_question *asked = question_new(server_call_line(request->server), sizeof *asked, work);
	if (!asked)
		return ERR_NO_MEMORY;
	uint64_t *copy = arena_alloc(&asked->question.arena, count * sizeof *copy);
	asked->answers = arena_alloc(&asked->question.arena, count * size);
	asked->ids = copy;
	asked->count = count;
	enum err err = copy && asked->answers ? ERR_NONE : ERR_NO_MEMORY;
	if (!err) {
		memcpy(copy, ids, count * sizeof *copy);
		err = question_ask(&asked->question);
	}
	if (!err)
		memcpy(answers, asked->answers, count * size);
	question_free(&asked->question);
	return err;
}

// ---- devices

static void holders_answer(struct question *question)
{
	struct ids_question *asked = container_of(question, struct ids_question, question);
	for (size_t i = 0; i < asked->count; i++) {
		struct holder *holder = &((struct holder *)asked->answers)[i];
		struct holding_view view = directory_holding(question->directory, asked->ids[i]);
		*holder = (struct holder){.held = view.held, .holders = view.holders, .expires_at = view.expires_at};
		holder->registered = registrations_any(question->registrations, asked->ids[i]);
		holder->activity = call_table_device_activity(question->calls, asked->ids[i]);
		if (!view.user)
			continue;
		holder->user_id = view.user->entity.id;
		str_to_cstring(view.user->title, holder->title, sizeof holder->title);
		str_to_cstring(view.user->extension, holder->extension, sizeof holder->extension);
	}
}

enum err holders_find(struct request *request, const uint64_t *device_ids, size_t count, struct holder *holders)
{
	return ids_ask(request, holders_answer, device_ids, count, holders, sizeof *holders);
}

json_t *holder_to_json(const struct holder *holder)
{
	if (!holder->user_id)
		return json_null();
	json_t *object = json_object();
	if (json_put(object, "user_id", json_id(holder->user_id)) &&
	    json_put(object, "title", json_text(str_of(holder->title))) &&
	    json_put(object, "extension", json_text(str_of(holder->extension))) &&
	    json_put(object, "expires_at", json_time(holder->expires_at)))
		return object;
	json_decref(object);
	return NULL;
}

// ---- users

static unsigned reachable_count(struct question *question, const struct user *user)
{
	struct turn_plan turns[USER_TURNS_MAX];
	size_t count = directory_turns(question->directory, user, turns);
	unsigned reachable = 0;
	for (size_t i = 0; i < count; i++) {
		const struct device *device = directory_device(question->directory, turns[i].device_id);
		reachable += device && (!device_kind_registers(device->device_kind) ||
					registrations_any(question->registrations, device->entity.id));
	}
	return reachable;
}

static void presences_answer(struct question *question)
{
	struct ids_question *asked = container_of(question, struct ids_question, question);
	for (size_t i = 0; i < asked->count; i++) {
		struct presence *presence = &((struct presence *)asked->answers)[i];
		const struct user *user = directory_user(question->directory, asked->ids[i]);
		uint64_t selected = directory_selected(question->directory, asked->ids[i]);
		const struct device *device = selected ? directory_device(question->directory, selected) : NULL;
		*presence = (struct presence){.calls = call_table_calls_of_user(question->calls, asked->ids[i]),
					      .reachable = user ? reachable_count(question, user) : 0,
					      .selected_device_id = device ? selected : 0};
		if (!device)
			continue;
		str_to_cstring(device->number, presence->number, sizeof presence->number);
		str_to_cstring(device->title, presence->title, sizeof presence->title);
	}
}

enum err presences_find(struct request *request, const uint64_t *user_ids, size_t count, struct presence *presences)
{
	return ids_ask(request, presences_answer, user_ids, count, presences, sizeof *presences);
}

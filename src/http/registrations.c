// Where the devices are now: the live registrations, read on the call thread a page at a time.
#include "domain/device.h"
#include "domain/registration.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

#include <inttypes.h>
#include <string.h>

// A registration as text that belongs to the question.
struct registration_copy {
	uint64_t device_id;
	struct str number, title, contact, user_agent, remote, holder, extension;
	uint8_t transport;
	bool behind_nat;
	int64_t expires_at;
};

struct registrations_question {
	struct question question;
	uint64_t device_id;       // 0 = of every device
	uint64_t after_device;    // the page before ended with this one ...
	struct str after_contact; // ... and this
	unsigned limit;
	const struct binding **chosen; // of the call thread; ordered, at most `limit`
	size_t chosen_count, total;
	bool more;
	struct registration_copy *copies;
	bool no_memory;
};

static int binding_compare(const struct binding *a, uint64_t device_id, struct str contact)
{
	if (a->device_id != device_id)
		return a->device_id < device_id ? -1 : 1;
	return str_compare(a->contact, contact);
}

// Keeps the first `limit` after the cursor in order.
static void binding_look(const struct binding *binding, void *context)
{
	struct registrations_question *asked = context;
	if (asked->device_id && binding->device_id != asked->device_id)
		return;
	asked->total++;
	if (asked->after_device && binding_compare(binding, asked->after_device, asked->after_contact) <= 0)
		return;
	size_t low = 0, high = asked->chosen_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (binding_compare(asked->chosen[middle], binding->device_id, binding->contact) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	asked->more |= asked->chosen_count == asked->limit;
	if (low == asked->limit)
		return;
	size_t last = asked->chosen_count < asked->limit ? asked->chosen_count++ : asked->limit - 1;
	memmove(&asked->chosen[low + 1], &asked->chosen[low], (last - low) * sizeof(struct binding *));
	asked->chosen[low] = binding;
}

static bool binding_copy(struct registrations_question *asked, const struct binding *binding,
			 struct registration_copy *copy)
{
	struct arena *arena = &asked->question.arena;
	const struct device *device = directory_device(asked->question.directory, binding->device_id);
	const struct user *holder = directory_holder(asked->question.directory, binding->device_id);
	char text[64];
	struct writer w = writer_into(text, sizeof text);
	net_address_write(&w, &binding->flow.remote);
	*copy = (struct registration_copy){
	    .device_id = binding->device_id,
	    .number = arena_copy(arena, device ? device->number : STR_NONE),
	    .title = arena_copy(arena, device ? device->title : STR_NONE),
	    .contact = arena_copy(arena, binding->contact),
	    .user_agent = arena_copy(arena, binding->user_agent),
	    .remote = arena_copy(arena, writer_result(&w)),
	    .holder = arena_copy(arena, holder ? holder->title : STR_NONE),
	    .extension = arena_copy(arena, holder ? holder->extension : STR_NONE),
	    .transport = binding->flow.transport,
	    .behind_nat = binding->behind_nat,
	    .expires_at = binding->expires_at_ms,
	};
	return copy->number.at && copy->title.at && copy->contact.at && copy->user_agent.at && copy->remote.at &&
	       copy->holder.at && copy->extension.at;
}

static void registrations_answer(struct question *question)
{
	struct registrations_question *asked = container_of(question, struct registrations_question, question);
	registrations_each(question->registrations, binding_look, asked);
	for (size_t i = 0; i < asked->chosen_count && !asked->no_memory; i++)
		asked->no_memory = !binding_copy(asked, asked->chosen[i], &asked->copies[i]);
}

static json_t *registration_show(const struct registration_copy *copy)
{
	json_t *object = json_object();
	if (json_put(object, "device_id", json_id(copy->device_id)) &&
	    json_put(object, "number", json_text(copy->number)) && json_put(object, "title", json_text(copy->title)) &&
	    json_put(object, "contact", json_text(copy->contact)) &&
	    json_put(object, "user_agent", json_text(copy->user_agent)) &&
	    json_put(object, "transport", json_string(transport_names[copy->transport])) &&
	    json_put(object, "remote", json_text(copy->remote)) &&
	    json_put(object, "behind_nat", json_boolean(copy->behind_nat)) &&
	    json_put(object, "expires_at", json_time(copy->expires_at)) &&
	    json_put(object, "holder", json_text(copy->holder)) &&
	    json_put(object, "extension", json_text(copy->extension)))
		return object;
	json_decref(object);
	return NULL;
}

static struct answer registrations_show(struct request *request, const struct registrations_question *asked)
{
	json_t *items = json_array();
	struct str next = STR_NONE;
	for (size_t i = 0; i < asked->chosen_count; i++) {
		if (json_array_append_new(items, registration_show(&asked->copies[i])) != 0) {
			json_decref(items);
			return answer_err(request, ERR_NO_MEMORY);
		}
	}
	if (asked->more && asked->chosen_count) {
		const struct registration_copy *last = &asked->copies[asked->chosen_count - 1];
		next = arena_format(&request->arena, "%" PRIu64 " %.*s", last->device_id, STR_ARG(last->contact));
	}
	return collection_page(request, items, (int64_t)asked->total, next);
}

static enum err registrations_read(struct request *request, struct registrations_question *asked,
				   struct problem *problem)
{
	struct str text = STR_NONE, device;
	if (request_parameter(request, "device_id", &text) &&
	    (!str_to_uint(text, INT64_MAX, &asked->device_id) || asked->device_id == 0))
		return problem_set(problem, ERR_INVALID_FIELD, "device_id", "device_id must be an id.");
	text = STR_NONE;
	if (request_parameter(request, "cursor", &text) &&
	    (!str_take(&text, ' ', &device) || !str_to_uint(device, INT64_MAX, &asked->after_device)))
		return problem_set(problem, ERR_INVALID_FIELD, "cursor", "This is no cursor of this list.");
	asked->after_contact = arena_copy(&asked->question.arena, text);
	enum err err = collection_limit(request, &asked->limit, problem);
	if (!err)
		err = request_parameters_done(request, problem);
	if (err)
		return err;
	asked->chosen = arena_alloc(&asked->question.arena, (asked->limit + 1) * sizeof *asked->chosen);
	asked->copies = arena_alloc(&asked->question.arena, asked->limit * sizeof *asked->copies);
	return asked->chosen && asked->copies && asked->after_contact.at
		   ? ERR_NONE
		   : problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
}

struct answer registrations_list(struct request *request)
{
	struct problem problem = {0};
	struct answer answer;
	struct registrations_question *asked =
	    question_new(server_call_line(request->server), sizeof *asked, registrations_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	if (registrations_read(request, asked, &problem)) {
		answer = answer_problem(request, &problem);
	} else {
		enum err err = question_ask(&asked->question);
		if (!err && asked->no_memory)
			err = ERR_NO_MEMORY;
		answer = err ? answer_err(request, err) : registrations_show(request, asked);
	}
	question_free(&asked->question);
	return answer;
}

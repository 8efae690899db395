// Asks the call thread who holds devices.
#include "http/holders.h"
#include "http/server.h"

#include <string.h>

struct holders_question {
	struct question question;
	const uint64_t *device_ids; // in the question's arena, as the asker may give up
	size_t count;
	struct holder *holders;
};

static void holders_answer(struct question *question)
{
	struct holders_question *asked = container_of(question, struct holders_question, question);
	for (size_t i = 0; i < asked->count; i++) {
		struct holder *holder = &asked->holders[i];
		const struct user *user = directory_holder(question->directory, asked->device_ids[i]);
		holder->registered = registrations_any(question->registrations, asked->device_ids[i]);
		if (!user)
			continue;
		holder->user_id = user->entity.id;
		str_to_cstring(user->title, holder->title, sizeof holder->title);
		str_to_cstring(user->extension, holder->extension, sizeof holder->extension);
	}
}

enum err holders_find(struct request *request, const uint64_t *device_ids, size_t count, struct holder *holders)
{
	if (count == 0)
		return ERR_NONE;
	struct holders_question *asked = question_new(server_call_line(request->server), sizeof *asked, holders_answer);
	if (!asked)
		return ERR_NO_MEMORY;
	uint64_t *ids = arena_alloc(&asked->question.arena, count * sizeof *ids);
	asked->holders = arena_alloc(&asked->question.arena, count * sizeof *asked->holders);
	asked->device_ids = ids;
	asked->count = count;
	enum err err = ids && asked->holders ? ERR_NONE : ERR_NO_MEMORY;
	if (!err) {
		memcpy(ids, device_ids, count * sizeof *ids);
		err = question_ask(&asked->question);
	}
	if (!err)
		memcpy(holders, asked->holders, count * sizeof *holders);
	question_free(&asked->question);
	return err;
}

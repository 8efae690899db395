// The phone in the console: a password of minutes, with which it registers as the browser device of whoever is signed in.
#include "domain/directory.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

#include <string.h>

struct phone_question {
	struct question question;
	uint64_t user_id, session_id;
	bool takes_back; // only what was given
	int64_t expires_at;
	char password[SIP_PASSWORD_LENGTH + 1];
	struct str realm; // borrowed from the settings, which live as long as the server

	uint64_t device_id;
	struct str number; // in the question's arena
	enum err err;
};

// The first of his that is one, as his phones are ordered.
static const struct device *browser_device_of(const struct directory *directory, uint64_t user_id)
{
	const struct user *user = directory_user(directory, user_id);
	struct turn_plan turns[USER_TURNS_MAX];
	size_t count = user ? directory_turns(directory, user, turns) : 0;

	for (size_t i = 0; i < count; i++) {
		const struct device *device = directory_device(directory, turns[i].device_id);
		const struct user *holder = device ? directory_holder(directory, device->entity.id) : NULL;
		if (device && device->device_kind == DEVICE_WEBRTC && holder && holder->entity.id == user_id)
			return device;
	}
	return NULL;
}

static enum err key_give(struct phone_question *asked)
{
	struct question *question = &asked->question;
	const struct device *device = browser_device_of(question->directory, asked->user_id);

	if (!device)
		return ERR_NO_BROWSER_DEVICE;
	asked->device_id = device->entity.id;
	asked->number = arena_copy(&question->arena, device->number);
	const struct phone_key_draft draft = {
	    .device_id = device->entity.id,
	    .user_id = asked->user_id,
	    .session_id = asked->session_id,
	    .secret = sip_secret_make(device->number, asked->realm, str_of(asked->password), &question->arena),
	    .expires_at = asked->expires_at,
	};
	if (!asked->number.at || !draft.secret.ha1_md5.at || !draft.secret.ha1_sha256.at)
		return ERR_NO_MEMORY;
	return phone_keys_add(directory_phone_keys(question->directory), &draft);
}

static void phone_answer(struct question *question)
{
	struct phone_question *asked = container_of(question, struct phone_question, question);

	if (asked->takes_back)
		phone_keys_drop_session(directory_phone_keys(question->directory), asked->session_id, NULL, NULL);
	else
		asked->err = key_give(asked);
}

static struct phone_question *phone_question_new(struct request *request)
{
	struct phone_question *asked = question_new(server_call_line(request->server), sizeof *asked, phone_answer);

	if (!asked)
		return NULL;
	asked->user_id = request->identity.user->entity.id;
	asked->session_id = request->identity.session->entity.id;
	asked->realm = server_settings(request->server)->realm;
	asked->expires_at = request_now_ms(request) + PHONE_KEY_LIFE_S * 1000;
	return asked;
}

static struct answer not_signed_in(struct request *request)
{
	struct problem problem = {0};

	problem_set(&problem, ERR_NOT_ALLOWED, NULL, "Only someone who is signed in has a phone here.");
	return answer_problem(request, &problem);
}

// A session that ended while this was under way has told the call thread so already: nobody would take it back.
static enum err session_still_there(struct request *request)
{
	struct records *records = server_records(request->server);
	uint64_t id = request->identity.session->entity.id;
	struct entity *session;
	enum err err = records->get(records->context, ENTITY_SESSION, id, &request->arena, &session);
	struct phone_question *asked = err ? phone_question_new(request) : NULL;

	if (!err)
		return ERR_NONE;
	if (!asked)
		return ERR_NO_MEMORY;
	asked->takes_back = true;
	(void)question_ask(&asked->question);
	question_free(&asked->question);
	return err == ERR_NOT_FOUND ? ERR_NOT_SIGNED_IN : err;
}

static struct answer key_show(struct request *request, const struct phone_question *asked)
{
	json_t *body = json_object();

	if (json_put(body, "device_id", json_id(asked->device_id)) &&
	    json_put(body, "number", json_text(asked->number)) && json_put(body, "realm", json_text(asked->realm)) &&
	    json_put(body, "password", json_string(asked->password)) &&
	    json_put(body, "expires_at", json_time(asked->expires_at)) && json_put(body, "path", json_string("/sip")))
		return answer_json(request, 200, body);
	json_decref(body);
	return answer_err(request, ERR_NO_MEMORY);
}

struct answer me_phone_begin(struct request *request)
{
	static const char *const names[] = {NULL};
	struct problem_list problems = {.count = 0};

	body_only(request->json, names, &problems);
	if (problems.count)
		return answer_problems(request, &problems);
	if (!request->identity.session)
		return not_signed_in(request);
	struct phone_question *asked = phone_question_new(request);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	enum err err =
	    password_generate(asked->password, SIP_PASSWORD_LENGTH) ? question_ask(&asked->question) : ERR_INTERNAL;
	if (!err)
		err = asked->err;
	if (!err)
		err = session_still_there(request);
	struct answer answer = err ? answer_err(request, err) : key_show(request, asked);
	if (!err)
		explicit_bzero(asked->password, sizeof asked->password);
	question_free(&asked->question);
	return answer;
}

// Finds the handler for a request, and does what all of them need done first.
#include "http/router.h"
#include "http/answer.h"
#include "http/console.h"
#include "http/idempotency.h"
#include "http/identity.h"
#include "http/server.h"

const struct operation operations[] = {
#define ROUTE(method, path, access, handler, kind, operation)                                                          \
	{METHOD_##method, path, ACCESS_##access, handler, ENTITY_##kind, operation},
#include "http/routes.def"
#undef ROUTE
};
const size_t operation_count = sizeof operations / sizeof *operations;

static bool path_matches(const char *pattern, struct str path, struct str *id)
{
	struct str rest_pattern = str_of(pattern), piece_pattern, piece;
	while (str_take(&rest_pattern, '/', &piece_pattern)) {
		bool last = str_empty(rest_pattern);
		size_t end = str_index(path, '/');
		if (last != (end == path.length))
			return false;
		piece = str_first(path, end);
		path = str_from(path, end + 1);
		if (str_equal(piece_pattern, STR("{id}"))) {
			if (str_empty(piece))
				return false;
			*id = piece;
		} else if (!str_equal(piece_pattern, piece)) {
			return false;
		}
	}
	return true;
}

enum err operation_find(struct request *request, const char **allow)
{
	struct str methods = STR_NONE;
	for (size_t i = 0; i < operation_count; i++) {
		if (!path_matches(operations[i].path, request->path, &request->id))
			continue;
		if (operations[i].method == request->method) {
			request->operation = &operations[i];
			return ERR_NONE;
		}
		methods = arena_format(&request->arena, "%.*s%s%s", STR_ARG(methods), str_empty(methods) ? "" : ", ",
				       method_name(operations[i].method));
	}
	*allow = methods.at;
	return str_empty(methods) ? ERR_NOT_FOUND : ERR_METHOD_NOT_ALLOWED;
}

static bool role_may(enum role role, enum access access)
{
	switch (access) {
	case ACCESS_ANYBODY:
	case ACCESS_SELF:
	case ACCESS_PERSON:
		return true;
	case ACCESS_AGENT:
		return role == ROLE_AGENT || role == ROLE_ADMIN;
	case ACCESS_READER:
		return role == ROLE_AUDITOR || role == ROLE_ADMIN;
	case ACCESS_ADMIN:
		return role == ROLE_ADMIN;
	}
	return false;
}

static void actor_set(struct request *request)
{
	const struct identity *identity = &request->identity;
	bool client = str_starts(request->headers.user_agent, STR("carillon/"));
	if (identity->user) {
		request->actor.user_id = identity->user->entity.id;
		request->actor.name = identity->user->name;
	}
	if (identity->token) {
		request->actor.via = client ? VIA_CLIENT : VIA_TOKEN;
		request->actor.token = identity->token->title;
	}
}

// Whatever the request writes is said to be its sender's.
static void actor_begin(struct request *request)
{
	struct records *records = server_records(request->server);
	char address[64];
	struct writer w = writer_into(address, sizeof address);
	net_address_write_host(&w, &request->from);
	request->actor = (struct actor){.via = VIA_CONSOLE, .address = arena_copy(&request->arena, writer_result(&w))};
	records->act_as(records->context, &request->actor);
}

// What a token must be allowed for this, besides its role.
static enum scope scope_needed(const struct request *request)
{
	if (request->method == METHOD_GET)
		return SCOPE_READ;
	return str_starts(request->path, STR("/api/v1/calls/")) ? SCOPE_CALLS : SCOPE_WRITE;
}

static enum err access_check(struct request *request)
{
	const struct identity *identity = &request->identity;
	enum access access = request->operation->access;
	if (access == ACCESS_ANYBODY)
		return ERR_NONE;
	enum err err = identity_find(request);
	if (err)
		return err;
	actor_set(request);
	// A form on a foreign page sends the cookie along but cannot read the session's token.
	if (identity->session && request->method != METHOD_GET &&
	    !str_equal_secret(request->headers.csrf_token, identity->session->csrf))
		return ERR_NO_CSRF_TOKEN;
	if (identity->session && !identity->session->single_sign_on && identity->user->password_change_due &&
	    access != ACCESS_SELF)
		return ERR_PASSWORD_CHANGE_DUE;
	if (identity->token && !scopes_have(identity->token->scopes, scope_needed(request)))
		return ERR_NO_SCOPE;
	return role_may(identity->role, access) ? ERR_NONE : ERR_NOT_ALLOWED;
}

static bool takes_json(const struct request *request)
{
	struct str path = str_of(request->operation->path), sound = STR("/recording");
	bool table = str_starts(path, STR("/api/v1/import/"));
	bool recording = path.length > sound.length && str_equal(str_from(path, path.length - sound.length), sound);
	return !table && !recording &&
	       (request->method == METHOD_POST || request->method == METHOD_PUT || request->method == METHOD_PATCH);
}

// A creation that is sent again with the same key is answered as the first time.
static struct answer answer_once(struct request *request)
{
	struct idempotency *idempotency = server_idempotency(request->server);
	struct answer answer;
	if (request->method != METHOD_POST || !request->identity.user)
		return request->operation->handler(request);
	if (idempotency_begin(idempotency, request, &answer))
		return answer;
	answer = request->operation->handler(request);
	idempotency_end(idempotency, request, &answer);
	return answer;
}

static struct answer answer_of(struct request *request)
{
	struct problem problem = {0};
	const char *allow = NULL;
	if (request_read_uri(request, &problem))
		return answer_problem(request, &problem);
	enum err err = operation_find(request, &allow);
	if (err == ERR_NOT_FOUND) {
		struct answer answer = console_answer(server_console(request->server), request);
		if (answer.status)
			return answer;
	}
	if (err) {
		struct answer answer = answer_err(request, err);
		answer.allow = allow;
		return answer;
	}
	err = access_check(request);
	if (err)
		return answer_err(request, err);
	if (takes_json(request) && request_read_json(request, &problem))
		return answer_problem(request, &problem);
	return answer_once(request);
}

void request_answer(struct request *request)
{
	struct records *records = server_records(request->server);
	actor_begin(request);
	request->answer = answer_of(request);
	records->act_as(records->context, NULL);
	json_decref(request->json);
	request->json = NULL;
}

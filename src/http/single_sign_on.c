// Signing in by way of a provider: there and back again. What binds the way back to the browser that went is in a cookie of
// that browser and nowhere else, so nobody can fill our memory with sign-ins that they never finish.
#include "http/answer.h"
#include "http/identity.h"
#include "http/provider.h"
#include "http/router.h"
#include "http/server.h"
#include "http/sessions.h"
#include "http/site.h"

#include <stdio.h>

#define SECRETS_COOKIE "carillon_single_sign_on"
#define SECRETS_PLACE  "; Path=/api/v1/single-sign-on; HttpOnly; SameSite=Lax"

// The cookie of a session is for requests from our own pages only; so the browser leaves for the console from a page of ours
// instead of being sent on from the provider's.
static const char welcome[] = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Carillon</title>"
			      "<meta http-equiv=\"refresh\" content=\"0;url=/\"></head>"
			      "<body><p><a href=\"/\">Continue</a></p></body></html>\n";

struct answer single_sign_on_get(struct request *request)
{
	json_t *body = json_object();
	if (!json_put(body, "available", json_boolean(provider_is_there(server_provider(request->server))))) {
		json_decref(body);
		body = NULL;
	}
	return answer_json(request, 200, body);
}

struct answer single_sign_on_start(struct request *request)
{
	struct provider *provider = server_provider(request->server);
	struct sign_in_secrets secrets;
	char hash[SECRET_HASH_MAX];
	const struct site *site;
	struct str url = STR_NONE;
	enum err err = site_read(request, &site); // a sign-in that could not end is not begun
	if (!err && !provider_is_there(provider))
		err = ERR_NOT_FOUND;
	if (!err && (!secret_make(secrets.state, hash) || !secret_make(secrets.nonce, hash) ||
		     !secret_make(secrets.verifier, hash)))
		err = ERR_INTERNAL;
	if (!err)
		err = provider_sign_in_url(provider, &secrets, &request->arena, &url);
	if (err)
		return answer_err(request, err);
	struct answer answer = answer_empty(302);
	answer.location = url.at;
	answer.cookie = arena_format(&request->arena, SECRETS_COOKIE "=%s.%s.%s" SECRETS_PLACE "; Max-Age=600",
				     secrets.state, secrets.nonce, secrets.verifier)
			    .at;
	return answer.cookie ? answer : answer_err(request, ERR_NO_MEMORY);
}

// What the browser has brought back. False: it is not the one that went, or went too long ago.
static bool secrets_read(struct request *request, struct sign_in_secrets *secrets)
{
	struct str rest = request_cookie(request, SECRETS_COOKIE), state, nonce, given;
	return str_take(&rest, '.', &state) && str_take(&rest, '.', &nonce) && !str_empty(state) &&
	       str_to_cstring(state, secrets->state, sizeof secrets->state) &&
	       str_to_cstring(nonce, secrets->nonce, sizeof secrets->nonce) &&
	       str_to_cstring(rest, secrets->verifier, sizeof secrets->verifier) && !str_empty(nonce) &&
	       !str_empty(rest) && request_parameter(request, "state", &given) && str_equal_secret(given, state);
}

static enum err user_find(struct request *request, struct str name, struct problem *problem)
{
	struct records *records = server_records(request->server);
	struct entity *entity;
	enum err err = records->find(records->context, ENTITY_USER, "name", name, &request->arena, &entity);
	if (err == ERR_NOT_FOUND)
		return problem_set(problem, ERR_SIGN_IN_FAILED, NULL, "Nobody here has the sign-in name %.*s.",
				   STR_ARG(str_first(name, 64)));
	if (err)
		return err;
	request->identity.user = (struct user *)entity;
	request->identity.role = (enum role)request->identity.user->role;
	return ERR_NONE;
}

// The code and whatever else the provider has appended.
static enum err callback_read(struct request *request, struct sign_in_secrets *secrets, struct str *code)
{
	struct str refused;
	if (!secrets_read(request, secrets) || request_parameter(request, "error", &refused) ||
	    !request_parameter(request, "code", code) || str_empty(*code))
		return ERR_SIGN_IN_FAILED;
	return ERR_NONE;
}

struct answer single_sign_on_finish(struct request *request)
{
	struct sign_in_secrets secrets;
	struct problem problem = {0};
	struct str code, name, cookie;
	const struct site *site;
	enum err err = site_read(request, &site);
	if (!err)
		err = callback_read(request, &secrets, &code);
	if (!err && !provider_is_there(server_provider(request->server)))
		err = ERR_SIGN_IN_FAILED;
	if (!err)
		err = provider_redeem(server_provider(request->server), code, &secrets, request_now_ms(request),
				      &request->arena, &name);
	if (!err)
		err = user_find(request, name, &problem);
	if (!err)
		err = session_open(request, SIGNED_IN_BY_PROVIDER, &cookie, &problem);
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	struct answer answer = answer_constant(200, "text/html; charset=utf-8", STR(welcome));
	answer.cookie = cookie.at;
	return answer;
}

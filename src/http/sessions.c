// Signing in by name and password, signing out, and the end of sessions by themselves.
#include "http/sessions.h"
#include "base/log.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/identity.h"
#include "http/router.h"
#include "http/server.h"

#include <inttypes.h>

enum { SESSIONS_PER_USER_MAX = 10, CLIENT_MAX = 200 };

// ---- finding

static struct str id_text(struct arena *arena, uint64_t id)
{
	return arena_format(arena, "%" PRIu64, id);
}

static enum err sessions_of(struct records *records, struct arena *arena, uint64_t user_id, struct entity_page *page)
{
	struct list_query query = {.sort = STR("created_at"), .limit = LIST_LIMIT_MAX, .filter_count = 1};
	query.filters[0].field = entity_field(entity_type(ENTITY_SESSION), STR("user_id"));
	query.filters[0].value = id_text(arena, user_id);
	return records->list(records->context, ENTITY_SESSION, &query, arena, page);
}

static enum err selection_any(struct records *records, struct arena *arena, uint64_t user_id, struct entity **entity)
{
	return records->find(records->context, ENTITY_SELECTION, "user_id", id_text(arena, user_id), arena, entity);
}

enum err selection_find(struct request *request, uint64_t user_id, struct selection **selection)
{
	struct entity *entity;
	enum err err = selection_any(server_records(request->server), &request->arena, user_id, &entity);
	if (err)
		return err;
	*selection = (struct selection *)entity;
	bool over = (*selection)->expires_at && (*selection)->expires_at <= request_now_ms(request);
	return over ? ERR_NOT_FOUND : ERR_NONE;
}

// ---- ending

static void log_failure(const char *event, enum err err, uint64_t id)
{
	if (err && err != ERR_NOT_FOUND)
		log_warning(event, LOG_TEXT("err", err_name(err)), LOG_UINT("id", id));
}

// A device is free for the next person as soon as the one who had it has gone.
static enum err selection_release(struct records *records, struct arena *arena, uint64_t user_id)
{
	struct entity *entity;
	struct problem problem = {0};
	enum err err = selection_any(records, arena, user_id, &entity);
	if (!err)
		err = records->remove(records->context, ENTITY_SELECTION, entity->id, 0, DELETE_IF_FREE, &problem);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

static enum err session_remove(struct records *records, uint64_t id)
{
	struct problem problem = {0};
	enum err err = records->remove(records->context, ENTITY_SESSION, id, 0, DELETE_IF_FREE, &problem);
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

void sessions_end_others(struct request *request, uint64_t user_id)
{
	struct records *records = server_records(request->server);
	const struct session *own = request->identity.session;
	struct entity_page page = {0};
	log_failure("sessions_not_ended", sessions_of(records, &request->arena, user_id, &page), user_id);
	for (size_t i = 0; i < page.count; i++)
		if (!own || page.entities[i]->id != own->entity.id)
			log_failure("session_not_ended", session_remove(records, page.entities[i]->id),
				    page.entities[i]->id);
	if (!own || own->user_id != user_id)
		log_failure("selection_not_released", selection_release(records, &request->arena, user_id), user_id);
}

// ---- signing in

static struct str client_name(struct request *request)
{
	char text[CLIENT_MAX];
	struct writer w = writer_into(text, sizeof text);
	net_address_write_host(&w, &request->from);
	writer_char(&w, ' ');
	struct str agent = str_first(request->headers.user_agent, CLIENT_MAX - w.used);
	for (size_t i = 0; i < agent.length; i++)
		writer_char(&w, agent.at[i] >= ' ' && agent.at[i] < 0x7F ? agent.at[i] : '?');
	return arena_copy(&request->arena, str_trim(writer_result(&w)));
}

static struct answer session_show(struct request *request, unsigned status)
{
	const struct identity *identity = &request->identity;
	const struct session *session = identity->session;
	json_t *body = json_object(), *user = entity_to_json(&identity->user->entity);
	bool built =
	    json_put(body, "user", user) && json_put(body, "role", json_string(role_names[identity->role])) &&
	    json_put(body, "csrf_token", session ? json_text(session->csrf) : json_null()) &&
	    json_put(body, "expires_at", json_time(session ? session->expires_at : 0)) &&
	    json_put(body, "password_change_due", json_boolean(session && identity->user->password_change_due));
	if (!built) {
		json_decref(body);
		body = NULL;
	}
	return answer_json(request, status, body);
}

static enum err credentials_check(struct request *request, struct str name, struct str password, unsigned *wait_s)
{
	struct records *records = server_records(request->server);
	struct attempts *attempts = server_attempts(request->server);
	int64_t now_ms = request_now_ms(request);
	struct entity *entity = NULL;
	*wait_s = attempts_wait_s(attempts, name, &request->from, now_ms);
	if (*wait_s)
		return ERR_TOO_MANY_ATTEMPTS;
	enum err err = records->find(records->context, ENTITY_USER, "name", name, &request->arena, &entity);
	if (err && err != ERR_NOT_FOUND)
		return err;
	struct str encoded = err ? STR_NONE : ((struct user *)entity)->password_hash;
	err = passwords_verify(server_passwords(request->server), password, encoded);
	if (err == ERR_WRONG_CREDENTIALS) {
		attempts_failed(attempts, name, &request->from, now_ms);
		log_warning("sign_in_failed", LOG_STR("name", str_first(name, 64)));
		// What was typed for a name may be a password.
		records->note(records->context,
			      &(struct audit_note){"sign_in_failed", entity ? name : STR("(no such name)")});
	}
	if (err)
		return err;
	attempts_succeeded(attempts, name, &request->from);
	request->identity.user = (struct user *)entity;
	request->identity.role = (enum role)((struct user *)entity)->role;
	return ERR_NONE;
}

static void oldest_sessions_end(struct request *request)
{
	struct records *records = server_records(request->server);
	struct entity_page page = {0};
	enum err err = sessions_of(records, &request->arena, request->identity.user->entity.id, &page);
	for (size_t i = 0; !err && i + SESSIONS_PER_USER_MAX <= page.count; i++)
		err = session_remove(records, page.entities[i]->id);
	log_failure("sessions_not_ended", err, request->identity.user->entity.id);
}

static enum err session_open(struct request *request, struct str *cookie, struct problem *problem)
{
	struct records *records = server_records(request->server);
	const struct http_settings *settings = server_settings(request->server);
	char secret[SECRET_TEXT_MAX], hash[SECRET_HASH_MAX], csrf[SECRET_TEXT_MAX], csrf_hash[SECRET_HASH_MAX];
	struct session *session = (struct session *)entity_new(ENTITY_SESSION, &request->arena);
	if (!session)
		return ERR_NO_MEMORY;
	if (!secret_make(secret, hash) || !secret_make(csrf, csrf_hash))
		return ERR_INTERNAL;
	oldest_sessions_end(request);
	session->user_id = request->identity.user->entity.id;
	session->secret_hash = arena_copy(&request->arena, str_of(hash));
	session->csrf = arena_copy(&request->arena, str_of(csrf));
	session->client = client_name(request);
	session->created_at = request_now_ms(request);
	session->expires_at = session->created_at + settings->session_life_s * 1000;
	bool secure = str_equal_nocase(request->headers.forwarded_proto, STR("https"));
	*cookie = arena_format(&request->arena,
			       SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%" PRId64 "%s", secret,
			       settings->session_life_s, secure ? "; Secure" : "");
	if (!session->secret_hash.at || !session->csrf.at || !session->client.at || !cookie->at)
		return ERR_NO_MEMORY;
	request->identity.session = session;
	return records->create(records->context, &session->entity, problem);
}

struct answer session_create(struct request *request)
{
	static const char *const names[] = {"name", "password", NULL};
	struct problem_list problems = {.count = 0};
	struct problem problem = {0};
	struct str cookie = STR_NONE;
	unsigned wait_s = 0;
	body_only(request->json, names, &problems);
	struct str name = body_text(request->json, "name", &problems);
	struct str password = body_text(request->json, "password", &problems);
	if (problems.count)
		return answer_problems(request, &problems);
	enum err err = password.length > PASSWORD_MAX ? ERR_WRONG_CREDENTIALS
						      : credentials_check(request, name, password, &wait_s);
	if (!err)
		err = session_open(request, &cookie, &problem);
	struct answer answer = err ? answer_err(request, err) : session_show(request, 201);
	if (!err) {
		answer.cookie = cookie.at;
		answer.location = "/api/v1/session";
	}
	if (wait_s)
		answer.retry_after_s = wait_s;
	return answer;
}

struct answer session_get(struct request *request)
{
	return session_show(request, 200);
}

struct answer session_delete(struct request *request)
{
	struct records *records = server_records(request->server);
	const struct session *session = request->identity.session;
	if (!session)
		return answer_err(request, ERR_NOT_FOUND);
	enum err err = selection_release(records, &request->arena, session->user_id);
	if (!err)
		err = session_remove(records, session->entity.id);
	if (err)
		return answer_err(request, err);
	struct answer answer = answer_empty(204);
	answer.cookie = SESSION_COOKIE "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
	return answer;
}

// By an administrator: as if the user had signed out there.
struct answer session_end(struct request *request)
{
	struct records *records = server_records(request->server);
	struct entity *entity;
	enum err err = collection_find(request, &entity);
	if (!err)
		err = selection_release(records, &request->arena, ((struct session *)entity)->user_id);
	if (!err)
		err = session_remove(records, entity->id);
	return err ? answer_err(request, err) : answer_empty(204);
}

// Signing in by name and password, signing out, and the end of sessions by themselves.
#include "http/sessions.h"
#include "base/log.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/identity.h"
#include "http/router.h"
#include "http/server.h"
#include "http/site.h"

#include <inttypes.h>

#define SESSION_COOKIE_ENDED SESSION_COOKIE "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"

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

// One session is over. With its user's last one goes the device that was picked; who is signed in elsewhere keeps it.
static enum err session_over(struct records *records, struct arena *arena, const struct session *session)
{
	struct entity_page page = {0};
	bool last = true;
	enum err err = sessions_of(records, arena, session->user_id, &page);
	for (size_t i = 0; i < page.count; i++)
		last &= page.entities[i]->id == session->entity.id;
	if (!err && last)
		err = selection_release(records, arena, session->user_id);
	return err ? err : session_remove(records, session->entity.id);
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
	bool built = json_put(body, "user", user) && json_put(body, "role", json_string(role_names[identity->role])) &&
		     json_put(body, "csrf_token", session ? json_text(session->csrf) : json_null()) &&
		     json_put(body, "expires_at", json_time(session ? session->expires_at : 0)) &&
		     json_put(body, "password_change_due",
			      json_boolean(session && !session->single_sign_on && identity->user->password_change_due));
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

// What the site wants of a user who is signed in already.
static enum err others_meet(struct request *request, const struct site *site, uint64_t replaced,
			    struct problem *problem)
{
	struct records *records = server_records(request->server);
	struct entity_page page = {0};
	enum err err = sessions_of(records, &request->arena, request->identity.user->entity.id, &page);
	for (size_t i = 0; !err && i < page.count; i++) {
		const struct session *other = (const struct session *)page.entities[i];
		if (other->entity.id == replaced || other->expires_at <= request_now_ms(request))
			continue;
		switch ((enum multi_login)site->multi_login) {
		case MULTI_LOGIN_ALLOW:
			break;
		case MULTI_LOGIN_REFUSE:
			return problem_set(problem, ERR_SIGNED_IN_ELSEWHERE, NULL,
					   "You are signed in elsewhere (%.*s); sign out there first.",
					   STR_ARG(str_first(other->client, 80)));
		case MULTI_LOGIN_TAKE_OVER:
			err = session_remove(records, other->entity.id);
		}
	}
	return err;
}

enum err session_open(struct request *request, enum sign_in by, struct str *cookie, struct problem *problem)
{
	struct records *records = server_records(request->server);
	const struct site *site;
	char secret[SECRET_TEXT_MAX], hash[SECRET_HASH_MAX], csrf[SECRET_TEXT_MAX], csrf_hash[SECRET_HASH_MAX];
	struct session *session = (struct session *)entity_new(ENTITY_SESSION, &request->arena);
	if (!session)
		return ERR_NO_MEMORY;
	if (!secret_make(secret, hash) || !secret_make(csrf, csrf_hash))
		return ERR_INTERNAL;
	enum err err = site_read(request, &site);
	// A sign-in gives a new session, always; the one that the browser had before is of no use any more.
	uint64_t replaced = identity_cookie_session(request);
	if (!err)
		err = others_meet(request, site, replaced, problem);
	if (!err && replaced)
		err = session_remove(records, replaced);
	if (err)
		return err;
	oldest_sessions_end(request);
	session->user_id = request->identity.user->entity.id;
	session->secret_hash = arena_copy(&request->arena, str_of(hash));
	session->csrf = arena_copy(&request->arena, str_of(csrf));
	session->client = client_name(request);
	session->single_sign_on = by == SIGNED_IN_BY_PROVIDER;
	session->created_at = request_now_ms(request);
	session->expires_at = session->created_at + site->session_life_s * 1000;
	bool secure = request->secured || str_equal_nocase(request->headers.forwarded_proto, STR("https"));
	*cookie = arena_format(&request->arena,
			       SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%" PRId64 "%s", secret,
			       site->session_life_s, secure ? "; Secure" : "");
	if (!session->secret_hash.at || !session->csrf.at || !session->client.at || !cookie->at)
		return ERR_NO_MEMORY;
	request->identity.session = session;
	err = records->create(records->context, &session->entity, problem);
	if (!err)
		activity_note(server_activity(request->server), session->entity.id, session->created_at);
	return err;
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
		err = session_open(request, SIGNED_IN_BY_PASSWORD, &cookie, &problem);
	if (err && problem.err)
		return answer_problem(request, &problem);
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
	enum err err = session_over(records, &request->arena, session);
	if (err)
		return answer_err(request, err);
	struct answer answer = answer_empty(204);
	answer.cookie = SESSION_COOKIE_ENDED;
	return answer;
}

// By an administrator: as if the user had signed out there.
struct answer session_end(struct request *request)
{
	struct records *records = server_records(request->server);
	struct entity *entity;
	enum err err = collection_find(request, &entity);
	if (!err)
		err = session_over(records, &request->arena, (struct session *)entity);
	return err ? answer_err(request, err) : answer_empty(204);
}

// ---- one's own sessions

struct answer me_sessions(struct request *request)
{
	struct entity_page page = {0};
	struct problem problem = {0};
	const struct session *own = request->identity.session;
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	enum err err =
	    sessions_of(server_records(request->server), &request->arena, request->identity.user->entity.id, &page);
	if (err)
		return answer_err(request, err);
	json_t *items = json_array();
	for (size_t i = 0; i < page.count; i++) {
		json_t *item = entity_to_json(page.entities[i]);
		if (item && !json_put(item, "current", json_boolean(own && own->entity.id == page.entities[i]->id))) {
			json_decref(item);
			item = NULL;
		}
		if (json_array_append_new(items, item) != 0) {
			json_decref(items);
			return answer_err(request, ERR_NO_MEMORY);
		}
	}
	return collection_page(request, items, (int64_t)page.count, STR_NONE);
}

struct answer me_session_delete(struct request *request)
{
	struct records *records = server_records(request->server);
	struct entity *session;
	uint64_t id = request_id(request);
	enum err err =
	    id ? records->get(records->context, ENTITY_SESSION, id, &request->arena, &session) : ERR_NOT_FOUND;
	// Somebody else's is not there at all.
	if (!err && ((struct session *)session)->user_id != request->identity.user->entity.id)
		err = ERR_NOT_FOUND;
	if (!err)
		err = session_over(records, &request->arena, (struct session *)session);
	return err ? answer_err(request, err) : answer_empty(204);
}

// Everywhere, here too.
struct answer me_sessions_delete(struct request *request)
{
	struct records *records = server_records(request->server);
	struct entity_page page = {0};
	uint64_t user_id = request->identity.user->entity.id;
	enum err err = sessions_of(records, &request->arena, user_id, &page);
	for (size_t i = 0; !err && i < page.count; i++)
		err = session_remove(records, page.entities[i]->id);
	if (!err)
		err = selection_release(records, &request->arena, user_id);
	if (err)
		return answer_err(request, err);
	struct answer answer = answer_empty(204);
	answer.cookie = SESSION_COOKIE_ENDED;
	return answer;
}

// ---- sessions that nobody uses any more

enum { SWEEP_EVERY_TICKS = 10 };

static void idle_end(struct http_server *server, struct arena *arena, const struct session *session, int64_t idle_ms)
{
	struct records *records = server_records(server);
	int64_t now_ms = server_now_ms(server),
		at_ms = activity_of(server_activity(server), session->entity.id, now_ms);
	if (now_ms - at_ms < idle_ms)
		return;
	log_info("session_idle", LOG_UINT("user", session->user_id), LOG_UINT("session", session->entity.id));
	enum err err = session_over(records, arena, session);
	activity_forget(server_activity(server), session->entity.id);
	log_failure("session_not_ended", err, session->entity.id);
}

void sessions_sweep(void *context)
{
	struct http_server *server = context;
	struct records *records = server_records(server);
	static _Thread_local unsigned ticks;
	struct arena arena;
	struct entity *site;
	struct list_query query = {.limit = LIST_LIMIT_MAX};
	struct entity_page page = {0};
	if (++ticks % SWEEP_EVERY_TICKS)
		return;
	arena_init(&arena, REQUEST_MEMORY_MAX);
	enum err err = records->get(records->context, ENTITY_SITE, SITE_ID, &arena, &site);
	int64_t idle_ms = err ? 0 : ((struct site *)site)->session_idle_s * 1000;
	do {
		if (idle_ms && !err)
			err = records->list(records->context, ENTITY_SESSION, &query, &arena, &page);
		for (size_t i = 0; !err && i < page.count; i++)
			idle_end(server, &arena, (const struct session *)page.entities[i], idle_ms);
		query.cursor = page.next;
	} while (!err && !str_empty(query.cursor));
	arena_free(&arena);
}

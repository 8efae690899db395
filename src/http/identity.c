// Finds who a request comes from.
#include "http/identity.h"
#include "base/digest.h"
#include "http/server.h"
#include "http/site.h"

#include <sys/random.h>

void secret_hash(struct str text, char hash[SECRET_HASH_MAX])
{
	uint8_t digest[32];
	digest_sha256(text, digest);
	struct writer w = writer_into(hash, SECRET_HASH_MAX);
	writer_hex(&w, digest, sizeof digest);
	writer_char(&w, '\0');
}

bool secret_make(char text[SECRET_TEXT_MAX], char hash[SECRET_HASH_MAX])
{
	uint8_t bytes[SECRET_BYTES];
	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return false;
	struct str made = digest_base64url(bytes, sizeof bytes, text);
	text[made.length] = '\0';
	secret_hash(made, hash);
	return true;
}

static enum err user_find(struct request *request, uint64_t id)
{
	struct entity *entity;
	enum err err = server_records(request->server)
			   ->get(server_records(request->server)->context, ENTITY_USER, id, &request->arena, &entity);
	if (err)
		return err;
	request->identity.user = (struct user *)entity;
	return ERR_NONE;
}

static enum err find_by_secret(struct request *request, enum entity_kind kind, struct str secret,
			       struct entity **entity)
{
	struct records *records = server_records(request->server);
	char hash[SECRET_HASH_MAX];
	if (str_empty(secret) || secret.length > 128)
		return ERR_NOT_FOUND;
	secret_hash(secret, hash);
	return records->find(records->context, kind, "secret_hash", str_of(hash), &request->arena, entity);
}

static bool session_is_over(struct request *request, const struct session *session)
{
	const struct site *site;
	int64_t now_ms = request_now_ms(request);
	if (session->expires_at <= now_ms)
		return true;
	if (site_read(request, &site) || site->session_idle_s == 0)
		return false;
	return activity_of(server_activity(request->server), session->entity.id, now_ms) +
		   site->session_idle_s * 1000 <=
	       now_ms;
}

uint64_t identity_cookie_session(struct request *request)
{
	struct entity *entity;
	return find_by_secret(request, ENTITY_SESSION, request_cookie(request, SESSION_COOKIE), &entity) ? 0
													 : entity->id;
}

static enum err session_find(struct request *request)
{
	struct entity *entity;
	enum err err = find_by_secret(request, ENTITY_SESSION, request_cookie(request, SESSION_COOKIE), &entity);
	if (err)
		return err;
	const struct session *session = (struct session *)entity;
	if (session_is_over(request, session))
		return ERR_NOT_FOUND;
	activity_note(server_activity(request->server), session->entity.id, request_now_ms(request));
	request->identity.session = session;
	err = user_find(request, session->user_id);
	if (!err)
		request->identity.role = (enum role)request->identity.user->role;
	return err;
}

static enum err token_find(struct request *request, struct str secret)
{
	struct entity *entity;
	enum err err = find_by_secret(request, ENTITY_TOKEN, secret, &entity);
	if (err)
		return err;
	const struct token *token = (struct token *)entity;
	if (token->expires_at && token->expires_at <= request_now_ms(request))
		return ERR_NOT_FOUND;
	request->identity.token = token;
	err = user_find(request, token->user_id);
	if (err)
		return err;
	// A token never may do more than the one who made it may do today.
	int users_role = request->identity.user->role;
	request->identity.role = (enum role)(users_role == ROLE_ADMIN ? token->role : users_role);
	return ERR_NONE;
}

enum err identity_find(struct request *request)
{
	struct str authorization = request->headers.authorization;
	enum err err = ERR_NOT_FOUND;
	if (str_starts_nocase(authorization, STR("Bearer ")))
		err = token_find(request, str_trim(str_from(authorization, 7)));
	else if (str_empty(authorization))
		err = session_find(request);
	if (!err)
		return ERR_NONE;
	request->identity = (struct identity){0};
	return err == ERR_NOT_FOUND ? ERR_NOT_SIGNED_IN : err;
}

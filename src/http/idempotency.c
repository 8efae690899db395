// Answers by key, the oldest forgotten first; those of before a restart from the store.
#include "http/idempotency.h"

#include "base/digest.h"
#include "base/list.h"
#include "base/log.h"
#include "http/server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, STORED_BODY_MAX = 64 << 10 };

// What answers show once.
static const char *const secret_names[] = {"sip_password", "password", "secret", "passwords"};

struct kept {
	struct list node;   // in its bucket
	struct list by_age; // the oldest first
	uint8_t key[32];    // of who asks and the key
	uint8_t request[32];
	int64_t at_ms;
	bool under_way;
	unsigned status;
	const char *type;
	char *body, *etag, *location; // owned
	size_t body_size;
};

struct idempotency {
	pthread_mutex_t lock;
	struct list buckets[BUCKETS];
	struct list ages;
	size_t count, bytes;
};

struct idempotency *idempotency_create(void)
{
	struct idempotency *idempotency = calloc(1, sizeof *idempotency);
	if (!idempotency)
		return NULL;
	pthread_mutex_init(&idempotency->lock, NULL);
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&idempotency->buckets[i]);
	list_init(&idempotency->ages);
	return idempotency;
}

static void kept_free(struct idempotency *idempotency, struct kept *kept)
{
	list_remove(&kept->node);
	list_remove(&kept->by_age);
	idempotency->count--;
	idempotency->bytes -= kept->body_size;
	if (kept->body)
		explicit_bzero(kept->body, kept->body_size); // may hold a password
	free(kept->body);
	free(kept->etag);
	free(kept->location);
	free(kept);
}

void idempotency_destroy(struct idempotency *idempotency)
{
	if (!idempotency)
		return;
	list_each (node, following, &idempotency->ages)
		kept_free(idempotency, container_of(node, struct kept, by_age));
	pthread_mutex_destroy(&idempotency->lock);
	free(idempotency);
}

// Whose key it is counts: a key of one user is nothing to another.
static void key_digest(const struct request *request, uint8_t digest[32])
{
	char text[IDEMPOTENCY_KEY_MAX + 32];
	struct writer w = writer_into(text, sizeof text);
	writer_uint(&w, request->identity.user->entity.id);
	writer_char(&w, ' ');
	writer_str(&w, request->headers.idempotency_key);
	digest_sha256(writer_result(&w), digest);
}

static void request_digest(const struct request *request, uint8_t digest[32])
{
	uint8_t both[64];
	digest_sha256(request->uri, both);
	digest_sha256((struct str){request->body ? request->body : "", request->body_size}, both + 32);
	digest_sha256((struct str){(const char *)both, sizeof both}, digest);
}

static struct list *bucket_of(struct idempotency *idempotency, const uint8_t key[32])
{
	return &idempotency->buckets[(key[0] | key[1] << 8) % BUCKETS];
}

static struct kept *kept_find(struct idempotency *idempotency, const uint8_t key[32])
{
	list_each (node, following, bucket_of(idempotency, key)) {
		struct kept *kept = container_of(node, struct kept, node);
		if (memcmp(kept->key, key, sizeof kept->key) == 0)
			return kept;
	}
	return NULL;
}

static void old_forget(struct idempotency *idempotency, int64_t now_ms)
{
	list_each (node, following, &idempotency->ages) {
		struct kept *kept = container_of(node, struct kept, by_age);
		bool over = kept->at_ms + IDEMPOTENCY_LIFE_MS <= now_ms;
		bool much = idempotency->count >= IDEMPOTENCY_KEPT_MAX || idempotency->bytes > IDEMPOTENCY_BYTES_MAX;
		if (!over && !much)
			return;
		if (!kept->under_way)
			kept_free(idempotency, kept);
	}
}

static void kept_show(const struct kept *kept, struct request *request, struct answer *answer)
{
	*answer = kept->body ? answer_text(kept->status, kept->type, (struct str){kept->body, kept->body_size})
			     : answer_empty(kept->status);
	if (kept->etag)
		answer->etag = arena_copy(&request->arena, str_of(kept->etag)).at;
	if (kept->location)
		answer->location = arena_copy(&request->arena, str_of(kept->location)).at;
	answer->replayed = true;
}

static struct answer refuse(struct request *request, enum err err, const char *sentence)
{
	struct problem problem = {0};
	problem_set(&problem, err, "Idempotency-Key", "%s", sentence);
	return answer_problem(request, &problem);
}

// ---- in the store

static struct str hex_of(const uint8_t digest[32], struct arena *arena)
{
	char text[65];
	struct writer w = writer_into(text, sizeof text);
	writer_hex(&w, digest, 32);
	return arena_copy(arena, writer_result(&w));
}

static struct answer stored_show(struct request *request, const struct kept_answer *stored)
{
	if (!str_equal(stored->request, request->actor.key_request))
		return refuse(request, ERR_KEY_REUSED, "This idempotency key was used for another request.");
	if (stored->status == 0)
		return answer_err(request, ERR_REQUEST_DONE);
	struct answer answer = str_empty(stored->type) ? answer_empty(stored->status)
						       : answer_text(stored->status, stored->type.at, stored->body);
	if (!str_empty(stored->etag))
		answer.etag = stored->etag.at;
	if (!str_empty(stored->location))
		answer.location = stored->location.at;
	answer.replayed = true;
	return answer;
}

// True when the store knows the key. Else what the request writes carries it from now on.
static bool stored_find(struct request *request, const uint8_t key[32], const uint8_t asked[32], struct answer *answer)
{
	struct records *records = server_records(request->server);
	struct kept_answer stored;
	struct str key_text = hex_of(key, &request->arena);
	request->actor.key_request = hex_of(asked, &request->arena);
	if (!key_text.at || !request->actor.key_request.at) {
		*answer = answer_err(request, ERR_NO_MEMORY);
		return true;
	}
	enum err err = records->answer_find(records->context, key_text, &request->arena, &stored);
	if (err == ERR_NOT_FOUND || (!err && stored.at_ms + IDEMPOTENCY_LIFE_MS <= request_now_ms(request))) {
		request->actor.key = key_text;
		return false;
	}
	*answer = err ? answer_err(request, err) : stored_show(request, &stored);
	return true;
}

static void secrets_drop(json_t *value)
{
	const char *name;
	json_t *member;
	size_t index;
	for (size_t i = 0; json_is_object(value) && i < sizeof secret_names / sizeof *secret_names; i++)
		json_object_del(value, secret_names[i]);
	json_object_foreach(value, name, member) secrets_drop(member);
	json_array_foreach(value, index, member) secrets_drop(member);
}

// The body as it may lie on a disk. NULL: it cannot be kept; the caller frees it.
static char *body_without_secrets(const struct answer *answer)
{
	if (answer->body.length > STORED_BODY_MAX || strcmp(answer->type, "application/json") != 0)
		return NULL;
	json_t *body = json_loadb(answer->body.at, answer->body.length, 0, NULL);
	secrets_drop(body);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

// A body that cannot be kept leaves the key with what was done, and without an answer.
static void stored_save(const struct request *request, const struct answer *answer)
{
	struct records *records = server_records(request->server);
	char *body = answer->type ? body_without_secrets(answer) : NULL;
	bool known = !answer->type || body;
	const struct kept_answer kept = {
	    .key = request->actor.key,
	    .request = request->actor.key_request,
	    .at_ms = request_now_ms(request),
	    .status = known ? answer->status : 0,
	    .type = str_of(body ? answer->type : NULL),
	    .etag = str_of(answer->etag),
	    .location = str_of(answer->location),
	    .body = str_of(body),
	};
	enum err err = records->answer_save(records->context, &kept);
	if (err)
		log_warning("idempotency_answer_not_kept", LOG_TEXT("err", err_name(err)));
	free(body);
}

// ---- a request

static void key_forget(struct idempotency *idempotency, const uint8_t key[32])
{
	pthread_mutex_lock(&idempotency->lock);
	struct kept *kept = kept_find(idempotency, key);
	if (kept)
		kept_free(idempotency, kept);
	pthread_mutex_unlock(&idempotency->lock);
}

bool idempotency_begin(struct idempotency *idempotency, struct request *request, struct answer *answer)
{
	uint8_t key[32], asked[32];
	int64_t now_ms = request_now_ms(request);
	if (str_empty(request->headers.idempotency_key))
		return false;
	if (request->headers.idempotency_key.length > IDEMPOTENCY_KEY_MAX) {
		*answer = refuse(request, ERR_INVALID_FIELD, "An idempotency key has at most 128 characters.");
		return true;
	}
	key_digest(request, key);
	request_digest(request, asked);
	pthread_mutex_lock(&idempotency->lock);
	old_forget(idempotency, now_ms);
	struct kept *kept = kept_find(idempotency, key);
	bool answered = kept != NULL;
	if (kept && memcmp(kept->request, asked, sizeof asked) != 0) {
		*answer = refuse(request, ERR_KEY_REUSED, "This idempotency key was used for another request.");
	} else if (kept && kept->under_way) {
		*answer = refuse(request, ERR_REQUEST_PENDING, "The first request with this key is still under way.");
	} else if (kept) {
		kept_show(kept, request, answer);
	} else {
		kept = calloc(1, sizeof *kept);
		answered = kept == NULL;
		if (!kept) {
			*answer = answer_err(request, ERR_NO_MEMORY);
		} else {
			memcpy(kept->key, key, sizeof key);
			memcpy(kept->request, asked, sizeof asked);
			kept->at_ms = now_ms;
			kept->under_way = true;
			list_append(bucket_of(idempotency, key), &kept->node);
			list_append(&idempotency->ages, &kept->by_age);
			idempotency->count++;
		}
	}
	pthread_mutex_unlock(&idempotency->lock);
	if (!answered && stored_find(request, key, asked, answer)) {
		key_forget(idempotency, key);
		return true;
	}
	return answered;
}

static bool kept_fill(struct kept *kept, const struct answer *answer)
{
	kept->status = answer->status;
	kept->type = answer->type;
	if (answer->etag && !(kept->etag = strdup(answer->etag)))
		return false;
	if (answer->location && !(kept->location = strdup(answer->location)))
		return false;
	if (!answer->type)
		return true;
	kept->body = malloc(answer->body.length + 1);
	if (!kept->body)
		return false;
	memcpy(kept->body, answer->body.at ? answer->body.at : "", answer->body.length);
	kept->body_size = answer->body.length;
	return true;
}

void idempotency_end(struct idempotency *idempotency, const struct request *request, const struct answer *answer)
{
	uint8_t key[32];
	if (str_empty(request->headers.idempotency_key))
		return;
	if (answer->status < 300 && !str_empty(request->actor.key))
		stored_save(request, answer);
	key_digest(request, key);
	pthread_mutex_lock(&idempotency->lock);
	struct kept *kept = kept_find(idempotency, key);
	if (kept && kept->under_way) {
		kept->under_way = false;
		bool keeps = answer->status < 500 && kept_fill(kept, answer);
		idempotency->bytes += kept->body_size;
		if (!keeps)
			kept_free(idempotency, kept);
	}
	pthread_mutex_unlock(&idempotency->lock);
}

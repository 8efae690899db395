// Answers by key, the oldest forgotten first.
#include "http/idempotency.h"

#include "base/digest.h"
#include "base/list.h"
#include "http/server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 };

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

static void kept_answer(const struct kept *kept, struct request *request, struct answer *answer)
{
	*answer = kept->body ? answer_text(kept->status, kept->type, (struct str){kept->body, kept->body_size})
			     : answer_empty(kept->status);
	if (kept->etag)
		answer->etag = arena_copy(&request->arena, str_of(kept->etag)).at;
	if (kept->location)
		answer->location = arena_copy(&request->arena, str_of(kept->location)).at;
}

static struct answer refuse(struct request *request, enum err err, const char *sentence)
{
	struct problem problem = {0};
	problem_set(&problem, err, "Idempotency-Key", "%s", sentence);
	return answer_problem(request, &problem);
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
		kept_answer(kept, request, answer);
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

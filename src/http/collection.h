// What all kinds of entities have in common over HTTP: list, create, get, replace, change, delete. A kind may add to it
// what its field table cannot say.
#ifndef HTTP_COLLECTION_H
#define HTTP_COLLECTION_H

#include "domain/device.h"
#include "http/answer.h"
#include "http/entity_json.h"

// One write on its way.
struct change {
	struct request *request;
	struct entity *entity;       // as it will be
	const struct entity *before; // as it is; NULL on creation
	json_t *extras;              // what the body has beside the fields, by the names in resource.extras
	struct problem_list problems;
	char secret[64]; // made by the server, shown once in the answer
	bool ends_sessions;
};

struct resource {
	const char *const *extras; // ends with NULL; may be NULL
	const char *secret;        // the name of the secret in the answer
	// Adds to a change whose fields were all right; may add problems.
	void (*prepare)(struct change *change);
	// After the change is durable.
	void (*changed)(struct change *change);
	// Adds what is shown beside the fields.
	bool (*show)(const struct entity *entity, json_t *object);
	// Adds to each what it does now. A refusal is the answer's.
	enum err (*annotate)(struct request *request, struct entity *const *entities, size_t count,
			     json_t *const *objects);
	// Refuses a deletion.
	enum err (*deletable)(struct request *request, struct problem *problem);
};

extern const struct resource user_resource, device_resource, token_resource, trunk_resource, site_resource;

// A new password for the device, written where there is room for SIP_PASSWORD_LENGTH characters and a NUL, and its hashes.
enum { SIP_PASSWORD_LENGTH = 20, USER_PASSWORD_LENGTH = 16 };
enum err sip_password_make(struct request *request, struct device *device, char *password);
// The turns as JSON. NULL when there is no memory.
json_t *turns_to_json(const struct user *user);
// The entity of the path's {id}.
enum err collection_find(struct request *request, struct entity **entity);
// STALE unless If-Match is absent, "*", or names the version.
enum err collection_match(const struct request *request, uint64_t version);
// 412 with what others have changed since the version that was read, and how it is now.
struct answer answer_stale(struct request *request, enum entity_kind kind, uint64_t id);
// Reads the body into the change's entity, with all the checks that need no write; adds to its problems.
void collection_prepare(struct change *change, json_t *body, enum entity_change_mode mode);
// An answer with the entity's ETag. `secret` NULL: none.
struct answer collection_show(struct request *request, unsigned status, const struct entity *entity,
			      const char *secret);
// A list's common parameters: q, sort, limit, cursor. The problem names the parameter.
enum { LIST_LIMIT_DEFAULT = 100, LIST_LIMIT_MAX = 1000 };
enum err collection_limit(struct request *request, unsigned *limit, struct problem *problem);
// {"items": [...], "total": n, "next": "..."}; takes the reference to items. total < 0: it is not counted.
struct answer collection_page(struct request *request, json_t *items, int64_t total, struct str next);

#endif

// The port to the store. store/ implements it on SQLite and PostgreSQL, and so do the tests.
// What it acknowledges is on disk. What it refuses has left nothing behind.
#ifndef DOMAIN_RECORDS_H
#define DOMAIN_RECORDS_H

#include "base/queue.h"
#include "domain/answer_times.h"
#include "domain/call_record.h"
#include "domain/entity.h"

struct binding;

// ---- from the call thread: never waits

// One device's registration change: `removed` bindings go (all of the device's when remove_all), then `kept` are written
// (inserted or replaced by device and contact). Owned by the caller until done, which is called on the call thread.
struct registration_write {
	struct queue_item item; // the store's
	uint64_t device_id;
	bool remove_all;
	const struct str *removed; // contacts
	size_t removed_count;
	const struct binding *kept;
	size_t kept_count;
	bool refreshes; // no binding comes or goes: what follows from there being one stays as it is
	enum err err;   // set before done
	void (*done)(struct registration_write *write);
};

// ---- from API threads: these wait until the change is durable and the call thread has it

struct list_query {
	struct str q;      // a search over every text field shown; empty = all
	struct str sort;   // a field's name, with '-' in front for descending; empty = by id
	unsigned limit;    // 1 to 1000
	struct str cursor; // from the page before, or empty
	struct list_filter {
		const struct field *field;
		struct str value;
	} filters[8];
	size_t filter_count;
};

enum { LIST_TOTAL_MAX = 10000 };

struct entity_page {
	struct entity **entities;
	size_t count;
	struct str next;     // the cursor of the following page; empty = this was the last
	uint64_t total;      // matches in all
	bool total_is_least; // there are more: LIST_TOTAL_MAX were counted
};

// INCOMING: over a trunk. INTERNAL: from a device to an extension. OUTGOING: from a device to anything else.
enum call_direction { DIRECTION_ANY, DIRECTION_INCOMING, DIRECTION_INTERNAL, DIRECTION_OUTGOING };
extern const char *const direction_names[]; // "any" ..., ends with NULL

struct record_query {
	struct str q;        // caller, dialled, callee
	int64_t from, to;    // started_at; 0 = open
	uint64_t user_id;    // who called or was called; 0 = anybody
	uint64_t device_id;  // which called, rang or was to ring; 0 = any
	const char *outcome; // of outcome_names; NULL = any
	enum call_direction direction;
	unsigned limit;
	struct str cursor;
};

struct record_page {
	struct call_record **records; // in the caller's arena, without their legs
	size_t count;
	struct str next;
};

// How things are, for whoever must see at a glance whether all is right. Counted, with the first few by name.
enum { OVERVIEW_EXAMPLES_MAX = 5 };
struct overview_group {
	uint64_t count;
	struct {
		uint64_t id;
		char label[200];
	} examples[OVERVIEW_EXAMPLES_MAX];
};
struct store_overview {
	uint64_t users, devices, trunks, sessions, selections;
	struct overview_group unregistered;         // devices that are assigned, should register, and have not
	struct overview_group unreachable_users;    // have devices, but none that could ring
	struct overview_group users_without_device; // no device assigned, none selected
	int64_t disk_free_bytes;                    // where the database lies; -1 = not known
};

// ---- the audit log

enum via { VIA_SERVER, VIA_CONSOLE, VIA_TOKEN, VIA_CLIENT, VIA_PHONE };
extern const char *const actor_via_names[]; // "server" ..., ends with NULL

// Who writes, for the audit log. All borrowed.
struct actor {
	uint64_t user_id; // 0 = nobody who is known
	struct str name;  // for signing in
	enum via via;
	struct str token;   // its title
	struct str address; // where from
	uint64_t undoes;    // the entry that this write takes back; 0 = none
	struct str key;     // idempotency: what the request is known by (a digest), and its own digest; empty = no key
	struct str key_request;
};

// What a request with an idempotency key was answered. All borrowed.
struct kept_answer {
	struct str key, request;
	int64_t at_ms;
	unsigned status; // 0: not known; what the request did is done
	struct str type, etag, location, body;
};

// What happened without changing an entity: a sign-in that failed.
struct audit_note {
	const char *action;
	struct str label;
};

// One field's change, as text. A secret's values are not kept.
struct audit_change {
	struct str field; // of the field table; "turns": "device:start:ring ..."
	struct str before, after;
	bool had_before, has_after; // neither for a secret
	bool secret;
};

struct audit_entry {
	uint64_t id;
	int64_t at;
	uint64_t group_id; // the first entry of the request that made this one
	uint64_t actor_id;
	struct str actor, via, token, address;
	struct str
	    action; // "create", "update", "delete", "sign_in", "sign_out", "sign_in_failed", "select", "release", "expire"
	struct str entity; // "user" ...
	uint64_t entity_id;
	struct str label;   // what people call it
	uint64_t version;   // the entity's after it; 0: gone
	uint64_t undoes;    // 0: nothing
	uint64_t undone_by; // 0: it stands
	struct audit_change *changes;
	size_t change_count;
};

struct audit_query { // 0 and empty: any
	uint64_t id, after_id, group_id, actor_id, entity_id;
	struct str entity, action, q;
	int64_t from, to;
	unsigned limit;
	struct str cursor;
};

struct audit_page { // the newest first
	struct audit_entry *entries;
	size_t count;
	struct str next;
};

// ---- recordings for prompts

enum { RECORDING_NAME_MAX = 64 };

// A piece by language and name ("en-digit-5"), or a user's name ("user-12"). All borrowed.
struct recording {
	struct str name;
	uint64_t user_id; // 0: a piece
	int64_t at;       // when it was made
	uint64_t ms;      // how long it lasts
	struct str wav;   // a whole file: 16-bit PCM, 8 kHz, mono
};

struct recording_page {
	struct recording *recordings;
	size_t count;
};

// How a delete treats what hangs on the entity.
enum delete_mode { DELETE_IF_FREE, DELETE_AND_RELEASE };

// ---- several writes that succeed or fail as one

enum write_kind { WRITE_CREATE, WRITE_UPDATE, WRITE_REMOVE };
enum write_mode { WRITE_FOR_GOOD, WRITE_TRY }; // TRY: says what would be refused, and changes nothing
enum { WRITES_MAX = 5000 };                    // at once: other writes wait meanwhile

struct record_write {
	enum write_kind kind;
	// Creation: with an id, it is made again under that of an entity that was deleted. Removal: only kind, id and version count.
	struct entity *entity;
	enum delete_mode mode;
	enum err err; // why it was refused, and in words
	struct problem problem;
};

// A committed change on its way to the call thread.
struct entity_change {
	struct queue_item item; // posted to the call thread's queue by whoever listens
	struct entity *before;  // NULL: created
	struct entity *after;   // NULL: deleted
	void (*done)(
	    struct entity_change *change); // the listener calls it once the call thread has it; frees the change
};

struct records {
	void *context;
	void (*save_registration)(void *context, struct registration_write *write);
	struct call_records *spare; // where the call thread takes a new call's record from; NULL: from the heap
	// Takes the record. Kept in memory (up to 10,000 of them) and tried again while the store cannot be written.
	void (*save_call)(void *context, struct call_record *record);
	// Of one leg, at any time; kept as records are. A second one of the same leg adds to the first.
	void (*quality)(void *context, const struct call_quality *quality);

	// Gives the id and version. NOT_UNIQUE names the field and the other entity.
	enum err (*create)(void *context, struct entity *entity, struct problem *problem);
	// Every field is written. STALE when entity->version is neither 0 nor the present one; FIXED_FIELD when one changed;
	// SIGNED_IN when the user's name, role or extension changes during a session.
	enum err (*update)(void *context, struct entity *entity, struct problem *problem);
	enum err (*remove)(void *context, enum entity_kind kind, uint64_t id, uint64_t version, enum delete_mode mode,
			   struct problem *problem);
	// The refusal of the first that was refused; each has its own. Nothing is changed then.
	enum err (*write_all)(void *context, struct record_write *writes, size_t count, enum write_mode mode);
	// What this thread writes from now on is this actor's; NULL: the server's own. Borrowed until the next call.
	void (*act_as)(void *context, const struct actor *actor);
	enum err (*note)(void *context, const struct audit_note *note);
	// The actor's key is kept with what it writes; the answer can follow. NOT_FOUND.
	enum err (*answer_save)(void *context, const struct kept_answer *answer);
	enum err (*answer_find)(void *context, struct str key, struct arena *arena, struct kept_answer *answer);
	enum err (*audit_list)(void *context, const struct audit_query *query, struct arena *arena,
			       struct audit_page *page);
	enum err (*get)(void *context, enum entity_kind kind, uint64_t id, struct arena *arena, struct entity **entity);
	// By a unique field, compared exactly.
	enum err (*find)(void *context, enum entity_kind kind, const char *field, struct str value, struct arena *arena,
			 struct entity **entity);
	enum err (*list)(void *context, enum entity_kind kind, const struct list_query *query, struct arena *arena,
			 struct entity_page *page);
	// For each of the ids: how many entities of the kind have it in their reference field.
	enum err (*count_by)(void *context, const struct field *field, enum entity_kind kind, const uint64_t *ids,
			     size_t count, uint64_t *counts);
	enum err (*overview)(void *context, struct store_overview *overview);
	enum err (*record_list)(void *context, const struct record_query *query, struct arena *arena,
				struct record_page *page);
	enum err (*record_get)(void *context, struct str id, struct arena *arena, struct call_record **record);
	// Of the device's newest legs, at most ANSWER_TIMES_MAX; in the arena.
	enum err (*answer_times)(void *context, uint64_t device_id, struct arena *arena, struct answer_time **times,
				 size_t *count);
	// Put in place of one of the same name; without `wav` it is removed. NOT_FOUND: it is not there, or its user is not.
	enum err (*recording_save)(void *context, const struct recording *recording);
	enum err (*recording_get)(void *context, struct str name, struct arena *arena, struct recording *recording);
	// Of the pieces alone, without their sound.
	enum err (*recording_list)(void *context, struct arena *arena, struct recording_page *page);
	// Whether writes succeed now; the sentence says why not.
	bool (*healthy)(void *context, char *sentence, size_t size);
};

#endif

// Someone who signs in, with exactly one extension and the devices that ring for it.
#ifndef DOMAIN_USER_H
#define DOMAIN_USER_H

#include "domain/entity.h"

enum role { ROLE_ADMIN, ROLE_AGENT, ROLE_AUDITOR };
extern const char *const role_names[]; // "admin" ..., ends with NULL
enum strategy { STRATEGY_AT_ONCE, STRATEGY_IN_SEQUENCE };
// What a caller gets when nobody answers.
enum unanswered { UNANSWERED_BUSY, UNANSWERED_HANG_UP, UNANSWERED_EXTENSION, UNANSWERED_OUTSIDE };
// What one device's decline stops.
enum decline_scope { DECLINE_DEVICE, DECLINE_ALL };

// A device assigned to the user, with its place on the ring plan. In the order of the plan.
struct turn_plan {
	uint64_t device_id;
	int64_t start_s; // after the call's arrival; at_once only. 0 to 600
	int64_t ring_s;  // 1 to 600
};

enum { USER_TURNS_MAX = 20, RING_S_DEFAULT = 20, RING_S_MAX = 600 };

struct user {
	struct entity entity;
	struct str name;  // sign-in name
	struct str title; // the person's name, shown to those called
	int role;
	struct str password_hash; // argon2id, encoded
	struct str pin_hash;      // likewise; empty: there is none
	struct str extension;
	int strategy;
	int64_t call_limit; // calls at once
	bool do_not_disturb;
	int decline_stops;          // enum decline_scope
	bool six_hundred_stops_all; // a 6xx stops all devices
	bool obey_redirects;        // a 3xx of a device is followed
	int unanswered;
	struct str unanswered_target; // an extension or an outside number
	struct str caller_id;         // the DID shown on outside calls, or empty
	struct str pickup_group;      // who has the same one may pick up each other's calls; empty: nobody may
	int64_t toll_class;           // 0 none, 1 national, 2 international, 3 premium
	bool calls_any_time;          // the opening hours take nothing from the toll class
	// Toll protection: 0 = as the settings say. Those on the ring plan count like those dialled.
	int64_t outside_legs_max; // at once
	int64_t outside_legs_per_hour;
	int64_t international_legs_per_hour; // of these, premium ones as well
	bool password_change_due;
	int64_t last_device_id;  // selected last, 0 = none; it may be gone
	struct turn_plan *turns; // the assignments, owned by whoever owns the user
	size_t turn_count;
};

// The turns as text: "device:start:ring ..." in the order of the plan. at == NULL: no memory.
enum { USER_TURNS_TEXT_MAX = USER_TURNS_MAX * 64 };
struct str user_turns_to_text(const struct user *user, struct arena *arena);
bool user_turns_from_text(struct user *user, struct str text, struct arena *arena);

// A PIN has 4 to 15 digits.
enum { EXTENSION_MAX = 15, PIN_MIN = 4, PIN_MAX = 15 };
bool pin_allowed(struct str text);

extern const struct entity_type user_type;
bool extension_allowed(struct str text); // 2 to 15 digits

#endif

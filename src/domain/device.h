// What carries a call technically. Never dialled: a device is only how an extension is reached.
#ifndef DOMAIN_DEVICE_H
#define DOMAIN_DEVICE_H

#include "domain/entity.h"

enum device_kind {
#define DEVICE_KIND(name, json, registers, relay, single, label) DEVICE_##name,
#include "domain/device_kinds.def"
#undef DEVICE_KIND
	DEVICE_KIND_COUNT
};

enum held { HELD_BY_NOBODY, HELD_BY_ASSIGNMENT, HELD_BY_SELECTION };
extern const char *const held_names[]; // "nobody" ..., ends with NULL
enum nat_handling { NAT_AUTO, NAT_ALWAYS, NAT_NEVER };
// Which number an outside leg shows: the caller's, one of the user's own, a fixed one; a device may leave it to the trunk.
enum caller_id_policy { CALLER_ID_ORIGINAL, CALLER_ID_OWN_DID, CALLER_ID_FIXED, CALLER_ID_TRUNK_DEFAULT };

// How it is known that an external number belongs to who has it.
enum verified_how { VERIFIED_NOT, VERIFIED_BY_ADMINISTRATOR, VERIFIED_BY_CODE };
struct verification {
	enum verified_how how;
	struct str by; // who says so: an administrator's word
	int64_t at;    // wall clock ms
};

struct device {
	struct entity entity;
	int device_kind;      // "kind" in JSON and SQL
	struct str number;    // fixed for ever; external: as a person wrote it
	struct str canonical; // external: what is dialled and compared (number.h); read-only
	struct str title;
	struct str description;
	bool available_for_selection;
	bool do_not_disturb;
	int64_t call_limit; // calls at once on this device; 0 = no limit
	int nat;
	struct str ha1_md5;          // lower-case hex of MD5(number:realm:password); hidden
	struct str ha1_sha256;       // the same with SHA-256; hidden
	int caller_id;               // enum caller_id_policy
	struct str caller_id_number; // CALLER_ID_FIXED
	int64_t too_soon_ms;         // external, teams: the voicemail guard (guard.h), or FIELD_OPEN: the site's
	int64_t too_late_ms;
	bool confirm;     // press 1 to take
	int verified_how; // external: enum verified_how; set by a verification alone, like the two below
	struct str verified_by;
	int64_t verified_at; // wall clock ms; 0 = never
	struct str teams_user;
};

extern const struct entity_type device_type;
void device_verify(struct device *device, const struct verification *verification); // its text is borrowed
// Makes both hashes from the device's number, the realm and the password. False when the arena is out of memory.
bool device_set_password(struct device *device, struct str realm, struct str password, struct arena *arena);
bool device_kind_registers(int kind);
bool device_kind_needs_relay(int kind);
bool device_kind_has_one_holder(int kind);
const char *device_kind_label(int kind);

#endif

// The fields of a device, and what its kind decides.
#define OF struct device
#include "domain/device.h"

#include "domain/fields.h"
#include "domain/guard.h"
#include "domain/sip_secret.h"

#include <assert.h>

static const char *const nat_names[] = {"auto", "always", "never", NULL};
static const char *const verified_how_names[] = {"not", "administrator", "code", NULL};
static const char *const caller_id_names[] = {"original", "own_did", "fixed", "trunk_default", NULL};
static const char *const kind_names[] = {
#define DEVICE_KIND(name, json, registers, relay, single, label) json,
#include "domain/device_kinds.def"
#undef DEVICE_KIND
    NULL};

static const struct {
	bool registers, needs_relay, has_one_holder;
	const char *label;
} kinds[DEVICE_KIND_COUNT] = {
#define DEVICE_KIND(name, json, registers, relay, single, label) {registers, relay, single, label},
#include "domain/device_kinds.def"
#undef DEVICE_KIND
};

bool device_kind_registers(int kind)
{
	assert(kind >= 0 && kind < DEVICE_KIND_COUNT);
	return kinds[kind].registers;
}

bool device_kind_needs_relay(int kind)
{
	assert(kind >= 0 && kind < DEVICE_KIND_COUNT);
	return kinds[kind].needs_relay;
}

bool device_kind_has_one_holder(int kind)
{
	assert(kind >= 0 && kind < DEVICE_KIND_COUNT);
	return kinds[kind].has_one_holder;
}

const char *device_kind_label(int kind)
{
	assert(kind >= 0 && kind < DEVICE_KIND_COUNT);
	return kinds[kind].label;
}

void device_verify(struct device *device, const struct verification *verification)
{
	device->verified_how = verification->how;
	device->verified_by = verification->by;
	device->verified_at = verification->at;
}

static bool all_of(struct str text, const char *further)
{
	struct str others = str_of(further);

	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		if (!(c >= '0' && c <= '9') && str_index(others, c) == others.length)
			return false;
	}
	return true;
}

static size_t digits_in(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += text.at[i] >= '0' && text.at[i] <= '9';
	return count;
}

static bool hex_allowed(struct str text)
{
	return all_of(text, "abcdef");
}

static bool phone_number_allowed(struct str text)
{
	return all_of(text, "+ .-/()") && digits_in(text) >= 2;
}

static const struct field device_fields[] = {
    FIELD_ROW("kind", device_kind, FIELD_CHOICE, .flags = FIELD_REQUIRED | FIELD_FIXED, .choices = kind_names),
    TEXT(number, .flags = FIELD_REQUIRED | FIELD_FIXED | FIELD_UNIQUE, .min = 1, .max = 40,
	 .rule = "A device's number has 1 to 40 characters."),
    TEXT(canonical, .flags = FIELD_READ_ONLY, .max = 31, .rule = "A canonical number has at most 31 digits."),
    TEXT(title, .max = 100, .rule = "A title has at most 100 bytes."),
    TEXT(description, .flags = FIELD_LINES, .max = 1000, .rule = "A description has at most 1000 bytes."),
    BOOLEAN(available_for_selection, .fallback = "false"),
    BOOLEAN(do_not_disturb, .fallback = "false"),
    INTEGER(call_limit, .min = 0, .max = 1000, .fallback = "0",
	    .rule = "A call limit is 1 to 1000, or 0 for no limit."),
    CHOICE(nat, .choices = nat_names, .fallback = "auto"),
    TEXT(ha1_md5, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .min = 32, .max = 32, .secret = "sip_password",
	 .rule = "An MD5 hash has 32 hexadecimal digits.", .allows = hex_allowed),
    TEXT(ha1_sha256, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .min = 64, .max = 64,
	 .rule = "A SHA-256 hash has 64 hexadecimal digits.", .allows = hex_allowed),
    CHOICE(caller_id, .choices = caller_id_names, .fallback = "trunk_default"),
    TEXT(caller_id_number, .min = 2, .max = 32, .rule = "A caller ID is a number of at most 32 characters.",
	 .allows = phone_number_allowed),
    INTEGER(too_soon_ms, .flags = FIELD_NULLABLE, .min = 0, .max = TOO_SOON_MS_MAX, .fallback = "-1",
	    .rule = TOO_SOON_RULE),
    INTEGER(too_late_ms, .flags = FIELD_NULLABLE, .min = 0, .max = TOO_LATE_MS_MAX, .fallback = "-1",
	    .rule = TOO_LATE_RULE),
    BOOLEAN(confirm, .fallback = "false"),
    CHOICE(verified_how, .flags = FIELD_READ_ONLY, .choices = verified_how_names),
    TEXT(verified_by, .flags = FIELD_READ_ONLY, .max = 200, .rule = "Who says so has at most 200 bytes."),
    TIME(verified_at, .flags = FIELD_READ_ONLY, .rule = "A verification's time is given in milliseconds."),
    TEXT(teams_user, .max = 256, .rule = "A Teams user has at most 256 bytes."),
};

// Letters, too: the number is what the device signs in with.
static bool sign_in_number_allowed(struct str text)
{
	return text.length <= 32 && all_of(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-");
}

static bool e164_allowed(struct str text)
{
	return text.length >= 8 && text.length <= 16 && text.at[0] == '+' && all_of(str_from(text, 1), "");
}

static enum err number_check(const struct device *device, struct problem *problem)
{
	const char *rule = NULL;

	switch ((enum device_kind)device->device_kind) {
	case DEVICE_SIP_PHONE:
	case DEVICE_SOFTPHONE:
	case DEVICE_WEBRTC:
		if (!sign_in_number_allowed(device->number))
			rule = "The number of a device that registers has 1 to 32 letters, digits, dots, dashes or "
			       "underscores.";
		break;
	case DEVICE_EXTERNAL:
		if (!phone_number_allowed(device->number))
			rule = "An external number is a phone number with its prefix, such as +44 1444 123456.";
		break;
	case DEVICE_TEAMS:
		if (!e164_allowed(device->number))
			rule = "A Teams number is +, the country code and the rest, digits only.";
		break;
	case DEVICE_KIND_COUNT:
		break;
	}
	return rule ? problem_set(problem, ERR_INVALID_FIELD, "number", "%s", rule) : ERR_NONE;
}

static enum err device_check(const struct entity *entity, struct problem *problem)
{
	const struct device *device = (const struct device *)entity;
	enum err err = number_check(device, problem);

	if (err)
		return err;
	if (device->caller_id == CALLER_ID_FIXED && str_empty(device->caller_id_number))
		return problem_set(problem, ERR_MISSING_FIELD, "caller_id_number", "Say which number is to be shown.");
	return guard_check(device->too_soon_ms, device->too_late_ms, problem);
}

const char *const held_names[] = {"nobody", "assigned", "selected", NULL};
static const struct field device_derived[] = {
    {.name = "held", .type = FIELD_CHOICE, .choices = held_names},
    {.name = "holder", .type = FIELD_TEXT},
    {.name = "holder_id", .type = FIELD_REFERENCE, .flags = FIELD_FILTER, .refers_to = ENTITY_USER},
    {.name = "registered", .type = FIELD_BOOLEAN},
};

const struct entity_type device_type =
    ENTITY_TYPE(ENTITY_DEVICE, "device", "devices", device_fields, .check = device_check, DERIVED(device_derived));

bool device_set_password(struct device *device, struct str realm, struct str password, struct arena *arena)
{
	const struct sip_secret secret = sip_secret_make(device->number, realm, password, arena);

	device->ha1_md5 = secret.ha1_md5;
	device->ha1_sha256 = secret.ha1_sha256;
	return device->ha1_md5.at && device->ha1_sha256.at;
}

// The fields of sessions, selections and tokens.
#include "domain/session.h"

#include "domain/fields.h"
#include "domain/user.h"

#define OF struct session
static const struct field session_fields[] = {
    REFERENCE(user_id, .flags = FIELD_REQUIRED | FIELD_FIXED, .refers_to = ENTITY_USER, .rule = "Say who signs in."),
    TEXT(secret_hash, .flags = FIELD_REQUIRED | FIELD_FIXED | FIELD_UNIQUE | FIELD_HIDDEN | FIELD_READ_ONLY, .min = 64,
	 .max = 64, .secret = "secret", .rule = "A secret's hash has 64 hexadecimal digits."),
    TEXT(csrf, .flags = FIELD_HIDDEN | FIELD_READ_ONLY, .max = 64, .rule = "A CSRF token has at most 64 bytes."),
    TIME(created_at, .flags = FIELD_READ_ONLY),
    TIME(expires_at, .flags = FIELD_READ_ONLY),
    TEXT(client, .max = 300, .rule = "A client's name has at most 300 bytes."),
    BOOLEAN(single_sign_on, .flags = FIELD_READ_ONLY),
};

const struct entity_type session_type =
    ENTITY_TYPE(ENTITY_SESSION, "session", "sessions", session_fields, .check = NULL);
#undef OF

#define OF struct selection
static const struct field selection_fields[] = {
    REFERENCE(user_id, .flags = FIELD_REQUIRED | FIELD_FIXED | FIELD_UNIQUE, .refers_to = ENTITY_USER,
	      .rule = "Say who selects."),
    REFERENCE(device_id, .flags = FIELD_REQUIRED | FIELD_UNIQUE, .refers_to = ENTITY_DEVICE,
	      .rule = "Say which device."),
    TIME(created_at, .flags = FIELD_READ_ONLY),
    TIME(expires_at, .flags = FIELD_READ_ONLY),
};

const struct entity_type selection_type =
    ENTITY_TYPE(ENTITY_SELECTION, "selection", "selections", selection_fields, .check = NULL);
#undef OF

const char *const scope_names[] = {[SCOPE_READ] = "read", [SCOPE_WRITE] = "write", [SCOPE_CALLS] = "calls"};

bool scopes_have(struct str scopes, enum scope scope)
{
	struct str word;

	while (str_take(&scopes, ' ', &word))
		if (str_equal(word, str_of(scope_names[scope])))
			return true;
	return false;
}

static bool scopes_allowed(struct str text)
{
	struct str word;

	while (str_take(&text, ' ', &word)) {
		bool known = false;
		for (int i = 0; i < SCOPE_COUNT; i++)
			known |= str_equal(word, str_of(scope_names[i]));
		if (!known)
			return false;
	}
	return true;
}

#define OF struct token
static const struct field token_fields[] = {
    TEXT(title, .flags = FIELD_REQUIRED, .min = 1, .max = 100, .rule = "A title has 1 to 100 bytes."),
    TEXT(secret_hash, .flags = FIELD_REQUIRED | FIELD_FIXED | FIELD_UNIQUE | FIELD_HIDDEN | FIELD_READ_ONLY, .min = 64,
	 .max = 64, .secret = "secret", .rule = "A secret's hash has 64 hexadecimal digits."),
    CHOICE(role, .choices = role_names, .fallback = "agent"),
    REFERENCE(user_id, .flags = FIELD_FIXED | FIELD_READ_ONLY, .refers_to = ENTITY_USER, .rule = "Who made it."),
    TIME(created_at, .flags = FIELD_READ_ONLY),
    TEXT(scopes, .flags = FIELD_FIXED, .min = 1, .max = 40, .fallback = "read write calls",
	 .rule = "Scopes are read, write and calls, separated by spaces.", .allows = scopes_allowed),
    TIME(expires_at, .flags = FIELD_FIXED),
};

const struct entity_type token_type = ENTITY_TYPE(ENTITY_TOKEN, "token", "tokens", token_fields, .check = NULL);
#undef OF

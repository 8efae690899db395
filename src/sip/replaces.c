// Reads Replaces, and finds the dialog.
#include "sip/replaces.h"

// Exactly one of each tag (RFC 3891 section 6.1).
static bool take_tag(struct str value, struct str *tag)
{
	if (!str_empty(*tag) || str_empty(value))
		return false;
	*tag = value;
	return true;
}

bool sip_replaces_parse(struct str value, struct sip_replaces *replaces)
{
	struct str rest = value, piece;

	*replaces = (struct sip_replaces){.call_id = STR_NONE};
	if (!str_take(&rest, ';', &piece))
		return false;
	replaces->call_id = str_trim(piece);
	while (str_take(&rest, ';', &piece)) {
		struct str text = str_from(piece, str_index(piece, '='));
		struct str name = str_trim(str_first(piece, piece.length - text.length));
		text = str_trim(str_from(text, 1));
		if (str_equal_nocase(name, STR("to-tag"))) {
			if (!take_tag(text, &replaces->to_tag))
				return false;
		} else if (str_equal_nocase(name, STR("from-tag"))) {
			if (!take_tag(text, &replaces->from_tag))
				return false;
		} else if (str_equal_nocase(name, STR("early-only"))) {
			replaces->early_only = true;
		}
	}
	return !str_empty(replaces->call_id) && !str_empty(replaces->to_tag) && !str_empty(replaces->from_tag);
}

static bool is_remote(const struct sip_session *session, struct str tag)
{
	return str_equal(session->dialog.remote_tag, tag) || early_find(session, tag);
}

struct sip_session *replaces_session(const struct sip_endpoint *endpoint, const struct sip_replaces *replaces)
{
	struct sip_session *session = session_of_tag(endpoint, replaces->to_tag, replaces->call_id);

	if (session && is_remote(session, replaces->from_tag))
		return session;
	session = session_of_tag(endpoint, replaces->from_tag, replaces->call_id);
	return session && is_remote(session, replaces->to_tag) ? session : NULL;
}

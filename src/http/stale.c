// Somebody else was faster: says who, when, which fields, and how it is now, so that a form can offer both.
#include "http/audit.h"
#include "http/collection.h"
#include "http/server.h"

enum { CHANGES_SHOWN_MAX = 20 };

// What the client has read: the version in If-Match, or in the body. 0: not known.
static uint64_t version_seen(const struct request *request)
{
	struct str tag = str_trim(request->headers.if_match);
	uint64_t version = 0;
	if (tag.length > 2 && str_to_uint((struct str){tag.at + 1, tag.length - 2}, UINT64_MAX, &version))
		return version;
	json_int_t given = json_integer_value(json_object_get(request->json, "version"));
	return given > 0 ? (uint64_t)given : 0;
}

static json_t *changes_since(struct request *request, const struct audit_page *page, uint64_t seen)
{
	json_t *changes = json_array();
	for (size_t i = 0; i < page->count; i++) {
		if (page->entries[i].version && page->entries[i].version <= seen)
			continue;
		if (json_array_append_new(changes, audit_entry_show(request, &page->entries[i])) != 0) {
			json_decref(changes);
			return NULL;
		}
	}
	return changes;
}

struct answer answer_stale(struct request *request, enum entity_kind kind, uint64_t id)
{
	struct records *records = server_records(request->server);
	const struct audit_query query = {
	    .entity = str_of(entity_type(kind)->name), .entity_id = id, .limit = CHANGES_SHOWN_MAX};
	struct audit_page page = {0};
	struct problem problem = {0};
	struct entity *present = NULL;
	enum err err = records->get(records->context, kind, id, &request->arena, &present);
	if (err) // deleted since, or the store fails: that is the answer
		return answer_err(request, err);
	err = records->audit_list(records->context, &query, &request->arena, &page);
	if (err)
		return answer_err(request, err);
	struct str who = page.count ? audit_signature(request, &page.entries[0]) : STR_NONE;
	problem_set(&problem, ERR_STALE, str_empty(request->headers.if_match) ? "version" : NULL,
		    page.count ? "Somebody else has changed it in the meantime: %.*s." : NULL, STR_ARG(who));
	json_t *more = json_object();
	bool built = json_put(more, "changes", changes_since(request, &page, version_seen(request)));
	json_t *shown = entity_to_json(present);
	if (shown && kind == ENTITY_USER && !json_put(shown, "turns", turns_to_json((struct user *)present))) {
		json_decref(shown);
		shown = NULL;
	}
	built = json_put(more, "present", shown) && built;
	if (!built) {
		json_decref(more);
		more = NULL;
	}
	struct answer answer = answer_problem_with(request, &problem, more);
	answer.etag = arena_format(&request->arena, "\"%llu\"", (unsigned long long)present->version).at;
	return answer;
}

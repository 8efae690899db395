// Takes back a change, where nothing newer stands in its way: a change of fields sets them back, a creation is deleted, a
// deletion made again under its old id. What was secret cannot be brought back: it is made anew and shown once.
#include "http/audit.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/identity.h"
#include "http/router.h"
#include "http/server.h"

#include <inttypes.h>
#include <string.h>

enum { NEWER_MAX = 200, GROUP_MAX = 1000, WRITES_OF_UNDO_MAX = 1 + GROUP_MAX };

struct undo {
	struct request *request;
	const struct audit_entry *entry;
	const struct entity_type *type;
	struct record_write *writes;
	size_t write_count;
	json_t *lost;    // names of secrets that are gone
	char secret[64]; // made anew
	struct problem problem;
};

static enum err refuse(struct undo *undo, enum err err, const struct audit_entry *newer, const char *what)
{
	if (newer) {
		problem_set(&undo->problem, err, what, "%s was changed since (%.*s); undo change %" PRIu64 " first.",
			    what, STR_ARG(audit_signature(undo->request, newer)), newer->id);
		undo->problem.other_id = newer->id;
		return err;
	}
	return problem_set(&undo->problem, err, "", "%s", what);
}

static void write_add(struct undo *undo, enum write_kind kind, struct entity *entity)
{
	undo->writes[undo->write_count++] =
	    (struct record_write){.kind = kind, .entity = entity, .mode = DELETE_IF_FREE};
}

// The newest entry after this one about the same entity that touches the field; any field when `field` is empty.
static enum err newer_find(struct undo *undo, const struct audit_entry *entry, struct str field,
			   const struct audit_entry **newer)
{
	struct records *records = server_records(undo->request->server);
	const struct audit_query query = {
	    .entity = entry->entity, .entity_id = entry->entity_id, .after_id = entry->id, .limit = NEWER_MAX};
	struct audit_page page = {0};
	enum err err = records->audit_list(records->context, &query, &undo->request->arena, &page);
	*newer = NULL;
	for (size_t i = 0; !err && i < page.count && !*newer; i++) {
		for (size_t j = 0; j < page.entries[i].change_count && !*newer; j++)
			if (str_empty(field) || str_equal(page.entries[i].changes[j].field, field))
				*newer = &page.entries[i];
		if (str_empty(field) || str_equal(page.entries[i].action, STR("delete")))
			*newer = &page.entries[i];
	}
	return err;
}

static enum err overtaken(struct undo *undo, const struct audit_entry *entry, struct str field)
{
	const struct audit_entry *newer;
	char name[64] = "It";
	enum err err = newer_find(undo, entry, field, &newer);
	if (err)
		return problem_set(&undo->problem, err, NULL, NULL);
	str_to_cstring(field, name, sizeof name);
	return newer ? refuse(undo, ERR_OVERTAKEN, newer, name[0] ? name : "It")
		     : refuse(undo, ERR_OVERTAKEN, NULL, "It is not what this change left; something else changed it.");
}

// ---- a change of fields

static enum err change_take_back(struct undo *undo, const struct audit_entry *entry, struct entity *entity,
				 const struct audit_change *change)
{
	struct arena *arena = &undo->request->arena;
	const struct field *field = entity_field(entity_type(entity->kind), change->field);
	bool turns = entity->kind == ENTITY_USER && str_equal(change->field, STR("turns"));
	if (change->secret)
		return refuse(undo, ERR_NOT_UNDOABLE, NULL,
			      "A secret that was replaced is not kept, so it cannot be brought back.");
	if (!turns && (!field || field->flags & FIELD_READ_ONLY))
		return ERR_NONE; // follows from the others
	struct str present =
	    turns ? user_turns_to_text((struct user *)entity, arena) : field_to_text(entity, field, arena);
	if (!present.at)
		return problem_set(&undo->problem, ERR_NO_MEMORY, NULL, NULL);
	if (!str_equal(present, change->after))
		return overtaken(undo, entry, change->field);
	bool set = turns ? user_turns_from_text((struct user *)entity, change->before, arena)
			 : field_from_text(entity, field, change->before, arena);
	return set ? ERR_NONE
		   : refuse(undo, ERR_NOT_UNDOABLE, NULL, "The value from before is none that is allowed today.");
}

static enum err update_take_back(struct undo *undo, const struct audit_entry *entry)
{
	struct records *records = server_records(undo->request->server);
	const struct entity_type *type = audit_entity_type(entry);
	struct entity *entity;
	enum err err = records->get(records->context, type->kind, entry->entity_id, &undo->request->arena, &entity);
	if (err == ERR_NOT_FOUND)
		return overtaken(undo, entry, STR_NONE);
	if (err)
		return problem_set(&undo->problem, err, NULL, NULL);
	for (size_t i = 0; !err && i < entry->change_count; i++)
		err = change_take_back(undo, entry, entity, &entry->changes[i]);
	if (!err)
		write_add(undo, WRITE_UPDATE, entity);
	return err;
}

// ---- a creation

static enum err create_take_back(struct undo *undo)
{
	struct records *records = server_records(undo->request->server);
	const struct audit_entry *newer = NULL;
	struct entity *entity;
	enum err err =
	    records->get(records->context, undo->type->kind, undo->entry->entity_id, &undo->request->arena, &entity);
	if (err == ERR_NOT_FOUND || (!err && entity->version != 1))
		return overtaken(undo, undo->entry, STR_NONE);
	if (!err)
		err = newer_find(undo, undo->entry, STR_NONE, &newer);
	if (err)
		return problem_set(&undo->problem, err, NULL, NULL);
	if (newer)
		return overtaken(undo, undo->entry, STR_NONE);
	write_add(undo, WRITE_REMOVE, entity);
	return ERR_NONE;
}

// ---- a deletion

static enum err secret_make_anew(struct undo *undo, struct entity *entity)
{
	struct request *request = undo->request;
	char encoded[PASSWORD_HASH_MAX];
	if (entity->kind == ENTITY_DEVICE && device_kind_registers(((struct device *)entity)->device_kind)) {
		enum err err = sip_password_make(request, (struct device *)entity, undo->secret);
		return err ? problem_set(&undo->problem, err, NULL, NULL) : ERR_NONE;
	}
	if (entity->kind != ENTITY_USER)
		return ERR_NONE;
	struct user *user = (struct user *)entity;
	if (!password_generate(undo->secret, USER_PASSWORD_LENGTH))
		return problem_set(&undo->problem, ERR_INTERNAL, NULL, NULL);
	enum err err = passwords_hash(server_passwords(request->server), str_of(undo->secret), encoded);
	if (err)
		return problem_set(&undo->problem, err, NULL, NULL);
	user->password_hash = arena_copy(&request->arena, str_of(encoded));
	user->password_change_due = true;
	return user->password_hash.at ? ERR_NONE : problem_set(&undo->problem, ERR_NO_MEMORY, NULL, NULL);
}

static enum err field_bring_back(struct undo *undo, struct entity *entity, const struct audit_change *change)
{
	const struct field *field = entity_field(undo->type, change->field);
	struct arena *arena = &undo->request->arena;
	if (change->secret)
		return json_array_append_new(undo->lost, json_text(change->field)) == 0
			   ? ERR_NONE
			   : problem_set(&undo->problem, ERR_NO_MEMORY, NULL, NULL);
	bool set = true;
	if (entity->kind == ENTITY_USER && str_equal(change->field, STR("turns")))
		set = user_turns_from_text((struct user *)entity, change->before, arena);
	else if (field && !(field->flags & FIELD_READ_ONLY))
		set = field_from_text(entity, field, change->before, arena);
	return set ? ERR_NONE
		   : refuse(undo, ERR_NOT_UNDOABLE, NULL, "A value from before is none that is allowed today.");
}

static bool is_turns_alone(const struct audit_entry *entry)
{
	return str_equal(entry->entity, STR("user")) && str_equal(entry->action, STR("update")) &&
	       entry->change_count == 1 && str_equal(entry->changes[0].field, STR("turns"));
}

// Whether the turns before this change had the device, and those after it have not.
static bool lost_device(const struct audit_entry *entry, uint64_t device_id, struct arena *arena)
{
	struct user before = {.entity.kind = ENTITY_USER}, after = before;
	bool had = false, has = false;
	if (!user_turns_from_text(&before, entry->changes[0].before, arena) ||
	    !user_turns_from_text(&after, entry->changes[0].after, arena))
		return false;
	for (size_t i = 0; i < before.turn_count; i++)
		had |= before.turns[i].device_id == device_id;
	for (size_t i = 0; i < after.turn_count; i++)
		has |= after.turns[i].device_id == device_id;
	return had && !has;
}

// A deleted device left ring plans: it comes back to those that nobody has changed since.
static enum err turns_bring_back(struct undo *undo)
{
	struct records *records = server_records(undo->request->server);
	const struct audit_query query = {.group_id = undo->entry->group_id, .limit = GROUP_MAX};
	struct audit_page page = {0};
	enum err err = records->audit_list(records->context, &query, &undo->request->arena, &page);
	if (err)
		return problem_set(&undo->problem, err, NULL, NULL);
	for (size_t i = 0; !err && i < page.count; i++)
		if (is_turns_alone(&page.entries[i]) &&
		    lost_device(&page.entries[i], undo->entry->entity_id, &undo->request->arena))
			err = update_take_back(undo, &page.entries[i]);
	return err;
}

static enum err delete_take_back(struct undo *undo)
{
	struct entity *entity = entity_new(undo->type->kind, &undo->request->arena);
	enum err err = entity ? ERR_NONE : problem_set(&undo->problem, ERR_NO_MEMORY, NULL, NULL);
	for (size_t i = 0; !err && i < undo->entry->change_count; i++)
		err = field_bring_back(undo, entity, &undo->entry->changes[i]);
	if (!err)
		err = secret_make_anew(undo, entity);
	if (err)
		return err;
	entity->id = undo->entry->entity_id;
	write_add(undo, WRITE_CREATE, entity);
	return undo->type->kind == ENTITY_DEVICE ? turns_bring_back(undo) : ERR_NONE;
}

// ---- the whole

static bool may_be_undone(const struct entity_type *type)
{
	switch (type->kind) {
	case ENTITY_USER:
	case ENTITY_DEVICE:
	case ENTITY_TRUNK:
	case ENTITY_ROUTE:
	case ENTITY_DID:
	case ENTITY_SITE:
		return true;
	case ENTITY_SELECTION:
	case ENTITY_SESSION:
	case ENTITY_TOKEN:
	case ENTITY_KIND_COUNT:
		break;
	}
	return false;
}

static enum err undo_prepare(struct undo *undo)
{
	const struct audit_entry *entry = undo->entry;
	if (str_equal(entry->entity, STR("recording")))
		return refuse(undo, ERR_NOT_UNDOABLE, NULL,
			      "A recording that was replaced or deleted is not kept, so it cannot be brought back.");
	undo->type = audit_entity_type(entry);
	if (!undo->type || !may_be_undone(undo->type))
		return refuse(undo, ERR_NOT_UNDOABLE, NULL,
			      "Only changes of what administrators manage can be undone.");
	if (entry->undone_by) {
		undo->problem.other_id = entry->undone_by;
		return problem_set(&undo->problem, ERR_OVERTAKEN, "", "Change %" PRIu64 " has undone it already.",
				   entry->undone_by);
	}
	if (str_equal(entry->action, STR("update")))
		return update_take_back(undo, entry);
	if (str_equal(entry->action, STR("create")))
		return create_take_back(undo);
	if (str_equal(entry->action, STR("delete")))
		return delete_take_back(undo);
	return refuse(undo, ERR_NOT_UNDOABLE, NULL, "This kind of entry cannot be undone.");
}

static struct answer undo_answer(struct undo *undo)
{
	json_t *body = json_object();
	const char *name = undo->type->kind == ENTITY_USER ? "password" : "sip_password";
	bool built = json_put(body, "undone", json_id(undo->entry->id)) &&
		     json_put(body, "entity", json_text(undo->entry->entity)) &&
		     json_put(body, "entity_id", json_id(undo->entry->entity_id)) &&
		     json_object_set(body, "lost", undo->lost) == 0 &&
		     (!undo->secret[0] || json_put(body, name, json_string(undo->secret)));
	if (!built) {
		json_decref(body);
		body = NULL;
	}
	return answer_json(undo->request, 200, body);
}

struct answer audit_undo(struct request *request)
{
	struct records *records = server_records(request->server);
	struct undo undo = {.request = request, .lost = json_array()};
	struct audit_entry *entry;
	struct answer answer;
	static const char *const names[] = {NULL};
	struct problem_list problems = {.count = 0};
	body_only(request->json, names, &problems);
	if (problems.count) {
		json_decref(undo.lost);
		return answer_problems(request, &problems);
	}
	enum err err = audit_find(request, request_id(request), &entry);
	undo.writes = arena_alloc(&request->arena, WRITES_OF_UNDO_MAX * sizeof *undo.writes);
	if (!err && (!undo.writes || !undo.lost))
		err = ERR_NO_MEMORY;
	if (err) {
		json_decref(undo.lost);
		return answer_err(request, err);
	}
	undo.entry = entry;
	err = undo_prepare(&undo);
	request->actor.undoes = entry->id;
	if (!err)
		err = records->write_all(records->context, undo.writes, undo.write_count, WRITE_FOR_GOOD);
	for (size_t i = 0; err && i < undo.write_count; i++)
		if (undo.writes[i].err && !undo.problem.err)
			undo.problem = undo.writes[i].problem;
	answer = !err               ? undo_answer(&undo)
		 : undo.problem.err ? answer_problem(request, &undo.problem)
				    : answer_err(request, err);
	json_decref(undo.lost);
	return answer;
}

// What may be written: references, uniqueness, who holds a device, who is signed in.
#include "store/rules.h"

#include "base/writer.h"
#include "domain/device.h"
#include "domain/did.h"
#include "domain/session.h"
#include "domain/trunk.h"
#include "domain/user.h"
#include "store/did_rules.h"
#include "store/entity_sql.h"
#include "store/number_rules.h"
#include "store/sign_in_names.h"

#include <assert.h>
#include <stdio.h>

// ---- looking around

// The first row of a query "id, text".
struct found {
	uint64_t id; // 0: none
	char text[128];
};

static enum err take_found(void *context, const struct row *row)
{
	struct found *found = context;

	if (found->id)
		return ERR_NONE;
	found->id = row_id(row, 0);
	snprintf(found->text, sizeof found->text, "%.*s", STR_ARG(row_text(row, 1)));
	return ERR_NONE;
}

static enum err look(struct change_set *set, const char *sql, struct values values, struct found *found)
{
	*found = (struct found){.id = 0};
	return database_run(set->database, sql, values, (struct row_visitor){take_found, found});
}

// A user in a sentence: "Jane Doe (510)".
#define USER_LABEL "users.title || ' (' || users.extension || ')'"

// Who else has the device on the ring plan.
static enum err look_for_assignment(struct change_set *set, uint64_t device_id, uint64_t except, struct found *user)
{
	return look(set,
		    "SELECT users.id, " USER_LABEL " FROM assignments JOIN users ON users.id = assignments.user_id "
		    "WHERE assignments.device_id = $1 AND users.id <> $2 ORDER BY users.id LIMIT 1",
		    VALUES(value_id(device_id), value_integer((int64_t)except)), user);
}

// Who else has selected the device; a lease that is over is ended here.
static enum err look_for_selection(struct change_set *set, uint64_t device_id, uint64_t except, struct found *user)
{
	struct found expired;
	enum err err =
	    look(set,
		 "SELECT id, '' FROM selections WHERE device_id = $1 AND user_id <> $2 AND expires_at <> 0 "
		 "AND expires_at <= $3",
		 VALUES(value_id(device_id), value_integer((int64_t)except), value_integer(set->now_ms)), &expired);

	if (!err && expired.id)
		err = change_set_remove(set, ENTITY_SELECTION, expired.id);
	if (err)
		return err;
	return look(set,
		    "SELECT users.id, " USER_LABEL " FROM selections JOIN users ON users.id = selections.user_id "
		    "WHERE selections.device_id = $1 AND users.id <> $2",
		    VALUES(value_id(device_id), value_integer((int64_t)except)), user);
}

static enum err device_read(struct change_set *set, uint64_t id, const char *field, const struct device **device)
{
	struct entity *entity;
	enum err err = entity_read(set->database, ENTITY_DEVICE, id, &set->scratch, &entity);

	if (err == ERR_NOT_FOUND)
		return problem_set(set->problem, ERR_INVALID_FIELD, field, "There is no device with the id %llu.",
				   (unsigned long long)id);
	if (!err)
		*device = (const struct device *)entity;
	return err;
}

static enum err refuse_other(struct change_set *set, enum err err, uint64_t other_id)
{
	if (set->problem && set->problem->other_id == 0)
		set->problem->other_id = other_id;
	return err;
}

static enum err refuse_taken(struct change_set *set, const char *field, const struct device *device,
			     const struct found *holder)
{
	return refuse_other(set,
			    problem_set(set->problem, ERR_DEVICE_TAKEN, field, "Device %.*s belongs to %s.",
					STR_ARG(device->number), holder->text),
			    holder->id);
}

// ---- every kind

enum err rules_prepare(const struct number_plan *plan, struct entity *entity, struct arena *arena,
		       struct problem *problem)
{
	struct str *canonical = NULL, typed = STR_NONE;
	struct number number;
	enum err err = entity_check(entity, problem);

	if (err)
		return err;
	if (entity->kind == ENTITY_USER && number_is_emergency(plan, ((struct user *)entity)->extension))
		return problem_set(problem, ERR_INVALID_FIELD, "extension",
				   "%.*s leads to the emergency services and can be nobody's extension.",
				   STR_ARG(((struct user *)entity)->extension));
	if (entity->kind == ENTITY_DID)
		return did_canonicalize(plan, (struct did *)entity, arena, problem);
	if (entity->kind == ENTITY_DEVICE) {
		struct device *device = (struct device *)entity;
		canonical = &device->canonical;
		if (device->device_kind == DEVICE_EXTERNAL || device->device_kind == DEVICE_TEAMS)
			typed = device->number;
	}
	if (!canonical)
		return ERR_NONE;
	number.canonical[0] = '\0';
	if (!str_empty(typed)) {
		err = number_parse(plan, typed, &number, problem);
		if (err && problem && !problem->field[0])
			snprintf(problem->field, sizeof problem->field, "number");
		if (err)
			return err;
	}
	*canonical = arena_copy(arena, str_of(number.canonical));
	return canonical->at ? ERR_NONE : ERR_NO_MEMORY;
}

static enum err fixed_check(struct change_set *set, const struct entity *before, const struct entity *after)
{
	const struct entity_type *type = entity_type(after->kind);

	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		if ((field->flags & FIELD_FIXED) && !field_equal(before, after, field))
			return problem_set(set->problem, ERR_FIXED_FIELD, field->name,
					   "The %s of a %s cannot be changed once it exists.", field->name, type->name);
	}
	return ERR_NONE;
}

static enum err references_check(struct change_set *set, const struct entity *after)
{
	const struct entity_type *type = entity_type(after->kind);

	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		struct found other;
		char sql[96];
		uint64_t id;
		enum err err;
		if (field->type != FIELD_REFERENCE)
			continue;
		id = *(const uint64_t *)field_of(after, field);
		if (id == 0)
			continue;
		snprintf(sql, sizeof sql, "SELECT id, '' FROM %s WHERE id = $1", entity_type(field->refers_to)->plural);
		err = look(set, sql, VALUES(value_id(id)), &other);
		if (err)
			return err;
		if (!other.id)
			return problem_set(set->problem, ERR_INVALID_FIELD, field->name,
					   "There is no %s with the id %llu.", entity_type(field->refers_to)->name,
					   (unsigned long long)id);
	}
	return ERR_NONE;
}

static enum err unique_check(struct change_set *set, const struct entity *after)
{
	const struct entity_type *type = entity_type(after->kind);

	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		struct found other;
		char sql[128];
		enum err err;
		if (!(field->flags & FIELD_UNIQUE))
			continue;
		snprintf(sql, sizeof sql, "SELECT id, '' FROM %s WHERE %s = $1 AND id <> $2", type->plural,
			 field->name);
		err = look(set, sql, VALUES(value_of_field(after, field), value_integer((int64_t)after->id)), &other);
		if (err)
			return err;
		if (other.id)
			return refuse_other(set,
					    problem_set(set->problem, ERR_NOT_UNIQUE, field->name,
							"Another %s has this %s already.", type->name, field->name),
					    other.id);
	}
	return ERR_NONE;
}

// ---- users

static enum err signed_in_check(struct change_set *set, const struct user *before, const struct user *after)
{
	const char *field = !str_equal(before->name, after->name)             ? "name"
			    : before->role != after->role                     ? "role"
			    : !str_equal(before->extension, after->extension) ? "extension"
									      : NULL;
	struct found session;
	enum err err;

	if (!field)
		return ERR_NONE;
	err = look(set,
		   "SELECT id, '' FROM sessions WHERE user_id = $1 AND (expires_at > $2 OR expires_at = 0) "
		   "ORDER BY id LIMIT 1",
		   VALUES(value_id(before->entity.id), value_integer(set->now_ms)), &session);
	if (err || !session.id)
		return err;
	return refuse_other(set,
			    problem_set(set->problem, ERR_SIGNED_IN, field,
					"%.*s is signed in; end session %llu first to change the %s.",
					STR_ARG(before->title), (unsigned long long)session.id, field),
			    session.id);
}

static enum err last_admin_check(struct change_set *set, const struct user *before, const char *what)
{
	struct found other;
	enum err err;

	if (before->role != ROLE_ADMIN)
		return ERR_NONE;
	err = look(set, "SELECT id, '' FROM users WHERE role = $1 AND id <> $2 ORDER BY id LIMIT 1",
		   VALUES(value_text(str_of(role_names[ROLE_ADMIN])), value_id(before->entity.id)), &other);
	if (err || other.id)
		return err;
	return problem_set(set->problem, ERR_IN_USE, "role",
			   "%.*s is the last administrator and cannot be %s; make somebody else one first.",
			   STR_ARG(before->title), what);
}

static enum err turns_check(struct change_set *set, const struct user *user)
{
	for (size_t i = 0; i < user->turn_count; i++) {
		const struct device *device = NULL;
		struct found holder;
		enum err err = device_read(set, user->turns[i].device_id, "turns", &device);
		if (err)
			return err;
		if (!device_kind_has_one_holder(device->device_kind))
			continue;
		err = look_for_assignment(set, device->entity.id, user->entity.id, &holder);
		if (!err && !holder.id)
			err = look_for_selection(set, device->entity.id, user->entity.id, &holder);
		if (err)
			return err;
		if (holder.id)
			return refuse_taken(set, "turns", device, &holder);
	}
	return ERR_NONE;
}

// Who has devices assigned needs no selected one: it is released.
static enum err selection_make_way(struct change_set *set, const struct user *user)
{
	struct found selection;
	enum err err;

	if (user->turn_count == 0 || user->entity.id == 0)
		return ERR_NONE;
	err = look(set, "SELECT id, '' FROM selections WHERE user_id = $1", VALUES(value_id(user->entity.id)),
		   &selection);
	if (err || !selection.id)
		return err;
	return change_set_remove(set, ENTITY_SELECTION, selection.id);
}

static enum err user_check(struct change_set *set, const struct user *before, const struct user *after)
{
	enum err err = before ? signed_in_check(set, before, after) : ERR_NONE;

	if (!err && before && after->role != ROLE_ADMIN)
		err = last_admin_check(set, before, "demoted");
	if (!err)
		err = turns_check(set, after);
	return err ? err : selection_make_way(set, after);
}

// ---- selections

static enum err own_expired_selection_end(struct change_set *set, const struct selection *after)
{
	struct found expired;
	enum err err =
	    look(set,
		 "SELECT id, '' FROM selections WHERE user_id = $1 AND id <> $2 AND expires_at <> 0 "
		 "AND expires_at <= $3",
		 VALUES(value_id(after->user_id), value_integer((int64_t)after->entity.id), value_integer(set->now_ms)),
		 &expired);

	return err || !expired.id ? err : change_set_remove(set, ENTITY_SELECTION, expired.id);
}

static enum err selection_check(struct change_set *set, const struct selection *before, const struct selection *after)
{
	const struct device *device = NULL;
	struct found holder;
	enum err err = own_expired_selection_end(set, after);

	if (!err)
		err = look(set, "SELECT user_id, '' FROM assignments WHERE user_id = $1 LIMIT 1",
			   VALUES(value_id(after->user_id)), &holder);
	if (err)
		return err;
	if (holder.id)
		return problem_set(set->problem, ERR_NOT_ALLOWED, "user_id",
				   "Who has devices assigned cannot select another one.");
	err = device_read(set, after->device_id, "device_id", &device);
	if (!err)
		err = look_for_assignment(set, after->device_id, 0, &holder);
	if (!err && !holder.id)
		err = look_for_selection(set, after->device_id, after->user_id, &holder);
	if (err)
		return err;
	if (holder.id)
		return refuse_taken(set, "device_id", device, &holder);
	if (!device->available_for_selection && !(before && before->device_id == after->device_id))
		return problem_set(set->problem, ERR_NOT_ALLOWED, "device_id", "Device %.*s cannot be selected.",
				   STR_ARG(device->number));
	return ERR_NONE;
}

// No change to the user that anybody would have to be told of: the version stays.
static enum err selection_remember(struct change_set *set, const struct selection *selection)
{
	return database_run(set->database, "UPDATE users SET last_device_id = $1 WHERE id = $2",
			    VALUES(value_id(selection->device_id), value_id(selection->user_id)), NO_ROWS);
}

enum err rules_write(struct change_set *set, const struct entity *before, const struct entity *after)
{
	enum err err = before ? fixed_check(set, before, after) : ERR_NONE;

	if (!err)
		err = references_check(set, after);
	if (err)
		return err;
	switch (after->kind) {
	case ENTITY_USER:
		err = user_check(set, (const struct user *)before, (const struct user *)after);
		break;
	case ENTITY_SELECTION: // before uniqueness: it says who has the device
		err = selection_check(set, (const struct selection *)before, (const struct selection *)after);
		if (!err)
			err = selection_remember(set, (const struct selection *)after);
		break;
	case ENTITY_DID: // likewise: which one has it
		err = did_overlap_check(set, (const struct did *)after);
		break;
	case ENTITY_DEVICE:
		err = number_rules_device(set, (const struct device *)after);
		if (!err)
			err = sign_in_name_check(set, after);
		break;
	case ENTITY_SITE:
		if (before)
			err = number_rules_replan(set, (const struct site *)before, (const struct site *)after);
		break;
	case ENTITY_TRUNK:
		err = sign_in_name_check(set, after);
		break;
	case ENTITY_ROUTE:
	case ENTITY_SESSION:
	case ENTITY_TOKEN:
	case ENTITY_KIND_COUNT:
		break;
	}
	return err ? err : unique_check(set, after);
}

// ---- deleting

// What stands in the way: the first row of "id, text" for an id.
struct obstacle {
	const char *sql;
	const char *sentence; // with %s for the text
};

static enum err obstacle_check(struct change_set *set, const struct obstacle *obstacle, uint64_t id)
{
	struct found found;
	char sentence[256];
	struct writer w = writer_into(sentence, sizeof sentence - 1);
	struct str rest = str_of(obstacle->sentence), front;
	enum err err = look(set, obstacle->sql, VALUES(value_id(id)), &found);

	if (err || !found.id)
		return err;
	str_take(&rest, '%', &front);
	writer_str(&w, front);
	writer_text(&w, found.text);
	writer_str(&w, rest);
	sentence[w.used] = '\0';
	return refuse_other(set, problem_set(set->problem, ERR_IN_USE, "", "%s", sentence), found.id);
}

static const struct obstacle user_has_did = {
    "SELECT id, " DID_LABEL " FROM dids WHERE user_id = $1 ORDER BY id LIMIT 1",
    "The number % leads to this user; give it to somebody else or delete it first."};
static const struct obstacle user_has_token = {
    "SELECT id, title FROM tokens WHERE user_id = $1 ORDER BY id LIMIT 1",
    "The token \"%\" was made by this user and would stop working; confirm to delete both."};
static const struct obstacle trunk_has_route = {
    "SELECT id, pattern FROM routes WHERE trunk_id = $1 ORDER BY id LIMIT 1",
    "The route for \"%\" leads over this trunk; delete it first."};
static const struct obstacle trunk_has_did = {"SELECT id, " DID_LABEL
					      " FROM dids WHERE trunk_id = $1 ORDER BY id LIMIT 1",
					      "The number % comes over this trunk; change or delete it first."};
static const struct obstacle device_is_assigned = {
    "SELECT users.id, " USER_LABEL " FROM assignments JOIN users ON users.id = assignments.user_id "
    "WHERE assignments.device_id = $1 ORDER BY users.id LIMIT 1",
    "The device is assigned to %; confirm to take it away and delete it."};
static const struct obstacle device_is_selected = {"SELECT users.id, " USER_LABEL
						   " FROM selections JOIN users ON users.id = selections.user_id "
						   "WHERE selections.device_id = $1",
						   "% has selected the device; confirm to take it away and delete it."};

struct ids {
	uint64_t at[100];
	size_t count;
};

static enum err take_id(void *context, const struct row *row)
{
	struct ids *ids = context;

	if (ids->count < sizeof ids->at / sizeof *ids->at)
		ids->at[ids->count++] = row_id(row, 0);
	return ERR_NONE;
}

// Removes what a query of ids finds, however much it is.
static enum err remove_all(struct change_set *set, enum entity_kind kind, const char *sql, struct values values)
{
	struct ids ids;
	enum err err;

	do {
		ids.count = 0;
		err = database_run(set->database, sql, values, (struct row_visitor){take_id, &ids});
		for (size_t i = 0; !err && i < ids.count; i++)
			err = change_set_remove(set, kind, ids.at[i]);
	} while (!err && ids.count > 0);
	return err;
}

static enum err user_remove_check(struct change_set *set, const struct user *user, enum delete_mode mode)
{
	const struct values id = VALUES(value_id(user->entity.id));
	enum err err = last_admin_check(set, user, "deleted");

	if (!err)
		err = obstacle_check(set, &user_has_did, user->entity.id);
	if (!err && mode == DELETE_IF_FREE)
		err = obstacle_check(set, &user_has_token, user->entity.id);
	if (!err)
		err = remove_all(set, ENTITY_TOKEN, "SELECT id FROM tokens WHERE user_id = $1 LIMIT 100", id);
	if (!err)
		err = remove_all(set, ENTITY_SESSION, "SELECT id FROM sessions WHERE user_id = $1 LIMIT 100", id);
	if (!err)
		err = remove_all(set, ENTITY_SELECTION, "SELECT id FROM selections WHERE user_id = $1", id);
	return err;
}

static enum err device_release(struct change_set *set, const struct device *device)
{
	const struct values id = VALUES(value_id(device->entity.id));
	struct ids users;
	enum err err;

	do {
		users.count = 0;
		err = database_run(set->database,
				   "SELECT user_id FROM assignments WHERE device_id = $1 ORDER BY user_id LIMIT 100",
				   id, (struct row_visitor){take_id, &users});
		for (size_t i = 0; !err && i < users.count; i++)
			err = change_set_take_turn(set, users.at[i], device->entity.id);
	} while (!err && users.count > 0);
	if (!err)
		err = remove_all(set, ENTITY_SELECTION, "SELECT id FROM selections WHERE device_id = $1", id);
	return err;
}

static enum err device_remove_check(struct change_set *set, const struct device *device, enum delete_mode mode)
{
	enum err err = ERR_NONE;

	if (mode == DELETE_IF_FREE) {
		err = obstacle_check(set, &device_is_assigned, device->entity.id);
		if (!err)
			err = obstacle_check(set, &device_is_selected, device->entity.id);
	}
	return err ? err : device_release(set, device);
}

enum err rules_remove(struct change_set *set, const struct entity *before, enum delete_mode mode)
{
	enum err err;

	switch (before->kind) {
	case ENTITY_USER:
		return user_remove_check(set, (const struct user *)before, mode);
	case ENTITY_DEVICE:
		return device_remove_check(set, (const struct device *)before, mode);
	case ENTITY_TRUNK:
		err = obstacle_check(set, &trunk_has_route, before->id);
		return err ? err : obstacle_check(set, &trunk_has_did, before->id);
	case ENTITY_ROUTE:
	case ENTITY_DID:
	case ENTITY_SELECTION:
	case ENTITY_SESSION:
	case ENTITY_TOKEN:
	case ENTITY_SITE:
	case ENTITY_KIND_COUNT:
		break;
	}
	return ERR_NONE;
}

enum err rules_expire(struct change_set *set)
{
	const struct values now = VALUES(value_integer(set->now_ms));
	enum err err = remove_all(
	    set, ENTITY_SELECTION,
	    "SELECT id FROM selections WHERE expires_at <> 0 AND expires_at <= $1 ORDER BY id LIMIT 100", now);

	if (!err)
		err = remove_all(set, ENTITY_SESSION,
				 "SELECT id FROM sessions WHERE expires_at <> 0 AND expires_at <= $1 "
				 "ORDER BY expires_at LIMIT 100",
				 now);
	return err;
}

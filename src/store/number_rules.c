// Canonical numbers, one by one as they are written, and all of them when the site's plan changes.
#include "store/number_rules.h"

#include "domain/user.h"
#include "store/did_rules.h"
#include "store/entity_sql.h"
#include "store/rules.h"

#include <stdio.h>

enum err number_rules_plan(struct database *database, struct arena *arena, struct number_plan *plan)
{
	struct entity *site;
	enum err err = entity_read(database, ENTITY_SITE, SITE_ID, arena, &site);

	if (err)
		return err;
	return number_plan_of_site((const struct site *)site, plan) ? ERR_NONE : ERR_INTERNAL;
}

bool number_rules_concern(enum entity_kind kind)
{
	return kind == ENTITY_USER || kind == ENTITY_DEVICE || kind == ENTITY_DID;
}

enum err number_rules_prepare(struct change_set *set, struct entity *entity, struct arena *arena)
{
	if (!number_rules_concern(entity->kind))
		return ERR_NONE;
	if (!set->plan_is_read) {
		enum err err = number_rules_plan(set->database, &set->scratch, &set->plan);
		if (err)
			return err;
		set->plan_is_read = true;
	}
	return rules_prepare(&set->plan, entity, arena, set->problem);
}

// ---- one of a kind

// The first row of a query "id, number".
struct other {
	uint64_t id; // 0: none
	char number[64];
};

static enum err take_other(void *context, const struct row *row)
{
	struct other *other = context;

	if (other->id)
		return ERR_NONE;
	other->id = row_id(row, 0);
	snprintf(other->number, sizeof other->number, "%.*s", STR_ARG(row_text(row, 1)));
	return ERR_NONE;
}

static enum err other_device(struct change_set *set, const struct device *device, struct str canonical,
			     struct other *other)
{
	const struct field *kind = entity_field(&device_type, STR("kind"));

	*other = (struct other){.id = 0};
	return database_run(set->database,
			    "SELECT id, number FROM devices WHERE lower(canonical) = $1 AND kind = $2 AND id <> $3 "
			    "ORDER BY id LIMIT 1",
			    VALUES(value_text(canonical), value_of_field(&device->entity, kind),
				   value_integer((int64_t)device->entity.id)),
			    (struct row_visitor){take_other, other});
}

enum err number_rules_device(struct change_set *set, const struct device *device)
{
	struct other other;
	enum err err;

	if (str_empty(device->canonical))
		return ERR_NONE;
	err = other_device(set, device, device->canonical, &other);
	if (err || !other.id)
		return err;
	if (str_equal(str_of(other.number), device->number))
		return ERR_NONE; // written alike: the field's own rule says so
	if (set->problem)
		set->problem->other_id = other.id;
	return problem_set(set->problem, ERR_NOT_UNIQUE, "number", "%.*s is there already, written \"%s\".",
			   STR_ARG(device->canonical), other.number);
}

// ---- another plan

// A device or a DID whose canonical form changes.
struct renumbered {
	struct renumbered *next;
	const struct entity *before;
	struct entity *after;
};

struct replan {
	struct change_set *set;
	const struct number_plan *plan;
	const char *field; // of the settings, that a refusal names
	struct renumbered *first, **end;
};

static struct str number_of(const struct entity *entity)
{
	return entity->kind == ENTITY_DID ? ((const struct did *)entity)->number
					  : ((const struct device *)entity)->number;
}

static struct str canonical_of(const struct entity *entity)
{
	return entity->kind == ENTITY_DID ? ((const struct did *)entity)->canonical
					  : ((const struct device *)entity)->canonical;
}

static enum err refuse(const struct replan *replan, const struct entity *entity, const struct problem *why)
{
	if (replan->set->problem)
		replan->set->problem->other_id = entity->id;
	return problem_set(replan->set->problem, why->err, replan->field, "Dialled so, the %s %.*s cannot be: %s",
			   entity->kind == ENTITY_DID ? "number" : "device", STR_ARG(number_of(entity)), why->sentence);
}

static enum err number_replan(struct replan *replan, const struct entity *before)
{
	struct arena *arena = &replan->set->scratch;
	struct problem problem = {.err = ERR_NONE};
	struct entity *after = entity_copy(before, arena);
	struct renumbered *renumbered;

	if (!after)
		return ERR_NO_MEMORY;
	enum err err = rules_prepare(replan->plan, after, arena, &problem);
	if (err)
		return problem.err ? refuse(replan, before, &problem) : err;
	if (str_equal(canonical_of(before), canonical_of(after)))
		return ERR_NONE;
	renumbered = arena_alloc(arena, sizeof *renumbered);
	if (!renumbered)
		return ERR_NO_MEMORY;
	*renumbered = (struct renumbered){.before = before, .after = after};
	*replan->end = renumbered;
	replan->end = &renumbered->next;
	return ERR_NONE;
}

struct gathering {
	struct replan *replan;
	enum entity_kind kind;
};

static enum err take_entity(void *context, const struct row *row)
{
	struct gathering *gathering = context;
	struct entity *entity;
	enum err err = entity_from_row(row, gathering->kind, &gathering->replan->set->scratch, &entity);

	return err ? err : number_replan(gathering->replan, entity);
}

static enum err gather(struct replan *replan, enum entity_kind kind)
{
	const struct entity_type *type = entity_type(kind);
	struct gathering gathering = {replan, kind};
	char sql[1024];
	struct writer w = writer_into(sql, sizeof sql - 1);

	writer_text(&w, "SELECT ");
	entity_write_columns(&w, type);
	writer_format(&w, " FROM %s WHERE canonical <> '' ORDER BY id", type->plural);
	if (w.overflow)
		return ERR_INTERNAL;
	sql[w.used] = '\0';
	return database_run(replan->set->database, sql, VALUES_NONE, (struct row_visitor){take_entity, &gathering});
}

// The old forms give way first, so that two may change places.
static enum err old_forms_park(const struct replan *replan)
{
	enum err err = ERR_NONE;

	for (const struct renumbered *each = replan->first; !err && each; each = each->next)
		err = database_run(
		    replan->set->database,
		    each->before->kind == ENTITY_DID
			? "UPDATE dids SET canonical = '~' || id, first_value = -id, last_value = -id WHERE id = $1"
			: "UPDATE devices SET canonical = '~' || id WHERE id = $1",
		    VALUES(value_id(each->before->id)), NO_ROWS);
	return err;
}

static enum err new_form_write(const struct replan *replan, const struct renumbered *each)
{
	struct change_set *set = replan->set;
	struct problem *problem = set->problem, why = {.err = ERR_NONE};
	enum err err;

	set->problem = &why;
	err = each->after->kind == ENTITY_DID ? did_overlap_check(set, (const struct did *)each->after)
					      : number_rules_device(set, (const struct device *)each->after);
	set->problem = problem;
	if (err)
		return why.err ? refuse(replan, each->before, &why) : err;
	return change_set_update(set, each->before, each->after);
}

// Nobody can be called by an extension that leads to the emergency services.
static enum err extensions_check(const struct replan *replan)
{
	struct change_set *set = replan->set;
	struct str codes = replan->plan->emergency, code;
	enum err err = ERR_NONE;

	while (!err && str_take(&codes, ' ', &code)) {
		struct other user = {.id = 0};
		char outside[32];
		snprintf(outside, sizeof outside, "%.*s%.*s", STR_ARG(replan->plan->outside_prefix), STR_ARG(code));
		err = database_run(
		    set->database, "SELECT id, title FROM users WHERE extension = $1 OR extension = $2 LIMIT 1",
		    VALUES(value_text(code), value_text(str_of(outside))), (struct row_visitor){take_other, &user});
		if (!err && user.id) {
			if (set->problem)
				set->problem->other_id = user.id;
			err = problem_set(
			    set->problem, ERR_IN_USE, replan->field,
			    "%.*s would lead to the emergency services, and is the extension of %s; give %s "
			    "another one first.",
			    STR_ARG(code), user.number, user.number);
		}
	}
	return err;
}

// What of the plan differs; the country, when much does.
static const char *field_of_difference(const struct site *before, const struct site *after)
{
	static const char *const names[] = {"country",        "area_code", "international_prefix", "national_prefix",
					    "outside_prefix", "emergency", "short_codes"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!field_equal(&before->entity, &after->entity, entity_field(&site_type, str_of(names[i]))))
			return names[i];
	return names[0];
}

enum err number_rules_replan(struct change_set *set, const struct site *before, const struct site *after)
{
	struct number_plan plan;
	struct replan replan = {.set = set, .plan = &plan, .field = field_of_difference(before, after)};
	enum err err;

	if (number_plan_equal(before, after))
		return ERR_NONE;
	if (!number_plan_of_site(after, &plan))
		return ERR_INVALID_FIELD;
	replan.end = &replan.first;
	err = extensions_check(&replan);
	if (!err)
		err = gather(&replan, ENTITY_DEVICE);
	if (!err)
		err = gather(&replan, ENTITY_DID);
	if (!err)
		err = old_forms_park(&replan);
	for (const struct renumbered *each = replan.first; !err && each; each = each->next)
		err = new_form_write(&replan, each);
	set->plan_is_read = false; // the next one reads what is written now
	return err;
}

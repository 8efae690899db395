// Imports ring plans: a line for each device, in the order in which they ring. The plan of each user in the file is replaced; one
// line with no device takes all devices away.
#include "http/collection.h"
#include "http/csv_import.h"
#include "http/router.h"
#include "http/server.h"

enum plan_column { PLAN_USER, PLAN_STRATEGY, PLAN_DEVICE, PLAN_START, PLAN_RING, PLAN_COLUMN_COUNT };
static const char *const names[PLAN_COLUMN_COUNT] = {"user", "strategy", "device", "start_s", "ring_s"};

struct plan_import {
	struct import import;
	size_t columns[PLAN_COLUMN_COUNT];
	struct planned {
		struct user *before, *user;
		size_t row; // the first
	} * users;
	size_t user_count;
};

static enum err columns_find(struct plan_import *of, struct problem *problem)
{
	for (size_t i = 0; i < of->import.column_count; i++) {
		bool known = false;
		for (int column = 0; column < PLAN_COLUMN_COUNT; column++)
			known |= str_equal(str_of(names[column]), str_of(of->import.columns[i]));
		if (!known)
			return problem_set(problem, ERR_UNKNOWN_FIELD, of->import.columns[i],
					   "There is no column \"%.60s\" here.", of->import.columns[i]);
	}
	for (int column = 0; column < PLAN_COLUMN_COUNT; column++) {
		of->columns[column] = import_column(&of->import, names[column]);
		if (column <= PLAN_DEVICE && column != PLAN_STRATEGY && of->columns[column] == of->import.column_count)
			return problem_set(problem, ERR_MISSING_FIELD, names[column], "The column %s is needed.",
					   names[column]);
	}
	return ERR_NONE;
}

static struct str cell_of(const struct plan_import *of, size_t row, enum plan_column column)
{
	size_t at = of->columns[column];
	return at < of->import.column_count ? of->import.rows[row].cells[at] : STR_NONE;
}

static void refuse(struct plan_import *of, size_t row, enum plan_column column, const char *sentence)
{
	struct problem problem = {0};
	problem_set(&problem, ERR_INVALID_FIELD, names[column], "%s", sentence);
	import_refuse(&of->import, row, names[column], &problem);
}

static enum err find(struct plan_import *of, enum entity_kind kind, struct str label, struct entity **entity)
{
	struct records *records = server_records(of->import.request->server);
	enum err err = records->find(records->context, kind, csv_label_field(kind)->name, label,
				     &of->import.request->arena, entity);
	if (err == ERR_NOT_FOUND)
		*entity = NULL;
	return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

// The user of the row, with an empty plan when it is the first of them. NULL: refused.
static enum err user_find(struct plan_import *of, size_t row, struct planned **planned)
{
	struct arena *arena = &of->import.request->arena;
	struct str extension = cell_of(of, row, PLAN_USER);
	struct entity *entity;
	*planned = NULL;
	for (size_t i = of->user_count; i-- > 0 && !*planned;)
		if (str_equal(of->users[i].before->extension, extension))
			*planned = &of->users[i];
	if (*planned)
		return ERR_NONE;
	enum err err = find(of, ENTITY_USER, extension, &entity);
	if (err)
		return err;
	if (!entity) {
		refuse(of, row, PLAN_USER, "There is no user with this extension.");
		return ERR_NONE;
	}
	*planned = &of->users[of->user_count++];
	**planned = (struct planned){
	    .before = (struct user *)entity, .user = (struct user *)entity_copy(entity, arena), .row = row};
	struct turn_plan *turns = arena_alloc(arena, USER_TURNS_MAX * sizeof *turns);
	if (!(*planned)->user || !turns)
		return ERR_NO_MEMORY;
	(*planned)->user->turns = turns;
	(*planned)->user->turn_count = 0;
	return ERR_NONE;
}

static void number_read(struct plan_import *of, size_t row, enum plan_column column, int64_t min, int64_t *value)
{
	struct str text = cell_of(of, row, column);
	if (!str_empty(text) && !str_to_int(text, min, RING_S_MAX, value))
		refuse(of, row, column,
		       column == PLAN_START ? "start_s is 0 to 600 seconds." : "ring_s is 1 to 600 seconds.");
}

static enum err row_read(struct plan_import *of, size_t row)
{
	struct planned *planned;
	struct turn_plan turn = {.ring_s = RING_S_DEFAULT};
	struct str strategy = cell_of(of, row, PLAN_STRATEGY), number = cell_of(of, row, PLAN_DEVICE);
	struct entity *device = NULL;
	enum err err = user_find(of, row, &planned);
	if (err || !planned)
		return err;
	if (!str_empty(strategy) && !field_from_text(&planned->user->entity, entity_field(&user_type, STR("strategy")),
						     strategy, &of->import.request->arena))
		refuse(of, row, PLAN_STRATEGY, "strategy is at_once or in_sequence.");
	if (str_empty(number))
		return ERR_NONE;
	err = find(of, ENTITY_DEVICE, number, &device);
	if (err)
		return err;
	if (!device) {
		refuse(of, row, PLAN_DEVICE, "There is no device with this number.");
		return ERR_NONE;
	}
	if (planned->user->turn_count == USER_TURNS_MAX) {
		refuse(of, row, PLAN_DEVICE, "A ring plan has at most 20 devices.");
		return ERR_NONE;
	}
	number_read(of, row, PLAN_START, 0, &turn.start_s);
	number_read(of, row, PLAN_RING, 1, &turn.ring_s);
	turn.device_id = device->id;
	planned->user->turns[planned->user->turn_count++] = turn;
	return ERR_NONE;
}

static bool same_plan(const struct user *a, const struct user *b)
{
	if (a->strategy != b->strategy || a->turn_count != b->turn_count)
		return false;
	for (size_t i = 0; i < a->turn_count; i++)
		if (a->turns[i].device_id != b->turns[i].device_id || a->turns[i].start_s != b->turns[i].start_s ||
		    a->turns[i].ring_s != b->turns[i].ring_s)
			return false;
	return true;
}

static void plans_write(struct plan_import *of)
{
	for (size_t i = 0; i < of->user_count; i++) {
		struct planned *planned = &of->users[i];
		struct problem problem = {0};
		if (same_plan(planned->before, planned->user)) {
			of->import.unchanged++;
		} else if (entity_check(&planned->user->entity, &problem)) {
			import_refuse(&of->import, planned->row, "device", &problem);
		} else {
			of->import.updated++;
			import_write(&of->import, planned->row, WRITE_UPDATE, &planned->user->entity);
		}
	}
}

struct answer csv_import_plans(struct request *request)
{
	struct plan_import of = {.user_count = 0};
	struct problem problem = {0};
	struct answer answer;
	if (!import_begin(&of.import, request, &answer))
		goto out;
	of.users = arena_alloc(&request->arena, (of.import.row_count + 1) * sizeof *of.users);
	enum err err = of.users ? columns_find(&of, &problem) : ERR_NO_MEMORY;
	for (size_t row = 0; !err && row < of.import.row_count; row++)
		if (of.import.rows[row].cells)
			err = row_read(&of, row);
	if (!err)
		plans_write(&of);
	answer = problem.err ? answer_problem(request, &problem)
		 : err       ? answer_err(request, err)
			     : import_finish(&of.import);
out:
	import_end(&of.import);
	return answer;
}

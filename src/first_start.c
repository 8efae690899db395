// Fills an empty store: the first administrator, and on request the example that the documentation speaks of.
#include "first_start.h"

#include "domain/device.h"
#include "domain/trunk.h"
#include "domain/user.h"
#include "http/http.h"
#include "http/passwords.h"

#include <stdio.h>
#include <string.h>

enum { PASSWORD_LENGTH = 20 };

bool first_start_is_due(const struct first_start *start)
{
	struct arena arena;
	struct entity_page page = {0};
	struct list_query query = {.limit = 1};

	arena_init(&arena, 0);
	enum err err = start->records->list(start->records->context, ENTITY_USER, &query, &arena, &page);
	arena_free(&arena);
	return err == ERR_NONE && page.count == 0;
}

static enum err create(const struct first_start *start, void *entity, struct problem *problem)
{
	enum err err = entity_check(entity, problem);

	return err ? err : start->records->create(start->records->context, entity, problem);
}

enum err first_start_administrator(const struct first_start *start, struct problem *problem)
{
	char password[PASSWORD_LENGTH + 1], hash[256];
	struct arena arena;
	enum err err;

	arena_init(&arena, 0);
	struct user *user = (struct user *)entity_new(ENTITY_USER, &arena);
	if (!user || !password_generate(password, PASSWORD_LENGTH) ||
	    !http_password_hash(str_of(password), hash, sizeof hash)) {
		err = problem_set(problem, ERR_NO_MEMORY, "", NULL);
		goto out;
	}
	user->name = STR("admin");
	user->title = STR("Administrator");
	user->role = ROLE_ADMIN;
	user->extension = STR("100");
	user->password_hash = str_of(hash);
	user->password_change_due = true;
	err = create(start, user, problem);
	if (!err)
		printf("First administrator: name admin, password %s (must be changed at the first sign-in)\n",
		       password);
out:
	explicit_bzero(password, sizeof password);
	arena_free(&arena);
	return err;
}

static enum err device_create(const struct first_start *start, const struct device *like, struct arena *arena,
			      struct problem *problem, uint64_t *id)
{
	char password[PASSWORD_LENGTH + 1];
	struct device *device = (struct device *)entity_new(ENTITY_DEVICE, arena);

	if (!device || !password_generate(password, PASSWORD_LENGTH))
		return problem_set(problem, ERR_NO_MEMORY, "", NULL);
	device->device_kind = like->device_kind;
	device->number = like->number;
	device->title = like->title;
	if (device_kind_registers(like->device_kind) &&
	    !device_set_password(device, start->realm, str_of(password), arena))
		return problem_set(problem, ERR_NO_MEMORY, "", NULL);
	enum err err = create(start, device, problem);
	if (!err && device_kind_registers(like->device_kind))
		printf("Example device: SIP user %.*s, password %s\n", STR_ARG(device->number), password);
	explicit_bzero(password, sizeof password);
	*id = device->entity.id;
	return err;
}

static enum err user_create(const struct first_start *start, const struct user *like, struct arena *arena,
			    struct problem *problem)
{
	struct user *user = (struct user *)entity_new(ENTITY_USER, arena);

	if (!user)
		return problem_set(problem, ERR_NO_MEMORY, "", NULL);
	user->name = like->name;
	user->title = like->title;
	user->role = ROLE_AGENT;
	user->extension = like->extension;
	user->turns = like->turns;
	user->turn_count = like->turn_count;
	user->toll_class = 1; // a colleague's mobile in the same country is a national call
	return create(start, user, problem);
}

static enum err trunk_create(const struct first_start *start, struct arena *arena, struct problem *problem)
{
	struct trunk *trunk = (struct trunk *)entity_new(ENTITY_TRUNK, arena);
	struct route *route = (struct route *)entity_new(ENTITY_ROUTE, arena);

	if (!trunk || !route)
		return problem_set(problem, ERR_NO_MEMORY, "", NULL);
	trunk->title = STR("Example carrier");
	trunk->host = STR("127.0.0.9");
	trunk->enabled = true;
	enum err err = create(start, trunk, problem);
	if (err)
		return err;
	route->trunk_id = trunk->entity.id;
	return create(start, route, problem);
}

enum err first_start_example(const struct first_start *start, struct problem *problem)
{
	static const struct device devices[] = {
	    {.device_kind = DEVICE_SIP_PHONE, .number = {"330", 3}, .title = {"Jane's desk", 11}},
	    {.device_kind = DEVICE_SOFTPHONE, .number = {"821", 3}, .title = {"Jane's softphone", 16}},
	    {.device_kind = DEVICE_EXTERNAL, .number = {"01444 123456", 12}, .title = {"Jane's mobile", 13}},
	    {.device_kind = DEVICE_SOFTPHONE, .number = {"822", 3}, .title = {"Bob's softphone", 15}},
	};
	struct turn_plan turns[4] = {{0}};
	struct arena arena;
	enum err err;

	arena_init(&arena, 0);
	err = trunk_create(start, &arena, problem);
	for (size_t i = 0; i < 4 && !err; i++) {
		turns[i].ring_s = RING_S_DEFAULT;
		err = device_create(start, &devices[i], &arena, problem, &turns[i].device_id);
	}
	if (!err) {
		struct user jane = {.name = STR("jane"),
				    .title = STR("Jane Doe"),
				    .extension = STR("510"),
				    .turns = turns,
				    .turn_count = 3};
		err = user_create(start, &jane, &arena, problem);
	}
	if (!err) {
		struct user bob = {.name = STR("bob"),
				   .title = STR("Bob Roe"),
				   .extension = STR("512"),
				   .turns = &turns[3],
				   .turn_count = 1};
		err = user_create(start, &bob, &arena, problem);
	}
	arena_free(&arena);
	return err;
}

// That an external number belongs to somebody: said by an administrator, or taken back. Who says so stands in the device and, with
// the request's own actor, in the audit log.
#include "domain/device.h"
#include "http/answer.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

static struct answer verification_write(struct request *request, const struct verification *verification)
{
	struct records *records = server_records(request->server);
	struct problem problem = {0};
	struct entity *entity;
	enum err err = collection_find(request, &entity);
	if (!err)
		err = collection_match(request, entity->version);
	if (!err && ((struct device *)entity)->device_kind != DEVICE_EXTERNAL)
		err = problem_set(&problem, ERR_NOT_ALLOWED, NULL, "Only external numbers are verified.");
	if (!err) {
		device_verify((struct device *)entity, verification);
		err = entity_check(entity, &problem);
	}
	if (!err)
		err = records->update(records->context, entity, &problem);
	if (err == ERR_STALE)
		return answer_stale(request, ENTITY_DEVICE, request_id(request));
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	return collection_show(request, 200, entity, NULL);
}

struct answer verification_give(struct request *request)
{
	static const char *const names[] = {"by", NULL};
	struct problem_list problems = {.count = 0};
	struct verification verification = {
	    .how = VERIFIED_BY_ADMINISTRATOR, .by = request->identity.user->title, .at = request_now_ms(request)};
	const json_t *by = json_object_get(request->json, "by");
	body_only(request->json, names, &problems);
	if (by && !json_is_string(by))
		problem_set(problem_list_next(&problems), ERR_INVALID_FIELD, "by", "by must be text.");
	else if (by && json_string_length(by) > 0)
		verification.by = (struct str){json_string_value(by), json_string_length(by)};
	if (problems.count)
		return answer_problems(request, &problems);
	return verification_write(request, &verification);
}

struct answer verification_take_back(struct request *request)
{
	return verification_write(request, &(struct verification){.how = VERIFIED_NOT});
}

// What devices have beside their fields: the SIP password, made here, shown once, kept only as hashes.
#include "domain/device.h"
#include "http/body.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

enum { SIP_PASSWORD_LENGTH = 20 };

static enum err sip_password_make(struct request *request, struct device *device, char *password)
{
	if (!password_generate(password, SIP_PASSWORD_LENGTH))
		return ERR_INTERNAL;
	struct str realm = server_settings(request->server)->realm;
	return device_set_password(device, realm, str_of(password), &request->arena) ? ERR_NONE : ERR_NO_MEMORY;
}

static void device_prepare(struct change *change)
{
	struct device *device = (struct device *)change->entity;
	if (change->before || change->problems.count || !device_kind_registers(device->device_kind))
		return;
	enum err err = sip_password_make(change->request, device, change->secret);
	if (err)
		problem_set(problem_list_next(&change->problems), err, NULL, NULL);
}

const struct resource device_resource = {
    .secret = "sip_password",
    .prepare = device_prepare,
};

struct answer device_password_create(struct request *request)
{
	static const char *const names[] = {NULL};
	struct records *records = server_records(request->server);
	struct problem_list problems = {.count = 0};
	struct problem problem = {0};
	struct entity *entity;
	char password[SIP_PASSWORD_LENGTH + 1];
	body_only(request->json, names, &problems);
	if (problems.count)
		return answer_problems(request, &problems);
	enum err err = collection_find(request, &entity);
	if (!err)
		err = collection_match(request, entity->version);
	if (!err && !device_kind_registers(((struct device *)entity)->device_kind))
		err = problem_set(&problem, ERR_NOT_ALLOWED, NULL,
				  "This kind of device does not sign in, so it has no password.");
	if (!err)
		err = sip_password_make(request, (struct device *)entity, password);
	if (!err)
		err = records->update(records->context, entity, &problem);
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	return collection_show(request, 200, entity, password);
}

// The site's settings: one entity without a list.
#include "http/site.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

enum err site_read(struct request *request, const struct site **site)
{
	struct records *records = server_records(request->server);
	struct entity *entity;
	enum err err = records->get(records->context, ENTITY_SITE, SITE_ID, &request->arena, &entity);
	if (!err)
		*site = (const struct site *)entity;
	return err;
}

enum err site_plan(struct request *request, struct number_plan *plan)
{
	const struct site *site;
	enum err err = site_read(request, &site);
	if (err)
		return err;
	return number_plan_of_site(site, plan) ? ERR_NONE : ERR_INTERNAL;
}

struct answer settings_get(struct request *request)
{
	request->id = STR("1");
	return collection_get(request);
}

struct answer settings_replace(struct request *request)
{
	request->id = STR("1");
	return collection_replace(request);
}

struct answer settings_change(struct request *request)
{
	request->id = STR("1");
	return collection_change(request);
}

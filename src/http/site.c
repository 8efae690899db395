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

enum { SEARCHED_DIGITS_MIN = 7 }; // fewer may be the beginning of many

enum err site_search(struct request *request, struct str *q)
{
	struct number_plan plan;
	struct number number;
	size_t digits = 0;
	for (size_t i = 0; i < q->length; i++)
		digits += q->at[i] >= '0' && q->at[i] <= '9';
	if (digits < SEARCHED_DIGITS_MIN || q->length > 2 * NUMBER_MAX)
		return ERR_NONE;
	enum err err = site_plan(request, &plan);
	if (err || number_parse(&plan, *q, &number, NULL))
		return err;
	*q = arena_copy(&request->arena, str_of(number.canonical));
	return q->at ? ERR_NONE : ERR_NO_MEMORY;
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

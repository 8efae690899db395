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

// A secret goes to no other server than the one that it was said for: whoever changes where it goes says it again.
static void site_prepare(struct change *change)
{
	const struct site *site = (const struct site *)change->entity, *before = (const struct site *)change->before;

	if (!before || str_empty(before->graph_client_secret) || str_empty(site->graph_client_secret) ||
	    json_object_get(change->request->json, "graph_client_secret"))
		return;
	if (str_equal(before->graph_login_url, site->graph_login_url) &&
	    str_equal(before->graph_url, site->graph_url) && str_equal(before->graph_tenant, site->graph_tenant) &&
	    str_equal(before->graph_client_id, site->graph_client_id))
		return;
	problem_set(problem_list_next(&change->problems), ERR_MISSING_FIELD, "graph_client_secret",
		    "With another address, tenant or client id the secret must be said again.");
}

static bool site_show(const struct entity *entity, json_t *object)
{
	const struct site *site = (const struct site *)entity;

	return json_put(object, "graph_client_secret_is_set", json_boolean(!str_empty(site->graph_client_secret)));
}

static const char *const extras[] = {"graph_client_secret_is_set", NULL}; // what was read may be sent back

const struct resource site_resource = {.extras = extras, .prepare = site_prepare, .show = site_show};

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

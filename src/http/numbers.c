// How a number will be read and dialled, before anything is saved.
#include "domain/directory.h"
#include "domain/trunk_number.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"
#include "http/site.h"

enum { ROUTES_SHOWN_MAX = 8 };

struct number_question {
	struct question question;
	struct number number;
	struct route_copy {
		uint64_t trunk_id, route_id;
		struct str trunk, pattern, sent;
		int64_t toll_class;
		bool enabled;
	} routes[ROUTES_SHOWN_MAX];
	size_t route_count;
	uint64_t did_user_id; // whose DID the number is; 0 = nobody's
	struct str did_title, did_extension;
	bool listed;                // a code that the site knows by itself
	uint64_t extension_user_id; // whose extension the digits are, too; 0 = nobody's
	struct str extension_title;
	bool no_memory;
};

static bool route_copy(struct number_question *asked, const struct route *route, struct route_copy *copy)
{
	struct arena *arena = &asked->question.arena;
	const struct trunk *trunk = directory_trunk(asked->question.directory, route->trunk_id);
	char room[ROUTE_NUMBER_MAX];
	struct str canonical = str_of(asked->number.canonical), sent = STR_NONE;
	if (trunk)
		sent = trunk_number(directory_plan(asked->question.directory), trunk, route,
				    asked->number.class_ == NUMBER_EMERGENCY, canonical, room);
	*copy = (struct route_copy){
	    .trunk_id = route->trunk_id,
	    .route_id = route->entity.id,
	    .trunk = arena_copy(arena, trunk ? trunk->title : STR_NONE),
	    .pattern = arena_copy(arena, route->pattern),
	    .sent = arena_copy(arena, sent),
	    .toll_class = route->toll_class,
	    .enabled = trunk && trunk->enabled,
	};
	return copy->trunk.at && copy->pattern.at && copy->sent.at;
}

// The same digits may be somebody's extension: inside, that is who is called, unless it is an emergency.
static void extension_find(struct number_question *asked)
{
	const struct user *user =
	    directory_user_by_extension(asked->question.directory, str_of(asked->number.canonical));
	if (!user)
		return;
	asked->extension_user_id = user->entity.id;
	asked->extension_title = arena_copy(&asked->question.arena, user->title);
	asked->no_memory |= !asked->extension_title.at;
}

static void number_answer(struct question *question)
{
	struct number_question *asked = container_of(question, struct number_question, question);
	const struct route *routes[ROUTES_SHOWN_MAX];
	const struct did *did = directory_did(question->directory, str_of(asked->number.canonical), 0);
	const struct user *user = did ? directory_user(question->directory, did->user_id) : NULL;
	extension_find(asked);
	asked->route_count =
	    directory_routes(question->directory, str_of(asked->number.canonical), routes, ROUTES_SHOWN_MAX);
	for (size_t i = 0; i < asked->route_count; i++)
		asked->no_memory |= !route_copy(asked, routes[i], &asked->routes[i]);
	if (!user)
		return;
	asked->did_user_id = user->entity.id;
	asked->did_title = arena_copy(&question->arena, user->title);
	asked->did_extension = arena_copy(&question->arena, user->extension);
	asked->no_memory |= !asked->did_title.at || !asked->did_extension.at;
}

static json_t *routes_show(const struct number_question *asked)
{
	json_t *routes = json_array();
	for (size_t i = 0; i < asked->route_count; i++) {
		const struct route_copy *route = &asked->routes[i];
		json_t *object = json_object();
		bool built = json_put(object, "route_id", json_id(route->route_id)) &&
			     json_put(object, "trunk_id", json_id(route->trunk_id)) &&
			     json_put(object, "trunk", json_text(route->trunk)) &&
			     json_put(object, "enabled", json_boolean(route->enabled)) &&
			     json_put(object, "pattern", json_text(route->pattern)) &&
			     json_put(object, "sent", json_text(route->sent)) &&
			     json_put(object, "toll_class", json_integer(route->toll_class));
		if (!built) {
			json_decref(object);
			object = NULL;
		}
		if (json_array_append_new(routes, object) != 0) {
			json_decref(routes);
			return NULL;
		}
	}
	return routes;
}

static json_t *did_show(const struct number_question *asked)
{
	if (!asked->did_user_id)
		return json_null();
	json_t *object = json_object();
	if (json_put(object, "user_id", json_id(asked->did_user_id)) &&
	    json_put(object, "title", json_text(asked->did_title)) &&
	    json_put(object, "extension", json_text(asked->did_extension)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *extension_show(const struct number_question *asked)
{
	if (!asked->extension_user_id)
		return json_null();
	json_t *object = json_object();
	if (json_put(object, "user_id", json_id(asked->extension_user_id)) &&
	    json_put(object, "title", json_text(asked->extension_title)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *spelt(const struct number *number, enum number_spelling spelling)
{
	char room[96];
	struct writer w = writer_into(room, sizeof room);
	number_spell(number, spelling, &w);
	return json_text(writer_result(&w));
}

static json_t *country_show(const struct number *number)
{
	const struct number_region *region = number->region;
	return region && region->country[0] ? json_string(region->country) : json_null();
}

static json_t *country_name_show(const struct number *number)
{
	return number->region ? json_string(number_region_name(number->region)) : json_null();
}

static bool number_put(json_t *body, const struct number_question *asked)
{
	const struct number *number = &asked->number;
	return json_put(body, "canonical", json_text(str_of(number->canonical))) &&
	       json_put(body, "class", json_string(number_class_names[number->class_])) &&
	       json_put(body, "type", json_string(number_type_names[number->type])) &&
	       json_put(body, "country", country_show(number)) &&
	       json_put(body, "country_name", country_name_show(number)) &&
	       json_put(body, "international", spelt(number, NUMBER_SPELT_INTERNATIONAL)) &&
	       json_put(body, "national", spelt(number, NUMBER_SPELT_NATIONAL)) &&
	       json_put(body, "listed", json_boolean(asked->listed)) &&
	       json_put(body, "extension", extension_show(asked));
}

static struct answer number_show(struct request *request, struct str typed, const struct number_question *asked)
{
	json_t *body = json_object();
	bool built = json_put(body, "number", json_text(typed)) && number_put(body, asked) &&
		     json_put(body, "routes", routes_show(asked)) && json_put(body, "did", did_show(asked));
	if (!built) {
		json_decref(body);
		body = NULL;
	}
	return answer_json(request, 200, body);
}

struct answer number_explain(struct request *request)
{
	struct problem problem = {0};
	struct str typed = STR_NONE;
	struct number number;
	struct number_plan plan;
	bool given = request_parameter(request, "number", &typed);
	enum err err = request_parameters_done(request, &problem);
	if (!err && (!given || str_empty(typed)))
		err = problem_set(&problem, ERR_MISSING_FIELD, "number", "Say which number.");
	if (!err && typed.length > 40)
		err = problem_set(&problem, ERR_INVALID_FIELD, "number", "A number has at most 40 characters.");
	if (!err)
		err = site_plan(request, &plan);
	if (!err) {
		err = number_parse(&plan, typed, &number, &problem);
		if (err && problem.err && !problem.field[0])
			str_to_cstring(STR("number"), problem.field, sizeof problem.field);
	}
	if (err)
		return problem.err ? answer_problem(request, &problem) : answer_err(request, err);
	struct number_question *asked = question_new(server_call_line(request->server), sizeof *asked, number_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	asked->number = number;
	asked->listed = number.class_ == NUMBER_EMERGENCY || number_is_short(&plan, str_of(number.canonical));
	err = question_ask(&asked->question);
	if (!err && asked->no_memory)
		err = ERR_NO_MEMORY;
	struct answer answer = err ? answer_err(request, err) : number_show(request, typed, asked);
	question_free(&asked->question);
	return answer;
}

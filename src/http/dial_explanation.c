// What would happen if a number were dialled, or a trunk brought a call for it.
#include "domain/dial_explanation.h"

#include "http/answer.h"
#include "http/router.h"
#include "http/server.h"
#include "http/trunk_state.h"

struct dial_asked {
	struct question question;
	const struct http_settings *settings;
	struct dial_question dial;
	struct dial_explanation explanation;
	enum trunk_service services[ROUTES_MAX]; // of the routes' trunks
	enum err err;
};

static const char *const shown_features[FEATURE_COUNT] = {
#define FEATURE(name, key, ...) key,
#include "domain/feature_codes.def"
#undef FEATURE
};

static json_t *steps_show(const struct dial_explanation *explanation)
{
	json_t *steps = json_array();
	for (size_t i = 0; i < explanation->step_count; i++) {
		const struct dial_step *step = &explanation->steps[i];
		json_t *object = json_object();
		bool built = json_put(object, "step", json_string(dial_step_names[step->kind])) &&
			     json_put(object, "holds", json_boolean(step->holds)) &&
			     json_put(object, "sentence", json_text(step->sentence));
		if (!built || json_array_append(steps, object) != 0) {
			json_decref(object);
			json_decref(steps);
			return NULL;
		}
		json_decref(object);
	}
	return steps;
}

static json_t *way_show(const struct dial_route *way, enum trunk_service service, bool *taken)
{
	json_t *object = json_object();
	const struct trunk_brief trunk = {way->trunk_id, way->trunk, way->enabled, service};
	bool down = !way->why_not && service == TRUNK_OUT_OF_SERVICE;
	enum err why_not = down ? ERR_TRUNK_DOWN : way->why_not;
	bool goes = !why_not && !*taken;
	*taken = *taken || goes;
	if (json_put(object, "trunk", trunk_brief_to_json(&trunk)) &&
	    json_put(object, "route_id", json_id(way->route_id)) &&
	    json_put(object, "pattern", json_text(way->pattern)) && json_put(object, "cost", json_integer(way->cost)) &&
	    json_put(object, "toll_class_needed", json_integer(way->toll.needed)) &&
	    json_put(object, "toll_class_held", json_integer(way->toll.held)) &&
	    json_put(object, "taken", json_boolean(goes)) &&
	    json_put(object, "code", why_not ? json_string(err_name(why_not)) : json_null()) &&
	    json_put(object, "sentence", down ? json_string(err_sentence(why_not)) : json_text(way->sentence)) &&
	    json_put(object, "sent", json_text(way->sent)) &&
	    json_put(object, "caller_number", json_text(way->caller_number)) &&
	    json_put(object, "caller_number_reason", json_string(shown_reason_names[way->shown_reason])) &&
	    json_put(object, "caller_number_sentence", json_string(shown_reason_sentence(way->shown_reason))) &&
	    json_put(object, "anonymous", json_boolean(way->anonymous)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *ways_show(const struct dial_asked *asked, bool *taken)
{
	json_t *routes = json_array();
	for (size_t i = 0; i < asked->explanation.route_count; i++) {
		json_t *way = way_show(&asked->explanation.routes[i], asked->services[i], taken);
		if (json_array_append_new(routes, way) != 0) {
			json_decref(routes);
			return NULL;
		}
	}
	return routes;
}

static json_t *user_show(const struct dial_explanation *explanation)
{
	if (!explanation->user_id)
		return json_null();
	json_t *object = json_object();
	if (json_put(object, "id", json_id(explanation->user_id)) &&
	    json_put(object, "title", json_text(explanation->user_title)) &&
	    json_put(object, "extension", json_text(explanation->user_extension)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *did_show(const struct dial_explanation *explanation)
{
	if (!explanation->did_id)
		return json_null();
	json_t *object = json_object();
	if (json_put(object, "id", json_id(explanation->did_id)) &&
	    json_put(object, "canonical", json_text(explanation->did)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *explanation_show(const struct dial_asked *asked)
{
	const struct dial_explanation *explanation = &asked->explanation;
	bool known = !str_empty(explanation->canonical), taken = false;
	enum feature feature = explanation->feature;
	json_t *body = json_object();
	bool built =
	    json_put(body, "steps", steps_show(explanation)) && json_put(body, "routes", ways_show(asked, &taken));
	enum dial_result result = explanation->result;
	enum err refused = explanation->refused;
	if (result == DIAL_OUTSIDE && !taken) {
		result = DIAL_REFUSED;
		refused = ERR_TRUNK_DOWN;
	}
	if (built && json_put(body, "number", json_text(asked->dial.number)) &&
	    json_put(body, "canonical", known ? json_text(explanation->canonical) : json_null()) &&
	    json_put(body, "class", known ? json_string(number_class_names[explanation->class_]) : json_null()) &&
	    json_put(body, "result", json_string(dial_result_names[result])) &&
	    json_put(body, "code", refused ? json_string(err_name(refused)) : json_null()) &&
	    json_put(body, "sentence", refused ? json_string(err_sentence(refused)) : json_null()) &&
	    json_put(body, "sip_status", refused ? json_integer((json_int_t)err_sip_status(refused)) : json_null()) &&
	    json_put(body, "emergency", json_boolean(explanation->emergency)) &&
	    json_put(body, "feature", feature < FEATURE_NONE ? json_string(shown_features[feature]) : json_null()) &&
	    json_put(body, "caller_number", json_text(explanation->caller_number)) &&
	    json_put(body, "caller_name", json_text(explanation->caller_name)) &&
	    json_put(body, "user", user_show(explanation)) && json_put(body, "did", did_show(explanation)))
		return body;
	json_decref(body);
	return NULL;
}

static void dial_answer(struct question *question)
{
	struct dial_asked *asked = container_of(question, struct dial_asked, question);
	const struct dial_explanation *explanation = &asked->explanation;
	asked->err = call_table_explain_dial(question->calls, &asked->dial, &question->arena, &asked->explanation);
	for (size_t i = 0; !asked->err && i < explanation->route_count; i++)
		asked->services[i] = trunk_service_of(asked->settings, explanation->routes[i].trunk_id);
}

// ---- what is asked

static enum err parameters_read(struct request *request, struct dial_question *dial, struct problem *problem)
{
	struct str trunk = STR_NONE;
	request_parameter(request, "number", &dial->number);
	request_parameter(request, "as", &dial->as);
	bool from_trunk = request_parameter(request, "from_trunk", &trunk);
	request_parameter(request, "caller", &dial->caller);
	enum err err = request_parameters_done(request, problem);
	if (err)
		return err;
	if (str_empty(dial->number))
		return problem_set(problem, ERR_MISSING_FIELD, "number", "Say which number.");
	if (dial->number.length > 64)
		return problem_set(problem, ERR_INVALID_FIELD, "number", "A number has at most 64 characters.");
	if (from_trunk == !str_empty(dial->as))
		return problem_set(
		    problem, ERR_MISSING_FIELD, "as",
		    "Say who dials: `as`, an extension, or `from_trunk`, the trunk that brings the call.");
	if (dial->caller.length > 64 || (!from_trunk && !str_empty(dial->caller)))
		return problem_set(problem, ERR_INVALID_FIELD, "caller",
				   "A caller's number of at most 64 characters comes with a trunk.");
	if (from_trunk && !str_to_uint(trunk, INT64_MAX, &dial->from_trunk))
		return problem_set(problem, ERR_INVALID_FIELD, "from_trunk", "There is no trunk with this id.");
	return ERR_NONE;
}

static enum err refusal(const struct dial_asked *asked, struct problem *problem)
{
	if (asked->err == ERR_UNKNOWN_NUMBER)
		return problem_set(problem, ERR_INVALID_FIELD, "as", "Nobody has the extension %.*s.",
				   STR_ARG(str_first(asked->dial.as, 20)));
	if (asked->err == ERR_NOT_FOUND)
		return problem_set(problem, ERR_INVALID_FIELD, "from_trunk", "There is no trunk with this id.");
	return asked->err ? problem_set(problem, asked->err, NULL, NULL) : ERR_NONE;
}

static bool dial_keep(struct dial_asked *asked, const struct dial_question *dial)
{
	struct arena *arena = &asked->question.arena;
	asked->dial = (struct dial_question){.number = arena_copy(arena, dial->number),
					     .as = arena_copy(arena, dial->as),
					     .from_trunk = dial->from_trunk,
					     .caller = arena_copy(arena, dial->caller)};
	return asked->dial.number.at && asked->dial.as.at && asked->dial.caller.at;
}

struct answer dial_explain(struct request *request)
{
	struct dial_question dial = {.number = STR_NONE};
	struct problem problem = {0};
	if (parameters_read(request, &dial, &problem))
		return answer_problem(request, &problem);
	struct dial_asked *asked = question_new(server_call_line(request->server), sizeof *asked, dial_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	asked->settings = server_settings(request->server);
	enum err err = dial_keep(asked, &dial) ? question_ask(&asked->question) : ERR_NO_MEMORY;
	struct answer answer = err                        ? answer_err(request, err)
			       : refusal(asked, &problem) ? answer_problem(request, &problem)
							  : answer_json(request, 200, explanation_show(asked));
	question_free(&asked->question);
	return answer;
}

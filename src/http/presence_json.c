// Presence: of one device, and how asking for it goes.
#include "http/presence_json.h"
#include "http/router.h"
#include "http/server.h"

json_t *presence_to_json(struct teams_presence *presence, uint64_t device_id)
{
	struct device_presence known;
	if (!teams_presence_of(presence, device_id, &known))
		return json_null();
	json_t *object = json_object();
	if (json_put(object, "availability", json_string(availability_names[known.availability])) &&
	    json_put(object, "activity", known.activity[0] ? json_string(known.activity) : json_null()) &&
	    json_put(object, "at", json_time(known.at)))
		return object;
	json_decref(object);
	return NULL;
}

struct answer teams_presence_get(struct request *request)
{
	struct teams_presence_view view;
	struct problem problem = {0};
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	teams_presence_look(server_teams_presence(request->server), &view);
	json_t *object = json_object();
	if (json_put(object, "state", json_string(teams_presence_state_names[view.state])) &&
	    json_put(object, "sentence", json_text(str_of(view.sentence))) &&
	    json_put(object, "users", json_integer((json_int_t)view.users)) &&
	    json_put(object, "known", json_integer((json_int_t)view.known)) &&
	    json_put(object, "heard_at", json_time(view.heard_at)) &&
	    json_put(object, "next_at", json_time(view.next_at)))
		return answer_json(request, 200, object);
	json_decref(object);
	return answer_err(request, ERR_NO_MEMORY);
}

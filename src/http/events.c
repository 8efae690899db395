// Listening to events: GET /api/v1/events.
#include "http/answer.h"
#include "http/feed.h"
#include "http/router.h"
#include "http/server.h"

static enum err kinds_read(struct request *request, unsigned *kinds, struct problem *problem)
{
	struct str list, name;
	*kinds = (1u << EVENT_KIND_COUNT) - 1;
	if (!request_parameter(request, "kinds", &list))
		return ERR_NONE;
	*kinds = 0;
	while (str_take(&list, ',', &name)) {
		unsigned kind = 0;
		while (event_kind_names[kind] && !str_equal(name, str_of(event_kind_names[kind])))
			kind++;
		if (!event_kind_names[kind])
			return problem_set(problem, ERR_INVALID_FIELD, "kinds",
					   "Kinds of events are call, device, entity, session, trunk and alarm.");
		*kinds |= 1u << kind;
	}
	return ERR_NONE;
}

struct answer events_listen(struct request *request)
{
	const struct identity *identity = &request->identity;
	struct problem problem = {0};
	struct listener_settings settings = {
	    .user_id = identity->user->entity.id,
	    .session_id = identity->session ? identity->session->entity.id : 0,
	    .token_id = identity->token ? identity->token->entity.id : 0,
	    .role = identity->role,
	    .users_role = identity->user->role,
	    .until_ms = identity->session ? identity->session->expires_at : 0,
	    .last_id = request->headers.last_event_id,
	};
	struct listener *listener;
	if (kinds_read(request, &settings.kinds, &problem) || request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	enum err err = feed_listen(server_feed(request->server), &settings, &listener);
	return err ? answer_err(request, err) : answer_stream(listener);
}

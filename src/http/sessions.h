// Signing in and out, and what ends with a session.
#ifndef HTTP_SESSIONS_H
#define HTTP_SESSIONS_H

#include "http/request.h"

// Ends every session of the user but the one that asks. Errors are logged: the sweeper comes by again.
void sessions_end_others(struct request *request, uint64_t user_id);
// Begins a session for request->identity.user, as the site's settings allow it, and gives the cookie, in the arena.
enum sign_in { SIGNED_IN_BY_PASSWORD, SIGNED_IN_BY_PROVIDER };
enum err session_open(struct request *request, enum sign_in by, struct str *cookie, struct problem *problem);
// Looks once in a while for sessions that nobody uses any more, and ends them. Called once a second.
void sessions_sweep(void *server);
// The user's selection; NOT_FOUND when there is none or it has ended.
enum err selection_find(struct request *request, uint64_t user_id, struct selection **selection);

#endif

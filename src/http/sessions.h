// Signing in and out, and what ends with a session.
#ifndef HTTP_SESSIONS_H
#define HTTP_SESSIONS_H

#include "http/request.h"

// Ends every session of the user but the one that asks. Errors are logged: the sweeper comes by again.
void sessions_end_others(struct request *request, uint64_t user_id);
// The user's selection; NOT_FOUND when there is none or it has ended.
enum err selection_find(struct request *request, uint64_t user_id, struct selection **selection);

#endif

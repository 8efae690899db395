// When each session last asked for something, in memory: a restart counts as activity.
#ifndef HTTP_ACTIVITY_H
#define HTTP_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

struct activity;

struct activity *activity_create(void); // NULL when there is no memory
void activity_destroy(struct activity *activity);
// When the session was last active; a session not heard of yet is from now on. Without memory for that: now.
int64_t activity_of(struct activity *activity, uint64_t session_id, int64_t now_ms);
void activity_note(struct activity *activity, uint64_t session_id, int64_t now_ms);
void activity_forget(struct activity *activity, uint64_t session_id);

#endif

// The presence of a device's Teams user, as the API shows it.
#ifndef HTTP_PRESENCE_JSON_H
#define HTTP_PRESENCE_JSON_H

#include "http/answer.h"
#include "http/teams_presence.h"

// Null: the device has none, or nobody asks for it. NULL when there is no memory.
json_t *presence_to_json(struct teams_presence *presence, uint64_t device_id);

#endif

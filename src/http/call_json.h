// A call as the API shows it, in lists and in events.
#ifndef HTTP_CALL_JSON_H
#define HTTP_CALL_JSON_H

#include "domain/call_table.h"
#include "http/answer.h"

// Whoever only takes part in a call is not shown which devices the other side has.
enum call_view { CALL_WITH_DEVICES, CALL_WITHOUT_DEVICES };

json_t *call_to_json(const struct call_snapshot *call, enum call_view view); // NULL when there is no memory

#endif

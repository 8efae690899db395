// Asks another server over HTTP, by libcurl. Waits, so never on the call thread.
#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H

#include "domain/err.h"

#include <jansson.h>

enum { FETCH_MAX = 256 << 10, FETCH_S = 8 };

struct fetch {
	const char *url;             // https, or http to this very machine
	const char *form;            // POSTed as application/x-www-form-urlencoded; NULL: GET
	const char *user, *password; // HTTP Basic; NULL: none
	long *status;                // set to the answer's; 0: none came. May be NULL
};

// The answer's JSON, an object, owned by the caller; NULL with a sentence when there is none: not reached, not 200, too large.
json_t *fetch_json(const struct fetch *fetch, char *sentence, size_t size);
// Percent-encoded, from malloc; NULL when there is no memory.
char *fetch_escape(struct str text);

#endif

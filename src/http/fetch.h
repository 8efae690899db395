// Asks another server over HTTP, by libcurl. Waits, so never on the call thread.
#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H

#include "domain/err.h"

#include <jansson.h>
#include <stdatomic.h>

enum { FETCH_MAX = 256 << 10, FETCH_S = 8 };

struct fetch {
	const char *url;              // https, or http to this very machine
	const char *form;             // POSTed as application/x-www-form-urlencoded; NULL: GET
	const char *json;             // POSTed as application/json; NULL likewise
	const char *user, *password;  // HTTP Basic; NULL: none
	const char *bearer;           // a token (RFC 6750); NULL: none
	long *status;                 // set to the answer's; 0: none came. May be NULL
	long *retry_after_s;          // likewise: when to come again, as the answer says; 0: it does not
	size_t max;                   // an answer may be so large; 0: FETCH_MAX
	bool refusals;                // what is not 200 is given as well, when it is an object
	struct fetch_line *line;      // connections are kept there; NULL: not at all
	const atomic_bool *abandoned; // once it is true nobody waits for the answer any more; may be NULL
};

// Keeps connections for the requests that one thread makes one after the other. NULL when there is no memory.
struct fetch_line *fetch_line_create(void);
void fetch_line_destroy(struct fetch_line *line);

// The answer's JSON, an object, owned by the caller; NULL with a sentence when there is none: not reached, not 200, too large.
// Whom we speak to must have a certificate of an authority that the system knows, or one of the file that SSL_CERT_FILE names.
json_t *fetch_json(const struct fetch *fetch, char *sentence, size_t size);
// Percent-encoded, from malloc; NULL when there is no memory.
char *fetch_escape(struct str text);

#endif

// Requests to the server, by libcurl. Whatever goes wrong is said on standard error here, in a sentence.
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/str.h"

#include <jansson.h>

struct client;

// The URL and token as given, or else from the environment, or else as `login` left them. NULL: said why.
struct client *client_create(const char *url, const char *token);
void client_destroy(struct client *client);
const char *client_url(const struct client *client);

// The answer's JSON (an empty object when it has none), owned by the caller; NULL when it failed, which has been said.
// `path` begins behind /api/v1/.
json_t *client_call(struct client *client, const char *method, const char *path, const json_t *body);
// The same with text of this type as the body of a POST.
json_t *client_send(struct client *client, const char *path, const char *type, const char *text);
// PUT of bytes of this type.
json_t *client_put(struct client *client, const char *path, const char *type, struct str bytes);
// GET of what is no JSON; owned by the caller, NULL when it failed.
char *client_text(struct client *client, const char *path);
// GET; a 404 is not said but given back as *missing.
json_t *client_find(struct client *client, const char *path, bool *missing);
// All pages of a list, up to `most` items.
json_t *client_list(struct client *client, const char *path, size_t most);
// GET of something that goes on: `take` has each line, terminated, until the server ends it. False: said why.
bool client_stream(struct client *client, const char *path, void (*take)(const char *line));
// Percent-encoded, owned by the caller. Ends the program when there is no memory, as everything here does.
char *client_escape(const char *text);

// From now on requests carry this cookie and CSRF token instead of the token; NULL ends it.
void client_use_session(struct client *client, const char *csrf);

// What login leaves: the path of the file, and its content.
json_t *saved_read(void); // NULL: there is none
bool saved_write(const json_t *content);
void saved_remove(void);

// Never returns NULL.
void *needed(void *memory);

#endif

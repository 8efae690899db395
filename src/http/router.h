// Which handler a request goes to, and who may use it: the table in routes.def.
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/request.h"

enum access { ACCESS_ANYBODY, ACCESS_SELF, ACCESS_PERSON, ACCESS_AGENT, ACCESS_READER, ACCESS_ADMIN };

struct operation {
	enum method method;
	const char *path; // with {id} for one variable piece
	enum access access;
	struct answer (*handler)(struct request *request);
	enum entity_kind kind; // ENTITY_KIND_COUNT = none
	const char *id;
};

extern const struct operation operations[];
extern const size_t operation_count;

// Sets operation and id. NOT_FOUND, or METHOD_NOT_ALLOWED with the methods there are in *allow (in the arena).
enum err operation_find(struct request *request, const char **allow);
// Answers a request from beginning to end: finds the route, who asks and whether they may, reads the body, calls the handler.
void request_answer(struct request *request);

#define ENTITY_NONE                                           ENTITY_KIND_COUNT
#define ROUTE(method, path, access, handler, kind, operation) struct answer handler(struct request *request);
#include "http/routes.def"
#undef ROUTE

#endif

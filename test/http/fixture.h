// A running server on a free port, with a store and a call thread of its own, and people who may sign in.
#ifndef TEST_HTTP_FIXTURE_H
#define TEST_HTTP_FIXTURE_H

#include "domain/user.h"
#include "http/client.h"
#include "http/fake_calls.h"
#include "http/fake_records.h"
#include "http/http.h"
#include "lib/cmocka.h"

#include <pthread.h>

#define PASSWORD "correct horse 1"

// How somebody asks: by cookie, or by token.
struct caller {
	char cookie[128], csrf[64], token[64];
};

struct fixture {
	struct fake_records *records;
	struct http_server *server;
	struct net_address address;
	struct loop *loop;
	struct queue *queue; // to the call thread
	struct directory *directory;
	struct registrations *registrations;
	struct watch *watch;
	struct number_plan plan;
	pthread_t call_thread;
	struct records *store_records; // of a real store; NULL: the fake ones
	struct caller admin;
	uint64_t admin_id, jane_id, bob_id, otto_id; // admin, two agents, an auditor
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

// The next server is created with this many workers and this clock; 0 and NULL: as usual.
extern struct http_settings fixture_settings;

// What the next server works on instead of the fake records. `open` may call fixture_changed only once the server runs.
struct fixture_store {
	struct records *(*open)(struct fixture *f);
	void (*close)(struct fixture *f);
};
extern const struct fixture_store *fixture_store; // NULL: the fake ones
// Tells the call thread's directory of a change, and waits until it has it. `context` is the fixture.
void fixture_changed(void *context, const struct entity *before, const struct entity *after);

struct caller sign_in(struct fixture *f, const char *name, const char *password);
// One request on a connection of its own; `body` NULL: none. With who == NULL nobody asks.
struct reply ask(struct fixture *f, const struct caller *who, const char *method, const char *path, const char *body);
// The same with a further header line "Name: value\r\n".
struct reply ask_with(struct fixture *f, const struct caller *who, const char *request, const char *headers,
		      const char *body);
// Fails the test when the status is another; frees the reply.
void expect(struct reply reply, int status);
// The same, and one of the problem's fields has this name and code.
void expect_field(struct reply reply, int status, const char *name, const char *code);
// Asks for a creation as the administrator and gives the id.
uint64_t create(struct fixture *f, const char *path, const char *body);
const char *text_of(const struct reply *reply, const char *name); // of the JSON; "" when it is not there
struct feed *fixture_feed(struct fixture *f);
void fixture_server_end(struct fixture *f); // before the teardown
// Runs on the call thread; waits.
void on_call_thread(struct fixture *f, void (*work)(void *context), void *context);

#endif

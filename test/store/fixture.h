// A store in a directory of its own, with a thread that stands for the call thread: it runs what is posted to it and writes
// down each committed change it is told of.
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include "domain/device.h"
#include "domain/did.h"
#include "domain/number.h"
#include "domain/registration.h"
#include "domain/session.h"
#include "domain/trunk.h"
#include "domain/user.h"
#include "lib/cmocka.h"
#include "store/store.h"

#include <pthread.h>

struct fixture {
	bool forgets_registrations; // what the next fixture_open asks for
	char directory[64];
	char path[96];
	char url[112];
	struct store *store;
	struct records *records;
	struct queue *call_thread;
	pthread_t thread;
	struct queue_item stop;
	bool stopping;
	pthread_mutex_t mutex; // of told
	char told[4096];       // "device 3 created\n" ...
	struct arena arena;
	struct problem problem; // of the last refusal
};

extern const struct number_plan fixture_plan;

// cmocka's setup and teardown: *state is a struct fixture with an open, empty store.
int fixture_setup(void **state);
int fixture_teardown(void **state);

struct fixture *fixture_create(void);                     // without a store
struct fixture *fixture_create_in(const char *directory); // which exists
bool fixture_open(struct fixture *fixture, char *sentence, size_t size);
void fixture_close(struct fixture *fixture);   // the store alone
void fixture_destroy(struct fixture *fixture); // with the directory's files
// What was told since the last call; valid until the next.
const char *fixture_told(struct fixture *fixture);
// An SQL statement on a connection of its own, by the sqlite3 library directly; gives the first row's first column.
const char *fixture_sql(struct fixture *fixture, const char *sql);
// Integrity and references are whole.
void fixture_check_file(struct fixture *fixture);

// Made in the fixture's arena, not yet written. Texts are borrowed.
struct user *new_user(struct fixture *fixture, const char *name, const char *extension);
struct device *new_device(struct fixture *fixture, enum device_kind kind, const char *number);
struct trunk *new_trunk(struct fixture *fixture, const char *title);
// SIP phones with the ids and numbers 1 to `count`, written past the store: for when there are many.
void phones_make(struct fixture *fixture, unsigned count);
// Creates and expects success; gives the id.
uint64_t created(struct fixture *fixture, struct entity *entity);
// The refusals; fixture->problem has the details.
enum err try_create(struct fixture *fixture, struct entity *entity);
enum err try_update(struct fixture *fixture, struct entity *entity);
enum err try_remove(struct fixture *fixture, const struct entity *entity, enum delete_mode mode);
// As it is in the database now; NULL when it is not there.
void *stored(struct fixture *fixture, enum entity_kind kind, uint64_t id);
void give(struct fixture *fixture, struct user *user, const uint64_t *devices, size_t count);
struct session *new_session(struct fixture *fixture, uint64_t user_id, int64_t expires_at);
struct selection *new_selection(struct fixture *fixture, uint64_t user_id, uint64_t device_id, int64_t expires_at);
int64_t now_ms(void);

// A registration write and waiting for its answer.
struct registration {
	struct registration_write write;
	struct binding binding;
	pthread_mutex_t mutex;
	pthread_cond_t answered;
	bool over;
};
enum err save_and_wait(struct fixture *fixture, struct registration *registration);
enum err binding_save(struct fixture *fixture, struct binding binding);
struct binding new_binding(uint64_t device_id, const char *contact, uint32_t cseq);

#define assert_problem(fixture, name_, field_)                                                                         \
	do {                                                                                                           \
		assert_string_equal(err_name((fixture)->problem.err), name_);                                          \
		assert_string_equal((fixture)->problem.field, field_);                                                 \
	} while (0)

#endif

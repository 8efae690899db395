// A running server for tests.
#include "http/fixture.h"

#include "base/log.h"
#include "domain/directory.h"
#include "domain/registration.h"
#include "http/server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct http_settings fixture_settings;
const struct fixture_store *fixture_store;

// ---- the call thread

struct work {
	struct queue_item item;
	void (*run)(void *context);
	void *context;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool finished;
};

static void work_run(struct queue_item *item)
{
	struct work *work = container_of(item, struct work, item);
	work->run(work->context);
	pthread_mutex_lock(&work->lock);
	work->finished = true;
	pthread_cond_signal(&work->done);
	pthread_mutex_unlock(&work->lock);
}

void on_call_thread(struct fixture *f, void (*run)(void *context), void *context)
{
	struct work work = {.item.run = work_run,
			    .run = run,
			    .context = context,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .done = PTHREAD_COND_INITIALIZER};
	queue_post(f->queue, &work.item);
	pthread_mutex_lock(&work.lock);
	while (!work.finished)
		pthread_cond_wait(&work.done, &work.lock);
	pthread_mutex_unlock(&work.lock);
	pthread_cond_destroy(&work.done);
	pthread_mutex_destroy(&work.lock);
}

static void *call_thread_run(void *context)
{
	loop_run(((struct fixture *)context)->loop);
	return NULL;
}

static void stop(void *context)
{
	loop_stop(context);
}

struct change_told {
	struct fixture *f;
	const struct entity *before, *after;
};

static struct records *records_of(struct fixture *f)
{
	return f->store_records ? f->store_records : fake_records_port(f->records);
}

static void change_apply(void *context)
{
	struct change_told *told = context;
	if (told->after)
		assert(directory_put(told->f->directory, told->after) == ERR_NONE);
	else
		directory_remove(told->f->directory, told->before->kind, told->before->id);
	watch_entity(told->f->watch, told->before, told->after);
}

void fixture_changed(void *context, const struct entity *before, const struct entity *after)
{
	struct change_told told = {context, before, after};
	on_call_thread(context, change_apply, &told);
}

// ---- people

static uint64_t user_add(struct fixture *f, const char *name, const char *extension, enum role role)
{
	static char hash[128];
	struct records *records = records_of(f);
	struct problem problem = {0};
	struct arena arena;
	if (!hash[0])
		assert(http_password_hash(STR(PASSWORD), hash, sizeof hash));
	arena_init(&arena, 0);
	struct user *user = (struct user *)entity_new(ENTITY_USER, &arena);
	user->name = user->title = str_of(name);
	user->extension = str_of(extension);
	user->role = role;
	user->password_hash = str_of(hash);
	assert(records->create(records->context, &user->entity, &problem) == ERR_NONE);
	uint64_t id = user->entity.id;
	arena_free(&arena);
	return id;
}

static void log_nothing(struct str line, void *context)
{
	(void)line;
	(void)context;
}

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->plan = (struct number_plan){.country_code = STR("44"),
				       .international_prefix = STR("00"),
				       .national_prefix = STR("0"),
				       .emergency = STR("112 999")};
	if (!getenv("TEST_SHOW_LOG"))
		log_capture(log_nothing, NULL);
	fake_calls_reset();
	f->records = fake_records_create();
	assert(loop_create(&f->loop) == 0 && queue_create_on_loop(f->loop, &f->queue) == 0);
	if (fixture_store)
		f->store_records = fixture_store->open(f);
	f->directory = directory_create(&f->plan);
	f->registrations = registrations_create(f->loop, records_of(f));
	f->watch = watch_create(f->loop, f->directory, f->registrations);
	assert(f->directory && f->registrations && f->watch);
	registrations_watch(f->registrations, f->watch);
	assert(pthread_create(&f->call_thread, NULL, call_thread_run, f) == 0);
	fake_records_on_change(f->records, fixture_changed, f);
	struct http_settings settings = fixture_settings;
	net_address_parse(STR("127.0.0.1"), 0, &settings.listen);
	settings.realm = STR("example.com");
	settings.workers = settings.workers ? settings.workers : 4;
	settings.records = records_of(f);
	settings.call_thread = f->queue;
	settings.directory = f->directory;
	settings.registrations = f->registrations;
	settings.watch = f->watch;
	settings.version = "test";
	assert(http_server_create(&settings, &f->server) == 0);
	f->address = http_server_listener(f->server);
	f->admin_id = user_add(f, "admin", "100", ROLE_ADMIN);
	f->jane_id = user_add(f, "jane", "510", ROLE_AGENT);
	f->bob_id = user_add(f, "bob", "520", ROLE_AGENT);
	f->otto_id = user_add(f, "otto", "530", ROLE_AUDITOR);
	f->admin = sign_in(f, "admin", PASSWORD);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	http_server_destroy(f->server);
	if (fixture_store)
		fixture_store->close(f);
	on_call_thread(f, stop, f->loop);
	pthread_join(f->call_thread, NULL);
	registrations_destroy(f->registrations);
	watch_destroy(f->watch);
	directory_destroy(f->directory);
	queue_destroy(f->queue);
	loop_destroy(f->loop);
	fake_records_destroy(f->records);
	log_capture(NULL, NULL);
	fixture_settings = (struct http_settings){0};
	free(f);
	return 0;
}

// ---- asking

struct reply ask_with(struct fixture *f, const struct caller *who, const char *request, const char *headers,
		      const char *body)
{
	struct reply reply;
	char who_text[512] = "";
	size_t size = body ? strlen(body) : 0;
	if (who && who->token[0])
		snprintf(who_text, sizeof who_text, "Authorization: Bearer %s\r\n", who->token);
	else if (who)
		snprintf(who_text, sizeof who_text, "Cookie: %s\r\nX-CSRF-Token: %s\r\n", who->cookie, who->csrf);
	char *text = NULL;
	int length = asprintf(
	    &text, "%s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", request,
	    who_text, headers, body ? "Content-Type: application/json\r\n" : "", size, body ? body : "");
	assert(length > 0);
	int socket = client_connect(&f->address);
	assert(socket >= 0);
	client_send(socket, text, (size_t)length);
	client_receive(socket, &reply);
	close(socket);
	free(text);
	return reply;
}

struct reply ask(struct fixture *f, const struct caller *who, const char *method, const char *path, const char *body)
{
	char request[2048];
	snprintf(request, sizeof request, "%s %s", method, path);
	return ask_with(f, who, request, "", body);
}

const char *text_of(const struct reply *reply, const char *name)
{
	const char *text = json_string_value(json_object_get(reply->json, name));
	return text ? text : "";
}

struct caller sign_in(struct fixture *f, const char *name, const char *password)
{
	struct caller caller = {.cookie = ""};
	char body[256], cookie[256];
	snprintf(body, sizeof body, "{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
	struct reply reply = ask(f, NULL, "POST", "/api/v1/session", body);
	assert_int_equal(reply.status, 201);
	reply_header(&reply, "Set-Cookie", cookie, sizeof cookie);
	snprintf(caller.cookie, sizeof caller.cookie, "%.*s", (int)strcspn(cookie, ";"), cookie);
	snprintf(caller.csrf, sizeof caller.csrf, "%s", text_of(&reply, "csrf_token"));
	reply_free(&reply);
	return caller;
}

struct feed *fixture_feed(struct fixture *f)
{
	return server_feed(f->server);
}

void fixture_server_end(struct fixture *f)
{
	http_server_destroy(f->server);
	f->server = NULL;
}

void expect(struct reply reply, int status)
{
	if (reply.status != status)
		print_error("%s%s\n", reply.headers, reply.body ? reply.body : "(no answer)");
	assert_int_equal(reply.status, status);
	reply_free(&reply);
}

void expect_field(struct reply reply, int status, const char *name, const char *code)
{
	bool found = false;
	size_t i;
	json_t *field;
	json_array_foreach(json_object_get(reply.json, "field"), i, field) found |=
	    strcmp(json_string_value(json_object_get(field, "name")), name) == 0 &&
	    strcmp(json_string_value(json_object_get(field, "code")), code) == 0;
	if (!found || reply.status != status)
		print_error("no %s %s in: %s%s\n", name, code, reply.headers, reply.body ? reply.body : "(no answer)");
	assert_int_equal(reply.status, status);
	assert_true(found);
	reply_free(&reply);
}

uint64_t create(struct fixture *f, const char *path, const char *body)
{
	uint64_t id = 0;
	struct reply reply = ask(f, &f->admin, "POST", path, body);
	if (reply.status != 201)
		print_error("%s\n", reply.body ? reply.body : "(no answer)");
	assert_int_equal(reply.status, 201);
	str_to_uint(str_of(text_of(&reply, "id")), UINT64_MAX, &id);
	assert_true(id != 0);
	reply_free(&reply);
	return id;
}

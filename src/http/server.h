// What the handlers may use of the server they run in.
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "domain/records.h"
#include "http/activity.h"
#include "http/attempts.h"
#include "http/call_thread.h"
#include "http/feed.h"
#include "http/http.h"
#include "http/passwords.h"
#include "http/provider.h"
#include "http/teams_presence.h"

#include <pthread.h>

// Counted a few seconds ago at most, since it costs a walk through all users and devices.
struct overview_cache {
	pthread_mutex_t lock;
	int64_t read_at_ms; // 0: never
	struct store_overview overview;
};

struct idempotency *server_idempotency(struct http_server *server);
struct overview_cache *server_overview(struct http_server *server);
const struct http_settings *server_settings(const struct http_server *server);
struct records *server_records(struct http_server *server);
struct call_line *server_call_line(struct http_server *server);
struct passwords *server_passwords(struct http_server *server);
struct attempts *server_attempts(struct http_server *server);
struct console;
const struct console *server_console(const struct http_server *server); // NULL = there is none
struct activity *server_activity(struct http_server *server);
struct provider *server_provider(struct http_server *server);
struct teams_presence *server_teams_presence(struct http_server *server);
struct feed *server_feed(struct http_server *server);
struct connections *server_connections(struct http_server *server);
struct workers *server_workers(struct http_server *server, bool slow); // slow: those of requests that check a password
void server_count_answer(struct http_server *server, unsigned status);
int64_t server_now_ms(const struct http_server *server); // wall clock
// The HTTP side's own numbers, for /metrics.
void server_metrics(struct http_server *server, struct writer *w);

#endif

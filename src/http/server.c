// Carries HTTP/1.1 with libmicrohttpd: one thread accepts connections and receives requests as a whole, within bounds of
// size and time; then the connection sleeps while a worker thread makes the answer.
#include "http/server.h"
#include "base/log.h"
#include "http/connections.h"
#include "http/console.h"
#include "http/exchange.h"
#include "http/feed.h"
#include "http/handover.h"
#include "http/https_certificate.h"
#include "http/idempotency.h"
#include "http/sessions.h"
#include "http/ticker.h"
#include "http/workers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = LISTENERS_MAX + 1024,
	SECURED_MAX = CONNECTIONS_MAX + 4096, // those that speak SIP are carried here as long as they last
	CONNECTION_MEMORY = 32 << 10,         // bounds the request line and all headers
	IDLE_S = 15,                          // without a byte
	LAST_ANSWERS_S = 2,                   // to send what was answered when the server is taken down
	RECEIVE_S = 30,                       // for a whole request, however its bytes trickle in
	WORKERS_DEFAULT = 4,
};

struct http_server {
	struct http_settings settings;
	struct MHD_Daemon *daemon, *secured; // NULL: not listening
	struct net_address listener, secured_listener;
	bool stopped;
	struct workers *workers;
	struct call_line *call_line;
	struct passwords *passwords;
	struct attempts attempts;
	struct overview_cache overview;
	struct idempotency *idempotency;
	struct feed *feed;
	struct activity *activity;
	struct provider *provider;
	struct teams_presence *presence;
	struct ticker *sweeper; // of sessions
	struct workers *sign_in_workers;
	struct ticker *ticker;
	struct console *console; // NULL = none is installed
	struct connections *connections;
	_Atomic uint64_t answered[6]; // by hundreds of the status
};

static int64_t wall_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const struct http_settings *server_settings(const struct http_server *server)
{
	return &server->settings;
}

struct records *server_records(struct http_server *server)
{
	return server->settings.records;
}

struct call_line *server_call_line(struct http_server *server)
{
	return server->call_line;
}

struct passwords *server_passwords(struct http_server *server)
{
	return server->passwords;
}

struct attempts *server_attempts(struct http_server *server)
{
	return &server->attempts;
}

struct idempotency *server_idempotency(struct http_server *server)
{
	return server->idempotency;
}

struct overview_cache *server_overview(struct http_server *server)
{
	return &server->overview;
}

struct activity *server_activity(struct http_server *server)
{
	return server->activity;
}

struct provider *server_provider(struct http_server *server)
{
	return server->provider;
}

struct teams_presence *server_teams_presence(struct http_server *server)
{
	return server->presence;
}

struct feed *server_feed(struct http_server *server)
{
	return server->feed;
}

const struct console *server_console(const struct http_server *server)
{
	return server->console;
}

struct connections *server_connections(struct http_server *server)
{
	return server->connections;
}

struct workers *server_workers(struct http_server *server, bool slow)
{
	return slow ? server->sign_in_workers : server->workers;
}

void server_count_answer(struct http_server *server, unsigned status)
{
	atomic_fetch_add(&server->answered[status / 100 % 6], 1);
}

int64_t server_now_ms(const struct http_server *server)
{
	return server->settings.now_ms();
}

struct metric_line {
	const char *name, *type, *help;
	uint64_t value;
};

static void numbers_write(const struct metric_line *numbers, size_t count, struct writer *w)
{
	for (size_t i = 0; i < count; i++)
		writer_format(w, "# HELP carillon_%s %s\n# TYPE carillon_%s %s\ncarillon_%s %" PRIu64 "\n",
			      numbers[i].name, numbers[i].help, numbers[i].name, numbers[i].type, numbers[i].name,
			      numbers[i].value);
}

static void presence_metrics(struct http_server *server, struct writer *w)
{
	struct teams_presence_view view;
	teams_presence_look(server->presence, &view);
	if (view.state == TEAMS_PRESENCE_OFF)
		return;
	const struct metric_line numbers[] = {
	    {"graph_up", "gauge", "1 while Microsoft Graph tells presences.", view.state == TEAMS_PRESENCE_WORKING},
	    {"graph_users", "gauge", "Teams users whose presence it tells.", view.known},
	    {"graph_requests_total", "counter", "Requests to it.", view.counters.requests},
	    {"graph_failed_total", "counter", "Those without a good answer.", view.counters.failed},
	    {"graph_throttled_total", "counter", "Those that it answered 429.", view.counters.throttled},
	    {"graph_tokens_total", "counter", "Tokens that it gave.", view.counters.tokens},
	};
	numbers_write(numbers, sizeof numbers / sizeof *numbers, w);
}

static void feed_metrics(struct http_server *server, struct writer *w)
{
	struct feed_counters feed = feed_count(server->feed);
	const struct metric_line metrics[] = {
	    {"event_listeners", "gauge", "Streams of events open now.", feed.listeners},
	    {"event_listeners_dropped_total", "counter", "Streams cut off for not keeping up.", feed.dropped},
	    {"events_total", "counter", "Events made.", feed.events},
	    {"event_bytes_total", "counter", "Bytes of events sent to all listeners together.", feed.bytes_sent},
	};
	numbers_write(metrics, sizeof metrics / sizeof *metrics, w);
}

void server_metrics(struct http_server *server, struct writer *w)
{
	feed_metrics(server, w);
	presence_metrics(server, w);
	writer_text(w, "# HELP carillon_http_requests_total Requests answered, by class of status.\n"
		       "# TYPE carillon_http_requests_total counter\n");
	for (int i = 1; i < 6; i++)
		writer_format(w, "carillon_http_requests_total{status=\"%dxx\"} %" PRIu64 "\n", i,
			      atomic_load(&server->answered[i]));
}

// libmicrohttpd resumes a connection on its own thread, so a listener may be woken on any.
static void stream_sleep(void *connection)
{
	MHD_suspend_connection(connection);
}

static void stream_wake(void *connection)
{
	MHD_resume_connection(connection);
}

// ---- building and taking down

// The path and query are decoded by request.c, which refuses what is wrong instead of mending it.
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

static void daemon_logs(void *context, const char *format, va_list arguments)
{
	char text[300];
	(void)context;
	int length = vsnprintf(text, sizeof text, format, arguments);
	if (length > 0)
		log_debug("http_library", LOG_STR("says", str_trim(str_of(text))));
}

static int daemon_start(struct http_server *server, const struct net_address *listen, bool secured,
			struct MHD_Daemon **started, struct net_address *listener)
{
	struct sockaddr_storage address;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ITC |
			 MHD_USE_ERROR_LOG | (secured ? MHD_USE_TLS : 0) | (listen->family == 6 ? MHD_USE_IPv6 : 0);
	net_address_to_sockaddr(listen, &address);
	errno = 0;
	struct MHD_Daemon *daemon = MHD_start_daemon(
	    flags, listen->port, NULL, NULL, http_exchange_received, server, MHD_OPTION_EXTERNAL_LOGGER, daemon_logs,
	    NULL, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)(secured ? SECURED_MAX : CONNECTIONS_MAX), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK, http_exchange_begin, server,
	    MHD_OPTION_NOTIFY_COMPLETED, http_exchange_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
	    connections_changed, server->connections, secured ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END,
	    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", MHD_OPTION_HTTPS_CERT_CALLBACK2, https_certificate_give,
	    MHD_OPTION_END);
	if (!daemon)
		return errno ? -errno : -EADDRINUSE;
	*started = daemon;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_LISTEN_FD);
	socklen_t size = sizeof address;
	if (!info || getsockname(info->listen_fd, (struct sockaddr *)&address, &size) != 0)
		return -EIO;
	net_address_from_sockaddr((struct sockaddr *)&address, listener);
	return 0;
}

static int daemons_start(struct http_server *server)
{
	const struct http_settings *settings = &server->settings;
	int error = daemon_start(server, &settings->listen, false, &server->daemon, &server->listener);
	if (!error && settings->listen_secured.family)
		error =
		    daemon_start(server, &settings->listen_secured, true, &server->secured, &server->secured_listener);
	return error;
}

// A server without a console is still a server: what is wrong with it is logged.
static void console_read(struct http_server *server, const char *folder)
{
	int error = console_create(folder, &server->console);
	if (error)
		log_warning("console_not_read", LOG_TEXT("folder", folder), LOG_TEXT("error", strerror(-error)));
}

int http_server_create(const struct http_settings *settings, struct http_server **created)
{
	struct http_server *server = calloc(1, sizeof *server);
	int error = -ENOMEM;
	if (!server)
		return error;
	server->settings = *settings;
	if (!server->settings.receive_s)
		server->settings.receive_s = RECEIVE_S;
	if (!server->settings.now_ms)
		server->settings.now_ms = wall_clock_ms;
	unsigned workers = settings->workers ? settings->workers : WORKERS_DEFAULT;
	server->connections = connections_create(server->settings.receive_s);
	pthread_mutex_init(&server->attempts.lock, NULL);
	pthread_mutex_init(&server->overview.lock, NULL);
	server->call_line =
	    call_line_create(settings->call_thread, settings->calls, settings->directory, settings->registrations);
	server->passwords = passwords_create(workers);
	server->activity = activity_create();
	server->provider = provider_create(&settings->single_sign_on);
	server->idempotency = idempotency_create();
	server->presence = teams_presence_create(&(struct teams_presence_settings){.records = settings->records,
										   .call_thread = settings->call_thread,
										   .watch = settings->watch,
										   .now_ms = server->settings.now_ms});
	server->feed = feed_create(settings->watch, &(struct feed_carrier){stream_sleep, stream_wake},
				   server->settings.now_ms, server->presence);
	server->workers = workers_create(workers, http_exchange_answered);
	server->sign_in_workers = workers_create(PASSWORDS_AT_ONCE, http_exchange_answered);
	server->sweeper = ticker_create(sessions_sweep, server);
	server->ticker = server->connections ? ticker_create(connections_expire, server->connections) : NULL;
	if (settings->console)
		console_read(server, settings->console);
	if (server->activity && server->provider && server->presence && server->sign_in_workers && server->sweeper &&
	    server->call_line && server->passwords && server->idempotency && server->feed && server->workers &&
	    server->ticker)
		error = daemons_start(server);
	if (error) {
		http_server_destroy(server);
		return error;
	}
	*created = server;
	return 0;
}

struct net_address http_server_listener(const struct http_server *server)
{
	return server->listener;
}

struct net_address http_server_secured_listener(const struct http_server *server)
{
	return server->secured_listener;
}

static void listening_ends(struct MHD_Daemon *daemon)
{
	MHD_socket listener = daemon ? MHD_quiesce_daemon(daemon) : MHD_INVALID_SOCKET;
	if (listener != MHD_INVALID_SOCKET)
		close(listener);
}

void http_server_stop(struct http_server *server)
{
	if (server->stopped)
		return;
	server->stopped = true;
	listening_ends(server->daemon);
	listening_ends(server->secured);
	ticker_destroy(server->ticker);
	ticker_destroy(server->sweeper);
	teams_presence_end(server->presence);
	if (server->workers)
		workers_end(server->workers);
	if (server->sign_in_workers)
		workers_end(server->sign_in_workers);
	if (server->feed)
		feed_end(server->feed); // no connection sleeps after this
	if (server->daemon)
		connections_wait(server->connections, LAST_ANSWERS_S);
}

void http_server_destroy(struct http_server *server)
{
	if (!server)
		return;
	http_server_stop(server);
	handover_end(server);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->secured)
		MHD_stop_daemon(server->secured);
	workers_destroy(server->workers);
	workers_destroy(server->sign_in_workers);
	activity_destroy(server->activity);
	provider_destroy(server->provider);
	feed_destroy(server->feed);
	teams_presence_destroy(server->presence);
	passwords_destroy(server->passwords);
	idempotency_destroy(server->idempotency);
	console_destroy(server->console);
	if (server->call_line)
		call_line_release(server->call_line);
	pthread_mutex_destroy(&server->overview.lock);
	pthread_mutex_destroy(&server->attempts.lock);
	connections_destroy(server->connections);
	free(server);
}

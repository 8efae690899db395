// carillond: reads the configuration, builds the server, runs it, takes it down in reverse.
#include "base/hash.h"
#include "base/log.h"
#include "first_start.h"
#include "server.h"
#include "settings_of.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

struct options {
	const char *config;
	bool check, example;
};

enum { DRAIN_LOOK_MS = 100, SETTLE_MS = 2000 };

bool complain(const char *format, ...)
{
	char sentence[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	fprintf(stderr, "carillond: %s\n", sentence); // in one piece: the log writes there as well
	return false;
}

// ---- what the store has, into memory

static bool entity_loaded(void *context, const struct entity *entity)
{
	struct server *server = context;

	return directory_put(server->directory, entity) == ERR_NONE;
}

static bool binding_loaded(void *context, const struct binding *binding)
{
	struct server *server = context;

	return registrations_restore(server->registrations, binding);
}

// ---- signals

static void http_has_stopped(struct queue_item *item)
{
	loop_stop(container_of(item, struct server, stopped)->loop);
}

static void *http_stop(void *context)
{
	struct server *server = context;

	http_server_stop(server->http);
	feature_desk_end(server->desk);
	queue_post(server->call_thread, &server->stopped);
	return NULL;
}

// API requests under way may wait for the call thread, so it runs until the last of them is answered.
static void server_stop(struct server *server)
{
	if (server->stopping)
		return;
	server->stopping = true;
	server->stopped.run = http_has_stopped;
	if (pthread_create(&server->stopper, NULL, http_stop, server) != 0)
		abort(); // nothing is lost: what was acknowledged is on disk
}

static void trunks_have_left(void *context)
{
	server_stop(context);
}

// The last calls are over: no carrier is to send any more of them here.
static void server_leave(struct server *server)
{
	server->leaving = true;
	sip_endpoint_leave(server->endpoint, trunks_have_left, server);
}

static void drain_look(struct timer *timer)
{
	struct server *server = container_of(timer, struct server, drain);

	if (call_table_count(server->calls) == 0 || loop_now_ms(server->loop) >= server->drain_until_ms)
		server_leave(server);
	else
		timer_start(server->loop, timer, DRAIN_LOOK_MS);
}

// The first signal lets running calls end; a second one ends them.
static void told_to_stop(void *context)
{
	struct server *server = context;

	if (server->leaving || server->stopping) {
		server_stop(server);
		return;
	}
	if (timer_running(&server->drain)) {
		timer_stop(&server->drain);
		server_leave(server);
		return;
	}
	sd_notify(0, "STOPPING=1");
	log_info("server_draining", LOG_UINT("calls", call_table_count(server->calls)),
		 LOG_INT("at_most_s", server->settings.drain_s));
	call_table_drain(server->calls);
	server->drain_until_ms = loop_now_ms(server->loop) + (uint64_t)server->settings.drain_s * 1000;
	timer_start(server->loop, &server->drain, 1);
}

static void watchdog_feed(struct timer *timer)
{
	struct server *server = container_of(timer, struct server, watchdog);

	sd_notify(0, "WATCHDOG=1");
	timer_start(server->loop, timer, server->watchdog_ms);
}

// ---- SIP over WebSocket on the port of HTTP

static void socket_greet(void *context, const struct net_address *from, struct str head, struct writer *answer)
{
	struct server *server = context;

	sip_endpoint_greet(server->endpoint, from, head, answer);
}

static void socket_adopt(void *context, const struct tcp_foreign *socket, bool secured, struct str early)
{
	struct server *server = context;

	sip_endpoint_adopt(server->endpoint, secured ? TRANSPORT_WSS : TRANSPORT_WS, socket, early);
}

// ---- building and taking down

static bool store_build(struct server *server)
{
	char sentence[256];
	const struct store_settings settings = {
	    .url = server->settings.store_url,
	    .call_thread = server->call_thread,
	    .forgets_registrations = !server->settings.keep_registrations,
	    .changed = change_committed,
	    .context = server,
	};

	if (!store_open(&settings, &server->store, sentence, sizeof sentence))
		return complain("%s", sentence);
	server->registrations = registrations_create(server->loop, store_records(server->store));
	if (!server->registrations)
		return complain("%s", err_sentence(ERR_NO_MEMORY));
	server->watch = watch_create(server->loop, server->directory, server->registrations);
	if (!server->watch)
		return complain("%s", err_sentence(ERR_NO_MEMORY));
	registrations_watch(server->registrations, server->watch);
	const struct store_visitor visitor = {entity_loaded, binding_loaded, server};
	if (!store_load(server->store, &visitor, sentence, sizeof sentence))
		return complain("%s", sentence);
	malloc_trim(0); // what the reading took
	return true;
}

static bool first_start(struct server *server, const struct options *options)
{
	struct first_start start = {store_records(server->store), server->settings.sip_realm};
	struct problem problem = {0};

	if (!first_start_is_due(&start))
		return true;
	if (first_start_administrator(&start, &problem) || (options->example && first_start_example(&start, &problem)))
		return complain("the first entries cannot be written: %s", problem.sentence);
	return true;
}

static bool tls_build(struct server *server)
{
	const struct settings *from = &server->settings;
	char sentence[512];
	const struct tls_settings settings = {
	    .certificate = from->tls_certificate,
	    .key = from->tls_key,
	    .ca = from->tls_ca,
	    .require_client_certificate = from->tls_require_client_certificate,
	};

	return tls_create(server->loop, &settings, &server->tls, sentence, sizeof sentence) || complain("%s", sentence);
}

static bool endpoint_build(struct server *server)
{
	struct sip_endpoint_settings settings = settings_of_endpoint(&server->settings, server->tls);
	struct net_address failed = {0};

	settings.watch = server->watch;
	int error = sip_endpoint_create(server->loop, &settings, server->directory, server->registrations,
					&server->endpoint, &failed);
	if (error) {
		char text[64];
		struct writer w = writer_into(text, sizeof text);

		net_address_write(&w, &failed);
		if (failed.family == 0)
			return complain("SIP cannot be started: %s", strerror(-error));
		return complain("SIP cannot listen on %.*s: %s", STR_ARG(writer_result(&w)), strerror(-error));
	}
	if (!media_build(server))
		return false;
	server->desk = feature_desk_create(&(struct feature_desk_settings){.records = store_records(server->store),
									   .call_thread = server->call_thread});
	if (!server->desk)
		return complain("%s", err_sentence(ERR_NO_MEMORY));
	server->calls = call_table_create(&(struct call_table_ports){
	    .loop = server->loop,
	    .directory = server->directory,
	    .registrations = server->registrations,
	    .signalling = sip_endpoint_signalling(server->endpoint),
	    .records = store_records(server->store),
	    .media = &server->media,
	    .desk = feature_desk_port(server->desk),
	    .watch = server->watch,
	});
	if (!server->calls)
		return complain("%s", err_sentence(ERR_NO_MEMORY));
	sip_endpoint_start(server->endpoint, server->calls);
	return true;
}

static bool https_certificate_read(const struct server *server, char *sentence, size_t size)
{
	return http_certificate_read(server->settings.tls_certificate, server->settings.tls_key, sentence, size);
}

static bool http_build(struct server *server)
{
	struct net_address listen[LISTENERS_MAX], secured[LISTENERS_MAX] = {{0}};
	char console[PATH_MAX], sentence[512];

	settings_listeners(server->settings.http_listen, 8080, listen);
	if (tls_has_certificate(server->tls))
		settings_listeners(server->settings.http_https, 8443, secured);
	if (secured[0].family && !https_certificate_read(server, sentence, sizeof sentence))
		return complain("%s", sentence);
	const struct http_settings settings = {
	    .listen = listen[0],
	    .listen_secured = secured[0],
	    .realm = server->settings.sip_realm,
	    .console = settings_console(&server->settings, console, sizeof console) ? console : NULL,
	    .workers = (unsigned)server->settings.http_workers,
	    .records = store_records(server->store),
	    .call_thread = server->call_thread,
	    .calls = server->calls,
	    .directory = server->directory,
	    .registrations = server->registrations,
	    .watch = server->watch,
	    .single_sign_on = settings_of_single_sign_on(&server->settings),
	    .version = CARILLON_VERSION,
	    .metrics = metrics_write,
	    .status = status_write,
	    .trunk_state = trunk_state_write,
	    .handover = {.greet = socket_greet, .adopt = socket_adopt},
	    .prompt_shipped = prompt_shipped,
	    .recordings_changed = recordings_changed,
	    .context = server,
	};
	int error = http_server_create(&settings, &server->http);
	if (error)
		return complain("HTTP cannot listen on %.*s%s%.*s: %s", STR_ARG(server->settings.http_listen),
				secured[0].family ? " or " : "",
				STR_ARG(secured[0].family ? server->settings.http_https : STR_NONE), strerror(-error));
	const struct net_address listener = http_server_listener(server->http);
	const struct net_address secured_listener = http_server_secured_listener(server->http);
	sip_endpoint_set_foreign(server->endpoint, TRANSPORT_WS, &listener);
	if (secured_listener.family)
		sip_endpoint_set_foreign(server->endpoint, TRANSPORT_WSS, &secured_listener);
	return true;
}

// ---- reading the configuration again

static bool adopt(struct server *server, const struct settings *read)
{
	char adopted[1024] = "", later[1024] = "";
	struct writer one = writer_into(adopted, sizeof adopted), other = writer_into(later, sizeof later);
	struct settings settings = server->settings;
	enum log_level level = LOG_LEVEL_INFO;

	settings_compare(&server->settings, read, &one, &other);
	settings_adopt(&settings, read);
	const struct sip_endpoint_settings endpoint = settings_of_endpoint(&settings, server->tls);
	if (!sip_endpoint_change(server->endpoint, &endpoint)) {
		log_error("configuration_not_reloaded", LOG_TEXT("why", err_sentence(ERR_NO_MEMORY)));
		return false;
	}
	server->settings = settings;
	log_info("configuration_reloaded", LOG_STR("changed", writer_result(&one)));
	if (other.used > 0)
		log_warning("configuration_needs_restart", LOG_STR("keys", writer_result(&other)));
	log_level_parse(server->settings.log_level, &level);
	log_set_level(level);
	return true;
}

// SIGHUP: certificate, key and CAs are read again, then the configuration; connections and calls go on as they are. What cannot be
// used changes nothing at all.
static void told_to_reload(void *context)
{
	struct server *server = context;
	struct settings read;
	struct arena arena;
	struct config_error error = {0};
	char sentence[512];

	arena_init(&arena, 0);
	if (server->config && !settings_read(server->config, &read, &arena, &error)) {
		log_error("configuration_not_reloaded", LOG_TEXT("file", server->config), LOG_UINT("line", error.line),
			  LOG_TEXT("why", error.sentence));
		arena_free(&arena);
		return;
	}
	if (!tls_reload(server->tls, sentence, sizeof sentence)) {
		log_error("tls_not_reloaded", LOG_TEXT("why", sentence));
		arena_free(&arena);
		return;
	}
	if (http_server_secured_listener(server->http).family &&
	    !https_certificate_read(server, sentence, sizeof sentence))
		log_error("https_not_reloaded", LOG_TEXT("why", sentence)); // it goes on with what it has
	log_info("tls_reloaded", LOG_INT("certificate_ends_s", tls_certificate_ends_s(server->tls)));
	if (!server->config || !adopt(server, &read)) {
		arena_free(&arena);
		return;
	}
	arena_free(&server->adopted); // every text that was adopted before has been replaced
	server->adopted = arena;
}

// What the store has written is told to whoever waits for it.
static void completions_run(struct server *server)
{
	for (struct queue_item *item = queue_wait(server->call_thread, 0), *next; item; item = next) {
		next = item->next;
		item->run(item);
	}
}

// Bindings that broke with their connections are to be gone after a restart as well, also those whose write waits for another one. A
// disk that hangs does not hold the end up.
static void registrations_settle(struct server *server)
{
	if (!server->registrations)
		return;
	for (unsigned ms = 0; ms < SETTLE_MS && registrations_busy(server->registrations); ms++) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		completions_run(server);
	}
	registrations_stop(server->registrations);
}

// In this order: nobody asks any more, the calls write their records, the store commits them, and the registrations that it commits last are
// still answered.
static void server_tear_down(struct server *server)
{
	if (server->stopping)
		pthread_join(server->stopper, NULL);
	if (server->http)
		http_server_stop(server->http);
	if (server->endpoint)
		sip_endpoint_stop(server->endpoint);
	call_table_destroy(server->calls);
	rtpengine_destroy(server->rtpengine);
	server->rtpengine = NULL;
	prompts_destroy(server->prompts);
	feature_desk_destroy(server->desk);
	registrations_settle(server);
	store_close(server->store);
	completions_run(server);
	sip_endpoint_destroy(server->endpoint);
	http_server_destroy(server->http); // until now it has carried what SIP says over HTTPS
	http_certificate_forget();
	tls_destroy(server->tls);
	registrations_destroy(server->registrations);
	watch_destroy(server->watch);
	directory_destroy(server->directory);
	timer_stop(&server->drain);
	timer_stop(&server->watchdog);
	queue_destroy(server->call_thread);
	loop_destroy(server->loop);
	arena_free(&server->arena);
	arena_free(&server->adopted);
}

static bool server_build(struct server *server, const struct options *options)
{
	uint8_t secret[16];

	if (loop_create(&server->loop) || queue_create_on_loop(server->loop, &server->call_thread))
		return complain("the event loop cannot be made: %s", strerror(errno));
	loop_random(server->loop, secret, sizeof secret);
	hash_set_secret(secret);
	timer_init(&server->drain, drain_look);
	timer_init(&server->watchdog, watchdog_feed);
	const struct number_plan none_yet = {.country = STR_NONE}; // the store has it
	server->directory = directory_create(&none_yet);
	if (!server->directory || !directory_set_features(server->directory, &server->settings.features))
		return complain("%s", err_sentence(ERR_NO_MEMORY));
	return store_build(server) && tls_build(server) && endpoint_build(server) && first_start(server, options) &&
	       http_build(server);
}

static void say_ready(struct server *server)
{
	char text[64];
	struct writer w = writer_into(text, sizeof text);
	struct net_address listener = http_server_listener(server->http);
	struct net_address secured = http_server_secured_listener(server->http);
	uint64_t watchdog_us = 0;

	if (net_address_is_any(&listener)) // every address of this machine, so one that a browser can open
		writer_format(&w, "localhost:%u", listener.port);
	else
		net_address_write(&w, &listener);
	log_info("server_ready", LOG_TEXT("version", CARILLON_VERSION), LOG_STR("http", writer_result(&w)),
		 LOG_UINT("https_port", secured.port),
		 LOG_UINT("registrations", registrations_count(server->registrations)));
	printf("Carillon " CARILLON_VERSION " is ready: http://%.*s\n", STR_ARG(writer_result(&w)));
	fflush(stdout);
	sd_notify(0, "READY=1");
	if (sd_watchdog_enabled(0, &watchdog_us) > 0) {
		server->watchdog_ms = watchdog_us / 2000;
		timer_start(server->loop, &server->watchdog, server->watchdog_ms);
	}
}

static int server_run(struct server *server)
{
	int failed = loop_on_signal(server->loop, SIGTERM, told_to_stop, server);

	if (!failed)
		failed = loop_on_signal(server->loop, SIGINT, told_to_stop, server);
	if (!failed)
		failed = loop_on_signal(server->loop, SIGHUP, told_to_reload, server);
	if (failed) {
		complain("signals cannot be handled: %s", strerror(-failed));
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	atomic_store(&server->live, true);
	say_ready(server);
	loop_run(server->loop);
	log_info("server_stopped", LOG_UINT("calls", call_table_count(server->calls)));
	return EXIT_SUCCESS;
}

// ---- the command line

static void usage(FILE *to)
{
	fputs("Usage: carillond [-c FILE] [--check] [--example]\n"
	      "  -c, --config FILE    the configuration file (without it: the defaults)\n"
	      "      --check          read the configuration, say whether it is right, and end\n"
	      "      --example        fill an empty store with the example: Jane, extension 510\n"
	      "      --print-config   print every key with its default and meaning\n"
	      "      --version, --help\n",
	      to);
}

// -1: go on; else the exit status.
static int options_read(int count, char **arguments, struct options *options)
{
	static const struct option known[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"check", no_argument, NULL, 'k'},
	    {"example", no_argument, NULL, 'e'},
	    {"print-config", no_argument, NULL, 'p'},
	    {"version", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};

	for (int c; (c = getopt_long(count, arguments, "c:h", known, NULL)) != -1;) {
		if (c == 'c') {
			options->config = optarg;
		} else if (c == 'k') {
			options->check = true;
		} else if (c == 'e') {
			options->example = true;
		} else if (c == 'p') {
			settings_print_example();
			return EXIT_SUCCESS;
		} else if (c == 'v') {
			puts("carillond " CARILLON_VERSION);
			return EXIT_SUCCESS;
		} else {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
		}
	}
	if (optind == count)
		return -1;
	complain("\"%s\" is not expected here", arguments[optind]);
	usage(stderr);
	return EXIT_FAILURE;
}

int main(int count, char **arguments)
{
	static struct server server;
	struct options options = {0};
	struct config_error error = {0};
	enum log_level level = LOG_LEVEL_INFO;
	int status = options_read(count, arguments, &options);

	if (status >= 0)
		return status;
	server.config = options.config;
	arena_init(&server.arena, 0);
	arena_init(&server.adopted, 0);
	if (!settings_read(options.config, &server.settings, &server.arena, &error)) {
		if (error.line)
			complain("%s, line %u: %s", options.config, error.line, error.sentence);
		else
			complain("%s", error.sentence);
		arena_free(&server.arena);
		return EXIT_FAILURE;
	}
	if (options.check) {
		puts("The configuration is right.");
		arena_free(&server.arena);
		return EXIT_SUCCESS;
	}
	log_level_parse(server.settings.log_level, &level);
	log_set_level(level);
	log_start();
	status = server_build(&server, &options) ? server_run(&server) : EXIT_FAILURE;
	server_tear_down(&server);
	log_stop();
	return status;
}

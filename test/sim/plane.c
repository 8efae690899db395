// One simulated world from its first REGISTER to its last byte given back.
#include "sim/plane.h"

#include "base/hash.h"
#include "base/log.h"
#include "sim/phone_stream.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	SWEEP_MS = 200,
	PATIENCE_MS = 420000, // after the last call began; whatever still runs then is ended by the administrator
	LEAVE_MS = 120000,    // for phones to take their bindings away
	SETTLE_MS = 1200000,  // longer than any timer of the server
};

// ---- for the phones

struct loop *plane_loop(const struct plane *plane)
{
	return plane->loop;
}

struct net_address plane_server(const struct plane *plane, enum transport transport)
{
	static const uint16_t ports[] = {5060, 5060, 5061, 80, 443};
	struct net_address server = plane->server;
	server.port = ports[transport];
	return server;
}

const char *plane_server_host(const struct plane *plane)
{
	return plane->server_host;
}

const char *plane_server_text(const struct plane *plane)
{
	return plane->server_host;
}

void plane_message_seen(const struct plane *plane, const struct sim_packet *packet)
{
	if (plane->watcher)
		plane->watcher->arrived(plane->watcher->context, packet);
}

bool plane_transfers(const struct phone *phone)
{
	return phone->plane->transfers && phone->role == PHONE_DEVICE;
}

void plane_something_to_dial(const struct phone *phone, char *dialled, size_t size)
{
	configuration_dialled(phone->plane, phone, dialled, size);
}

bool plane_is_orderly(const struct plane *plane)
{
	return plane->orderly;
}

void plane_register_refused(struct plane *plane, const struct phone *phone, unsigned status)
{
	plane->totals.registers_refused++;
	if (plane->orderly && !plane->store_fails && !phone->removed)
		phone_complain(phone, NULL, "its REGISTER was answered %u", status);
}

void plane_fail(struct plane *plane, const struct phone_call *call, const char *format, ...)
{
	va_list arguments;
	if (plane->failure[0])
		return;
	va_start(arguments, format);
	vsnprintf(plane->failure, sizeof plane->failure, format, arguments);
	va_end(arguments);
	plane->failed_ms = loop_now_ms(plane->loop);
	if (call)
		plane->failed_call = call->incoming ? call->peer ? call->peer->number : call->number : call->number;
}

// ---- the server

static bool no_relay(void *context)
{
	(void)context;
	return false;
}

static struct tls *server_certificate(struct plane *plane)
{
	struct tls *tls;
	const bool made =
	    tls_create(plane->loop, &(struct tls_settings){.certificate = str_of(plane->server_host)}, &tls, NULL, 0);
	assert(made);
	(void)made;
	return tls;
}

static void server_open(struct plane *plane)
{
	const struct number_plan numbers = {.country_code = STR("44"),
					    .international_prefix = STR("00"),
					    .national_prefix = STR("0"),
					    .emergency = STR("112 999")};
	struct sip_endpoint_settings settings = {
	    .transport = {.connections_max = 1000, .idle_s = 300},
	    .realm = STR("carillon.example"),
	    .nonce_life_s = 300,
	    .register_min_s = 30,
	    .register_max_s = 3600,
	    .register_default_s = 600,
	    .session_expires_s = 180,
	};
	struct net_address failed;
	plane->server = (struct net_address){.family = 4, .port = 5060, .bytes = {192, 0, 2, 1}};
	snprintf(plane->server_host, sizeof plane->server_host, "192.0.2.1");
	settings.transport.udp[0] = plane_server(plane, TRANSPORT_UDP);
	settings.transport.tcp[0] = plane_server(plane, TRANSPORT_TCP);
	settings.transport.tls[0] = plane_server(plane, TRANSPORT_TLS);
	settings.transport.ws[0] = plane_server(plane, TRANSPORT_WS);
	settings.transport.wss[0] = plane_server(plane, TRANSPORT_WSS);
	settings.transport.secure = plane->tls = server_certificate(plane);
	plane->media.available = no_relay;
	records_fake_init(plane);
	plane->directory = directory_create(&numbers);
	plane->registrations = registrations_create(plane->loop, &plane->records);
	assert(plane->directory && plane->registrations);
	const int error = sip_endpoint_create(plane->loop, &settings, plane->directory, plane->registrations,
					      &plane->endpoint, &failed);
	assert(error == 0);
	plane->table = call_table_create(&(struct call_table_ports){
	    .loop = plane->loop,
	    .directory = plane->directory,
	    .registrations = plane->registrations,
	    .signalling = sip_endpoint_signalling(plane->endpoint),
	    .records = &plane->records,
	    .media = &plane->media,
	});
	assert(plane->table);
	sip_endpoint_start(plane->endpoint, plane->table);
}

static void server_close(struct plane *plane)
{
	if (!plane->table)
		return;
	records_fake_flush(plane);
	sip_endpoint_stop(plane->endpoint);
	call_table_destroy(plane->table);
	sip_endpoint_destroy(plane->endpoint);
	registrations_destroy(plane->registrations);
	directory_destroy(plane->directory);
	tls_destroy(plane->tls);
	plane->table = NULL;
}

// Nothing is going on any more: what does the server still hold?
static void server_check_empty(struct plane *plane)
{
	const struct sip_endpoint_counters left = sip_endpoint_count(plane->endpoint);
	if (call_table_count(plane->table))
		plane_fail(plane, NULL, "%zu calls are left in the table", call_table_count(plane->table));
	if (toll_count(call_table_toll(plane->table)).legs)
		plane_fail(plane, NULL, "%u legs to the outside still count",
			   toll_count(call_table_toll(plane->table)).legs);
	if (left.sessions)
		plane_fail(plane, NULL, "%u sessions are left", left.sessions);
	if (left.transactions.invite_clients || left.transactions.clients || left.transactions.invite_servers ||
	    left.transactions.servers)
		plane_fail(plane, NULL,
			   "transactions are left: %u INVITE and %u other clients, %u INVITE and %u other servers",
			   left.transactions.invite_clients, left.transactions.clients,
			   left.transactions.invite_servers, left.transactions.servers);
	if (left.transport.connections)
		plane_fail(plane, NULL, "%u connections are left", left.transport.connections);
	if (registrations_count(plane->registrations))
		plane_fail(plane, NULL, "%zu bindings are left", registrations_count(plane->registrations));
}

// ---- what happens

// The administrator ends calls: all of them, or one in so many.
static void administrator_hangs_up(struct plane *plane, uint64_t one_in)
{
	struct arena arena;
	struct call_snapshot *calls;
	size_t count;
	plane->hung_up_ms = loop_now_ms(plane->loop);
	arena_init(&arena, 0);
	if (!call_table_snapshot(plane->table, &arena, &calls, &count))
		plane_fail(plane, NULL, "no snapshot of the calls");
	else
		for (size_t i = 0; i < count; i++)
			if (sim_choice(plane->loop, one_in) == 0)
				call_table_hang_up(plane->table, calls[i].call);
	arena_free(&arena);
}

static void administrator_asks(struct plane *plane)
{
	const struct plane_user *user = &plane->users[sim_choice(plane->loop, plane->user_count)];
	struct ring_explanation explanation = {0};
	struct arena arena;
	arena_init(&arena, 0);
	const enum err err = call_table_explain(plane->table, str_of(user->extension), &arena, &explanation);
	if (err == ERR_UNKNOWN_NUMBER ? !user->changed : err || explanation.turn_count != user->user.turn_count)
		plane_fail(plane, NULL, "%s is explained with %zu turns instead of %zu (%s)", user->extension,
			   explanation.turn_count, user->user.turn_count, err_name(err));
	arena_free(&arena);
}

// Whatever else happens beside calls; false: nothing did.
static bool mischief(struct plane *plane, struct phone *phone)
{
	const uint64_t drawn = sim_choice(plane->loop, 200);
	if (drawn < 4) {
		phone_send_garbage(phone);
	} else if (drawn < 5) {
		administrator_hangs_up(plane, 20);
	} else if (drawn < 6) {
		administrator_asks(plane);
	} else if (drawn < 10 && plane->config_moves) {
		configuration_change(plane);
	} else if (drawn < 11 && plane->config_moves) {
		configuration_remove_device(plane);
	} else if (drawn < 20 && drawn >= 19 && plane->config_moves) {
		if (sim_choice(plane->loop, 2))
			configuration_remove_user(plane);
		else
			configuration_change_trunk(plane);
	} else if (drawn < 14 && phone->role == PHONE_DEVICE && plane->config_moves) {
		phone->expires_s = phone->expires_s ? 0 : 120;
		phone_register(phone);
	} else if (drawn < 16 && plane->flows_die && phone_is_stream(phone)) {
		phone_stream_forget(phone);
	} else if (drawn < 19 && plane->flows_die) {
		phone_go_away(phone, 1 + sim_choice(plane->loop, 60000));
	} else {
		return false;
	}
	return true;
}

static void traffic(struct timer *timer)
{
	struct plane *plane = container_of(timer, struct plane, traffic_timer);
	struct phone *phone = configuration_caller(plane);
	char dialled[64];

	if (plane->started >= plane->calls_wanted)
		return;
	if (plane->drain_at && !plane->drained_ms && plane->started >= plane->drain_at) {
		call_table_drain(plane->table);
		plane->drained_ms = loop_now_ms(plane->loop);
	}
	if (!mischief(plane, phone)) {
		const struct manner manner = configuration_caller_manner(plane, phone);
		configuration_dialled(plane, phone, dialled, sizeof dialled);
		phone_call_start(phone, dialled, &manner);
		plane->started++;
	}
	timer_start(plane->loop, timer, 1 + sim_choice(plane->loop, 2000));
}

static bool all_quiet(const struct plane *plane)
{
	if (plane->started < plane->calls_wanted)
		return false;
	for (unsigned i = 0; i < plane->phone_count; i++)
		if (!phone_is_quiet(plane->phones[i]))
			return false;
	return call_table_count(plane->table) == 0;
}

static void run_for(struct plane *plane, uint64_t duration_ms, bool (*enough)(const struct plane *plane))
{
	const uint64_t until_ms = loop_now_ms(plane->loop) + duration_ms;
	while (!plane->failure[0] && loop_now_ms(plane->loop) < until_ms && !(enough && enough(plane))) {
		sim_run_for(plane->loop, SWEEP_MS);
		referee_sweep(plane);
	}
}

static bool all_started(const struct plane *plane)
{
	return plane->started >= plane->calls_wanted;
}

static bool all_gone(const struct plane *plane)
{
	return registrations_count(plane->registrations) == 0;
}

static void leave(struct plane *plane)
{
	for (unsigned i = 0; i < plane->phone_count; i++) {
		if (plane->phones[i]->role != PHONE_DEVICE)
			continue;
		plane->phones[i]->expires_s = 0;
		phone_register(plane->phones[i]);
	}
	run_for(plane, LEAVE_MS, all_gone);
	run_for(plane, SETTLE_MS / 10, NULL);
}

static void phones_destroy(struct plane *plane)
{
	for (unsigned i = 0; i < plane->phone_count; i++)
		phone_destroy(plane->phones[i]);
	plane->phone_count = 0;
}

static void live(struct plane *plane)
{
	sim_run_for(plane->loop, 4000); // the phones register
	timer_start(plane->loop, &plane->traffic_timer, 1);
	run_for(plane, UINT32_MAX, all_started);
	if (plane->dies) {
		server_close(plane);
		referee_finish_early(plane);
		return;
	}
	run_for(plane, PATIENCE_MS, all_quiet);
	if (!plane->failure[0] && !all_quiet(plane)) {
		administrator_hangs_up(plane, 1); // what two vanished phones have left behind
		run_for(plane, PATIENCE_MS, all_quiet);
	}
	if (!plane->failure[0])
		referee_finish(plane);
	if (!plane->failure[0])
		leave(plane);
}

static void note_ring_plan(const struct plane *plane, const char *extension, struct plane_result *result)
{
	struct writer w = writer_into(result->ring_plan, sizeof result->ring_plan - 1);
	for (unsigned i = 0; i < plane->user_count; i++) {
		const struct plane_user *user = &plane->users[i];
		if (strcmp(user->extension, extension) != 0)
			continue;
		writer_format(&w, "%s:", user->user.strategy == STRATEGY_AT_ONCE ? "at once" : "in sequence");
		for (size_t turn = 0; turn < user->user.turn_count; turn++)
			writer_format(&w, " device %u start %u s ring %u s,", (unsigned)user->turns[turn].device_id,
				      (unsigned)user->turns[turn].start_s, (unsigned)user->turns[turn].ring_s);
		writer_format(&w, " else %d", user->user.unanswered);
	}
}

static void note_failure(const struct plane *plane, struct plane_result *result)
{
	snprintf(result->failure, sizeof result->failure, "at %.3f s%s: %.900s", (double)plane->failed_ms / 1000,
		 plane->failed_call ? " in the call below" : "", plane->failure);
	result->failed_call = plane->failed_call;
	if (!plane->failed_call)
		return;
	note_ring_plan(plane, plane->calls[plane->failed_call - 1]->dialled, result);
	for (unsigned i = 0; i < plane->call_count && result->failed_call_id_count < 16; i++) {
		const struct phone_call *call = plane->calls[i];
		if (call->number == plane->failed_call || (call->peer && call->peer->number == plane->failed_call))
			memcpy(result->failed_call_ids[result->failed_call_id_count++], call->call_id,
			       sizeof call->call_id);
	}
}

void plane_run(const struct plane_settings *settings, struct plane_result *result)
{
	struct plane *plane = calloc(1, sizeof *plane);
	assert(plane);
	*result = (struct plane_result){0};
	plane->seed = settings->seed;
	plane->calls_wanted = settings->calls;
	plane->loop = sim_create(settings->seed);
	assert(plane->loop);
	plane->watcher = settings->watcher;
	sim_watch(plane->loop, settings->watcher);
	timer_init(&plane->traffic_timer, traffic);
	server_open(plane);
	configuration_make(plane);
	live(plane);
	if (plane->failure[0])
		note_failure(plane, result);
	timer_stop(&plane->traffic_timer);
	if (plane->table)
		configuration_rest(plane);
	phones_destroy(plane);
	sim_run_for(plane->loop, SETTLE_MS);
	if (plane->table && !plane->failure[0])
		server_check_empty(plane);
	server_close(plane);
	records_fake_finish(plane);
	const struct sim_count count = sim_count(plane->loop);
	if (count.timers || count.sockets || count.wakeups)
		plane_fail(plane, NULL, "left on the loop: %u timers, %u sockets, %u wake-ups", count.timers,
			   count.sockets, count.wakeups);
	if (plane->failure[0] && !result->failure[0])
		note_failure(plane, result);
	plane->totals.packets = count.arrived;
	result->totals = plane->totals;
	result->transcript = count.transcript;
	result->simulated_ms = loop_now_ms(plane->loop);
	loop_destroy(plane->loop);
	free(plane->calls);
	free(plane);
}

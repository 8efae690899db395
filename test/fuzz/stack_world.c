// The server in the harness of the whole stack.
#include "fuzz/stack_world.h"

#include "fuzz/fuzz.h"

#include <string.h>

enum {
	USER_JANE = 1,
	USER_BOB,
	DEVICE_DESK = 11,
	DEVICE_SOFT,
	DEVICE_WEB,
	DEVICE_MOBILE,
	TRUNK = 21,
	ROUTE = 31,
	DID = 41
};
enum { QUIET_MS = 1800000, REGISTER_MAX_S = 600 };

struct net_address stack_world_server(enum transport transport)
{
	static const uint16_t ports[] = {5060, 5060, 5061, 80, 443};
	return (struct net_address){.family = 4, .port = ports[transport], .bytes = {192, 0, 2, 1}};
}

// ---- the ports

static void save_registration(void *context, struct registration_write *write)
{
	(void)context;
	write->err = ERR_NONE;
	write->done(write);
}

static void save_call(void *context, struct call_record *record)
{
	struct stack_world *world = context;
	world->records_written++;
	must(record->id.length > 0);
	call_record_free(record);
}

static bool no_relay(void *context)
{
	(void)context;
	return false;
}

// ---- who there is

static void put(struct stack_world *world, const struct entity *entity)
{
	must(directory_put(world->directory, entity) == ERR_NONE);
}

static void device_put(struct stack_world *world, uint64_t id, int kind, struct str number)
{
	struct device device = {
	    .entity = {ENTITY_DEVICE, id, 1}, .device_kind = kind, .number = number, .nat = NAT_AUTO};
	if (kind == DEVICE_EXTERNAL)
		device.canonical = STR("+441444123456");
	else
		must(device_set_password(&device, STR(STACK_REALM), STR("secret"), &world->arena));
	put(world, &device.entity);
}

static void user_put(struct stack_world *world, uint64_t id, int strategy)
{
	struct turn_plan of_jane[] = {{DEVICE_DESK, 0, 10}, {DEVICE_SOFT, 2, 20}, {DEVICE_MOBILE, 5, 20}};
	struct turn_plan of_bob[] = {{DEVICE_WEB, 0, 30}};
	const bool jane = id == USER_JANE;
	struct user user = {
	    .entity = {ENTITY_USER, id, 1},
	    .name = jane ? STR("jane") : STR("bob"),
	    .title = jane ? STR("Jane") : STR("Bob"),
	    .extension = jane ? STR("510") : STR("511"),
	    .strategy = strategy,
	    .toll_class = 3,
	    .unanswered = jane ? UNANSWERED_EXTENSION : UNANSWERED_BUSY,
	    .unanswered_target = STR("511"),
	    .turns = jane ? of_jane : of_bob,
	    .turn_count = jane ? 3 : 1,
	};
	put(world, &user.entity);
}

static void trunk_put(struct stack_world *world, bool enabled)
{
	const struct trunk trunk = {.entity = {ENTITY_TRUNK, TRUNK, 1},
				    .title = STR("Carrier"),
				    .host = STR("10.0.0.9"),
				    .port = 5060,
				    .transport = TRANSPORT_UDP,
				    .username = STR("account"),
				    .password = STR("secret"),
				    .enabled = enabled};
	put(world, &trunk.entity);
	sip_endpoint_trunk_changed(world->endpoint, TRUNK);
}

static void directory_fill(struct stack_world *world)
{
	const struct route route = {.entity = {ENTITY_ROUTE, ROUTE, 1}, .trunk_id = TRUNK};
	const struct did did = {.entity = {ENTITY_DID, DID, 1},
				.number = STR("+442079460510"),
				.canonical = STR("+442079460510"),
				.user_id = USER_JANE};
	device_put(world, DEVICE_DESK, DEVICE_SIP_PHONE, STR("desk"));
	device_put(world, DEVICE_SOFT, DEVICE_SOFTPHONE, STR("soft"));
	device_put(world, DEVICE_WEB, DEVICE_SOFTPHONE, STR("web"));
	device_put(world, DEVICE_MOBILE, DEVICE_EXTERNAL, STR("01444 123456"));
	user_put(world, USER_JANE, STRATEGY_AT_ONCE);
	user_put(world, USER_BOB, STRATEGY_AT_ONCE);
	trunk_put(world, true);
	put(world, &route.entity);
	put(world, &did.entity);
}

// ---- coming and going

static void endpoint_open(struct stack_world *world)
{
	struct net_address failed;
	struct sip_endpoint_settings settings = {
	    .transport = {.connections_max = 100, .idle_s = 120, .secure = world->tls},
	    .realm = STR(STACK_REALM),
	    .digest = STR("SHA-256 MD5"),
	    .nonce_life_s = 300,
	    .register_min_s = 60,
	    .register_max_s = REGISTER_MAX_S,
	    .register_default_s = REGISTER_MAX_S,
	};
	settings.transport.udp[0] = stack_world_server(TRANSPORT_UDP);
	settings.transport.tcp[0] = stack_world_server(TRANSPORT_TCP);
	settings.transport.tls[0] = stack_world_server(TRANSPORT_TLS);
	settings.transport.ws[0] = stack_world_server(TRANSPORT_WS);
	settings.transport.wss[0] = stack_world_server(TRANSPORT_WSS);
	must(sip_endpoint_create(world->loop, &settings, world->directory, world->registrations, &world->endpoint,
				 &failed) == 0);
}

struct stack_world *stack_world_open(void)
{
	const struct number_plan numbers = {.country_code = STR("44"),
					    .international_prefix = STR("00"),
					    .national_prefix = STR("0"),
					    .emergency = STR("112 999")};
	struct stack_world *world = calloc(1, sizeof *world);
	must(world);
	arena_init(&world->arena, 0);
	world->loop = sim_create(1);
	world->media.available = no_relay;
	world->records =
	    (struct records){.context = world, .save_registration = save_registration, .save_call = save_call};
	must(tls_create(world->loop, &(struct tls_settings){.certificate = STR("192.0.2.1")}, &world->tls, NULL, 0));
	world->directory = directory_create(&numbers);
	world->registrations = registrations_create(world->loop, &world->records);
	must(world->directory && world->registrations);
	endpoint_open(world);
	world->table = call_table_create(&(struct call_table_ports){
	    .loop = world->loop,
	    .directory = world->directory,
	    .registrations = world->registrations,
	    .signalling = sip_endpoint_signalling(world->endpoint),
	    .records = &world->records,
	    .media = &world->media,
	});
	must(world->table);
	sip_endpoint_start(world->endpoint, world->table);
	directory_fill(world);
	return world;
}

static void hang_up_all(struct stack_world *world)
{
	struct arena arena;
	struct call_snapshot *calls;
	size_t count;
	arena_init(&arena, 0);
	must(call_table_snapshot(world->table, &arena, &calls, &count));
	for (size_t i = 0; i < count; i++)
		call_table_hang_up(world->table, calls[i].call);
	arena_free(&arena);
}

static void explain(struct stack_world *world)
{
	struct ring_explanation explanation = {0};
	struct arena arena;
	arena_init(&arena, 0);
	(void)call_table_explain(world->table, STR("510"), &arena, &explanation);
	arena_free(&arena);
}

static void device_remove(struct stack_world *world, uint64_t id)
{
	directory_remove(world->directory, ENTITY_DEVICE, id);
	registrations_forget(world->registrations, id);
}

void stack_world_disturb(struct stack_world *world, unsigned what)
{
	switch (what % 12) {
	case 0:
		hang_up_all(world);
		break;
	case 1:
		device_remove(world, DEVICE_DESK);
		break;
	case 2:
		device_remove(world, DEVICE_SOFT);
		break;
	case 3:
		device_put(world, DEVICE_DESK, DEVICE_SIP_PHONE, STR("desk"));
		break;
	case 4:
		directory_remove(world->directory, ENTITY_USER, USER_JANE);
		break;
	case 5:
		user_put(world, USER_JANE, STRATEGY_IN_SEQUENCE);
		break;
	case 6:
		trunk_put(world, false);
		break;
	case 7:
		trunk_put(world, true);
		break;
	case 8:
		call_table_drain(world->table);
		break;
	case 9:
		explain(world);
		break;
	case 10:
		directory_remove(world->directory, ENTITY_TRUNK, TRUNK);
		sip_endpoint_trunk_changed(world->endpoint, TRUNK);
		break;
	case 11:
		directory_remove(world->directory, ENTITY_USER, USER_BOB);
		break;
	}
}

static void must_be_empty(const struct stack_world *world)
{
	const struct sip_endpoint_counters left = sip_endpoint_count(world->endpoint);
	must(call_table_count(world->table) == 0);
	must(left.sessions == 0);
	must(left.transactions.invite_clients == 0 && left.transactions.clients == 0);
	must(left.transactions.invite_servers == 0 && left.transactions.servers == 0);
	must(left.transport.connections == 0 && left.transport.buffered_bytes == 0);
	must(registrations_count(world->registrations) == 0);
}

void stack_world_close(struct stack_world *world)
{
	sim_run_for(world->loop, QUIET_MS);
	hang_up_all(world); // those who talk may do so for ever
	sim_run_for(world->loop, QUIET_MS);
	must_be_empty(world);
	call_table_destroy(world->table);
	sip_endpoint_destroy(world->endpoint);
	registrations_destroy(world->registrations);
	directory_destroy(world->directory);
	tls_destroy(world->tls);
	const struct sim_count count = sim_count(world->loop);
	must(count.timers == 0 && count.sockets == 0 && count.wakeups == 0);
	loop_destroy(world->loop);
	arena_free(&world->arena);
	free(world);
}

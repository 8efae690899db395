// The people, devices and carriers of a simulated world, and their habits.
#include "sim/plane.h"

#include "base/digest.h"
#include "domain/did.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { TRUNK_ID = 9000, ROUTE_ID = 9100, DID_ID = 9200, USER_ID = 100, DEVICE_ID = 1000 };

static uint64_t choice(const struct plane *plane, uint64_t below)
{
	return sim_choice(plane->loop, below);
}

static bool percent(const struct plane *plane, unsigned of_hundred)
{
	return choice(plane, 100) < of_hundred;
}

static uint64_t between(const struct plane *plane, uint64_t from, uint64_t to)
{
	return from + choice(plane, to - from + 1);
}

static void put(struct plane *plane, const struct entity *entity)
{
	const enum err err = directory_put(plane->directory, entity);
	assert(err == ERR_NONE);
	(void)err;
}

// ---- the network

static void network_make(struct plane *plane)
{
	struct sim_network *network = &plane->network;
	const unsigned delay_ms = (unsigned)between(plane, 1, 60);
	network->delay_min_ms = network->delay_max_ms = delay_ms;
	network->cut_streams = percent(plane, 50);
	plane->orderly = percent(plane, 50);
	plane->store_fails = percent(plane, 20);
	plane->config_moves = percent(plane, 30);
	plane->transfers = percent(plane, 40);
	plane->dies = percent(plane, 10);
	plane->drain_at = percent(plane, 10) ? 1 + (unsigned)choice(plane, plane->calls_wanted) : 0;
	if (!plane->orderly) {
		network->delay_max_ms = delay_ms + (unsigned)choice(plane, 300);
		network->loss_permille = percent(plane, 70) ? (unsigned)choice(plane, 100) : 0;
		network->duplicate_permille = percent(plane, 50) ? (unsigned)choice(plane, 100) : 0;
		network->reorder_permille = percent(plane, 50) ? (unsigned)choice(plane, 200) : 0;
		network->reorder_ms = (unsigned)between(plane, 1, 1000);
		plane->flows_die = percent(plane, 40);
	}
	sim_set_network(plane->loop, network);
}

// ---- devices and their phones

static struct str hash_password(const struct plane_device *device, enum digest_algorithm algorithm, char *hex)
{
	const struct str pieces[] = {str_of(device->number), STR("carillon.example"), str_of(device->password)};
	return digest_joined_hex(algorithm, pieces, 3, hex);
}

static enum transport transport_choose(const struct plane *plane, enum phone_role role)
{
	static const enum transport of_devices[] = {TRANSPORT_UDP, TRANSPORT_UDP, TRANSPORT_UDP, TRANSPORT_UDP,
						    TRANSPORT_TCP, TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_TLS,
						    TRANSPORT_WS,  TRANSPORT_WSS};
	static const enum transport of_carriers[] = {TRANSPORT_UDP, TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS};
	return role == PHONE_DEVICE ? of_devices[choice(plane, sizeof of_devices / sizeof *of_devices)]
				    : of_carriers[choice(plane, sizeof of_carriers / sizeof *of_carriers)];
}

static void phone_make(struct plane *plane, const struct plane_device *device)
{
	const unsigned index = plane->phone_count;
	const struct net_address address = {
	    .family = 4, .port = 5060, .bytes = {10, 1, (uint8_t)(index / 200), (uint8_t)(1 + index % 200)}};
	struct phone *phone = phone_create(&(struct phone_settings){
	    .plane = plane,
	    .index = index,
	    .role = PHONE_DEVICE,
	    .transport = transport_choose(plane, PHONE_DEVICE),
	    .address = address,
	});
	phone->never_pongs = !plane->orderly && percent(plane, 10);
	snprintf(phone->number, sizeof phone->number, "%s", device->number);
	snprintf(phone->password, sizeof phone->password, "%s", device->password);
	phone->device_id = device->device.entity.id;
	if (device->holder >= 0)
		snprintf(phone->extension, sizeof phone->extension, "%s", plane->users[device->holder].extension);
	phone->expires_s = (unsigned)between(plane, 60, 900);
	timer_start(plane->loop, &phone->register_timer, 1 + choice(plane, 3000));
	plane->phones[plane->phone_count++] = phone;
}

static struct plane_device *device_new(struct plane *plane, int holder, int kind)
{
	struct plane_device *made = &plane->devices[plane->device_count];
	struct device *device = &made->device;
	device->entity = (struct entity){ENTITY_DEVICE, DEVICE_ID + plane->device_count, 1};
	device->device_kind = kind;
	made->holder = holder;
	snprintf(made->title, sizeof made->title, "Device %u", plane->device_count);
	device->title = str_of(made->title);
	device->nat = (int)choice(plane, 3);
	plane->device_count++;
	return made;
}

static uint64_t sip_device_make(struct plane *plane, int holder)
{
	struct plane_device *made = device_new(plane, holder, percent(plane, 50) ? DEVICE_SIP_PHONE : DEVICE_SOFTPHONE);
	struct device *device = &made->device;
	snprintf(made->number, sizeof made->number, "device-%ux", plane->device_count);
	snprintf(made->password, sizeof made->password, "secret%u", plane->device_count);
	device->number = str_of(made->number);
	device->ha1_md5 = hash_password(made, DIGEST_MD5, made->ha1_md5);
	device->ha1_sha256 = hash_password(made, DIGEST_SHA256, made->ha1_sha256);
	device->do_not_disturb = percent(plane, 3);
	device->call_limit = percent(plane, 10) ? (int64_t)between(plane, 1, 3) : 0;
	put(plane, &device->entity);
	unsigned phones = percent(plane, 85) ? 1 : percent(plane, 50) ? 2 : 0;
	if (plane->phone_count == 0 && phones == 0)
		phones = 1; // somebody has to call
	for (; phones > 0; phones--)
		phone_make(plane, made);
	return device->entity.id;
}

static uint64_t external_device_make(struct plane *plane, int holder)
{
	struct plane_device *made = device_new(plane, holder, DEVICE_EXTERNAL);
	struct device *device = &made->device;
	snprintf(made->number, sizeof made->number, "01444 %06u", plane->device_count);
	snprintf(made->canonical, sizeof made->canonical, "+441444%06u", plane->device_count);
	device->number = str_of(made->number);
	device->canonical = str_of(made->canonical);
	device->caller_id = percent(plane, 70) ? CALLER_ID_ORIGINAL : CALLER_ID_OWN_DID;
	device->too_soon_ms = percent(plane, 20) ? 1500 : 0;
	device->too_late_ms = percent(plane, 20) ? 19000 : 0;
	put(plane, &device->entity);
	return device->entity.id;
}

// ---- users

static void user_turns_make(struct plane *plane, int index)
{
	struct plane_user *made = &plane->users[index];
	const size_t wanted = choice(plane, 5);
	for (size_t i = 0; i < wanted && plane->device_count < PLANE_DEVICES_MAX - 8; i++) {
		made->turns[i] = (struct turn_plan){
		    .device_id =
			percent(plane, 80) ? sip_device_make(plane, index) : external_device_make(plane, index),
		    .start_s = percent(plane, 50) ? 0 : (int64_t)choice(plane, 15),
		    .ring_s = (int64_t)between(plane, 1, 25),
		};
		made->user.turn_count++;
	}
	made->user.turns = made->turns;
}

static void user_habits_make(struct plane *plane, int index)
{
	struct plane_user *made = &plane->users[index];
	struct user *user = &made->user;
	user->strategy = percent(plane, 50) ? STRATEGY_AT_ONCE : STRATEGY_IN_SEQUENCE;
	user->call_limit = percent(plane, 75) ? 0 : (int64_t)between(plane, 1, 4);
	user->do_not_disturb = percent(plane, 5);
	user->pickup_group = plane->transfers && percent(plane, 80) ? STR("office") : STR_NONE;
	user->decline_stops = percent(plane, 70) ? DECLINE_DEVICE : DECLINE_ALL;
	user->six_hundred_stops_all = percent(plane, 70);
	user->unanswered =
	    percent(plane, 60) ? (int)choice(plane, 2) : (int)between(plane, UNANSWERED_EXTENSION, UNANSWERED_OUTSIDE);
	user->toll_class = (int64_t)choice(plane, 4);
	if (user->unanswered == UNANSWERED_EXTENSION)
		snprintf(made->target, sizeof made->target, "5%02u",
			 (unsigned)((unsigned)index + 1 + choice(plane, 3)));
	else
		snprintf(made->target, sizeof made->target, "020 7946 0%03u", (unsigned)choice(plane, 1000));
	user->unanswered_target = str_of(made->target);
}

static void users_make(struct plane *plane)
{
	plane->user_count = (unsigned)between(plane, 4, PLANE_USERS_MAX);
	for (unsigned i = 0; i < plane->user_count; i++) {
		struct plane_user *made = &plane->users[i];
		struct user *user = &made->user;
		user->entity = (struct entity){ENTITY_USER, USER_ID + i, 1};
		snprintf(made->name, sizeof made->name, "user%u", i);
		snprintf(made->title, sizeof made->title, "Person %u", i);
		snprintf(made->extension, sizeof made->extension, "5%02u", i);
		snprintf(made->caller_id, sizeof made->caller_id, "+44207946%04u", i);
		user->name = str_of(made->name);
		user->title = str_of(made->title);
		user->extension = str_of(made->extension);
		user->caller_id = percent(plane, 50) ? str_of(made->caller_id) : STR_NONE;
		user_habits_make(plane, (int)i);
		user_turns_make(plane, (int)i);
		put(plane, &user->entity);
	}
}

void configuration_change(struct plane *plane)
{
	const int index = (int)choice(plane, plane->user_count);
	if (percent(plane, 20)) // names that are known serve on
		sim_dns_servers(plane->loop, percent(plane, 50) ? SIM_DNS_SILENT : SIM_DNS_ANSWER);
	plane->users[index].changed = true;
	user_habits_make(plane, index);
	put(plane, &plane->users[index].user.entity);
}

static void turn_remove(struct plane_user *user, uint64_t device_id)
{
	size_t kept = 0;
	for (size_t i = 0; i < user->user.turn_count; i++)
		if (user->turns[i].device_id != device_id)
			user->turns[kept++] = user->turns[i];
	user->changed |= kept != user->user.turn_count;
	user->user.turn_count = kept;
}

void configuration_remove_device(struct plane *plane)
{
	if (plane->device_count == 0)
		return;
	const uint64_t id = plane->devices[choice(plane, plane->device_count)].device.entity.id;
	for (unsigned i = 0; i < plane->user_count; i++) {
		turn_remove(&plane->users[i], id);
		put(plane, &plane->users[i].user.entity);
	}
	directory_remove(plane->directory, ENTITY_DEVICE, id);
	registrations_forget(plane->registrations, id);
	for (unsigned i = 0; i < plane->phone_count; i++)
		if (plane->phones[i]->device_id == id)
			plane->phones[i]->removed = true;
}

void configuration_remove_user(struct plane *plane)
{
	struct plane_user *user = &plane->users[choice(plane, plane->user_count)];
	user->changed = true;
	directory_remove(plane->directory, ENTITY_USER, user->user.entity.id);
}

void configuration_change_trunk(struct plane *plane)
{
	if (plane->trunk_count == 0)
		return;
	struct trunk *trunk = &plane->trunks[choice(plane, plane->trunk_count)];
	trunk->enabled = !trunk->enabled;
	put(plane, &trunk->entity);
	sip_endpoint_trunk_changed(plane->endpoint, trunk->entity.id);
	for (unsigned i = 0; i < plane->phone_count; i++)
		if (plane->phones[i]->device_id == trunk->entity.id)
			plane->phones[i]->removed = true;
}

void configuration_rest(struct plane *plane)
{
	for (unsigned i = 0; i < plane->trunk_count; i++) {
		plane->trunks[i].options_interval_s = 0;
		put(plane, &plane->trunks[i].entity);
		sip_endpoint_trunk_changed(plane->endpoint, plane->trunks[i].entity.id);
	}
}

// ---- trunks

// A carrier by name, whose first machine is not there.
static void trunk_name(struct plane *plane, unsigned index)
{
	struct trunk *trunk = &plane->trunks[index];
	static const char *const services[] = {"_sip._udp", "_sip._tcp", "_sips._tcp"}; // RFC 3263 section 4.1
	char *name = plane->trunk_names[index], record[160];

	snprintf(name, sizeof plane->trunk_names[index], "carrier%u.example", index);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(record, sizeof record, "%s.%s 60 SRV %u 0 5060 host%u.%s", services[trunk->transport], name,
			 10 + i, i, name);
		sim_dns_add(plane->loop, record);
	}
	snprintf(record, sizeof record, "host0.%s 60 A 10.9.1.%u", name, 1 + index);
	sim_dns_add(plane->loop, record);
	snprintf(record, sizeof record, "host1.%s 60 A %.*s", name, STR_ARG(trunk->host));
	sim_dns_add(plane->loop, record);
	trunk->host = str_of(name);
	trunk->port = 0;
}

static void trunk_make(struct plane *plane, unsigned index)
{
	const struct net_address address = {.family = 4, .port = 5060, .bytes = {10, 9, 0, (uint8_t)(1 + index)}};
	const bool named = percent(plane, 30);
	char name[24];
	if (named)
		snprintf(name, sizeof name, "carrier%u.example", index);
	else
		snprintf(name, sizeof name, "10.9.0.%u", 1 + index);
	struct trunk *trunk = &plane->trunks[index];
	struct phone *carrier = phone_create(&(struct phone_settings){
	    .plane = plane,
	    .index = plane->phone_count,
	    .role = PHONE_CARRIER,
	    .transport = transport_choose(plane, PHONE_CARRIER),
	    .address = address,
	    .name = str_of(name),
	});
	plane->phones[plane->phone_count++] = carrier;
	carrier->device_id = TRUNK_ID + index;
	carrier->challenges = percent(plane, 50);
	snprintf(carrier->number, sizeof carrier->number, "account%u", index);
	snprintf(carrier->password, sizeof carrier->password, "carrier%u", index);
	*trunk = (struct trunk){
	    .entity = {ENTITY_TRUNK, TRUNK_ID + index, 1},
	    .title = index ? STR("Second carrier") : STR("First carrier"),
	    .host = str_of(carrier->host),
	    .port = 5060,
	    .transport = (int)carrier->transport,
	    .username = str_of(carrier->number),
	    .password = str_of(carrier->password),
	    .realm = percent(plane, 50) ? STR("carrier") : STR_NONE,
	    .caller_id = STR("+442079460000"),
	    .trusts_asserted_identity = true,
	    .from_name = true,
	    .options_interval_s = percent(plane, 50) ? 5 + (int64_t)choice(plane, 30) : 0,
	    .enabled = true,
	};
	if (named)
		trunk_name(plane, index);
	put(plane, &trunk->entity);
	sip_endpoint_trunk_changed(plane->endpoint, trunk->entity.id);
	const struct route route = {
	    .entity = {ENTITY_ROUTE, ROUTE_ID + index, 1}, .trunk_id = trunk->entity.id, .cost = index};
	put(plane, &route.entity);
	plane->trunk_count++;
}

static void dids_make(struct plane *plane)
{
	for (unsigned i = 0; i < plane->user_count; i++) {
		const struct did did = {
		    .entity = {ENTITY_DID, DID_ID + i, 1},
		    .number = str_of(plane->users[i].caller_id),
		    .canonical = str_of(plane->users[i].caller_id),
		    .user_id = plane->users[i].user.entity.id,
		};
		put(plane, &did.entity);
	}
}

// Limits of calls to the outside, tight enough to be reached in a world of a few hundred calls.
static void site_make(struct plane *plane)
{
	plane->site.entity = (struct entity){ENTITY_SITE, SITE_ID, 1};
	if (percent(plane, 30)) {
		plane->site.outside_legs_max = 1 + (int64_t)choice(plane, 4);
		plane->site.outside_legs_per_hour = 5 + (int64_t)choice(plane, 40);
		plane->site.user_outside_legs_max = 1 + (int64_t)choice(plane, 3);
		plane->site.user_international_legs_per_hour = 1 + (int64_t)choice(plane, 10);
	}
	put(plane, &plane->site.entity);
}

void configuration_make(struct plane *plane)
{
	network_make(plane);
	site_make(plane);
	users_make(plane);
	if (percent(plane, 40) || plane->phone_count == 0)
		sip_device_make(plane, -1); // a device that belongs to nobody
	for (uint64_t trunks = choice(plane, PLANE_CARRIERS_MAX + 1); trunks > 0; trunks--)
		trunk_make(plane, plane->trunk_count);
	dids_make(plane);
}

// ---- habits

static unsigned refusal_make(const struct plane *plane)
{
	static const unsigned refusals[] = {486, 486, 486, 486, 603, 603, 600, 606, 480, 404, 404, 500,
					    503, 488, 408, 302, 403, 415, 420, 484, 410, 487, 401, 580};
	return refusals[choice(plane, sizeof refusals / sizeof *refusals)];
}

static enum decision decision_make(const struct plane *plane)
{
	const uint64_t drawn = choice(plane, 100);
	return drawn < 45 ? DECIDE_ANSWER : drawn < 70 ? DECIDE_REFUSE : drawn < 95 ? DECIDE_NOTHING : DECIDE_VANISH;
}

struct manner plane_callee_manner(const struct plane *plane, const struct phone *phone)
{
	struct manner manner = {
	    .trying = percent(plane, 50),
	    .rings = percent(plane, 93),
	    .ring_after_ms = choice(plane, 1500),
	    .ring_again_ms = percent(plane, 60) ? between(plane, 300, 5000) : 0,
	    .ring_status = percent(plane, 80) ? 180 : 183,
	    .ring_tags = percent(plane, 80) ? 1 : (unsigned)between(plane, 2, 3),
	    .early_media = percent(plane, 30),
	    .decision = decision_make(plane),
	    .refusal = refusal_make(plane),
	    .on_cancel = percent(plane, 85)   ? ON_CANCEL_OBEY
			 : percent(plane, 80) ? ON_CANCEL_ANSWER
					      : ON_CANCEL_SILENT,
	    .answers_twice = percent(plane, 4),
	    .says_twice = percent(plane, 5),
	    .talk_ms = between(plane, 500, 40000),
	    .act_ms = percent(plane, 25) ? between(plane, 700, 10000) : 0,
	    .vanish_ms = percent(plane, 2) ? between(plane, 1, 30000) : 0,
	    .reliable = percent(plane, 40),
	    .session_s = percent(plane, 40) ? (unsigned)between(plane, 90, 300) : 0,
	};
	(void)phone;
	if (manner.session_s && percent(plane, 20))
		manner.talk_ms = between(plane, 40000, 600000);
	manner.decide_after_ms = manner.decision == DECIDE_ANSWER ? between(plane, 200, 20000) : choice(plane, 8000);
	if (percent(plane, 4))
		manner = (struct manner){.decision = DECIDE_NOTHING, .on_cancel = ON_CANCEL_SILENT, .talk_ms = 1000};
	return manner;
}

struct phone *configuration_caller(struct plane *plane)
{
	return plane->phones[choice(plane, plane->phone_count)];
}

void configuration_dialled(struct plane *plane, const struct phone *caller, char *dialled, size_t size)
{
	const struct plane_user *user = &plane->users[choice(plane, plane->user_count)];
	const uint64_t drawn = choice(plane, 100);
	if (caller->role == PHONE_CARRIER) {
		snprintf(dialled, size, "%s", drawn < 90 ? user->caller_id : "+442070000000");
		return;
	}
	if (plane->transfers && drawn < 5)
		snprintf(dialled, size, "*85");
	else if (plane->transfers && drawn < 15)
		snprintf(dialled, size, "*8%s", user->extension);
	else if (drawn < 85)
		snprintf(dialled, size, "%s", user->extension);
	else if (drawn < 93)
		snprintf(dialled, size, "020 7946 0%03u", (unsigned)choice(plane, 1000));
	else if (drawn < 95)
		snprintf(dialled, size, "999");
	else if (drawn < 97)
		snprintf(dialled, size, "%s", caller->number); // devices are never dialled
	else
		snprintf(dialled, size, "799");
	for (char *at = dialled; *at; at++)
		if (*at == ' ')
			*at = '-';
}

struct manner configuration_caller_manner(struct plane *plane, const struct phone *caller)
{
	const bool timer = percent(plane, 40), no_offer = percent(plane, 8);
	(void)caller;
	return (struct manner){
	    .reliable = !no_offer && percent(plane, 40),
	    .session_s = timer ? (unsigned)between(plane, 20, 400) : 0,
	    .give_up_ms = percent(plane, 30) ? between(plane, 1, 20000) : between(plane, 90000, 200000),
	    .no_offer = no_offer,
	    .vanish_ms = percent(plane, 3) ? between(plane, 1, 40000) : 0,
	    .talk_ms = timer && percent(plane, 20) ? between(plane, 40000, 600000) : between(plane, 500, 40000),
	    .act_ms = percent(plane, 25) ? between(plane, 700, 10000) : 0,
	};
}

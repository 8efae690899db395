// The people, devices and carriers of a simulated world, and their habits.
#include "sim/configuration.h"

#include "base/digest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { USER_ID = 100, DEVICE_ID = 1000 };

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

static void phone_make(struct plane *plane, const struct plane_device *device)
{
	const unsigned index = plane->phone_count;
	const struct net_address address = {
	    .family = 4, .port = 5060, .bytes = {10, 1, (uint8_t)(index / 200), (uint8_t)(1 + index % 200)}};
	struct phone *phone = phone_create(&(struct phone_settings){
	    .plane = plane,
	    .index = index,
	    .role = PHONE_DEVICE,
	    .transport = configuration_transport(plane, PHONE_DEVICE),
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
	device->verified_how = percent(plane, 60) ? VERIFIED_BY_ADMINISTRATOR : VERIFIED_NOT;
	put(plane, &device->entity);
	return device->entity.id;
}

// A new number, or one that others have as well.
static uint64_t external_device_take(struct plane *plane, int holder)
{
	const struct plane_device *other =
	    plane->device_count ? &plane->devices[choice(plane, plane->device_count)] : NULL;
	const struct plane_user *user = &plane->users[holder];

	if (!other || other->device.device_kind != DEVICE_EXTERNAL || percent(plane, 50))
		return external_device_make(plane, holder);
	for (size_t i = 0; i < user->user.turn_count; i++)
		if (user->turns[i].device_id == other->device.entity.id)
			return external_device_make(plane, holder);
	return other->device.entity.id;
}

// ---- users

static void user_turns_make(struct plane *plane, int index)
{
	struct plane_user *made = &plane->users[index];
	const size_t wanted = percent(plane, 5) ? 0 : between(plane, 1, 4);
	for (size_t i = 0; i < wanted && plane->device_count < PLANE_DEVICES_MAX - 8; i++) {
		made->turns[i] = (struct turn_plan){
		    .device_id =
			percent(plane, 65) ? sip_device_make(plane, index) : external_device_take(plane, index),
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
	user->call_limit = percent(plane, 75) ? 0 : (int64_t)between(plane, 2, 5);
	user->do_not_disturb = percent(plane, 3);
	user->pickup_group = plane->transfers && percent(plane, 80) ? STR("office") : STR_NONE;
	user->decline_stops = percent(plane, 70) ? DECLINE_DEVICE : DECLINE_ALL;
	user->six_hundred_stops_all = percent(plane, 70);
	user->unanswered =
	    percent(plane, 50) ? (int)choice(plane, 2) : (int)between(plane, UNANSWERED_EXTENSION, UNANSWERED_OUTSIDE);
	user->toll_class = percent(plane, 60) ? (int64_t)between(plane, 2, 3) : (int64_t)choice(plane, 2);
	user->calls_any_time = percent(plane, 20);
	user->obey_redirects = percent(plane, 80);
	if (user->unanswered == UNANSWERED_EXTENSION)
		snprintf(made->target, sizeof made->target, "5%02u",
			 (unsigned)((unsigned)index + 1 + choice(plane, 3)));
	else
		configuration_outside_number(plane, made->target, sizeof made->target);
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

void configuration_make(struct plane *plane)
{
	network_make(plane);
	configuration_make_site(plane);
	users_make(plane);
	if (percent(plane, 40) || plane->phone_count == 0)
		sip_device_make(plane, -1); // a device that belongs to nobody
	configuration_make_trunks(plane);
}

// ---- habits

static unsigned refusal_make(const struct plane *plane)
{
	static const unsigned refusals[] = {486, 486, 302, 302, 603, 603, 600, 606, 480, 404, 404, 500,
					    503, 488, 408, 302, 403, 415, 420, 484, 410, 487, 401, 580};
	return refusals[choice(plane, sizeof refusals / sizeof *refusals)];
}

static enum decision decision_make(const struct plane *plane)
{
	const uint64_t drawn = choice(plane, 100);
	return drawn < 58 ? DECIDE_ANSWER : drawn < 75 ? DECIDE_REFUSE : drawn < 97 ? DECIDE_NOTHING : DECIDE_VANISH;
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
	if (plane->transfers && drawn < 3)
		snprintf(dialled, size, "*85");
	else if (plane->transfers && drawn < 9)
		snprintf(dialled, size, "*8%s", user->extension);
	else if (drawn < 74)
		snprintf(dialled, size, "%s", user->extension);
	else if (drawn < 95)
		configuration_outside_number(plane, dialled, size);
	else if (drawn < 96)
		snprintf(dialled, size, "999");
	else if (drawn < 98)
		snprintf(dialled, size, "%s", caller->number); // devices are never dialled
	else
		snprintf(dialled, size, "799");
	for (char *at = dialled; *at; at++)
		if (*at == ' ')
			*at = '-';
}

void configuration_sent_on(struct plane *plane, const struct phone *phone, char *dialled, size_t size)
{
	const struct plane_device *device;

	configuration_dialled(plane, phone, dialled, size);
	for (unsigned i = 0; i < plane->user_count; i++)
		for (size_t turn = 0; turn < plane->users[i].user.turn_count; turn++) {
			device = &plane->devices[plane->users[i].turns[turn].device_id - DEVICE_ID];
			if (strcmp(plane->users[i].extension, phone->extension) == 0 &&
			    device->device.device_kind == DEVICE_EXTERNAL && percent(plane, 50))
				snprintf(dialled, size, "%s", device->canonical);
		}
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

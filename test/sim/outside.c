// What a simulated world has of the outside: carriers, numbers, and what the site allows.
#include "sim/configuration.h"

#include "domain/did.h"
#include "domain/time_zone.h"

#include <stdio.h>

enum { TRUNK_ID = 9000, ROUTE_ID = 9100, DID_ID = 9200 };

enum transport configuration_transport(const struct plane *plane, enum phone_role role)
{
	static const enum transport of_devices[] = {TRANSPORT_UDP, TRANSPORT_UDP, TRANSPORT_UDP, TRANSPORT_UDP,
						    TRANSPORT_TCP, TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_TLS,
						    TRANSPORT_WS,  TRANSPORT_WSS};
	static const enum transport of_carriers[] = {TRANSPORT_UDP, TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS};
	return role == PHONE_DEVICE ? of_devices[choice(plane, sizeof of_devices / sizeof *of_devices)]
				    : of_carriers[choice(plane, sizeof of_carriers / sizeof *of_carriers)];
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
	    .transport = configuration_transport(plane, PHONE_CARRIER),
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

// ---- numbers, and what may be dialled

void configuration_outside_number(const struct plane *plane, char *number, size_t size)
{
	const struct plane_device *device =
	    plane->device_count ? &plane->devices[choice(plane, plane->device_count)] : NULL;
	const uint64_t drawn = choice(plane, 100);

	if (drawn < 25 && device && device->device.device_kind == DEVICE_EXTERNAL)
		snprintf(number, size, "%s", device->number);
	else if (drawn < 75)
		snprintf(number, size, "020 7946 00%02u", (unsigned)choice(plane, 10));
	else if (drawn < 85)
		snprintf(number, size, "00420 222 333 00%u", (unsigned)choice(plane, 5));
	else if (drawn < 93)
		snprintf(number, size, "0033 142 685 30%u", (unsigned)choice(plane, 3));
	else
		snprintf(number, size, "0901 234 567%u", (unsigned)choice(plane, 2));
}

// Worlds last minutes: open or closed, they stay so.
static void opening_hours_make(struct plane *plane)
{
	static const char *const hours[] = {"mon 00:00-24:00", "tue 00:00-24:00", "wed 00:00-24:00", "thu 00:00-24:00",
					    "fri 00:00-24:00", "sat 00:00-24:00", "sun 00:00-24:00"};
	const struct local_time now = time_zone_local(STR("UTC"), (int64_t)loop_time_ms(plane->loop));

	plane->closed = percent(plane, 50);
	plane->site.time_zone = STR("UTC");
	plane->site.opening_hours = str_of(hours[(now.weekday + (plane->closed ? 3 : 0)) % 7]);
	plane->site.closed_toll_class = (int64_t)choice(plane, 3);
}

// Limits are tight enough to be reached in a world of a few hundred calls.
void configuration_make_site(struct plane *plane)
{
	struct site *site = &plane->site;

	site->entity = (struct entity){ENTITY_SITE, SITE_ID, 1};
	if (percent(plane, 30)) {
		site->outside_legs_max = (int64_t)between(plane, 2, 8);
		site->outside_legs_per_hour = (int64_t)between(plane, 10, 100);
		site->user_outside_legs_max = (int64_t)between(plane, 1, 3);
		site->user_international_legs_per_hour = (int64_t)between(plane, 1, 10);
	}
	if (percent(plane, 20))
		site->denied_prefixes = STR("+442079460007 +420222333004");
	if (percent(plane, 20))
		site->premium_prefixes = STR("+442079460005 +442079460006 +442079460008");
	if (percent(plane, 20))
		site->allowed_countries = STR("FR");
	if (percent(plane, 20))
		opening_hours_make(plane);
	site->require_verified_numbers = percent(plane, 20);
	put(plane, &site->entity);
}

void configuration_make_trunks(struct plane *plane)
{
	for (uint64_t trunks = percent(plane, 10) ? 0 : between(plane, 1, PLANE_CARRIERS_MAX); trunks > 0; trunks--)
		trunk_make(plane, plane->trunk_count);
	dids_make(plane);
}

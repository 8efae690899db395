// The memory of servers that are not to be tried: a few places, searched in order.
#include "sip/dead_targets.h"

#include "base/log.h"
#include "base/writer.h"

static const char *const health_names[] = {"alive", "busy", "dead"};

bool sip_target_equal(const struct sip_target *a, const struct sip_target *b)
{
	return a->transport == b->transport && net_address_equal(&a->address, &b->address);
}

static bool in_force(const struct dead_target *place, const struct loop *loop)
{
	return place->health != TARGET_ALIVE && loop_now_ms(loop) < place->until_ms;
}

static const struct dead_target *find(const struct dead_targets *dead, const struct sip_target *target)
{
	for (size_t i = 0; i < DEAD_TARGETS_MAX; i++)
		if (dead->places[i].health != TARGET_ALIVE && sip_target_equal(&dead->places[i].target, target))
			return &dead->places[i];
	return NULL;
}

static size_t place_for(const struct dead_targets *dead, const struct sip_target *target)
{
	const struct dead_target *known = find(dead, target);
	size_t earliest = 0;

	if (known)
		return (size_t)(known - dead->places);
	for (size_t i = 0; i < DEAD_TARGETS_MAX; i++) {
		if (dead->places[i].health == TARGET_ALIVE)
			return i;
		if (dead->places[i].until_ms < dead->places[earliest].until_ms)
			earliest = i;
	}
	return earliest;
}

void dead_targets_note(struct dead_targets *dead, struct loop *loop, const struct sip_target *target,
		       enum target_health health, uint64_t duration_ms)
{
	const struct dead_target *known = find(dead, target);
	char text[64];
	struct writer w = writer_into(text, sizeof text);

	if (health == TARGET_ALIVE && !known)
		return;
	net_address_write(&w, &target->address);
	if (!known || known->health != health)
		log_at(health == TARGET_BUSY ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "sip_target",
		       LOG_STR("address", writer_result(&w)), LOG_TEXT("transport", transport_names[target->transport]),
		       LOG_TEXT("from", health_names[known ? known->health : TARGET_ALIVE]),
		       LOG_TEXT("to", health_names[health]));
	dead->places[place_for(dead, target)] = (struct dead_target){
	    .target = *target,
	    .health = health,
	    .until_ms = duration_ms == TARGET_UNTIL_CHECKED ? UINT64_MAX : loop_now_ms(loop) + duration_ms,
	};
}

enum target_health dead_targets_look(const struct dead_targets *dead, const struct loop *loop,
				     const struct sip_target *target)
{
	const struct dead_target *place = find(dead, target);
	return place && in_force(place, loop) ? place->health : TARGET_ALIVE;
}

unsigned dead_targets_count(const struct dead_targets *dead, const struct loop *loop)
{
	unsigned count = 0;
	for (size_t i = 0; i < DEAD_TARGETS_MAX; i++)
		count += in_force(&dead->places[i], loop);
	return count;
}

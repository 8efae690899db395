// What configuration.c (people, devices, habits) and outside.c (trunks, numbers, what the site allows) draw from the seed with.
#ifndef TEST_SIM_CONFIGURATION_H
#define TEST_SIM_CONFIGURATION_H

#include "sim/plane.h"

#include <assert.h>

static inline uint64_t choice(const struct plane *plane, uint64_t below)
{
	return sim_choice(plane->loop, below);
}

static inline bool percent(const struct plane *plane, unsigned of_hundred)
{
	return choice(plane, 100) < of_hundred;
}

static inline uint64_t between(const struct plane *plane, uint64_t from, uint64_t to)
{
	return from + choice(plane, to - from + 1);
}

static inline void put(struct plane *plane, const struct entity *entity)
{
	const enum err err = directory_put(plane->directory, entity);
	assert(err == ERR_NONE);
	(void)err;
}

enum transport configuration_transport(const struct plane *plane, enum phone_role role);
void configuration_make_site(struct plane *plane);
void configuration_make_trunks(struct plane *plane); // and DIDs
// One of a few, as somebody may write it: national, abroad, premium, or an external device's.
void configuration_outside_number(const struct plane *plane, char *number, size_t size);

#endif

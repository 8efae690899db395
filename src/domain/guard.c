// Which times of the voicemail guard count.
#include "domain/guard.h"

static uint64_t time_of(int64_t own_ms, int64_t site_ms)
{
	return (uint64_t)(own_ms == FIELD_OPEN ? site_ms : own_ms);
}

struct guard guard_of(const struct device *device, const struct site *site)
{
	struct guard guard = {0, 0};

	if (device_kind_registers(device->device_kind))
		return guard;
	guard.too_soon_ms = time_of(device->too_soon_ms, site ? site->too_soon_ms : 0);
	guard.too_late_ms = time_of(device->too_late_ms, site ? site->too_late_ms : 0);
	// One of the two is the site's, which knew nothing of the other: the device's own counts.
	if (guard.too_soon_ms && guard.too_late_ms && guard.too_late_ms <= guard.too_soon_ms) {
		if (device->too_soon_ms == FIELD_OPEN)
			guard.too_soon_ms = 0;
		else
			guard.too_late_ms = 0;
	}
	return guard;
}

enum err guard_check(int64_t too_soon_ms, int64_t too_late_ms, struct problem *problem)
{
	if (too_soon_ms > 0 && too_late_ms > 0 && too_late_ms <= too_soon_ms)
		return problem_set(problem, ERR_INVALID_FIELD, "too_late_ms",
				   "Too late must be later than too soon, or nobody can answer.");
	return ERR_NONE;
}

// What must hold of every leg to the outside, judged by what carriers see and by what the world was made of: nothing here asks the
// server's own code.
#include "sim/plane.h"

#include <stdio.h>
#include <string.h>

enum { CLASS_NATIONAL = 1, CLASS_INTERNATIONAL = 2, CLASS_PREMIUM = 3 };

// ---- numbers

// "020 7946 0005", "0033-142 ...": the worlds are in the United Kingdom.
static void canonical_write(const char *written, char *into, size_t size)
{
	char digits[64];
	size_t used = 0;

	for (; *written && used + 1 < sizeof digits; written++)
		if ((*written >= '0' && *written <= '9') || *written == '+')
			digits[used++] = *written;
	digits[used] = '\0';
	if (strncmp(digits, "00", 2) == 0)
		snprintf(into, size, "+%s", digits + 2);
	else if (digits[0] == '0')
		snprintf(into, size, "+44%s", digits + 1);
	else
		snprintf(into, size, "%s", digits);
}

static bool is_number(const char *written, struct str number)
{
	char canonical[80];

	canonical_write(written, canonical, sizeof canonical);
	return str_equal(str_of(canonical), number);
}

static bool begins_with_any(struct str number, struct str prefixes)
{
	struct str prefix;

	while (str_take(&prefixes, ' ', &prefix))
		if (str_starts(number, prefix))
			return true;
	return false;
}

// Short codes are as well.
static bool is_national(struct str number)
{
	return number.at[0] != '+' || str_starts(number, STR("+44"));
}

static int class_of(const struct plane *plane, struct str number)
{
	if (str_starts(number, STR("+44901")) || begins_with_any(number, plane->site.premium_prefixes))
		return CLASS_PREMIUM;
	return is_national(number) ? CLASS_NATIONAL : CLASS_INTERNATIONAL;
}

// ---- who may

static bool user_may(const struct plane *plane, const struct plane_user *made, struct str number)
{
	int64_t held = made->user.toll_class;

	if (made->changed) // and what it was is not remembered
		return true;
	if (plane->closed && !made->user.calls_any_time && held > plane->site.closed_toll_class)
		held = plane->site.closed_toll_class;
	return class_of(plane, number) <= held;
}

static bool rings_number(const struct plane *plane, const struct plane_user *made, struct str number)
{
	for (size_t i = 0; i < made->user.turn_count; i++)
		for (unsigned d = 0; d < plane->device_count; d++) {
			const struct device *device = &plane->devices[d].device;
			if (device->entity.id == made->turns[i].device_id && device->device_kind == DEVICE_EXTERNAL &&
			    str_equal(device->canonical, number) &&
			    (!plane->site.require_verified_numbers || device->verified_how != VERIFIED_NOT))
				return true;
		}
	return false;
}

// To where, only the phone knows.
static bool was_sent_on(const struct phone_call *caller)
{
	list_each (node, following, &caller->legs)
		if (container_of(node, const struct phone_call, leg_node)->final == 302)
			return true;
	return false;
}

// He dials it, has it on his ring plan, or sends his calls there.
static bool has_reason(const struct plane *plane, const struct plane_user *made, const struct phone_call *caller,
		       struct str number)
{
	bool dials = !caller || caller->moved || plane->transfers || was_sent_on(caller) ||
		     (strcmp(caller->phone->extension, made->extension) == 0 && is_number(caller->dialled, number));

	return dials || made->changed || rings_number(plane, made, number) ||
	       (made->user.unanswered == UNANSWERED_OUTSIDE && is_number(made->target, number));
}

void referee_judge_outside(struct plane *plane, const struct phone_call *leg, const struct sip_message *invite)
{
	const struct phone_call *caller = leg->peer;
	struct str number = invite->uri.user;

	if (leg->phone->role != PHONE_CARRIER || str_equal(number, STR("999")))
		return;
	if (begins_with_any(number, plane->site.denied_prefixes))
		plane_fail(plane, leg, "%.*s is dialled, which nobody may", STR_ARG(number));
	if (!str_empty(plane->site.allowed_countries) && !is_national(number) && !str_starts(number, STR("+33")))
		plane_fail(plane, leg, "%.*s is dialled, of a country that nobody may call", STR_ARG(number));
	for (unsigned i = 0; i < plane->user_count; i++)
		if (has_reason(plane, &plane->users[i], caller, number) && user_may(plane, &plane->users[i], number))
			return;
	plane_fail(plane, leg, "%.*s is dialled, and nobody who may has a reason to", STR_ARG(number));
}

// ---- a number rings once

// Open for carriers, and the server knows it: that one has said something was on its way back long enough.
static bool is_open(const struct plane *plane, const struct phone_call *leg, uint64_t by_ms)
{
	return leg->ringing_ms && leg->ringing_ms + 2 * plane->network.delay_max_ms < by_ms && !leg->cancelled_ms &&
	       !leg->over_ms && !leg->vanished && !leg->network_failed && !leg->twin;
}

// In an orderly world what is sent first arrives first: the CANCEL or BYE of one before the INVITE of the next.
void referee_judge_twice(struct plane *plane, const struct phone_call *leg, const struct sip_message *invite)
{
	if (!plane->orderly || leg->phone->role != PHONE_CARRIER || leg->peer->moved)
		return;
	list_each (node, following, &leg->peer->legs) {
		const struct phone_call *other = container_of(node, struct phone_call, leg_node);
		if (other != leg && other->phone->role == PHONE_CARRIER && is_open(plane, other, leg->started_ms) &&
		    str_equal(str_of(other->dialled), invite->uri.user))
			plane_fail(plane, leg, "%.*s rings twice for one call", STR_ARG(invite->uri.user));
	}
}

// Numbers as a trunk wants them on the wire: what we dial, and what we show.
#ifndef DOMAIN_TRUNK_NUMBER_H
#define DOMAIN_TRUNK_NUMBER_H

#include "domain/number.h"
#include "domain/trunk.h"

// A canonical number in this form. Short codes, extensions and whatever does not begin with '+' stay as they are.
struct str number_formatted(const struct number_plan *plan, enum number_format format, struct str canonical,
			    char room[ROUTE_NUMBER_MAX]);
// The called number: rewritten by the route, then in the trunk's form, when it still begins with '+'. So a route that takes the '+' off
// says itself what its numbers look like. An emergency code goes as route_number says.
struct str trunk_number(const struct number_plan *plan, const struct trunk *trunk, const struct route *route,
			bool emergency, struct str canonical, char room[ROUTE_NUMBER_MAX]);

#endif

// The forms of numbers.
#include "domain/trunk_number.h"

#include <string.h>

struct str number_formatted(const struct number_plan *plan, enum number_format format, struct str canonical,
			    char room[ROUTE_NUMBER_MAX])
{
	struct writer w = writer_into(room, ROUTE_NUMBER_MAX);
	struct str digits = str_from(canonical, 1);

	if (str_empty(canonical) || canonical.at[0] != '+')
		return canonical;
	switch (format) {
	case NUMBER_FORMAT_E164:
		return canonical;
	case NUMBER_FORMAT_E164_NO_PLUS:
		return digits;
	case NUMBER_FORMAT_NATIONAL:
		if (str_empty(plan->country_code) || !str_starts(digits, plan->country_code))
			break;
		writer_str(&w, plan->national_prefix);
		writer_str(&w, str_from(digits, plan->country_code.length));
		return writer_result(&w);
	case NUMBER_FORMAT_INTERNATIONAL:
		break;
	}
	writer_str(&w, plan->international_prefix);
	writer_str(&w, digits);
	return writer_result(&w);
}

struct str trunk_number(const struct number_plan *plan, const struct trunk *trunk, const struct route *route,
			bool emergency, struct str canonical, char room[ROUTE_NUMBER_MAX])
{
	char rewritten[ROUTE_NUMBER_MAX];
	struct str number = route_number(route, emergency, canonical, rewritten);
	struct str formatted = number_formatted(plan, (enum number_format)trunk->called_format, number, room);

	// It may lie in `rewritten`, or be a part of it.
	if (formatted.at != room && formatted.length <= ROUTE_NUMBER_MAX && formatted.length > 0) {
		memmove(room, formatted.at, formatted.length);
		formatted.at = room;
	}
	return formatted;
}

// The two tables of what SIP and the telephone network say of an ending.
#include "domain/cause.h"

#include <stddef.h>

static const struct {
	unsigned status;
	const char *text;
} causes[CAUSE_MAX + 1] = {
#define CAUSE(cause, status, text) [cause] = {status, text},
#include "domain/causes.def"
#undef CAUSE
};

// RFC 3398 section 8.2.6.1. 480 is what we say when nobody answered, 408 is no answer from us; 488 and 606 are for lack of a
// common codec. 487 is the caller's own doing.
static const struct {
	unsigned status, cause;
} of_status[] = {
    {400, 41},  {401, 21}, {402, 21},  {403, 21},  {404, 1},  {405, 63},  {406, 79},  {407, 21},
    {408, 102}, {410, 22}, {413, 127}, {414, 127}, {415, 79}, {416, 127}, {420, 127}, {421, 127},
    {423, 127}, {480, 18}, {481, 41},  {482, 25},  {483, 25}, {484, 28},  {485, 1},   {486, 17},
    {488, 88},  {500, 41}, {501, 79},  {502, 38},  {503, 41}, {504, 102}, {505, 127}, {513, 127},
    {580, 47},  {600, 17}, {603, 21},  {604, 1},   {606, 88}, {607, 21},  {608, 21},
};

unsigned cause_of_status(unsigned status)
{
	for (size_t i = 0; i < sizeof of_status / sizeof *of_status; i++)
		if (of_status[i].status == status)
			return of_status[i].cause;
	return CAUSE_NONE;
}

unsigned status_of_cause(unsigned cause)
{
	return cause <= CAUSE_MAX ? causes[cause].status : 0;
}

const char *cause_text(unsigned cause)
{
	return cause <= CAUSE_MAX && causes[cause].text ? causes[cause].text : "";
}

// One Reason value's "cause" parameter when its protocol is Q.850. Quoted text was cut off before.
static unsigned cause_of_value(struct str value)
{
	struct str piece;
	uint64_t cause;

	if (!str_take(&value, ';', &piece) || !str_equal_nocase(str_trim(piece), STR("Q.850")))
		return CAUSE_NONE;
	while (str_take(&value, ';', &piece)) {
		struct str name;
		if (!str_take(&piece, '=', &name) || !str_equal_nocase(str_trim(name), STR("cause")))
			continue;
		return str_to_uint(str_trim(piece), CAUSE_MAX, &cause) ? (unsigned)cause : CAUSE_NONE;
	}
	return CAUSE_NONE;
}

unsigned cause_in_reason(struct str value)
{
	bool quoted = false;
	size_t begin = 0;

	for (size_t i = 0; i <= value.length; i++) {
		bool ends = i == value.length;
		if (!ends && value.at[i] == '\\' && quoted) {
			i++;
			continue;
		}
		if (!ends && value.at[i] == '"')
			quoted = !quoted;
		if (!ends && (value.at[i] != ',' || quoted))
			continue;
		unsigned cause = cause_of_value(str_first(str_from(value, begin), i - begin));
		if (cause)
			return cause;
		begin = i + 1;
	}
	return CAUSE_NONE;
}

unsigned status_understood(unsigned status, unsigned cause)
{
	unsigned said = status_of_cause(cause);

	if (said == 0)
		return status;
	switch (status) {
	case 480:
	case 500:
	case 502:
	case 503:
	case 504:
	case 580:
		return said;
	default:
		return status;
	}
}

unsigned status_for_carrier(unsigned status)
{
	if (status == 408 || (status >= 500 && status < 600))
		return 480;
	return status == 600 ? 486 : status;
}

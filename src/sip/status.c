// The usual phrases of the response codes.
#include "sip/message.h"

static struct str phrase_of_class(unsigned status)
{
	switch (status / 100) {
	case 1:
		return STR("Session Progress");
	case 2:
		return STR("OK");
	case 3:
		return STR("Redirection");
	case 4:
		return STR("Request Failure");
	case 5:
		return STR("Server Failure");
	default:
		return STR("Global Failure");
	}
}

struct str sip_reason_phrase(unsigned status)
{
	switch (status) {
#define STATUS(number, phrase)                                                                                         \
	case number:                                                                                                   \
		return STR(phrase);
#include "sip/statuses.def"
#undef STATUS
	default:
		return phrase_of_class(status);
	}
}

// The reasons for which calls are sent on.
#include "domain/diversion.h"

#include <stddef.h>

const char *const diversion_reason_names[] = {
#define DIVERSION_REASON(name, text, cause) text,
#include "domain/diversion_reasons.def"
#undef DIVERSION_REASON
    NULL};

unsigned diversion_cause(enum diversion_reason reason)
{
	static const unsigned causes[] = {
#define DIVERSION_REASON(name, text, cause) cause,
#include "domain/diversion_reasons.def"
#undef DIVERSION_REASON
	};
	return causes[reason];
}

// Why a trunk is shown one number of the caller and no other.
#ifndef DOMAIN_SHOWN_REASON_H
#define DOMAIN_SHOWN_REASON_H

enum shown_reason {
#define SHOWN_REASON(name, text, sentence) SHOWN_REASON_##name,
#include "domain/shown_reasons.def"
#undef SHOWN_REASON
};
extern const char *const shown_reason_names[]; // "original" ..., ends with NULL
const char *shown_reason_sentence(enum shown_reason reason);

#endif

// The refusals of err.def as an enumeration; 0 is success.
#ifndef DOMAIN_ERR_H
#define DOMAIN_ERR_H

#include "base/str.h"

enum err {
	ERR_NONE = 0,
#define ERR(name, text, http, sip, sentence) ERR_##name,
#include "domain/err.def"
#undef ERR
	ERR_COUNT
};

const char *err_name(enum err err);     // "not_found"
const char *err_sentence(enum err err); // "There is no such thing."
unsigned err_http_status(enum err err);
unsigned err_sip_status(enum err err);

// What is wrong with one request, said so that a person can mend it.
struct problem {
	enum err err;
	char field[64];     // the field it is about, or ""
	char sentence[256]; // never empty once err is set
	uint64_t other_id;  // the entity that stands in the way, or 0
};

// Fills in the problem (the first one stays) and gives its err. A NULL sentence takes err's own; a NULL problem is
// filled in nowhere.
enum err problem_set(struct problem *problem, enum err err, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif

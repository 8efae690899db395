// Feature codes: what a user dials not to call somebody but to have something done. Each is one row of feature_codes.def, set in the
// configuration.
#ifndef DOMAIN_FEATURE_CODE_H
#define DOMAIN_FEATURE_CODE_H

#include "base/str.h"

enum feature {
#define FEATURE(name, key, fallback, argument, help) FEATURE_##name,
#include "domain/feature_codes.def"
#undef FEATURE
	FEATURE_COUNT,
	FEATURE_NONE = FEATURE_COUNT
};

// The codes of a site; an empty one is off. Slices live as long as whoever holds them says.
struct feature_codes {
	struct str code[FEATURE_COUNT];
};

extern const struct feature_codes feature_codes_usual;
// What was dialled: the feature, and what was dialled behind its code. The longest code that fits counts, and one that takes
// nothing behind it fits only alone.
enum feature feature_of(const struct feature_codes *codes, struct str dialled, struct str *argument);

#endif

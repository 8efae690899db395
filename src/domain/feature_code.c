// Finds the feature code in what was dialled.
#include "domain/feature_code.h"

static const bool takes_argument[FEATURE_COUNT] = {
#define FEATURE(name, key, fallback, argument, help) [FEATURE_##name] = argument,
#include "domain/feature_codes.def"
#undef FEATURE
};

const struct feature_codes feature_codes_usual = {{
#define FEATURE(name, key, fallback, argument, help) [FEATURE_##name] = {fallback, sizeof(fallback) - 1},
#include "domain/feature_codes.def"
#undef FEATURE
}};

enum feature feature_of(const struct feature_codes *codes, struct str dialled, struct str *argument)
{
	enum feature found = FEATURE_NONE;
	size_t length = 0;

	for (int i = 0; i < FEATURE_COUNT; i++) {
		struct str code = codes->code[i];
		bool more = dialled.length > code.length;
		if (code.length <= length || !str_starts(dialled, code) || more != takes_argument[i])
			continue;
		found = (enum feature)i;
		length = code.length;
	}
	*argument = str_from(dialled, length);
	return found;
}

// Keys in bodies of SIP INFO: whatever comes is a key or none.
#include "domain/dtmf.h"
#include "fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str bytes = {(const char *)data, size};
	const struct body bodies[] = {{.type = STR("application/dtmf-relay"), .bytes = bytes},
				      {.type = STR("application/dtmf"), .bytes = bytes}};

	for (size_t i = 0; i < 2; i++) {
		char key = 0;
		if (dtmf_read(&bodies[i], &key))
			must(memchr("0123456789*#ABCD", key, 16) != NULL);
	}
	return 0;
}

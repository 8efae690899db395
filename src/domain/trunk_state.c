// The words for how a trunk is.
#include "domain/trunk_state.h"

#include <stddef.h>

const char *const trunk_service_names[] = {"unknown", "in_service", "out_of_service", NULL};

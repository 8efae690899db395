// The names of what a trunk's registration can be.
#include "domain/trunk_registration.h"

#include <stddef.h>

const char *const trunk_registration_status_names[] = {"off", "registering", "registered", "failed", "refused", NULL};

// The names that SIP requests sign in with: those of devices that register are their numbers, those of trunks their
// inbound_username. No two are the same, or nobody could say who it is.
#ifndef STORE_SIGN_IN_NAMES_H
#define STORE_SIGN_IN_NAMES_H

#include "store/change.h"

// Before a device or a trunk is written.
enum err sign_in_name_check(struct change_set *set, const struct entity *after);

#endif

// A list of SIP statuses as text, "403 488", separated by spaces.
#ifndef DOMAIN_STATUS_LIST_H
#define DOMAIN_STATUS_LIST_H

#include "base/str.h"

bool status_list_allowed(struct str text); // nothing but statuses from 400 to 699
bool status_list_holds(struct str list, unsigned status);

#endif

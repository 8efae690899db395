// What holds between DIDs: which number belongs to which must be certain.
#ifndef STORE_DID_RULES_H
#define STORE_DID_RULES_H

#include "domain/did.h"
#include "store/change.h"

// A DID in a sentence: "01444 555500", "01444 555500 to 555599".
#define DID_LABEL "number || CASE WHEN last = '' THEN '' ELSE ' to ' || last END"

// A narrower range stands out from a wider one; two of one width must not overlap. ERR_NOT_UNIQUE names the other.
enum err did_overlap_check(struct change_set *set, const struct did *did);

#endif

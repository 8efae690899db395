// Trunks that refuse calls because of the number shown. Such a call is tried once more with a number of the user's own, and for an hour
// that one is used at once.
#ifndef DOMAIN_NUMBER_REFUSAL_H
#define DOMAIN_NUMBER_REFUSAL_H

enum { NUMBER_REFUSAL_KEPT_MS = 3600000 };

// The statuses by which a carrier says so, of those that no person can mean; separated by spaces. Forbidden; the identity's
// (RFC 5079, RFC 8224); not acceptable; declined (by whom, only ringing tells); rejected on the way (RFC 8688). Not 607: that is
// a person's wish.
#define NUMBER_REFUSALS_USUAL "403 428 433 436 437 438 488 603 606 608"

#endif

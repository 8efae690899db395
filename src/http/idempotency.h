// Requests that are sent twice because nobody knows whether the first arrived: the second gets the first one's answer.
// In memory, and in the store without the secrets that an answer may show once: these are kept nowhere, so a request that comes again
// after a restart is answered without them. Refusals are in memory alone: they have done nothing.
#ifndef HTTP_IDEMPOTENCY_H
#define HTTP_IDEMPOTENCY_H

#include "http/answer.h"

struct idempotency;

enum { IDEMPOTENCY_KEY_MAX = 128, IDEMPOTENCY_KEPT_MAX = 4096, IDEMPOTENCY_BYTES_MAX = 8 << 20 };
static const int64_t IDEMPOTENCY_LIFE_MS = 24LL * 60 * 60 * 1000;

struct idempotency *idempotency_create(void); // NULL when there is no memory
void idempotency_destroy(struct idempotency *idempotency);

// True: `answer` is that of an earlier request with this key, or a refusal: KEY_REUSED when that one was another request,
// REQUEST_PENDING while it is still under way. False: the request must be worked on, and idempotency_end called with the
// answer. A request without a key is never answered here.
bool idempotency_begin(struct idempotency *idempotency, struct request *request, struct answer *answer);
// Keeps a copy of the answer, unless it is one that may be otherwise next time (5xx). What was done is known in the store since it
// was done: what the request writes carries the key.
void idempotency_end(struct idempotency *idempotency, const struct request *request, const struct answer *answer);

#endif

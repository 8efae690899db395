// Answers by idempotency key, for when a request comes again after a restart. A key is written by the transaction of what its request
// did, so neither is there without the other; the answer follows when it is known. It holds no secret.
#ifndef STORE_ANSWER_SQL_H
#define STORE_ANSWER_SQL_H

#include "domain/records.h"
#include "store/database.h"

// The actor's request does something in this transaction. Without a key nothing is written.
enum err answer_mark(struct database *database, const struct actor *actor, int64_t now_ms);
enum err answer_save(struct database *database, const struct kept_answer *answer);
// NOT_FOUND.
enum err answer_read(struct database *database, struct str key, struct arena *arena, struct kept_answer *answer);
// Forgets those from before, and the oldest of too many.
enum err answer_sweep(struct database *database, int64_t before_ms);

#endif

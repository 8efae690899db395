// The port to whoever does what feature codes ask for and must wait for: a PIN is slow to check, a change is to be durable.
// http/ implements it, and so do the tests.
#ifndef DOMAIN_FEATURE_DESK_H
#define DOMAIN_FEATURE_DESK_H

#include "base/queue.h"
#include "domain/err.h"
#include "domain/feature_code.h"
#include "domain/user.h"

// Owned by the caller until done, which is called exactly once, on the call thread.
struct feature_order {
	struct queue_item item;                              // the desk's
	enum feature feature;                                // SELECT_DEVICE, RELEASE_DEVICE, DO_NOT_DISTURB or DISTURB
	uint64_t device_id;                                  // that dialled it
	uint64_t user_id;                                    // who holds that; 0: nobody
	char extension[EXTENSION_MAX + 1], pin[PIN_MAX + 1]; // SELECT_DEVICE: what was dialled behind the code
	enum err err;                                        // set before done; 0: it is done, and durable
	void (*done)(struct feature_order *order);
};

struct feature_desk {
	void *context;
	// From the call thread: never waits. A refusal: the order was not taken, done is not called.
	enum err (*take)(void *context, struct feature_order *order);
};

#endif

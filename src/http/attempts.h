// Remembers failed sign-ins, so that guessing gets slower with each one. Of fixed size: old failures make room for new ones.
#ifndef HTTP_ATTEMPTS_H
#define HTTP_ATTEMPTS_H

#include "base/net.h"

#include <pthread.h>

enum { ATTEMPTS_KEPT = 4096, ATTEMPTS_FREE = 3, ATTEMPTS_DELAY_MAX_S = 64 };

struct attempt {
	uint64_t key; // of name and address; 0 = empty
	unsigned failures;
	int64_t last_ms;
};

struct attempts {
	pthread_mutex_t lock;
	struct attempt entries[ATTEMPTS_KEPT];
};

// Seconds until this name may be tried from this address again; 0 = now. By address as well as name, so that nobody can lock
// somebody else out.
unsigned attempts_wait_s(struct attempts *attempts, struct str name, const struct net_address *from, int64_t now_ms);
void attempts_failed(struct attempts *attempts, struct str name, const struct net_address *from, int64_t now_ms);
void attempts_succeeded(struct attempts *attempts, struct str name, const struct net_address *from);

#endif

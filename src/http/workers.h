// Threads that answer requests. Handlers are straight lines of code that may wait for the store or the call thread, so a
// few of them run at once; further requests queue up to a bound.
#ifndef HTTP_WORKERS_H
#define HTTP_WORKERS_H

#include "http/request.h"

struct workers;

enum { WORKERS_QUEUE_MAX = 512 };

// `answered` is called on the worker's thread once request->answer is set; the request is then no longer the worker's.
struct workers *workers_create(unsigned count, void (*answered)(struct request *request));
// False when too many wait already.
bool workers_take(struct workers *workers, struct request *request);
// Finishes what is in the queue, then ends the threads; takes nothing from now on.
void workers_end(struct workers *workers);
void workers_destroy(struct workers *workers);

#endif

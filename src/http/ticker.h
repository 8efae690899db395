// A thread that calls a function once a second.
#ifndef HTTP_TICKER_H
#define HTTP_TICKER_H

struct ticker;

struct ticker *ticker_create(void (*tick)(void *context), void *context); // NULL when there is no memory or thread
void ticker_destroy(struct ticker *ticker);                               // waits for a tick under way

#endif

// What will be read soon, fetched into the cache while other work is done: who reads a line that is in no cache waits for as long as a
// thousand instructions take. Nothing but time comes of it.
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

enum { CACHE_LINE = 64 }; // bytes

static inline void fetch(const void *at)
{
	__builtin_prefetch(at);
}

#endif

// Calls a function once a second, for what must be looked at now and then.
#include "http/ticker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct ticker {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool ending;
	void (*tick)(void *context);
	void *context;
	pthread_t thread;
};

static void *ticker_run(void *context)
{
	struct ticker *ticker = context;
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&ticker->lock);
	while (!ticker->ending) {
		next.tv_sec++;
		while (!ticker->ending && pthread_cond_timedwait(&ticker->ended, &ticker->lock, &next) == 0)
			;
		if (ticker->ending)
			break;
		pthread_mutex_unlock(&ticker->lock);
		ticker->tick(ticker->context);
		pthread_mutex_lock(&ticker->lock);
	}
	pthread_mutex_unlock(&ticker->lock);
	return NULL;
}

struct ticker *ticker_create(void (*tick)(void *context), void *context)
{
	struct ticker *ticker = calloc(1, sizeof *ticker);
	pthread_condattr_t attributes;
	if (!ticker)
		return NULL;
	ticker->tick = tick;
	ticker->context = context;
	pthread_mutex_init(&ticker->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&ticker->ended, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&ticker->thread, NULL, ticker_run, ticker) == 0)
		return ticker;
	pthread_cond_destroy(&ticker->ended);
	pthread_mutex_destroy(&ticker->lock);
	free(ticker);
	return NULL;
}

void ticker_destroy(struct ticker *ticker)
{
	if (!ticker)
		return;
	pthread_mutex_lock(&ticker->lock);
	ticker->ending = true;
	pthread_cond_signal(&ticker->ended);
	pthread_mutex_unlock(&ticker->lock);
	pthread_join(ticker->thread, NULL);
	pthread_cond_destroy(&ticker->ended);
	pthread_mutex_destroy(&ticker->lock);
	free(ticker);
}

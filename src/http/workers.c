// The pool of threads that run handlers.
#include "http/workers.h"
#include "http/router.h"

#include <pthread.h>
#include <stdlib.h>

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list queue; // of struct request
	size_t queued;
	bool ending;
	void (*answered)(struct request *request);
	unsigned count; // threads running
	pthread_t threads[];
};

static struct request *next_request(struct workers *workers)
{
	struct request *request = NULL;
	pthread_mutex_lock(&workers->lock);
	while (list_empty(&workers->queue) && !workers->ending)
		pthread_cond_wait(&workers->more, &workers->lock);
	if (!list_empty(&workers->queue)) {
		request = container_of(workers->queue.next, struct request, node);
		list_remove(&request->node);
		workers->queued--;
	}
	pthread_mutex_unlock(&workers->lock);
	return request;
}

static void *worker_run(void *context)
{
	struct workers *workers = context;
	for (struct request *request; (request = next_request(workers));) {
		request_answer(request);
		workers->answered(request);
	}
	return NULL;
}

struct workers *workers_create(unsigned count, void (*answered)(struct request *request))
{
	struct workers *workers = calloc(1, sizeof *workers + count * sizeof workers->threads[0]);
	if (!workers)
		return NULL;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->more, NULL);
	list_init(&workers->queue);
	workers->answered = answered;
	while (workers->count < count) {
		if (pthread_create(&workers->threads[workers->count], NULL, worker_run, workers)) {
			workers_destroy(workers);
			return NULL;
		}
		workers->count++;
	}
	return workers;
}

bool workers_take(struct workers *workers, struct request *request)
{
	pthread_mutex_lock(&workers->lock);
	bool room = workers->queued < WORKERS_QUEUE_MAX && !workers->ending;
	if (room) {
		list_append(&workers->queue, &request->node);
		workers->queued++;
		pthread_cond_signal(&workers->more);
	}
	pthread_mutex_unlock(&workers->lock);
	return room;
}

void workers_end(struct workers *workers)
{
	pthread_mutex_lock(&workers->lock);
	workers->ending = true;
	pthread_cond_broadcast(&workers->more);
	pthread_mutex_unlock(&workers->lock);
	for (unsigned i = 0; i < workers->count; i++)
		pthread_join(workers->threads[i], NULL);
	workers->count = 0;
}

void workers_destroy(struct workers *workers)
{
	if (!workers)
		return;
	workers_end(workers);
	pthread_cond_destroy(&workers->more);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
}

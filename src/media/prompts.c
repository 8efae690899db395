// The order of things: prompts_get copies an order into a job and posts it to the worker; the worker looks whether it has the file
// or writes it; the job goes back to the call thread, which tells and frees it. The files' table is the worker's alone.
#include "media/prompts.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/queue.h"
#include "media/prompt_cache.h"
#include "media/prompt_script.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 2000, FILES_MAX = 500, BYTES_MAX = 100 * 1000 * 1000 };

struct prompts {
	struct prompts_settings settings;
	struct queue *queue; // to the worker
	pthread_t worker;
	struct queue_item stop;
	bool stopping;        // the worker's
	atomic_uint versions; // counts the changes of recordings
	unsigned version;     // of `pieces`; the worker's
	struct prompt_pieces pieces;
	struct prompt_cache *cache; // owned; the worker's
	size_t jobs;                // not told yet; the call thread's
	bool gone;                  // destroyed but for the jobs in the call thread's queue
};

struct job {
	struct queue_item item;
	struct prompts *prompts;
	struct prompt_order order; // without its prompt
	struct prompt_wish wish;
	enum err err;
	char path[PROMPT_PATH_SIZE];
	uint64_t ms;
};

// ---- the worker

static enum err make(struct prompts *prompts, struct job *job, struct str key)
{
	struct prompt_script script;
	struct arena arena;

	arena_init(&arena, 0);
	enum err err = prompt_script_write(&prompts->pieces, &job->wish, &arena, &script);
	if (!err)
		err = prompt_cache_put(prompts->cache, key, &script, job->path, &job->ms);
	arena_free(&arena);
	if (prompts->pieces.in_trouble)
		prompts_changed(prompts); // the next time it is made anew
	prompts->pieces.in_trouble = false;
	return err;
}

static void job_tell(struct queue_item *item);

static void job_work(struct queue_item *item)
{
	struct job *job = container_of(item, struct job, item);
	struct prompts *prompts = job->prompts;
	unsigned version = atomic_load(&prompts->versions);
	char text[PROMPT_KEY_SIZE];

	if (version != prompts->version)
		prompt_pieces_forget(&prompts->pieces);
	prompts->version = version;
	int length = snprintf(text, sizeof text, "%u %d %d %llu %s", version, (int)job->wish.prompt,
			      (int)job->wish.language, (unsigned long long)job->wish.user_id, job->wish.number);
	struct str key = {text, (size_t)length};
	if (!prompt_cache_find(prompts->cache, key, job->path, &job->ms))
		job->err = make(prompts, job, key);
	if (job->err)
		log_warning("prompt_not_made", LOG_TEXT("prompt", prompt_names[job->wish.prompt]),
			    LOG_TEXT("err", err_name(job->err)));
	job->item.run = job_tell;
	queue_post(prompts->settings.call_thread, &job->item);
}

static void stop_work(struct queue_item *item)
{
	container_of(item, struct prompts, stop)->stopping = true;
}

static void *work(void *context)
{
	struct prompts *prompts = context;

	while (!prompts->stopping) {
		for (struct queue_item *item = queue_wait(prompts->queue, -1), *next; item; item = next) {
			next = item->next;
			item->run(item);
		}
	}
	return NULL;
}

// ---- the call thread

static void prompts_free(struct prompts *prompts)
{
	prompt_cache_destroy(prompts->cache);
	prompt_pieces_free(&prompts->pieces);
	queue_destroy(prompts->queue);
	free(prompts);
}

static void job_tell(struct queue_item *item)
{
	struct job *job = container_of(item, struct job, item);
	struct prompts *prompts = job->prompts;
	const struct prompt_ready ready = {.leg = job->order.leg,
					   .sequence = job->order.sequence,
					   .err = job->err,
					   .path = job->err ? NULL : job->path,
					   .ms = job->err ? 0 : job->ms};

	prompts->jobs--;
	if (!prompts->gone)
		job->order.done(job->order.context, &ready);
	else if (prompts->jobs == 0)
		prompts_free(prompts);
	free(job);
}

enum err prompts_get(struct prompts *prompts, const struct prompt_order *order)
{
	if (prompts->jobs >= JOBS_MAX)
		return ERR_OVERLOADED;
	struct job *job = calloc(1, sizeof *job);
	if (!job)
		return ERR_NO_MEMORY;
	job->item.run = job_work;
	job->prompts = prompts;
	job->order = *order;
	job->order.prompt = NULL; // borrowed
	prompt_wish_of(order->prompt, &job->wish);
	prompts->jobs++;
	queue_post(prompts->queue, &job->item);
	return ERR_NONE;
}

void prompts_changed(struct prompts *prompts)
{
	atomic_fetch_add(&prompts->versions, 1);
}

bool prompts_create(const struct prompts_settings *settings, struct prompts **result, char *sentence, size_t size)
{
	struct prompts *prompts = calloc(1, sizeof *prompts);
	int error = ENOMEM;

	if (!prompts)
		goto failed;
	prompts->settings = *settings;
	prompts->stop.run = stop_work;
	if (prompt_pieces_init(&prompts->pieces, &settings->recordings))
		goto no_pieces;
	error = prompt_cache_create(settings->cache, settings->files_max ? settings->files_max : FILES_MAX,
				    settings->bytes_max ? settings->bytes_max : BYTES_MAX, &prompts->cache);
	if (error)
		goto no_cache;
	error = -queue_create(&prompts->queue);
	if (error)
		goto no_queue;
	error = pthread_create(&prompts->worker, NULL, work, prompts);
	if (error)
		goto no_thread;
	*result = prompts;
	return true;
no_thread:
	queue_destroy(prompts->queue);
no_queue:
	prompt_cache_destroy(prompts->cache);
no_cache:
	prompt_pieces_free(&prompts->pieces);
no_pieces:
	free(prompts);
failed:
	snprintf(sentence, size, "prompts cannot be kept in %s: %s", settings->cache, strerror(error));
	return false;
}

void prompts_destroy(struct prompts *prompts)
{
	if (!prompts)
		return;
	queue_post(prompts->queue, &prompts->stop);
	pthread_join(prompts->worker, NULL);
	prompts->gone = true;
	if (prompts->jobs == 0)
		prompts_free(prompts);
}

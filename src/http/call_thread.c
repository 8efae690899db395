// Posts questions to the call thread and waits for their answers.
#include "http/call_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct call_line {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	unsigned holders; // the server and each question
	struct queue *queue;
	struct call_table *calls;
	struct directory *directory;
	struct registrations *registrations;
};

struct call_line *call_line_create(struct queue *queue, struct call_table *calls, struct directory *directory,
				   struct registrations *registrations)
{
	struct call_line *line = calloc(1, sizeof *line);
	pthread_condattr_t attributes;
	if (!line)
		return NULL;
	*line = (struct call_line){
	    .holders = 1, .queue = queue, .calls = calls, .directory = directory, .registrations = registrations};
	pthread_mutex_init(&line->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&line->answered, &attributes);
	pthread_condattr_destroy(&attributes);
	return line;
}

void call_line_release(struct call_line *line)
{
	pthread_mutex_lock(&line->lock);
	bool last = --line->holders == 0;
	pthread_mutex_unlock(&line->lock);
	if (!last)
		return;
	pthread_cond_destroy(&line->answered);
	pthread_mutex_destroy(&line->lock);
	free(line);
}

void *question_new(struct call_line *line, size_t size, void (*work)(struct question *question))
{
	struct question *question = calloc(1, size);
	if (!question)
		return NULL;
	question->line = line;
	question->work = work;
	question->calls = line->calls;
	question->directory = line->directory;
	question->registrations = line->registrations;
	question->holders = 1;
	arena_init(&question->arena, QUESTION_MEMORY_MAX);
	pthread_mutex_lock(&line->lock);
	line->holders++;
	pthread_mutex_unlock(&line->lock);
	return question;
}

void question_free(struct question *question)
{
	if (!question)
		return;
	struct call_line *line = question->line;
	pthread_mutex_lock(&line->lock);
	bool last = --question->holders == 0;
	pthread_mutex_unlock(&line->lock);
	if (!last)
		return;
	arena_free(&question->arena);
	free(question);
	call_line_release(line);
}

// On the call thread.
static void question_run(struct queue_item *item)
{
	struct question *question = container_of(item, struct question, item);
	struct call_line *line = question->line;
	pthread_mutex_lock(&line->lock);
	bool wanted = !question->abandoned;
	pthread_mutex_unlock(&line->lock);
	if (wanted)
		question->work(question);
	pthread_mutex_lock(&line->lock);
	question->answered = true;
	pthread_cond_broadcast(&line->answered);
	pthread_mutex_unlock(&line->lock);
	question_free(question);
}

enum err question_ask(struct question *question)
{
	struct call_line *line = question->line;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += QUESTION_WAIT_S;
	pthread_mutex_lock(&line->lock);
	question->holders++;
	question->item.run = question_run;
	queue_post(line->queue, &question->item);
	int waited = 0;
	while (!question->answered && waited == 0)
		waited = pthread_cond_timedwait(&line->answered, &line->lock, &until);
	question->abandoned = !question->answered;
	bool answered = question->answered;
	pthread_mutex_unlock(&line->lock);
	return answered ? ERR_NONE : ERR_OVERLOADED;
}

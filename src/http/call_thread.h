// Questions to the call thread: posted through its queue, answered there, waited for here.
#ifndef HTTP_CALL_THREAD_H
#define HTTP_CALL_THREAD_H

#include "base/arena.h"
#include "base/queue.h"
#include "domain/call_table.h"

// What joins the workers with the call thread. Outlives the server as long as questions of it are in the queue.
struct call_line;

struct call_line *call_line_create(struct queue *queue, struct call_table *calls, struct directory *directory,
				   struct registrations *registrations); // NULL when there is no memory
void call_line_release(struct call_line *line);

// The first member of a question's structure.
struct question {
	struct queue_item item;
	struct call_line *line;
	void (*work)(struct question *question); // runs on the call thread, unless the asker has given up by then
	struct arena arena;                      // for the answer; belongs to the question
	struct call_table *calls;                // only work may touch these
	struct directory *directory;
	struct registrations *registrations;
	unsigned holders; // asker and call thread; the last one frees it
	bool answered, abandoned;
};

enum { QUESTION_MEMORY_MAX = 16 << 20, QUESTION_WAIT_S = 5 };

// A zeroed structure of `size` bytes that begins with a struct question. NULL when there is no memory.
void *question_new(struct call_line *line, size_t size, void (*work)(struct question *question));
// Asks and waits. 0: answered. Otherwise OVERLOADED: the call thread did not come to it, and the answer must not be read.
enum err question_ask(struct question *question);
void question_free(struct question *question); // after question_ask, or without it

#endif

// Gives objects ids that outlive them: an id of something that is gone finds nothing, even when its slot is in
// use again. Look-up is one array access. Id 0 is never given out.
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

struct slots;

struct slots *slots_create(uint32_t limit); // at most `limit` objects at once; NULL when there is no memory
void slots_destroy(struct slots *slots);
uint64_t slots_add(struct slots *slots, void *object);    // 0 when full or out of memory
void *slots_find(const struct slots *slots, uint64_t id); // NULL when it is gone
void slots_remove(struct slots *slots, uint64_t id);
void slots_set(struct slots *slots, uint64_t id,
	       void *object); // the id, which is in use, stands for another object now
uint32_t slots_count(const struct slots *slots);
// Calls visit for each object; it may remove the visited one.
void slots_visit(struct slots *slots, void (*visit)(void *object, void *context), void *context);

#endif

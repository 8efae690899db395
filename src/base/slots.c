// Ids that outlive what they name: the low half is the slot's number, the high half how often the slot was emptied.
#include "base/slots.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

struct slot {
	void *object; // NULL while free
	uint32_t generation;
	uint32_t next_free; // number of a slot, 0 at the end
};

struct slots {
	struct slot *at; // slot n is at[n - 1]
	uint32_t limit;
	uint32_t size;       // slots there is memory for
	uint32_t used;       // slots ever used
	uint32_t count;      // objects
	uint32_t first_free; // the list is a queue, so that a slot rests as long as possible before it is used again
	uint32_t last_free;
};

enum { FIRST_SIZE = 64 };

struct slots *slots_create(uint32_t limit)
{
	struct slots *slots = calloc(1, sizeof *slots);
	if (slots)
		slots->limit = limit;
	return slots;
}

void slots_destroy(struct slots *slots)
{
	if (!slots)
		return;
	free(slots->at);
	free(slots);
}

static bool grow(struct slots *slots)
{
	if (slots->size >= slots->limit)
		return false;
	uint32_t size = slots->size == 0 ? FIRST_SIZE : slots->size > UINT32_MAX / 2 ? UINT32_MAX : 2 * slots->size;
	if (size > slots->limit)
		size = slots->limit;
	struct slot *at = realloc(slots->at, (size_t)size * sizeof *at);
	if (!at)
		return false;
	slots->at = at;
	slots->size = size;
	return true;
}

uint64_t slots_add(struct slots *slots, void *object)
{
	assert(object);
	uint32_t number = slots->first_free;
	if (number != 0) {
		slots->first_free = slots->at[number - 1].next_free;
		if (slots->first_free == 0)
			slots->last_free = 0;
	} else {
		if (slots->used == slots->size && !grow(slots))
			return 0;
		number = ++slots->used;
		slots->at[number - 1].generation = 0;
	}
	struct slot *slot = &slots->at[number - 1];
	slot->object = object;
	slots->count++;
	return (uint64_t)slot->generation << 32 | number;
}

static struct slot *find(const struct slots *slots, uint64_t id)
{
	uint32_t number = (uint32_t)id;
	if (number == 0 || number > slots->used)
		return NULL;
	struct slot *slot = &slots->at[number - 1];
	return slot->object && slot->generation == id >> 32 ? slot : NULL;
}

void *slots_find(const struct slots *slots, uint64_t id)
{
	const struct slot *slot = find(slots, id);
	return slot ? slot->object : NULL;
}

void slots_remove(struct slots *slots, uint64_t id)
{
	struct slot *slot = find(slots, id);
	if (!slot)
		return;
	uint32_t number = (uint32_t)id;
	slot->object = NULL;
	slot->generation++;
	slot->next_free = 0;
	if (slots->last_free != 0)
		slots->at[slots->last_free - 1].next_free = number;
	else
		slots->first_free = number;
	slots->last_free = number;
	slots->count--;
}

void slots_set(struct slots *slots, uint64_t id, void *object)
{
	struct slot *slot = find(slots, id);
	assert(slot);
	slot->object = object;
}

uint32_t slots_count(const struct slots *slots)
{
	return slots->count;
}

void slots_visit(struct slots *slots, void (*visit)(void *object, void *context), void *context)
{
	for (uint32_t i = 0; i < slots->used; i++)
		if (slots->at[i].object)
			visit(slots->at[i].object, context);
}

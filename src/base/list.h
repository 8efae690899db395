// A doubly linked list threaded through its members. A node is in one list at most; a node outside any list
// points at itself, so list_remove may be called twice.
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *previous;
};

#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
// Safe against removal of the current member.
#define list_each(node, following, head)                                                                               \
	for (struct list *node = (head)->next, *following = node->next; node != (head);                                \
	     node = following, following = node->next)

static inline void list_init(struct list *node)
{
	node->next = node->previous = node;
}
static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}
static inline void list_insert_after(struct list *place, struct list *node)
{
	node->next = place->next;
	node->previous = place;
	place->next->previous = node;
	place->next = node;
}
static inline void list_append(struct list *head, struct list *node)
{
	list_insert_after(head->previous, node);
}
static inline void list_remove(struct list *node)
{
	node->next->previous = node->previous;
	node->previous->next = node->next;
	list_init(node);
}

#endif

// A tree with a node for each way that patterns begin. A number goes down all the branches that take it, the most specific first, and
// finds the routes in their order; it sees no node twice.
#include "domain/route_table.h"

#include "base/list.h"
#include "domain/dial_pattern.h"

#include <stdlib.h>

struct route_node {
	struct list node; // in the parent's children
	struct route_node *parent;
	uint16_t step;        // what the parent's number goes on with
	struct list children; // fewest digits first
	struct list places;   // of struct route_place, in the order they are tried
};

struct route_place {
	struct list node;
	enum pattern_end end;
	const struct route *route;
};

static unsigned digits_in(uint16_t step)
{
	return (unsigned)__builtin_popcount(step);
}

static struct route_node *node_new(struct route_node *parent, uint16_t step)
{
	struct route_node *node = calloc(1, sizeof *node);

	if (!node)
		return NULL;
	node->parent = parent;
	node->step = step;
	list_init(&node->node);
	list_init(&node->children);
	list_init(&node->places);
	return node;
}

static struct route_node *child_of(const struct route_node *parent, uint16_t step)
{
	list_each (each, following, &parent->children) {
		struct route_node *child = container_of(each, struct route_node, node);
		if (child->step == step)
			return child;
	}
	return NULL;
}

static struct route_node *child_new(struct route_node *parent, uint16_t step)
{
	struct route_node *child = node_new(parent, step);
	struct list *place = parent->children.previous;

	if (!child)
		return NULL;
	for (; place != &parent->children; place = place->previous) {
		uint16_t other = container_of(place, struct route_node, node)->step;
		if (digits_in(other) < digits_in(step) || (digits_in(other) == digits_in(step) && other < step))
			break;
	}
	list_insert_after(place, &child->node);
	return child;
}

// Gives back what no route needs any more, from here up.
static void prune(struct route_table *table, struct route_node *node)
{
	while (node && list_empty(&node->children) && list_empty(&node->places)) {
		struct route_node *parent = node->parent;
		if (node == table->root)
			table->root = NULL;
		list_remove(&node->node);
		free(node);
		node = parent;
	}
}

static bool goes_before(const struct route_place *a, const struct route_place *b)
{
	if (a->end != b->end)
		return a->end < b->end;
	if (a->route->cost != b->route->cost)
		return a->route->cost < b->route->cost;
	return a->route->entity.id < b->route->entity.id;
}

static bool place_enter(struct route_node *node, enum pattern_end end, const struct route *route)
{
	struct route_place *place = calloc(1, sizeof *place);
	struct list *before = node->places.previous;

	if (!place)
		return false;
	place->end = end;
	place->route = route;
	while (before != &node->places && goes_before(place, container_of(before, struct route_place, node)))
		before = before->previous;
	list_insert_after(before, &place->node);
	return true;
}

bool route_table_enter(struct route_table *table, const struct route *route)
{
	struct dial_pattern pattern;

	if (!dial_pattern_read(route->pattern, &pattern))
		return true;
	if (!table->root && !(table->root = node_new(NULL, 0)))
		return false;
	struct route_node *node = table->root;
	for (size_t i = 0; i < pattern.count; i++) {
		struct route_node *child = child_of(node, pattern.steps[i]);
		if (!child)
			child = child_new(node, pattern.steps[i]);
		if (!child) {
			prune(table, node);
			return false;
		}
		node = child;
	}
	if (place_enter(node, pattern.end, route))
		return true;
	prune(table, node);
	return false;
}

void route_table_leave(struct route_table *table, const struct route *route)
{
	struct route_node *node = table->root;
	struct dial_pattern pattern;

	if (!dial_pattern_read(route->pattern, &pattern))
		return;
	for (size_t i = 0; node && i < pattern.count; i++)
		node = child_of(node, pattern.steps[i]);
	if (!node)
		return;
	list_each (each, following, &node->places) {
		struct route_place *place = container_of(each, struct route_place, node);
		if (place->route == route) {
			list_remove(&place->node);
			free(place);
			break;
		}
	}
	prune(table, node);
}

struct search {
	const struct route **routes;
	size_t count, max;
};

// As deep as the longest pattern.
static void find_from(const struct route_node *node, struct str rest, struct search *search)
{
	uint16_t step = str_empty(rest) ? 0 : dial_step(rest.at[0]);

	list_each (each, following, &node->children) {
		const struct route_node *child = container_of(each, const struct route_node, node);
		if (child->step & step)
			find_from(child, str_from(rest, 1), search);
		if (search->count == search->max)
			return;
	}
	list_each (each, following, &node->places) {
		const struct route_place *place = container_of(each, const struct route_place, node);
		if (search->count == search->max)
			return;
		if (dial_pattern_ends_with(place->end, rest.length))
			search->routes[search->count++] = place->route;
	}
}

size_t route_table_find(const struct route_table *table, struct str canonical, const struct route **routes, size_t max)
{
	struct search search = {.routes = routes, .max = max};

	if (table->root && max > 0)
		find_from(table->root, canonical, &search);
	return search.count;
}

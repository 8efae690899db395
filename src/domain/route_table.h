// Routes by their patterns: those that take a number, the most specific first, without looking at the others.
#ifndef DOMAIN_ROUTE_TABLE_H
#define DOMAIN_ROUTE_TABLE_H

#include "domain/trunk.h"

struct route_table {
	struct route_node *root; // owned; NULL: no route
};

// The route is borrowed until it leaves. False when there is no memory. One whose pattern is none is nowhere.
bool route_table_enter(struct route_table *table, const struct route *route);
void route_table_leave(struct route_table *table, const struct route *route); // may be in it or not
// By pattern (see dial_pattern.h), then cost, then id. Gives how many, at most `max`; allocates nothing.
size_t route_table_find(const struct route_table *table, struct str canonical, const struct route **routes, size_t max);

#endif

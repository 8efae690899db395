// How many legs to the outside there are now, and began within the last hour: of each user, over each trunk, of the whole site; and
// the alarms when that comes near to a limit. Memory is bounded by those who had such a leg in the last hour. Call thread only;
// for toll.c alone.
#ifndef DOMAIN_TOLL_USAGE_H
#define DOMAIN_TOLL_USAGE_H

#include "domain/toll.h"

struct toll_usage;

struct toll_usage *toll_usage_create(struct loop *loop); // NULL when there is no memory
void toll_usage_destroy(struct toll_usage *usage);       // nothing may be under way

// What one leg is counted for. The site has the id 0.
struct toll_count {
	enum toll_scope scope;
	uint64_t id;
};
unsigned toll_usage_of(const struct toll_usage *usage, struct toll_count count, enum toll_measure measure);
bool toll_usage_add(struct toll_usage *usage, struct toll_count count, bool international); // false: no memory
size_t toll_usage_accounts(const struct toll_usage *usage);
void toll_usage_drop(struct toll_usage *usage, struct toll_count count); // a leg that was added is over

#endif

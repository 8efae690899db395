// DIDs by the numbers they hold: the narrowest that holds a number is found by halving, however many there are.
#ifndef DOMAIN_DID_TABLE_H
#define DOMAIN_DID_TABLE_H

#include "domain/did.h"

struct did_table {
	struct did_place *places; // owned
	size_t count, size;
};

void did_table_free(struct did_table *table);
// The DID is borrowed until it leaves. False when there is no memory. One whose canonical form is none is in no place.
bool did_table_enter(struct did_table *table, const struct did *did);
void did_table_leave(struct did_table *table, const struct did *did); // may be in it or not
// The narrowest that holds the canonical number and that the trunk may deliver; trunk 0: whichever delivers it.
const struct did *did_table_find(const struct did_table *table, struct str canonical, uint64_t trunk_id);

#endif

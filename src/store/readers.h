// Connections for reading, shared by the API's threads.
#ifndef STORE_READERS_H
#define STORE_READERS_H

#include "store/database.h"

struct readers;

struct readers *readers_create(struct str url); // copied; NULL when there is no memory
void readers_destroy(struct readers *readers);
// A connection within a reading transaction: all that is read with it is of one state. Waits while too many are in use.
enum err readers_take(struct readers *readers, struct database **database);
// `err` is what reading gave: a connection that failed is closed, not used again.
void readers_give(struct readers *readers, struct database *database, enum err err);

#endif

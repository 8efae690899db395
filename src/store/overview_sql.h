// How things are, counted: what a status page says of users and devices.
#ifndef STORE_OVERVIEW_SQL_H
#define STORE_OVERVIEW_SQL_H

#include "domain/records.h"
#include "store/database.h"

// disk_free_bytes is left alone.
enum err overview_read(struct database *database, struct store_overview *overview);

#endif

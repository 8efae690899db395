// How things are, counted: what a status page says of users and devices.
#ifndef STORE_OVERVIEW_SQL_H
#define STORE_OVERVIEW_SQL_H

#include "domain/records.h"
#include "store/database.h"

// Goes through all devices and users once, so whoever shows it keeps it for a while. disk_free_bytes is left alone.
enum err overview_read(struct database *database, int64_t now_ms, struct store_overview *overview);

#endif

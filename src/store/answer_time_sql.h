// The newest legs of a device that say how long it took to be answered.
#ifndef STORE_ANSWER_TIME_SQL_H
#define STORE_ANSWER_TIME_SQL_H

#include "domain/answer_times.h"
#include "store/database.h"

enum err answer_time_list(struct database *database, uint64_t device_id, struct arena *arena,
			  struct answer_time **times, size_t *count);

#endif

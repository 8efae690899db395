// The store's port in memory, generic over the field tables. As strict as the real one where the API depends on it.
#ifndef TEST_HTTP_FAKE_RECORDS_H
#define TEST_HTTP_FAKE_RECORDS_H

#include "domain/records.h"

struct fake_records;

struct fake_records *fake_records_create(void);
void fake_records_destroy(struct fake_records *fake);
struct records *fake_records_port(struct fake_records *fake);
// After each change, as the real store does. Called with no lock held.
void fake_records_on_change(struct fake_records *fake,
			    void (*changed)(void *context, const struct entity *before, const struct entity *after),
			    void *context);
// From now on every operation gives this refusal; ERR_NONE: works again.
void fake_records_fail(struct fake_records *fake, enum err err);
// It is not well from now on, though what is asked of it is done.
void fake_records_ail(struct fake_records *fake);
// Kept and given to the API. Takes the record.
void fake_records_add_call(struct fake_records *fake, struct call_record *record);

#endif

// Stands in for the call table: one call, number 7, that rings device 330 until it is hung up.
#ifndef TEST_HTTP_FAKE_CALLS_H
#define TEST_HTTP_FAKE_CALLS_H

#include "domain/call_table.h"

void fake_calls_reset(void);
void fake_calls_set_toll(struct toll *toll); // whose alarms there are; NULL: nobody's
unsigned fake_calls_moves(void);             // how often it has been moved

#endif

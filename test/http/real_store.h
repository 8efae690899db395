// The HTTP side on a real database in a directory of its own, for what is only true of both together.
#ifndef TEST_HTTP_REAL_STORE_H
#define TEST_HTTP_REAL_STORE_H

#include "http/fixture.h"

extern const struct fixture_store real_store;

#endif

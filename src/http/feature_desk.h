// Carries out feature codes on a thread of its own: PINs are slow to check, and writing waits for the disk. What it refuses it
// refuses for the same reasons as the API.
#ifndef HTTP_FEATURE_DESK_H
#define HTTP_FEATURE_DESK_H

#include "domain/feature_desk.h"
#include "domain/records.h"

struct http_feature_desk;

enum { ORDERS_MAX = 64 }; // waiting; more are refused as OVERLOADED

struct feature_desk_settings {
	struct records *records;
	struct queue *call_thread; // gets the orders back
	int64_t (*now_ms)(void);   // wall clock; NULL = the system's. For tests
};

// NULL when there is no memory or no thread.
struct http_feature_desk *feature_desk_create(const struct feature_desk_settings *settings);
struct feature_desk *feature_desk_port(struct http_feature_desk *desk);
// Takes nothing more (SHUTTING_DOWN) and gives back what it has, in order. The call thread must go on with its queue meanwhile, so call
// this from another thread.
void feature_desk_end(struct http_feature_desk *desk);
void feature_desk_destroy(struct http_feature_desk *desk); // ends it first

#endif

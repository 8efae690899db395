// The store: implements domain/records.h on a database. One writer thread gathers what is waiting into one transaction
// (group commit); API threads read over connections of their own.
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "domain/records.h"

struct store;

struct store_settings {
	struct str url;             // "sqlite:/var/lib/carillon/carillon.db"; "postgresql://..." once it is there
	bool forgets_registrations; // they are in the call thread's memory alone
	struct queue *call_thread;  // completions of registration writes are posted here
	// Called on the writer thread after each commit of configuration, in order. It must see to it that change->done is called
	// once the call thread has the change.
	void (*changed)(void *context, struct entity_change *change);
	void *context;
};

// Opens, brings the schema up to date and starts the writer. False with a sentence: cannot be opened, not ours, too new, broken.
bool store_open(const struct store_settings *settings, struct store **store, char *sentence, size_t size);
// Commits what waits, then stops the writer. Answers to registration writes are still posted to the call thread's queue; no
// API thread may be using the records any more.
void store_close(struct store *store);
struct records *store_records(struct store *store);

// At start, before the call thread runs: every user, device, trunk, route, DID and selection, then every binding that has
// not expired. False with a sentence when reading fails or a visitor gives false.
struct store_visitor {
	bool (*entity)(void *context, const struct entity *entity);
	bool (*binding)(void *context, const struct binding *binding);
	void *context;
};
bool store_load(struct store *store, const struct store_visitor *visitor, char *sentence, size_t size);

struct store_counters {
	uint64_t commits, writes, failures;
	size_t waiting;            // writes in the queue
	size_t records_kept;       // call records not written yet
	uint64_t records_lost;     // call records given up since start, because too many were kept
	struct mos_counters heard; // how legs were
};
struct store_counters store_count(const struct store *store); // on the call thread

#endif

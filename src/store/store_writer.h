// The one thread that writes. It takes all that waits and puts it into one transaction, so that one sync to the disk serves
// many writes, and answers only after it: a registration within 40 ms, so that others come along. What cannot be written is refused;
// call records are kept and tried again.
#ifndef STORE_STORE_WRITER_H
#define STORE_STORE_WRITER_H

#include "store/operation.h"
#include "store/store.h"

struct store_writer;

// Takes the connection, which must be for writing. NULL when there is no memory or no thread; the connection is then closed.
struct store_writer *store_writer_create(struct database *database, const struct store_settings *settings);
// Writes what waits, then ends the thread and closes the connection.
void store_writer_destroy(struct store_writer *writer);

// Any thread. None of these waits.
void store_writer_post_registration(struct store_writer *writer, struct registration_write *write);
void store_writer_post_call(struct store_writer *writer, struct call_record *record);            // takes it
void store_writer_post_quality(struct store_writer *writer, const struct call_quality *quality); // copies it
void store_writer_post_operation(struct store_writer *writer, struct operation *operation);
bool store_writer_healthy(struct store_writer *writer, char *sentence, size_t size);
struct store_counters store_writer_count(const struct store_writer *writer);

#endif

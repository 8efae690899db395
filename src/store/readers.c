// A small pool: connections are opened when first needed and kept, with the statements they have prepared.
#include "store/readers.h"

#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { READERS_MAX = 8 };

struct readers {
	char *url; // owned
	pthread_mutex_t mutex;
	pthread_cond_t given;
	struct database *idle[READERS_MAX]; // owned
	size_t idle_count;
	size_t open_count; // idle or in use
};

struct readers *readers_create(struct str url)
{
	struct readers *readers = calloc(1, sizeof *readers);

	if (!readers)
		return NULL;
	readers->url = strndup(url.at ? url.at : "", url.length);
	if (!readers->url) {
		free(readers);
		return NULL;
	}
	pthread_mutex_init(&readers->mutex, NULL);
	pthread_cond_init(&readers->given, NULL);
	return readers;
}

void readers_destroy(struct readers *readers)
{
	if (!readers)
		return;
	for (size_t i = 0; i < readers->idle_count; i++)
		database_close(readers->idle[i]);
	pthread_cond_destroy(&readers->given);
	pthread_mutex_destroy(&readers->mutex);
	free(readers->url);
	free(readers);
}

static void place_free(struct readers *readers)
{
	pthread_mutex_lock(&readers->mutex);
	readers->open_count--;
	pthread_cond_signal(&readers->given);
	pthread_mutex_unlock(&readers->mutex);
}

// An idle connection, or NULL and the right to open one.
static struct database *place_take(struct readers *readers)
{
	struct database *database = NULL;

	pthread_mutex_lock(&readers->mutex);
	while (readers->idle_count == 0 && readers->open_count == READERS_MAX)
		pthread_cond_wait(&readers->given, &readers->mutex);
	if (readers->idle_count > 0)
		database = readers->idle[--readers->idle_count];
	else
		readers->open_count++;
	pthread_mutex_unlock(&readers->mutex);
	return database;
}

enum err readers_take(struct readers *readers, struct database **database)
{
	struct database *taken = place_take(readers);
	char sentence[256];
	enum err err = ERR_NONE;

	if (!taken) {
		err = database_open(str_of(readers->url), DATABASE_READ, &taken, sentence, sizeof sentence);
		if (err) {
			log_error("store_read_failed", LOG_TEXT("reason", sentence));
			place_free(readers);
			return err == ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_STORE_UNAVAILABLE;
		}
	}
	err = database_begin(taken);
	if (err) {
		readers_give(readers, taken, err);
		return err;
	}
	*database = taken;
	return ERR_NONE;
}

void readers_give(struct readers *readers, struct database *database, enum err err)
{
	if (err == ERR_STORE_UNAVAILABLE || err == ERR_INTERNAL || err == ERR_NO_MEMORY) {
		log_error("store_read_failed", LOG_TEXT("err", err_name(err)), LOG_TEXT("reason", database->message));
		database_close(database);
		place_free(readers);
		return;
	}
	database_rollback(database); // nothing was written
	pthread_mutex_lock(&readers->mutex);
	readers->idle[readers->idle_count++] = database;
	pthread_cond_signal(&readers->given);
	pthread_mutex_unlock(&readers->mutex);
}

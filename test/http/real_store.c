// Opens and removes a database for the HTTP fixture.
#include "http/real_store.h"

#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct store *store; // one at a time: tests of one program run one after the other
static char directory[64], path[96];

static void committed(void *context, struct entity_change *change)
{
	fixture_changed(context, change->before, change->after);
	change->done(change);
}

static struct records *open_store(struct fixture *f)
{
	char url[112], sentence[256];
	snprintf(directory, sizeof directory, "/tmp/carillon-http-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/test.db", directory);
	snprintf(url, sizeof url, "sqlite:%s", path);
	const struct store_settings settings = {
	    .url = str_of(url), .call_thread = f->queue, .changed = committed, .context = f};
	if (!store_open(&settings, &store, sentence, sizeof sentence))
		fail_msg("%s", sentence);
	return store_records(store);
}

static void close_store(struct fixture *f)
{
	static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
	(void)f;
	store_close(store);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		char file[112];
		snprintf(file, sizeof file, "%s%s", path, endings[i]);
		unlink(file);
	}
	rmdir(directory);
}

const struct fixture_store real_store = {open_store, close_store};

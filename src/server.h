// The server as the parts of carillond that know every adapter see it: main.c builds, runs and takes it down; changes.c carries what
// was committed into memory; overview.c tells how things are; relays.c joins the media relays, the prompts and the calls.
#ifndef SERVER_H
#define SERVER_H

#include "base/queue.h"
#include "domain/media_relay.h"
#include "domain/watch.h"
#include "http/feature_desk.h"
#include "http/http.h"
#include "media/prompts.h"
#include "media/rtpengine.h"
#include "settings.h"
#include "sip/endpoint.h"
#include "sip/tls.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct server {
	const char *config;   // the configuration file, or NULL
	struct arena arena;   // the settings' texts
	struct arena adopted; // those of the keys that a SIGHUP has changed
	struct settings settings;
	struct loop *loop;
	struct queue *call_thread;
	struct directory *directory;
	struct store *store;
	struct registrations *registrations;
	struct watch *watch;
	struct tls *tls;
	struct sip_endpoint *endpoint;
	struct rtpengine *rtpengine; // NULL: no relays are configured
	struct prompts *prompts;     // NULL: nothing can be said
	struct media media;
	struct http_feature_desk *desk;
	struct call_table *calls;
	struct http_server *http;
	struct timer drain; // runs from SIGTERM until the last call has ended
	uint64_t drain_until_ms;
	struct timer watchdog;
	uint64_t watchdog_ms;
	pthread_t stopper; // takes the HTTP side down while the call thread still answers it
	struct queue_item stopped;
	bool leaving; // the trunks' registrations are being taken back
	bool stopping;
	_Atomic bool live; // the call thread runs its loop: it alone touches the directory from now on
};

// One sentence on standard error, for what keeps the server from starting. False.
bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- changes.c; `context` is the server

// On the store's thread.
void change_committed(void *context, struct entity_change *change);

// ---- overview.c; on the call thread, `context` is the server

void metrics_write(void *context, struct writer *w);
void status_write(void *context, struct http_status *status);
void trunk_state_write(void *context, uint64_t trunk_id, struct trunk_state *state);

// ---- relays.c

// False: it has complained.
bool media_build(struct server *server);
// Some recording has changed. Any thread; `context` is the server.
void recordings_changed(void *context);

#endif

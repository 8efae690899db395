// The presence of the Teams users behind devices, asked for now and then through Microsoft Graph on a thread of its own. Off unless the
// settings say otherwise. It is shown, and nothing else: no call is routed by it.
#ifndef HTTP_TEAMS_PRESENCE_H
#define HTTP_TEAMS_PRESENCE_H

#include "domain/records.h"
#include "domain/watch.h"
#include "http/graph.h"

struct teams_presence;

struct teams_presence_settings {
	struct records *records;
	struct queue *call_thread; // which is told of devices whose presence has changed
	struct watch *watch;
	int64_t (*now_ms)(void); // wall clock
};

struct device_presence {
	enum availability availability;
	char activity[GRAPH_ACTIVITY_MAX]; // Microsoft's own word: "InACall"; empty: none
	int64_t at;                        // when it was said, wall clock ms; 0 = never
};

enum teams_presence_state {
	TEAMS_PRESENCE_OFF,
	TEAMS_PRESENCE_STARTING, // nothing was heard yet
	TEAMS_PRESENCE_WORKING,
	TEAMS_PRESENCE_WAITING, // Microsoft asks us to come later, or cannot be reached
	TEAMS_PRESENCE_REFUSED, // by Microsoft; it is tried again now and then
	TEAMS_PRESENCE_STATE_COUNT
};
extern const char *const teams_presence_state_names[]; // "off" ..., ends with NULL

struct teams_presence_view {
	enum teams_presence_state state;
	char sentence[256];  // why it is as it is; empty while it works
	int64_t heard_at;    // the last complete round, wall clock ms; 0 = never
	int64_t next_at;     // when it is asked again; 0: it is not
	size_t users, known; // devices with a Teams user; those whom Microsoft knows
	struct graph_counters counters;
};

struct teams_presence *
teams_presence_create(const struct teams_presence_settings *settings); // NULL: no memory or thread
void teams_presence_end(struct teams_presence *presence);              // gives up what is under way, and asks no more
void teams_presence_destroy(struct teams_presence *presence);          // ends it first
// Any thread. False: nothing is known of this device, as it is off or nobody's.
bool teams_presence_of(struct teams_presence *presence, uint64_t device_id, struct device_presence *known);
void teams_presence_look(struct teams_presence *presence, struct teams_presence_view *view);

#endif

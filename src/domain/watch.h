// What changes, told to those who watch: calls, devices, whatever administrators manage. Gathered on the call thread while
// somebody listens and handed over in batches through a queue, so that it never waits; while nobody listens a report costs
// one look at a flag. Several changes of one call or device between two batches are one report: how it is then.
#ifndef DOMAIN_WATCH_H
#define DOMAIN_WATCH_H

#include "domain/call_table.h"

struct watch;

enum report_kind { REPORT_CALL, REPORT_DEVICE, REPORT_ENTITY, REPORT_TRUNK, REPORT_ALARM };
enum entity_action { ENTITY_CREATED, ENTITY_CHANGED, ENTITY_DELETED };
extern const char *const entity_action_names[]; // "created" ...

// A device as it is now: where it is registered and who has it.
struct device_report {
	uint64_t device_id; // 0: so many have changed that they are not named
	struct str number, title;
	int device_kind;
	bool available_for_selection;
	unsigned contacts;
	enum held held;
	size_t holders;
	int64_t expires_at; // of the selection, wall clock ms; 0 = never, or no selection
	uint64_t holder_id; // the first holder; 0: nobody, and the two below are empty
	struct str holder_title, holder_extension;
};

// Something that administrators manage, or a session.
struct entity_report {
	enum entity_kind kind;
	enum entity_action action;
	uint64_t id; // 0: so many of this kind have changed that they are not named
	uint64_t version;
	uint64_t user_id; // whom it concerns: the user itself, who signs in or selects; 0: nobody in particular
	int role;         // of a user
	struct str name, title, extension; // of that user; empty when there is none
};

struct report {
	struct report *next;
	enum report_kind kind;
	union {
		struct call_snapshot call;
		struct device_report device;
		struct entity_report entity;
		uint64_t trunk_id; // it has another state
		struct toll_alarm alarm;
	};
};

struct watch_batch {
	struct queue_item item; // how it is handed over
	struct arena arena;     // of the reports and their texts
	struct report *first, **end;
	size_t count;
	bool incomplete; // something could not be reported: whoever listens must look for himself
};

// ---- on the call thread

// NULL when there is no memory. The directory and the registrations live longer.
struct watch *watch_create(struct loop *loop, struct directory *directory, struct registrations *registrations);
void watch_destroy(struct watch *watch); // nobody may be in watch_wait any more
bool watch_wanted(const struct watch *watch);
// Its registrations or its holder have changed, or itself.
void watch_device(struct watch *watch, uint64_t device_id);
// A committed change that the directory has already: before NULL: created; after NULL: deleted.
void watch_entity(struct watch *watch, const struct entity *before, const struct entity *after);
// Its state has changed: a target, a registration.
void watch_trunk(struct watch *watch, uint64_t trunk_id);
void watch_alarm(struct watch *watch, const struct toll_alarm *alarm);
// Where calls come from: `report` adds up to `max` of those that have changed, and says whether there are more.
void watch_calls(struct watch *watch, bool (*report)(void *context, size_t max), void *context);
// A report will be due: the next batch is handed over after the listeners' interval.
void watch_soon(struct watch *watch);
// A new report in the present batch; NULL when there is no room, which the batch then says.
struct report *watch_report(struct watch *watch, enum report_kind kind, struct arena **arena);

// ---- on any thread

// Reports are wanted from now on, a batch each interval_ms at most; 0: no more.
void watch_listen(struct watch *watch, unsigned interval_ms);
// Waits for batches, oldest first; NULL when none came. Each is the caller's, to be freed.
struct queue_item *watch_wait(struct watch *watch, int timeout_ms);
void watch_batch_free(struct watch_batch *batch);

#endif

// The records port in memory: a commit takes its time, and in some worlds fails.
#include "sim/plane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct commit {
	struct timer timer;
	struct list node; // in the plane's writes
	struct plane *plane;
	struct registration_write *write;
};

static void commit_end(struct commit *commit, enum err err)
{
	struct registration_write *write = commit->write;
	timer_stop(&commit->timer);
	list_remove(&commit->node);
	free(commit);
	write->err = err;
	write->done(write);
}

static void commit_due(struct timer *timer)
{
	struct commit *commit = container_of(timer, struct commit, timer);
	const bool fails = commit->plane->store_fails && sim_choice(commit->plane->loop, 100) < 10;
	commit_end(commit, fails ? ERR_STORE_UNAVAILABLE : ERR_NONE);
}

void records_fake_flush(struct plane *plane)
{
	while (!list_empty(&plane->writes))
		commit_end(container_of(plane->writes.next, struct commit, node), ERR_NONE);
}

static void save_registration(void *context, struct registration_write *write)
{
	struct plane *plane = context;
	struct commit *commit = calloc(1, sizeof *commit);
	assert(commit);
	commit->plane = plane;
	commit->write = write;
	list_append(&plane->writes, &commit->node);
	timer_init(&commit->timer, commit_due);
	timer_start(plane->loop, &commit->timer, 1 + sim_choice(plane->loop, 20));
}

static void judge_legs(struct plane *plane, const struct call_record *record, struct plane_record *saved)
{
	for (size_t i = 0; i < record->leg_count; i++) {
		const struct leg_record *leg = &record->legs[i];
		saved->answered_legs += leg->outcome == OUTCOME_ANSWERED;
		saved->started_legs += leg->started_at != 0;
		if (leg->outcome < OUTCOME_ANSWERED || leg->outcome >= OUTCOME_COUNT)
			plane_fail(plane, NULL, "a record's leg with outcome %d", leg->outcome);
		if ((leg->started_at && leg->ended_at < leg->started_at) ||
		    (leg->ringing_at && leg->ringing_at < leg->started_at) ||
		    (leg->answered_at && leg->answered_at < leg->started_at))
			plane_fail(plane, NULL, "a record's leg whose times run backwards");
		if (leg->outcome == OUTCOME_ANSWERED && !leg->answered_at)
			plane_fail(plane, NULL, "a record's leg answered at no time");
	}
}

static void save_call(void *context, struct call_record *record)
{
	struct plane *plane = context;
	struct plane_record saved = {.outcome = record->outcome, .sip_status = record->sip_status};
	str_to_cstring(record->id, saved.id, sizeof saved.id);
	str_to_cstring(record->forwarded_from, saved.forwarded_from, sizeof saved.forwarded_from);
	str_to_cstring(record->call_id, saved.call_id, sizeof saved.call_id);
	judge_legs(plane, record, &saved);
	if (record->id.length != 26)
		plane_fail(plane, NULL, "a record whose id has %zu characters", record->id.length);
	if (plane->saved_count == plane->saved_size) {
		plane->saved_size = plane->saved_size ? 2 * plane->saved_size : 256;
		plane->saved = realloc(plane->saved, plane->saved_size * sizeof *plane->saved);
		assert(plane->saved);
	}
	plane->saved[plane->saved_count++] = saved;
	plane->totals.records++;
	call_record_free(record);
}

void records_fake_init(struct plane *plane)
{
	list_init(&plane->writes);
	plane->records =
	    (struct records){.context = plane, .save_registration = save_registration, .save_call = save_call};
}

void records_fake_finish(struct plane *plane)
{
	if (!list_empty(&plane->writes))
		plane_fail(plane, NULL, "a registration is still being written");
	free(plane->saved);
}

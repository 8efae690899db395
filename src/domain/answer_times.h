// How long a device rang until it was answered, from the call records of its last legs: as a histogram, and what that says about
// the voicemail behind its number. Times count as the voicemail guard's do (guard.h).
#ifndef DOMAIN_ANSWER_TIMES_H
#define DOMAIN_ANSWER_TIMES_H

#include "domain/call_record.h"

enum {
	ANSWER_TIMES_MAX = 500,   // the newest count
	ANSWER_TIMES_NEEDED = 20, // answers, before anything is proposed
	ANSWER_BUCKET_MS = 1000,  // a bucket's width
	ANSWER_BUCKETS_MAX = 61,  // the last one has all that took longer
};

enum answer_kind {
	ANSWER_TAKEN,
	ANSWER_CONFIRMED, // taken by a 1
	ANSWER_TOO_SOON,
	ANSWER_NOT_CONFIRMED,
	ANSWER_TOO_LATE,
	ANSWER_REFUSED,
	ANSWER_KIND_COUNT
};
extern const char *const answer_kind_names[ANSWER_KIND_COUNT]; // "taken" ...

struct answer_time {
	enum answer_kind kind;
	bool answered; // somebody or something did; otherwise it was refused or stopped after this time
	int64_t ms;    // since it rang
};

enum proposal_reason {
	PROPOSAL_NONE_SEEN, // nothing looks like a voicemail: the usual time
	PROPOSAL_VOICEMAIL, // a cluster does
	PROPOSAL_UNCLEAR,   // answers there are, but people and voicemail cannot be told apart: nothing is proposed
};
extern const char *const proposal_reason_names[]; // "none_seen" ...

struct proposal {
	int64_t ms; // 0: none
	enum proposal_reason reason;
	size_t answers; // in the cluster
	int64_t from_ms, to_ms;
};

struct answer_times {
	size_t answers; // of all the legs looked at
	size_t buckets[ANSWER_BUCKETS_MAX][ANSWER_KIND_COUNT];
	size_t bucket_count; // up to the last that is not empty
	bool proposes;       // there were enough answers
	struct proposal too_soon, too_late;
};

// False: the leg says nothing, for it was neither answered nor refused.
bool answer_time_of(const struct leg_record *leg, struct answer_time *time);
// Sorts `times`, and drops what was not answered.
void answer_times_study(struct answer_time *times, size_t count, struct answer_times *study);

#endif

// What the times until an answer say. A person answers after some seconds, now earlier, now later; a voicemail does within a second
// where the phone is off, and otherwise always after the same time.
#include "domain/answer_times.h"

#include <stdlib.h>

enum {
	SOON_MS = 2500, // who has just heard it ring does not answer earlier
	SOON_GAP_MS = 500,
	SOON_USUAL_MS = 1500,
	SOON_ROUND_MS = 100,
	LATE_MS = 10000, // no voicemail is set to less
	LATE_WINDOW_MS = 1500,
	LATE_AROUND_MS = 3000,
	LATE_AHEAD_MS = 1000, // the CANCEL needs its time
	LATE_USUAL_MS = 19000,
	LATE_ROUND_MS = 500,
	PERCENT = 100,
};

const char *const answer_kind_names[ANSWER_KIND_COUNT] = {"taken",         "confirmed", "too_soon",
							  "not_confirmed", "too_late",  "refused"};
const char *const proposal_reason_names[] = {"none_seen", "voicemail", "unclear"};

static bool kind_of(const struct leg_record *leg, enum answer_kind *kind)
{
	switch ((enum outcome)leg->outcome) {
	case OUTCOME_ANSWERED:
		*kind = leg->confirmed_at ? ANSWER_CONFIRMED : ANSWER_TAKEN;
		return true;
	case OUTCOME_TOO_SOON:
		*kind = ANSWER_TOO_SOON;
		return true;
	case OUTCOME_NOT_CONFIRMED:
		*kind = ANSWER_NOT_CONFIRMED;
		return true;
	case OUTCOME_TOO_LATE:
		*kind = ANSWER_TOO_LATE;
		return true;
	case OUTCOME_DECLINED:
		*kind = ANSWER_REFUSED;
		return true;
	case OUTCOME_ANSWERED_ELSEWHERE:
	case OUTCOME_DECLINED_ELSEWHERE:
	case OUTCOME_CALLER_GAVE_UP:
	case OUTCOME_TIMED_OUT:
	case OUTCOME_BUSY:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_NOT_RUNG:
	case OUTCOME_REFUSED:
	case OUTCOME_FAILED:
	case OUTCOME_COUNT:
		break;
	}
	return false;
}

bool answer_time_of(const struct leg_record *leg, struct answer_time *time)
{
	int64_t since = leg->ringing_at ? leg->ringing_at : leg->started_at;

	if (!leg->started_at || !kind_of(leg, &time->kind))
		return false;
	time->answered = leg->answered_at != 0;
	time->ms = (time->answered ? leg->answered_at : leg->ended_at) - since;
	return time->ms >= 0;
}

static int by_time(const void *a, const void *b)
{
	const struct answer_time *x = a, *y = b;

	return (x->ms > y->ms) - (x->ms < y->ms);
}

static void bucket_add(struct answer_times *study, const struct answer_time *time)
{
	size_t bucket = (size_t)(time->ms / ANSWER_BUCKET_MS);

	if (bucket >= ANSWER_BUCKETS_MAX)
		bucket = ANSWER_BUCKETS_MAX - 1;
	study->buckets[bucket][time->kind]++;
	if (bucket >= study->bucket_count)
		study->bucket_count = bucket + 1;
}

static int64_t round_up(int64_t ms, int64_t to)
{
	return (ms + to - 1) / to * to;
}

// Many enough, of all there are, to be no accident.
static bool weighs(size_t answers, size_t all, size_t least, size_t percent)
{
	return answers >= least && answers * PERCENT >= all * percent;
}

// The widest gap after one of the soon answers parts the voicemail from the people.
static struct proposal propose_too_soon(const struct answer_time *answers, size_t count)
{
	size_t soon = 0, last = 0;
	int64_t widest = 0;

	while (soon < count && answers[soon].ms < SOON_MS)
		soon++;
	if (soon == 0)
		return (struct proposal){.ms = SOON_USUAL_MS, .reason = PROPOSAL_NONE_SEEN};
	for (size_t i = 0; i < soon; i++) {
		int64_t next = i + 1 < count ? answers[i + 1].ms : answers[i].ms + 2 * SOON_MS;
		if (next - answers[i].ms > widest) {
			widest = next - answers[i].ms;
			last = i;
		}
	}
	if (widest < SOON_GAP_MS || !weighs(last + 1, count, 2, 3))
		return (struct proposal){.reason = PROPOSAL_UNCLEAR};
	int64_t beyond = widest / 2 < SOON_GAP_MS ? widest / 2 : SOON_GAP_MS;
	return (struct proposal){.ms = round_up(answers[last].ms + beyond, SOON_ROUND_MS),
				 .reason = PROPOSAL_VOICEMAIL,
				 .answers = last + 1,
				 .from_ms = answers[0].ms,
				 .to_ms = answers[last].ms};
}

static size_t count_between(const struct answer_time *answers, size_t count, int64_t from_ms, int64_t to_ms)
{
	size_t between = 0;

	for (size_t i = 0; i < count; i++)
		between += answers[i].ms >= from_ms && answers[i].ms <= to_ms;
	return between;
}

// Where most late answers lie within a second and a half, with few around them.
static struct proposal propose_too_late(const struct answer_time *answers, size_t count)
{
	size_t first = 0, most = 0;
	bool any = count > 0 && answers[count - 1].ms >= LATE_MS;

	for (size_t i = 0; i < count; i++) {
		size_t in = count_between(answers, count, answers[i].ms, answers[i].ms + LATE_WINDOW_MS);
		if (answers[i].ms >= LATE_MS && in > most) {
			most = in;
			first = i;
		}
	}
	if (!any)
		return (struct proposal){.ms = LATE_USUAL_MS, .reason = PROPOSAL_NONE_SEEN};
	int64_t from_ms = answers[first].ms, to_ms = answers[first + most - 1].ms;
	size_t around = count_between(answers, count, from_ms - LATE_AROUND_MS, to_ms + LATE_AROUND_MS);
	if (!weighs(most, count, 3, 5) || most * 2 <= around)
		return (struct proposal){.reason = PROPOSAL_UNCLEAR};
	return (struct proposal){.ms = (from_ms - LATE_AHEAD_MS) / LATE_ROUND_MS * LATE_ROUND_MS,
				 .reason = PROPOSAL_VOICEMAIL,
				 .answers = most,
				 .from_ms = from_ms,
				 .to_ms = to_ms};
}

void answer_times_study(struct answer_time *times, size_t count, struct answer_times *study)
{
	size_t answers = 0;

	*study = (struct answer_times){.answers = 0};
	for (size_t i = 0; i < count; i++) {
		bucket_add(study, &times[i]);
		if (times[i].answered)
			times[answers++] = times[i];
	}
	study->answers = answers;
	study->proposes = answers >= ANSWER_TIMES_NEEDED;
	if (!study->proposes)
		return;
	qsort(times, answers, sizeof *times, by_time);
	study->too_soon = propose_too_soon(times, answers);
	study->too_late = propose_too_late(times, answers);
}

// The alarms of toll protection, and what is said of them.
#include "domain/toll_alarm.h"

#include "base/writer.h"

#include <inttypes.h>
#include <string.h>

const char *const toll_scope_names[] = {"user", "trunk", "site"};
const char *const toll_measure_names[] = {"legs", "legs_per_hour", "international_legs_per_hour"};

static struct toll_alarm *alarm_find(struct toll_alarms *alarms, const struct toll_alarm *wanted)
{
	for (size_t i = 0; i < alarms->count; i++) {
		struct toll_alarm *alarm = &alarms->list[i];
		if (alarm->scope == wanted->scope && alarm->id == wanted->id && alarm->measure == wanted->measure)
			return alarm;
	}
	return NULL;
}

static void alarm_remove(struct toll_alarms *alarms, struct toll_alarm *alarm)
{
	size_t place = (size_t)(alarm - alarms->list);

	memmove(alarm, alarm + 1, (alarms->count - place - 1) * sizeof *alarm);
	alarms->count--;
}

bool toll_alarm_stands(const struct toll_alarm *alarm, uint64_t now_ms)
{
	return now_ms - alarm->at_ms < (alarm->reached ? TOLL_ALARM_MS : TOLL_WARNING_MS);
}

const struct toll_alarm *toll_alarms_note(struct toll_alarms *alarms, const struct toll_alarm *noted)
{
	struct toll_alarm *before = alarm_find(alarms, noted);
	struct toll_alarm alarm = *noted;
	bool stood = before && toll_alarm_stands(before, noted->at_ms);
	bool tells =
	    !stood || (noted->reached && !before->reached) || noted->at_ms - before->told_ms >= TOLL_ALARM_PAUSE_MS;

	alarm.refused = (stood ? before->refused : 0) + noted->reached;
	alarm.reached = noted->reached || (stood && before->reached);
	alarm.told_ms = tells ? noted->at_ms : before->told_ms;
	if (before)
		alarm_remove(alarms, before);
	else if (alarms->count == TOLL_ALARMS_MAX)
		alarm_remove(alarms, alarms->list);
	alarms->list[alarms->count++] = alarm;
	return tells ? &alarms->list[alarms->count - 1] : NULL;
}

struct str toll_alarm_sentence(const struct toll_alarm *alarm, char room[TOLL_ALARM_SENTENCE_MAX])
{
	static const char *const measures[] = {
	    [TOLL_LEGS_NOW] = "calls to the outside at once",
	    [TOLL_LEGS_PER_HOUR] = "calls to the outside within an hour",
	    [TOLL_INTERNATIONAL_PER_HOUR] = "international calls within an hour",
	};
	struct writer w = writer_into(room, TOLL_ALARM_SENTENCE_MAX);

	writer_format(&w, "%s%s%u of %" PRId64 " %s", alarm->label, alarm->label[0] ? ": " : "", alarm->used,
		      alarm->limit, measures[alarm->measure]);
	if (alarm->refused)
		writer_format(&w, ", %" PRIu64 " refused", alarm->refused);
	writer_format(&w, ".");
	return writer_result(&w);
}

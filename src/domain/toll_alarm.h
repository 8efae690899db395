// Alarms of toll protection: a limit is reached, or nearly. What goes on being so is one alarm, told once a minute at most, so that an
// attack drowns nobody; it stands for a while after the last time. Pure.
#ifndef DOMAIN_TOLL_ALARM_H
#define DOMAIN_TOLL_ALARM_H

#include "base/str.h"

#include <stdint.h>

enum toll_scope { TOLL_OF_USER, TOLL_OF_TRUNK, TOLL_OF_SITE, TOLL_SCOPE_COUNT };
enum toll_measure { TOLL_LEGS_NOW, TOLL_LEGS_PER_HOUR, TOLL_INTERNATIONAL_PER_HOUR, TOLL_MEASURE_COUNT };
extern const char *const toll_scope_names[];   // "user" ...
extern const char *const toll_measure_names[]; // "legs" ...

enum {
	TOLL_ALARMS_MAX = 64,             // the oldest makes room
	TOLL_WARNING_PERCENT = 80,        // of a limit
	TOLL_ALARM_MS = 60 * 60 * 1000,   // how long it stands after the last refusal
	TOLL_WARNING_MS = 10 * 60 * 1000, // after the last leg that came near to the limit
	TOLL_ALARM_PAUSE_MS = 60 * 1000,  // between two times that it is told
};

struct toll_alarm {
	enum toll_scope scope;
	uint64_t id; // of the user or trunk; 0: the site
	enum toll_measure measure;
	bool reached; // otherwise near
	int64_t limit;
	unsigned used;
	uint64_t refused; // legs since it began
	int64_t at;       // wall clock, the last time
	uint64_t at_ms;   // by the loop
	uint64_t told_ms; // likewise, when it was told
	char label[120];  // "510 Jane", the trunk's title, ""
};

struct toll_alarms {
	struct toll_alarm list[TOLL_ALARMS_MAX]; // the latest last
	size_t count;
};

// Notes one; scope, id, measure, reached, limit, used, at, at_ms and label are the caller's. The alarm as it is now when it is to be
// told, else NULL.
const struct toll_alarm *toll_alarms_note(struct toll_alarms *alarms, const struct toll_alarm *noted);
bool toll_alarm_stands(const struct toll_alarm *alarm, uint64_t now_ms);
enum { TOLL_ALARM_SENTENCE_MAX = 256 };
struct str toll_alarm_sentence(const struct toll_alarm *alarm, char room[TOLL_ALARM_SENTENCE_MAX]);

#endif

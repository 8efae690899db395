// Toll protection: what a leg to the outside may cost, who answers for it, and how many there may be. Every such leg, whatever makes
// it (dialled, on a ring plan, forwarded, redirected, transferred, moved), is judged here and nowhere else, and none begins without.
// Call thread only.
#ifndef DOMAIN_TOLL_H
#define DOMAIN_TOLL_H

#include "domain/directory.h"
#include "domain/toll_alarm.h"

struct loop;
struct toll;
struct watch;

enum toll_class { TOLL_NONE, TOLL_NATIONAL, TOLL_INTERNATIONAL, TOLL_PREMIUM };

struct toll_ports {
	struct loop *loop;
	struct directory *directory;
	struct watch *watch; // told of alarms; NULL: nobody
};

struct toll *toll_create(const struct toll_ports *ports); // NULL when there is no memory; what they name lives longer
void toll_destroy(struct toll *toll);                     // nothing that was entered may be left

// A leg that somebody wants.
struct toll_question {
	uint64_t payer_id;         // the user who dialled, forwarded, or whose ring plan it is; 0: nobody
	struct str number;         // canonical
	const struct route *route; // NULL: by whichever
	bool free;                 // an emergency, or a Teams client, which is in the house: passes always
};

struct toll_verdict {
	enum err err;           // ERR_NONE: it may begin
	enum toll_class needed; // by the number and the route
	enum toll_class held;   // by the payer, now
	bool closed;            // that is less than he has in opening hours
	// Of a limit that is reached: whose, and how far it is used.
	bool limited;
	enum toll_scope scope;
	enum toll_measure measure;
	int64_t limit;
	unsigned used;
};

// Changes nothing: for trying what would be said as well.
struct toll_verdict toll_judge(const struct toll *toll, const struct toll_question *question);
enum toll_class toll_class_of(const struct directory *directory, struct str canonical);
// The verdict in words, for people: which class is needed, which limit is reached.
enum { TOLL_SENTENCE_MAX = 200 };
struct str toll_sentence(const struct toll_verdict *verdict, char room[TOLL_SENTENCE_MAX]);

// The leg will not be, because of this verdict: counted, and an alarm when a limit is the reason.
void toll_refuse(struct toll *toll, const struct toll_question *question, const struct toll_verdict *verdict);

// What a leg has while it lasts, and only toll_enter gives. All zero: none.
struct toll_permit {
	bool granted;
	bool counted; // not for free ones
	uint64_t payer_id, trunk_id;
};
// The leg begins over the question's route: judged, and counted until toll_leave. The verdict's refusal, or NO_MEMORY.
enum err toll_enter(struct toll *toll, const struct toll_question *question, struct toll_permit *permit);
void toll_leave(struct toll *toll, struct toll_permit *permit); // a permit without is left alone

struct toll_counters {
	unsigned legs;           // counted ones, now
	uint64_t begun, refused; // since the start
	unsigned alarms;         // that stand
	size_t remembered;       // users, trunks and the site, as accounts
};
struct toll_counters toll_count(const struct toll *toll);
// The alarms that stand, the latest first; up to `max`.
size_t toll_alarms(const struct toll *toll, struct toll_alarm *alarms, size_t max);

#endif

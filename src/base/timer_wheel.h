// The timers of one loop: a hierarchical wheel of 1 ms ticks. For implementations of loop.h only; everyone else uses
// timer_start and timer_stop. Starting and stopping cost O(1), and nothing is ever allocated.
//
// A loop owns one wheel, and on each turn calls timer_wheel_advance with the time that loop_now_ms gives during that
// turn; timer_wheel_next says how long it may sleep.
#ifndef BASE_TIMER_WHEEL_H
#define BASE_TIMER_WHEEL_H

#include "base/loop.h"

// Seven digits of six bits reach 2^42 ms, 139 years after the clock's zero; what is due later is due then.
enum { TIMER_WHEEL_LEVELS = 7, TIMER_WHEEL_DIGIT_BITS = 6, TIMER_WHEEL_SLOTS = 1 << TIMER_WHEEL_DIGIT_BITS };

struct timer_wheel {
	uint64_t now_ms;     // every timer due until then has been handed out
	uint64_t reached_ms; // where the latest advance goes; equals now_ms outside of it
	uint64_t about_ms;   // what timer_start_about rounds to; 1 in tests of what is due when
	// Bit s of level l is set when the slot may hold timers; a stopped timer leaves its bit behind until it is looked at.
	uint64_t occupied[TIMER_WHEEL_LEVELS];
	struct list slots[TIMER_WHEEL_LEVELS][TIMER_WHEEL_SLOTS];
};

// Offered by each implementation of loop.h: the wheel that the loop owns.
struct timer_wheel *loop_wheel(struct loop *loop);

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);
// Starts, or starts anew. Due at the earliest one tick after the time last advanced to, also when due_ms has passed.
void timer_wheel_start(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ms);
uint64_t timer_wheel_about(const struct timer_wheel *wheel, uint64_t due_ms); // when that is due with others
// Calls the handler of each timer due at or before now_ms: by time due, those of one millisecond in the order they were
// started. Handlers may start and stop any timer. A now_ms that lies in the past changes nothing. Gives the number of
// handlers called. Not to be called from a handler.
size_t timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);
// Milliseconds, counted from the time last advanced to, until the wheel must be advanced again; at least 1. UINT64_MAX
// when no timer runs. For a timer far away this may be sooner than it is due (the wheel then sorts it into finer slots,
// at most six times in its life), never later. Not to be called from a handler.
uint64_t timer_wheel_next(struct timer_wheel *wheel);

#endif

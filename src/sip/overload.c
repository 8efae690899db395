// Overload control by occupancy: the share of new requests taken is multiplied by what the thread may be busy over what it is.
#include "sip/overload.h"

#include "base/hash.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	LOOK_MS = 100,
	ALL = 1000,               // shares are in thousandths
	SHARE_MIN = 20,           // some always go on: by them it is seen that there is room again
	GROWTH = 1100,            // of the share within a look, at most
	CUT = 500,                // ... and the least that is left of it
	QUEUE_FULL_PERCENT = 25,  // of a socket's buffer: a burst, before the average shows it
	SMOOTHING = 4,            // looks that the average of the busy time spans
	QUIET_LOOKS = 50,         // without anything to refuse, until an episode is over
	REGISTER_AGAIN_MS = 8000, // for so long the same device meets the same answer
	FEEDBACK_LIFE_MS = 500,
};

struct sip_overload {
	struct loop *loop;
	struct sip_overload_settings settings;
	struct timer timer;
	uint64_t looked_us, busy_us; // at the last look
	unsigned busy;               // average
	unsigned share;              // of calls that are taken; of registrations it is the square, or the least
	bool asked;                  // since the last look
	bool store_is_slow;
	unsigned quiet_looks;
	uint64_t episode_began_ms, episode_refused; // 0: there is none
	struct sip_overload_counters counters;
	char feedback[80];
};

// ---- looking

static void episode_follow(struct sip_overload *overload)
{
	uint64_t now_ms = loop_now_ms(overload->loop);
	uint64_t refused = overload->counters.refused_calls + overload->counters.refused_registers;
	bool over = overload->share == ALL && !overload->store_is_slow;

	overload->quiet_looks = over ? overload->quiet_looks + 1 : 0;
	if (!over && !overload->counters.overloaded) {
		overload->counters.overloaded = true;
		overload->counters.episodes++;
		overload->episode_began_ms = now_ms;
		overload->episode_refused = refused;
		log_warning("sip_overload_began", LOG_UINT("busy_percent", overload->busy / 10),
			    LOG_UINT("queue_percent", overload->settings.queue_percent(overload->settings.context)),
			    LOG_UINT("store_waits_ms", overload->settings.store_waits_ms(overload->settings.context)));
	} else if (over && overload->counters.overloaded && overload->quiet_looks >= QUIET_LOOKS) {
		overload->counters.overloaded = false;
		log_warning("sip_overload_over", LOG_UINT("seconds", (now_ms - overload->episode_began_ms) / 1000),
			    LOG_UINT("refused", refused - overload->episode_refused));
	}
}

static unsigned factor(const struct sip_overload *overload)
{
	unsigned target = overload->settings.busy_percent * 10;

	if (overload->settings.queue_percent(overload->settings.context) >= QUEUE_FULL_PERCENT)
		return CUT;
	if (overload->busy == 0)
		return GROWTH;
	unsigned wanted = ALL * target / overload->busy;
	return wanted < CUT ? CUT : wanted > GROWTH ? GROWTH : wanted;
}

static void look(struct timer *timer)
{
	struct sip_overload *overload = container_of(timer, struct sip_overload, timer);
	uint64_t now_us = loop_now_us(overload->loop), busy_us = loop_busy_us(overload->loop);
	uint64_t gone_us = now_us - overload->looked_us;

	if (gone_us == 0)
		return;
	uint64_t busy = (busy_us - overload->busy_us) * ALL / gone_us;
	overload->looked_us = now_us;
	overload->busy_us = busy_us;
	overload->busy = (overload->busy * (SMOOTHING - 1) + (unsigned)(busy < ALL ? busy : ALL)) / SMOOTHING;
	unsigned share = overload->share * factor(overload) / ALL;
	overload->share = share < SHARE_MIN ? SHARE_MIN : share > ALL ? ALL : share;
	overload->store_is_slow =
	    overload->settings.store_waits_ms(overload->settings.context) >= overload->settings.store_wait_ms;
	episode_follow(overload);
	// Where nothing is asked, nothing is looked at: an idle server sleeps.
	if (overload->asked || overload->counters.overloaded || overload->share < ALL)
		timer_start(overload->loop, timer, LOOK_MS);
	overload->asked = false;
}

static void look_begin(struct sip_overload *overload)
{
	overload->asked = true;
	if (timer_running(&overload->timer) || !overload->settings.busy_percent)
		return;
	overload->looked_us = loop_now_us(overload->loop);
	overload->busy_us = loop_busy_us(overload->loop);
	timer_start(overload->loop, &overload->timer, LOOK_MS);
}

// ---- what others ask

bool sip_overload_admits(struct sip_overload *overload, const struct sip_message *request)
{
	bool is_register = request->method == SIP_REGISTER;
	unsigned share = overload->share;

	if (is_register)
		share = share * share / ALL > SHARE_MIN ? share * share / ALL : SHARE_MIN;
	look_begin(overload);
	if (is_register && overload->store_is_slow)
		share = 0;
	if (share == ALL)
		return true;
	// A call's Call-ID is its own. A phone's registrations share theirs, so chance is given to each of them again in time.
	uint64_t again = is_register ? loop_now_ms(overload->loop) / REGISTER_AGAIN_MS : 0;
	uint64_t chance = hash_str(request->call_id) + again;
	if (hash_bytes(&chance, sizeof chance) % ALL < share)
		return true;
	++*(is_register ? &overload->counters.refused_registers : &overload->counters.refused_calls);
	return false;
}

unsigned sip_overload_retry_after_s(const struct sip_overload *overload)
{
	unsigned least = (overload->settings.retry_after_s + 1) / 2;

	return least + (unsigned)(loop_random_uint(overload->loop) % (overload->settings.retry_after_s + 1));
}

struct str sip_overload_feedback(struct sip_overload *overload)
{
	struct writer w = writer_into(overload->feedback, sizeof overload->feedback);
	uint64_t now_ms = loop_time_ms(overload->loop);
	unsigned less = (ALL - overload->share) / 10; // percent that the neighbour should send less

	writer_format(&w, "oc=%u;oc-algo=\"loss\";oc-validity=%u;oc-seq=%" PRIu64 ".%03u", less,
		      less ? FEEDBACK_LIFE_MS : 0, now_ms / 1000, (unsigned)(now_ms % 1000));
	return writer_result(&w);
}

struct sip_overload_counters sip_overload_count(const struct sip_overload *overload)
{
	struct sip_overload_counters counters = overload->counters;

	counters.busy_percent = overload->busy / 10;
	counters.admitted_percent = overload->share / 10;
	return counters;
}

// ---- life

void sip_overload_change(struct sip_overload *overload, const struct sip_overload_settings *settings)
{
	overload->settings.busy_percent = settings->busy_percent;
	overload->settings.retry_after_s = settings->retry_after_s ? settings->retry_after_s : 10;
	overload->settings.store_wait_ms = settings->store_wait_ms ? settings->store_wait_ms : 1000;
	if (settings->busy_percent || !timer_running(&overload->timer))
		return;
	// Nobody is sent away any more, so nobody looks any more, either.
	timer_stop(&overload->timer);
	overload->share = ALL;
	overload->store_is_slow = false;
	overload->quiet_looks = QUIET_LOOKS;
	episode_follow(overload);
}

struct sip_overload *sip_overload_create(struct loop *loop, const struct sip_overload_settings *settings)
{
	struct sip_overload *overload = calloc(1, sizeof *overload);

	if (!overload)
		return NULL;
	overload->loop = loop;
	overload->settings = *settings;
	sip_overload_change(overload, settings);
	overload->share = ALL;
	timer_init(&overload->timer, look);
	return overload;
}

void sip_overload_destroy(struct sip_overload *overload)
{
	if (!overload)
		return;
	timer_stop(&overload->timer);
	free(overload);
}

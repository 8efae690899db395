// A leg that is taken by a key: whoever answers it hears who calls, and has the call with a 1, while the other devices ring on.
// Its media go through the relay, so that it can be heard before the caller is connected; the caller is answered with what the relay
// gives for him.
#include "domain/call.h"

#include "base/log.h"
#include "domain/dtmf.h"

enum {
	PROMPTS_MAX = 3,       // then whoever it is does not want the call, or is a machine
	KEY_WAIT_MS = 5000,    // after a prompt
	PROMPT_MAX_MS = 30000, // no prompt lasts longer
};

enum confirm_step {
	CONFIRM_ANSWER_WAITED, // for what the relay makes of the leg's answer
	CONFIRM_PLAYING,       // PROMPTING, DISMISSED
	CONFIRM_LISTENING,     // PROMPTING: the prompt is over and no key was pressed yet
};

struct confirmation {
	struct leg *leg;
	struct timer clock; // of what is waited for
	enum confirm_step step;
	unsigned prompts;   // played so far
	struct body answer; // for the caller; in the record's arena
};

const char *const prompt_names[PROMPT_COUNT] = {
#define PROMPT(name, text) [PROMPT_##name] = text,
#include "domain/prompts.def"
#undef PROMPT
};

size_t confirmation_size(void)
{
	return sizeof(struct confirmation);
}

static struct media *media_of(const struct leg *leg)
{
	return leg->call->table->ports.media;
}

static void wait_for(struct confirmation *confirmation, enum confirm_step step, uint64_t ms)
{
	confirmation->step = step;
	timer_start(confirmation->leg->call->table->ports.loop, &confirmation->clock, ms);
}

static void clock_strikes(struct timer *timer)
{
	struct leg *leg = container_of(timer, struct confirmation, clock)->leg;
	struct call *call = leg->call;

	leg_happens(leg, &(struct leg_event){.kind = LEG_EVENT_WAITED});
	call_tidy(call);
}

void confirm_end(struct leg *leg)
{
	if (!leg->confirmation)
		return;
	timer_stop(&leg->confirmation->clock);
	pool_give(&leg->call->table->confirmations_pool, leg->confirmation);
	leg->confirmation = NULL;
}

// ---- before it is invited

enum err confirm_prepare(struct leg *leg)
{
	struct confirmation *confirmation = pool_take(&leg->call->table->confirmations_pool);

	if (!confirmation)
		return ERR_NO_MEMORY;
	confirmation->leg = leg;
	timer_init(&confirmation->clock, clock_strikes);
	leg->confirmation = confirmation;
	return ERR_NONE;
}

// ---- answered

// It does not take the call; that is all there is to it, whoever answered.
static void drop(struct leg *leg, enum outcome outcome, const char *reason)
{
	wire_hang_up(leg, LEG_END_NORMAL);
	leg_fail(leg, outcome, reason);
	call_happens(leg->call, CALL_EVENT_LEG_FAILED, leg, NULL);
}

static enum err play(struct leg *leg, enum prompt which)
{
	struct call *call = leg->call;
	const struct call_record *record = leg->attempt->record;
	struct media *media = media_of(leg);
	const struct media_prompt prompt = {
	    .prompt = which,
	    .language = site_prompt_language(directory_site(call->table->ports.directory)),
	    .caller = call->anonymous ? STR_NONE : record->caller_number,
	    .caller_user_id = call->anonymous ? 0 : record->caller_user_id,
	};

	leg->confirmation->prompts++;
	wait_for(leg->confirmation, CONFIRM_PLAYING, PROMPT_MAX_MS);
	return media->play(media->context, leg->id, &prompt);
}

static void ask(struct leg *leg)
{
	if (leg->confirmation->prompts >= PROMPTS_MAX)
		drop(leg, OUTCOME_NOT_CONFIRMED, "Nobody pressed 1.");
	else if (play(leg, PROMPT_CALL))
		prompting_is_lost(leg, NULL);
}

// The caller gets what the relay makes of the answer to his offer; where he made none, the answer is an offer to him, which goes to
// the relay when he gets it.
static bool keep_for_caller(struct leg *leg, const struct body *body)
{
	struct arena *arena = &leg->attempt->record->arena;
	struct body *answer = &leg->confirmation->answer;

	*answer = *body;
	answer->type = arena_copy(arena, body->type);
	answer->bytes = arena_copy(arena, body->bytes);
	return answer->type.at && answer->bytes.at;
}

void confirm_begin(struct leg *leg, const struct body *answer)
{
	leg->answered_at = call_time_ms(leg->call);
	leg->status = 200;
	wire_acknowledge(leg, NULL);
	leg->confirmation->step = CONFIRM_ANSWER_WAITED;
	leg_set_state(leg, LEG_PROMPTING);
	call_happens(leg->call, CALL_EVENT_LEG_RANG, leg, NULL); // the caller has heard nothing yet when it never rang
	if (answer && keep_for_caller(leg, answer))
		wire_to_relay(leg, answer);
	else
		prompting_is_lost(leg, NULL);
}

void prompting_is_connected(struct leg *leg, const struct leg_event *event)
{
	if (leg->confirmation->step != CONFIRM_ANSWER_WAITED)
		return;
	if (!leg->call->caller->offered || keep_for_caller(leg, event->body))
		ask(leg);
	else
		prompting_is_lost(leg, NULL);
}

static void takes(struct leg *leg)
{
	struct media *media = media_of(leg);
	const struct body answer = leg->confirmation->answer;

	media->stop(media->context, leg->id);
	timer_stop(&leg->confirmation->clock);
	leg->confirmed_at = call_time_ms(leg->call);
	call_happens(leg->call, CALL_EVENT_LEG_ANSWERED, leg, &answer);
	confirm_end(leg);
}

// A key counts as soon as something plays: who has heard it before need not wait for its end.
static void presses(struct leg *leg, char key)
{
	struct media *media = media_of(leg);

	if (leg->confirmation->step == CONFIRM_ANSWER_WAITED)
		return;
	log_debug("key_pressed", LOG_UINT("call", leg->call->id), LOG_UINT("leg", leg->number));
	switch (key) {
	case '1':
		takes(leg);
		return;
	case '2':
		leg->understood = 486;
		drop(leg, OUTCOME_DECLINED, "Refused by pressing 2.");
		return;
	default:
		media->stop(media->context, leg->id);
		ask(leg);
	}
}

void prompting_key(struct leg *leg, const struct leg_event *event)
{
	presses(leg, event->key);
}

void prompting_requested(struct leg *leg, const struct leg_event *event)
{
	char key;

	if (event->request->method != DIALOG_INFO || !dtmf_read(&event->request->body, &key)) {
		relay_requested(leg, event);
		return;
	}
	wire_reply(leg, event->token, 200, NULL);
	presses(leg, key);
}

void prompting_is_heard(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	if (leg->confirmation->step == CONFIRM_PLAYING)
		wait_for(leg->confirmation, CONFIRM_LISTENING, KEY_WAIT_MS);
}

void prompting_waited(struct leg *leg, const struct leg_event *event)
{
	if (leg->confirmation->step == CONFIRM_LISTENING)
		ask(leg);
	else
		prompting_is_lost(leg, event);
}

void prompting_is_lost(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	drop(leg, OUTCOME_FAILED, "The media relay was lost.");
}

// A refusal of this leg alone: it may have been a voicemail, or a pocket.
void prompting_hangs_up(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	leg_fail(leg, OUTCOME_NOT_CONFIRMED, "It hung up before 1 was pressed.");
	call_happens(leg->call, CALL_EVENT_LEG_FAILED, leg, NULL);
}

// ---- too late

// Who has answered is told why nothing comes of it. When the caller has gone there is nothing to tell.
void prompting_is_stopped(struct leg *leg, const struct leg_event *event)
{
	bool hears = leg->confirmation->step != CONFIRM_ANSWER_WAITED;

	leg_note_end(leg, event->why);
	if (event->why == LEG_END_ANSWERED_ELSEWHERE && hears && play(leg, PROMPT_TAKEN) == ERR_NONE) {
		leg_set_state(leg, LEG_DISMISSED);
		return;
	}
	wire_hang_up(leg, event->why);
	leg_set_state(leg, LEG_CANCELLED);
}

void dismissed_is_over(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	wire_hang_up(leg, leg->why);
	leg_set_state(leg, LEG_CANCELLED);
}

void dismissed_hangs_up(struct leg *leg, const struct leg_event *event)
{
	(void)event;
	leg_set_state(leg, LEG_CANCELLED);
}

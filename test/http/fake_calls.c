// A call table with one call in it, for what the API shows of calls.
#include "http/fake_calls.h"

#include "domain/dial_explanation.h"

#include <stdatomic.h>

enum { THE_CALL = 7 };

static atomic_bool hung_up;
static atomic_uint moves;

void fake_calls_reset(void)
{
	atomic_store(&hung_up, false);
	atomic_store(&moves, 0);
}

unsigned fake_calls_moves(void)
{
	return atomic_load(&moves);
}

bool call_table_snapshot(struct call_table *table, struct arena *arena, struct call_snapshot **calls, size_t *count)
{
	(void)table;
	*calls = arena_alloc(arena, sizeof **calls);
	struct leg_snapshot *leg = arena_alloc(arena, sizeof *leg);
	if (!*calls || !leg)
		return false;
	*leg = (struct leg_snapshot){.leg = 11,
				     .device_id = 1,
				     .device_number = STR("330"),
				     .device_title = STR("Desk"),
				     .state = "ringing",
				     .started_at = 1700000000000};
	**calls = (struct call_snapshot){.call = THE_CALL,
					 .record_id = STR("01HF0000000000000000000001"),
					 .caller_number = STR("200"),
					 .caller_name = STR("B\xFF"
							    "b"), // as the wire brought it: no UTF-8
					 .dialled = STR("510"),
					 .state = "ringing",
					 .started_at = 1700000000000,
					 .legs = leg,
					 .leg_count = 1};
	*count = atomic_load(&hung_up) ? 0 : 1;
	return true;
}

bool call_table_hang_up(struct call_table *table, uint64_t call)
{
	(void)table;
	return call == THE_CALL && !atomic_exchange(&hung_up, true);
}

// Device 1 is the one it can move to, device 2 is not registered.
enum err call_table_move(struct call_table *table, uint64_t call, uint64_t device_id, uint64_t user_id)
{
	(void)table;
	if (call != THE_CALL || atomic_load(&hung_up))
		return ERR_NO_SUCH_CALL;
	if (device_id == 1 && user_id == 0)
		return atomic_fetch_add(&moves, 1), ERR_NONE;
	return device_id == 2 ? ERR_UNREACHABLE : ERR_NOT_ALLOWED;
}

enum err call_table_explain(struct call_table *table, struct str extension, struct arena *arena,
			    struct ring_explanation *explanation)
{
	(void)table;
	struct ring_explanation_turn *turns = arena_alloc(arena, 2 * sizeof *turns);
	if (!turns)
		return ERR_NO_MEMORY;
	turns[0] = (struct ring_explanation_turn){.device_id = 1,
						  .number = STR("330"),
						  .title = STR("Desk"),
						  .device_kind = DEVICE_SIP_PHONE,
						  .stop_ms = 20000,
						  .rings = true,
						  .sentence = STR("Rings at once."),
						  .targets = 1};
	turns[1] = (struct ring_explanation_turn){.device_id = 2,
						  .number = STR("821"),
						  .device_kind = DEVICE_SOFTPHONE,
						  .start_ms = 20000,
						  .stop_ms = 30000,
						  .why_not = ERR_UNREACHABLE,
						  .sentence = STR("Is not registered.")};
	*explanation = (struct ring_explanation){.user_id = 1,
						 .extension = arena_copy(arena, extension),
						 .title = STR("Jane Doe"),
						 .strategy = STRATEGY_IN_SEQUENCE,
						 .turns = turns,
						 .turn_count = 2,
						 .afterwards = STR("Then the caller hears busy.")};
	return ERR_NONE;
}

const char *const dial_step_names[] = {"number", "caller", "feature",     "emergency", "extension",
				       "loop",   "did",    "unknown_did", "routes",    NULL};
const char *const dial_result_names[] = {"refused", "feature", "user", "outside", NULL};
const char *const shown_reason_names[] = {"original", NULL};

const char *shown_reason_sentence(enum shown_reason reason)
{
	(void)reason;
	return "The caller's own number.";
}

// 510 reaches the outside by a second route; a call from trunk 1 reaches Jane.
enum err call_table_explain_dial(struct call_table *table, const struct dial_question *question, struct arena *arena,
				 struct dial_explanation *explanation)
{
	(void)table;
	if (!str_empty(question->as) && !str_equal(question->as, STR("510")))
		return ERR_UNKNOWN_NUMBER;
	if (str_empty(question->as) && question->from_trunk != 1)
		return ERR_NOT_FOUND;
	*explanation = (struct dial_explanation){.feature = FEATURE_NONE,
						 .canonical = STR("+441444123456"),
						 .class_ = NUMBER_NATIONAL,
						 .caller_number = STR("510"),
						 .caller_name = STR("Jane Doe"),
						 .steps = {{DIAL_STEP_NUMBER, true, STR("It is a number.")}},
						 .step_count = 1};
	if (str_empty(question->as)) {
		explanation->result = DIAL_USER;
		explanation->user_id = 2;
		explanation->user_title = STR("Jane Doe");
		explanation->user_extension = STR("510");
		explanation->did_id = 1;
		explanation->did = STR("+441444123400-+441444123499");
		return ERR_NONE;
	}
	explanation->result = DIAL_OUTSIDE;
	explanation->routes = arena_alloc(arena, 2 * sizeof *explanation->routes);
	if (!explanation->routes)
		return ERR_NO_MEMORY;
	explanation->routes[0] =
	    (struct dial_route){.route_id = 1,
				.trunk_id = 1,
				.trunk = STR("Carrier"),
				.enabled = true,
				.pattern = STR("+44ZXXXXXXXXX"),
				.why_not = ERR_TOLL_CLASS,
				.toll = {.err = ERR_TOLL_CLASS, .needed = TOLL_PREMIUM, .held = TOLL_NATIONAL},
				.sentence = STR("Toll class 3 is needed."),
				.sent = STR("01444123456")};
	explanation->routes[1] = (struct dial_route){.route_id = 2,
						     .trunk_id = 2,
						     .trunk = STR("Other"),
						     .enabled = true,
						     .pattern = STR(""),
						     .cost = 5,
						     .sentence = STR("A call may go this way."),
						     .sent = STR("+441444123456"),
						     .caller_number = STR("+441444200200")};
	explanation->route_count = 2;
	return ERR_NONE;
}

// Device 1 rings, device 3 talks; who has device 1 is in one call.
enum device_activity call_table_device_activity(const struct call_table *table, uint64_t device_id)
{
	(void)table;
	if (device_id == 1 && !atomic_load(&hung_up))
		return DEVICE_RINGING;
	return device_id == 3 ? DEVICE_TALKING : DEVICE_IDLE;
}

unsigned call_table_calls_of_user(const struct call_table *table, uint64_t user_id)
{
	(void)table;
	return user_id == 2 ? 1 : 0;
}

size_t call_table_count(const struct call_table *table)
{
	(void)table;
	return atomic_load(&hung_up) ? 0 : 1;
}

static struct toll *_Atomic toll_set;

void fake_calls_set_toll(struct toll *toll)
{
	atomic_store(&toll_set, toll);
}

const struct toll *call_table_toll(const struct call_table *table)
{
	(void)table;
	return atomic_load(&toll_set);
}

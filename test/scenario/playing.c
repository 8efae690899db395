// The words that make things happen: calls, what phones and carriers do, time, and what the server is asked.
#include "domain/dial_explanation.h"
#include "sim/sim.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// ---- calling

static void place(struct stage *stage, struct party *party, struct invitation *invitation, bool with_offer)
{
	party->calls = true;
	party->without_offer = !with_offer;
	if (with_offer)
		invitation->body = (struct body){.type = STR("application/sdp"), .bytes = STR("offer")};
	invitation->session = party->session;
	invitation->answers_early = stage->answers_early;
	invitation->call_id = STR("a-call");
	if (invitation->max_forwards == 0)
		invitation->max_forwards = 70;
	if (call_table_invited(stage->calls, invitation, &party->leg))
		stage_fail("the call was not taken");
}

static void call_with(struct stage *stage, struct line *line, bool with_offer, struct invitation invitation);

static void call_from(struct stage *stage, struct line *line, bool with_offer, unsigned max_forwards)
{
	call_with(stage, line, with_offer,
		  (struct invitation){.dialled = str_of(line->words[1]), .max_forwards = max_forwards});
}

static void takes_place(struct stage *stage, struct line *line)
{
	call_with(stage, line, true,
		  (struct invitation){.takes_place = true, .place = stage_party(stage, line->words[1])->leg});
}

static void takes_place_of_nobody(struct stage *stage, struct line *line)
{
	call_with(stage, line, true, (struct invitation){.takes_place = true});
}

static void takes_early_place(struct stage *stage, struct line *line)
{
	call_with(stage, line, true,
		  (struct invitation){
		      .takes_place = true, .early_only = true, .place = stage_party(stage, line->words[1])->leg});
}

static void call_with(struct stage *stage, struct line *line, bool with_offer, struct invitation invitation)
{
	const struct entity *caller = stage_entity(stage, line->words[0]);

	invitation.caller = CALLER_DEVICE;
	if (!caller)
		caller = &device_or_phone(stage, line->words[0])->entity;
	invitation.device_id = caller->id;
	if (caller->kind == ENTITY_USER) {
		struct turn_plan turns[USER_TURNS_MAX];
		if (directory_turns(stage->directory, (const struct user *)caller, turns) == 0)
			stage_fail("%s has no device to call from", line->words[0]);
		invitation.device_id = turns[0].device_id;
	}
	place(stage, stage_enter(stage, line->words[0]), &invitation, with_offer);
}

static void calls(struct stage *stage, struct line *line)
{
	call_from(stage, line, true, 70);
}

static void calls_without_offer(struct stage *stage, struct line *line)
{
	call_from(stage, line, false, 70);
}

static void calls_answering_early(struct stage *stage, struct line *line)
{
	stage->answers_early = true;
	call_from(stage, line, false, 70);
	stage->answers_early = false;
}

static void calls_with_hops(struct stage *stage, struct line *line)
{
	call_from(stage, line, true, (unsigned)atoi(line->words[2]));
}

static void bring(struct stage *stage, struct line *line, const struct diversion *diversion)
{
	const struct entity *trunk = stage_entity(stage, line->words[0]);
	bool anonymous = strcmp(line->words[2], "somebody-anonymous") == 0;
	char *hidden = strstr(line->words[2], " anonymously");

	if (hidden)
		*hidden = '\0';
	bool nobody = strcmp(line->words[2], "nobody") == 0; // no number at all
	const struct invitation template = {
	    .caller = CALLER_TRUNK,
	    .trunk_id = trunk->id,
	    .dialled = str_of(line->words[1]),
	    .caller_number = nobody      ? STR_NONE
			     : anonymous ? STR("+441444888888")
					 : str_of(line->words[2]),
	    .anonymous = anonymous || hidden,
	    .diversions = diversion,
	    .diversion_count = diversion ? 1 : 0,
	};
	struct invitation invitation = template;
	struct party *party = stage_enter(stage, line->words[0]);

	party->is_carrier = true;
	place(stage, party, &invitation, true);
}

static void brings(struct stage *stage, struct line *line)
{
	bring(stage, line, NULL);
}

// "carrier brings D from C after N times by NUMBER": sent on by a number of somebody else's, or by ours
static void brings_sent_on(struct stage *stage, struct line *line)
{
	char uri[100], number[60];
	int times = 1;
	bool ours = strncmp(line->words[3], "us at ", 6) == 0;

	if (sscanf(line->words[3] + (ours ? 6 : 0), "%59s %d times", number, &times) < 1)
		stage_fail("sent on by whom?");
	snprintf(uri, sizeof uri, "sip:%s@%s", number, ours ? "our.example" : "other.example");
	bring(stage, line,
	      &(struct diversion){.number = str_of(number),
				  .uri = str_of(uri),
				  .reason = DIVERSION_UNCONDITIONAL,
				  .times = (unsigned)times,
				  .is_ours = ours});
}

static void rings(struct stage *stage, struct line *line)
{
	call_table_progressed(stage->calls, stage_party(stage, line->words[0])->leg, 180, NULL);
}

static void says_progress(struct stage *stage, struct line *line)
{
	struct body body = {.type = STR("application/sdp"), .bytes = str_of(line->words[2])};

	call_table_progressed(stage->calls, stage_party(stage, line->words[0])->leg, (unsigned)atoi(line->words[1]),
			      &body);
}

static void answers(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);
	char text[300];
	snprintf(text, sizeof text, "sdp of %s", line->words[0]);
	struct body body = {.type = STR("application/sdp"), .bytes = str_of(text)};

	party->owes_487 = false;
	call_table_answered(stage->calls, party->leg, &body);
}

static void refuses(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->owes_487 = false;
	party->gone = true;
	call_table_failed(stage->calls, party->leg, (unsigned)atoi(line->words[1]), STR("Refused"), STR_NONE);
}

static void refuses_saying(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->owes_487 = false;
	party->gone = true;
	call_table_failed(stage->calls, party->leg, (unsigned)atoi(line->words[1]), STR("Refused"),
			  str_of(line->words[2]));
}

// To several, separated by spaces.
static void redirects(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);
	struct str targets[REDIRECT_TARGETS_MAX], rest = str_of(line->words[1]);
	size_t count = 0;

	while (count < REDIRECT_TARGETS_MAX && str_take(&rest, ' ', &targets[count]))
		count++;
	party->owes_487 = false;
	party->gone = true;
	call_table_redirected(stage->calls, party->leg, 302, STR("Moved"), targets, count);
}

static void answers_early(struct stage *stage, struct line *line)
{
	struct body body = {.type = STR("application/sdp"), .bytes = str_of(line->words[1])};

	call_table_early_answered(stage->calls, stage_party(stage, line->words[0])->leg, &body);
}

static void never_sends_prack(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->gone = true;
	call_table_unacknowledged(stage->calls, party->leg);
}

static void expires(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->gone = true;
	call_table_expired(stage->calls, party->leg);
}

static void gives_up(struct stage *stage, struct line *line)
{
	call_table_cancelled(stage->calls, stage_party(stage, line->words[0])->leg, STR_NONE);
}

static void gives_up_saying(struct stage *stage, struct line *line)
{
	call_table_cancelled(stage->calls, stage_party(stage, line->words[0])->leg, str_of(line->words[1]));
}

static void hangs_up(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->gone = true;
	call_table_hung_up(stage->calls, party->leg, STR_NONE);
}

static void hangs_up_saying(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->gone = true;
	call_table_hung_up(stage->calls, party->leg, str_of(line->words[1]));
}

static void acknowledges(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->slow = false;
	party->owes_ack = true;
}

static void acknowledges_with(struct stage *stage, struct line *line)
{
	const struct body body = {.type = STR("application/sdp"), .bytes = str_of(line->words[1])};

	call_table_acknowledged(stage->calls, stage_party(stage, line->words[0])->leg, &body);
}

static void never_acknowledges(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->owes_ack = false;
	call_table_unacknowledged(stage->calls, party->leg);
}

// ---- keys, and what the relay does

static void presses(struct stage *stage, struct line *line)
{
	call_table_key_pressed(stage->calls, stage_party(stage, line->words[0])->leg, line->words[1][0]);
}

static void press_by_info(struct stage *stage, struct line *line, struct body body)
{
	const struct dialog_request request = {.method = DIALOG_INFO, .body = body};

	call_table_requested(stage->calls, stage_party(stage, line->words[0])->leg, 7, &request);
}

static void presses_by_info(struct stage *stage, struct line *line)
{
	char text[300];

	snprintf(text, sizeof text, "Signal=%s\r\nDuration=160\r\n", line->words[1]);
	press_by_info(stage, line, (struct body){.type = STR("application/dtmf-relay"), .bytes = str_of(text)});
}

static void presses_by_plain_info(struct stage *stage, struct line *line)
{
	press_by_info(stage, line, (struct body){.type = STR("application/dtmf"), .bytes = str_of(line->words[1])});
}

static void has_heard_it(struct stage *stage, struct line *line)
{
	call_table_prompt_over(stage->calls, stage_party(stage, line->words[0])->leg);
}

static void relay_answers(struct stage *stage, struct line *line)
{
	(void)line;
	stage_relay_pay(stage);
}

static void relay_cannot(struct stage *stage, struct line *line)
{
	(void)line;
	stage_relay_lose(stage);
}

static void relay_refuses(struct stage *stage, struct line *line)
{
	(void)line;
	stage->relay_refuses = true;
}

static void relay_loses(struct stage *stage, struct line *line)
{
	call_table_media_lost(stage->calls, stage_party(stage, line->words[0])->leg);
}

// ---- within a call

static void ask(struct stage *stage, struct line *line, const char *text)
{
	static const char *const methods[] = {"INVITE", "UPDATE", "INFO", "MESSAGE", "REFER", "NOTIFY", "OPTIONS"};
	struct dialog_request request = {.body = {.type = STR("application/sdp"), .bytes = str_of(text)}};

	for (int i = 0; i < 7; i++)
		if (strcmp(methods[i], line->words[1]) == 0)
			request.method = (enum dialog_method)i;
	call_table_requested(stage->calls, stage_party(stage, line->words[0])->leg, 7, &request);
}

static void asks(struct stage *stage, struct line *line)
{
	ask(stage, line, NULL);
}

static void asks_with(struct stage *stage, struct line *line)
{
	ask(stage, line, line->words[2]);
}

// An offer of one medium with this direction.
static void offers(struct stage *stage, struct line *line)
{
	char text[300];

	snprintf(text, sizeof text, "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=%s", line->words[2]);
	ask(stage, line, text);
}

static void refer(struct stage *stage, struct line *line, const struct dialog_request *request)
{
	call_table_requested(stage->calls, stage_party(stage, line->words[0])->leg, 7, request);
}

static void refers(struct stage *stage, struct line *line)
{
	refer(stage, line, &(struct dialog_request){.method = DIALOG_REFER, .refer_to = str_of(line->words[1])});
}

static void refers_to_nothing(struct stage *stage, struct line *line)
{
	refer(stage, line, &(struct dialog_request){.method = DIALOG_REFER, .refers_to_leg = true});
}

static void refers_to_place(struct stage *stage, struct line *line)
{
	refer(stage, line,
	      &(struct dialog_request){
		  .method = DIALOG_REFER, .refers_to_leg = true, .replaces = stage_party(stage, line->words[1])->leg});
}

static void reply_with(struct stage *stage, struct line *line, const char *text)
{
	struct party *party = stage_party(stage, line->words[0]);
	struct body body = {.type = STR("application/sdp"), .bytes = str_of(text)};

	call_table_replied(stage->calls, party->leg, party->question, (unsigned)atoi(line->words[1]), &body);
}

static void replies(struct stage *stage, struct line *line)
{
	reply_with(stage, line, NULL);
}

static void replies_with(struct stage *stage, struct line *line)
{
	reply_with(stage, line, line->words[2]);
}

// ---- lamps

static void watches(struct stage *stage, struct line *line)
{
	stage_watch(stage, line->words[0], line->words[1]);
}

static void watches_no_more(struct stage *stage, struct line *line)
{
	stage_unwatch(stage, line->words[0], line->words[1]);
}

// ---- the server

static void after(struct stage *stage, struct line *line)
{
	stage_run(stage, milliseconds(line->words[0]));
}

static void drains(struct stage *stage, struct line *line)
{
	(void)line;
	call_table_drain(stage->calls);
}

static void ends_call(struct stage *stage, struct line *line)
{
	if (!call_table_hang_up(stage->calls, (uint64_t)atoi(line->words[0])))
		stage_say(stage, "there is no such call");
}

static void moves_call(struct stage *stage, struct line *line)
{
	enum err err = call_table_move(stage->calls, (uint64_t)atoi(line->words[0]),
				       device_or_phone(stage, line->words[1])->entity.id, 0);

	if (err)
		stage_say(stage, "%s", err_sentence(err));
}

static void desk_gives_back(struct stage *stage, enum err err)
{
	struct feature_order *order = stage->order;

	if (!order)
		stage_fail("the desk was asked for nothing");
	stage->order = NULL;
	order->err = err;
	order->done(order);
}

static void desk_agrees(struct stage *stage, struct line *line)
{
	(void)line;
	desk_gives_back(stage, ERR_NONE);
}

static void desk_refuses(struct stage *stage, struct line *line)
{
	for (int i = 1; i < ERR_COUNT; i++)
		if (strcmp(err_name((enum err)i), line->words[0]) == 0) {
			desk_gives_back(stage, (enum err)i);
			return;
		}
	stage_fail("there is no refusal %s", line->words[0]);
}

static void shows_calls(struct stage *stage, struct line *line)
{
	struct call_snapshot *shown;
	size_t count;

	(void)line;
	if (!call_table_snapshot(stage->calls, &stage->arena, &shown, &count))
		stage_fail("no memory");
	for (size_t i = 0; i < count; i++) {
		stage_say(stage, "call %llu from %.*s to %.*s: %s%s%s", (unsigned long long)shown[i].call,
			  STR_ARG(shown[i].caller_number), STR_ARG(shown[i].dialled), shown[i].state,
			  shown[i].caller_holds ? ", the caller holds" : "",
			  shown[i].callee_holds ? ", the callee holds" : "");
		for (size_t l = 0; l < shown[i].leg_count; l++)
			stage_say(stage, "  %.*s %s", STR_ARG(shown[i].legs[l].device_title), shown[i].legs[l].state);
	}
}

static void explains(struct stage *stage, struct line *line)
{
	struct ring_explanation e;
	enum err err = call_table_explain(stage->calls, str_of(line->words[0]), &stage->arena, &e);

	if (err) {
		stage_say(stage, "%s", err_sentence(err));
		return;
	}
	if (e.refused)
		stage_say(stage, "refused at once: %s", err_sentence(e.refused));
	for (size_t i = 0; i < e.turn_count; i++)
		stage_say(stage, "%.*s, %lld to %lld ms: %.*s", STR_ARG(e.turns[i].title),
			  (long long)e.turns[i].start_ms, (long long)e.turns[i].stop_ms, STR_ARG(e.turns[i].sentence));
	stage_say(stage, "%.*s", STR_ARG(e.afterwards));
	for (size_t i = 0; i < e.warning_count; i++)
		stage_say(stage, "warning: %.*s", STR_ARG(e.warnings[i].sentence));
}

static void tell_dial(struct stage *stage, const struct dial_question *question)
{
	struct dial_explanation e;
	enum err err = call_table_explain_dial(stage->calls, question, &stage->arena, &e);

	if (err) {
		stage_say(stage, "%s", err_sentence(err));
		return;
	}
	for (size_t i = 0; i < e.step_count; i++)
		stage_say(stage, "%s %s: %.*s", dial_step_names[e.steps[i].kind], e.steps[i].holds ? "yes" : "no",
			  STR_ARG(e.steps[i].sentence));
	for (size_t i = 0; i < e.route_count; i++) {
		const struct dial_route *way = &e.routes[i];
		stage_say(stage, "%.*s over %.*s as %.*s, showing %s%.*s (%s): %.*s", STR_ARG(way->pattern),
			  STR_ARG(way->trunk), STR_ARG(way->sent), way->anonymous ? "nothing of " : "",
			  STR_ARG(way->caller_number), shown_reason_names[way->shown_reason], STR_ARG(way->sentence));
	}
	if (e.refused)
		stage_say(stage, "%s: %s", dial_result_names[e.result], err_sentence(e.refused));
	else if (e.user_id)
		stage_say(stage, "%s: %.*s", dial_result_names[e.result], STR_ARG(e.user_title));
	else
		stage_say(stage, "%s", dial_result_names[e.result]);
}

static void would_dial(struct stage *stage, struct line *line)
{
	const struct user *user = (const struct user *)stage_entity(stage, line->words[0]);

	tell_dial(stage, &(struct dial_question){.as = user->extension, .number = str_of(line->words[1])});
}

static void would_bring(struct stage *stage, struct line *line)
{
	tell_dial(stage, &(struct dial_question){.from_trunk = stage_entity(stage, line->words[0])->id,
						 .number = str_of(line->words[1]),
						 .caller = str_of(line->words[2])});
}

// "the clock shows 2026-03-29 00:59": by UTC.
static void clock_shows(struct stage *stage, struct line *line)
{
	struct tm tm = {0};

	if (sscanf(line->words[0], "%d-%d-%d %d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min) !=
	    5)
		stage_fail("what time is %s?", line->words[0]);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	sim_set_time(stage->loop, (uint64_t)timegm(&tm) * 1000);
}

// clang-format off
const struct word playing_words[] = {
    {"* takes the place of nobody", takes_place_of_nobody},
    {"* takes the place of * while it rings", takes_early_place},
    {"* takes the place of *", takes_place},
    {"* calls * without offer, answering early", calls_answering_early},
    {"* calls * without offer",    calls_without_offer},
    {"* calls * with * hops left", calls_with_hops},
    {"* calls *",                  calls},
    {"* brings * from * sent on by *", brings_sent_on},
    {"* brings * from *",          brings},
    {"* rings",                    rings},
    {"* says * with *",            says_progress},
    {"* answers early with *",     answers_early},
    {"* answers",                  answers},
    {"* redirects to *",           redirects},
    {"* never sends PRACK",        never_sends_prack},
    {"* expires",                  expires},
    {"* refuses with * saying *",  refuses_saying},
    {"* refuses with *",           refuses},
    {"* gives up saying *",        gives_up_saying},
    {"* gives up",                 gives_up},
    {"* hangs up saying *",        hangs_up_saying},
    {"* hangs up",                 hangs_up},
    {"* acknowledges with *",      acknowledges_with},
    {"* acknowledges",             acknowledges},
    {"* never acknowledges",       never_acknowledges},
    {"* refers to the place of nobody", refers_to_nothing},
    {"* refers to the place of *", refers_to_place},
    {"* refers to *",              refers},
    {"* asks * for *",             offers},
    {"* asks * with *",            asks_with},
    {"* asks *",                   asks},
    {"* replies * with *",         replies_with},
    {"* replies *",                replies},
    {"* presses * by INFO",        presses_by_info},
    {"* presses * by plain INFO",  presses_by_plain_info},
    {"* presses *",                presses},
    {"* has heard it",             has_heard_it},
    {"the relay answers",          relay_answers},
    {"the relay cannot",           relay_cannot},
    {"the relay refuses",          relay_refuses},
    {"the relay loses *",          relay_loses},
    {"* watches * no more",        watches_no_more},
    {"* watches *",                watches},
    {"after *",                    after},
    {"the server drains",          drains},
    {"the server ends call *",     ends_call},
    {"call * moves to *",          moves_call},
    {"the desk agrees",            desk_agrees},
    {"the desk refuses: *",        desk_refuses},
    {"show calls",                 shows_calls},
    {"the clock shows *",          clock_shows},
    {"explain *",                  explains},
    {"if * brought * from *",      would_bring},
    {"if * dialled *",             would_dial},
    {NULL, NULL},
};
// clang-format on

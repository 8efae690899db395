// The fake ports, the parties behind them, and the transcript.
#include "stage.h"

#include "sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void stage_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void transcript_add(struct stage *stage, const char *text)
{
	size_t length = strlen(text);

	stage->transcript = realloc(stage->transcript, stage->transcript_length + length + 1);
	memcpy(stage->transcript + stage->transcript_length, text, length + 1);
	stage->transcript_length += length;
}

static void time_write(char *into, size_t size, uint64_t ms)
{
	if (ms % 1000)
		snprintf(into, size, "%llu.%03llus: ", (unsigned long long)ms / 1000, (unsigned long long)ms % 1000);
	else
		snprintf(into, size, "%llus: ", (unsigned long long)ms / 1000);
}

void stage_say(struct stage *stage, const char *format, ...)
{
	char line[1024], when[32] = "";
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (stage->tells_time)
		time_write(when, sizeof when, loop_now_ms(stage->loop) - stage->started_ms);
	transcript_add(stage, "  ");
	transcript_add(stage, when);
	transcript_add(stage, line);
	transcript_add(stage, "\n");
}

// ---- parties

struct party *stage_enter(struct stage *stage, const char *name)
{
	if (stage->party_count == PARTIES_MAX)
		stage_fail("too many parties");
	struct party *party = &stage->parties[stage->party_count++];
	memset(party, 0, sizeof *party);
	snprintf(party->name, sizeof party->name, "%s", name);
	party->session = stage->party_count; // the index and one
	for (size_t i = 0; i < 8; i++)
		party->slow = party->slow || strcmp(stage->slow[i], name) == 0;
	return party;
}

struct party *stage_party(struct stage *stage, const char *name)
{
	for (size_t i = stage->party_count; i-- > 0;)
		if (!stage->parties[i].gone && strcmp(stage->parties[i].name, name) == 0)
			return &stage->parties[i];
	stage_fail("there is no %s in any call", name);
}

static struct party *party_of(struct stage *stage, uint64_t session)
{
	if (session == 0 || session > stage->party_count || stage->parties[session - 1].gone)
		stage_fail("the domain asks for session %llu, which is gone", (unsigned long long)session);
	return &stage->parties[session - 1];
}

static void body_write(char *into, size_t size, const struct body *body)
{
	into[0] = '\0';
	if (body && !str_empty(body->bytes))
		snprintf(into, size, " with \"%.*s\"", STR_ARG(body->bytes));
	for (char *at = into; *at; at++)
		if (*at == '\n')
			*at = ' '; // a line of a scenario is one line
}

static void settle_one(struct stage *stage, struct party *party)
{
	if (party->owes_ack) {
		char answer[80];
		snprintf(answer, sizeof answer, "answer of %s", party->name);
		struct body body = {.type = STR("application/sdp"),
				    .bytes = party->without_offer ? str_of(answer) : STR_NONE};
		party->owes_ack = false;
		call_table_acknowledged(stage->calls, party->leg, &body);
	}
	if (party->owes_487) {
		party->owes_487 = false;
		party->gone = true;
		call_table_failed(stage->calls, party->leg, 487, STR("Request Terminated"), STR_NONE);
	}
}

void stage_settle(struct stage *stage)
{
	bool paid;

	do {
		for (size_t i = 0; i < stage->party_count; i++)
			if (!stage->parties[i].slow)
				settle_one(stage, &stage->parties[i]);
		paid = !stage->relay_slow && stage->relay_debt_count > 0;
		if (paid)
			stage_relay_pay(stage);
	} while (paid);
	stage_lamps_show(stage);
}

void stage_run(struct stage *stage, uint64_t duration_ms)
{
	stage->tells_time = true;
	for (uint64_t i = 0; i < duration_ms; i++) {
		sim_run_for(stage->loop, 1);
		stage_settle(stage);
	}
	stage->tells_time = false;
}

// ---- signalling

static const char *end_name(enum leg_end why)
{
	switch (why) {
	case LEG_END_NORMAL:
		return "";
	case LEG_END_ANSWERED_ELSEWHERE:
		return ": answered elsewhere";
	case LEG_END_DECLINED_ELSEWHERE:
		return ": declined elsewhere";
	case LEG_END_CALLER_GAVE_UP:
		return ": the caller gave up";
	case LEG_END_TURN_TIMED_OUT:
		return ": its time is over";
	case LEG_END_EXPIRED:
		return ": its session expired";
	case LEG_END_TOO_SOON:
		return ": answered too soon";
	case LEG_END_TOO_LATE:
		return ": its voicemail would answer";
	case LEG_END_SERVER:
		return ": the server ends it";
	}
	return "";
}

// A leg over a trunk is known by the device whose number it dials, else by that number.
static const char *name_of_target(struct stage *stage, const struct outgoing_invite *invite, char *room, size_t size)
{
	if (invite->target == TARGET_BINDING) {
		snprintf(room, size, "%.*s", STR_ARG(invite->binding->contact));
		return room;
	}
	for (size_t i = 0; i < stage->entity_count; i++) {
		const struct device *device = (const struct device *)stage->entities[i];
		if (device->entity.kind == ENTITY_DEVICE && !str_empty(device->canonical) &&
		    str_equal(device->canonical, invite->number))
			return stage->names[i];
	}
	snprintf(room, size, "%.*s", STR_ARG(invite->number));
	return room;
}

static void caller_write(char *into, size_t size, const struct outgoing_invite *invite)
{
	struct writer w = writer_into(into, size - 1);

	if (invite->anonymous)
		writer_text(&w, "somebody anonymous");
	if (invite->anonymous && !str_empty(invite->caller_number))
		writer_text(&w, ", known to the carrier as ");
	writer_str(&w, invite->caller_number);
	if (!str_empty(invite->caller_name))
		writer_format(&w, " \"%.*s\"", STR_ARG(invite->caller_name));
	into[w.used] = '\0';
}

// Who sent it on: the oldest first, with the reason unless it is his ring plan.
static void diversions_write(char *into, size_t size, const struct outgoing_invite *invite)
{
	struct writer w = writer_into(into, size - 1);

	for (size_t i = 0; i < invite->diversion_count; i++) {
		const struct diversion *diversion = &invite->diversions[i];
		writer_format(&w, "%s%.*s", i ? ", " : " for ",
			      STR_ARG(str_empty(diversion->uri) ? diversion->number : diversion->uri));
		if (diversion->reason != DIVERSION_FOLLOW_ME)
			writer_format(&w, " (%s)", diversion_reason_names[diversion->reason]);
	}
	into[w.used] = '\0';
}

static bool trunk_is_down(const struct stage *stage, const struct trunk *trunk)
{
	for (size_t i = 0; i < 8; i++)
		if (stage->down[i][0] && str_equal(str_of(stage->down[i]), trunk->title))
			return true;
	return false;
}

static enum err fake_invite(void *context, const struct outgoing_invite *invite, uint64_t *session)
{
	struct stage *stage = context;
	char room[PARTY_NAME_SIZE], from[200], over[200] = "", hops[40] = "", offer[80] = "";
	struct party *party = stage_enter(stage, name_of_target(stage, invite, room, sizeof room));

	party->leg = invite->leg;
	*session = party->session;
	caller_write(from, sizeof from, invite);
	if (invite->target == TARGET_TRUNK) {
		snprintf(over, sizeof over, " over %.*s as %.*s", STR_ARG(invite->trunk->title),
			 STR_ARG(invite->number));
		if (trunk_is_down(stage, invite->trunk)) {
			stage_say(stage, "%s cannot be reached%s", party->name, over);
			party->gone = true;
			return ERR_TRUNK_DOWN;
		}
		diversions_write(over + strlen(over), sizeof over - strlen(over), invite);
	}
	if (invite->max_forwards < 60)
		snprintf(hops, sizeof hops, ", with %u hops left", invite->max_forwards);
	if (str_empty(invite->body.bytes))
		snprintf(offer, sizeof offer, ", without offer");
	else if (str_starts(invite->body.bytes, STR("relay")))
		snprintf(offer, sizeof offer, ", with the %.*s", STR_ARG(invite->body.bytes));
	stage_say(stage, "%s gets INVITE%s from %s%s%s", party->name, over, from, offer, hops);
	return ERR_NONE;
}

static void fake_cancel(void *context, uint64_t session, enum leg_end why, struct str said)
{
	struct party *party = party_of(context, session);

	stage_say(context, "%s gets CANCEL%s%s%.*s", party->name, end_name(why), str_empty(said) ? "" : ", saying ",
		  STR_ARG(said));
	party->owes_487 = true;
}

static void fake_acknowledge(void *context, uint64_t session, const struct body *body)
{
	char with[200];

	body_write(with, sizeof with, body);
	stage_say(context, "%s gets ACK%s", party_of(context, session)->name, with);
}

static void fake_answer_early(void *context, uint64_t session, const struct body *body)
{
	char with[200];

	body_write(with, sizeof with, body);
	stage_say(context, "%s gets PRACK%s", party_of(context, session)->name, with);
}

static void fake_progress(void *context, uint64_t session, unsigned status, const struct body *body)
{
	char with[200];

	body_write(with, sizeof with, body);
	stage_say(context, "%s gets %u%s", party_of(context, session)->name, status, with);
}

static void fake_accept(void *context, uint64_t session, const struct body *body)
{
	struct party *party = party_of(context, session);
	char with[200];

	body_write(with, sizeof with, body);
	stage_say(context, "%s gets 200%s", party->name, with);
	party->owes_ack = true;
}

static enum err fake_accept_on_hold(void *context, uint64_t session, const struct body *offer)
{
	struct party *party = party_of(context, session);

	(void)offer;
	stage_say(context, "%s gets 200 on hold", party->name);
	party->owes_ack = true;
	return ERR_NONE;
}

static void fake_refuse(void *context, uint64_t session, const struct refusal *refusal)
{
	struct party *party = party_of(context, session);

	char cause[20] = "";

	if (party->is_carrier && refusal->cause)
		snprintf(cause, sizeof cause, " (Q.850 %u)", refusal->cause);
	stage_say(context, "%s gets %u%s%s%.*s%s", party->name, refusal->status, cause,
		  str_empty(refusal->warning) ? "" : ": ", STR_ARG(refusal->warning),
		  refusal->retry_after_s ? " (try again later)" : "");
	party->gone = true;
}

static void fake_hang_up(void *context, uint64_t session, enum leg_end why, struct str said)
{
	struct party *party = party_of(context, session);

	stage_say(context, "%s gets BYE%s%s%.*s", party->name, end_name(why), str_empty(said) ? "" : ", saying ",
		  STR_ARG(said));
	party->gone = true;
}

static const char *method_name(enum dialog_method method)
{
	static const char *const names[] = {"INVITE", "UPDATE", "INFO", "MESSAGE", "REFER", "NOTIFY", "OPTIONS"};

	return names[method];
}

static enum err fake_request(void *context, uint64_t session, uint64_t token, const struct dialog_request *request)
{
	struct party *party = party_of(context, session);
	char with[200];

	body_write(with, sizeof with, &request->body);
	stage_say(context, "%s gets %s%s", party->name, method_name(request->method), with);
	party->question = token;
	return ERR_NONE;
}

static void fake_reply(void *context, uint64_t session, uint64_t transaction, unsigned status, const struct body *body)
{
	char with[200];

	(void)transaction;
	body_write(with, sizeof with, body);
	stage_say(context, "%s gets %u%s", party_of(context, session)->name, status, with);
}

static void fake_refer_progress(void *context, uint64_t session, uint64_t transaction, unsigned status)
{
	(void)transaction;
	stage_say(context, "%s hears of %u", party_of(context, session)->name, status);
}

// ---- the desk

static enum err desk_take(void *context, struct feature_order *order)
{
	static const char *const names[] = {
#define FEATURE(name, key, fallback, argument, help) [FEATURE_##name] = key,
#include "domain/feature_codes.def"
#undef FEATURE
	};
	struct stage *stage = context;
	const struct device *device = directory_device(stage->directory, order->device_id);

	stage_say(stage, "the desk is asked for %s at %.*s%s%s%s%s", names[order->feature], STR_ARG(device->number),
		  order->extension[0] ? ", extension " : "", order->extension, order->pin[0] ? ", PIN " : "",
		  order->pin);
	if (stage->order)
		return ERR_OVERLOADED; // this one does one thing at a time
	stage->order = order;
	return ERR_NONE;
}

// ---- records

static void save_registration(void *context, struct registration_write *write)
{
	(void)context;
	write->err = ERR_NONE;
	write->done(write);
}

static void save_call(void *context, struct call_record *record)
{
	struct stage *stage = context;
	char origin[200] = "", cause[20] = "", own_number[80] = "";

	if (record->caller_trunk_id && !str_empty(record->caller_device_number) &&
	    !str_equal(record->caller_device_number, record->caller_number))
		snprintf(own_number, sizeof own_number, " at %.*s", STR_ARG(record->caller_device_number));

	if (record->q850)
		snprintf(cause, sizeof cause, ", Q.850 %u", record->q850);
	if (!str_empty(record->transferred_by))
		snprintf(origin, sizeof origin, ", transferred by %.*s", STR_ARG(record->transferred_by));
	else if (!str_empty(record->forwarded_from))
		snprintf(origin, sizeof origin, ", forwarded");
	stage_say(
	    stage, "record: %.*s%s%.*s%s to %.*s%s%.*s, %s%s%s, status %u%s, ended by %.*s%s",
	    STR_ARG(record->caller_number), str_empty(record->caller_name) ? "" : " ", STR_ARG(record->caller_name),
	    own_number, STR_ARG(record->dialled), str_empty(record->callee_title) ? "" : " ",
	    STR_ARG(record->callee_title), outcome_names[record->outcome], record->err ? " because " : "",
	    record->err ? err_name(record->err) : "", record->sip_status, cause, STR_ARG(record->ended_by), origin);
	for (size_t i = 0; i < record->leg_count; i++) {
		const struct leg_record *leg = &record->legs[i];
		struct str title = str_empty(leg->device_title) ? leg->device_number : leg->device_title;
		stage_say(stage, "  %.*s %s%s%.*s", STR_ARG(title), outcome_names[leg->outcome],
			  str_empty(leg->reason) ? "" : ": ", STR_ARG(leg->reason));
	}
	call_record_free(record);
}

// ---- configuration

struct entity *stage_entity(struct stage *stage, const char *name)
{
	for (size_t i = 0; i < stage->entity_count; i++)
		if (strcmp(stage->names[i], name) == 0)
			return stage->entities[i];
	return NULL;
}

struct entity *stage_add(struct stage *stage, const char *name, enum entity_kind kind)
{
	struct entity *entity = entity_new(kind, &stage->arena);

	if (stage_entity(stage, name))
		stage_fail("there are two of %s", name);
	snprintf(stage->names[stage->entity_count], PARTY_NAME_SIZE, "%s", name);
	stage->entities[stage->entity_count++] = entity;
	entity->id = stage->entity_count;
	return entity;
}

void stage_put(struct stage *stage, struct entity *entity)
{
	struct problem problem = {.err = ERR_NONE};

	entity->version++;
	if (entity_check(entity, &problem))
		stage_fail("%s", problem.sentence);
	if (directory_put(stage->directory, entity))
		stage_fail("the directory refuses it");
}

void stage_register(struct stage *stage, const struct device *device, const char *contact)
{
	const struct binding binding = {
	    .device_id = device->entity.id,
	    .expires_at_ms = (int64_t)loop_time_ms(stage->loop) + 86400000,
	    .contact = str_of(contact),
	    .call_id = STR("c"),
	    .behind_nat = stage->behind_nat,
	};

	if (!registrations_restore(stage->registrations, &binding))
		stage_fail("no memory");
}

// ---- curtain

void stage_open(struct stage *stage)
{
	const struct number_plan plan = {.country_code = STR("44"),
					 .international_prefix = STR("00"),
					 .national_prefix = STR("0"),
					 .outside_prefix = STR_NONE,
					 .emergency = STR("112 999")};

	memset(stage, 0, sizeof *stage);
	arena_init(&stage->arena, 0);
	stage->loop = sim_create(1);
	stage->signalling = (struct signalling){.context = stage,
						.invite = fake_invite,
						.cancel = fake_cancel,
						.acknowledge = fake_acknowledge,
						.answer_early = fake_answer_early,
						.progress = fake_progress,
						.accept = fake_accept,
						.accept_on_hold = fake_accept_on_hold,
						.refuse = fake_refuse,
						.hang_up = fake_hang_up,
						.request = fake_request,
						.reply = fake_reply,
						.refer_progress = fake_refer_progress};
	stage->records =
	    (struct records){.context = stage, .save_registration = save_registration, .save_call = save_call};
	stage->desk = (struct feature_desk){stage, desk_take};
	stage_relay_open(stage);
	stage->directory = directory_create(&plan);
	stage->registrations = registrations_create(stage->loop, &stage->records);
	stage->calls = call_table_create(&(struct call_table_ports){.loop = stage->loop,
								    .directory = stage->directory,
								    .registrations = stage->registrations,
								    .signalling = &stage->signalling,
								    .records = &stage->records,
								    .media = &stage->media,
								    .desk = &stage->desk});
	stage->started_ms = loop_now_ms(stage->loop);
	transcript_add(stage, "");
}

void stage_close(struct stage *stage)
{
	if (call_table_count(stage->calls) != 0)
		stage_fail("%zu calls are left at the end", call_table_count(stage->calls));
	for (size_t i = 0; i < stage->lamp_count; i++)
		call_table_unwatch(stage->calls, &stage->lamps[i].watch);
	call_table_destroy(stage->calls); // its pools must be empty
	registrations_destroy(stage->registrations);
	directory_destroy(stage->directory);
	if (sim_count(stage->loop).timers != 0)
		stage_fail("%u timers still run", sim_count(stage->loop).timers);
	loop_destroy(stage->loop);
	arena_free(&stage->arena);
	free(stage->transcript);
}

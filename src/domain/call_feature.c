// Feature codes that somebody else carries out while the caller waits: selecting a phone, do-not-disturb. Done: the call is answered
// and ended at once. Refused: so is the call, and the tone says it.
#include "domain/call.h"

#include "base/log.h"
#include "base/writer.h"
#include "domain/sdp.h"

#include <stdlib.h>
#include <string.h>

struct served {
	struct feature_order order;
	struct call_table *table;
	uint64_t leg; // the caller's
};

bool dials_selection(const struct directory *directory, struct str dialled)
{
	struct str argument;

	return feature_of(directory_features(directory), dialled, &argument) == FEATURE_SELECT_DEVICE;
}

// Whoever mistypes a code must not find the PIN in a record either: what follows a '*' is left out, and all behind the selection code
// when there is none.
struct str dialled_shown(const struct directory *directory, struct str dialled, struct arena *arena)
{
	struct str code = directory_features(directory)->code[FEATURE_SELECT_DEVICE];
	size_t shown = dialled.length;

	while (shown > 1 && dialled.at[shown - 1] != '*')
		shown--;
	if (shown > 1)
		return arena_format(arena, "%.*s...", STR_ARG(str_first(dialled, shown)));
	if (dials_selection(directory, dialled))
		return arena_format(arena, "%.*s...", STR_ARG(code));
	return arena_copy(arena, dialled);
}

// ---- the answer

// The phone is heard and hears nothing: each medium it offers is refused (RFC 3264 section 6). Without an offer ours has none.
static struct str silence_write(const struct body *offer, char *into, size_t size)
{
	struct writer w = writer_into(into, size);
	struct sdp_fault fault;
	struct sdp sdp;

	writer_text(&w, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n");
	if (str_empty(offer->bytes) || !sdp_read(offer->bytes, &sdp, &fault))
		return writer_result(&w);
	for (size_t i = 0; i < sdp.media_count; i++)
		writer_format(&w, "m=%.*s 0 %.*s %.*s\r\n", STR_ARG(sdp.media[i].type), STR_ARG(sdp.media[i].carrier),
			      STR_ARG(sdp.media[i].formats));
	return w.overflow ? STR_NONE : writer_result(&w);
}

static void served_answer(struct call *call)
{
	char text[4096];
	const struct body body = {.type = STR("application/sdp"),
				  .bytes = silence_write(&call->offer, text, sizeof text)};

	if (str_empty(body.bytes)) {
		call_refuse_for(call, ERR_NOT_ACCEPTABLE);
		return;
	}
	call->answered_at = call_time_ms(call);
	call_attempt(call)->record->answered_at = call->answered_at;
	call_set_state(call, CALL_SERVED);
	caller_accept(call, &body);
}

void served_acknowledged(struct call *call, struct leg *leg, const struct body *body)
{
	(void)body;
	leg_stop(leg, LEG_END_NORMAL);
	call_settle_answered(call, OUTCOME_ANSWERED, ERR_NONE, "server");
}

void served_is_left(struct call *call, struct leg *leg, const struct body *body)
{
	(void)body;
	if (leg_is_open(call->caller))
		leg_stop(call->caller, LEG_END_SERVER);
	call_settle_answered(call, OUTCOME_ANSWERED, ERR_NONE, leg ? "caller" : "server");
}

// ---- the order

static void order_done(struct feature_order *order)
{
	struct served *served = container_of(order, struct served, order);
	struct leg *leg = slots_find(served->table->legs, served->leg);
	struct call *call = leg ? leg->call : NULL;

	log_info("feature_code", LOG_UINT("feature", order->feature), LOG_UINT("device_id", order->device_id),
		 LOG_TEXT("result", order->err ? err_name(order->err) : "done"));
	if (call && call->state == CALL_SERVING) {
		if (order->err)
			call_refuse_for(call, order->err);
		else
			served_answer(call);
		call_tidy(call);
	}
	explicit_bzero(served, sizeof *served);
	free(served);
}

// Extension, '*', PIN. Wrong ones are refused here as the desk refuses what fits nobody.
static bool credentials_read(struct str text, struct feature_order *order)
{
	struct str extension;

	return str_take(&text, '*', &extension) && extension_allowed(extension) && pin_allowed(text) &&
	       str_to_cstring(extension, order->extension, sizeof order->extension) &&
	       str_to_cstring(text, order->pin, sizeof order->pin);
}

enum err serve_begin(struct call *call, enum feature feature, struct str argument)
{
	struct feature_desk *desk = call->table->ports.desk;
	struct served *served = desk ? calloc(1, sizeof *served) : NULL;

	if (!served)
		return desk ? ERR_NO_MEMORY : ERR_UNKNOWN_NUMBER;
	served->table = call->table;
	served->leg = call->caller->id;
	served->order.feature = feature;
	served->order.device_id = call->caller_device_id;
	served->order.user_id = call->caller_user_id;
	served->order.done = order_done;
	enum err err = ERR_NONE;
	if (feature == FEATURE_SELECT_DEVICE && !credentials_read(argument, &served->order))
		err = ERR_PIN_REFUSED;
	if (!err)
		err = desk->take(desk->context, &served->order);
	if (!err) {
		call_set_state(call, CALL_SERVING);
		return ERR_NONE;
	}
	explicit_bzero(served, sizeof *served);
	free(served);
	return err;
}

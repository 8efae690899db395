// Which legs need the media relay, and the way to it: what one of them says of its media is exchanged there for what the other is
// told. The rest of the domain sends bodies from leg to leg and does not notice (wire.c).
#include "domain/call.h"

#include "base/log.h"
#include "base/net.h"
#include "domain/sdp.h"

const char *const anchor_reason_names[ANCHOR_REASON_COUNT] = {
    [ANCHOR_NONE] = "",
#define ANCHOR_REASON(name, text) [ANCHOR_##name] = text,
#include "domain/anchor_reasons.def"
#undef ANCHOR_REASON
};

bool media_relay_is_there(const struct call_table *table)
{
	const struct media *media = table->ports.media;

	return media && media->available(media->context);
}

enum media_kind media_kind_of_device(int device_kind)
{
	switch ((enum device_kind)device_kind) {
	case DEVICE_WEBRTC:
		return MEDIA_BROWSER;
	case DEVICE_TEAMS:
		return MEDIA_TEAMS;
	case DEVICE_SIP_PHONE:
	case DEVICE_SOFTPHONE:
	case DEVICE_EXTERNAL:
	case DEVICE_KIND_COUNT:
		break;
	}
	return MEDIA_PLAIN;
}

bool media_kinds_need_relay(enum media_kind one, enum media_kind other)
{
	return one != other;
}

// A NAT shows where he says that his media are elsewhere than his messages come from.
static bool is_behind_nat(const struct invitation *invitation)
{
	struct sdp_fault fault;
	struct sdp sdp;
	struct net_address said;

	return invitation->heard_from && sdp_read(invitation->body.bytes, &sdp, &fault) && sdp.media_count > 0 &&
	       net_address_parse(sdp.media[0].address, 0, &said) &&
	       !net_address_same_host(&said, invitation->heard_from);
}

void anchor_note_caller(struct call *call, const struct invitation *invitation)
{
	call->caller->media = media_kind_of_device(call->caller_device_kind);
	if (!media_relay_is_there(call->table) || !is_behind_nat(invitation))
		return;
	call->caller->behind_nat = true;
	call->caller->heard_from = *invitation->heard_from;
}

static bool either_is(const struct leg *from, const struct leg *to, enum media_kind kind)
{
	return from->media == kind || to->media == kind;
}

// A NAT can often be got through without us; where there is no relay the two are left to try.
static enum anchor_reason reason_of(const struct leg *from, const struct leg *to)
{
	if (from->prompted || to->prompted)
		return ANCHOR_PROMPT;
	if (from->offer_is_ours || to->offer_is_ours)
		return ANCHOR_TEAMS;
	if (media_kinds_need_relay(from->media, to->media))
		return either_is(from, to, MEDIA_BROWSER) ? ANCHOR_BROWSER : ANCHOR_TEAMS;
	if (!media_relay_is_there(from->call->table))
		return ANCHOR_NONE;
	if (from->media == MEDIA_PLAIN && (from->behind_nat || to->behind_nat))
		return ANCHOR_NAT;
	return from->call->table->ports.media->takes_all ? ANCHOR_ALL : ANCHOR_NONE;
}

static bool is_description(const struct body *body)
{
	struct str type = str_trim(str_first(body->type, str_index(body->type, ';')));

	return !str_empty(body->bytes) && (str_empty(type) || str_equal_nocase(type, STR("application/sdp")));
}

struct leg *anchor_partner(const struct leg *to, const struct body *body)
{
	if (!body->from_leg || !is_description(body))
		return NULL;
	struct leg *from = slots_find(to->call->table->legs, body->from_leg);

	return from && from != to && reason_of(from, to) != ANCHOR_NONE ? from : NULL;
}

static struct media_side side_of(const struct leg *leg)
{
	return (struct media_side){.leg = leg->id,
				   .number = leg->number,
				   .kind = leg->media,
				   .behind_nat = leg->behind_nat && leg->media == MEDIA_PLAIN,
				   .heard_from = leg->heard_from};
}

static void note(struct leg *leg, enum anchor_reason reason)
{
	leg->anchored = true;
	if (leg->anchor_reason != ANCHOR_NONE)
		return;
	leg->anchor_reason = reason;
	log_debug("leg_anchored", LOG_UINT("call", leg->call->id), LOG_UINT("leg", leg->number),
		  LOG_TEXT("why", anchor_reason_names[reason]));
}

enum err anchor_exchange(struct leg *from, struct leg *to, uint64_t token, const struct anchored_body *said)
{
	const struct call *call = to->call;
	struct media *media = call->table->ports.media;
	const struct media_exchange exchange = {
	    .token = token,
	    .record = call_attempt(call)->record->id,
	    .from = side_of(from),
	    .to = side_of(to),
	    .is_answer = said->is_answer,
	    .body = said->body,
	};

	if (!media_relay_is_there(call->table))
		return ERR_NO_MEDIA_RELAY;
	enum anchor_reason reason = reason_of(from, to);
	enum err err = media->translate(media->context, &exchange);
	if (err)
		return err;
	note(from, reason);
	note(to, reason);
	return ERR_NONE;
}

void anchor_forget_left_behind(struct leg *leg)
{
	struct media *media = leg->call->table->ports.media;

	if (leg->left_behind)
		media->release(media->context, leg->left_behind);
	leg->left_behind = 0;
}

// Its place with the relay stays while the one it talked with waits there for another.
void anchor_leave(struct leg *leg)
{
	struct media *media = leg->call->table->ports.media;
	struct leg *heir = leg->anchored ? succession_heir(leg) : NULL;

	anchor_forget_left_behind(leg);
	if (heir && heir->anchored)
		heir->left_behind = leg->id;
	else if (leg->anchored)
		media->release(media->context, leg->id);
	leg->anchored = false;
	leg->comfort = PROMPT_COUNT;
}

// What each kind of side is to get. rtpengine leaves what is not named as it was, and answers by what was offered.
#include "media/description.h"

#include "base/hash.h"
#include "domain/sdp.h"
#include "domain/signalling.h"

#include <stdlib.h>
#include <string.h>

// rtpengine heeds no "only" for SDES, so every suite but AES_CM_128_HMAC_SHA1_80 is named: the one that Teams takes.
static const char *const unwanted_suites[] = {
    "no-AEAD_AES_256_GCM",        "no-AEAD_AES_128_GCM",        "no-AES_256_CM_HMAC_SHA1_80",
    "no-AES_256_CM_HMAC_SHA1_32", "no-AES_192_CM_HMAC_SHA1_80", "no-AES_192_CM_HMAC_SHA1_32",
    "no-AES_CM_128_HMAC_SHA1_32", "no-F8_128_HMAC_SHA1_80",     "no-F8_128_HMAC_SHA1_32",
    "no-NULL_HMAC_SHA1_80",       "no-NULL_HMAC_SHA1_32",
};

// ---- reading

static uint64_t place_add(uint64_t place, const struct sdp_media *medium)
{
	const uint64_t parts[] = {place, hash_str(medium->address), medium->port};

	return hash_bytes(parts, sizeof parts);
}

static uint8_t family_of(struct str host)
{
	struct net_address address;

	return net_address_parse(host, 0, &address) ? address.family : 0;
}

static bool has_attribute(const struct sdp *sdp, const struct sdp_media *medium, struct str name)
{
	struct str rest = medium->lines, value;

	if (sdp_attribute(&rest, name, &value))
		return true;
	rest = sdp->lines;
	return sdp_attribute(&rest, name, &value);
}

static bool is_secured(const struct sdp *sdp, const struct sdp_media *medium, enum media_kind kind)
{
	switch (kind) {
	case MEDIA_PLAIN:
		return true;
	case MEDIA_BROWSER:
		return (medium->profile == SDP_TLS_SAVPF || medium->profile == SDP_TLS_SAVP) &&
		       has_attribute(sdp, medium, STR("fingerprint"));
	case MEDIA_TEAMS:
		return (medium->profile == SDP_SAVP || medium->profile == SDP_SAVPF) &&
		       has_attribute(sdp, medium, STR("crypto"));
	}
	return false;
}

enum err description_read(const struct body *body, enum media_kind kind, struct description *description)
{
	struct sdp_fault fault;
	struct sdp *sdp = malloc(sizeof *sdp);
	enum err err = ERR_NOT_ACCEPTABLE;

	if (!sdp)
		return ERR_NO_MEMORY;
	if (!str_equal_nocase(body->type, STR("application/sdp")) || !sdp_read(body->bytes, sdp, &fault))
		goto done;
	*description = (struct description){.text = body->bytes};
	for (size_t i = 0; i < sdp->media_count; i++) {
		const struct sdp_media *medium = &sdp->media[i];
		description->place = place_add(description->place, medium);
		if (i == 0)
			description->family = family_of(medium->address);
		if (medium->port == 0)
			continue;
		if (!is_secured(sdp, medium, kind))
			goto done;
		if (has_attribute(sdp, medium, STR("ice-ufrag")))
			description->has_ice = true;
		if (medium->direction == SDP_SENDRECV || medium->direction == SDP_SENDONLY)
			description->sends = true;
	}
	err = ERR_NONE;
done:
	free(sdp);
	return err;
}

// ---- writing. A NULL anywhere makes the whole command NULL.

static void put(json_t **object, const char *key, json_t *value)
{
	if (json_object_set_new(*object, key, value) == 0)
		return;
	json_decref(*object);
	*object = NULL;
}

static void append(json_t **array, const char *text)
{
	if (json_array_append_new(*array, json_string(text)) == 0)
		return;
	json_decref(*array);
	*array = NULL;
}

// JSON is UTF-8, a session description may be anything: what a phone writes there in its own alphabet is in names that nobody
// on the way reads.
static json_t *text_show(struct str text)
{
	json_t *value = json_stringn(text.at, text.length);
	char *copy = value ? NULL : malloc(text.length + 1);

	if (!copy)
		return value;
	for (size_t i = 0; i < text.length; i++)
		copy[i] = (unsigned char)text.at[i] < 0x80 ? text.at[i] : '?';
	value = json_stringn(copy, text.length);
	free(copy);
	return value;
}

// Behind a NAT: whether it is known where its packets come from, but for the port. A relay has no way from one family to the other.
static bool source_is_known(const struct media_side *side, const struct description *description)
{
	return side->behind_nat && side->heard_from.family != 0 && side->heard_from.family == description->family;
}

static const char *learning_of(const struct media_side *from, const struct description *description,
			       const struct description_way *way)
{
	if (!from->behind_nat)
		return "endpoint-learning-off";
	if (way->keeps_place)
		return "asymmetric";
	return source_is_known(from, description) ? "endpoint-learning-heuristic" : "endpoint-learning-immediate";
}

// A third party that sends packets is to get neither a word in nor the stream. So packets count from where the description says
// alone. Behind a NAT, where that is not known, rtpengine learns it for three seconds, and whoever sends from the host that the
// messages come from goes before everybody else, then and afterwards; where that is not known either, the first packet's sender
// counts. It would learn anew with each description; where nothing has changed it is told not to. A browser's peer is found by ICE,
// and so is that of Teams where it has any.
static json_t *flags_of(const struct media_exchange *exchange, const struct description *description,
			const struct description_way *way)
{
	json_t *flags = json_array();

	if (exchange->from.kind != MEDIA_BROWSER && !description->has_ice) {
		append(&flags, "strict-source");
		append(&flags, learning_of(&exchange->from, description, way));
		if (source_is_known(&exchange->from, description))
			append(&flags, "SIP-source-address");
	}
	if (exchange->to.kind == MEDIA_BROWSER && !exchange->is_answer)
		append(&flags, "generate-mid");
	return flags;
}

// Both take part: what the sender's suites are is said with his offer alone.
static json_t *suites_of(const struct media_exchange *exchange)
{
	json_t *suites = json_array();
	bool teams = exchange->to.kind == MEDIA_TEAMS || exchange->from.kind == MEDIA_TEAMS;

	if (exchange->to.kind == MEDIA_BROWSER || !teams)
		append(&suites, "off");
	for (size_t i = 0; teams && i < sizeof unwanted_suites / sizeof *unwanted_suites; i++)
		append(&suites, unwanted_suites[i]);
	return suites;
}

// Offered besides what the sender has, at the end, so that sides without a codec in common find one: rtpengine transcodes then.
static json_t *codecs_of(enum media_kind to)
{
	json_t *codecs = json_array(), *object = json_object();

	append(&codecs, "PCMA");
	append(&codecs, "PCMU");
	append(&codecs,
	       to == MEDIA_TEAMS ? "CN" : "opus"); // comfort noise (RFC 3389), which Teams expects to be offered
	append(&codecs, "telephone-event");
	put(&object, "transcode", codecs);
	return object;
}

static const char *const transports[] = {
    [MEDIA_PLAIN] = "RTP/AVP",
    [MEDIA_BROWSER] = "UDP/TLS/RTP/SAVPF",
    [MEDIA_TEAMS] = "RTP/SAVP",
};

static json_t *multiplex_of(const struct media_exchange *exchange)
{
	if (exchange->is_answer)
		return json_pack("[s]", "accept");
	if (exchange->to.kind == MEDIA_BROWSER)
		return json_pack("[s,s]", "offer", "require"); // RFC 8834 section 4.5
	return json_pack("[s]", "demux"); // Teams multiplexes only where ICE is in play, and then offers it itself
}

static json_t *source_show(const struct net_address *source)
{
	char host[64];
	struct writer w = writer_into(host, sizeof host);

	net_address_write_host(&w, source);
	return json_pack("[s,s%]", source->family == 6 ? "IP6" : "IP4", host, w.used);
}

// The relay has one certificate. With its fingerprint as it was a browser goes on with the keys of the partner before, whom nobody
// hears any more; another fingerprint begins anew (RFC 8842 section 4). So the same certificate shows two in turn.
static const char *fingerprint_of(unsigned association)
{
	return association % 2 == 0 ? "sha-256" : "sha-512";
}

json_t *description_command(const struct media_exchange *exchange, const struct description *description,
			    const struct description_way *way)
{
	json_t *command = json_object();
	bool ice = exchange->to.kind == MEDIA_BROWSER || (exchange->to.kind == MEDIA_TEAMS && way->to_has_ice);

	put(&command, "command", json_string(exchange->is_answer ? "answer" : "offer"));
	put(&command, "call-id", json_string(way->call_id));
	// from-tag is always the one who made the offer
	put(&command, "from-tag", json_string(exchange->is_answer ? way->to_tag : way->from_tag));
	put(&command, "to-tag", json_string(exchange->is_answer ? way->from_tag : way->to_tag));
	put(&command, "sdp", text_show(description->text));
	put(&command, "replace", json_pack("[s,s]", "origin", "session-connection"));
	put(&command, "flags", flags_of(exchange, description, way));
	if (source_is_known(&exchange->from, description))
		put(&command, "received-from", source_show(&exchange->from.heard_from));
	put(&command, "ICE", json_string(ice ? "force" : "remove"));
	put(&command, "rtcp-mux", multiplex_of(exchange));
	if (exchange->to.kind == MEDIA_BROWSER)
		put(&command, "DTLS-fingerprint", json_string(fingerprint_of(way->association)));
	if (exchange->is_answer)
		return command;
	put(&command, "transport-protocol", json_string(transports[exchange->to.kind]));
	put(&command, "SDES", suites_of(exchange));
	put(&command, "codec", codecs_of(exchange->to.kind));
	if (exchange->to.kind != MEDIA_BROWSER)
		put(&command, "DTLS", json_string("off")); // towards a browser no role is forced, or it races with ours
	return command;
}

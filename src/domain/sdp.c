// Reads session descriptions, line by line.
#include "domain/sdp.h"

static const char *const direction_names[] = {
    [SDP_SENDRECV] = "sendrecv", [SDP_SENDONLY] = "sendonly", [SDP_RECVONLY] = "recvonly", [SDP_INACTIVE] = "inactive"};

const char *sdp_direction_name(enum sdp_direction direction)
{
	return direction_names[direction];
}

// ---- lines

struct sdp_line {
	char type;
	struct str value;
};

static bool is_text(struct str line)
{
	for (size_t i = 0; i < line.length; i++) {
		unsigned char c = (unsigned char)line.at[i];
		if ((c < 0x20 && c != '\t') || c == 0x7F)
			return false;
	}
	return true;
}

// Takes the next line off the front. What is no "x=..." has type 0.
static bool take_line(struct str *rest, struct sdp_line *line)
{
	struct str text;

	if (!str_take(rest, '\n', &text))
		return false;
	if (text.length > 0 && text.at[text.length - 1] == '\r')
		text.length--;
	*line = (struct sdp_line){.value = text};
	if (text.length >= 2 && text.at[1] == '=' && text.at[0] >= 'a' && text.at[0] <= 'z')
		*line = (struct sdp_line){text.at[0], str_from(text, 2)};
	return true;
}

// The next word of a value, which is not empty; words have one space between them.
static bool take_word(struct str *rest, struct str *word)
{
	return str_take(rest, ' ', word) && !str_empty(*word);
}

// ---- c=, m=, a=

// "IN IP4 192.0.2.1/127": the address alone (RFC 8866 section 5.7).
static bool read_connection(struct str value, struct str *address)
{
	struct str network, family;

	if (!take_word(&value, &network) || !take_word(&value, &family) || !str_equal(network, STR("IN")))
		return false;
	if (!str_equal(family, STR("IP4")) && !str_equal(family, STR("IP6")))
		return false;
	*address = str_first(value, str_index(value, '/'));
	return !str_empty(*address) && str_index(*address, ' ') == address->length;
}

static enum sdp_profile profile_of(struct str carrier)
{
	static const struct {
		const char *name;
		enum sdp_profile profile;
	} known[] = {
	    {"RTP/AVP", SDP_AVP},
	    {"RTP/AVPF", SDP_AVPF},
	    {"RTP/SAVP", SDP_SAVP},
	    {"RTP/SAVPF", SDP_SAVPF},
	    {"UDP/TLS/RTP/SAVP", SDP_TLS_SAVP},
	    {"UDP/TLS/RTP/SAVPF", SDP_TLS_SAVPF},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_equal(carrier, str_of(known[i].name)))
			return known[i].profile;
	return SDP_OTHER;
}

// "audio 49170/2 RTP/AVP 0 8" (RFC 8866 section 5.14).
static bool read_media(struct str value, struct sdp_media *media)
{
	struct str ports, first;
	uint64_t port, count = 1;

	if (!take_word(&value, &media->type) || !take_word(&value, &ports) || !take_word(&value, &media->carrier))
		return false;
	size_t slash = str_index(ports, '/');
	first = str_first(ports, slash);
	if (!str_to_uint(first, UINT16_MAX, &port) || str_empty(value))
		return false;
	if (slash < ports.length && (!str_to_uint(str_from(ports, slash + 1), UINT16_MAX, &count) || count == 0))
		return false;
	media->port = (uint16_t)port;
	media->ports = (uint16_t)count;
	media->profile = profile_of(media->carrier);
	media->formats = value;
	return true;
}

static void read_direction(struct str attribute, enum sdp_direction *direction)
{
	for (size_t i = 0; i < sizeof direction_names / sizeof *direction_names; i++)
		if (str_equal(attribute, str_of(direction_names[i])))
			*direction = (enum sdp_direction)i;
}

bool sdp_attribute(struct str *rest, struct str name, struct str *value)
{
	struct sdp_line line;

	while (take_line(rest, &line)) {
		size_t colon = str_index(line.value, ':');
		if (line.type != 'a' || !str_equal(str_first(line.value, colon), name))
			continue;
		*value = str_from(line.value, colon + 1);
		return true;
	}
	return false;
}

// ---- the whole

// Where lines go: the session's part, then one medium after the other.
struct reader {
	struct str text;
	struct str rest; // what is not read yet
	struct sdp *sdp;
	struct sdp_media *media; // NULL: still in the session's part
	bool media_has_address;
	size_t lines;
};

// A part ends where the next one's line begins.
static void part_ends(struct reader *reader, const char *end)
{
	struct str *lines = reader->media ? &reader->media->lines : &reader->sdp->lines;

	lines->length = (size_t)(end - lines->at);
}

static const char *begin_media(struct reader *reader, struct str value)
{
	struct sdp *sdp = reader->sdp;

	part_ends(reader, value.at - 2);
	if (sdp->media_count == SDP_MEDIA_MAX)
		return "There are too many media.";
	reader->media = &sdp->media[sdp->media_count++];
	reader->media_has_address = false;
	*reader->media =
	    (struct sdp_media){.address = sdp->address, .direction = sdp->direction, .lines = reader->rest};
	if (!reader->rest.at)
		reader->media->lines = str_from(value, value.length);
	return read_media(value, reader->media) ? NULL : "An m= line cannot be read.";
}

static const char *take_connection(struct reader *reader, struct str value)
{
	struct str address;

	if (!read_connection(value, &address))
		return "A c= line cannot be read.";
	if (!reader->media)
		reader->sdp->address = address;
	else if (!reader->media_has_address)
		reader->media->address = address; // the first counts: further ones are layers of the same
	reader->media_has_address = reader->media != NULL;
	return NULL;
}

static const char *take_any(struct reader *reader, const struct sdp_line *line)
{
	if (reader->lines == 1 && (line->type != 'v' || !str_equal(line->value, STR("0"))))
		return "The first line must be v=0.";
	if (line->type == 0 && !(str_empty(line->value) && str_empty(reader->rest)))
		return "A line has no type.";
	if (!is_text(line->value))
		return "A line has a control character.";
	if (line->type == 'm')
		return begin_media(reader, line->value);
	if (line->type == 'c')
		return take_connection(reader, line->value);
	if (line->type == 'a')
		read_direction(line->value, reader->media ? &reader->media->direction : &reader->sdp->direction);
	return NULL;
}

static bool fault_at(struct sdp_fault *fault, size_t at, const char *why)
{
	*fault = (struct sdp_fault){at, why};
	return false;
}

bool sdp_read(struct str text, struct sdp *sdp, struct sdp_fault *fault)
{
	struct reader reader = {.text = text, .rest = text, .sdp = sdp};
	struct sdp_line line;
	size_t at = 0;

	*sdp = (struct sdp){.lines = text};
	if (text.length > SDP_SIZE_MAX)
		return fault_at(fault, 0, "It is too long.");
	while (take_line(&reader.rest, &line)) {
		if (++reader.lines > SDP_LINES_MAX)
			return fault_at(fault, at, "There are too many lines.");
		const char *why = take_any(&reader, &line);
		if (why)
			return fault_at(fault, at, why);
		at = text.length - reader.rest.length;
	}
	if (reader.lines == 0)
		return fault_at(fault, 0, "It is empty.");
	part_ends(&reader, text.at + text.length);
	return true;
}

// ---- what it means

static bool is_nowhere(struct str address)
{
	return str_equal(address, STR("0.0.0.0")) || str_equal(address, STR("::"));
}

bool sdp_holds(const struct sdp *sdp)
{
	bool any = false;

	for (size_t i = 0; i < sdp->media_count; i++) {
		const struct sdp_media *media = &sdp->media[i];
		if (media->port == 0)
			continue;
		any = true;
		if (media->direction != SDP_SENDONLY && media->direction != SDP_INACTIVE && !is_nowhere(media->address))
			return false;
	}
	return any;
}

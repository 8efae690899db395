// Reads what a name server answers. Names may point backwards in the message (RFC 1035 section 4.1.4); each jump here must
// go further back than the one before, so reading a name always ends.
#include "base/dns_answer.h"

#include <string.h>

enum { HEADER_SIZE = 12, CLASS_IN = 1, TYPE_CNAME = 5, TYPE_SOA = 6, CNAMES_MAX = 16, LABEL_MAX = 63 };
enum { RCODE_NONE = 0, RCODE_NO_NAME = 3 };
enum { TTL_MAX_S = 7 * 24 * 3600 }; // RFC 8767 section 4

struct reader {
	const uint8_t *bytes;
	size_t size, at;
	bool broken; // stays true; all reads give 0 then
};

// ---- pieces

static const uint8_t *take(struct reader *r, size_t size)
{
	if (r->broken || size > r->size - r->at) {
		r->broken = true;
		return NULL;
	}
	r->at += size;
	return r->bytes + r->at - size;
}

static uint16_t take_u16(struct reader *r)
{
	const uint8_t *b = take(r, 2);
	return b ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

static uint32_t take_u32(struct reader *r)
{
	uint32_t high = take_u16(r);
	return high << 16 | take_u16(r);
}

struct name {
	size_t length;
	bool odd; // bytes that no host or service name has: nothing to be looked for
	char text[DNS_NAME_MAX + 1];
};

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static void name_append(struct reader *r, struct name *name, const uint8_t *label, size_t length)
{
	size_t dot = name->length > 0 ? 1 : 0;
	if (name->length + dot + length > DNS_NAME_MAX) {
		r->broken = true;
		return;
	}
	if (dot)
		name->text[name->length++] = '.';
	for (size_t i = 0; i < length; i++) {
		name->odd = name->odd || !is_plain(label[i]);
		name->text[name->length++] = (char)label[i];
	}
}

static void take_name(struct reader *r, struct name *name)
{
	size_t lowest = r->at, after = 0;
	bool jumped = false;

	*name = (struct name){.length = 0};
	for (;;) {
		const uint8_t *length = take(r, 1);
		if (!length || *length == 0)
			break;
		if (*length >= 0xc0) {
			const uint8_t *low = take(r, 1);
			size_t target = low ? (size_t)(*length & 0x3f) << 8 | *low : SIZE_MAX;
			if (target >= lowest) { // only ever further back
				r->broken = true;
				break;
			}
			after = jumped ? after : r->at;
			jumped = true;
			lowest = r->at = target;
			continue;
		}
		const uint8_t *label = *length <= LABEL_MAX ? take(r, *length) : NULL;
		if (!label) {
			r->broken = true;
			break;
		}
		name_append(r, name, label, *length);
	}
	if (jumped)
		r->at = after;
}

static struct str name_text(const struct name *name)
{
	return (struct str){name->text, name->length};
}

static struct str take_text(struct reader *r)
{
	const uint8_t *length = take(r, 1);
	const uint8_t *text = length ? take(r, *length) : NULL;
	return text ? (struct str){(const char *)text, *length} : STR_NONE;
}

// ---- records

struct head {
	struct name owner;
	uint16_t type, class;
	uint32_t ttl_s;
	size_t end; // where its data ends
};

static bool take_head(struct reader *r, struct head *head)
{
	take_name(r, &head->owner);
	head->type = take_u16(r);
	head->class = take_u16(r);
	head->ttl_s = take_u32(r);
	uint16_t size = take_u16(r);
	head->end = r->at + size;
	if (head->ttl_s > TTL_MAX_S) // RFC 2181 section 8: the highest bit counts as 0
		head->ttl_s = head->ttl_s > INT32_MAX ? 0 : TTL_MAX_S;
	if (r->broken || size > r->size - r->at)
		r->broken = true;
	return !r->broken;
}

static bool take_address(struct reader *r, enum dns_type type, struct net_address *address)
{
	size_t size = type == DNS_A ? 4 : 16;
	const uint8_t *bytes = take(r, size);
	if (!bytes)
		return false;
	*address = (struct net_address){.family = type == DNS_A ? 4 : 6};
	memcpy(address->bytes, bytes, size);
	return !net_address_is_any(address);
}

static bool take_srv(struct reader *r, struct arena *arena, struct dns_srv *srv)
{
	struct name target;
	srv->priority = take_u16(r);
	srv->weight = take_u16(r);
	srv->port = take_u16(r);
	take_name(r, &target);
	srv->target = arena_copy(arena, name_text(&target));
	return srv->target.at && !target.odd && (srv->port != 0 || str_empty(srv->target));
}

static bool take_naptr(struct reader *r, struct arena *arena, struct dns_naptr *naptr)
{
	struct name replacement;
	naptr->order = take_u16(r);
	naptr->preference = take_u16(r);
	naptr->flags = arena_copy(arena, take_text(r));
	naptr->services = arena_copy(arena, take_text(r));
	naptr->regexp = arena_copy(arena, take_text(r));
	take_name(r, &replacement);
	naptr->replacement = arena_copy(arena, name_text(&replacement));
	return naptr->flags.at && naptr->services.at && naptr->regexp.at && naptr->replacement.at && !replacement.odd;
}

// False: it makes no sense, or there is no memory.
static bool take_record(struct reader *r, enum dns_type type, struct arena *arena, struct dns_record *record)
{
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		return take_address(r, type, &record->address);
	case DNS_SRV:
		return take_srv(r, arena, &record->srv);
	case DNS_NAPTR:
		return take_naptr(r, arena, &record->naptr);
	}
	return false;
}

// ---- the message

// What is being put together.
struct harvest {
	struct dns_answer answer;
	struct dns_record *records;
	struct arena *arena;
	struct name wanted; // the name asked for, or what it is an alias of
};

static void shorten(struct harvest *harvest, uint32_t ttl_s)
{
	if (ttl_s < harvest->answer.ttl_s)
		harvest->answer.ttl_s = ttl_s;
}

static void take_answer(struct reader *r, struct harvest *harvest, bool *alias_found)
{
	struct head head;
	struct dns_record record;

	if (!take_head(r, &head))
		return;
	struct reader data = {.bytes = r->bytes, .size = head.end, .at = r->at};
	r->at = head.end;
	if (head.class != CLASS_IN || !str_equal_nocase(name_text(&head.owner), name_text(&harvest->wanted)))
		return;
	if (head.type == TYPE_CNAME) {
		take_name(&data, &harvest->wanted);
		r->broken = r->broken || data.broken;
		*alias_found = true;
		shorten(harvest, head.ttl_s);
		return;
	}
	if (head.type != (uint16_t)harvest->answer.type || harvest->answer.count == DNS_RECORDS_MAX)
		return;
	if (!take_record(&data, harvest->answer.type, harvest->arena, &record) || data.broken || data.at != head.end)
		return;
	shorten(harvest, head.ttl_s);
	harvest->records[harvest->answer.count++] = record;
}

// Aliases usually stand in order, before what they lead to; when not, the section is read again.
static void take_answers(struct reader *r, struct harvest *harvest, unsigned count)
{
	const size_t begin = r->at;
	bool again = true;

	for (unsigned round = 0; again && !r->broken && round < CNAMES_MAX; round++) {
		again = false;
		r->at = begin;
		for (unsigned i = 0; i < count && !r->broken; i++)
			take_answer(r, harvest, &again);
		again = again && harvest->answer.count == 0;
	}
}

// RFC 2308 section 5: how long nothing stays nothing is in the authority section, the lesser of the SOA's own life and its
// last number.
static void take_authority(struct reader *r, struct harvest *harvest, unsigned count)
{
	struct head head;
	struct name name;

	harvest->answer.ttl_s = 0;
	for (unsigned i = 0; i < count && take_head(r, &head); i++) {
		struct reader data = {.bytes = r->bytes, .size = head.end, .at = r->at};
		r->at = head.end;
		if (head.type != TYPE_SOA || head.class != CLASS_IN)
			continue;
		take_name(&data, &name);
		take_name(&data, &name);
		take(&data, 16);
		uint32_t minimum_s = take_u32(&data);
		if (!data.broken)
			harvest->answer.ttl_s = minimum_s < head.ttl_s ? minimum_s : head.ttl_s;
		return;
	}
}

static bool take_question(struct reader *r)
{
	struct name name;
	take_name(r, &name);
	take(r, 4);
	return !r->broken;
}

static struct dns_answer failed(enum dns_type type)
{
	return (struct dns_answer){.status = DNS_FAILED, .type = type};
}

struct dns_answer dns_answer_read(struct str message, enum dns_type type, struct str name, struct arena *arena)
{
	struct reader r = {.bytes = (const uint8_t *)message.at, .size = message.length};
	struct harvest harvest = {.arena = arena, .answer = {.type = type, .ttl_s = TTL_MAX_S}};

	if (name.length > DNS_NAME_MAX || message.length < HEADER_SIZE)
		return failed(type);
	if (!str_empty(name))
		memcpy(harvest.wanted.text, name.at, name.length);
	harvest.wanted.length = name.length;
	take_u16(&r);
	uint16_t flags = take_u16(&r), rcode = flags & 0xf;
	unsigned questions = take_u16(&r), answers = take_u16(&r), authorities = take_u16(&r);
	take_u16(&r);
	if (!(flags & 0x8000) || questions != 1 || !take_question(&r) ||
	    (rcode != RCODE_NONE && rcode != RCODE_NO_NAME))
		return failed(type);
	harvest.records = arena_alloc(arena, DNS_RECORDS_MAX * sizeof *harvest.records);
	if (!harvest.records)
		return failed(type);
	take_answers(&r, &harvest, answers);
	if (r.broken)
		return failed(type);
	harvest.answer.records = harvest.records;
	if (harvest.answer.count > 0)
		return harvest.answer;
	harvest.answer.status = DNS_NOTHING;
	take_authority(&r, &harvest, authorities);
	return harvest.answer;
}

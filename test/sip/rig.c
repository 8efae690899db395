// The world that tests of the user agent run in, and its call table made of paper.
#include "sip/rig.h"

#include "base/digest.h"

#include <stdio.h>
#include <string.h>

static struct rig *the_rig;

// ---- texts

const char *text_of(struct rig *rig, const char *format, ...)
{
	static char text[RIG_TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return arena_copy(&rig->arena, str_of(text)).at;
}

void assert_starts(const char *text, const char *start)
{
	if (strncmp(text, start, strlen(start)) != 0)
		fail_msg("wanted: %s\ngot:    %s", start, text);
}

void assert_has(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		fail_msg("wanted: %s\nin:     %s", piece, text);
}

void assert_lacks(const char *text, const char *piece)
{
	if (strstr(text, piece))
		fail_msg("not wanted: %s\nin:         %s", piece, text);
}

static void replace(char *text, const char *before, const char *ends, const char *word)
{
	for (char *at = strstr(text, before); at; at = strstr(at, before)) {
		at += strlen(before);
		size_t length = strcspn(at, ends), rest = strlen(at + length);
		memmove(at + strlen(word), at + length, rest + 1);
		memcpy(at, word, strlen(word));
	}
}

const char *masked(struct rig *rig, const char *text)
{
	char work[RIG_TEXT_MAX];
	snprintf(work, sizeof work - 4096, "%s", text);
	replace(work, "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=", ";\n", "BRANCH");
	replace(work, "nonce=\"", "\"", "NONCE");
	replace(work, ";tag=", ";\n", "TAG");
	replace(work, "Date: ", "\n", "DATE");
	if (strncmp(work, "SIP/2.0", 7) != 0)
		replace(work, "Call-ID: ", "\n", "CALLID");
	return text_of(rig, "%s", work);
}

const char *header_of(struct rig *rig, const char *text, const char *name)
{
	const char *at = strstr(text, text_of(rig, "\n%s: ", name));
	if (!at)
		return "";
	at += strlen(name) + 3;
	return text_of(rig, "%.*s", (int)strcspn(at, "\n"), at);
}

// ---- the faked store

static void save_registration(void *context, struct registration_write *write)
{
	struct rig *rig = context;
	if (rig->store == STORE_WAITS) {
		assert_true(rig->write_count < RIG_WRITES_MAX);
		rig->writes[rig->write_count++] = write;
		return;
	}
	write->err = rig->store == STORE_FAILS ? ERR_STORE_UNAVAILABLE : ERR_NONE;
	write->done(write);
}

void rig_store_answer(struct rig *rig, enum err err)
{
	assert_true(rig->write_count > 0);
	struct registration_write *write = rig->writes[0];
	memmove(rig->writes, rig->writes + 1, --rig->write_count * sizeof *rig->writes);
	write->err = err;
	write->done(write);
}

// ---- the faked call table

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
	size_t used = strlen(the_rig->events);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(the_rig->events + used, sizeof the_rig->events - used, format, arguments);
	va_end(arguments);
}

static void tell_body(const struct body *body)
{
	if (!str_empty(body->bytes))
		tell(" %.*s [%.*s]", STR_ARG(body->type), STR_ARG(body->bytes));
	tell("\n");
}

enum err call_table_invited(struct call_table *table, const struct invitation *invitation, uint64_t *leg)
{
	(void)table;
	tell("invited by %s %u, dialled %.*s", invitation->caller == CALLER_DEVICE ? "device" : "trunk",
	     (unsigned)(invitation->device_id + invitation->trunk_id), STR_ARG(invitation->dialled));
	if (!str_empty(invitation->caller_number))
		tell(", number %.*s, name %.*s", STR_ARG(invitation->caller_number), STR_ARG(invitation->caller_name));
	if (invitation->anonymous)
		tell(", anonymous");
	for (size_t i = 0; i < invitation->diversion_count; i++) {
		const struct diversion *diversion = &invitation->diversions[i];
		tell(", sent on by %.*s <%.*s> %s %u%s%s", STR_ARG(diversion->number), STR_ARG(diversion->uri),
		     diversion_reason_names[diversion->reason], diversion->times,
		     diversion->is_private ? " private" : "", diversion->is_ours ? " ours" : "");
	}
	if (invitation->takes_place)
		tell(", in the place of %u%s", (unsigned)invitation->place,
		     invitation->early_only ? " while it rings" : "");
	tell_body(&invitation->body);
	the_rig->session = invitation->session;
	*leg = 7;
	return the_rig->invited;
}

void call_table_cancelled(struct call_table *table, uint64_t leg, struct str reason)
{
	(void)table;
	tell("cancelled %u%s%.*s\n", (unsigned)leg, str_empty(reason) ? "" : " ", STR_ARG(reason));
	the_rig->signalling->refuse(the_rig->signalling->context, the_rig->session, &(struct refusal){.status = 487});
}

void call_table_acknowledged(struct call_table *table, uint64_t leg, const struct body *body)
{
	(void)table;
	tell("acknowledged %u", (unsigned)leg);
	tell_body(body);
}

void call_table_unacknowledged(struct call_table *table, uint64_t leg)
{
	(void)table;
	tell("unacknowledged %u\n", (unsigned)leg);
}

void call_table_progressed(struct call_table *table, uint64_t leg, unsigned status, const struct body *body)
{
	(void)table;
	tell("progressed %u %u", (unsigned)leg, status);
	tell_body(body);
}

void call_table_answered(struct call_table *table, uint64_t leg, const struct body *body)
{
	(void)table;
	tell("answered %u", (unsigned)leg);
	tell_body(body);
}

void call_table_failed(struct call_table *table, uint64_t leg, unsigned status, struct str phrase, struct str reason)
{
	(void)table;
	tell("failed %u %u %.*s%s%.*s\n", (unsigned)leg, status, STR_ARG(phrase), str_empty(reason) ? "" : ", ",
	     STR_ARG(reason));
}

void call_table_redirected(struct call_table *table, uint64_t leg, unsigned status, struct str reason,
			   const struct str targets[], size_t count)
{
	(void)table;
	tell("redirected %u %u %.*s:", (unsigned)leg, status, STR_ARG(reason));
	for (size_t i = 0; i < count; i++)
		tell(" %.*s", STR_ARG(targets[i]));
	tell("\n");
}

void call_table_early_answered(struct call_table *table, uint64_t leg, const struct body *body)
{
	(void)table;
	tell("early answered %u", (unsigned)leg);
	tell_body(body);
}

void call_table_expired(struct call_table *table, uint64_t leg)
{
	(void)table;
	tell("expired %u\n", (unsigned)leg);
}

void call_table_hung_up(struct call_table *table, uint64_t leg, struct str reason)
{
	(void)table;
	tell("hung up %u%s%.*s\n", (unsigned)leg, str_empty(reason) ? "" : " ", STR_ARG(reason));
}

void call_table_requested(struct call_table *table, uint64_t leg, uint64_t transaction,
			  const struct dialog_request *request)
{
	static const char *const names[] = {"INVITE", "UPDATE", "INFO", "MESSAGE", "REFER", "NOTIFY", "OPTIONS"};
	(void)table;
	the_rig->transaction = transaction;
	tell("requested %u %s", (unsigned)leg, names[request->method]);
	if (!str_empty(request->refer_to))
		tell(" to %.*s", STR_ARG(request->refer_to));
	if (request->refers_to_leg)
		tell(" in the place of %u", (unsigned)request->replaces);
	tell_body(&request->body);
}

void call_table_replied(struct call_table *table, uint64_t leg, uint64_t token, unsigned status,
			const struct body *body)
{
	(void)table;
	tell("replied %u to %u: %u", (unsigned)leg, (unsigned)token, status);
	tell_body(body);
}

bool call_table_watch(struct call_table *table, struct lamp_watch *watch)
{
	(void)table;
	list_append(&the_rig->watches, &watch->node);
	return true;
}

void call_table_unwatch(struct call_table *table, struct lamp_watch *watch)
{
	(void)table;
	list_remove(&watch->node);
}

size_t call_table_lamp(const struct call_table *table, uint64_t user_id, struct lamp_call calls[2 * LAMP_CALLS_MAX])
{
	(void)table;
	(void)user_id;
	memcpy(calls, the_rig->lamp, sizeof the_rig->lamp);
	return the_rig->lamp_count;
}

void rig_lamp_changed(struct rig *rig)
{
	list_each (node, following, &rig->watches) {
		struct lamp_watch *watch = container_of(node, struct lamp_watch, node);
		watch->changed(watch);
	}
}

void rig_told(struct rig *rig, const char *events)
{
	assert_string_equal(rig->events, events);
	rig->events[0] = '\0';
}

// ---- the world

static void add_device(struct rig *rig, uint64_t id, const char *number)
{
	struct device *device = (struct device *)entity_new(ENTITY_DEVICE, &rig->arena);
	char md5[DIGEST_HEX_MAX], sha256[DIGEST_HEX_MAX];
	struct str pieces[] = {str_of(number), STR("carillon"), STR("secret")};
	assert_non_null(device);
	device->entity.id = id;
	device->device_kind = DEVICE_SIP_PHONE;
	device->number = str_of(number);
	device->ha1_md5 = arena_copy(&rig->arena, digest_joined_hex(DIGEST_MD5, pieces, 3, md5));
	device->ha1_sha256 = arena_copy(&rig->arena, digest_joined_hex(DIGEST_SHA256, pieces, 3, sha256));
	assert_int_equal(directory_put(rig->directory, &device->entity), ERR_NONE);
}

static void add_trunk(struct rig *rig, uint64_t id)
{
	struct trunk *trunk = (struct trunk *)entity_new(ENTITY_TRUNK, &rig->arena);
	assert_non_null(trunk);
	trunk->entity.id = id;
	trunk->title = STR("Carrier");
	trunk->host = STR("10.0.1.1");
	trunk->port = 5060;
	trunk->username = STR("carillon");
	trunk->password = STR("trunk-secret");
	trunk->options_interval_s = 0;
	trunk->enabled = true;
	assert_int_equal(directory_put(rig->directory, &trunk->entity), ERR_NONE);
}

struct rig *rig_start(unsigned session_expires_s)
{
	static struct rig rig;
	struct number_plan plan = {
	    .country_code = STR("44"), .international_prefix = STR("00"), .emergency = STR("112")};
	struct sip_endpoint_settings settings = {
	    .limits = {.device_requests_per_s = RIG_DEVICE_PER_S, .device_requests_burst = RIG_DEVICE_BURST},
	    .realm = STR("carillon"),
	    .domains = STR("example.com example.net example.org"),
	    .nonce_life_s = 60,
	    .digest = STR("SHA-256 MD5"),
	    .session_expires_s = session_expires_s,
	    .register_min_s = 60,
	    .register_max_s = 7200,
	    .register_default_s = 3600,
	    .overload.busy_percent = 90,
	};
	struct net_address failed;

	rig = (struct rig){.desk = 1, .soft = 2, .trunk = 3};
	the_rig = &rig;
	list_init(&rig.watches);
	arena_init(&rig.arena, 0);
	rig.loop = sim_create(1);
	rig.records = (struct records){.context = &rig, .save_registration = save_registration};
	rig.directory = directory_create(&plan);
	rig.registrations = registrations_create(rig.loop, &rig.records);
	add_device(&rig, rig.desk, "330");
	add_device(&rig, rig.soft, "821");
	add_trunk(&rig, rig.trunk);
	assert_true(net_address_parse(STR("10.0.0.1"), 5060, &settings.transport.udp[0]));
	assert_true(net_range_parse(STR("10.0.3.0/24"), &settings.authenticated_by[0]));
	assert_true(net_address_parse(STR("10.0.0.1"), 5060, &settings.transport.tcp[0]));
	assert_int_equal(
	    sip_endpoint_create(rig.loop, &settings, rig.directory, rig.registrations, &rig.endpoint, &failed), 0);
	rig.signalling = sip_endpoint_signalling(rig.endpoint);
	sip_endpoint_start(rig.endpoint, (struct call_table *)&rig);
	return &rig;
}

void rig_stop(struct rig *rig)
{
	sip_endpoint_stop(rig->endpoint);
	sip_endpoint_destroy(rig->endpoint);
	registrations_destroy(rig->registrations);
	directory_destroy(rig->directory);
	loop_destroy(rig->loop);
	arena_free(&rig->arena);
	the_rig = NULL;
}

// ---- peers

static void peer_received(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct peer *peer = context;
	char *text = arena_alloc(&peer->rig->arena, size + 1), *end = text;
	bool head = true;
	peer->last_from = *from;
	for (size_t i = 0; i < size; i++) {
		if (head && i + 3 < size && memcmp(bytes + i, "\r\n\r\n", 4) == 0)
			head = false;
		if (bytes[i] == '\r' && i + 1 < size && bytes[i + 1] == '\n')
			continue;
		if (bytes[i] == '\n' && head)
			assert_true(i > 0 && bytes[i - 1] == '\r'); // every line of a head ends in CRLF
		*end++ = bytes[i];
	}
	assert_false(head);
	assert_true(peer->count < RIG_MESSAGES_MAX);
	peer->got[peer->count++] = text;
}

void peer_open(struct peer *peer, struct rig *rig, const char *host, uint16_t port)
{
	struct net_address address;
	*peer = (struct peer){.rig = rig};
	assert_true(net_address_parse(str_of(host), port, &address));
	assert_int_equal(udp_open(rig->loop, &address, peer_received, peer, &peer->socket), 0);
}

void peer_close(struct peer *peer)
{
	udp_close(peer->socket);
}

void peer_send_bytes(struct peer *peer, struct str bytes)
{
	struct net_address to;
	assert_true(net_address_parse(STR("10.0.0.1"), 5060, &to));
	peer->rig->last_sent = arena_copy(&peer->rig->arena, bytes);
	assert_int_equal(udp_send(peer->socket, &to, peer->rig->last_sent, NULL), 0);
	sim_run_for(peer->rig->loop, 5);
}

void peer_send(struct peer *peer, const char *format, ...)
{
	static char text[RIG_TEXT_MAX], wire[2 * RIG_TEXT_MAX];
	char *end = wire;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	for (const char *at = text; *at; at++) {
		if (*at == '\n')
			*end++ = '\r';
		*end++ = *at;
	}
	peer_send_bytes(peer, (struct str){wire, (size_t)(end - wire)});
}

const char *peer_next(struct peer *peer)
{
	sim_run_for(peer->rig->loop, 5);
	if (peer->read == peer->count)
		fail_msg("nothing came");
	return peer->got[peer->read++];
}

void peer_nothing(struct peer *peer)
{
	sim_run_for(peer->rig->loop, 5);
	if (peer->read != peer->count)
		fail_msg("this came: %s", peer->got[peer->read]);
}

// ---- passwords

static const char *quoted_of(struct rig *rig, const char *text, const char *name)
{
	const char *at = strstr(text, text_of(rig, "%s=\"", name));
	if (!at)
		return "";
	at += strlen(name) + 2;
	return text_of(rig, "%.*s", (int)strcspn(at, "\""), at);
}

static struct str md5(struct rig *rig, const struct str *pieces, size_t count)
{
	char hex[DIGEST_HEX_MAX];
	return arena_copy(&rig->arena, digest_joined_hex(DIGEST_MD5, pieces, count, hex));
}

const char *authorization(struct rig *rig, const char *challenge, const struct login *login)
{
	const char *header = strstr(challenge, "algorithm=MD5"), *nonce, *realm;
	assert_non_null(header);
	while (header > challenge && header[-1] != '\n')
		header--;
	nonce = quoted_of(rig, header, "nonce");
	realm = quoted_of(rig, header, "realm");
	struct str ha1 = md5(rig, (struct str[]){str_of(login->user), str_of(realm), str_of(login->password)}, 3);
	struct str ha2 = md5(rig, (struct str[]){str_of(login->method), str_of(login->uri)}, 2);
	struct str response =
	    md5(rig, (struct str[]){ha1, str_of(nonce), STR("00000001"), STR("c0ffee"), STR("auth"), ha2}, 6);
	return text_of(rig,
		       "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
		       "response=\"%.*s\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c0ffee\"\n",
		       login->user, realm, nonce, login->uri, STR_ARG(response));
}

static void send_register(struct peer *peer, const char *number, unsigned cseq, const char *lines, const char *password)
{
	static unsigned branch;
	peer_send(peer,
		  "REGISTER sip:example.com SIP/2.0\n"
		  "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKreg%u;rport\n"
		  "From: <sip:%s@example.com>;tag=reg\n"
		  "To: <sip:%s@example.com>\n"
		  "Call-ID: register-%s\n"
		  "CSeq: %u REGISTER\n"
		  "Max-Forwards: 70\n"
		  "%s%s"
		  "Content-Length: 0\n\n",
		  branch++, number, number, number, cseq, lines, password);
}

const char *peer_register(struct peer *peer, const char *number, unsigned cseq, const char *lines)
{
	send_register(peer, number, cseq, lines, "");
	const char *challenge = peer_next(peer);
	if (strncmp(challenge, "SIP/2.0 401", 11) != 0)
		return challenge;
	struct login login = {number, "secret", "REGISTER", "sip:example.com"};
	send_register(peer, number, cseq, lines, authorization(peer->rig, challenge, &login));
	sim_run_for(peer->rig->loop, 5);
	return peer->read < peer->count ? peer_next(peer) : "";
}

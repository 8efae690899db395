// A simulated phone's sockets, its registration, and the checks that every message to it must pass.
#include "sim/phone.h"

#include "sim/phone_call.h"
#include "sim/phone_stream.h"
#include "sim/plane.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OLD_NEWS_MS = 45000 };

struct loop *phone_loop(const struct phone *phone)
{
	return plane_loop(phone->plane);
}

uint64_t phone_chance(const struct phone *phone, uint64_t below)
{
	return sim_choice(phone_loop(phone), below);
}

bool phone_with_chance(const struct phone *phone, unsigned percent)
{
	return phone_chance(phone, 100) < percent;
}

void phone_token(const struct phone *phone, const char *prefix, char *into, size_t size)
{
	snprintf(into, size, "%s%016llx", prefix, (unsigned long long)phone_chance(phone, UINT64_MAX));
}

void phone_complain(const struct phone *phone, const struct phone_call *call, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	plane_fail(phone->plane, call, "phone %u (%s): %s", phone->index, phone->host, text);
}

// ---- what every message from the server must be like

static void check_once(const struct phone *phone, const struct sip_message *message, enum sip_header_name name)
{
	const struct sip_header *header = sip_header_first(message, name);
	if (!header || sip_header_next(message, header))
		phone_complain(phone, NULL, "%s %.*s", header ? "more than one" : "no",
			       STR_ARG(sip_header_wire_name(name)));
}

// Nothing of anybody else's address may stand in the head: hosts are 10.x.y.z, and only phones have such.
static void check_secrets(const struct phone *phone, const struct sip_message *message)
{
	const struct str head = {message->bytes.at, message->bytes.length - message->body.length};
	for (size_t at = 0; at + 3 < head.length; at++) {
		const char *here = head.at + at;
		if (here[0] != '1' || here[1] != '0' || here[2] != '.' || (at > 0 && strchr(".0123456789", here[-1])))
			continue;
		const struct str rest = str_from(head, at);
		if (!str_starts(rest, str_of(phone->host)) ||
		    (rest.length > strlen(phone->host) && strchr(".0123456789", rest.at[strlen(phone->host)])))
			phone_complain(phone, NULL, "somebody else's address: %.*s", STR_ARG(str_first(rest, 16)));
	}
	for (size_t at = 0; at + 8 < head.length; at++) {
		if (head.at[at] != 'd' || memcmp(head.at + at, "device-", 7) != 0)
			continue;
		const struct str rest = str_from(head, at);
		if (!str_starts(rest, str_of(phone->number)) && !str_starts(rest, str_of(phone->contact)))
			phone_complain(phone, NULL, "somebody else's device: %.*s", STR_ARG(str_first(rest, 16)));
	}
}

static void check_request(const struct phone *phone, const struct sip_message *request)
{
	check_once(phone, request, SIP_HEADER_MAX_FORWARDS);
	check_once(phone, request, SIP_HEADER_VIA);
	if (!str_starts(request->via.branch, STR("z9hG4bK")))
		phone_complain(phone, NULL, "a branch without the cookie");
	if (!str_equal(request->via.host, str_of(plane_server_host(phone->plane))))
		phone_complain(phone, NULL, "a Via that is not the server's");
	if ((request->method == SIP_INVITE || request->method == SIP_UPDATE))
		check_once(phone, request, SIP_HEADER_CONTACT);
	if (request->max_forwards > 70)
		phone_complain(phone, NULL, "Max-Forwards %u", request->max_forwards);
	if (str_empty(request->from_tag))
		phone_complain(phone, NULL, "a From without a tag");
}

static void check_message(const struct phone *phone, const struct sip_message *message)
{
	static const enum sip_header_name once[] = {SIP_HEADER_FROM, SIP_HEADER_TO, SIP_HEADER_CALL_ID, SIP_HEADER_CSEQ,
						    SIP_HEADER_CONTENT_LENGTH};
	for (size_t i = 0; i < sizeof once / sizeof *once; i++)
		check_once(phone, message, once[i]);
	if (!str_empty(message->body) && !sip_header_first(message, SIP_HEADER_CONTENT_TYPE))
		phone_complain(phone, NULL, "a body without Content-Type");
	if (message->content_length != message->body.length)
		phone_complain(phone, NULL, "Content-Length %zu for %zu bytes", message->content_length,
			       message->body.length);
	if (message->method != SIP_REGISTER) // its 200 lists all of the device's contacts
		check_secrets(phone, message);
	if (message->is_request)
		check_request(phone, message);
}

void phone_receive(struct phone *phone, uint64_t wire, char *bytes, size_t size, enum sip_framing framing)
{
	struct sip_message message;
	struct sip_fault fault;
	if (!sip_message_parse(bytes, size, framing, &message, &fault)) {
		if (!phone->sent_garbage) // else it may be the answer to that, as broken as what it answers
			phone_complain(phone, NULL, "a message that does not parse, at %zu: %s", fault.at, fault.why);
		return;
	}
	if (message.bytes.length != size)
		phone_complain(phone, NULL, "%zu bytes behind the end of a message", size - message.bytes.length);
	check_message(phone, &message);
	if (message.is_request)
		phone_call_request(phone, wire, &message);
	else
		phone_response(phone, &message);
}

static void datagram_received(void *context, const struct net_address *from, char *bytes, size_t size)
{
	(void)from;
	phone_receive(context, 0, bytes, size, SIP_DATAGRAM);
}

// ---- flows

void phone_flow_lost(struct phone *phone)
{
	phone->bound_since_ms = 0;
	plane_wire_lost(phone->plane, phone);
	if (!phone->closing && phone->role == PHONE_DEVICE && !phone->registering)
		timer_start(phone_loop(phone), &phone->register_timer, 500 + phone_chance(phone, 2000));
}

void phone_send(struct phone *phone, uint64_t wire, struct str bytes)
{
	if (phone_is_stream(phone)) {
		phone_stream_send(phone, wire, bytes);
		return;
	}
	const struct net_address server = plane_server(phone->plane, phone->transport);
	udp_send(phone->udp, &server, bytes, NULL);
}

void phone_go_away(struct phone *phone, uint64_t duration_ms)
{
	if (phone->away || phone->closing)
		return;
	phone->away = true;
	sim_host_down(phone_loop(phone), &phone->address);
	phone_flow_lost(phone);
	timer_start(phone_loop(phone), &phone->away_timer, duration_ms);
}

static void network_up(struct phone *phone)
{
	phone->away = false;
	sim_host_up(phone_loop(phone), &phone->address);
	phone_stream_forget(phone);
}

static void come_back(struct phone *phone)
{
	if (!phone->away)
		return;
	phone->came_back_ms = loop_now_ms(phone_loop(phone));
	plane_wire_lost(phone->plane, phone); // what it has begun meanwhile
	network_up(phone);
}

bool phone_was_away(const struct phone *phone)
{
	return phone->came_back_ms && loop_now_ms(phone_loop(phone)) < phone->came_back_ms + OLD_NEWS_MS;
}

static void come_back_due(struct timer *timer)
{
	come_back(container_of(timer, struct phone, away_timer));
}

// ---- registration

static void register_later(struct phone *phone, uint64_t delay_ms)
{
	timer_start(phone_loop(phone), &phone->register_timer, delay_ms);
}

static void register_send(struct phone *phone, const char *credentials);

// Our own contact must be in the list of the 200, with a time.
static void register_accepted(struct phone *phone, const struct sip_message *response)
{
	const uint64_t now_ms = loop_now_ms(phone_loop(phone));
	struct sip_walk walk = {0};
	struct str value;
	uint64_t expires_s = 0;
	while (sip_value_next(response, SIP_HEADER_CONTACT, &walk, &value)) {
		struct sip_address contact;
		struct str expires;
		if (!sip_address_parse(value, &contact) || !str_equal(contact.uri.user, str_of(phone->contact)))
			continue;
		if (!sip_header_parameter(contact.parameters, STR("expires"), &expires) ||
		    !str_to_uint(expires, UINT32_MAX, &expires_s))
			phone_complain(phone, NULL, "a contact without expires in the 200 to a REGISTER");
	}
	phone->bound_until_ms = now_ms + expires_s * 1000;
	if (expires_s > 0 && !phone->bound_since_ms)
		phone->bound_since_ms = now_ms;
	if (phone->asked_expires_s != phone->expires_s) { // it has changed its mind meanwhile
		phone_register(phone);
		return;
	}
	if (phone->expires_s == 0) {
		if (expires_s > 0 && !phone->closing)
			phone_complain(phone, NULL, "a binding that was taken away is still there");
		return;
	}
	if (expires_s == 0)
		phone_complain(phone, NULL, "a registration that is not in its own 200");
	register_later(phone, (expires_s > 0 ? expires_s : 10) * 500);
}

static void register_answered(struct request *request, const struct sip_message *response)
{
	struct phone *phone = request->phone;
	const unsigned status = response ? response->status : 408;
	if (status < 200)
		return;
	if (status == 401 && !request->authorised) {
		char memory[PHONE_MESSAGE_MAX], uri[64];
		struct writer w = writer_into(memory, sizeof memory - 1);
		snprintf(uri, sizeof uri, "sip:%s", plane_server_host(phone->plane));
		if (phone_write_credentials(phone, &w, response, "REGISTER", uri)) {
			memory[w.used] = '\0';
			register_send(phone, memory);
			return;
		}
	}
	phone->registering = false;
	if (status == 200) {
		register_accepted(phone, response);
		return;
	}
	plane_register_refused(phone->plane, phone, status);
	if (!phone->closing)
		register_later(phone, 1000 + phone_chance(phone, 4000));
}

static void register_send(struct phone *phone, const char *credentials)
{
	struct request_head head = {.method = SIP_REGISTER, .cseq = ++phone->register_cseq};
	char extra[PHONE_MESSAGE_MAX], tag[PHONE_TOKEN_SIZE];
	phone_token(phone, "", tag, sizeof tag);
	snprintf(head.uri, sizeof head.uri, "sip:%s", plane_server_host(phone->plane));
	snprintf(head.from, sizeof head.from, "<sip:%s@carillon.example>;tag=%s", phone->number, tag);
	snprintf(head.to, sizeof head.to, "<sip:%s@carillon.example>", phone->number);
	snprintf(head.call_id, sizeof head.call_id, "%s", phone->register_call_id);
	snprintf(extra, sizeof extra, "Contact: <sip:%s@%s:%u%s>;expires=%u;q=0.%u\r\n%s", phone->contact, phone->host,
		 phone->address.port, phone_contact_parameter(phone), phone->expires_s, 5 + phone->index % 5,
		 credentials ? credentials : "");
	phone->asked_expires_s = phone->expires_s;
	struct request *request =
	    request_send(phone, &head, &(struct request_settings){.extra = extra, .done = register_answered});
	request->authorised = credentials != NULL;
}

void phone_register(struct phone *phone)
{
	if (phone->registering)
		return;
	phone->registering = true;
	timer_stop(&phone->register_timer);
	if (phone->expires_s == 0)
		phone->bound_since_ms = 0;
	register_send(phone, NULL);
}

static void register_due(struct timer *timer)
{
	phone_register(container_of(timer, struct phone, register_timer));
}

// ---- bad manners

void phone_send_garbage(struct phone *phone)
{
	static const char *const garbage[] = {
	    "\r\n\r\n",
	    "INVITE",
	    "INVITE sip:510@192.0.2.1 SIP/2.0\r\n\r\n",
	    "OPTIONS sip:x@192.0.2.1 SIP/7.0\r\nVia: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKx\r\n\r\n",
	    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnothing\r\nFrom: <sip:a@b>;tag=1\r\n"
	    "To: <sip:a@b>;tag=2\r\nCall-ID: nothing\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
	    "SIP/2.0 999 Beyond\r\n\r\n",
	    "ACK sip:510@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKgarbage\r\n"
	    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: garbage\r\nCSeq: 1 ACK\r\nContent-Length: "
	    "0\r\n\r\n",
	    "\x01\x02\xff\xfe\x00garbage",
	    "REGISTER sip:192.0.2.1 SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
	};
	const char *chosen = garbage[phone_chance(phone, sizeof garbage / sizeof *garbage)];
	phone->sent_garbage = true;
	if (!phone_is_stream(phone))
		phone_send(phone, 0, str_of(chosen));
}

// ---- coming and going

struct phone *phone_create(const struct phone_settings *settings)
{
	struct phone *phone = calloc(1, sizeof *phone);
	int error = 0;
	assert(phone);
	phone->plane = settings->plane;
	phone->index = settings->index;
	phone->role = settings->role;
	phone->transport = settings->transport;
	phone->address = settings->address;
	list_init(&phone->wires);
	list_init(&phone->requests);
	list_init(&phone->answers);
	list_init(&phone->calls);
	timer_init(&phone->register_timer, register_due);
	timer_init(&phone->away_timer, come_back_due);
	struct writer w = writer_into(phone->host, sizeof phone->host - 1);
	net_address_write_host(&w, &phone->address);
	snprintf(phone->contact, sizeof phone->contact, "device-c%u-%llux", phone->index,
		 (unsigned long long)phone_chance(phone, 100000));
	snprintf(phone->register_call_id, sizeof phone->register_call_id, "reg%u@%s", phone->index, phone->host);
	if (phone_is_secured(phone)) {
		const struct tls_settings tls = {.certificate =
						     str_empty(settings->name) ? str_of(phone->host) : settings->name};
		const bool made = tls_create(phone_loop(phone), &tls, &phone->tls, NULL, 0);
		assert(made);
		(void)made;
	}
	if (!phone_is_stream(phone))
		error = udp_open(phone_loop(phone), &phone->address, datagram_received, phone, &phone->udp);
	else if (!phone_is_web_socket(phone))
		error = phone_stream_listen(phone);
	assert(error == 0);
	return phone;
}

bool phone_is_quiet(const struct phone *phone)
{
	list_each (node, following, &phone->calls) {
		const struct phone_call *call = container_of(node, struct phone_call, node);
		if (call->state != PHONE_CALL_OVER && !call->vanished)
			return false;
	}
	return list_empty(&phone->requests) && list_empty(&phone->answers);
}

void phone_destroy(struct phone *phone)
{
	phone->closing = true;
	timer_stop(&phone->register_timer);
	timer_stop(&phone->away_timer);
	if (phone->away)
		network_up(phone); // its calls' other sides may be gone already
	list_each (node, following, &phone->requests)
		request_free(container_of(node, struct request, node));
	list_each (node, following, &phone->answers)
		answer_free(container_of(node, struct answer, node));
	list_each (node, following, &phone->calls)
		phone_call_free(container_of(node, struct phone_call, node));
	phone_stream_close(phone);
	tls_destroy(phone->tls);
	udp_close(phone->udp);
	tcp_listener_close(phone->listener);
	free(phone);
}

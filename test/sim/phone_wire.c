// What a simulated phone sends and repeats: its requests until they are answered, its answers while they are asked for.
#include "sim/phone.h"

#include "base/digest.h"
#include "base/writer.h"
#include "sim/phone_call.h"
#include "sim/phone_stream.h"
#include "sim/plane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { T1_MS = 500, T2_MS = 4000, GIVE_UP_MS = 32000, KEEP_MS = 40000 };

static struct loop *loop_of(const struct phone *phone)
{
	return phone_loop(phone);
}

static char *bytes_copy(struct str bytes, size_t *size)
{
	char *copy = malloc(bytes.length ? bytes.length : 1);
	assert(copy);
	memcpy(copy, bytes.at, bytes.length);
	*size = bytes.length;
	return copy;
}

// ---- requests

static const char *const via_names[] = {"UDP", "TCP", "TLS", "WS", "WSS"};

// RFC 7118 section 5: ws stands for both.
const char *phone_contact_parameter(const struct phone *phone)
{
	static const char *const parameters[] = {"", ";transport=tcp", ";transport=tls", ";transport=ws",
						 ";transport=ws"};
	return parameters[phone->transport];
}

static void write_head(const struct phone *phone, struct writer *w, const struct request_head *head, const char *branch)
{
	writer_format(w, "%s %s SIP/2.0\r\n", sip_method_name(head->method), head->uri);
	writer_format(w, "Via: SIP/2.0/%s %s:%u;branch=%s;rport\r\n", via_names[phone->transport], phone->host,
		      phone->address.port, branch);
	writer_format(w, "Max-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n", head->from, head->to);
	writer_format(w, "Call-ID: %s\r\nCSeq: %u %s\r\n", head->call_id, head->cseq, sip_method_name(head->method));
}

static void write_contact(const struct phone *phone, struct writer *w)
{
	writer_format(w, "Contact: <sip:%s@%s:%u%s>", phone->contact, phone->host, phone->address.port,
		      phone_contact_parameter(phone));
}

static void write_body(struct writer *w, const char *body)
{
	if (body)
		writer_format(w, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	else
		writer_format(w, "Content-Length: 0\r\n\r\n");
}

void request_free(struct request *request)
{
	timer_stop(&request->timer);
	list_remove(&request->node);
	free(request->bytes);
	free(request->ack);
	free(request);
}

static void request_timer(struct timer *timer)
{
	struct request *request = container_of(timer, struct request, timer);
	struct phone *phone = request->phone;
	const bool invite = request->head.method == SIP_INVITE;

	if (request->final) {
		request_free(request);
		return;
	}
	if (!(invite && request->provisional) && loop_now_ms(loop_of(phone)) >= request->started_ms + GIVE_UP_MS) {
		request->final = 408;
		timer_start(loop_of(phone), timer, KEEP_MS);
		request->done(request, NULL);
		return;
	}
	if (invite && request->provisional)
		return; // it may ring as long as it likes
	if (!phone_is_stream(phone))
		phone_send(phone, 0, (struct str){request->bytes, request->size});
	request->interval_ms *= 2;
	if (!invite && request->interval_ms > T2_MS)
		request->interval_ms = T2_MS;
	timer_start(loop_of(phone), timer, request->interval_ms);
}

struct request *request_send(struct phone *phone, const struct request_head *head,
			     const struct request_settings *settings)
{
	struct request *request = calloc(1, sizeof *request);
	char memory[PHONE_MESSAGE_MAX];
	struct writer w = writer_into(memory, sizeof memory);

	assert(request);
	list_init(&request->node);
	request->phone = phone;
	request->call = settings->call;
	request->head = *head;
	request->done = settings->done;
	if (settings->branch)
		memcpy(request->branch, settings->branch, strlen(settings->branch) + 1);
	else
		phone_token(phone, "z9hG4bK", request->branch, sizeof request->branch);
	write_head(phone, &w, head, request->branch);
	if (head->method != SIP_CANCEL && head->method != SIP_BYE && head->method != SIP_REGISTER) {
		write_contact(phone, &w);
		writer_text(&w, "\r\n");
	}
	if (settings->extra)
		writer_text(&w, settings->extra);
	write_body(&w, settings->body);
	assert(!w.overflow);
	request->bytes = bytes_copy(writer_result(&w), &request->size);
	request->started_ms = loop_now_ms(loop_of(phone));
	request->interval_ms = T1_MS;
	list_append(&phone->requests, &request->node);
	timer_init(&request->timer, request_timer);
	timer_start(loop_of(phone), &request->timer, request->interval_ms);
	phone_send(phone, 0, writer_result(&w));
	return request;
}

char *ack_send(struct phone *phone, const struct request_head *head, const char *body, size_t *size)
{
	char memory[PHONE_MESSAGE_MAX], branch[PHONE_TOKEN_SIZE];
	struct writer w = writer_into(memory, sizeof memory);

	phone_token(phone, "z9hG4bK", branch, sizeof branch);
	write_head(phone, &w, head, branch);
	write_body(&w, body);
	assert(!w.overflow);
	phone_send(phone, 0, writer_result(&w));
	return bytes_copy(writer_result(&w), size);
}

// RFC 3261 section 17.1.1.3: the ACK of a refusal belongs to the INVITE's transaction.
static void acknowledge_refusal(struct request *request, const struct sip_message *response)
{
	struct phone *phone = request->phone;
	struct request_head head = request->head;
	char memory[PHONE_MESSAGE_MAX];
	struct writer w = writer_into(memory, sizeof memory);

	head.method = SIP_ACK;
	str_to_cstring(sip_header_value(response, SIP_HEADER_TO), head.to, sizeof head.to);
	write_head(phone, &w, &head, request->branch);
	write_body(&w, NULL);
	request->ack = bytes_copy(writer_result(&w), &request->ack_size);
	phone_send(phone, 0, writer_result(&w));
}

static bool same_transaction(const struct request *request, const struct sip_message *response)
{
	return request->head.method == response->method && str_equal(str_of(request->branch), response->via.branch);
}

static void response_check(struct request *request, const struct sip_message *response)
{
	struct phone *phone = request->phone;
	if (response->cseq != request->head.cseq || !str_equal(response->call_id, str_of(request->head.call_id)))
		phone_complain(phone, request->call, "a response with another CSeq or Call-ID");
	if (response->status > 100 && str_empty(response->to_tag))
		phone_complain(phone, request->call, "a response without a To tag");
	if (!str_equal(sip_header_value(response, SIP_HEADER_FROM), str_of(request->head.from)))
		phone_complain(phone, request->call, "a response with another From");
}

void phone_response(struct phone *phone, const struct sip_message *response)
{
	list_each (node, following, &phone->requests) {
		struct request *request = container_of(node, struct request, node);
		if (!same_transaction(request, response))
			continue;
		response_check(request, response);
		if (request->final) { // a repetition, or a provisional one that was late
			if (response->status >= 200 && request->ack)
				phone_send(phone, 0, (struct str){request->ack, request->ack_size});
			return;
		}
		if (response->status < 200) {
			request->provisional = true;
			request->done(request, response);
			return;
		}
		request->final = response->status;
		timer_start(loop_of(phone), &request->timer, KEEP_MS);
		if (request->head.method == SIP_INVITE && response->status >= 300)
			acknowledge_refusal(request, response);
		request->done(request, response);
		return;
	}
	if (plane_is_orderly(phone->plane) && !phone->sent_garbage && !phone_call_vanished(phone, response))
		phone_complain(phone, NULL, "a response to nothing: %u", response->status);
}

// ---- answers

void answer_free(struct answer *answer)
{
	timer_stop(&answer->timer);
	list_remove(&answer->node);
	if (answer->call)
		phone_call_forget_answer(answer->call, answer);
	free(answer->bytes);
	free(answer);
}

static bool answer_repeats(const struct answer *answer)
{
	return answer->method == SIP_INVITE && (answer->status < 300 || !phone_is_stream(answer->phone));
}

static void answer_timer(struct timer *timer)
{
	struct answer *answer = container_of(timer, struct answer, timer);
	struct phone *phone = answer->phone;

	if (answer->status < 200)
		return;
	if (!answer_repeats(answer) || answer->acked) {
		answer_free(answer);
		return;
	}
	if (loop_now_ms(loop_of(phone)) >= answer->started_ms + GIVE_UP_MS) {
		answer->acked = true; // nobody will
		timer_start(loop_of(phone), timer, KEEP_MS);
		if (answer->call)
			phone_call_unacknowledged(answer->call, answer);
		return;
	}
	phone_send(phone, answer->wire, (struct str){answer->bytes, answer->size});
	answer->interval_ms *= 2;
	if (answer->interval_ms > T2_MS)
		answer->interval_ms = T2_MS;
	timer_start(loop_of(phone), timer, answer->interval_ms);
}

struct answer *answer_find(struct phone *phone, const struct sip_message *request)
{
	list_each (node, following, &phone->answers) {
		struct answer *answer = container_of(node, struct answer, node);
		if (answer->method == (request->method == SIP_ACK ? SIP_INVITE : request->method) &&
		    str_equal(str_of(answer->branch), request->via.branch))
			return answer;
	}
	return NULL;
}

struct answer *answer_start(struct phone *phone, uint64_t wire, const struct sip_message *request)
{
	struct answer *answer = calloc(1, sizeof *answer);
	assert(answer);
	struct writer w = writer_into(answer->head, sizeof answer->head);

	list_init(&answer->node);
	answer->phone = phone;
	answer->method = request->method;
	answer->cseq = request->cseq;
	answer->wire = wire;
	str_to_cstring(request->via.branch, answer->branch, sizeof answer->branch);
	for (const struct sip_header *via = sip_header_first(request, SIP_HEADER_VIA); via;
	     via = sip_header_next(request, via))
		writer_format(&w, "Via: %.*s\r\n", STR_ARG(via->value));
	writer_format(&w, "From: %.*s\r\nCall-ID: %.*s\r\nCSeq: %u %.*s\r\n",
		      STR_ARG(sip_header_value(request, SIP_HEADER_FROM)), STR_ARG(request->call_id), request->cseq,
		      STR_ARG(request->method_text));
	writer_char(&w, '\0');
	assert(!w.overflow);
	if (!str_to_cstring(sip_header_value(request, SIP_HEADER_TO), answer->to, sizeof answer->to))
		phone_complain(phone, NULL, "a To that is too long");
	answer->has_to_tag = !str_empty(request->to_tag);
	timer_init(&answer->timer, answer_timer);
	list_append(&phone->answers, &answer->node);
	return answer;
}

void answer_send(struct answer *answer, const struct answer_settings *settings)
{
	struct phone *phone = answer->phone;
	char memory[PHONE_MESSAGE_MAX];
	struct writer w = writer_into(memory, sizeof memory);

	writer_format(&w, "SIP/2.0 %u %.*s\r\n", settings->status, STR_ARG(sip_reason_phrase(settings->status)));
	writer_format(&w, "%sTo: %s", answer->head, answer->to);
	if (!answer->has_to_tag && settings->tag)
		writer_format(&w, ";tag=%s", settings->tag);
	writer_text(&w, "\r\n");
	if (settings->status > 100 && settings->status < 300 && answer->method == SIP_INVITE) {
		write_contact(phone, &w);
		writer_text(&w, "\r\n");
	}
	if (settings->extra)
		writer_text(&w, settings->extra);
	write_body(&w, settings->body);
	assert(!w.overflow);
	free(answer->bytes);
	answer->bytes = bytes_copy(writer_result(&w), &answer->size);
	answer->status = settings->status;
	phone_send(phone, answer->wire, writer_result(&w));
	if (settings->status < 200)
		return;
	answer->started_ms = loop_now_ms(loop_of(phone));
	answer->interval_ms = T1_MS;
	timer_start(loop_of(phone), &answer->timer, answer_repeats(answer) ? T1_MS : KEEP_MS);
}

void answer_acked(struct answer *answer)
{
	if (answer->acked)
		return;
	answer->acked = true;
	timer_start(loop_of(answer->phone), &answer->timer, KEEP_MS);
}

// ---- digest

static struct str challenge_part(struct str parameters, const char *name)
{
	struct str value = STR_NONE;
	// The first parameter stands behind the scheme; the rest are separated by commas.
	while (!str_empty(parameters)) {
		struct str piece;
		size_t end = 0;
		bool quoted = false;
		while (end < parameters.length && (quoted || parameters.at[end] != ','))
			quoted ^= parameters.at[end++] == '"';
		piece = str_trim(str_first(parameters, end));
		parameters = str_from(parameters, end + 1);
		const size_t equals = str_index(piece, '=');
		if (!str_equal_nocase(str_trim(str_first(piece, equals)), str_of(name)))
			continue;
		value = str_trim(str_from(piece, equals + 1));
		if (value.length >= 2 && value.at[0] == '"')
			value = (struct str){value.at + 1, value.length - 2};
		return value;
	}
	return value;
}

struct digest_parts {
	enum digest_algorithm algorithm;
	struct str username, realm, password, nonce, nc, cnonce, method, uri;
};

static struct str digest_response(const struct digest_parts *parts, char *hex)
{
	char ha1_hex[DIGEST_HEX_MAX], ha2_hex[DIGEST_HEX_MAX];
	const struct str a1[] = {parts->username, parts->realm, parts->password};
	const struct str a2[] = {parts->method, parts->uri};
	const struct str ha1 = digest_joined_hex(parts->algorithm, a1, 3, ha1_hex);
	const struct str ha2 = digest_joined_hex(parts->algorithm, a2, 2, ha2_hex);
	const struct str all[] = {ha1, parts->nonce, parts->nc, parts->cnonce, STR("auth"), ha2};
	return digest_joined_hex(parts->algorithm, all, 6, hex);
}

// Which of the challenges the phone takes: old phones know MD5 alone.
static bool challenge_taken(const struct phone *phone, struct str value, enum digest_algorithm *algorithm)
{
	const bool modern = phone->index % 3 == 0;
	if (!str_starts_nocase(value, STR("Digest ")))
		return false;
	const struct str name = challenge_part(str_from(value, 7), "algorithm");
	if (str_equal_nocase(name, STR("SHA-256"))) {
		*algorithm = DIGEST_SHA256;
		return modern;
	}
	*algorithm = DIGEST_MD5;
	return str_empty(name) || str_equal_nocase(name, STR("MD5"));
}

bool phone_write_credentials(struct phone *phone, struct writer *w, const struct sip_message *response,
			     const char *method, const char *uri)
{
	const bool proxy = response->status == 407;
	const enum sip_header_name name = proxy ? SIP_HEADER_PROXY_AUTHENTICATE : SIP_HEADER_WWW_AUTHENTICATE;
	// A challenge holds commas of its own, so each stands on a line of its own.
	for (const struct sip_header *header = sip_header_first(response, name); header;
	     header = sip_header_next(response, header)) {
		struct digest_parts parts = {.username = str_of(phone->number), .password = str_of(phone->password)};
		char nc[16], cnonce[PHONE_TOKEN_SIZE], hex[DIGEST_HEX_MAX];
		if (!challenge_taken(phone, header->value, &parts.algorithm))
			continue;
		const struct str parameters = str_from(header->value, 7);
		parts.realm = challenge_part(parameters, "realm");
		parts.nonce = challenge_part(parameters, "nonce");
		parts.method = str_of(method);
		parts.uri = str_of(uri);
		phone_token(phone, "", cnonce, sizeof cnonce);
		parts.cnonce = str_of(cnonce);
		struct writer count = writer_into(nc, sizeof nc);
		writer_format(&count, "%08x", 1);
		parts.nc = writer_result(&count);
		const struct str answer = digest_response(&parts, hex);
		const struct str opaque = challenge_part(parameters, "opaque");
		writer_format(w, "%s: Digest username=\"%s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%s\", ",
			      proxy ? "Proxy-Authorization" : "Authorization", phone->number, STR_ARG(parts.realm),
			      STR_ARG(parts.nonce), uri);
		writer_format(w, "response=\"%.*s\", cnonce=\"%s\", nc=%.*s, qop=auth, algorithm=%s", STR_ARG(answer),
			      cnonce, STR_ARG(parts.nc), parts.algorithm == DIGEST_SHA256 ? "SHA-256" : "MD5");
		if (!str_empty(opaque))
			writer_format(w, ", opaque=\"%.*s\"", STR_ARG(opaque));
		writer_text(w, "\r\n");
		return true;
	}
	phone_complain(phone, NULL, "a %u without a challenge that can be answered", response->status);
	return false;
}

bool phone_credentials_are_right(struct phone *phone, const struct sip_message *request)
{
	const struct str value = sip_header_value(request, SIP_HEADER_PROXY_AUTHORIZATION);
	char hex[DIGEST_HEX_MAX];
	if (!str_starts_nocase(value, STR("Digest ")))
		return false;
	const struct str given = str_from(value, 7);
	const struct digest_parts parts = {
	    .algorithm = DIGEST_MD5,
	    .username = challenge_part(given, "username"),
	    .realm = STR("carrier"),
	    .password = str_of(phone->password),
	    .nonce = challenge_part(given, "nonce"),
	    .nc = challenge_part(given, "nc"),
	    .cnonce = challenge_part(given, "cnonce"),
	    .method = request->method_text,
	    .uri = challenge_part(given, "uri"),
	};
	if (!str_equal(parts.username, str_of(phone->number)) ||
	    !str_equal(challenge_part(given, "response"), digest_response(&parts, hex))) {
		phone_complain(phone, NULL, "credentials that do not answer the carrier's challenge");
		return false;
	}
	if (!str_equal(parts.uri, request->request_uri))
		phone_complain(phone, NULL, "credentials for another URI than the request's");
	return true;
}

#include "media/fake_relay.h"

#include "lib/cmocka.h"

#include <stdio.h>
#include <string.h>

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static void note(struct fake_relay *relay, const json_t *command)
{
	size_t used = strlen(relay->transcript);

	snprintf(relay->transcript + used, sizeof relay->transcript - used, "%s%s%s%s%s%s%s\n",
		 text(command, "command"), *text(command, "from-tag") ? " " : "", text(command, "from-tag"),
		 *text(command, "to-tag") ? " " : "", text(command, "to-tag"), *text(command, "file") ? " " : "",
		 text(command, "file"));
	relay->commands++;
	json_decref(relay->last);
	relay->last = json_deep_copy(command);
}

static int call_index(const struct fake_relay *relay, const char *id)
{
	for (unsigned i = 0; i < relay->sessions; i++)
		if (strcmp(relay->calls[i], id) == 0)
			return (int)i;
	return -1;
}

static bool seen_before(struct fake_relay *relay, const char *cookie)
{
	for (unsigned i = 0; i < relay->cookie_count; i++)
		if (strncmp(relay->cookies[i], cookie, 16) == 0)
			return true;
	if (relay->cookie_count == 64)
		relay->cookie_count = 0;
	snprintf(relay->cookies[relay->cookie_count++], 17, "%.16s", cookie);
	return false;
}

static void described(struct fake_relay *relay, const json_t *command, char *answer, size_t size)
{
	bool is_offer = strcmp(text(command, "command"), "offer") == 0;
	int index = call_index(relay, text(command, "call-id"));

	if (!is_offer && index < 0) {
		snprintf(answer, size, "{\"result\":\"error\",\"error-reason\":\"Unknown call-id\"}");
		return;
	}
	if (index < 0)
		snprintf(relay->calls[relay->sessions++], sizeof relay->calls[0], "%s", text(command, "call-id"));
	snprintf(answer, size,
		 "{\"result\":\"ok\",\"sdp\":\"v=0\\r\\no=- 1 1 IN IP4 10.0.9.9\\r\\ns=%s for %s\\r\\nc=IN IP4 "
		 "10.0.9.9\\r\\nt=0 "
		 "0\\r\\nm=audio 30000 RTP/AVP 8\\r\\n\"}",
		 text(command, "command"), text(command, is_offer ? "to-tag" : "from-tag"));
}

static void carry_out(struct fake_relay *relay, const json_t *command, char *answer, size_t size)
{
	const char *name = text(command, "command");

	snprintf(answer, size, "{\"result\":\"ok\"}");
	if (relay->refuses && strcmp(relay->refuses, name) == 0) {
		snprintf(answer, size, "{\"result\":\"error\",\"error-reason\":\"told to\"}");
	} else if (strcmp(name, "ping") == 0) {
		snprintf(answer, size, "{\"result\":\"pong\"}");
	} else if (strcmp(name, "statistics") == 0) {
		snprintf(answer, size, "{\"result\":\"ok\",\"statistics\":{\"totalstatistics\":{\"uptime\":\"%llu\"}}}",
			 (unsigned long long)(loop_now_ms(relay->loop) - relay->started_ms) / 1000);
	} else if (strcmp(name, "offer") == 0 || strcmp(name, "answer") == 0) {
		described(relay, command, answer, size);
	} else if (strcmp(name, "play media") == 0 && relay->duration_ms) {
		snprintf(answer, size, "{\"result\":\"ok\",\"duration\":%llu}", (unsigned long long)relay->duration_ms);
	} else if (strcmp(name, "delete") == 0) {
		int index = call_index(relay, text(command, "call-id"));
		if (index >= 0)
			memcpy(relay->calls[index], relay->calls[--relay->sessions], sizeof relay->calls[0]);
		snprintf(answer, size, "{\"result\":\"ok\"%s%s}", relay->deleted ? "," : "",
			 relay->deleted ? relay->deleted : "");
	}
}

static void received(void *context, const struct net_address *from, char *bytes, size_t size)
{
	struct fake_relay *relay = context;
	char answer[4096] = "";

	relay->datagrams++;
	assert_true(size > 17 && bytes[16] == ' ');
	json_t *command = json_loadb(bytes + 17, size - 17, 0, NULL);
	assert_non_null(command);
	bool check =
	    strcmp(text(command, "command"), "ping") == 0 || strcmp(text(command, "command"), "statistics") == 0;
	if (!relay->silent && (check || !relay->deaf_to_calls)) {
		memcpy(answer, bytes, 17);
		carry_out(relay, command, answer + 17, sizeof answer - 17);
	}
	if (!check && !seen_before(relay, bytes))
		note(relay, command);
	if (answer[0])
		udp_send(relay->socket, from, str_of(answer), NULL);
	json_decref(command);
}

void fake_relay_open(struct fake_relay *relay, struct loop *loop, const char *address)
{
	*relay = (struct fake_relay){.loop = loop, .started_ms = loop_now_ms(loop)};
	assert_true(net_address_parse_with_port(str_of(address), 0, &relay->address));
	assert_int_equal(udp_open(loop, &relay->address, received, relay, &relay->socket), 0);
}

void fake_relay_close(struct fake_relay *relay)
{
	udp_close(relay->socket);
	json_decref(relay->last);
}

void fake_relay_restart(struct fake_relay *relay)
{
	relay->sessions = 0;
	relay->started_ms = loop_now_ms(relay->loop);
}

const char *fake_relay_told(struct fake_relay *relay)
{
	static char told[sizeof relay->transcript];

	memcpy(told, relay->transcript, sizeof told);
	relay->transcript[0] = '\0';
	return told;
}

void fake_relay_key(struct fake_relay *relay, const struct net_address *to, const char *call_id, const char *tag,
		    unsigned event)
{
	char datagram[512];

	snprintf(datagram, sizeof datagram,
		 "{\"callid\":\"%s\",\"source_tag\":\"%s\",\"tags\":[],\"type\":\"DTMF\",\"timestamp\":1,\"event\":%u}",
		 call_id, tag, event);
	udp_send(relay->socket, to, str_of(datagram), NULL);
}

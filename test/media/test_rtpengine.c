// The adapter against relays that answer as told, in the simulated world: what they are asked, what the domain is told, and
// what becomes of it all when datagrams are lost, relays die, and legs end in between.
#include "media/rtpengine.h"

#include "base/hash.h"
#include "base/log.h"
#include "domain/signalling.h"
#include "lib/cmocka.h"
#include "media/fake_relay.h"
#include "sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct loop *loop;
static struct fake_relay first, second;
static struct rtpengine *rtpengine;
static struct media media;
static char story[8192]; // what the domain was told
static char last_body[2048];
static uint64_t release_on_translated; // this leg

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
	size_t used = strlen(story);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(story + used, sizeof story - used, format, arguments);
	va_end(arguments);
}

static const char *told(void)
{
	static char copy[sizeof story];

	memcpy(copy, story, sizeof copy);
	story[0] = '\0';
	return copy;
}

static void translated(void *context, uint64_t token, const struct body *body)
{
	(void)context;
	assert_true(str_equal(body->type, STR("application/sdp")));
	str_to_cstring(body->bytes, last_body, sizeof last_body);
	const char *name = strstr(last_body, "s=");
	assert_non_null(name);
	tell("%u: %.*s\n", (unsigned)token, (int)strcspn(name + 2, "\r"), name + 2);
	if (release_on_translated)
		media.release(media.context, release_on_translated);
}

static void failed(void *context, uint64_t token)
{
	(void)context;
	tell("%u failed\n", (unsigned)token);
}

static void prompt_over(void *context, uint64_t leg)
{
	(void)context;
	tell("prompt over for %u\n", (unsigned)leg);
}

static void key_pressed(void *context, uint64_t leg, char key)
{
	(void)context;
	tell("%u pressed %c\n", (unsigned)leg, key);
}

static void lost(void *context, uint64_t leg)
{
	(void)context;
	tell("%u lost\n", (unsigned)leg);
}

static void quality(void *context, const struct media_quality *of)
{
	(void)context;
	tell("%.*s leg %u on %.*s: %.*s %u packets, %u lost, %u ms, MOS %u\n", STR_ARG(of->record), of->number,
	     STR_ARG(of->relay), STR_ARG(of->codec), (unsigned)of->packets, (unsigned)of->lost, of->jitter_ms,
	     of->mos_hundred);
}

static struct {
	uint64_t leg, sequence;
	char path[64];
} ordered;

static enum err prompt_order(void *context, const struct media_prompt *prompt, uint64_t leg, uint64_t sequence)
{
	(void)context;
	ordered.leg = leg;
	ordered.sequence = sequence;
	snprintf(ordered.path, sizeof ordered.path, "/prompts/%s.wav", prompt_names[prompt->prompt]);
	return ERR_NONE;
}

static struct net_address address(const char *text)
{
	struct net_address made;

	assert_true(net_address_parse_with_port(str_of(text), 0, &made));
	return made;
}

static void begin(size_t relays)
{
	struct rtpengine_options options = {
	    .loop = loop,
	    .relays = {{STR("one"), first.address, 1}, {STR("two"), second.address, 3}},
	    .relay_count = relays,
	    .local = address("10.0.0.1:0"),
	    .dtmf_listen = address("10.0.0.1:2226"),
	    .prompt_order = prompt_order,
	};

	rtpengine = rtpengine_create(
	    &options, &(struct media_sink){NULL, translated, failed, prompt_over, key_pressed, lost, quality});
	assert_non_null(rtpengine);
	media = rtpengine_media(rtpengine);
	assert_false(media.available(media.context)); // nobody has answered yet
	sim_run_for(loop, 100);
	assert_true(media.available(media.context));
}

static void no_log(struct str line, void *context)
{
	(void)line;
	(void)context;
}

static int start(void **state)
{
	(void)state;
	hash_set_secret((const uint8_t *)"0123456789abcdef");
	loop = sim_create(7);
	assert_non_null(loop);
	story[0] = '\0';
	release_on_translated = 0;
	log_capture(no_log, NULL);
	fake_relay_open(&first, loop, "10.0.1.1:2223");
	fake_relay_open(&second, loop, "10.0.1.2:2223");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rtpengine_destroy(rtpengine);
	rtpengine = NULL;
	fake_relay_close(&first);
	fake_relay_close(&second);
	loop_destroy(loop);
	log_capture(NULL, NULL);
	return 0;
}

#define SDP "v=0\r\no=- 1 1 IN IP4 10.0.2.1\r\ns=-\r\nc=IN IP4 10.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
enum way { OFFER, ANSWER };

static enum err translate(uint64_t token, uint64_t from, uint64_t to, enum way way)
{
	const struct body body = {.type = STR("application/sdp"), .bytes = STR(SDP)};

	return media.translate(media.context, &(struct media_exchange){
						  .token = token,
						  .record = STR("01HRECORD"),
						  .from = {.leg = from, .number = (unsigned)from - 1},
						  .to = {.leg = to, .number = (unsigned)to - 1},
						  .is_answer = way == ANSWER,
						  .body = &body,
					      });
}

static void exchange(uint64_t token, uint64_t from, uint64_t to, enum way way)
{
	assert_int_equal(translate(token, from, to, way), ERR_NONE);
	sim_run_for(loop, 10);
}

static void talk(uint64_t caller, uint64_t callee)
{
	exchange(1, caller, callee, OFFER);
	exchange(2, callee, caller, ANSWER);
	told();
	fake_relay_told(&first);
	fake_relay_told(&second);
}

static void let_go(uint64_t leg)
{
	media.release(media.context, leg);
	sim_run_for(loop, 10);
}

static enum err order(uint64_t leg, enum prompt prompt)
{
	return media.play(media.context, leg, &(struct media_prompt){.prompt = prompt, .language = STR("en")});
}

static void ready(void)
{
	rtpengine_prompt_ready(rtpengine, ordered.leg, ordered.sequence, ordered.path, 700);
}

static enum err play(uint64_t leg, enum prompt prompt)
{
	enum err err = order(leg, prompt);

	if (!err)
		ready();
	return err;
}

// ---- exchanges

static void offer_and_answer_go_through_the_relay(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(translate(1, 1, 2, OFFER), ERR_NONE);
	assert_string_equal(told(), ""); // never before it returns
	sim_run_for(loop, 10);
	assert_string_equal(told(), "1: offer for l2\n");
	exchange(2, 2, 1, ANSWER);
	assert_string_equal(told(), "2: answer for l1\n");
	assert_string_equal(fake_relay_told(&first), "offer l1 l2\nanswer l1 l2\n");
	// The callee asks for something else: he is the one who offers now.
	exchange(3, 2, 1, OFFER);
	exchange(4, 1, 2, ANSWER);
	assert_string_equal(told(), "3: offer for l1\n4: answer for l2\n");
	assert_string_equal(fake_relay_told(&first), "offer l2 l1\nanswer l2 l1\n");
	assert_int_equal(first.sessions, 1);
}

static void release_frees_the_ports_at_once(void **state)
{
	(void)state;
	begin(1);
	talk(1, 2);
	media.release(media.context, 2);
	sim_run_for(loop, 3);
	assert_int_equal(first.sessions, 0);
	assert_string_equal(fake_relay_told(&first), "delete l1\n");
	let_go(1);
	let_go(99); // never seen
	assert_string_equal(fake_relay_told(&first), "");
	sim_run_for(loop, 6000);
	struct media_relay_state states[MEDIA_RELAYS_MAX];
	assert_int_equal(rtpengine_status(rtpengine, states), 1);
	assert_int_equal(states[0].sessions, 0);
}

static void losers_of_a_fork_end_and_the_winner_goes_on(void **state)
{
	(void)state;
	begin(1);
	exchange(1, 1, 2, OFFER);
	exchange(2, 1, 3, OFFER);
	exchange(3, 1, 4, OFFER);
	exchange(4, 3, 1, ANSWER); // early media
	exchange(5, 2, 1, ANSWER);
	assert_int_equal(first.sessions, 3);
	let_go(3);
	let_go(4);
	assert_int_equal(first.sessions, 1);
	told();
	fake_relay_told(&first);
	exchange(6, 1, 2, OFFER);
	assert_string_equal(told(), "6: offer for l2\n");
}

static void release_within_an_exchange(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(translate(1, 1, 2, OFFER), ERR_NONE);
	media.release(media.context, 2);
	sim_run_for(loop, 20);
	assert_string_equal(told(), ""); // nothing is told of it any more
	assert_string_equal(fake_relay_told(&first), "offer l1 l2\ndelete l1\n");
	assert_int_equal(first.sessions, 0);
	release_on_translated = 4; // out of the telling
	exchange(2, 1, 4, OFFER);
	assert_string_equal(told(), "2: offer for l4\n");
	assert_int_equal(first.sessions, 0);
}

static void lost_datagrams_are_sent_again(void **state)
{
	(void)state;
	begin(1);
	sim_set_network(loop, &(struct sim_network){.loss_permille = 150, .delay_min_ms = 1, .delay_max_ms = 1});
	for (uint64_t i = 0; i < 60; i++) {
		assert_int_equal(translate(i, 1, 2 + i, OFFER), ERR_NONE);
		sim_run_for(loop, 1600);
		assert_non_null(strstr(told(), ": offer for l"));
	}
	struct media_relay_state states[MEDIA_RELAYS_MAX];
	rtpengine_status(rtpengine, states);
	assert_true(states[0].retransmissions > 10);
}

static void silence_is_a_failure_within_five_seconds(void **state)
{
	(void)state;
	begin(1);
	first.deaf_to_calls = true;
	assert_int_equal(translate(1, 1, 2, OFFER), ERR_NONE);
	unsigned before = first.datagrams;
	sim_run_for(loop, 3200);
	assert_in_range(first.datagrams - before, 6, 6 + 5); // at 0, 100, 300, 700, 1500, 3100 ms, and checks
	assert_string_equal(told(), "");
	sim_run_for(loop, 1799);
	assert_string_equal(told(), "1 failed\n");
	struct media_relay_state states[MEDIA_RELAYS_MAX];
	rtpengine_status(rtpengine, states);
	assert_int_equal(states[0].timeouts, 1);
	assert_true(states[0].up); // it answers checks
}

static void answers_of_strangers_do_not_count(void **state)
{
	struct udp_socket *stranger;
	(void)state;
	begin(1);
	struct net_address from = address("10.0.1.3:2223"), to = address("10.0.0.1:10000");
	assert_int_equal(udp_open(loop, &from, NULL, NULL, &stranger), 0);
	first.deaf_to_calls = true;
	assert_int_equal(translate(1, 1, 2, OFFER), ERR_NONE);
	for (uint16_t port = 1024; port < 60000; port += 1) {
		to.port = port;
		udp_send(stranger, &to, STR("0000000000000000 {\"result\":\"ok\",\"sdp\":\"v=0\"}"), NULL);
	}
	sim_run_for(loop, 100);
	assert_string_equal(told(), "");
	udp_close(stranger);
}

static void what_the_relay_refuses_fails(void **state)
{
	(void)state;
	begin(1);
	first.refuses = "offer";
	exchange(1, 1, 2, OFFER);
	assert_string_equal(told(), "1 failed\n");
	first.refuses = NULL;
	exchange(2, 1, 2, OFFER);
	assert_string_equal(told(), "2: offer for l2\n");
}

static void what_is_no_description_is_refused(void **state)
{
	(void)state;
	begin(1);
	struct body body = {.type = STR("application/sdp"), .bytes = STR("hello")};
	struct media_exchange exchange = {.record = STR("r"), .from = {.leg = 1}, .to = {.leg = 2}, .body = &body};
	assert_int_equal(media.translate(media.context, &exchange), ERR_NOT_ACCEPTABLE);
	body = (struct body){.type = STR("text/plain"), .bytes = STR(SDP)};
	assert_int_equal(media.translate(media.context, &exchange), ERR_NOT_ACCEPTABLE);
	body.type = STR("application/sdp");
	exchange.from.kind = MEDIA_TEAMS; // in the clear
	assert_int_equal(media.translate(media.context, &exchange), ERR_NOT_ACCEPTABLE);
	exchange.from.kind = MEDIA_BROWSER;
	assert_int_equal(media.translate(media.context, &exchange), ERR_NOT_ACCEPTABLE);
	assert_int_equal(translate(1, 1, 2, ANSWER), ERR_NO_MEDIA_RELAY); // to no offer
	assert_string_equal(fake_relay_told(&first), "");
}

static const char *asked(const char *key)
{
	const char *text = json_string_value(json_object_get(first.last, key));

	return text ? text : "";
}

static bool asked_among(const char *key, const char *wanted)
{
	const json_t *list = json_object_get(first.last, key), *value;
	size_t index;

	json_array_foreach(list, index, value) if (strcmp(json_string_value(value), wanted) == 0) return true;
	return false;
}

static void offer_to(enum media_kind kind, uint64_t leg)
{
	const struct body body = {.type = STR("application/sdp"), .bytes = STR(SDP)};

	assert_int_equal(media.translate(media.context, &(struct media_exchange){.record = STR("r"),
										 .from = {.leg = 1},
										 .to = {.leg = leg, .kind = kind},
										 .body = &body}),
			 ERR_NONE);
	sim_run_for(loop, 10);
}

static void each_kind_is_offered_what_it_can_carry(void **state)
{
	(void)state;
	begin(1);
	offer_to(MEDIA_PLAIN, 2);
	assert_string_equal(asked("transport-protocol"), "RTP/AVP");
	assert_string_equal(asked("ICE"), "remove");
	assert_string_equal(asked("DTLS"), "off");
	assert_true(asked_among("SDES", "off") && asked_among("rtcp-mux", "demux"));
	assert_true(asked_among("flags", "strict-source") && asked_among("flags", "endpoint-learning-off"));
	assert_true(asked_among("replace", "origin") && asked_among("replace", "session-connection"));
	offer_to(MEDIA_BROWSER, 3);
	assert_string_equal(asked("transport-protocol"), "UDP/TLS/RTP/SAVPF");
	assert_string_equal(asked("ICE"), "force");
	assert_string_equal(asked("DTLS"), ""); // a role that is forced races with the relay's own
	assert_true(asked_among("SDES", "off") && asked_among("rtcp-mux", "require"));
	assert_true(asked_among("flags", "generate-mid"));
	offer_to(MEDIA_TEAMS, 4);
	assert_string_equal(asked("transport-protocol"), "RTP/SAVP");
	assert_string_equal(asked("ICE"), "remove");
	assert_string_equal(asked("DTLS"), "off");
	assert_true(asked_among("SDES", "no-NULL_HMAC_SHA1_80") && asked_among("SDES", "no-AES_CM_128_HMAC_SHA1_32"));
	assert_false(asked_among("SDES", "off") || asked_among("SDES", "no-AES_CM_128_HMAC_SHA1_80"));
}

static void a_browser_sees_another_fingerprint_with_another_partner(void **state)
{
	const struct body body = {.type = STR("application/sdp"), .bytes = STR(SDP)};
	static const uint64_t partners[] = {1, 1, 2, 4};
	static const char *const fingerprints[] = {"sha-256", "sha-256", "sha-512", "sha-256"};

	(void)state;
	begin(1);
	for (unsigned i = 0; i < sizeof partners / sizeof *partners; i++) {
		const struct media_exchange exchange = {.record = STR("r"),
							.from = {.leg = partners[i]},
							.to = {.leg = 3, .kind = MEDIA_BROWSER},
							.body = &body};
		assert_int_equal(media.translate(media.context, &exchange), ERR_NONE);
		sim_run_for(loop, 10);
		assert_string_equal(asked("DTLS-fingerprint"), fingerprints[i]);
	}
	offer_to(MEDIA_PLAIN, 5);
	assert_string_equal(asked("DTLS-fingerprint"), "");
}

static void behind_a_nat_is_learned_once(void **state)
{
	(void)state;
	begin(1);
	const struct body body = {.type = STR("application/sdp"), .bytes = STR(SDP)};
	struct media_exchange hidden = {
	    .record = STR("r"), .from = {.leg = 1, .behind_nat = true}, .to = {.leg = 2}, .body = &body};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(media.translate(media.context, &hidden), ERR_NONE);
		sim_run_for(loop, 10);
		assert_true(asked_among("flags", "strict-source"));
		// The second time, still nobody has answered: nothing can have come.
		assert_true(asked_among("flags", i < 2 ? "endpoint-learning-immediate" : "asymmetric"));
		if (i == 1)
			exchange(9, 2, 1, ANSWER);
	}
	const struct body moved = {.type = STR("application/sdp"),
				   .bytes =
				       STR("v=0\r\no=- 1 1 IN IP4 10.0.2.1\r\ns=-\r\nc=IN IP4 10.0.2.1\r\nt=0 0\r\n"
					   "m=audio 4002 RTP/AVP 8\r\n")};
	hidden.body = &moved;
	assert_int_equal(media.translate(media.context, &hidden), ERR_NONE);
	sim_run_for(loop, 10);
	assert_true(asked_among("flags", "endpoint-learning-immediate"));
	// A second answer within one exchange, say 183 and 200, does not mean that packets have come.
	exchange(10, 1, 3, OFFER);
	hidden = (struct media_exchange){.record = STR("r"),
					 .from = {.leg = 3, .behind_nat = true},
					 .to = {.leg = 1},
					 .is_answer = true,
					 .body = &body};
	for (int i = 0; i < 2; i++) {
		assert_int_equal(media.translate(media.context, &hidden), ERR_NONE);
		sim_run_for(loop, 10);
		assert_true(asked_among("flags", "endpoint-learning-immediate"));
	}
}

static const struct net_address said_from = {.family = 4, .bytes = {192, 0, 2, 7}};

// What the relay is told of where they come from.
static void behind_a_nat_the_host_of_the_messages_goes_first(void **state)
{
	(void)state;
	begin(1);
	const struct body body = {.type = STR("application/sdp"), .bytes = STR(SDP)};
	struct media_exchange hidden = {.record = STR("r"),
					.from = {.leg = 1, .behind_nat = true, .heard_from = said_from},
					.to = {.leg = 2},
					.body = &body};
	for (int i = 0; i < 2; i++) {
		assert_int_equal(media.translate(media.context, &hidden), ERR_NONE);
		sim_run_for(loop, 10);
		assert_true(asked_among("flags", "strict-source") && asked_among("flags", "SIP-source-address"));
		assert_true(asked_among("received-from", "IP4") && asked_among("received-from", "192.0.2.7"));
		// The second time it is known from where they come.
		assert_true(asked_among("flags", i == 0 ? "endpoint-learning-heuristic" : "asymmetric"));
		exchange(9, 2, 1, ANSWER);
		assert_false(asked_among("flags", "SIP-source-address"));
		assert_false(asked_among("received-from", "192.0.2.7"));
	}
	// Of another family than the media: the relay has no way from one to the other.
	const struct body six = {.type = STR("application/sdp"),
				 .bytes = STR("v=0\r\no=- 1 1 IN IP6 fd00::1\r\ns=-\r\nc=IN IP6 fd00::1\r\nt=0 0\r\n"
					      "m=audio 4002 RTP/AVP 8\r\n")};
	hidden.body = &six;
	assert_int_equal(media.translate(media.context, &hidden), ERR_NONE);
	sim_run_for(loop, 10);
	assert_true(asked_among("flags", "endpoint-learning-immediate"));
	assert_false(asked_among("flags", "SIP-source-address"));
	// Not behind a NAT: the description says from where.
	hidden = (struct media_exchange){
	    .record = STR("q"), .from = {.leg = 5, .heard_from = said_from}, .to = {.leg = 6}, .body = &body};
	assert_int_equal(media.translate(media.context, &hidden), ERR_NONE);
	sim_run_for(loop, 10);
	assert_true(asked_among("flags", "endpoint-learning-off"));
	assert_false(asked_among("flags", "SIP-source-address"));
}

// ---- several relays

static void calls_are_spread_by_weight_and_stay(void **state)
{
	(void)state;
	begin(2);
	const struct body body = {.type = STR("application/sdp"), .bytes = STR(SDP)};
	for (unsigned i = 0; i < 24; i++) {
		char record[16];
		snprintf(record, sizeof record, "call%u", i);
		struct media_exchange exchange = {.token = i,
						  .record = str_of(record),
						  .from = {.leg = 100 + 10 * i},
						  .to = {.leg = 101 + 10 * i},
						  .body = &body};
		assert_int_equal(media.translate(media.context, &exchange), ERR_NONE);
		sim_run_for(loop, 5);
		unsigned had = first.sessions;
		exchange.to.leg++; // another callee of the same call
		unsigned both = first.sessions + second.sessions;
		assert_int_equal(media.translate(media.context, &exchange), ERR_NONE);
		sim_run_for(loop, 5);
		assert_int_equal(first.sessions + second.sessions, both + 1);
		assert_int_equal((first.sessions - had) % 1, 0);
		assert_int_equal(first.sessions % 2, 0); // both of a call on one relay
	}
	assert_in_range(first.sessions, 4, 20); // 12 of 48 by weight
	assert_int_equal(first.sessions + second.sessions, 48);
}

static void relay_that_dies_is_told_and_the_next_exchange_takes_another(void **state)
{
	struct media_relay_state states[MEDIA_RELAYS_MAX];
	(void)state;
	begin(2);
	talk(1, 2);
	struct fake_relay *dead = first.sessions ? &first : &second, *other = dead == &first ? &second : &first;
	sim_host_down(loop, &dead->address);
	sim_run_for(loop, 4000);
	assert_string_equal(told(), "1 lost\n2 lost\n");
	rtpengine_status(rtpengine, states);
	assert_false(states[dead == &first ? 0 : 1].up);
	assert_true(states[dead == &first ? 1 : 0].up);
	assert_int_equal(states[dead == &first ? 0 : 1].sessions, 0);
	assert_int_equal(translate(3, 2, 1, ANSWER), ERR_NO_MEDIA_RELAY); // to an offer that is gone
	exchange(4, 1, 2, OFFER);
	exchange(5, 2, 1, ANSWER);
	assert_string_equal(told(), "4: offer for l2\n5: answer for l1\n");
	assert_int_equal(other->sessions, 1);
	let_go(1);
	let_go(2);
	assert_int_equal(other->sessions, 0);
	// Two good answers make it whole again.
	sim_host_up(loop, &dead->address);
	sim_run_for(loop, 900);
	rtpengine_status(rtpengine, states);
	assert_false(states[dead == &first ? 0 : 1].up);
	sim_run_for(loop, 2500);
	rtpengine_status(rtpengine, states);
	assert_true(states[dead == &first ? 0 : 1].up);
}

static void first_offer_moves_when_its_relay_dies(void **state)
{
	(void)state;
	begin(2);
	talk(1, 2);
	struct fake_relay *dead = first.sessions ? &first : &second, *other = dead == &first ? &second : &first;
	sim_host_down(loop, &dead->address);
	assert_int_equal(translate(3, 1, 3, OFFER), ERR_NONE); // another callee, on the same relay, which has just died
	sim_run_for(loop, 4000);
	assert_string_equal(told(), "1 lost\n2 lost\n3: offer for l3\n");
	assert_string_equal(fake_relay_told(other), "offer l1 l3\n");
	exchange(4, 3, 1, ANSWER);
	assert_string_equal(told(), "4: answer for l1\n");
}

static void first_offer_moves_when_its_relay_is_full(void **state)
{
	(void)state;
	begin(2);
	first.refuses = "offer";
	for (uint64_t leg = 10; leg < 20; leg += 2)
		exchange(leg, leg, leg + 1, OFFER);
	assert_string_equal(told(),
			    "10: offer for l11\n12: offer for l13\n14: offer for l15\n16: offer for l17\n18: offer "
			    "for l19\n");
	assert_int_equal(second.sessions, 5);
}

static void relay_that_starts_anew_has_lost_its_calls(void **state)
{
	(void)state;
	begin(1);
	sim_run_for(loop, 20000);
	talk(1, 2);
	fake_relay_restart(&first);
	sim_run_for(loop, 2100);
	assert_string_equal(told(), "1 lost\n2 lost\n");
	exchange(3, 2, 1, OFFER);
	assert_string_equal(told(), "3: offer for l1\n");
	sim_run_for(loop, 10000);
	assert_string_equal(told(), "");
}

static void without_a_relay_nothing_is_begun(void **state)
{
	(void)state;
	begin(1);
	talk(1, 2);
	first.silent = true;
	assert_int_equal(translate(3, 2, 1, OFFER), ERR_NONE);
	sim_run_for(loop, 4000);
	assert_string_equal(told(), "3 failed\n1 lost\n2 lost\n");
	assert_false(media.available(media.context));
	assert_int_equal(translate(4, 1, 2, OFFER), ERR_NO_MEDIA_RELAY);
	let_go(1);
	let_go(2);
	first.silent = false;
	sim_run_for(loop, 4000);
	assert_true(media.available(media.context));
}

// ---- prompts and keys

static void prompt_is_said_and_its_end_is_told(void **state)
{
	(void)state;
	begin(1);
	talk(1, 2);
	first.duration_ms = 1200;
	assert_int_equal(play(2, PROMPT_CALL), ERR_NONE);
	sim_run_for(loop, 1195);
	assert_string_equal(fake_relay_told(&first),
			    "block media l1\nsilence media l2\nplay media l2 /prompts/call.wav\n");
	assert_string_equal(told(), "");
	sim_run_for(loop, 20);
	assert_string_equal(told(), "prompt over for 2\n");
	assert_string_equal(fake_relay_told(&first), "unblock media l1\nunsilence media l2\n");
	media.stop(media.context, 2); // nothing plays
	sim_run_for(loop, 10);
	assert_string_equal(fake_relay_told(&first), "");
	// The file's own length, where the relay does not say.
	first.duration_ms = 0;
	assert_int_equal(play(2, PROMPT_TAKEN), ERR_NONE);
	sim_run_for(loop, 690);
	assert_string_equal(told(), "");
	sim_run_for(loop, 30);
	assert_string_equal(told(), "prompt over for 2\n");
}

static void prompt_that_is_stopped_or_replaced_is_not_over(void **state)
{
	(void)state;
	begin(1);
	talk(1, 2);
	first.duration_ms = 1000;
	assert_int_equal(play(2, PROMPT_CALL), ERR_NONE);
	media.stop(media.context, 2); // before the relay has begun
	sim_run_for(loop, 3000);
	assert_string_equal(told(), "");
	assert_string_equal(fake_relay_told(&first),
			    "block media l1\nsilence media l2\nplay media l2 /prompts/call.wav\nstop media l2\nunblock "
			    "media l1\nunsilence media l2\n");
	assert_int_equal(play(2, PROMPT_CALL), ERR_NONE);
	sim_run_for(loop, 500);
	assert_int_equal(play(2, PROMPT_TAKEN), ERR_NONE);
	sim_run_for(loop, 900);
	assert_string_equal(told(), "");
	sim_run_for(loop, 150);
	assert_string_equal(told(), "prompt over for 2\n");
	assert_int_equal(play(2, PROMPT_CALL), ERR_NONE);
	sim_run_for(loop, 10);
	let_go(2);
	sim_run_for(loop, 3000);
	assert_string_equal(told(), "");
}

static void prompt_that_cannot_be_said_is_over(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(play(2, PROMPT_CALL), ERR_NO_MEDIA_RELAY); // it hears nobody yet
	talk(1, 2);
	first.refuses = "play media";
	assert_int_equal(play(2, PROMPT_CALL), ERR_NONE);
	sim_run_for(loop, 10);
	assert_string_equal(told(), "prompt over for 2\n");
	first.refuses = NULL;
	first.duration_ms = 1000;
	assert_int_equal(play(2, PROMPT_CALL), ERR_NONE);
	sim_run_for(loop, 10);
	media.release(media.context, 1); // the other side goes, and the pair with it
	assert_string_equal(told(), "");
	sim_run_for(loop, 10);
	assert_string_equal(told(), "prompt over for 2\n");
}

static void prompt_that_comes_too_late_is_not_said(void **state)
{
	(void)state;
	begin(1);
	talk(1, 2);
	assert_int_equal(order(2, PROMPT_CALL), ERR_NONE);
	media.stop(media.context, 2);
	ready();
	assert_int_equal(order(2, PROMPT_CALL), ERR_NONE);
	let_go(1);
	ready();
	sim_run_for(loop, 10);
	assert_string_equal(told(), "prompt over for 2\n");
	let_go(2);
	ready();
	sim_run_for(loop, 10);
	assert_string_equal(told(), "");
	assert_null(strstr(fake_relay_told(&first), "play"));
	talk(3, 4);
	assert_int_equal(order(4, PROMPT_CALL), ERR_NONE);
	rtpengine_prompt_ready(rtpengine, ordered.leg, ordered.sequence, NULL, 0);
	assert_string_equal(told(), "prompt over for 4\n");
}

static const char *call_id(const struct fake_relay *relay)
{
	return json_string_value(json_object_get(relay->last, "call-id"));
}

static void keys_are_heard_from_relays_alone(void **state)
{
	char id[160];
	(void)state;
	begin(1);
	exchange(1, 1, 2, OFFER);
	exchange(2, 2, 1, ANSWER);
	told();
	snprintf(id, sizeof id, "%s", call_id(&first));
	struct net_address to = rtpengine_dtmf_local(rtpengine);
	fake_relay_key(&first, &to, id, "l2", 1);
	fake_relay_key(&first, &to, id, "l2", 10);
	fake_relay_key(&first, &to, id, "l1", 15);
	sim_run_for(loop, 10);
	assert_string_equal(told(), "2 pressed 1\n2 pressed *\n1 pressed D\n");
	fake_relay_key(&first, &to, id, "l2", 16);    // a flash is no key
	fake_relay_key(&first, &to, id, "l3", 1);     // not of this pair
	fake_relay_key(&first, &to, id + 1, "l2", 1); // not of this server
	fake_relay_key(&second, &to, id, "l2", 1);    // no relay of ours
	udp_send(first.socket, &to, STR("{\"callid\":"), NULL);
	sim_run_for(loop, 10);
	assert_string_equal(told(), "");
	let_go(2);
	fake_relay_key(&first, &to, id, "l2", 1);
	sim_run_for(loop, 10);
	assert_string_equal(told(), "");
}

// ---- quality

static void quality_is_told_after_release(void **state)
{
	(void)state;
	begin(1);
	talk(1, 2);
	first.deleted =
	    "\"SSRC\":{\"11\":{\"cumulative loss\":3,\"average MOS\":{\"MOS\":43,\"jitter\":5}},"
	    "\"22\":{\"cumulative loss\":29,\"average MOS\":{\"MOS\":35,\"jitter\":20}}},"
	    "\"tags\":{\"l1\":{\"medias\":[{\"type\":\"audio\",\"codec\":\"PCMA/8000\",\"streams\":[{\"SSRC\":11,"
	    "\"stats\":{\"packets\":270}}]}]},"
	    "\"l2\":{\"medias\":[{\"type\":\"audio\",\"codec\":\"opus/48000/2\",\"streams\":[{\"SSRC\":22,\"stats\":{"
	    "\"packets\":300}}]}]}}";
	let_go(1);
	assert_string_equal(told(), "01HRECORD leg 0 on one: PCMA 270 packets, 29 lost, 20 ms, MOS 350\n");
	sim_run_for(loop, 10000);
	assert_string_equal(told(), "");
	let_go(2);
	assert_string_equal(told(), "01HRECORD leg 1 on one: opus 300 packets, 3 lost, 5 ms, MOS 430\n");
	first.deleted = "\"tags\":[1,2]";
	talk(3, 4);
	let_go(3);
	let_go(4);
	assert_string_equal(told(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	    TEST(offer_and_answer_go_through_the_relay),
	    TEST(release_frees_the_ports_at_once),
	    TEST(losers_of_a_fork_end_and_the_winner_goes_on),
	    TEST(release_within_an_exchange),
	    TEST(lost_datagrams_are_sent_again),
	    TEST(silence_is_a_failure_within_five_seconds),
	    TEST(answers_of_strangers_do_not_count),
	    TEST(what_the_relay_refuses_fails),
	    TEST(what_is_no_description_is_refused),
	    TEST(each_kind_is_offered_what_it_can_carry),
	    TEST(a_browser_sees_another_fingerprint_with_another_partner),
	    TEST(behind_a_nat_is_learned_once),
	    TEST(behind_a_nat_the_host_of_the_messages_goes_first),
	    TEST(calls_are_spread_by_weight_and_stay),
	    TEST(relay_that_dies_is_told_and_the_next_exchange_takes_another),
	    TEST(first_offer_moves_when_its_relay_dies),
	    TEST(first_offer_moves_when_its_relay_is_full),
	    TEST(relay_that_starts_anew_has_lost_its_calls),
	    TEST(without_a_relay_nothing_is_begun),
	    TEST(prompt_is_said_and_its_end_is_told),
	    TEST(prompt_that_is_stopped_or_replaced_is_not_over),
	    TEST(prompt_that_cannot_be_said_is_over),
	    TEST(prompt_that_comes_too_late_is_not_said),
	    TEST(keys_are_heard_from_relays_alone),
	    TEST(quality_is_told_after_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

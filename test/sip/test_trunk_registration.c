// A trunk that registers at its carrier: the bytes of each REGISTER, and when it comes.
#include "sip/legs.h"

#include "base/digest.h"
#include "sip/trunk_registration.h"

#include <stdio.h>
#include <string.h>

// The second server of the carrier; `carrier` of the stage is the first.
static struct peer second;
static struct trunk *trunk; // as it was put last
static void put(void)
{
	assert_int_equal(directory_put(rig->directory, &trunk->entity), ERR_NONE);
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
}

static struct trunk *registering(uint64_t id, const char *host, const char *username)
{
	struct trunk *made = (struct trunk *)entity_new(ENTITY_TRUNK, &rig->arena);
	made->entity.id = id;
	made->title = STR("Carrier");
	made->host = str_of(host);
	made->username = str_of(username);
	made->password = STR("trunk-secret");
	made->registers = true;
	made->options_interval_s = 0; // which have a test of their own
	return made;
}

static void put_registering(const char *host)
{
	trunk = registering(rig->trunk, host, "carillon");
	put();
}

static int start(void **state)
{
	legs_start(state);
	peer_open(&second, rig, "10.0.1.2", 5060);
	return 0;
}

static int stop(void **state)
{
	peer_close(&second);
	return legs_stop(state);
}

static struct trunk_registration_state now(void)
{
	struct trunk_state state;
	sip_endpoint_trunk_state(rig->endpoint, rig->trunk, &state);
	return state.registration;
}

static void is(enum trunk_registration_status status, const char *sentence)
{
	struct trunk_registration_state state = now();
	assert_string_equal(trunk_registration_status_names[state.status], trunk_registration_status_names[status]);
	assert_string_equal(state.sentence, sentence);
}

static int64_t in_s(int64_t wall_ms)
{
	return wall_ms ? (wall_ms - (int64_t)loop_time_ms(rig->loop)) / 1000 : 0;
}

// The next REGISTER that the peer gets; gives it, and in *after_ms how long it took to come.
static const char *register_within(struct peer *peer, uint64_t most_ms, uint64_t *after_ms)
{
	uint64_t begun = loop_now_ms(rig->loop);
	for (;;) {
		if (peer->read == peer->count)
			peer->read = peer->count = 0; // there is room for so many only
		while (peer->read == peer->count && loop_now_ms(rig->loop) < begun + most_ms)
			sim_run_for(rig->loop, 10);
		const char *got = peer_next(peer);
		if (after_ms)
			*after_ms = loop_now_ms(rig->loop) - begun;
		if (strcmp(got, "\n\n") != 0) // keeps the NATs on the way open
			return got;
	}
}

static const char *next_register(struct peer *peer)
{
	const char *got = register_within(peer, 300, NULL);
	assert_starts(got, "REGISTER ");
	return got;
}

static const char *nothing_for(struct peer *peer, uint64_t duration_ms)
{
	uint64_t end = loop_now_ms(rig->loop) + duration_ms;
	while (loop_now_ms(rig->loop) < end) {
		sim_run_for(rig->loop, 10);
		while (peer->read < peer->count) {
			const char *got = peer->got[peer->read++];
			if (strcmp(got, "\n\n") != 0)
				fail_msg("this came: %s", got);
		}
	}
	return "";
}

static const char *contact_of(const char *request)
{
	return header_of(rig, request, "Contact");
}

static void accept_for(struct peer *peer, const char *request, unsigned seconds)
{
	respond(peer, request, "200 OK", "r",
		text_of(rig, "Contact: %s;expires=%u\nContent-Length: 0\n\n", contact_of(request), seconds));
}

static const char challenge[] =
    "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"one\", qop=\"auth\", algorithm=MD5\nContent-Length: 0\n\n";

static const char *parameter_of(const char *line, const char *name)
{
	const char *at = strstr(line, text_of(rig, "%s=", name));
	assert_non_null(at);
	at += strlen(name) + 1;
	return *at == '"' ? text_of(rig, "%.*s", (int)strcspn(at + 1, "\""), at + 1)
			  : text_of(rig, "%.*s", (int)strcspn(at, ", \n"), at);
}

// The credentials in the header answer this nonce with the trunk's password, by RFC 7616 section 3.4.1.
static void answers(const char *request, const char *header, const char *nonce, enum digest_algorithm algorithm)
{
	char hex[3][DIGEST_HEX_MAX];
	const char *line = header_of(rig, request, header);
	assert_starts(line, "Digest ");
	assert_string_equal(parameter_of(line, "username"), "carillon");
	assert_string_equal(parameter_of(line, "nonce"), nonce);
	assert_string_equal(parameter_of(line, "qop"), "auth");
	const struct str secret[] = {STR("carillon"), str_of(parameter_of(line, "realm")), STR("trunk-secret")};
	const struct str asked[] = {STR("REGISTER"), str_of(parameter_of(line, "uri"))};
	const struct str all[] = {digest_joined_hex(algorithm, secret, 3, hex[0]),
				  str_of(nonce),
				  str_of(parameter_of(line, "nc")),
				  str_of(parameter_of(line, "cnonce")),
				  STR("auth"),
				  digest_joined_hex(algorithm, asked, 2, hex[1])};
	struct str right = digest_joined_hex(algorithm, all, 6, hex[2]);
	assert_string_equal(parameter_of(line, "response"), text_of(rig, "%.*s", STR_ARG(right)));
}

// ---- asking

static void a_register_and_its_bytes(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	is(TRUNK_REGISTERING, "10.0.1.1 is asked to register carillon.");
	const char *request = next_register(&carrier);
	assert_string_equal(masked(rig, request), "REGISTER sip:10.0.1.1 SIP/2.0\n"
						  "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
						  "Max-Forwards: 70\n"
						  "From: <sip:carillon@10.0.1.1>;tag=TAG\n"
						  "To: <sip:carillon@10.0.1.1>\n"
						  "Call-ID: CALLID\n"
						  "CSeq: 1 REGISTER\n"
						  "Contact: <sip:carillon@10.0.0.1:5060;line=trunk-3>\n"
						  "Expires: 600\n"
						  "Supported: path\n" AGENT "Content-Length: 0\n\n");
	accept_for(&carrier, request, 600);
	is(TRUNK_REGISTERED, "Registered at 10.0.1.1:5060 (udp) for 600 seconds.");
	assert_int_equal(in_s(now().registered_until), 599);
	assert_in_range(in_s(now().next_try_at), 374, 450);
	assert_int_equal(now().last_status, 200);
}

static void a_name_with_a_port_and_a_user_of_its_own(void **state)
{
	(void)state;
	sim_dns_add(rig->loop, "sip.carrier.example 600 A 10.0.1.2");
	trunk = registering(rig->trunk, "sip.carrier.example", "carillon");
	trunk->port = 5060;
	trunk->registration_user = STR("+441632960000");
	trunk->registration_expires_s = 120;
	put();
	const char *request = next_register(&second);
	assert_starts(request, "REGISTER sip:sip.carrier.example:5060 SIP/2.0\n");
	assert_has(request, "\nTo: <sip:+441632960000@sip.carrier.example>\n");
	assert_string_equal(contact_of(request), "<sip:+441632960000@10.0.0.1:5060;line=trunk-3>");
	assert_has(request, "\nExpires: 120\n");
}

static void it_is_refreshed_with_the_same_call_id_before_its_time_is_over(void **state)
{
	uint64_t after_ms;
	(void)state;
	put_registering("10.0.1.1");
	const char *first = next_register(&carrier);
	accept_for(&carrier, first, 60); // it grants less than was asked for
	for (int i = 2; i < 6; i++) {
		const char *again = register_within(&carrier, 60000, &after_ms);
		assert_in_range(after_ms, 37000, 45100);
		assert_string_equal(header_of(rig, again, "Call-ID"), header_of(rig, first, "Call-ID"));
		assert_string_equal(header_of(rig, again, "From"), header_of(rig, first, "From"));
		assert_string_equal(header_of(rig, again, "CSeq"), text_of(rig, "%d REGISTER", i));
		accept_for(&carrier, again, 60);
	}
	is(TRUNK_REGISTERED, "Registered at 10.0.1.1:5060 (udp) for 60 seconds.");
}

static void our_own_binding_counts_not_those_of_others(void **state)
{
	static const struct {
		const char *lines;
		unsigned granted_s; // 0: it is none
	} answers_given[] = {
	    {"Contact: <sip:carillon@10.9.9.1>;expires=50, <sip:carillon@10.0.0.1:5060;line=trunk-3>;expires=300\n",
	     300},
	    {"Contact: <sip:carillon@10.0.0.1:5060>;expires=300\nContact: <sip:carillon@10.9.9.1>;expires=9\n", 300},
	    // Another server of the same kind at the same address-of-record.
	    {"Contact: <sip:carillon@10.9.9.1;line=trunk-4>;expires=50, "
	     "<sip:carillon@192.0.2.1:1;line=trunk-3>;expires=200\n",
	     200},
	    {"Contact: <sip:carillon@192.0.2.1:4321>;expires=100\n", 100}, // seen through a border controller
	    {"Expires: 77\n", 77},
	    {"Expires: 77\nContact: <sip:carillon@10.0.0.1:5060;line=trunk-3>\n", 77},
	    {"", 600},
	    {"Contact: <sip:carillon@10.0.0.1:5060;line=trunk-3>;expires=0\n", 0},
	    {"Contact: <sip:carillon@10.0.0.1:5060;line=trunk-3>;expires=99999999999999999999\n", 30 * 24 * 3600},
	};
	(void)state;
	for (size_t i = 0; i < sizeof answers_given / sizeof *answers_given; i++) {
		put_registering("10.0.1.1");
		const char *request = next_register(&carrier);
		respond(&carrier, request, "200 OK", "r",
			text_of(rig, "%sP-Associated-URI: <sip:x@y>\nContent-Length: 0\n\n", answers_given[i].lines));
		if (answers_given[i].granted_s)
			is(TRUNK_REGISTERED, text_of(rig, "Registered at 10.0.1.1:5060 (udp) for %u seconds.",
						     answers_given[i].granted_s));
		else
			is(TRUNK_REGISTRATION_FAILED,
			   "10.0.1.1:5060 (udp) accepts the registration, and does not keep it.");
		directory_remove(rig->directory, ENTITY_TRUNK, rig->trunk);
		sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
		if (answers_given[i].granted_s)
			respond(&carrier, peer_next(&carrier), "200 OK", "r", "");
	}
}

// ---- credentials

static void a_challenge_is_answered_and_remembered(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	const char *request = next_register(&carrier);
	assert_lacks(request, "Authorization");
	respond(&carrier, request, "401 Unauthorized", "r", challenge);
	request = next_register(&carrier);
	assert_string_equal(header_of(rig, request, "CSeq"), "2 REGISTER");
	answers(request, "Authorization", "one", DIGEST_MD5);
	accept_for(&carrier, request, 60);
	request = register_within(&carrier, 60000, NULL); // it need not be challenged again
	answers(request, "Authorization", "one", DIGEST_MD5);
	assert_has(request, "nc=00000002");
	// The server has forgotten its nonce, and does not say stale.
	respond(&carrier, request, "401 Unauthorized", "r",
		"WWW-Authenticate: Digest realm=\"carrier\", nonce=\"two\", qop=\"auth\"\nContent-Length: 0\n\n");
	request = next_register(&carrier);
	answers(request, "Authorization", "two", DIGEST_MD5);
	assert_has(request, "nc=00000001");
	accept_for(&carrier, request, 60);
	is(TRUNK_REGISTERED, "Registered at 10.0.1.1:5060 (udp) for 60 seconds.");
}

static void sha_256_is_taken_where_it_is_offered(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	respond(
	    &carrier, next_register(&carrier), "401 Unauthorized", "r",
	    "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"weak\", qop=\"auth\", algorithm=MD5\n"
	    "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"strong\", qop=\"auth,auth-int\", algorithm=SHA-256\n"
	    "Content-Length: 0\n\n");
	answers(next_register(&carrier), "Authorization", "strong", DIGEST_SHA256);
}

static void a_proxy_and_the_registrar_both_ask(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	respond(&carrier, next_register(&carrier), "407 Proxy Authentication Required", "p",
		"Proxy-Authenticate: Digest realm=\"edge\", nonce=\"outer\", qop=\"auth\"\nContent-Length: 0\n\n");
	const char *request = next_register(&carrier);
	answers(request, "Proxy-Authorization", "outer", DIGEST_MD5);
	respond(&carrier, request, "401 Unauthorized", "r", challenge);
	request = next_register(&carrier);
	answers(request, "Proxy-Authorization", "outer", DIGEST_MD5);
	assert_has(header_of(rig, request, "Proxy-Authorization"), "nc=00000002");
	answers(request, "Authorization", "one", DIGEST_MD5);
	accept_for(&carrier, request, 600);
	is(TRUNK_REGISTERED, "Registered at 10.0.1.1:5060 (udp) for 600 seconds.");
}

static void a_stale_nonce_is_no_wrong_password(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	respond(&carrier, next_register(&carrier), "401 Unauthorized", "r", challenge);
	const char *request = next_register(&carrier);
	respond(&carrier, request, "401 Unauthorized", "r",
		"WWW-Authenticate: Digest realm=\"carrier\", nonce=\"two\", qop=\"auth\", stale=true\nContent-Length: "
		"0\n\n");
	request = next_register(&carrier);
	answers(request, "Authorization", "two", DIGEST_MD5);
	accept_for(&carrier, request, 600);
	is(TRUNK_REGISTERED, "Registered at 10.0.1.1:5060 (udp) for 600 seconds.");
}

static void whoever_is_always_stale_ends(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	unsigned sent = 0;
	for (const char *request = next_register(&carrier); request && sent < 20; sent++) {
		respond(&carrier, request, "401 Unauthorized", "r",
			text_of(rig,
				"WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n%u\", qop=\"auth\", stale=true\n"
				"Content-Length: 0\n\n",
				sent));
		sim_run_for(rig->loop, 10);
		request = carrier.read < carrier.count ? peer_next(&carrier) : NULL;
	}
	assert_int_equal(sent, 7);
	is(TRUNK_REGISTRATION_REFUSED, "The carrier does not accept the user name or the password (401).");
}

static void a_wrong_password_is_not_tried_again_soon(void **state)
{
	uint64_t after_ms;
	(void)state;
	put_registering("10.0.1.1");
	for (int i = 0; i < 2; i++)
		respond(&carrier, next_register(&carrier), "401 Unauthorized", "r", challenge);
	is(TRUNK_REGISTRATION_REFUSED, "The carrier does not accept the user name or the password (401).");
	assert_int_equal(now().last_status, 401);
	assert_int_equal(now().registered_until, 0);
	register_within(&carrier, 1801 * 1000, &after_ms);
	assert_in_range(after_ms, 900 * 1000, 1800 * 1000 + 20);
}

static void a_new_password_is_tried_at_once(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	const char *first = next_register(&carrier);
	respond(&carrier, first, "403 Forbidden", "r", "");
	is(TRUNK_REGISTRATION_REFUSED, "The carrier refuses this account (403 Forbidden).");
	trunk->title = STR("Another title"); // which is nothing to the carrier
	put();
	nothing_for(&carrier, 5000);
	trunk->password = STR("another");
	put();
	const char *again = next_register(&carrier);
	assert_string_equal(header_of(rig, again, "Call-ID"), header_of(rig, first, "Call-ID"));
	accept_for(&carrier, again, 600);
	is(TRUNK_REGISTERED, "Registered at 10.0.1.1:5060 (udp) for 600 seconds.");
}

static void the_password_answers_to_its_realm_alone(void **state)
{
	(void)state;
	trunk = registering(rig->trunk, "10.0.1.1", "carillon");
	trunk->realm = STR("another");
	put();
	respond(&carrier, next_register(&carrier), "401 Unauthorized", "r", challenge);
	peer_nothing(&carrier);
	is(TRUNK_REGISTRATION_REFUSED,
	   "The carrier asks for a password (401) in a way that cannot be answered: another realm "
	   "than the trunk's, or an unknown algorithm.");
}

// ---- refusals

static void a_423_is_obeyed(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	respond(&carrier, next_register(&carrier), "423 Interval Too Brief", "r",
		"Min-Expires: 1800\nContent-Length: 0\n\n");
	const char *request = next_register(&carrier);
	assert_has(request, "\nExpires: 1800\n");
	accept_for(&carrier, request, 1800);
	assert_has(register_within(&carrier, 1800 * 1000, NULL), "\nExpires: 1800\n"); // it is not asked for less again
}

static void a_423_without_sense_is_a_refusal(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	respond(&carrier, next_register(&carrier), "423 Interval Too Brief", "r",
		"Min-Expires: 600\nContent-Length: 0\n\n");
	is(TRUNK_REGISTRATION_REFUSED, "The carrier refuses this account (423 Interval Too Brief).");
}

static void an_unknown_account(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	respond(&carrier, next_register(&carrier), "404 Not \"F\xc3\xb6und\"", "r", "");
	is(TRUNK_REGISTRATION_REFUSED, "The carrier does not know this account (404 Not \"F??und\").");
	nothing_for(&carrier, 890 * 1000);
}

static void elsewhere_is_not_gone_to(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	respond(&carrier, next_register(&carrier), "302 Moved Temporarily", "r",
		"Contact: <sip:10.0.1.2>\nContent-Length: 0\n\n");
	is(TRUNK_REGISTRATION_FAILED, "The carrier sends us elsewhere (302): to 10.0.1.2. Make that the trunk's host.");
	peer_nothing(&second);
}

static void the_carrier_says_when_to_come_again(void **state)
{
	uint64_t after_ms;
	(void)state;
	put_registering("10.0.1.1");
	respond(&carrier, next_register(&carrier), "503 Service Unavailable", "r",
		"Retry-After: 200 (maintenance)\nContent-Length: 0\n\n");
	is(TRUNK_REGISTRATION_FAILED, "10.0.1.1:5060 (udp) answers 503 Service Unavailable.");
	register_within(&carrier, 300 * 1000, &after_ms);
	assert_in_range(after_ms, 199 * 1000, 221 * 1000 + 20);
}

static void failures_in_a_row_are_longer_apart_each_time(void **state)
{
	static const unsigned upper_s[] = {60, 120, 240, 480, 960, 1800, 1800, 1800, 1800};
	uint64_t after_ms;
	(void)state;
	put_registering("10.0.1.1");
	const char *request = next_register(&carrier);
	for (size_t i = 0; i < sizeof upper_s / sizeof *upper_s; i++) {
		respond(&carrier, request, "500 Broken", "r", "");
		is(TRUNK_REGISTRATION_FAILED, "10.0.1.1:5060 (udp) answers 500 Broken.");
		request = register_within(&carrier, 1801 * 1000, &after_ms);
		assert_in_range(after_ms, upper_s[i] * 500 - 10, upper_s[i] * 1000 + 20);
	}
	accept_for(&carrier, request, 600);
	assert_int_equal(now().status, TRUNK_REGISTERED);
	for (int i = 0; i < 5; i++) // the row ends when it has held for a while
		accept_for(&carrier, register_within(&carrier, 600 * 1000, NULL), 600);
	respond(&carrier, register_within(&carrier, 600 * 1000, NULL), "500 Broken", "r", "");
	register_within(&carrier, 61 * 1000, NULL);
}

static void a_failed_refresh_leaves_what_was_granted(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	accept_for(&carrier, next_register(&carrier), 600);
	respond(&carrier, register_within(&carrier, 600 * 1000, NULL), "500 Broken", "r", "");
	assert_int_equal(now().status, TRUNK_REGISTRATION_FAILED);
	assert_in_range(in_s(now().registered_until), 100, 300);
	assert_in_range(in_s(now().next_try_at), 29, 60);
	for (int i = 0; i < 5; i++)
		respond(&carrier, register_within(&carrier, 1801 * 1000, NULL), "500 Broken", "r", "");
	assert_int_equal(now().registered_until, 0);
}

// ---- servers that do not answer

static void two_servers(void)
{
	sim_dns_add(rig->loop, "_sip._udp.carrier.example 6000 SRV 10 0 5060 a.carrier.example");
	sim_dns_add(rig->loop, "_sip._udp.carrier.example 6000 SRV 20 0 5060 b.carrier.example");
	sim_dns_add(rig->loop, "a.carrier.example 6000 A 10.0.1.1");
	sim_dns_add(rig->loop, "b.carrier.example 6000 A 10.0.1.2");
}

static void silence_leads_to_the_next_server_which_is_stayed_with(void **state)
{
	uint64_t after_ms;
	(void)state;
	two_servers();
	put_registering("carrier.example");
	next_register(&carrier);
	const char *request = register_within(&second, 5000, &after_ms);
	assert_in_range(after_ms, 3600, 4100);
	assert_string_equal(header_of(rig, request, "CSeq"), "2 REGISTER");
	accept_for(&second, request, 60);
	is(TRUNK_REGISTERED, "Registered at 10.0.1.2:5060 (udp) for 60 seconds.");
	carrier.read = carrier.count;
	for (int i = 0; i < 3; i++) {
		accept_for(&second, register_within(&second, 60000, NULL), 60);
		carrier.read = carrier.count; // the first request goes on for 32 seconds
	}
	peer_nothing(&carrier);
}

static void the_server_that_has_the_binding_dies(void **state)
{
	(void)state;
	two_servers();
	put_registering("carrier.example");
	accept_for(&carrier, next_register(&carrier), 60);
	register_within(&carrier, 60000, NULL); // no answer
	accept_for(&second, register_within(&second, 5000, NULL), 60);
	is(TRUNK_REGISTERED, "Registered at 10.0.1.2:5060 (udp) for 60 seconds.");
}

static void a_503_leads_to_the_next_server(void **state)
{
	(void)state;
	two_servers();
	put_registering("carrier.example");
	respond(&carrier, next_register(&carrier), "503 Service Unavailable", "r", "");
	respond(&second, next_register(&second), "503 Service Unavailable", "r", "");
	is(TRUNK_REGISTRATION_FAILED, "10.0.1.2:5060 (udp) answers 503 Service Unavailable.");
}

static void nobody_answers(void **state)
{
	uint64_t after_ms;
	(void)state;
	put_registering("10.0.1.1");
	next_register(&carrier);
	sim_run_for(rig->loop, 33000);
	is(TRUNK_REGISTRATION_FAILED, "No answer from 10.0.1.1:5060 (udp).");
	carrier.read = carrier.count;
	accept_for(&carrier, register_within(&carrier, 61000, &after_ms), 600); // though calls would leave it out now
	assert_in_range(after_ms, 29000, 60000);
	is(TRUNK_REGISTERED, "Registered at 10.0.1.1:5060 (udp) for 600 seconds.");
}

static void a_name_that_nobody_knows(void **state)
{
	(void)state;
	put_registering("nowhere.example");
	sim_run_for(rig->loop, 1000);
	is(TRUNK_REGISTRATION_FAILED, "No server is found for the name nowhere.example: check the name, and DNS.");
	assert_in_range(in_s(now().next_try_at), 28, 60);
	sim_dns_add(rig->loop, "nowhere.example 600 A 10.0.1.1");
	accept_for(&carrier, register_within(&carrier, 200 * 1000, NULL), 600);
}

// ---- taking it back

static void a_disabled_trunk_takes_its_binding_back(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	respond(&carrier, next_register(&carrier), "401 Unauthorized", "r", challenge);
	const char *request = next_register(&carrier);
	accept_for(&carrier, request, 600);
	trunk->enabled = false;
	put();
	const char *last = peer_next(&carrier);
	assert_has(last, "\nExpires: 0\n");
	assert_string_equal(contact_of(last), contact_of(request));
	assert_string_equal(header_of(rig, last, "CSeq"), "3 REGISTER");
	answers(last, "Authorization", "one", DIGEST_MD5);
	is(TRUNK_REGISTRATION_OFF, "");
	respond(&carrier, last, "401 Unauthorized", "r",
		"WWW-Authenticate: Digest realm=\"carrier\", nonce=\"two\", qop=\"auth\"\nContent-Length: 0\n\n");
	last = peer_next(&carrier);
	answers(last, "Authorization", "two", DIGEST_MD5);
	assert_has(last, "\nExpires: 0\n");
	respond(&carrier, last, "200 OK", "r", "");
	nothing_for(&carrier, 3600 * 1000);
}

static void another_account_comes_after_the_old_one_has_gone(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	const char *first = next_register(&carrier);
	accept_for(&carrier, first, 600);
	trunk->username = STR("another");
	put();
	const char *last = peer_next(&carrier);
	assert_has(last, "\nTo: <sip:carillon@10.0.1.1>\n");
	assert_has(last, "\nExpires: 0\n");
	nothing_for(&carrier, 400);
	respond(&carrier, last, "200 OK", "r", "");
	const char *next = next_register(&carrier);
	assert_has(next, "\nTo: <sip:another@10.0.1.1>\n");
	assert_string_not_equal(header_of(rig, next, "Call-ID"), header_of(rig, first, "Call-ID"));
}

static void a_silent_carrier_does_not_hold_up_another_host(void **state)
{
	uint64_t after_ms;
	(void)state;
	put_registering("10.0.1.1");
	accept_for(&carrier, next_register(&carrier), 600);
	trunk->host = STR("10.0.1.2");
	put();
	assert_has(peer_next(&carrier), "\nExpires: 0\n");
	register_within(&second, 3000, &after_ms);
	assert_in_range(after_ms, 1900, 2300);
}

static bool has_left;

static void left(void *context)
{
	(void)context;
	assert_false(has_left);
	has_left = true;
}

static void at_the_end_all_are_taken_back(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	accept_for(&carrier, next_register(&carrier), 600);
	struct trunk *other = registering(9, "10.0.1.2", "other");
	assert_int_equal(directory_put(rig->directory, &other->entity), ERR_NONE);
	sip_endpoint_trunk_changed(rig->endpoint, 9);
	accept_for(&second, next_register(&second), 600);
	has_left = false;
	sip_endpoint_leave(rig->endpoint, left, NULL);
	const char *a = peer_next(&carrier), *b = peer_next(&second);
	assert_has(a, "\nExpires: 0\n");
	assert_has(b, "\nTo: <sip:other@10.0.1.2>\n");
	assert_has(b, "\nExpires: 0\n");
	respond(&carrier, a, "200 OK", "r", "");
	sim_run_for(rig->loop, 1900);
	assert_false(has_left); // the second one does not answer
	sim_run_for(rig->loop, 200);
	assert_true(has_left);
	put(); // no new one comes
	nothing_for(&carrier, 10000);
}

static void with_nothing_registered_the_end_comes_at_once(void **state)
{
	(void)state;
	has_left = false;
	sip_endpoint_leave(rig->endpoint, left, NULL);
	assert_false(has_left);
	sim_run_for(rig->loop, 5);
	assert_true(has_left);
}

// ---- flows

static void over_udp_something_is_said_every_half_minute(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	accept_for(&carrier, next_register(&carrier), 600);
	for (int i = 0; i < 8; i++) {
		unsigned after_ms = wait_for(&carrier, 30000);
		assert_in_range(after_ms, 23000, 29100);
		assert_string_equal(peer_next(&carrier), "\n\n");
	}
}

// A carrier that speaks TCP.
struct stream_peer {
	struct tcp_listener *listener;
	struct tcp_connection *connection;
	unsigned accepted, pings;
	bool answers_pings, is_gone;
	char got[16384];
	size_t used;
};
static struct stream_peer stream;

static void stream_received(void *context, char *bytes, size_t size)
{
	(void)context;
	if (size == 4 && memcmp(bytes, "\r\n\r\n", 4) == 0) {
		stream.pings++;
		if (stream.answers_pings)
			tcp_send(stream.connection, STR("\r\n"));
		return;
	}
	stream.used = 0;
	for (size_t i = 0; i < size && stream.used < sizeof stream.got - 1; i++)
		if (bytes[i] != '\r')
			stream.got[stream.used++] = bytes[i];
	stream.got[stream.used] = '\0';
}

static void stream_ended(void *context, int error)
{
	(void)context;
	(void)error;
	tcp_close(stream.connection);
	stream.connection = NULL;
}

static void stream_accepted(void *context, struct tcp_connection *connection, const struct net_address *from)
{
	static const struct tcp_handlers stream_handlers = {.received = stream_received, .ended = stream_ended};
	(void)context;
	(void)from;
	stream.connection = connection;
	stream.accepted++;
	tcp_handle(connection, &stream_handlers, NULL);
}

static void stream_listen(void)
{
	struct net_address address;
	assert_true(net_address_parse(STR("10.0.1.3"), 5060, &address));
	assert_int_equal(tcp_listen(rig->loop, &address, stream_accepted, NULL, &stream.listener), 0);
}

static void stream_close(void)
{
	if (stream.connection)
		tcp_close(stream.connection);
	stream.connection = NULL;
	if (stream.listener)
		tcp_listener_close(stream.listener);
	stream.listener = NULL;
	sim_run_for(rig->loop, 10);
}

static void stream_accept_for(unsigned seconds)
{
	char text[4096];
	const char *request = stream.got;
	assert_starts(request, "REGISTER ");
	int length =
	    snprintf(text, sizeof text,
		     "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=r\r\nCall-ID: %s\r\nCSeq: %s\r\n"
		     "Contact: %s;expires=%u\r\nContent-Length: 0\r\n\r\n",
		     header_of(rig, request, "Via"), header_of(rig, request, "From"), header_of(rig, request, "To"),
		     header_of(rig, request, "Call-ID"), header_of(rig, request, "CSeq"), contact_of(request), seconds);
	stream.got[0] = '\0';
	assert_int_equal(tcp_send(stream.connection, (struct str){text, (size_t)length}), 0);
	sim_run_for(rig->loop, 10);
}

static void register_by_tcp(unsigned seconds)
{
	stream = (struct stream_peer){.answers_pings = true};
	stream_listen();
	trunk = registering(rig->trunk, "10.0.1.3", "carillon");
	trunk->transport = TRANSPORT_TCP;
	put();
	sim_run_for(rig->loop, 300);
	assert_string_equal(contact_of(stream.got), "<sip:carillon@10.0.0.1:5060;transport=tcp;line=trunk-3>");
	stream_accept_for(seconds);
	is(TRUNK_REGISTERED, text_of(rig, "Registered at 10.0.1.3:5060 (tcp) for %u seconds.", seconds));
}

static void over_tcp_one_connection_stays_and_is_asked_for(void **state)
{
	(void)state;
	register_by_tcp(3600);
	sim_run_for(rig->loop, 2000 * 1000);
	assert_in_range(stream.pings, 2000 / 120, 2000 / 95);
	assert_int_equal(stream.accepted, 1);
	assert_int_equal(now().status, TRUNK_REGISTERED);
	sim_run_for(rig->loop, 800 * 1000);
	stream_accept_for(3600);
	assert_int_equal(stream.accepted, 1);
	stream_close();
}

static void a_connection_that_ends_is_made_anew_at_once(void **state)
{
	(void)state;
	register_by_tcp(3600);
	sim_run_for(rig->loop, 200 * 1000);
	tcp_close(stream.connection);
	stream.connection = NULL;
	sim_run_for(rig->loop, 10);
	is(TRUNK_REGISTRATION_FAILED, "The connection to 10.0.1.3:5060 (tcp) has ended.");
	assert_int_equal(now().registered_until, 0);
	sim_run_for(rig->loop, 2010);
	assert_int_equal(stream.accepted, 2);
	stream_accept_for(3600);
	assert_int_equal(now().status, TRUNK_REGISTERED);
	// So soon again: now it waits (RFC 5626 section 4.5).
	tcp_close(stream.connection);
	stream.connection = NULL;
	sim_run_for(rig->loop, 28000);
	assert_int_equal(stream.accepted, 2);
	sim_run_for(rig->loop, 33000);
	assert_int_equal(stream.accepted, 3);
	stream_close();
}

static void a_carrier_that_comes_back_is_found(void **state)
{
	(void)state;
	register_by_tcp(600);
	sim_run_for(rig->loop, 200 * 1000);
	stream_close();
	sim_run_for(rig->loop, 3000);
	is(TRUNK_REGISTRATION_FAILED, "No connection to 10.0.1.3:5060 (tcp).");
	stream_listen();
	for (int i = 0; i < 610 && stream.got[0] == '\0'; i++)
		sim_run_for(rig->loop, 100); // the first back-off
	stream_accept_for(600);
	assert_int_equal(now().status, TRUNK_REGISTERED);
	stream_close();
}

static void whoever_answered_pings_and_does_not_any_more_is_gone(void **state)
{
	(void)state;
	register_by_tcp(3600);
	sim_run_for(rig->loop, 200 * 1000);
	assert_true(stream.pings > 0);
	stream.answers_pings = false; // its side of the connection is lost, and nobody has said so
	unsigned pings = stream.pings;
	while (stream.pings == pings)
		sim_run_for(rig->loop, 100);
	sim_run_for(rig->loop, 9500);
	assert_int_equal(stream.accepted, 1);
	sim_run_for(rig->loop, 3000);
	assert_int_equal(stream.accepted, 2);
	stream_close();
}

static void whoever_never_answers_pings_stays(void **state)
{
	(void)state;
	stream.answers_pings = false;
	register_by_tcp(3600);
	stream.answers_pings = false;
	sim_run_for(rig->loop, 1000 * 1000);
	assert_int_equal(stream.accepted, 1);
	assert_int_equal(now().status, TRUNK_REGISTERED);
	stream_close();
}

// ---- calls that come

static void call_from(struct peer *peer, const char *host, const char *uri, const char *lines)
{
	static unsigned branch;
	branch++;
	peer_send(peer,
		  "INVITE %s SIP/2.0\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bKn%u;rport\n"
		  "From: <sip:+441444000001@carrier.example>;tag=f%u\n%sCall-ID: in%u\nCSeq: 1 INVITE\n"
		  "Max-Forwards: 70\nContact: <sip:%s>\nContent-Length: 0\n\n",
		  uri, host, branch, branch, lines, branch, host);
}

#define TO_NUMBER "To: <sip:+441632960123@carrier.example>\n"

static void of_two_accounts_the_one_that_is_called_counts(void **state)
{
	static const struct {
		const char *uri, *lines, *told;
	} calls[] = {
	    {"sip:carillon@10.0.0.1:5060;line=trunk-3", TO_NUMBER, "invited by trunk 3, dialled +441632960123"},
	    {"sip:other@10.0.0.1:5060;line=trunk-9", TO_NUMBER, "invited by trunk 9, dialled +441632960123"},
	    {"sip:other@10.0.0.1:5060", TO_NUMBER, "invited by trunk 9, dialled +441632960123"},
	    {"sip:other@10.0.0.1:5060", "To: <sip:other@10.0.1.1>\nP-Called-Party-ID: <sip:+441632960124@10.0.1.1>\n",
	     "invited by trunk 9, dialled +441632960124"},
	    {"sip:other@10.0.0.1:5060", "To: <sip:other@10.0.1.1>\n", "invited by trunk 9, dialled other"},
	    {"sip:+441632960123@10.0.0.1:5060", "To: <sip:other@10.0.1.1>\n",
	     "invited by trunk 9, dialled +441632960123"},
	    {"sip:+441632960123@10.0.0.1:5060", TO_NUMBER, "invited by trunk 3, dialled +441632960123"},
	    // The line of a trunk that is not there.
	    {"sip:+441632960123@10.0.0.1:5060;line=trunk-77", TO_NUMBER, "invited by trunk 3, dialled +441632960123"},
	};
	(void)state;
	put_registering("10.0.1.1");
	accept_for(&carrier, next_register(&carrier), 600);
	struct trunk *other = registering(9, "10.0.1.1", "other");
	assert_int_equal(directory_put(rig->directory, &other->entity), ERR_NONE);
	sip_endpoint_trunk_changed(rig->endpoint, 9);
	accept_for(&carrier, next_register(&carrier), 600);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		call_from(&carrier, "10.0.1.1", calls[i].uri, calls[i].lines);
		assert_starts(rig->events, calls[i].told);
		rig->events[0] = '\0';
	}
}

static void a_call_to_an_account_that_signs_in_is_no_other_accounts(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	accept_for(&carrier, next_register(&carrier), 600);
	struct trunk *other = registering(9, "10.0.1.1", "other");
	other->inbound_username = STR("carrier-in");
	assert_true(trunk_set_inbound_password(other, STR("carillon"), STR("in-secret"), &rig->arena));
	assert_int_equal(directory_put(rig->directory, &other->entity), ERR_NONE);
	call_from(&carrier, "10.0.1.1", "sip:other@10.0.0.1:5060;line=trunk-9", TO_NUMBER);
	assert_starts(peer_next(&carrier), "SIP/2.0 401 ");
	rig_told(rig, "");
	call_from(&carrier, "10.0.1.1", "sip:+441632960123@10.0.0.1:5060", TO_NUMBER);
	assert_starts(rig->events, "invited by trunk 3, dialled +441632960123");
}

static void our_contact_alone_makes_nobody_a_trunk(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	accept_for(&carrier, next_register(&carrier), 600);
	call_from(&stranger, "10.9.9.9", "sip:carillon@10.0.0.1:5060;line=trunk-3", TO_NUMBER);
	assert_starts(peer_next(&stranger), "SIP/2.0 401 ");
	rig_told(rig, "");
}

static void the_server_of_the_registration_is_known_while_it_lasts(void **state)
{
	(void)state;
	put_registering("carrier.example");
	two_servers();
	sim_run_for(rig->loop, 300);
	put();
	next_register(&carrier); // no answer
	accept_for(&second, register_within(&second, 5000, NULL), 600);
	call_from(&second, "10.0.1.2", "sip:carillon@10.0.0.1:5060;line=trunk-3", TO_NUMBER);
	assert_starts(rig->events, "invited by trunk 3, dialled +441632960123");
	rig->events[0] = '\0';
	trunk->inbound = STR("10.9.9.0/24"); // which is all there is, when it is given
	put();
	second.read = second.count;
	call_from(&second, "10.0.1.2", "sip:carillon@10.0.0.1:5060;line=trunk-3", TO_NUMBER);
	assert_starts(peer_next(&second), "SIP/2.0 401 ");
	rig_told(rig, "");
}

// ---- calls that go

static void call_out(void)
{
	struct outgoing_invite invite = {
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .caller_number = STR("+441444555555"),
	    .max_forwards = 69,
	    .body = offer,
	};
	ring(&invite);
	sim_run_for(rig->loop, 10);
}

static void calls_take_the_route_that_the_carrier_gave(void **state)
{
	(void)state;
	put_registering("10.0.1.1");
	const char *request = next_register(&carrier);
	respond(
	    &carrier, request, "200 OK", "r",
	    text_of(rig,
		    "Contact: %s;expires=60\nService-Route: <sip:10.0.1.1;lr>\nService-Route: <sip:core@10.0.1.9;lr>\n"
		    "Content-Length: 0\n\n",
		    contact_of(request)));
	call_out();
	const char *invite = peer_next(&carrier);
	assert_starts(invite, "INVITE sip:+441444123456@10.0.1.1 SIP/2.0\n");
	assert_string_equal(header_of(rig, invite, "Route"), "<sip:10.0.1.1;lr>, <sip:core@10.0.1.9;lr>");
	respond(&carrier, invite, "486 Busy Here", "c", "");
	assert_starts(peer_next(&carrier), "ACK ");
	accept_for(&carrier, register_within(&carrier, 60000, NULL), 60); // and now it gives none
	call_out();
	invite = peer_next(&carrier);
	assert_starts(invite, "INVITE ");
	assert_lacks(invite, "\nRoute:");
}

static void calls_go_to_the_server_that_has_the_binding(void **state)
{
	(void)state;
	two_servers();
	put_registering("carrier.example");
	respond(&carrier, next_register(&carrier), "503 Service Unavailable", "r",
		"Retry-After: 5\nContent-Length: 0\n\n");
	accept_for(&second, next_register(&second), 600);
	sim_run_for(rig->loop, 10000); // the first one would do again
	second.read = second.count;
	call_out();
	assert_starts(peer_next(&second), "INVITE ");
	peer_nothing(&carrier);
}

#define TRUNK_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TRUNK_TEST(a_register_and_its_bytes),
	    TRUNK_TEST(a_name_with_a_port_and_a_user_of_its_own),
	    TRUNK_TEST(it_is_refreshed_with_the_same_call_id_before_its_time_is_over),
	    TRUNK_TEST(our_own_binding_counts_not_those_of_others),
	    TRUNK_TEST(a_challenge_is_answered_and_remembered),
	    TRUNK_TEST(sha_256_is_taken_where_it_is_offered),
	    TRUNK_TEST(a_proxy_and_the_registrar_both_ask),
	    TRUNK_TEST(a_stale_nonce_is_no_wrong_password),
	    TRUNK_TEST(whoever_is_always_stale_ends),
	    TRUNK_TEST(a_wrong_password_is_not_tried_again_soon),
	    TRUNK_TEST(a_new_password_is_tried_at_once),
	    TRUNK_TEST(the_password_answers_to_its_realm_alone),
	    TRUNK_TEST(a_423_is_obeyed),
	    TRUNK_TEST(a_423_without_sense_is_a_refusal),
	    TRUNK_TEST(an_unknown_account),
	    TRUNK_TEST(elsewhere_is_not_gone_to),
	    TRUNK_TEST(the_carrier_says_when_to_come_again),
	    TRUNK_TEST(failures_in_a_row_are_longer_apart_each_time),
	    TRUNK_TEST(a_failed_refresh_leaves_what_was_granted),
	    TRUNK_TEST(silence_leads_to_the_next_server_which_is_stayed_with),
	    TRUNK_TEST(the_server_that_has_the_binding_dies),
	    TRUNK_TEST(a_503_leads_to_the_next_server),
	    TRUNK_TEST(nobody_answers),
	    TRUNK_TEST(a_name_that_nobody_knows),
	    TRUNK_TEST(a_disabled_trunk_takes_its_binding_back),
	    TRUNK_TEST(another_account_comes_after_the_old_one_has_gone),
	    TRUNK_TEST(a_silent_carrier_does_not_hold_up_another_host),
	    TRUNK_TEST(at_the_end_all_are_taken_back),
	    TRUNK_TEST(with_nothing_registered_the_end_comes_at_once),
	    TRUNK_TEST(over_udp_something_is_said_every_half_minute),
	    TRUNK_TEST(over_tcp_one_connection_stays_and_is_asked_for),
	    TRUNK_TEST(a_connection_that_ends_is_made_anew_at_once),
	    TRUNK_TEST(a_carrier_that_comes_back_is_found),
	    TRUNK_TEST(whoever_answered_pings_and_does_not_any_more_is_gone),
	    TRUNK_TEST(whoever_never_answers_pings_stays),
	    TRUNK_TEST(of_two_accounts_the_one_that_is_called_counts),
	    TRUNK_TEST(our_contact_alone_makes_nobody_a_trunk),
	    TRUNK_TEST(a_call_to_an_account_that_signs_in_is_no_other_accounts),
	    TRUNK_TEST(calls_take_the_route_that_the_carrier_gave),
	    TRUNK_TEST(calls_go_to_the_server_that_has_the_binding),
	    TRUNK_TEST(the_server_of_the_registration_is_known_while_it_lasts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

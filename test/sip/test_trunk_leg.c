// Calls over a trunk whose host is a name with two servers: finding them, leaving the one that is out of order for the other,
// and knowing who calls from there.
#include "sip/legs.h"

#include <string.h>

// The second server; `carrier` of the stage is the first. The trunk is rig->trunk with this host.
static struct peer second;

static struct trunk *new_trunk(const char *host, int64_t port, int transport)
{
	struct trunk *trunk = (struct trunk *)entity_new(ENTITY_TRUNK, &rig->arena);
	trunk->entity.id = rig->trunk;
	trunk->title = STR("Carrier");
	trunk->host = str_of(host);
	trunk->port = port;
	trunk->transport = transport;
	trunk->username = STR("carillon");
	trunk->password = STR("trunk-secret");
	trunk->options_interval_s = 0;
	trunk->enabled = true;
	return trunk;
}

static void put_trunk(const char *host, int64_t port, int transport)
{
	struct trunk *trunk = new_trunk(host, port, transport);
	assert_int_equal(directory_put(rig->directory, &trunk->entity), ERR_NONE);
}

static void add(const char *record)
{
	sim_dns_add(rig->loop, record);
}

static int start(void **state)
{
	legs_start(state);
	peer_open(&second, rig, "10.0.1.2", 5060);
	put_trunk("carrier.example", 0, TRANSPORT_UDP);
	add("_sip._udp.carrier.example 600 SRV 10 0 5060 a.carrier.example");
	add("_sip._udp.carrier.example 600 SRV 20 0 5060 b.carrier.example");
	add("a.carrier.example 600 A 10.0.1.1");
	add("b.carrier.example 600 A 10.0.1.2");
	return 0;
}

static int stop(void **state)
{
	peer_close(&second);
	return legs_stop(state);
}

static struct outgoing_invite to_carrier(void)
{
	return (struct outgoing_invite){
	    .leg = 9,
	    .target = TARGET_TRUNK,
	    .trunk = directory_trunk(rig->directory, rig->trunk),
	    .number = STR("+441444123456"),
	    .caller_number = STR("+441444555555"),
	    .max_forwards = 69,
	    .body = offer,
	};
}

static uint64_t ring_carrier(void)
{
	struct outgoing_invite invite = to_carrier();
	return ring(&invite);
}

static void assert_refused(enum err expected)
{
	struct outgoing_invite invite = to_carrier();
	uint64_t session;
	assert_int_equal(rig->signalling->invite(rig->signalling->context, &invite, &session), expected);
}

static void nobody_is_left(void)
{
	sim_run_for(rig->loop, 70000);
	assert_int_equal(sessions(), 0);
	assert_int_equal(sip_endpoint_count(rig->endpoint).transactions.invite_clients, 0);
}

static void accept_and_end(struct peer *peer, const char *invite, uint64_t session)
{
	respond(peer, invite, "200 OK", "c1", "Contact: <sip:10.0.1.9>\nContent-Length: 0\n\n");
	rig_told(rig, "answered 9\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
}

// ---- finding

static void the_first_call_waits_for_the_name_the_second_does_not(void **state)
{
	(void)state;
	ring_carrier();
	assert_int_equal(sip_endpoint_count(rig->endpoint).transactions.invite_clients, 0);
	sim_run_for(rig->loop, 10);
	const char *invite = peer_next(&carrier);
	assert_starts(invite, "INVITE sip:+441444123456@carrier.example SIP/2.0\n");
	assert_string_equal(header_of(rig, invite, "To"), "<sip:+441444123456@carrier.example>");
	uint64_t asked = sim_dns_asked(rig->loop);
	ring_carrier();
	assert_int_equal(sip_endpoint_count(rig->endpoint).transactions.invite_clients, 2);
	assert_int_equal(sim_dns_asked(rig->loop), asked);
	peer_nothing(&second);
	rig_told(rig, "");
}

static void a_port_stays_in_the_request(void **state)
{
	(void)state;
	put_trunk("b.carrier.example", 5060, TRANSPORT_UDP);
	ring_carrier();
	sim_run_for(rig->loop, 10);
	assert_starts(peer_next(&second), "INVITE sip:+441444123456@b.carrier.example:5060 SIP/2.0\n");
}

static void requests_in_the_call_follow_the_target_that_answered(void **state)
{
	(void)state;
	uint64_t session = ring_carrier();
	sim_run_for(rig->loop, 10);
	const char *invite = peer_next(&carrier);
	respond(&carrier, invite, "503 Service Unavailable", "c0", "");
	peer_next(&carrier); // ACK
	invite = peer_next(&second);
	// A name in Contact is not looked up: the dialog stays with whom it was made.
	respond(&second, invite, "200 OK", "c1", "Contact: <sip:sbc.carrier.example>\nContent-Length: 0\n\n");
	rig->signalling->acknowledge(rig->signalling->context, session, &nothing);
	assert_starts(peer_next(&second), "ACK sip:sbc.carrier.example SIP/2.0\n");
	rig->signalling->hang_up(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
	assert_starts(peer_next(&second), "BYE sip:sbc.carrier.example SIP/2.0\n");
	peer_nothing(&carrier);
	rig_told(rig, "answered 9\n");
}

static void a_call_may_be_given_up_while_the_name_is_looked_for(void **state)
{
	(void)state;
	sim_dns_servers(rig->loop, SIM_DNS_SILENT);
	uint64_t cancelled = ring_carrier(), hung_up = ring_carrier();
	sim_run_for(rig->loop, 500);
	rig->signalling->cancel(rig->signalling->context, cancelled, LEG_END_CALLER_GAVE_UP, STR_NONE);
	rig_told(rig, ""); // not from within
	rig->signalling->hang_up(rig->signalling->context, hung_up, LEG_END_NORMAL, STR_NONE);
	sim_run_for(rig->loop, 10);
	rig_told(rig, "failed 9 487 \n");
	assert_int_equal(sessions(), 0);
	sim_run_for(rig->loop, 10000);
	peer_nothing(&carrier);
}

static void without_name_servers_calls_fail_soon_then_at_once(void **state)
{
	(void)state;
	sim_dns_servers(rig->loop, SIM_DNS_SILENT);
	ring_carrier();
	sim_run_for(rig->loop, SIP_LOOKUP_MS);
	rig_told(rig, "failed 9 503 \n");
	assert_refused(ERR_TRUNK_DOWN);
	assert_int_equal(sessions(), 0);
	ring_soft("sip:821@10.0.0.3:5060"); // phones do not notice
	assert_starts(peer_next(&soft), "INVITE ");
	sim_dns_servers(rig->loop, SIM_DNS_ANSWER);
	sim_run_for(rig->loop, 11000);
	assert_refused(ERR_TRUNK_DOWN); // it asks, though
	sim_run_for(rig->loop, 10);
	ring_carrier();
	sim_run_for(rig->loop, 10);
	assert_starts(peer_next(&carrier), "INVITE ");
}

static void known_names_serve_on_without_name_servers(void **state)
{
	(void)state;
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
	sim_run_for(rig->loop, 100);
	sim_dns_servers(rig->loop, SIM_DNS_SILENT);
	sim_run_for(rig->loop, 3 * 3600 * 1000);
	ring_carrier(); // nothing is waited for
	assert_int_equal(sip_endpoint_count(rig->endpoint).transactions.invite_clients, 1);
	assert_starts(peer_next(&carrier), "INVITE ");
}

// ---- RFC 3263 section 4.3

static void a_503_leads_to_the_next(void **state)
{
	(void)state;
	uint64_t session = ring_carrier();
	sim_run_for(rig->loop, 10);
	const char *first = peer_next(&carrier);
	respond(&carrier, first, "100 Trying", "", "");
	respond(&carrier, first, "503 Service Unavailable", "c0", "Retry-After: 60\nContent-Length: 0\n\n");
	assert_starts(peer_next(&carrier), "ACK ");
	const char *next = peer_next(&second);
	rig_told(rig, "");
	assert_starts(next, "INVITE sip:+441444123456@carrier.example SIP/2.0\n");
	assert_string_equal(header_of(rig, next, "Call-ID"), header_of(rig, first, "Call-ID"));
	assert_string_equal(header_of(rig, next, "From"), header_of(rig, first, "From"));
	assert_string_equal(header_of(rig, next, "CSeq"), "2 INVITE");
	assert_string_not_equal(header_of(rig, next, "Via"), header_of(rig, first, "Via"));
	assert_has(next, WIRE_OFFER);
	respond(&second, next, "180 Ringing", "c1", "");
	rig_told(rig, "progressed 9 180\n");
	accept_and_end(&second, next, session);

	ring_carrier(); // the busy one is left out for as long as it said
	assert_starts(peer_next(&second), "INVITE ");
	peer_nothing(&carrier);
	sim_run_for(rig->loop, 61000);
	rig->events[0] = '\0';
	ring_carrier();
	assert_starts(peer_next(&carrier), "INVITE ");
}

static void the_last_503_is_the_answer_and_the_busy_are_asked_again(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		ring_carrier();
		sim_run_for(rig->loop, 10);
		respond(&carrier, peer_next(&carrier), "503 Service Unavailable", "c0", "");
		assert_starts(peer_next(&carrier), "ACK ");
		respond(&second, peer_next(&second), "503 No Lines", "c1", "");
		assert_starts(peer_next(&second), "ACK ");
		rig_told(rig, "failed 9 503 No Lines\n");
	}
	nobody_is_left();
}

static void other_refusals_are_the_answer(void **state)
{
	(void)state;
	ring_carrier();
	sim_run_for(rig->loop, 10);
	respond(&carrier, peer_next(&carrier), "500 Broken", "c0", "");
	rig_told(rig, "failed 9 500 Broken\n");
	peer_nothing(&second);
}

static void who_has_begun_to_ring_is_not_left(void **state)
{
	(void)state;
	ring_carrier();
	sim_run_for(rig->loop, 10);
	const char *invite = peer_next(&carrier);
	respond(&carrier, invite, "183 Session Progress", "c0", "");
	respond(&carrier, invite, "503 Service Unavailable", "c0", "");
	rig_told(rig, "progressed 9 183\nfailed 9 503 Service Unavailable\n");
	peer_nothing(&second);
}

static void silence_leads_to_the_next_and_is_remembered(void **state)
{
	struct net_address host;
	(void)state;
	assert_true(net_address_parse(STR("10.0.1.1"), 0, &host));
	sim_host_down(rig->loop, &host);
	uint64_t session = ring_carrier();
	sim_run_for(rig->loop, 3900);
	peer_nothing(&second);
	sim_run_for(rig->loop, 150);
	const char *invite = peer_next(&second);
	rig_told(rig, "");
	accept_and_end(&second, invite, session);
	ring_carrier();
	assert_int_equal(second.count, 1);
	sim_run_for(rig->loop, 10); // no second to lose any more
	assert_starts(second.got[second.count - 1], "INVITE ");
	rig->events[0] = '\0';
	nobody_is_left();
	sim_host_up(rig->loop, &host);
	ring_carrier();
	assert_starts(peer_next(&carrier), "INVITE ");
}

static void who_wakes_up_late_is_cancelled(void **state)
{
	(void)state;
	uint64_t session = ring_carrier();
	sim_run_for(rig->loop, 4100);
	const char *late = carrier.got[0];
	carrier.read = carrier.count;
	const char *invite = peer_next(&second);
	respond(&carrier, late, "180 Ringing", "late", "");
	const char *cancel = peer_next(&carrier);
	assert_starts(cancel, "CANCEL ");
	assert_string_equal(header_of(rig, cancel, "Via"), header_of(rig, late, "Via"));
	respond(&carrier, late, "487 Request Terminated", "late", "");
	assert_starts(peer_next(&carrier), "ACK ");
	rig_told(rig, "");
	accept_and_end(&second, invite, session);
}

static void who_answers_late_is_acknowledged_and_hung_up(void **state)
{
	(void)state;
	uint64_t session = ring_carrier();
	sim_run_for(rig->loop, 4100);
	const char *late = carrier.got[0];
	carrier.read = carrier.count;
	const char *invite = peer_next(&second);
	respond(&carrier, late, "200 OK", "late", "Contact: <sip:10.0.1.1:5060>\nContent-Length: 0\n\n");
	const char *ack = peer_next(&carrier), *bye = peer_next(&carrier);
	assert_starts(ack, "ACK sip:10.0.1.1:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, ack, "CSeq"), "1 ACK");
	assert_starts(bye, "BYE sip:10.0.1.1:5060 SIP/2.0\n");
	assert_has(bye, ";tag=late\n");
	respond(&carrier, late, "200 OK", "late", "Contact: <sip:10.0.1.1:5060>\nContent-Length: 0\n\n");
	assert_string_equal(peer_next(&carrier), ack);
	rig_told(rig, ""); // the call goes on
	accept_and_end(&second, invite, session);
}

static void a_refused_connection_leads_to_the_next(void **state)
{
	(void)state;
	put_trunk("both.example", 0, TRUNK_TRANSPORT_AUTO);
	add("both.example 600 NAPTR 10 10 s SIP+D2T _sip._tcp.both.example");
	add("both.example 600 NAPTR 10 20 s SIP+D2U _sip._udp.both.example");
	add("_sip._tcp.both.example 600 SRV 10 0 5060 a.carrier.example");
	add("_sip._udp.both.example 600 SRV 10 0 5060 b.carrier.example");
	ring_carrier();
	sim_run_for(rig->loop, 20); // refused, so no four seconds
	const char *invite = peer_next(&second);
	assert_starts(invite, "INVITE sip:+441444123456@both.example SIP/2.0\nVia: SIP/2.0/UDP ");
	rig_told(rig, "");
	ring_carrier();
	assert_starts(peer_next(&second), "INVITE ");
	assert_int_equal(sip_endpoint_count(rig->endpoint).resolver.dead, 1);
}

static void all_silent_is_the_end_and_then_known(void **state)
{
	(void)state;
	ring_carrier();
	sim_run_for(rig->loop, 4000 + 32000 + 100);
	rig_told(rig, "failed 9 408 \n");
	ring_carrier(); // the first's time is over, the second's is not
	assert_int_equal(sip_endpoint_count(rig->endpoint).resolver.dead, 1);
	put_trunk("b.carrier.example", 5060, TRANSPORT_UDP);
	ring_carrier();
	sim_run_for(rig->loop, 10);
	rig_told(rig, "failed 9 503 \n"); // AAAA had to be asked for; nothing was sent
	assert_refused(ERR_TRUNK_DOWN);
	nobody_is_left();
}

static void a_number_that_is_silent_until_it_is_given_up_is_known_too(void **state)
{
	(void)state;
	put_trunk("10.0.1.2", 0, TRANSPORT_UDP);
	for (int i = 0; i < 2; i++) { // five seconds of silence mean nothing yet
		uint64_t session = ring_carrier();
		sim_run_for(rig->loop, i == 0 ? 5000 : 15000);
		rig->signalling->cancel(rig->signalling->context, session, LEG_END_TURN_TIMED_OUT, STR_NONE);
	}
	assert_refused(ERR_TRUNK_DOWN);
	sim_run_for(rig->loop, 32000 + TARGET_DEAD_MS); // their timers B say so once more
	ring_carrier();
	nobody_is_left();
}

static void a_cancel_goes_to_the_present_target(void **state)
{
	(void)state;
	uint64_t session = ring_carrier();
	sim_run_for(rig->loop, 10);
	respond(&carrier, peer_next(&carrier), "503 Service Unavailable", "c0", "");
	assert_starts(peer_next(&carrier), "ACK ");
	const char *invite = peer_next(&second);
	respond(&second, invite, "100 Trying", "", "");
	rig->signalling->cancel(rig->signalling->context, session, LEG_END_CALLER_GAVE_UP, STR_NONE);
	assert_starts(peer_next(&second), "CANCEL ");
	respond(&second, invite, "503 Service Unavailable", "c1", ""); // no further target is tried
	rig_told(rig, "failed 9 503 Service Unavailable\n");
	nobody_is_left();
}

static void each_target_may_ask_for_the_password(void **state)
{
	(void)state;
	static const char challenge[] =
	    "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\"\nContent-Length: 0\n\n";
	ring_carrier();
	sim_run_for(rig->loop, 10);
	respond(&carrier, peer_next(&carrier), "407 Proxy Authentication Required", "c0", challenge);
	peer_next(&carrier);
	respond(&carrier, peer_next(&carrier), "503 Service Unavailable", "c0", "");
	const char *third = peer_next(&second);
	assert_string_equal(header_of(rig, third, "CSeq"), "3 INVITE");
	assert_lacks(third, "Proxy-Authorization"); // of another server's challenge
	respond(&second, third, "407 Proxy Authentication Required", "c0", challenge);
	peer_next(&second);
	assert_has(peer_next(&second), "\nProxy-Authorization: Digest ");
	rig_told(rig, "");
}

// ---- who calls

static void call_from(struct peer *peer, const char *host)
{
	static unsigned branch;
	branch++;
	peer_send(peer,
		  "INVITE sip:+441632960123@example.com SIP/2.0\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bKn%u;rport\n"
		  "From: <sip:+441444000001@carrier.example>;tag=f%u\nTo: <sip:+441632960123@example.com>\n"
		  "Call-ID: in%u\nCSeq: 1 INVITE\nMax-Forwards: 70\nContact: <sip:%s>\nContent-Length: 0\n\n",
		  host, branch, branch, branch, host);
}

static void a_trunk_is_known_by_what_its_name_stands_for(void **state)
{
	(void)state;
	call_from(&second, "10.0.1.2");
	assert_starts(peer_next(&second), "SIP/2.0 401 ");
	rig_told(rig, "");
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
	sim_run_for(rig->loop, 10);
	call_from(&second, "10.0.1.2");
	assert_starts(rig->events, "invited by trunk 3, dialled +441632960123");
	rig->events[0] = '\0';
	call_from(&stranger, "10.9.9.9");
	assert_starts(peer_next(&stranger), "SIP/2.0 401 ");

	// The carrier moves its second server; within the records' life it is known.
	sim_dns_remove(rig->loop, "b.carrier.example");
	add("b.carrier.example 600 A 10.9.9.9");
	sim_run_for(rig->loop, 610 * 1000);
	call_from(&stranger, "10.9.9.9");
	assert_starts(rig->events, "invited by trunk 3");
	rig->events[0] = '\0';
	second.read = second.count;
	call_from(&second, "10.0.1.2");
	assert_starts(peer_next(&second), "SIP/2.0 401 ");
	rig_told(rig, "");
}

static void a_trunk_that_changes_is_known_by_its_new_name_alone(void **state)
{
	(void)state;
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
	sim_run_for(rig->loop, 10);
	put_trunk("10.0.1.1", 0, TRANSPORT_UDP);
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
	call_from(&second, "10.0.1.2");
	assert_starts(peer_next(&second), "SIP/2.0 401 ");
	put_trunk("b.carrier.example", 0, TRANSPORT_UDP);
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
	sim_run_for(rig->loop, 10);
	call_from(&second, "10.0.1.2");
	assert_starts(rig->events, "invited by trunk 3");
	rig->events[0] = '\0';
	second.read = second.count;
	directory_remove(rig->directory, ENTITY_TRUNK, rig->trunk);
	call_from(&second, "10.0.1.2"); // even before anybody says so
	assert_starts(peer_next(&second), "SIP/2.0 401 ");
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
	rig_told(rig, "");
}

static void neither_disabled_trunks_nor_those_with_addresses_given_go_by_their_name(void **state)
{
	struct trunk *trunk = new_trunk("carrier.example", 0, TRANSPORT_UDP);
	(void)state;
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
	sim_run_for(rig->loop, 10);
	for (int i = 0; i < 2; i++) {
		trunk->enabled = i == 1;
		trunk->inbound = STR("10.9.9.0/24");
		if (i == 0)
			trunk->inbound = STR_NONE;
		assert_int_equal(directory_put(rig->directory, &trunk->entity), ERR_NONE); // nobody has said so yet
		call_from(&second, "10.0.1.2");
		assert_starts(peer_next(&second), "SIP/2.0 401 ");
	}
	call_from(&stranger, "10.9.9.9");
	assert_starts(rig->events, "invited by trunk 3");
}

#define TRUNK_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TRUNK_TEST(the_first_call_waits_for_the_name_the_second_does_not),
	    TRUNK_TEST(a_port_stays_in_the_request),
	    TRUNK_TEST(requests_in_the_call_follow_the_target_that_answered),
	    TRUNK_TEST(a_call_may_be_given_up_while_the_name_is_looked_for),
	    TRUNK_TEST(without_name_servers_calls_fail_soon_then_at_once),
	    TRUNK_TEST(known_names_serve_on_without_name_servers),
	    TRUNK_TEST(a_503_leads_to_the_next),
	    TRUNK_TEST(the_last_503_is_the_answer_and_the_busy_are_asked_again),
	    TRUNK_TEST(other_refusals_are_the_answer),
	    TRUNK_TEST(who_has_begun_to_ring_is_not_left),
	    TRUNK_TEST(silence_leads_to_the_next_and_is_remembered),
	    TRUNK_TEST(who_wakes_up_late_is_cancelled),
	    TRUNK_TEST(who_answers_late_is_acknowledged_and_hung_up),
	    TRUNK_TEST(a_refused_connection_leads_to_the_next),
	    TRUNK_TEST(all_silent_is_the_end_and_then_known),
	    TRUNK_TEST(a_number_that_is_silent_until_it_is_given_up_is_known_too),
	    TRUNK_TEST(a_cancel_goes_to_the_present_target),
	    TRUNK_TEST(each_target_may_ask_for_the_password),
	    TRUNK_TEST(a_trunk_is_known_by_what_its_name_stands_for),
	    TRUNK_TEST(a_trunk_that_changes_is_known_by_its_new_name_alone),
	    TRUNK_TEST(neither_disabled_trunks_nor_those_with_addresses_given_go_by_their_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

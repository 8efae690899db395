// Targets of trunks that are checked by OPTIONS: what is sent and when, what counts as an answer, how fast a target goes out of
// service and comes back, and that calls and checks have one truth.
#include "base/log.h"
#include "sip/legs.h"

#include <string.h>

static struct peer second;
static char log_text[16384];

static void keep_log(struct str line, void *context)
{
	size_t used = strlen(log_text);
	(void)context;
	if (used + line.length + 2 < sizeof log_text) {
		memcpy(log_text + used, line.at, line.length);
		log_text[used + line.length] = '\n';
		log_text[used + line.length + 1] = '\0';
	}
}

static struct trunk *new_trunk(int64_t interval_s, const char *targets)
{
	struct trunk *trunk = (struct trunk *)entity_new(ENTITY_TRUNK, &rig->arena);
	trunk->entity.id = rig->trunk;
	trunk->title = STR("Carrier");
	trunk->host = STR("10.0.1.1");
	trunk->port = 5060;
	trunk->username = STR("carillon");
	trunk->password = STR("trunk-secret");
	trunk->targets = str_of(targets);
	trunk->options_interval_s = interval_s;
	return trunk;
}

static void put(struct trunk *trunk)
{
	assert_int_equal(directory_put(rig->directory, &trunk->entity), ERR_NONE);
	sip_endpoint_trunk_changed(rig->endpoint, trunk->entity.id);
}

static int start(void **state)
{
	legs_start(state);
	peer_open(&second, rig, "10.0.1.2", 5060);
	log_text[0] = '\0';
	log_capture(keep_log, NULL);
	return 0;
}

static int stop(void **state)
{
	log_capture(NULL, NULL);
	peer_close(&second);
	return legs_stop(state);
}

static void host_set(const char *host, bool up)
{
	struct net_address address;
	assert_true(net_address_parse(str_of(host), 0, &address));
	(up ? sim_host_up : sim_host_down)(rig->loop, &address);
}

static const char *service(size_t target)
{
	struct trunk_state state;
	sip_endpoint_trunk_state(rig->endpoint, rig->trunk, &state);
	return target < state.target_count ? trunk_service_names[state.targets[target].service] : "none";
}

static const char *trunk_service(void)
{
	struct trunk_state state;
	sip_endpoint_trunk_state(rig->endpoint, rig->trunk, &state);
	return trunk_service_names[state.service];
}

static uint64_t now(void)
{
	return loop_now_ms(rig->loop);
}

// Runs until the peer has something unread and gives it; fails after `most_ms`.
static const char *await(struct peer *peer, unsigned most_ms)
{
	wait_for(peer, most_ms);
	return peer_next(peer);
}

static enum err call_carrier(void)
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
	uint64_t session;
	return rig->signalling->invite(rig->signalling->context, &invite, &session);
}

static void ok(struct peer *peer, const char *options)
{
	respond(peer, options, "200 OK", "o", "Content-Length: 0\n\n");
}

static void answer_options(struct peer *peer)
{
	while (peer->read < peer->count && strncmp(peer->got[peer->read], "OPTIONS ", 8) == 0)
		ok(peer, peer->got[peer->read++]);
}

// Runs while the second server answers its OPTIONS; what else it gets stays unread.
static void run_answered(unsigned ms)
{
	for (unsigned i = 0; i < ms / 10; i++) {
		sim_run_for(rig->loop, 10);
		answer_options(&second);
	}
}

// ---- what is sent

static void options_are_whole_requests_of_their_own(void **state)
{
	(void)state;
	put(new_trunk(30, ""));
	const char *options = await(&carrier, 1100);
	assert_string_equal(masked(rig, options),
			    "OPTIONS sip:10.0.1.1 SIP/2.0\n"
			    "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
			    "Max-Forwards: 70\n"
			    "From: <sip:carillon@example.com>;tag=TAG\n"
			    "To: <sip:10.0.1.1>\n"
			    "Call-ID: CALLID\n"
			    "CSeq: 1 OPTIONS\n"
			    "Accept: application/sdp\n"
			    "Contact: <sip:carillon@10.0.0.1:5060>\n" AGENT "Content-Length: 0\n\n");
	assert_string_equal(service(0), "unknown");
	ok(&carrier, options);
	sim_run_for(rig->loop, 1);
	assert_string_equal(service(0), "in_service");
	assert_string_equal(trunk_service(), "in_service");
	peer_nothing(&carrier);
}

static void checks_come_at_the_interval_and_are_spread(void **state)
{
	uint64_t at[6];

	(void)state;
	put(new_trunk(30, "10.0.1.1:5060 10.0.1.2:5060"));
	for (unsigned i = 0; i < 3; i++) {
		ok(&carrier, await(&carrier, 31000));
		at[i] = now();
	}
	assert_true(at[1] - at[0] <= 30000);
	assert_in_range(at[2] - at[1], 29990, 30020); // the step that wait_for takes
	assert_int_equal(sip_endpoint_count(rig->endpoint).trunks.targets, 2);
}

static void nothing_is_sent_without_an_interval(void **state)
{
	(void)state;
	put(new_trunk(0, ""));
	sim_run_for(rig->loop, 7200 * 1000);
	peer_nothing(&carrier);
	assert_string_equal(service(0), "unknown");
}

// ---- what counts

static void any_final_answer_but_408_and_503_is_one(void **state)
{
	static const struct {
		const char *status, *service;
	} answers[] = {
	    {"200 OK", "in_service"},
	    {"401 Unauthorized", "in_service"},
	    {"404 Not Found", "in_service"},
	    {"405 Method Not Allowed", "in_service"},
	    {"483 Too Many Hops", "in_service"},
	    {"500 Server Internal Error", "in_service"},
	    {"501 Not Implemented", "in_service"},
	    {"603 Decline", "in_service"},
	    {"503 Service Unavailable", "out_of_service"},
	    {"408 Request Timeout", "out_of_service"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		put(new_trunk(i % 2 ? 30 : 31, "")); // another interval: it looks at once
		const char *options = await(&carrier, 1100);
		respond(&carrier, options, "100 Trying", "", "");
		respond(&carrier, options, answers[i].status, "o", "Content-Length: 0\n\n");
		sim_run_for(rig->loop, 1);
		assert_string_equal(service(0), answers[i].service);
	}
	struct trunk_state shown;
	sip_endpoint_trunk_state(rig->endpoint, rig->trunk, &shown);
	assert_int_equal(shown.targets[0].last_status, 408);
	assert_string_equal(shown.targets[0].reason, "It answered that it is not available.");
	assert_string_equal(shown.targets[0].address, "10.0.1.1:5060");
}

static void the_round_trip_is_measured(void **state)
{
	struct trunk_state shown;

	(void)state;
	put(new_trunk(30, ""));
	const char *options = await(&carrier, 1100);
	sim_run_for(rig->loop, 123);
	ok(&carrier, options);
	sim_run_for(rig->loop, 1);
	sip_endpoint_trunk_state(rig->endpoint, rig->trunk, &shown);
	assert_in_range(shown.targets[0].round_trip_ms, 123, 150);
	assert_int_equal(shown.targets[0].last_status, 200);
	assert_true(shown.targets[0].checked_at > 0);
}

// ---- out of service, and back

static void silence_is_out_within_one_round_and_calls_skip_it_at_once(void **state)
{
	(void)state;
	put(new_trunk(30, ""));
	ok(&carrier, await(&carrier, 1100));
	host_set("10.0.1.1", false);
	uint64_t died = now();
	while (strcmp(service(0), "in_service") == 0) {
		sim_run_for(rig->loop, 10);
		assert_true(now() - died <= 30000 + 4000 + 10);
	}
	assert_string_equal(trunk_service(), "out_of_service");
	assert_has(log_text, "warning trunk_target trunk=3 title=Carrier address=10.0.1.1:5060");
	assert_has(log_text, "from=in_service to=out_of_service");
	uint64_t asked = now();
	assert_int_equal(call_carrier(), ERR_TRUNK_DOWN); // in the same turn
	assert_int_equal(now(), asked);
	assert_int_equal(sip_endpoint_count(rig->endpoint).transactions.invite_clients, 0);
	sim_run_for(rig->loop, 24 * 3600 * 1000); // as long as nobody says that it is back
	assert_int_equal(call_carrier(), ERR_TRUNK_DOWN);
}

static void one_good_check_is_not_enough_two_are(void **state)
{
	(void)state;
	put(new_trunk(30, ""));
	respond(&carrier, await(&carrier, 1100), "503 Service Unavailable", "o", "Content-Length: 0\n\n");
	sim_run_for(rig->loop, 1);
	assert_string_equal(service(0), "out_of_service");
	uint64_t out = now();
	ok(&carrier, await(&carrier, 11000)); // sooner than the interval
	assert_in_range(now() - out, 9900, 10100);
	sim_run_for(rig->loop, 1);
	assert_int_equal(call_carrier(), ERR_TRUNK_DOWN);
	respond(&carrier, await(&carrier, 2100), "503 Service Unavailable", "o", "Content-Length: 0\n\n");
	ok(&carrier, await(&carrier, 10100)); // the count begins anew
	sim_run_for(rig->loop, 1);
	assert_string_equal(service(0), "out_of_service");
	ok(&carrier, await(&carrier, 2100));
	sim_run_for(rig->loop, 1);
	assert_string_equal(service(0), "in_service");
	assert_int_equal(call_carrier(), ERR_NONE);
	assert_starts(peer_next(&carrier), "INVITE ");
}

static void the_other_target_takes_the_calls(void **state)
{
	(void)state;
	put(new_trunk(30, "10.0.1.1:5060;priority=1 10.0.1.2:5060;priority=2"));
	host_set("10.0.1.1", false);
	run_answered(5100);
	assert_string_equal(service(0), "out_of_service");
	assert_string_equal(service(1), "in_service");
	assert_string_equal(trunk_service(), "in_service");
	assert_int_equal(call_carrier(), ERR_NONE);
	assert_starts(peer_next(&second),
		      "INVITE sip:+441444123456@10.0.1.1 SIP/2.0\n"); // at once, by the trunk's own name
}

// ---- one truth

static void what_a_call_finds_silent_is_out_until_checks_say_otherwise(void **state)
{
	(void)state;
	put(new_trunk(3600, "10.0.1.1:5060;priority=1 10.0.1.2:5060;priority=2"));
	ok(&carrier, await(&carrier, 1100));
	run_answered(1000);
	host_set("10.0.1.1", false);
	assert_int_equal(call_carrier(), ERR_NONE);
	run_answered(4010);
	assert_string_equal(service(0), "out_of_service");
	assert_string_equal(service(1), "in_service");
	second.read = second.count;
	run_answered(TARGET_DEAD_MS * 2); // no time makes it better
	assert_string_equal(service(0), "out_of_service");
	host_set("10.0.1.1", true);
	uint64_t up = now();
	carrier.read = carrier.count;
	while (strcmp(service(0), "in_service") != 0) {
		run_answered(10);
		answer_options(&carrier);
		assert_true(now() - up <= 10000 + 2000 + 100); // though the interval is an hour
	}
	assert_true(now() - up >= 2000);
}

static void without_checks_it_may_be_tried_again_after_a_while(void **state)
{
	(void)state;
	put(new_trunk(0, "10.0.1.1:5060;priority=1 10.0.1.2:5060;priority=2"));
	host_set("10.0.1.1", false);
	assert_int_equal(call_carrier(), ERR_NONE);
	sim_run_for(rig->loop, 4010);
	assert_string_equal(service(0), "out_of_service");
	sim_run_for(rig->loop, TARGET_DEAD_MS);
	assert_string_equal(service(0), "unknown");
	host_set("10.0.1.1", true);
	carrier.read = carrier.count;
	assert_int_equal(call_carrier(), ERR_NONE);
	const char *invite = peer_next(&carrier);
	assert_starts(invite, "INVITE ");
	respond(&carrier, invite, "180 Ringing", "c", "Content-Length: 0\n\n");
	sim_run_for(rig->loop, 1);
	assert_string_equal(service(0), "in_service");
}

static void two_trunks_at_one_server_agree(void **state)
{
	struct trunk *other = new_trunk(0, "");
	struct trunk_state shown;

	(void)state;
	other->entity.id = rig->trunk + 1;
	other->title = STR("Other");
	put(other);
	put(new_trunk(30, ""));
	respond(&carrier, await(&carrier, 1100), "503 Service Unavailable", "o", "Content-Length: 0\n\n");
	sim_run_for(rig->loop, 1);
	sip_endpoint_trunk_state(rig->endpoint, other->entity.id, &shown);
	assert_int_equal(shown.service, TRUNK_OUT_OF_SERVICE);
	// The one that checks goes: nobody could say that it is back.
	directory_remove(rig->directory, ENTITY_TRUNK, rig->trunk);
	sip_endpoint_trunk_changed(rig->endpoint, rig->trunk);
	sip_endpoint_trunk_state(rig->endpoint, other->entity.id, &shown);
	assert_int_equal(shown.service, TRUNK_UNKNOWN);
	assert_int_equal(sip_endpoint_count(rig->endpoint).resolver.dead, 0);
}

// ---- changes

static void a_trunk_that_is_edited_disabled_or_deleted_is_not_asked_any_more(void **state)
{
	(void)state;
	put(new_trunk(30, "10.0.1.1:5060 10.0.1.2:5060"));
	sim_run_for(rig->loop, 1100);
	put(new_trunk(30, "10.0.1.2:5060")); // while the first has yet to answer
	run_answered(33000);                 // what was sent is repeated until timer F
	carrier.read = carrier.count;
	run_answered(60000);
	peer_nothing(&carrier);
	assert_int_equal(sip_endpoint_count(rig->endpoint).trunks.targets, 1);
	struct trunk *off = new_trunk(30, "10.0.1.2:5060");
	off->enabled = false;
	put(off);
	run_answered(33000);
	second.read = second.count;
	sim_run_for(rig->loop, 60000);
	peer_nothing(&second);
	assert_int_equal(sip_endpoint_count(rig->endpoint).trunks.targets, 0);
	assert_int_equal(sip_endpoint_count(rig->endpoint).resolver.dead, 0);
}

static void a_name_that_stands_for_nothing_is_out(void **state)
{
	struct trunk_state shown;

	(void)state;
	put(new_trunk(30, "nowhere.example:5060"));
	sim_run_for(rig->loop, 5000);
	sip_endpoint_trunk_state(rig->endpoint, rig->trunk, &shown);
	assert_int_equal(shown.service, TRUNK_OUT_OF_SERVICE);
	assert_string_equal(shown.reason, "Its host stands for no address.");
	assert_int_equal(call_carrier(), ERR_TRUNK_DOWN);
}

// ---- priority and weight

static void weights_share_the_calls(void **state)
{
	unsigned first = 0;

	(void)state;
	put(new_trunk(0, "10.0.1.1:5060;priority=1;weight=75 10.0.1.2:5060;priority=1;weight=25"));
	for (unsigned i = 0; i < 400; i++) {
		carrier.count = carrier.read = second.count = second.read = 0;
		assert_int_equal(call_carrier(), ERR_NONE);
		sim_run_for(rig->loop, 1);
		assert_int_equal(carrier.count + second.count, 1);
		struct peer *peer = carrier.count ? &carrier : &second;
		first += carrier.count;
		respond(peer, peer->got[0], "486 Busy Here", "b", "Content-Length: 0\n\n");
		sim_run_for(rig->loop, 6000);
		rig->events[0] = '\0';
	}
	assert_in_range(first, 270, 330); // of 300
}

#define HEALTH_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HEALTH_TEST(options_are_whole_requests_of_their_own),
	    HEALTH_TEST(checks_come_at_the_interval_and_are_spread),
	    HEALTH_TEST(nothing_is_sent_without_an_interval),
	    HEALTH_TEST(any_final_answer_but_408_and_503_is_one),
	    HEALTH_TEST(the_round_trip_is_measured),
	    HEALTH_TEST(silence_is_out_within_one_round_and_calls_skip_it_at_once),
	    HEALTH_TEST(one_good_check_is_not_enough_two_are),
	    HEALTH_TEST(the_other_target_takes_the_calls),
	    HEALTH_TEST(what_a_call_finds_silent_is_out_until_checks_say_otherwise),
	    HEALTH_TEST(without_checks_it_may_be_tried_again_after_a_while),
	    HEALTH_TEST(two_trunks_at_one_server_agree),
	    HEALTH_TEST(a_trunk_that_is_edited_disabled_or_deleted_is_not_asked_any_more),
	    HEALTH_TEST(a_name_that_stands_for_nothing_is_out),
	    HEALTH_TEST(weights_share_the_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

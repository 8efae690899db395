// What responses say, byte by byte: what they repeat of the request, whose To tag they bear, and those sent without state.
#include "sip/stand.h"

#include <errno.h>
#include <string.h>

static void a_response_repeats_what_the_request_said_and_adds_the_rest(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, "INVITE sip:510@192.0.2.1 SIP/2.0\n"
				 "v: SIP/2.0/UDP phone.example.com ; received=10.9.9.9;x=\"a;received=b\";"
				 "rport;branch=" STAND_PEER_BRANCH " , SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKsecond\n"
				 "Via: SIP/2.0/TLS third.example.com;branch=z9hG4bKthird\n"
				 "Record-Route: <sip:192.0.2.9:5090;lr>, <sip:second.example.com;lr>\n"
				 "Record-Route: <sip:third.example.com;lr>\n"
				 "f: \"A. Phone\"\n"
				 " <sip:330@example.com> ; tag=them\n"
				 "t: sip:510@example.com\n"
				 "i: call-2\n"
				 "CSeq: 0001 INVITE\n"
				 "m: <sip:330@192.0.2.9:5090>\n"
				 "l: 0\n\n");
	assert_int_equal(sip_server_respond(stand.server, &(struct sip_response){.status = 200,
										 .reason = STR("Here I am"),
										 .to_tag = STR("us"),
										 .extra = STR("Contact: <sip:us>\r\n"),
										 .body_type = STR("application/sdp"),
										 .body = STR("v=0\r\n")}),
			 0);
	stand_run(&stand, 0);
	stand_expect_last(&stand, "SIP/2.0 200 Here I am\n"
				  "Via: SIP/2.0/UDP phone.example.com ;x=\"a;received=b\";rport=5090;"
				  "branch=" STAND_PEER_BRANCH ";received=192.0.2.9\n"
				  "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKsecond\n"
				  "Via: SIP/2.0/TLS third.example.com;branch=z9hG4bKthird\n"
				  "From: \"A. Phone\"   <sip:330@example.com> ; tag=them\n"
				  "Call-ID: call-2\n"
				  "CSeq: 0001 INVITE\n"
				  "To: sip:510@example.com;tag=us\n"
				  "Record-Route: <sip:192.0.2.9:5090;lr>, <sip:second.example.com;lr>\n"
				  "Record-Route: <sip:third.example.com;lr>\n"
				  "Contact: <sip:us>\n"
				  "Content-Type: application/sdp\n"
				  "Content-Length: 5\n\nv=0\n");
	sip_server_forget(stand.server);
	stand_run(&stand, 32000);
	stand_tear_down(&stand);
}

static void a_tag_that_is_there_stays(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, "BYE sip:510@192.0.2.1 SIP/2.0\n"
				 "Via: SIP/2.0/UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH "\n"
				 "From: <sip:330@example.com>;tag=them\nTo: <sip:510@example.com>;tag=ours\n"
				 "Call-ID: call-2\nCSeq: 2 BYE\nContent-Length: 0\n\n");
	stand_respond(&stand, 200);
	assert_non_null(strstr(stand.last, "\r\nTo: <sip:510@example.com>;tag=ours\r\n"));
	sip_server_forget(stand.server);
	stand_run(&stand, 32000);
	stand_tear_down(&stand);
}

static void a_response_without_a_tag_gets_the_one_before_or_a_made_one(void **state)
{
	struct stand stand;
	char *made;
	char tag[32];
	(void)state;

	stand_set_up_server(&stand);
	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_respond(&stand, 180);
	sip_server_forget(stand.server); // answers 500
	stand_run(&stand, 0);
	assert_non_null(strstr(stand.last, "SIP/2.0 500 "));
	assert_non_null(strstr(stand.last, "\r\nTo: <sip:510@example.com>;tag=us\r\n"));
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_run(&stand, 5000);

	stand_peer_sends(&stand, STAND_REQUEST("INVITE"));
	stand_peer_sends(&stand, STAND_REQUEST("CANCEL"));
	made = strstr(stand.last, "\r\nTo: <sip:510@example.com>;tag=");
	assert_non_null(made);
	memcpy(tag, made + 2, sizeof tag - 1);
	sip_server_forget(stand.server);
	stand_run(&stand, 0);
	assert_memory_equal(strstr(stand.last, "\r\nTo: ") + 2, tag, sizeof tag - 1);
	stand_run(&stand, 32000);
	stand_tear_down(&stand);
}

static void a_response_too_large_to_send_leaves_the_machine_as_it_was(void **state)
{
	struct stand stand;
	static char body[SIP_MESSAGE_MAX];
	struct sip_response response = {.status = 200, .body_type = STR("text/plain"), .body = {body, sizeof body}};
	(void)state;

	stand_set_up_server(&stand);
	memset(body, 'x', sizeof body);
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	assert_int_equal(sip_server_respond(stand.server, &response), -EMSGSIZE);
	stand_respond(&stand, 500);
	stand_run(&stand, 32000);
	stand_expect(&stand, "0 new OPTIONS\n0 peer < 500 OPTIONS\n32000 user: ended\n");
	stand_tear_down(&stand);
}

// ---- without a transaction

static void answer_stateless(struct stand *stand, const struct flow *from, const struct sip_message *request)
{
	sip_respond_stateless(stand->transactions, from, request, &(struct sip_response){.status = 404});
}

static void stateless_answers_are_the_same_each_time(void **state)
{
	struct stand stand;
	char first[2048];
	(void)state;

	stand_set_up(&stand);
	stand.on_request = answer_stateless;
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	memcpy(first, stand.last, stand.last_size + 1);
	stand_peer_sends(&stand, STAND_REQUEST("OPTIONS"));
	assert_string_equal(stand.last, first);
	assert_non_null(strstr(first, "\r\nTo: <sip:510@example.com>;tag="));
	stand_peer_sends(&stand, STAND_REQUEST("ACK"));
	stand_expect(&stand, "0 peer < 404 OPTIONS\n0 peer < 404 OPTIONS\n");
	stand_tear_down(&stand);
}

static void a_broken_request_is_answered_with_what_it_has(void **state)
{
	struct stand stand;
	(void)state;

	stand_set_up(&stand);
	stand_peer_sends(&stand, "OPTIONS sip:510@192.0.2.1 SIP/2.0\n"
				 "Via: SIP/2.0/UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH "\n"
				 "To: <sip:510@example.com>\n"
				 "CSeq: 1 OPTIONS\nContent-Length: 0\n\n");
	// No From, no Call-ID: the peer of this test cannot parse it either, and that is its own doing.
	assert_memory_equal(stand.last, "SIP/2.0 400 ", 12);
	assert_non_null(strstr(stand.last,
			       "\r\nVia: SIP/2.0/UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH "\r\nCSeq: 1 OPTIONS\r\n"
			       "To: <sip:510@example.com>;tag="));
	stand_tear_down(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_response_repeats_what_the_request_said_and_adds_the_rest),
	    cmocka_unit_test(a_tag_that_is_there_stays),
	    cmocka_unit_test(a_response_without_a_tag_gets_the_one_before_or_a_made_one),
	    cmocka_unit_test(a_response_too_large_to_send_leaves_the_machine_as_it_was),
	    cmocka_unit_test(stateless_answers_are_the_same_each_time),
	    cmocka_unit_test(a_broken_request_is_answered_with_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

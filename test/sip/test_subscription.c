// Subscriptions spoken to in raw SIP: the desk phone 330 of Jane (510) watches Bob (511), who has the softphone 821.
#include "sip/legs.h"

#include <string.h>

static struct user *person(uint64_t id, const char *extension, const char *title, uint64_t device)
{
	struct user *user = (struct user *)entity_new(ENTITY_USER, &rig->arena);
	static struct turn_plan turns[10];

	turns[id] = (struct turn_plan){.device_id = device, .ring_s = 20};
	user->entity.id = id;
	user->name = user->title = str_of(title);
	user->extension = str_of(extension);
	user->turns = &turns[id];
	user->turn_count = 1;
	assert_int_equal(directory_put(rig->directory, &user->entity), ERR_NONE);
	return user;
}

static struct user *bob;

static int start(void **state)
{
	legs_start(state);
	person(4, "510", "Jane", rig->desk);
	bob = person(5, "511", "Bob", rig->soft);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, legs_stop)

static unsigned branches;

static void send_subscribe(const char *uri, const char *to, unsigned cseq, const char *lines, const char *password)
{
	peer_send(&desk,
		  "SUBSCRIBE %s SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKs%u;rport\n"
		  "Max-Forwards: 70\nFrom: <sip:330@example.com>;tag=f\nTo: %s\nCall-ID: sub-1\nCSeq: %u SUBSCRIBE\n"
		  "%s%sContent-Length: 0\n\n",
		  uri, branches++, to, cseq, lines, password);
}

// Sends it, answers the challenge; gives the answer.
static const char *subscribe_as(const char *uri, const char *to, unsigned cseq, const char *lines)
{
	struct login login = {"330", "secret", "SUBSCRIBE", uri};

	send_subscribe(uri, to, cseq, lines, "");
	const char *challenge = peer_next(&desk);
	if (strncmp(challenge, "SIP/2.0 401", 11) != 0)
		return challenge;
	send_subscribe(uri, to, cseq + 1, lines, authorization(rig, challenge, &login));
	return peer_next(&desk);
}

#define CONTACT "Contact: <sip:330@10.0.0.2:5060>\n"
#define DIALOG  "Event: dialog\n" CONTACT

static const char *subscribe(unsigned cseq, const char *lines)
{
	return subscribe_as("sip:511@example.com", "<sip:511@example.com>", cseq, lines);
}

// Within the dialog that this answer made.
static const char *again(const char *answered, unsigned cseq, const char *lines)
{
	return subscribe_as("sip:carillon@10.0.0.1:5060", header_of(rig, answered, "To"), cseq, lines);
}

static const char *next_notify(const char *state)
{
	const char *notify = peer_next(&desk);
	assert_starts(notify, "NOTIFY sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_starts(header_of(rig, notify, "Subscription-State"), state);
	return notify;
}

static void accept_notify(const char *state)
{
	respond(&desk, next_notify(state), "200 OK", "", "");
}

static unsigned subscriptions(void)
{
	return sip_endpoint_count(rig->endpoint).subscriptions;
}

static void ring_bob(uint64_t call)
{
	rig->lamp[0] = (struct lamp_call){
	    .call = call, .state = LAMP_EARLY, .called = true, .other_number = STR("512"), .other_name = STR("Carol")};
	rig->lamp_count = 1;
	rig_lamp_changed(rig);
}

static void silence_bob(void)
{
	rig->lamp_count = 0;
	rig_lamp_changed(rig);
}

// ---- the bytes

static void a_lamp_is_watched(void **state)
{
	(void)state;
	const char *answered = subscribe(1, DIALOG "Expires: 600\nAccept: application/dialog-info+xml\n");
	assert_string_equal(masked(rig, answered),
			    text_of(rig,
				    "SIP/2.0 200 OK\n"
				    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKs%u;rport=5060;received=10.0.0.2\n"
				    "From: <sip:330@example.com>;tag=TAG\nCall-ID: sub-1\nCSeq: 2 SUBSCRIBE\n"
				    "To: <sip:511@example.com>;tag=TAG\nExpires: 600\n"
				    "Contact: <sip:carillon@10.0.0.1:5060>\nContent-Length: 0\n\n",
				    branches - 1));
	const char *notify = next_notify("active;expires=600");
	assert_string_equal(header_of(rig, notify, "To"), "<sip:330@example.com>;tag=f");
	assert_string_equal(header_of(rig, notify, "From"), header_of(rig, answered, "To"));
	assert_string_equal(
	    masked(rig, notify),
	    "NOTIFY sip:330@10.0.0.2:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=BRANCH\n"
	    "Max-Forwards: 70\nFrom: <sip:511@example.com>;tag=TAG\nTo: <sip:330@example.com>;tag=TAG\n"
	    "Call-ID: CALLID\nCSeq: 1 NOTIFY\nContact: <sip:carillon@10.0.0.1:5060>\n"
	    "Event: dialog\nSubscription-State: active;expires=600\n" AGENT
	    "Content-Type: application/dialog-info+xml\nContent-Length: 208\n\n"
	    "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" "
	    "state=\"full\" entity=\"sip:511@example.com\">\n"
	    "<dialog id=\"511\">\n<state>terminated</state>\n</dialog>\n</dialog-info>\n");
	respond(&desk, notify, "200 OK", "", "");
	sim_run_for(rig->loop, 2000);
	peer_nothing(&desk);

	ring_bob(17);
	notify = next_notify("active;expires=5");
	assert_string_equal(header_of(rig, notify, "CSeq"), "2 NOTIFY");
	assert_has(notify, "version=\"1\"");
	assert_has(notify, "<dialog id=\"17\" direction=\"recipient\">\n<state>early</state>\n");
	assert_has(notify, "<identity display=\"Bob\">sip:511@example.com</identity>");
	assert_has(notify, "<identity display=\"Carol\">sip:512@example.com</identity>");
	respond(&desk, notify, "200 OK", "", "");
	silence_bob();
	sim_run_for(rig->loop, 1000);
	assert_has(next_notify("active"), "<state>terminated</state>");
	assert_int_equal(subscriptions(), 1);
}

static void messages_are_answered_politely(void **state)
{
	(void)state;
	const char *answered =
	    subscribe_as("sip:330@example.com", "<sip:330@example.com>", 1, "Event: message-summary;id=4\n" CONTACT);
	assert_starts(answered, "SIP/2.0 200 OK\n");
	assert_string_equal(header_of(rig, answered, "Expires"), "3600");
	const char *notify = next_notify("active;expires=3600");
	assert_string_equal(header_of(rig, notify, "Event"), "message-summary;id=4");
	assert_string_equal(header_of(rig, notify, "Content-Type"), "application/simple-message-summary");
	assert_string_equal(strstr(notify, "\n\n") + 2, "Messages-Waiting: no\nMessage-Account: sip:330@example.com\n");
	respond(&desk, notify, "200 OK", "", "");
	answered = subscribe_as("sip:511@example.com", "<sip:511@example.com>", 5, "Event: message-summary\n" CONTACT);
	assert_starts(answered, "SIP/2.0 403 ");
}

static void a_phone_is_told_where_to_pick_up(void **state)
{
	(void)state;
	subscribe(1, DIALOG);
	accept_notify("active");
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft);
	respond(&soft, invite, "180 Ringing", "s1", "");
	sim_run_for(rig->loop, 2000);
	ring_bob(17);
	rig->lamp[0].session = session;
	const char *notify = next_notify("active");
	const char *tag = strstr(header_of(rig, invite, "From"), ";tag=") + 5;
	assert_has(notify, text_of(rig, "<dialog id=\"17\" call-id=\"%s\" local-tag=\"%s\" remote-tag=\"s1\" ",
				   header_of(rig, invite, "Call-ID"), tag));
	rig->signalling->cancel(rig->signalling->context, session, LEG_END_NORMAL, STR_NONE);
}

// ---- who, what, how long

static void what_is_refused(void **state)
{
	(void)state;
	assert_starts(subscribe(1, "Event: presence\n" CONTACT), "SIP/2.0 489 Bad Event\n");
	assert_string_equal(header_of(rig, subscribe(3, CONTACT), "Allow-Events"), "dialog, message-summary");
	const char *brief = subscribe(5, DIALOG "Expires: 59\n");
	assert_starts(brief, "SIP/2.0 423 ");
	assert_string_equal(header_of(rig, brief, "Min-Expires"), "60");
	peer_send_bytes(&desk, rig->last_sent); // the answer was lost
	assert_string_equal(peer_next(&desk), brief);
	assert_starts(subscribe(7, DIALOG "Accept: text/plain\n"), "SIP/2.0 406 ");
	assert_starts(subscribe(9, "Event: dialog\n"), "SIP/2.0 400 Contact is missing\n");
	assert_starts(subscribe_as("sip:599@example.com", "<sip:599@example.com>", 11, DIALOG), "SIP/2.0 404 ");
	assert_starts(again("SIP/2.0 200 OK\nTo: <sip:511@example.com>;tag=gone\n", 13, DIALOG), "SIP/2.0 481 ");
	directory_remove(rig->directory, ENTITY_USER, 4); // nobody holds the desk phone any more
	assert_starts(subscribe(15, DIALOG), "SIP/2.0 403 ");
	peer_nothing(&desk);
	assert_int_equal(subscriptions(), 0);
}

static void one_look_and_no_more(void **state)
{
	(void)state;
	const char *answered = subscribe(1, DIALOG "Expires: 0\n");
	assert_starts(answered, "SIP/2.0 200 OK\n");
	assert_string_equal(header_of(rig, answered, "Expires"), "0");
	accept_notify("terminated;reason=timeout");
	sim_run_for(rig->loop, 10);
	assert_int_equal(subscriptions(), 0);
}

static void it_is_prolonged_and_given_up(void **state)
{
	(void)state;
	const char *answered = subscribe(1, DIALOG "Expires: 100\n");
	accept_notify("active;expires=100");
	sim_run_for(rig->loop, 90000);
	assert_starts(again(answered, 3, DIALOG "Expires: 100\n"), "SIP/2.0 200 OK\n");
	accept_notify("active;expires=100");
	sim_run_for(rig->loop, 90000);
	assert_int_equal(subscriptions(), 1);
	// A repetition of what was is out of order; another event is not this one.
	assert_starts(again(answered, 3, DIALOG "Expires: 100\n"), "SIP/2.0 500 ");
	assert_starts(again(answered, 5, "Event: message-summary\n" CONTACT), "SIP/2.0 481 ");
	assert_starts(again(answered, 7, DIALOG "Expires: 0\n"), "SIP/2.0 200 OK\n");
	accept_notify("terminated;reason=timeout");
	sim_run_for(rig->loop, 10);
	assert_int_equal(subscriptions(), 0);
}

static void it_ends_by_itself(void **state)
{
	(void)state;
	subscribe(1, DIALOG "Expires: 100\n");
	accept_notify("active;expires=100");
	sim_run_for(rig->loop, 100000);
	accept_notify("terminated;reason=timeout");
	sim_run_for(rig->loop, 10);
	assert_int_equal(subscriptions(), 0);
	ring_bob(1);
	peer_nothing(&desk);
}

// ---- how often

static void changes_are_told_once_a_second_the_last_one_always(void **state)
{
	(void)state;
	subscribe(1, DIALOG);
	accept_notify("active");
	for (uint64_t i = 1; i <= 20; i++) {
		ring_bob(i);
		sim_run_for(rig->loop, 20);
	}
	peer_nothing(&desk); // 400 ms since the first NOTIFY
	sim_run_for(rig->loop, 600);
	assert_has(next_notify("active"), "<dialog id=\"20\" ");
	// It is not answered: the next one waits, however much there is to tell.
	ring_bob(21);
	sim_run_for(rig->loop, 2000);
	while (desk.read < desk.count)
		assert_has(peer_next(&desk), "<dialog id=\"20\" ");
	respond(&desk, desk.got[desk.count - 1], "200 OK", "", "");
	assert_has(next_notify("active"), "<dialog id=\"21\" ");
}

static void what_looks_the_same_is_not_told_again(void **state)
{
	(void)state;
	subscribe(1, DIALOG);
	accept_notify("active");
	sim_run_for(rig->loop, 2000);
	rig_lamp_changed(rig);
	sim_run_for(rig->loop, 2000);
	peer_nothing(&desk);
}

// ---- ends that nobody asked for

static void a_phone_that_knows_nothing_of_it_is_forgotten(void **state)
{
	(void)state;
	subscribe(1, DIALOG);
	respond(&desk, next_notify("active"), "481 Unknown", "", "");
	sim_run_for(rig->loop, 10);
	assert_int_equal(subscriptions(), 0);
	subscribe(5, DIALOG);
	next_notify("active");
	sim_run_for(rig->loop, 40000); // no answer at all
	assert_int_equal(subscriptions(), 0);
}

static void an_extension_that_is_no_more(void **state)
{
	(void)state;
	subscribe(1, DIALOG);
	accept_notify("active");
	bob->extension = STR("599");
	directory_put(rig->directory, &bob->entity);
	rig_lamp_changed(rig);
	sim_run_for(rig->loop, 1000);
	accept_notify("terminated;reason=noresource");
	sim_run_for(rig->loop, 10);
	assert_int_equal(subscriptions(), 0);
}

static void a_device_that_is_no_more(void **state)
{
	(void)state;
	const char *answered = subscribe(1, DIALOG);
	accept_notify("active");
	sip_endpoint_device_ended(rig->endpoint, rig->desk);
	const char *notify = next_notify("terminated;reason=rejected");
	assert_starts(again(answered, 3, DIALOG), "SIP/2.0 481 ");
	respond(&desk, notify, "200 OK", "", "");
	sim_run_for(rig->loop, 10);
	assert_int_equal(subscriptions(), 0);
}

static void the_server_stops(void **state)
{
	(void)state;
	subscribe(1, DIALOG);
	accept_notify("active");
	sip_endpoint_stop(rig->endpoint);
	const char *notify = next_notify("terminated;reason=probation;retry-after=10");
	assert_string_equal(header_of(rig, notify, "Content-Length"), "0");
	assert_int_equal(subscriptions(), 0);
}

static void a_phone_that_was_restarted_counts_once(void **state)
{
	(void)state;
	subscribe(1, DIALOG);
	accept_notify("active");
	struct login login = {"330", "secret", "SUBSCRIBE", "sip:511@example.com"};
	const char *credentials = "";
	for (int i = 1; i <= 2; i++) {
		peer_send(
		    &desk,
		    "SUBSCRIBE sip:511@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKr%d;rport\n"
		    "Max-Forwards: 70\nFrom: <sip:330@example.com>;tag=f2\nTo: <sip:511@example.com>\n"
		    "Call-ID: sub-2\nCSeq: %d SUBSCRIBE\n" DIALOG "%sContent-Length: 0\n\n",
		    i, i, credentials);
		if (i == 1)
			credentials = authorization(rig, peer_next(&desk), &login);
	}
	assert_starts(peer_next(&desk), "SIP/2.0 200 OK\n");
	accept_notify("active");
	assert_int_equal(subscriptions(), 1);
}

static void there_are_only_so_many(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 201; i++) {
		struct login login = {"330", "secret", "SUBSCRIBE", "sip:330@example.com"};
		const char *lines = text_of(rig, "Event: message-summary;id=%u\n" CONTACT, i);
		send_subscribe("sip:330@example.com", "<sip:330@example.com>", 2 * i + 1, lines, "");
		const char *credentials = authorization(rig, peer_next(&desk), &login);
		send_subscribe("sip:330@example.com", "<sip:330@example.com>", 2 * i + 2, lines, credentials);
		const char *answered = peer_next(&desk);
		assert_starts(answered, i < 200 ? "SIP/2.0 200 " : "SIP/2.0 503 ");
		if (i < 200)
			accept_notify("active");
		else
			assert_string_equal(header_of(rig, answered, "Retry-After"), "300");
		desk.read = desk.count = 0;
	}
	assert_int_equal(subscriptions(), 200);
	assert_int_equal(sip_endpoint_count(rig->endpoint).refused_subscriptions, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_lamp_is_watched),
	    TEST(messages_are_answered_politely),
	    TEST(a_phone_is_told_where_to_pick_up),
	    TEST(what_is_refused),
	    TEST(one_look_and_no_more),
	    TEST(it_is_prolonged_and_given_up),
	    TEST(it_ends_by_itself),
	    TEST(changes_are_told_once_a_second_the_last_one_always),
	    TEST(what_looks_the_same_is_not_told_again),
	    TEST(a_phone_that_knows_nothing_of_it_is_forgotten),
	    TEST(an_extension_that_is_no_more),
	    TEST(a_device_that_is_no_more),
	    TEST(the_server_stops),
	    TEST(a_phone_that_was_restarted_counts_once),
	    TEST(there_are_only_so_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

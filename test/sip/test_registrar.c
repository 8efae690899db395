// The registrar, spoken to in raw SIP over the simulated network, with a store that can wait and fail.
#include "lib/failing_allocator.h"
#include "sip/rig.h"

#include <string.h>

#define CONTACT "Contact: <sip:330@10.0.0.2:5060>\n"

static struct rig *rig;
static struct peer phone;

static int start(void **state)
{
	(void)state;
	rig = rig_start(0);
	peer_open(&phone, rig, "10.0.0.2", 5060);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	peer_close(&phone);
	rig_stop(rig);
	return 0;
}

static const struct binding *only_binding(void)
{
	const struct list *bindings = registrations_of(rig->registrations, rig->desk);
	assert_non_null(bindings);
	assert_ptr_equal(bindings->next->next, bindings);
	return container_of(bindings->next, struct binding, node);
}

static unsigned bindings_count(void)
{
	return (unsigned)registrations_count(rig->registrations);
}

static void a_registration_is_challenged_then_listed(void **state)
{
	(void)state;
	peer_send(&phone, "REGISTER sip:example.com SIP/2.0\n"
			  "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa;rport\n"
			  "From: <sip:330@example.com>;tag=f\n"
			  "To: <sip:330@example.com>\n"
			  "Call-ID: c1\nCSeq: 1 REGISTER\nMax-Forwards: 70\n" CONTACT "Content-Length: 0\n\n");
	assert_string_equal(
	    masked(rig, peer_next(&phone)),
	    "SIP/2.0 401 Unauthorized\n"
	    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa;rport=5060;received=10.0.0.2\n"
	    "From: <sip:330@example.com>;tag=TAG\n"
	    "Call-ID: c1\n"
	    "CSeq: 1 REGISTER\n"
	    "To: <sip:330@example.com>;tag=TAG\n"
	    "WWW-Authenticate: Digest realm=\"carillon\", nonce=\"NONCE\", algorithm=SHA-256, qop=\"auth\"\n"
	    "WWW-Authenticate: Digest realm=\"carillon\", nonce=\"NONCE\", algorithm=MD5, qop=\"auth\"\n"
	    "Content-Length: 0\n\n");
	const char *answer = peer_register(&phone, "330", 2, "Contact: <sip:330@10.0.0.2:5060>;q=0.5;expires=600\n");
	assert_starts(answer, "SIP/2.0 200 OK\n");
	assert_string_equal(header_of(rig, answer, "Contact"), "<sip:330@10.0.0.2:5060>;expires=600;q=0.500");
	assert_string_equal(header_of(rig, answer, "Date"), "Mon, 01 Jan 2024 00:00:00 GMT");
	assert_int_equal(only_binding()->q, 500);
	assert_false(only_binding()->behind_nat);
}

static void the_answer_waits_for_the_disk(void **state)
{
	(void)state;
	rig->store = STORE_WAITS;
	assert_string_equal(peer_register(&phone, "330", 1, CONTACT), "");
	assert_int_equal(rig->write_count, 1);
	assert_int_equal(bindings_count(), 0);
	rig_store_answer(rig, ERR_NONE);
	assert_starts(peer_next(&phone), "SIP/2.0 200 OK\n");
	assert_int_equal(bindings_count(), 1);
}

static void a_repetition_meanwhile_is_absorbed(void **state)
{
	(void)state;
	rig->store = STORE_WAITS;
	assert_string_equal(peer_register(&phone, "330", 1, CONTACT), "");
	peer_send_bytes(&phone, rig->last_sent);
	peer_send_bytes(&phone, rig->last_sent);
	assert_int_equal(rig->write_count, 1);
	peer_nothing(&phone);
	rig_store_answer(rig, ERR_NONE);
	const char *answer = peer_next(&phone);
	assert_starts(answer, "SIP/2.0 200 OK\n");
	peer_send_bytes(&phone, rig->last_sent); // the answer was lost
	assert_string_equal(peer_next(&phone), answer);
	assert_int_equal(rig->write_count, 0);
}

static struct registration_write *taken;

static void take_and_lose_memory(void *context, struct registration_write *write)
{
	(void)context;
	taken = write;
	failing_allocator_arm(1);
}

static void who_there_is_no_memory_to_wait_for_is_refused(void **state)
{
	(void)state;
	rig->records.save_registration = take_and_lose_memory;
	const char *answer = peer_register(&phone, "330", 1, CONTACT);
	assert_true(failing_allocator_disarm());
	assert_starts(answer, "SIP/2.0 503 ");
	assert_string_equal(header_of(rig, answer, "Retry-After"), "5");
	taken->err = ERR_NONE;
	taken->done(taken);
	peer_nothing(&phone);
	assert_int_equal(bindings_count(), 1);
}

static void a_device_deleted_while_it_registers_gets_an_answer(void **state)
{
	(void)state;
	rig->store = STORE_WAITS;
	assert_string_equal(peer_register(&phone, "330", 1, CONTACT), "");
	directory_remove(rig->directory, ENTITY_DEVICE, rig->desk);
	registrations_forget(rig->registrations, rig->desk);
	while (rig->write_count > 0)
		rig_store_answer(rig, ERR_NONE);
	assert_starts(peer_next(&phone), "SIP/2.0 ");
	assert_int_equal(bindings_count(), 0);
	rig->store = STORE_AT_ONCE;
	assert_starts(peer_register(&phone, "330", 2, CONTACT), "SIP/2.0 401 ");
}

static void a_full_disk_is_503_and_changes_nothing(void **state)
{
	(void)state;
	rig->store = STORE_FAILS;
	const char *answer = peer_register(&phone, "330", 1, CONTACT);
	assert_starts(answer, "SIP/2.0 503 ");
	assert_string_equal(header_of(rig, answer, "Retry-After"), "5");
	assert_int_equal(bindings_count(), 0);
	rig->store = STORE_AT_ONCE;
	assert_starts(peer_register(&phone, "330", 2, CONTACT), "SIP/2.0 200 OK\n");
}

static void an_unknown_device_and_a_wrong_password_look_the_same(void **state)
{
	static const char *const users[][2] = {{"330", "wrong"}, {"999", "secret"}};
	const char *answers[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		for (int attempt = 0; attempt < 2; attempt++) {
			struct login login = {users[i][0], users[i][1], "REGISTER", "sip:example.com"};
			peer_send(&phone,
				  "REGISTER sip:example.com SIP/2.0\n"
				  "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKu%d%d;rport\n"
				  "From: <sip:330@example.com>;tag=f\nTo: <sip:330@example.com>\n"
				  "Call-ID: c\nCSeq: %d REGISTER\n" CONTACT "%sContent-Length: 0\n\n",
				  0, attempt, attempt + 1, attempt ? authorization(rig, answers[i], &login) : "");
			answers[i] = peer_next(&phone);
			assert_starts(answers[i], "SIP/2.0 401 ");
		}
	}
	assert_string_equal(masked(rig, answers[0]), masked(rig, answers[1]));
	assert_lacks(answers[0], "stale");
	assert_int_equal(sip_endpoint_count(rig->endpoint).refused_authentication, 2);
	assert_int_equal(bindings_count(), 0);
}

static void nobody_registers_for_another(void **state)
{
	struct login login = {"821", "secret", "REGISTER", "sip:example.com"};
	static const char text[] = "REGISTER sip:example.com SIP/2.0\n"
				   "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKo%d;rport\n"
				   "From: <sip:821@example.com>;tag=f\nTo: <sip:330@example.com>\n"
				   "Call-ID: c\nCSeq: %d REGISTER\n" CONTACT "%sContent-Length: 0\n\n";
	(void)state;
	peer_send(&phone, text, 1, 1, "");
	peer_send(&phone, text, 2, 2, authorization(rig, peer_next(&phone), &login));
	assert_starts(peer_next(&phone), "SIP/2.0 403 ");
	assert_int_equal(bindings_count(), 0);
}

static void a_trunks_address_registers_nothing(void **state)
{
	struct peer carrier;
	(void)state;
	peer_open(&carrier, rig, "10.0.1.1", 5060);
	peer_send(&carrier, "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKt;rport\n"
			    "From: <sip:330@example.com>;tag=f\nTo: <sip:330@example.com>\n"
			    "Call-ID: c\nCSeq: 1 REGISTER\n" CONTACT "Content-Length: 0\n\n");
	assert_starts(peer_next(&carrier), "SIP/2.0 401 ");
	peer_close(&carrier);
}

static void a_proxy_that_authenticates_is_believed_about_devices_there_are(void **state)
{
	static const char text[] =
	    "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bKv%u;rport\n"
	    "From: <sip:%s@example.com>;tag=f\nTo: <sip:%s@example.com>\n"
	    "Call-ID: v\nCSeq: %u REGISTER\n" CONTACT "Content-Length: 0\n\n";
	struct peer proxy, neighbour;
	(void)state;
	peer_open(&proxy, rig, "10.0.3.7", 5060);
	peer_open(&neighbour, rig, "10.0.4.7", 5060);
	peer_send(&neighbour, text, "10.0.4.7", 1, "330", "330", 1);
	assert_starts(peer_next(&neighbour), "SIP/2.0 401 ");
	peer_send(&proxy, text, "10.0.3.7", 2, "999", "999", 2);
	assert_starts(peer_next(&proxy), "SIP/2.0 401 "); // there is no such device, and nobody else is told so either
	peer_send(&proxy, text, "10.0.3.7", 3, "821", "330", 3);
	assert_starts(peer_next(&proxy), "SIP/2.0 403 ");
	assert_int_equal(bindings_count(), 0);
	peer_send(&proxy, text, "10.0.3.7", 4, "330", "330", 4);
	assert_starts(peer_next(&proxy), "SIP/2.0 200 OK\n");
	assert_int_equal(only_binding()->device_id, rig->desk);
	// Credentials that come along are looked at all the same.
	struct login login = {"330", "wrong", "REGISTER", "sip:example.com"};
	peer_send(&neighbour, text, "10.0.4.7", 5, "330", "330", 5);
	const char *challenge = peer_next(&neighbour);
	peer_send(&proxy,
		  "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.3.7:5060;branch=z9hG4bKw;rport\n"
		  "From: <sip:330@example.com>;tag=f\nTo: <sip:330@example.com>\n"
		  "Call-ID: w\nCSeq: 6 REGISTER\n" CONTACT "%sContent-Length: 0\n\n",
		  authorization(rig, challenge, &login));
	assert_starts(peer_next(&proxy), "SIP/2.0 401 ");
	peer_close(&proxy);
	peer_close(&neighbour);
}

static void too_short_is_refused_and_too_long_is_cut(void **state)
{
	(void)state;
	const char *answer = peer_register(&phone, "330", 1, CONTACT "Expires: 59\n");
	assert_starts(answer, "SIP/2.0 423 ");
	assert_string_equal(header_of(rig, answer, "Min-Expires"), "60");
	peer_send_bytes(&phone, rig->last_sent); // the answer was lost, and its digest is used up
	assert_string_equal(peer_next(&phone), answer);
	answer = peer_register(&phone, "330", 2, CONTACT "Expires: 99999\n");
	assert_has(answer, "<sip:330@10.0.0.2:5060>;expires=7200\n");
	// The parameter wins over the header; what is no number is an hour (RFC 3261 section 10.2.1.1).
	answer = peer_register(&phone, "330", 3, "Contact: <sip:330@10.0.0.2:5060>;expires=120\nExpires: 600\n");
	assert_has(answer, ";expires=120\n");
	answer = peer_register(&phone, "330", 4, "Contact: <sip:330@10.0.0.2:5060>;expires=soon\n");
	assert_has(answer, ";expires=3600\n");
	answer = peer_register(&phone, "330", 5, CONTACT);
	assert_has(answer, ";expires=3600\n");
}

static void a_contact_with_expires_0_goes(void **state)
{
	(void)state;
	peer_register(&phone, "330", 1, CONTACT "Contact: <sip:330@10.0.0.3>\n");
	assert_int_equal(bindings_count(), 2);
	const char *answer = peer_register(&phone, "330", 2, "Contact: <sip:330@10.0.0.3>;expires=0\n");
	assert_starts(answer, "SIP/2.0 200 OK\n");
	assert_string_equal(header_of(rig, answer, "Contact"), "<sip:330@10.0.0.2:5060>;expires=3600");
	assert_int_equal(bindings_count(), 1);
}

static void a_star_removes_all_and_only_with_expires_0(void **state)
{
	(void)state;
	peer_register(&phone, "330", 1, CONTACT "Contact: <sip:330@10.0.0.3>\n");
	assert_starts(peer_register(&phone, "330", 2, "Contact: *\nExpires: 60\n"), "SIP/2.0 400 ");
	assert_starts(peer_register(&phone, "330", 3, "Contact: *\n"), "SIP/2.0 400 ");
	assert_starts(peer_register(&phone, "330", 4, "Contact: *\n" CONTACT "Expires: 0\n"), "SIP/2.0 400 ");
	assert_int_equal(bindings_count(), 2);
	const char *answer = peer_register(&phone, "330", 5, "Contact: *\nExpires: 0\n");
	assert_starts(answer, "SIP/2.0 200 OK\n");
	assert_string_equal(header_of(rig, answer, "Contact"), "");
	assert_int_equal(bindings_count(), 0);
}

static void without_a_contact_it_only_asks(void **state)
{
	(void)state;
	peer_register(&phone, "330", 1, CONTACT);
	const char *answer = peer_register(&phone, "330", 2, "");
	assert_starts(answer, "SIP/2.0 200 OK\n");
	assert_string_equal(header_of(rig, answer, "Contact"), "<sip:330@10.0.0.2:5060>;expires=3600");
}

static void an_older_request_of_the_same_call_id_is_refused(void **state)
{
	(void)state;
	peer_register(&phone, "330", 5, CONTACT);
	assert_starts(peer_register(&phone, "330", 4, "Contact: <sip:330@10.0.0.2:5060>;expires=0\n"), "SIP/2.0 500 ");
	assert_int_equal(bindings_count(), 1);
}

static void a_contact_behind_nat_is_reached_where_it_came_from(void **state)
{
	(void)state;
	const char *answer = peer_register(&phone, "330", 1, "Contact: <sip:330@192.168.1.5:5062>\n");
	assert_has(answer, "<sip:330@192.168.1.5:5062>;expires=3600\n"); // the phone finds its own Contact again
	const struct binding *binding = only_binding();
	assert_true(binding->behind_nat);
	assert_int_equal(binding->flow.remote.port, 5060);
	assert_int_equal(binding->flow.remote.bytes[0], 10);
}

static void behind_a_proxy_its_path_is_the_way_not_the_connection(void **state)
{
	(void)state;
	peer_register(&phone, "330", 1,
		      "Contact: <sip:330@x7.invalid>\nPath: <sip:10.0.0.2:5070;transport=tcp;lr>, <sip:10.9.9.9;lr>\n");
	assert_false(only_binding()->behind_nat);
	peer_register(&phone, "330", 2,
		      "Contact: <sip:330@x7.invalid>\nPath: <sip:192.168.1.9;lr>\n"); // a proxy behind NAT
	assert_true(only_binding()->behind_nat);
}

static void instance_and_reg_id_come_back(void **state)
{
	(void)state;
	const char *answer = peer_register(
	    &phone, "330", 1,
	    "Contact: "
	    "<sip:330@10.0.0.2:5060>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1\n");
	assert_has(answer, ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1\n");
}

static void a_path_is_kept_and_comes_back(void **state)
{
	(void)state;
	const char *answer = peer_register(
	    &phone, "330", 1, CONTACT "Supported: path\nPath: <sip:10.0.0.9;lr>\nPath: <sip:10.0.0.8;lr>\n");
	assert_string_equal(header_of(rig, answer, "Path"), "<sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>");
	assert_true(str_equal(only_binding()->path, STR("<sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>")));
}

static void zero_octets_make_two_contacts(void **state)
{
	(void)state;
	const char *answer =
	    peer_register(&phone, "330", 1, "Contact: <sip:%00@10.0.0.2>\nContact: <sip:%00%00@10.0.0.2>\n");
	assert_has(answer, "Contact: <sip:%00@10.0.0.2>;");
	assert_has(answer, "Contact: <sip:%00%00@10.0.0.2>;");
	assert_int_equal(bindings_count(), 2);
}

static void parameters_belong_where_they_stand(void **state)
{
	(void)state;
	peer_register(&phone, "330", 1, "Contact: sip:330@10.0.0.2;unknownparam\n");
	assert_true(str_equal(only_binding()->contact, STR("sip:330@10.0.0.2")));
	peer_register(&phone, "330", 2, "Contact: *\nExpires: 0\n");
	peer_register(&phone, "330", 3, "Contact: <sip:330@10.0.0.2;unknownparam>\n");
	assert_true(str_equal(only_binding()->contact, STR("sip:330@10.0.0.2;unknownparam")));
	peer_register(&phone, "330", 4, "Contact: *\nExpires: 0\n");
	peer_register(&phone, "330", 5, "Contact: <sip:330@10.0.0.2?Route=%3Csip:sip.example.com%3E>\n");
	assert_true(str_equal(only_binding()->contact, STR("sip:330@10.0.0.2?Route=%3Csip:sip.example.com%3E")));
}

static void what_cannot_be_a_contact_is_refused(void **state)
{
	static const char *const contacts[] = {
	    "Contact: sip:330@10.0.0.2?Route=%3Csip:sip.example.com%3E\n",
	    "Contact: <mailto:330@example.com>\n",
	    "Contact: <sip:330@10.0.0.2>;q=2\n",
	    "Contact: <sip:330@10.0.0.2\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof contacts / sizeof *contacts; i++)
		assert_starts(peer_register(&phone, "330", (unsigned)i + 1, contacts[i]), "SIP/2.0 400 ");
	assert_int_equal(bindings_count(), 0);
}

static void ten_contacts_at_most(void **state)
{
	char lines[1024] = "";
	(void)state;
	for (int i = 0; i < 11; i++)
		strcat(lines, text_of(rig, "Contact: <sip:330@10.0.0.2:%d>\n", 6000 + i));
	assert_starts(peer_register(&phone, "330", 1, lines), "SIP/2.0 400 ");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
	    T(a_registration_is_challenged_then_listed),
	    T(the_answer_waits_for_the_disk),
	    T(a_repetition_meanwhile_is_absorbed),
	    T(who_there_is_no_memory_to_wait_for_is_refused),
	    T(a_device_deleted_while_it_registers_gets_an_answer),
	    T(a_full_disk_is_503_and_changes_nothing),
	    T(an_unknown_device_and_a_wrong_password_look_the_same),
	    T(nobody_registers_for_another),
	    T(a_trunks_address_registers_nothing),
	    T(a_proxy_that_authenticates_is_believed_about_devices_there_are),
	    T(too_short_is_refused_and_too_long_is_cut),
	    T(a_contact_with_expires_0_goes),
	    T(a_star_removes_all_and_only_with_expires_0),
	    T(without_a_contact_it_only_asks),
	    T(an_older_request_of_the_same_call_id_is_refused),
	    T(a_contact_behind_nat_is_reached_where_it_came_from),
	    T(behind_a_proxy_its_path_is_the_way_not_the_connection),
	    T(instance_and_reg_id_come_back),
	    T(a_path_is_kept_and_comes_back),
	    T(zero_octets_make_two_contacts),
	    T(parameters_belong_where_they_stand),
	    T(what_cannot_be_a_contact_is_refused),
	    T(ten_contacts_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

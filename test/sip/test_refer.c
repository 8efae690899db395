// REFER and Replaces in raw SIP over the simulated network: the bytes at both ends.
#include "sip/legs.h"

#include "sip/replaces.h"

#include <string.h>

static void refer(const char *answered, unsigned cseq, const char *lines)
{
	desk_says("REFER", answered, cseq,
		  text_of(rig, "%sContact: <sip:330@10.0.0.2:5060>\nContent-Length: 0\n\n", lines));
}

static void domain_replies(unsigned status)
{
	rig->signalling->reply(rig->signalling->context, rig->session, rig->transaction, status, &nothing);
}

static void goes_on(unsigned status)
{
	rig->signalling->refer_progress(rig->signalling->context, rig->session, rig->transaction, status);
}

static const char *notified(const char *fragment, const char *state)
{
	const char *notify = peer_next(&desk);
	assert_starts(notify, "NOTIFY sip:330@10.0.0.2:5060 SIP/2.0\n");
	assert_string_equal(header_of(rig, notify, "Subscription-State"), state);
	assert_string_equal(header_of(rig, notify, "Content-Type"), "message/sipfrag;version=2.0");
	assert_string_equal(header_of(rig, notify, "Contact"), "<sip:carillon@10.0.0.1:5060>");
	assert_string_equal(strstr(notify, "\n\n") + 2, fragment);
	respond(&desk, notify, "200 OK", "", "");
	return header_of(rig, notify, "Event");
}

static void a_refer_is_accepted_and_told_how_it_goes(void **state)
{
	(void)state;
	const char *answered = talk();
	refer(answered, 3,
	      "Refer-To: \"Carol\" <sip:512@example.com;user=phone>\nReferred-By: <sip:330@example.com>\n");
	rig_told(rig, "requested 7 REFER to 512\n");
	peer_nothing(&desk);
	domain_replies(202);
	const char *accepted = peer_next(&desk);
	assert_starts(accepted, "SIP/2.0 202 Accepted\n");
	assert_string_equal(header_of(rig, accepted, "Contact"), "<sip:carillon@10.0.0.1:5060>");
	assert_string_equal(notified("SIP/2.0 100 Trying\n", "active;expires=180"), "refer");
	goes_on(180);
	assert_string_equal(notified("SIP/2.0 180 Ringing\n", "active;expires=180"), "refer");
	goes_on(486);
	assert_string_equal(notified("SIP/2.0 486 Busy Here\n", "terminated;reason=noresource"), "refer");
	goes_on(200); // it has ended
	peer_nothing(&desk);
	// A second one in the same dialog is told apart by its CSeq (RFC 3515 section 2.4.6).
	refer(answered, 4, "Refer-To: sip:512@example.com\n");
	rig_told(rig, "requested 7 REFER to 512\n");
	domain_replies(202);
	assert_starts(peer_next(&desk), "SIP/2.0 202 ");
	assert_string_equal(notified("SIP/2.0 100 Trying\n", "active;expires=180"), "refer;id=4");
	goes_on(200);
	assert_string_equal(notified("SIP/2.0 200 OK\n", "terminated;reason=noresource"), "refer;id=4");
	rig_told(rig, "");
}

static void a_refer_may_want_no_news(void **state)
{
	(void)state;
	const char *answered = talk();
	refer(answered, 3, "Refer-To: <tel:+441444123456>\nRefer-Sub: false\nRequire: norefersub\n");
	rig_told(rig, "requested 7 REFER to +441444123456\n");
	domain_replies(202);
	const char *accepted = peer_next(&desk);
	assert_starts(accepted, "SIP/2.0 202 ");
	assert_string_equal(header_of(rig, accepted, "Refer-Sub"), "false");
	goes_on(180);
	goes_on(200);
	peer_nothing(&desk);
}

static void a_refer_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *line, *status;
	} bad[] = {
	    {"", "400"},
	    {"Refer-To: <>\n", "400"},
	    {"Refer-To: <sip:example.com>\n", "400"},
	    {"Refer-To: <http://example.com/>\n", "416"},
	    {"Refer-To: <sip:512@evil.example>\n", "403"},
	    {"Refer-To: <sip:512@example.com;method=BYE>\n", "403"},
	    {"Refer-To: <sip:512@example.com?Replaces=abc>\n", "400"},
	    {"Refer-To: <sip:512@example.com?Replaces=abc%3Bto-tag%3D1>\n", "400"},
	    {"Refer-To: <sip:512@example.com?Replaces=abc%3Bto-tag%3D1%3Bto-tag%3D2%3Bfrom-tag%3D3>\n", "400"},
	};
	(void)state;
	const char *answered = talk();
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		refer(answered, 3 + i, bad[i].line);
		assert_starts(peer_next(&desk), text_of(rig, "SIP/2.0 %s ", bad[i].status));
	}
	rig_told(rig, "");
}

static void a_refusal_of_the_domain_tells_nothing_more(void **state)
{
	(void)state;
	const char *answered = talk();
	refer(answered, 3, "Refer-To: <sip:999999@example.com>\n");
	rig_told(rig, "requested 7 REFER to 999999\n");
	domain_replies(404);
	assert_starts(peer_next(&desk), "SIP/2.0 404 ");
	goes_on(200);
	peer_nothing(&desk);
}

static void a_phone_that_forgot_its_subscription_keeps_its_call(void **state)
{
	(void)state;
	const char *answered = talk();
	refer(answered, 3, "Refer-To: <sip:512@example.com>\n");
	rig_told(rig, "requested 7 REFER to 512\n");
	domain_replies(202);
	assert_starts(peer_next(&desk), "SIP/2.0 202 ");
	respond(&desk, peer_next(&desk), "481 Subscription Does Not Exist", "", "");
	sim_run_for(rig->loop, 50);
	goes_on(180);
	peer_nothing(&desk);
	rig_told(rig, "");
	assert_int_equal(sessions(), 1);
}

// The call that is consulted is one of ours as well; its tags are as the phone sees them.
static void replaces_names_a_dialog_of_ours(void **state)
{
	(void)state;
	uint64_t session = ring_soft("sip:821@10.0.0.3:5060");
	const char *invite = peer_next(&soft), *answered = talk();
	const char *ours = strstr(header_of(rig, invite, "From"), ";tag=") + 5;
	assert_true(session > 0);
	respond(&soft, invite, "180 Ringing", "s1", "");
	sim_run_for(rig->loop, 10);
	rig_told(rig, "progressed 9 180\n");
	const char *id = header_of(rig, invite, "Call-ID");
	refer(
	    answered, 3,
	    text_of(rig, "Refer-To: <sip:512@example.com?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3Ds1>\n", id, ours));
	rig_told(rig, "requested 7 REFER to 512 in the place of 9\n");
	domain_replies(491);
	assert_starts(peer_next(&desk), "SIP/2.0 491 ");
	refer(
	    answered, 4,
	    text_of(rig, "Refer-To: <sip:512@example.com?Replaces=%s%%3Bfrom-tag%%3D%s%%3Bto-tag%%3Ds1>\n", id, ours));
	rig_told(rig, "requested 7 REFER to 512 in the place of 9\n");
	domain_replies(491);
	assert_starts(peer_next(&desk), "SIP/2.0 491 ");
	refer(answered, 5,
	      text_of(rig, "Refer-To: <sip:512@example.com?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3Dother>\n", id,
		      ours));
	rig_told(rig, "requested 7 REFER to 512 in the place of 0\n");
}

static void replaces_is_read_as_the_rfc_has_it(void **state)
{
	static const char *const bad[] = {"",
					  ";to-tag=1;from-tag=2",
					  "a;to-tag=1",
					  "a;to-tag=;from-tag=2",
					  "a;from-tag=2",
					  "a;to-tag=1;from-tag=2;from-tag=3"};
	struct sip_replaces replaces;
	(void)state;
	assert_true(sip_replaces_parse(STR("98732@sip.example.com ;from-tag=r33th4x0r;TO-TAG = ff87ff; early-only;x=y"),
				       &replaces));
	assert_true(str_equal(replaces.call_id, STR("98732@sip.example.com")));
	assert_true(str_equal(replaces.to_tag, STR("ff87ff")) && str_equal(replaces.from_tag, STR("r33th4x0r")));
	assert_true(replaces.early_only);
	assert_true(sip_replaces_parse(STR("a;to-tag=1;from-tag=2"), &replaces));
	assert_false(replaces.early_only);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(sip_replaces_parse(str_of(bad[i]), &replaces));
}

static const char *invite_with(unsigned branch, const char *lines, const char *password)
{
	return text_of(rig,
		       "INVITE sip:510@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKr%u;rport\n"
		       "From: <sip:330@example.com>;tag=r1\nTo: <sip:510@example.com>\nCall-ID: replacing@10.0.0.2\n"
		       "CSeq: %u INVITE\nMax-Forwards: 70\nContact: <sip:330@10.0.0.2:5060>\n%s%s" SDP_LINES,
		       branch, branch, lines, password);
}

static void invite_replacing(unsigned branch, const char *lines)
{
	struct login login = {"330", "secret", "INVITE", "sip:510@example.com"};
	peer_send(&desk, "%s", invite_with(branch, lines, ""));
	const char *challenge = peer_next(&desk);
	assert_starts(challenge, "SIP/2.0 401 ");
	peer_send(&desk, "%s", invite_with(branch + 1, lines, authorization(rig, challenge, &login)));
}

static void an_invite_takes_a_place(void **state)
{
	(void)state;
	const char *answered = talk();
	const char *ours = strstr(header_of(rig, answered, "To"), ";tag=") + 5;
	invite_replacing(
	    1, text_of(rig, "Require: replaces\nReplaces: call1@10.0.0.2;to-tag=%s;from-tag=d1;early-only\n", ours));
	rig_told(rig, "invited by device 1, dialled 510, in the place of 7 while it rings application/sdp [" SDP_OFFER
		      "]\n");
	rig->signalling->refuse(rig->signalling->context, rig->session, &(struct refusal){.status = 486});
	assert_starts(peer_next(&desk), "SIP/2.0 486 ");
	invite_replacing(3, "Replaces: call1@10.0.0.2;to-tag=1\n");
	assert_starts(peer_next(&desk), "SIP/2.0 400 ");
	rig_told(rig, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LEGS_TEST(a_refer_is_accepted_and_told_how_it_goes),
	    LEGS_TEST(a_refer_may_want_no_news),
	    LEGS_TEST(a_refer_that_makes_no_sense_is_refused),
	    LEGS_TEST(a_refusal_of_the_domain_tells_nothing_more),
	    LEGS_TEST(a_phone_that_forgot_its_subscription_keeps_its_call),
	    LEGS_TEST(replaces_names_a_dialog_of_ours),
	    LEGS_TEST(replaces_is_read_as_the_rfc_has_it),
	    LEGS_TEST(an_invite_takes_a_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// What becomes of each kind of request before any call is involved, and the torture messages of RFC 4475 and RFC 5118.
#include "sip/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct row {
	const char *method, *uri, *lines, *answer, *piece;
};

static void send_row(const struct row *row, unsigned branch)
{
	peer_send(&phone,
		  "%s %s SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKr%u;rport\n"
		  "From: <sip:330@example.com>;tag=f\nTo: <sip:510@example.com>\nCall-ID: c%u\nCSeq: 1 %s\n%s",
		  row->method, row->uri, branch, branch, row->method, row->lines);
}

#define HOPS  "Max-Forwards: 70\n"
#define EMPTY "Content-Length: 0\n\n"
#define PLAIN HOPS EMPTY
#define ALLOW                                                                                                          \
	"\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, SUBSCRIBE, UPDATE, PRACK, INFO, MESSAGE, REFER, "       \
	"NOTIFY\n"

static const struct row rows[] = {
    {"OPTIONS", "sip:example.com", PLAIN, "200", ALLOW},
    {"OPTIONS", "sip:example.com", PLAIN, "200", "\nAccept: application/sdp\n"},
    {"OPTIONS", "sip:10.0.0.1", PLAIN, "200", ""},
    {"OPTIONS", "sip:carillon", PLAIN, "200", ""},
    {"SUBSCRIBE", "sip:330@example.com", "Event: message-summary\n" PLAIN, "401", ""},
    {"PUBLISH", "sip:330@example.com", PLAIN, "405", ALLOW},
    {"REFER", "sip:330@example.com", PLAIN, "405", ALLOW},
    {"MESSAGE", "sip:330@example.com", PLAIN, "405", ALLOW},
    {"NEWMETHOD", "sip:330@example.com", PLAIN, "501", ALLOW},
    {"RE%47ISTER", "sip:330@example.com", PLAIN, "501", ALLOW},
    {"BYE", "sip:330@example.com", PLAIN, "481", ""},
    {"CANCEL", "sip:330@example.com", PLAIN, "481", ""},
    {"NOTIFY", "sip:330@example.com", PLAIN, "481", ""},
    {"INFO", "sip:330@example.com", PLAIN, "481", ""},
    {"INVITE", "sip:510@example.com", PLAIN, "401", "\nWWW-Authenticate: Digest "},
    {"INVITE", "sip:510@evil.example", PLAIN, "404", ""},
    {"INVITE", "sip:510@192.0.2.1", PLAIN, "404", ""},
    {"REGISTER", "sip:evil.example", PLAIN, "404", ""},
    {"OPTIONS", "sip:example.com", "Max-Forwards: 0\n" EMPTY, "483", ""},
    {"INVITE", "sip:510@example.com", "Max-Forwards: 0\n" EMPTY, "483", ""},
    {"OPTIONS", "sip:example.com", "Require: a, b\nProxy-Require: c\n" PLAIN, "420", "\nUnsupported: a, b, c\n"},
    {"REGISTER", "sip:example.com", "Require: path\n" PLAIN, "401", ""},
    {"INVITE", "sip:510@example.com", "Require: path\n" PLAIN, "420", "\nUnsupported: path\n"},
    {"INVITE", "soap.beep://192.0.2.103:3002", PLAIN, "416", ""},
    {"INVITE", "sips:510@example.com", PLAIN, "416", ""},
    {"REGISTER", "tel:+441444", PLAIN, "416", ""},
    {"INVITE", "tel:+441444", PLAIN, "401", ""},
    {"INVITE", "sip:510@example.com?Route=%3Csip:example.com%3E", PLAIN, "400", ""},
    {"INVITE", "sip:510@example.com", HOPS "Content-Type: text/plain\nContent-Length: 2\n\nhi", "415",
     "\nAccept: application/sdp\n"},
    {"INVITE", "sip:510@example.com", HOPS "Content-Length: 2\n\nhi", "415", "\nAccept: application/sdp\n"},
    {"INVITE", "sip:510@example.com",
     HOPS "Content-Encoding: gzip\nContent-Type: application/sdp\nContent-Length: 2\n\nhi", "415",
     "\nAccept-Encoding: identity\n"},
    {"INVITE", "sip:510@example.com", HOPS "Content-Type: multipart/mixed;boundary=b\nContent-Length: 2\n\nhi", "401",
     ""},
    {"INVITE", "sip:510@example.com", HOPS "Content-Type: Application/SDP ; x=y\nContent-Length: 2\n\nhi", "401", ""},
    {"OPTIONS", "sip:example.com", "Max-Forwards: 70\nContent-Length: -1\n\n", "400", ""},
    {"INVITE", "sip:510@example.com", HOPS "Authorization: NoOneKnowsThisScheme opaque-data=here\n" EMPTY, "401", ""},
};

static void each_request_gets_its_answer(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		send_row(&rows[i], i);
		const char *answer = peer_next(&phone);
		const char *wanted = text_of(rig, "SIP/2.0 %s ", rows[i].answer);
		if (strncmp(answer, wanted, strlen(wanted)) != 0)
			fail_msg("%s %s %s: wanted %s, got %s", rows[i].method, rows[i].uri, rows[i].lines, wanted,
				 answer);
		assert_has(answer, rows[i].piece);
		peer_nothing(&phone);
	}
	rig_told(rig, "");
	struct sip_endpoint_counters counters = sip_endpoint_count(rig->endpoint);
	assert_int_equal(counters.transactions.servers + counters.transactions.invite_servers, 0);
	assert_int_equal(counters.sessions, 0);
	assert_int_equal(registrations_count(rig->registrations), 0);
}

static void an_unknown_dialog_is_481_and_its_ack_is_nothing(void **state)
{
	static const char text[] = "%s sip:carillon@10.0.0.1 SIP/2.0\n"
				   "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK%s;rport\n"
				   "From: <sip:330@example.com>;tag=f\nTo: <sip:510@example.com>;tag=gone\n"
				   "Call-ID: c\nCSeq: 1 %s\n" PLAIN;
	static const char *const methods[] = {"INVITE", "BYE", "OPTIONS", "INFO", "UPDATE"};
	(void)state;
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		peer_send(&phone, text, methods[i], methods[i], methods[i]);
		// A stranger's INVITE is challenged whatever tag it carries.
		assert_starts(peer_next(&phone), i == 0 ? "SIP/2.0 401 " : "SIP/2.0 481 ");
	}
	peer_send(&phone, text, "ACK", "ACK", "ACK");
	peer_nothing(&phone);
}

static void another_version_is_505(void **state)
{
	(void)state;
	peer_send(&phone, "OPTIONS sip:example.com SIP/7.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKv\n"
			  "From: <sip:a@b>;tag=f\nTo: <sip:a@b>\nCall-ID: c\nCSeq: 1 OPTIONS\n" PLAIN);
	assert_starts(peer_next(&phone), "SIP/2.0 505 ");
}

static void what_cannot_be_answered_is_not(void **state)
{
	(void)state;
	peer_send(&phone, "OPTIONS sip:example.com SIP/2.0\nFrom: <sip:a@b>;tag=f\n"
			  "Call-ID: c\nTo: <sip:a@b>\nCSeq: 1 OPTIONS\n" PLAIN);
	peer_send(&phone, "ACK sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKv\n"
			  "From: <sip:a@b>;tag=f\nTo: <sip:a@b>\nCall-ID: c\nCSeq: x ACK\n" PLAIN);
	peer_send(&phone, "hello\n\n");
	peer_nothing(&phone);
}

static void responses_to_nothing_are_dropped(void **state)
{
	(void)state;
	peer_send(&phone, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx\n"
			  "From: <sip:a@b>;tag=f\nTo: <sip:a@b>;tag=t\nCall-ID: c\nCSeq: 1 INVITE\n" EMPTY);
	peer_nothing(&phone);
}

// The same request to two hosts is relayed to neither: nothing ever leaves for a host named in a request.
static void nothing_is_relayed(void **state)
{
	struct peer victim;
	(void)state;
	peer_open(&victim, rig, "10.0.0.77", 5060);
	struct row row = {"INVITE", "sip:510@10.0.0.77", "Route: <sip:10.0.0.77;lr>\n" PLAIN, "", ""};
	send_row(&row, 1);
	assert_starts(peer_next(&phone), "SIP/2.0 404 ");
	row.uri = "sip:510@example.com;maddr=10.0.0.77";
	send_row(&row, 2);
	assert_starts(peer_next(&phone), "SIP/2.0 401 ");
	peer_nothing(&victim);
	peer_close(&victim);
}

// ---- overload

// All queues are full for so long that only one new request of fifty is taken.
static void overload(void)
{
	sim_set_queue(rig->loop, 100);
	for (unsigned i = 0; i < 12; i++) {
		send_row(&(struct row){"INVITE", "sip:510@example.com", PLAIN, "", ""}, 9000 + i);
		sim_run_for(rig->loop, 200);
	}
	phone.count = phone.read = 0;
}

static void what_is_new_is_sent_away_in_overload_and_what_goes_on_is_not(void **state)
{
	static const struct row served[] = {
	    {"OPTIONS", "sip:example.com", PLAIN, "200", ""},    {"BYE", "sip:330@example.com", PLAIN, "481", ""},
	    {"CANCEL", "sip:330@example.com", PLAIN, "481", ""}, {"UPDATE", "sip:330@example.com", PLAIN, "481", ""},
	    {"INVITE", "sip:112@example.com", PLAIN, "401", ""}, // a call for help
	};
	unsigned calls = 0, registers = 0;
	(void)state;
	overload();
	for (unsigned i = 0; i < 200; i++) {
		bool invite = i % 2;
		send_row(&(struct row){invite ? "INVITE" : "REGISTER", "sip:example.com",
				       "Contact: <sip:330@10.0.0.2>\n" PLAIN, "", ""},
			 i);
		const char *answer = peer_next(&phone);
		phone.count = phone.read = 0;
		if (strncmp(answer, "SIP/2.0 503 ", 12) != 0)
			continue;
		assert_in_range(atoi(header_of(rig, answer, "Retry-After")), 5, 15);
		++*(invite ? &calls : &registers);
	}
	assert_in_range(calls, 90, 100);
	assert_in_range(registers, 98, 100);
	for (unsigned i = 0; i < sizeof served / sizeof *served; i++)
		for (unsigned copy = 0; copy < 10; copy++) {
			send_row(&served[i], 1000 + 10 * i + copy);
			assert_starts(peer_next(&phone), text_of(rig, "SIP/2.0 %s ", served[i].answer));
			phone.count = phone.read = 0;
		}
	struct sip_overload_counters counters = sip_endpoint_count(rig->endpoint).overload;
	assert_true(counters.overloaded);
	assert_int_equal(counters.episodes, 1);
	assert_int_equal(counters.admitted_percent, 2);
	assert_true(counters.refused_calls >= calls && counters.refused_registers == registers);
}

static const char *answer_to_neighbour(struct peer *peer, const char *parameters)
{
	static unsigned branch;
	peer_send(peer,
		  "OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKo%u%s;rport\n"
		  "From: <sip:a@example.com>;tag=f\nTo: <sip:b@example.com>\nCall-ID: o%u\nCSeq: 1 OPTIONS\n" PLAIN,
		  branch, parameters, branch);
	branch++;
	return header_of(rig, peer_next(peer), "Via");
}

// RFC 7339, for trunks and those that the configuration trusts.
static void a_neighbour_is_told_how_much_less_to_send(void **state)
{
	struct peer trunk;
	(void)state;
	peer_open(&trunk, rig, "10.0.1.1", 5060);
	assert_lacks(answer_to_neighbour(&trunk, ""), "oc");
	const char *via = answer_to_neighbour(&trunk, ";oc;oc-algo=\"loss,rate\"");
	assert_has(via, ";rport=5060;received=10.0.1.1;oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=17040672");
	assert_lacks(via, "rate");
	assert_lacks(via, ";oc;");
	overload();
	assert_has(answer_to_neighbour(&trunk, ";oc;oc-algo=\"loss\""),
		   ";oc=98;oc-algo=\"loss\";oc-validity=500;oc-seq=17040672");
	peer_close(&trunk);
	// A stranger learns nothing.
	const char *answer = answer_to_neighbour(&phone, ";oc;oc-algo=\"loss\"");
	assert_lacks(answer, "oc=");
}

// ---- strangers

static void send_credentials(struct peer *peer, const char *number, const char *method, const char *credentials)
{
	static unsigned branch = 100000; // always as many digits
	peer_send(peer,
		  "%s sip:example.com SIP/2.0\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bKg%u;rport\n"
		  "From: <sip:%s@example.com>;tag=f\nTo: <sip:%s@example.com>\nCall-ID: guess\nCSeq: %u %s\n"
		  "Contact: <sip:%s@10.0.0.66>\n%s" PLAIN,
		  method, "10.0.0.66", branch, number, number, branch + 1, method, number, credentials);
	branch++;
}

// The answer to a guess; the challenge is the one given, or a new one.
static const char *guess(struct peer *peer, const char *number, const char *challenge)
{
	struct login login = {number, "a guess", "REGISTER", "sip:example.com"};
	if (!challenge) {
		send_credentials(peer, number, "REGISTER", "");
		challenge = peer_next(peer);
	}
	send_credentials(peer, number, "REGISTER", authorization(rig, challenge, &login));
	return peer_next(peer);
}

static void rename_account(char *text, const char *from, const char *to)
{
	assert_int_equal(strlen(from), strlen(to));
	for (char *at = strstr(text, from); at; at = strstr(at, from))
		memcpy(at, to, strlen(to));
}

// Byte for byte, but for nonce, tag, branch, CSeq, and the name that was asked for.
static const char *comparable(const char *answer, const char *number)
{
	char *text = (char *)text_of(rig, "%s", masked(rig, answer));
	rename_account(text, number, "NNN");
	char *cseq = strstr(text, "CSeq: ");
	assert_non_null(cseq);
	for (cseq += strlen("CSeq: "); *cseq != ' '; cseq++)
		*cseq = 'N';
	char *branch = strstr(text, "branch=z9hG4bKg");
	assert_non_null(branch);
	for (branch += strlen("branch=z9hG4bKg"); *branch != ';' && *branch != '\n'; branch++)
		*branch = 'N';
	return text;
}

static void an_unknown_device_and_a_wrong_password_look_alike(void **state)
{
	const char *known, *unknown;
	(void)state;
	send_credentials(&phone, "330", "REGISTER", "");
	known = comparable(peer_next(&phone), "330");
	send_credentials(&phone, "999", "REGISTER", "");
	unknown = comparable(peer_next(&phone), "999");
	assert_starts(known, "SIP/2.0 401 ");
	assert_string_equal(known, unknown);
	for (unsigned i = 0; i < 7; i++) { // up to the wait, and in it
		known = comparable(guess(&phone, "330", NULL), "330");
		unknown = comparable(guess(&phone, "999", NULL), "999");
		assert_starts(known, i < 5 ? "SIP/2.0 401 " : "SIP/2.0 503 ");
		assert_string_equal(known, unknown);
	}
}

// Whoever writes another's address on their packets gets no nonce for it: none of their guesses counts against the other.
static void a_spoofed_source_gets_nobody_banned(void **state)
{
	struct peer attacker;
	struct flow victim = {.transport = TRANSPORT_UDP};
	(void)state;
	peer_open(&attacker, rig, "10.0.0.66", 5060);
	send_credentials(&attacker, "330", "REGISTER", "");
	const char *challenge = peer_next(&attacker);
	for (unsigned i = 0; i < 200; i++) { // from the phone's address
		assert_has(guess(&phone, "330", challenge), "stale=true");
		phone.count = phone.read = 0;
		sim_run_for(rig->loop, 100);
	}
	assert_true(net_address_parse(STR("10.0.0.2"), 5060, &victim.remote));
	assert_int_equal(sip_endpoint_count(rig->endpoint).limits.bans, 0);
	assert_int_equal(sip_endpoint_count(rig->endpoint).limits.waits, 0);
	assert_int_equal(sip_endpoint_count(rig->endpoint).refused_authentication, 0);
	phone.count = phone.read = 0;
	assert_starts(peer_register(&phone, "330", 1, "Contact: <sip:330@10.0.0.2>\n"), "SIP/2.0 200 ");
	peer_close(&attacker);
}

static void a_guesser_is_banned_and_the_neighbour_is_not(void **state)
{
	struct peer attacker;
	char number[8];
	(void)state;
	peer_open(&attacker, rig, "10.0.0.2", 40000); // behind the same NAT
	assert_starts(peer_register(&phone, "330", 1, "Contact: <sip:330@10.0.0.2>\n"), "SIP/2.0 200 ");
	for (unsigned i = 0; i < 50; i++) {
		snprintf(number, sizeof number, "%u", 600 + i);
		assert_starts(guess(&attacker, number, NULL), "SIP/2.0 401 ");
		attacker.count = attacker.read = 0;
		sim_run_for(rig->loop, 100);
	}
	assert_int_equal(sip_endpoint_count(rig->endpoint).limits.banned, 1);
	send_credentials(&attacker, "821", "REGISTER", "");
	send_credentials(&attacker, "821", "OPTIONS", "");
	peer_send(&attacker, "INVITE nonsense\n\n");
	peer_nothing(&attacker);
	assert_starts(peer_register(&phone, "330", 3, "Contact: <sip:330@10.0.0.2>\n"), "SIP/2.0 200 ");
	sim_run_for(rig->loop, 600 * 1000);
	send_credentials(&attacker, "821", "REGISTER", "");
	assert_starts(peer_next(&attacker), "SIP/2.0 401 ");
	peer_close(&attacker);
}

static void a_device_that_asks_for_too_much_is_sent_away(void **state)
{
	const char *answer = "";
	unsigned taken = 0;
	(void)state;
	while (taken < 1000) {
		answer = peer_register(&phone, "330", taken + 1, "Contact: <sip:330@10.0.0.2>\n");
		phone.count = phone.read = 0;
		if (strncmp(answer, "SIP/2.0 200 ", 12) != 0)
			break;
		taken++;
	}
	assert_in_range(taken, RIG_DEVICE_BURST, 2 * RIG_DEVICE_BURST); // some time passes
	assert_starts(answer, "SIP/2.0 503 ");
	assert_has(answer, "\nRetry-After: 1\n");
	assert_int_equal(sip_endpoint_count(rig->endpoint).limits.refused_devices, 1);
	assert_starts(peer_register(&phone, "821", 1, "Contact: <sip:821@10.0.0.2>\n"), "SIP/2.0 200 ");
	sim_run_for(rig->loop, 1000);
	assert_starts(peer_register(&phone, "330", 2000, "Contact: <sip:330@10.0.0.2>\n"), "SIP/2.0 200 ");
}

static void flood(struct peer *attacker, const char *method, unsigned requests)
{
	struct net_address to;
	char text[512];
	assert_true(net_address_parse(STR("10.0.0.1"), 5060, &to));
	for (unsigned i = 0; i < requests; i++) {
		snprintf(text, sizeof text,
			 "%s sip:510@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.66:5060;branch=z9hG4bKf%u;rport\r\n"
			 "From: <sip:330@example.com>;tag=f%u\r\nTo: <sip:330@example.com>\r\nCall-ID: flood%u\r\n"
			 "CSeq: 1 %s\r\nContact: <sip:x@10.0.0.66>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
			 method, i, i, i, method);
		assert_int_equal(udp_send(attacker->socket, &to, str_of(text), NULL), 0);
		if (i % 50 == 49) {
			sim_run_for(rig->loop, 10); // 5,000 a second
			attacker->count = attacker->read = 0;
		}
	}
}

// Strangers' requests are answered as far as their allowance goes and leave nothing behind; a registered phone calls meanwhile.
static void a_flood_of_strangers_leaves_nothing_behind(void **state)
{
	struct peer attacker;
	struct login login = {"330", "secret", "INVITE", "sip:510@example.com"};
	(void)state;
	peer_open(&attacker, rig, "10.0.0.66", 5060);
	assert_starts(peer_register(&phone, "330", 1, "Contact: <sip:330@10.0.0.2>\n"), "SIP/2.0 200 ");
	sim_run_for(rig->loop, 40000); // the REGISTER's transaction is over
	sim_set_queue(rig->loop, 90);
	flood(&attacker, "INVITE", 10000);
	flood(&attacker, "REGISTER", 10000);
	sim_set_queue(rig->loop, 0);
	struct sip_endpoint_counters counters = sip_endpoint_count(rig->endpoint);
	assert_int_equal(counters.overload.episodes, 0); // nobody is sent away for a queue that strangers fill
	assert_int_equal(counters.transactions.servers + counters.transactions.invite_servers, 0);
	assert_int_equal(counters.sessions, 0);
	assert_int_equal(counters.limits.sources, 2);
	assert_int_equal(registrations_count(rig->registrations), 1);
	// 20,000 in 4 s: 400 at once and 50 a second were read.
	assert_in_range(counters.limits.dropped_over_limit, 20000 - 400 - 5 * 50, 20000 - 400 - 3 * 50);
	rig_told(rig, "");

	const char *credentials = "";
	for (unsigned i = 1; i <= 2; i++) {
		peer_send(
		    &phone,
		    "INVITE sip:510@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKcall%u;rport\n"
		    "From: <sip:330@example.com>;tag=f\nTo: <sip:510@example.com>\nCall-ID: call\nCSeq: %u INVITE\n"
		    "Contact: <sip:330@10.0.0.2>\n%s" PLAIN,
		    i, i, credentials);
		if (i == 2)
			break;
		const char *challenge = peer_next(&phone);
		assert_starts(challenge, "SIP/2.0 401 ");
		credentials = authorization(rig, challenge, &login);
	}
	rig_told(rig, "invited by device 1, dialled 510\n");
	peer_close(&attacker);
}

// ---- torture messages, where there are any

struct reaction {
	unsigned status; // of the first answer, 0 = none
	unsigned answers;
};

static void note_sent(void *context, const struct sim_packet *packet, enum sim_fate fate)
{
	struct reaction *outcome = context;
	(void)fate;
	if (packet->from.bytes[3] != 1 || packet->bytes.length < 12)
		return;
	unsigned status = 0;
	if (str_starts(packet->bytes, STR("SIP/2.0 ")))
		status = (unsigned)strtoul(packet->bytes.at + 8, NULL, 10);
	else
		fail_msg("a request left: %.*s", STR_ARG(packet->bytes));
	if (outcome->answers++ == 0 || outcome->status == 100)
		outcome->status = status;
}

static void ignore_arrival(void *context, const struct sim_packet *packet)
{
	(void)context;
	(void)packet;
}

static bool normal(unsigned status)
{
	static const unsigned others[] = {401, 403, 404, 405, 407, 408, 415, 416, 420, 478,
					  480, 483, 484, 486, 488, 501, 503, 603, 606};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (status == others[i])
			return true;
	return status >= 100 && status < 400;
}

// "400,N,NONE"
static bool within(const char *list, unsigned status)
{
	struct str rest = str_of(list), item;
	uint64_t code;
	while (str_take(&rest, ',', &item)) {
		if (str_equal(item, STR("NONE")) ? status == 0
		    : str_equal(item, STR("N"))  ? normal(status)
						 : str_to_uint(item, 699, &code) && code == status)
			return true;
	}
	return false;
}

static size_t read_message(const char *path, char *bytes, size_t size)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return 0;
	size_t length = fread(bytes, 1, size, file);
	fclose(file);
	return length;
}

// RFC 5118's archive has bare LF, no blank line at the end of a message without a body, and one body without its last bytes: what
// Content-Length counts is filled up with line ends.
static size_t with_crlf(const char *text, size_t length, char *wire)
{
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			wire[used++] = '\r';
		wire[used++] = text[i];
	}
	if (used < 4 || !memmem(wire, used, "\r\n\r\n", 4)) {
		if (used < 2 || wire[used - 1] != '\n')
			memcpy(wire + used, "\r\n", 2), used += 2;
		memcpy(wire + used, "\r\n", 2), used += 2;
	}
	size_t skipped;
	struct sip_fault fault;
	for (int i = 0; i < 40 && sip_message_frame(wire, used, &skipped, &fault) == 0; i++, used += 2)
		memcpy(wire + used, "\r\n", 2);
	return used;
}

// Where we depart from the table, with reason: they belong to a dialog that nobody here has, and RFC 3261 section 12.2.2 has 481
// for it. Only an INVITE is challenged first.
static bool departs(const char *name, unsigned status)
{
	return status == 481 &&
	       (strcmp(name, "via-received-param-with-delim") == 0 || strcmp(name, "mult-ip-in-header") == 0);
}

static unsigned torture(const char *folder, const char *set, unsigned *strict)
{
	static char text[65536], wire[2 * 65536];
	char line[1024], path[1200];
	unsigned tried = 0;
	snprintf(path, sizeof path, "%s/expected-%s.tsv", folder, set);
	FILE *table = fopen(path, "r");
	assert_non_null(table);
	while (fgets(line, sizeof line, table)) {
		char name[128], section[64], kind[8], wanted[128];
		if (line[0] == '#' || sscanf(line, "%127s %63s %7s %127s", name, section, kind, wanted) != 4)
			continue;
		snprintf(path, sizeof path, "%s/%s/%s", folder, set, name);
		size_t length = read_message(path, text, sizeof text);
		if (length == 0)
			fail_msg("no %s", path);
		struct reaction outcome = {0};
		struct sim_watcher watcher = {note_sent, ignore_arrival, &outcome};
		start(NULL);
		sim_watch(rig->loop, &watcher);
		if (strstr(set, "5118")) {
			length = with_crlf(text, length, wire);
			peer_send_bytes(&phone, (struct str){wire, length});
		} else {
			peer_send_bytes(&phone, (struct str){text, length});
		}
		sim_run_for(rig->loop, 250);
		if (within(wanted, outcome.status))
			++*strict;
		else if (!departs(name, outcome.status))
			fail_msg("%s (%s): got %u, wanted %s", name, section, outcome.status, wanted);
		assert_int_equal(registrations_count(rig->registrations), 0);
		rig_told(rig, "");
		stop(NULL);
		tried++;
	}
	fclose(table);
	return tried;
}

static void torture_messages_of_the_rfcs(void **state)
{
	const char *folder = getenv("TORTURE_DIR");
	unsigned strict = 0;
	(void)state;
	if (!folder) {
		print_message("skipped: TORTURE_DIR does not say where the RFCs' messages are\n");
		skip();
		return;
	}
	assert_int_equal(torture(folder, "rfc4475", &strict), 49);
	assert_int_equal(torture(folder, "rfc5118", &strict), 12);
	assert_int_equal(strict, 59);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
	    T(each_request_gets_its_answer),
	    T(an_unknown_dialog_is_481_and_its_ack_is_nothing),
	    T(another_version_is_505),
	    T(what_cannot_be_answered_is_not),
	    T(responses_to_nothing_are_dropped),
	    T(nothing_is_relayed),
	    T(what_is_new_is_sent_away_in_overload_and_what_goes_on_is_not),
	    T(a_neighbour_is_told_how_much_less_to_send),
	    T(an_unknown_device_and_a_wrong_password_look_alike),
	    T(a_spoofed_source_gets_nobody_banned),
	    T(a_guesser_is_banned_and_the_neighbour_is_not),
	    T(a_device_that_asks_for_too_much_is_sent_away),
	    T(a_flood_of_strangers_leaves_nothing_behind),
	    cmocka_unit_test(torture_messages_of_the_rfcs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

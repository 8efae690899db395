// Via values: with spaces wherever the grammar lets them be, and the broken ones.
#include "lib/cmocka.h"
#include "sip/message.h"

#include <stdlib.h>
#include <string.h>

#define assert_str(s, text) assert_true(str_equal((s), str_of(text)))

static bool parse(const char *text, struct sip_via *via, char **owner)
{
	size_t length = strlen(text);
	*owner = malloc(length + (length == 0));
	assert_non_null(*owner);
	memcpy(*owner, text, length);
	return sip_via_parse((struct str){*owner, length}, via);
}

static void reads_good_ones(void **state)
{
	(void)state;
	static const struct {
		const char *text, *transport, *host;
		unsigned port;
		const char *branch, *received;
		bool rport;
		unsigned rport_value;
	} good[] = {
	    {"SIP/2.0/UDP pc33.example.com;branch=z9hG4bK776asdhds", "UDP", "pc33.example.com", 0, "z9hG4bK776asdhds",
	     "", false, 0},
	    {"SIP  /   2.0   / TCP    h  :  5062 ; Branch  =  z9hG4bKx  ; rport", "TCP", "h", 5062, "z9hG4bKx", "",
	     true, 0},
	    {"sip/2.0/TLS [2001:db8::9:1];received=[2001:db8::9:255];rport=5070;branch=b", "TLS", "2001:db8::9:1", 0,
	     "b", "2001:db8::9:255", true, 5070},
	    {"SIP/2.0/UDP [2001:db8::9:1]:7;received=2001:db8::9:255", "UDP", "2001:db8::9:1", 7, "", "2001:db8::9:255",
	     false, 0},
	    {"SIP/2.0/TLS-SCTP 192.0.2.1;branch=z9hG4bK/a=b@c:d", "TLS-SCTP", "192.0.2.1", 0, "z9hG4bK/a=b@c:d", "",
	     false, 0},
	    {"SIP/2.0/UDP h;rport=99999;hidden;", "UDP", "h", 0, "", "", true, 0},
	    {"SIP/2.0/UDP h;branch=first;branch=second;rport=1;rport=2", "UDP", "h", 0, "first", "", true, 1},
	    {"SIP/2.0/UDP\th\t", "UDP", "h", 0, "", "", false, 0},
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct sip_via via;
		char *owner;
		if (!parse(good[i].text, &via, &owner))
			fail_msg("refused: %s", good[i].text);
		assert_str(via.text, good[i].text);
		assert_str(via.transport, good[i].transport);
		assert_str(via.host, good[i].host);
		assert_int_equal(via.host_is_ipv6, strchr(good[i].host, ':') != NULL);
		assert_int_equal(via.port, good[i].port);
		assert_str(via.branch, good[i].branch);
		assert_str(via.received, good[i].received);
		assert_int_equal(via.rport, good[i].rport);
		assert_int_equal(via.rport_value, good[i].rport_value);
		free(owner);
	}
}

static void refuses_bad_ones(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "",
	    "SIP",
	    "SIP/2.0",
	    "SIP/2.0/",
	    "SIP/2.0/UDP",
	    "SIP/2.0/UDP ",
	    "SIP/2.0/UDP;branch=x",
	    "SIP/2.0/UDP[::1]",
	    "/2.0/UDP h",
	    "SIP//UDP h",
	    "SIP 2.0 UDP h",
	    "SIP/2.0/UDP h x",
	    "SIP/2.0/UDP h;;branch=x",
	    "SIP/2.0/UDP h;=x",
	    "SIP/2.0/UDP h;branch=",
	    "SIP/2.0/UDP h;branch=\"x",
	    "SIP/2.0/UDP h;branch=x y",
	    "SIP/2.0/UDP h:",
	    "SIP/2.0/UDP h:0",
	    "SIP/2.0/UDP h:x",
	    "SIP/2.0/UDP 2001:db8::1",
	    "SIP/2.0/UDP [2001:db8::1",
	    "SIP/2.0/UDP 1.2.3",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sip_via via;
		char *owner;
		if (parse(bad[i], &via, &owner))
			fail_msg("accepted: %s", bad[i]);
		free(owner);
	}
}

// What an answer needs is there although the value as a whole is refused.
static void a_refused_one_still_says_where_answers_go(void **state)
{
	(void)state;
	static const char *const bad[] = {"SIP/7.0/UDP 192.0.2.15:5070;rport", "XIP/2.0/UDP 192.0.2.15:5070",
					  "SIP/2.0/UDP 192.0.2.15:5070;;"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sip_via via;
		char *owner;
		assert_false(parse(bad[i], &via, &owner));
		assert_str(via.host, "192.0.2.15");
		assert_int_equal(via.port, 5070);
		assert_int_equal(via.rport, i == 0);
		free(owner);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_good_ones),
	    cmocka_unit_test(refuses_bad_ones),
	    cmocka_unit_test(a_refused_one_still_says_where_answers_go),
	};
	return cmocka_run_group_tests_name("sip via", tests, NULL, NULL);
}

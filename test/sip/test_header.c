// Headers by name in any spelling, and walking the values of those that stand several times.
#include "lib/cmocka.h"
#include "sip/header.h"
#include "sip/parsed.h"

#include <ctype.h>
#include <stdio.h>

#define assert_str(s, text) assert_true(str_equal((s), str_of(text)))

#define HEAD                                                                                                           \
	"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"    \
	"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"

static const struct {
	const char *wire;
	char compact;
	enum sip_header_name name;
} all[] = {
#define HEADER(name, wire, compact, how_many) {wire, compact, SIP_HEADER_##name},
#include "sip/headers.def"
#undef HEADER
};

static void every_name_is_found_in_any_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char spelled[64];
		size_t length = strlen(all[i].wire);
		for (int how = 0; how < 3; how++) {
			for (size_t k = 0; k < length; k++) {
				int c = (unsigned char)all[i].wire[k];
				spelled[k] = (char)(how == 0 ? c : how == 1 ? tolower(c) : toupper(c));
			}
			if (sip_header_name_of((struct str){spelled, length}) != all[i].name)
				fail_msg("not found: %.*s", (int)length, spelled);
		}
		spelled[length / 2] = '~';
		assert_int_equal(sip_header_name_of((struct str){spelled, length}), SIP_HEADER_OTHER);
		assert_str(sip_header_wire_name(all[i].name), all[i].wire);
		if (all[i].compact) {
			const char upper = (char)toupper(all[i].compact);
			assert_int_equal(sip_header_name_of((struct str){&all[i].compact, 1}), all[i].name);
			assert_int_equal(sip_header_name_of((struct str){&upper, 1}), all[i].name);
		}
	}
	assert_int_equal(sip_header_name_of(STR("z")), SIP_HEADER_OTHER);
	assert_int_equal(sip_header_name_of(STR("X-Unknown")), SIP_HEADER_OTHER);
	assert_int_equal(sip_header_name_of(STR("A-Name-That-Is-Longer-Than-Any")), SIP_HEADER_OTHER);
	assert_int_equal(sip_header_name_of(STR_NONE), SIP_HEADER_OTHER);
}

static void every_method_is_found_as_written(void **state)
{
	(void)state;
	for (int method = 0; method < SIP_METHOD_OTHER; method++)
		assert_int_equal(sip_method_of(str_of(sip_method_name((enum sip_method)method))), method);
	assert_int_equal(sip_method_of(STR("invite")), SIP_METHOD_OTHER);
	assert_int_equal(sip_method_of(STR("INVITES")), SIP_METHOD_OTHER);
	assert_int_equal(sip_method_of(STR_NONE), SIP_METHOD_OTHER);
	assert_string_equal(sip_method_name(SIP_METHOD_OTHER), "");
}

// All values of the header, parted by '|'.
static void walk(const struct sip_message *message, enum sip_header_name name, char *into)
{
	struct sip_walk walk = {0};
	struct str value;
	char *at = into;
	*at = '\0';
	while (sip_value_next(message, name, &walk, &value)) {
		memcpy(at, value.at, value.length);
		at += value.length;
		*at++ = '|';
		*at = '\0';
	}
	assert_false(sip_value_next(message, name, &walk, &value));
}

static void walks_values_over_lines_and_commas(void **state)
{
	(void)state;
	static const struct {
		const char *headers;
		enum sip_header_name name;
		const char *values;
	} cases[] = {
	    {"", SIP_HEADER_CONTACT, ""},
	    {"Contact: <sip:a@h>\r\n", SIP_HEADER_CONTACT, "<sip:a@h>|"},
	    {"Contact: <sip:a@h>,<sip:b@h>\r\nX: y\r\nm: <sip:c@h> , , <sip:d@h>\r\n", SIP_HEADER_CONTACT,
	     "<sip:a@h>|<sip:b@h>|<sip:c@h>|<sip:d@h>|"},
	    {"Record-Route: \"a, \\\" , b\" <sip:a,b@h>;q=\"1,2\", sip:c@h\r\n", SIP_HEADER_RECORD_ROUTE,
	     "\"a, \\\" , b\" <sip:a,b@h>;q=\"1,2\"|sip:c@h|"},
	    {"Route: <sip:a@h>, \"never closed, <sip:b@h>\r\n", SIP_HEADER_ROUTE,
	     "<sip:a@h>|\"never closed, <sip:b@h>|"},
	    {"Route: <sip:a@h, sip:b\r\nRoute: x\r\n", SIP_HEADER_ROUTE, "<sip:a@h, sip:b|x|"},
	    {"Supported:\r\nk: 100rel ,timer,,\r\nSupported: path\r\n", SIP_HEADER_SUPPORTED, "100rel|timer|path|"},
	    {"Authorization: Digest a=\"b\", c=d\r\nAuthorization: Basic x\r\n", SIP_HEADER_AUTHORIZATION,
	     "Digest a=\"b\", c=d|Basic x|"},
	    {"Subject: a, b\r\n", SIP_HEADER_SUBJECT, "a, b|"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024], values[1024];
		snprintf(text, sizeof text, HEAD "%s\r\n", cases[i].headers);
		struct parsed *p = parsed_text(text, SIP_DATAGRAM);
		assert_true(p->fine);
		walk(&p->message, cases[i].name, values);
		assert_string_equal(values, cases[i].values);
		parsed_free(p);
	}
}

static void a_walk_stays_at_its_name(void **state)
{
	(void)state;
	struct parsed *p = parsed_text(HEAD "Contact: <sip:c@h>\r\n\r\n", SIP_DATAGRAM);
	struct sip_walk walk = {0};
	struct str value;
	for (int i = 0; i < 3; i++)
		assert_false(sip_value_next(&p->message, SIP_HEADER_ROUTE, &walk, &value));
	parsed_free(p);
}

static void finds_the_first_and_the_next(void **state)
{
	(void)state;
	struct parsed *p = parsed_text(HEAD "Allow: A\r\nX-A: 1\r\nAllow: B\r\nX-A: 2\r\nX-B: 3\r\n\r\n", SIP_DATAGRAM);
	assert_true(p->fine);
	const struct sip_header *allow = sip_header_first(&p->message, SIP_HEADER_ALLOW);
	assert_str(allow->value, "A");
	allow = sip_header_next(&p->message, allow);
	assert_str(allow->value, "B");
	assert_null(sip_header_next(&p->message, allow));
	const struct sip_header *other = sip_header_first(&p->message, SIP_HEADER_OTHER);
	assert_str(other->name, "X-A");
	other = sip_header_next(&p->message, sip_header_next(&p->message, other));
	assert_str(other->name, "X-B");
	assert_null(sip_header_first(&p->message, SIP_HEADER_ROUTE));
	assert_str(sip_header_value(&p->message, SIP_HEADER_ALLOW), "A");
	assert_str(sip_header_value(&p->message, SIP_HEADER_ROUTE), "");
	parsed_free(p);
}

static void lists_name_tokens(void **state)
{
	(void)state;
	struct parsed *p = parsed_text(
	    HEAD "Require: 100rel, Timer\r\nAccept: application/sdp;level=1 , text/plain\r\n\r\n", SIP_DATAGRAM);
	assert_true(p->fine);
	assert_true(sip_list_has(&p->message, SIP_HEADER_REQUIRE, STR("timer")));
	assert_true(sip_list_has(&p->message, SIP_HEADER_REQUIRE, STR("100REL")));
	assert_false(sip_list_has(&p->message, SIP_HEADER_REQUIRE, STR("time")));
	assert_true(sip_list_has(&p->message, SIP_HEADER_ACCEPT, STR("application/sdp")));
	assert_true(sip_list_has(&p->message, SIP_HEADER_ACCEPT, STR("text/plain")));
	assert_false(sip_list_has(&p->message, SIP_HEADER_SUPPORTED, STR("timer")));
	parsed_free(p);
}

static void phrases(void **state)
{
	(void)state;
	assert_str(sip_reason_phrase(404), "Not Found");
	assert_str(sip_reason_phrase(200), "OK");
	assert_str(sip_reason_phrase(199), "Early Dialog Terminated");
	assert_str(sip_reason_phrase(101), "Session Progress");
	assert_str(sip_reason_phrase(299), "OK");
	assert_str(sip_reason_phrase(399), "Redirection");
	assert_str(sip_reason_phrase(499), "Request Failure");
	assert_str(sip_reason_phrase(599), "Server Failure");
	assert_str(sip_reason_phrase(699), "Global Failure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_name_is_found_in_any_case),
	    cmocka_unit_test(every_method_is_found_as_written),
	    cmocka_unit_test(walks_values_over_lines_and_commas),
	    cmocka_unit_test(a_walk_stays_at_its_name),
	    cmocka_unit_test(finds_the_first_and_the_next),
	    cmocka_unit_test(lists_name_tokens),
	    cmocka_unit_test(phrases),
	};
	return cmocka_run_group_tests_name("sip header", tests, NULL, NULL);
}

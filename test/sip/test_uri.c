// URIs: what is read, what is refused and where, escapes, and when two are the same.
#include "lib/cmocka.h"
#include "sip/uri.h"

#include <stdlib.h>
#include <string.h>

#define assert_str(s, text) assert_true(str_equal((s), str_of(text)))

// The text in a piece of memory of exactly its size, so that reading beyond it is found.
static struct str exact(const char *text, char **owner)
{
	size_t length = strlen(text);
	*owner = malloc(length + (length == 0));
	assert_non_null(*owner);
	memcpy(*owner, text, length);
	return (struct str){*owner, length};
}

static bool parse(const char *text, struct sip_uri *uri, char **owner)
{
	const char *why = NULL;
	size_t at = SIZE_MAX;
	struct str s = exact(text, owner);
	bool parsed = sip_uri_parse(s, uri, &why, &at);
	if (!parsed) {
		assert_non_null(why);
		assert_true(at <= s.length);
	}
	return parsed;
}

static void reads_every_part(void **state)
{
	(void)state;
	struct sip_uri uri;
	char *owner;
	assert_true(
	    parse("sip:j%20doe:se%3Acret@[2001:DB8::1]:5070;transport=tcp;lr?Subject=hi&Replaces=a%40b", &uri, &owner));
	assert_int_equal(uri.scheme, URI_SIP);
	assert_str(uri.user, "j%20doe");
	assert_str(uri.password, "se%3Acret");
	assert_str(uri.host, "2001:DB8::1");
	assert_true(uri.host_is_ipv6);
	assert_int_equal(uri.port, 5070);
	assert_str(uri.parameters, "transport=tcp;lr");
	assert_str(uri.headers, "Subject=hi&Replaces=a%40b");
	assert_int_equal(uri.text.length, strlen("sip:j%20doe:se%3Acret@[2001:DB8::1]:5070;transport=tcp;lr?"
						 "Subject=hi&Replaces=a%40b"));
	free(owner);
}

static void reads_good_ones(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum uri_scheme scheme;
		const char *user, *host;
		unsigned port;
		const char *parameters;
	} good[] = {
	    {"sip:example.com", URI_SIP, "", "example.com", 0, ""},
	    {"SIPS:510@example.com:5061", URI_SIPS, "510", "example.com", 5061, ""},
	    {"sip:510@192.0.2.1", URI_SIP, "510", "192.0.2.1", 0, ""},
	    {"sip:510@example.com.", URI_SIP, "510", "example.com.", 0, ""},
	    {"sip:510@my_pbx", URI_SIP, "510", "my_pbx", 0, ""},
	    {"sip:510@3com", URI_SIP, "510", "3com", 0, ""},
	    {"sip:*21#@pbx", URI_SIP, "*21#", "pbx", 0, ""},
	    {"sip:a;b=c?d/e,f&g=h+$@h", URI_SIP, "a;b=c?d/e,f&g=h+$", "h", 0, ""},
	    {"sip:a:@h", URI_SIP, "a", "h", 0, ""},
	    {"sip:a@h;x=%41;y;", URI_SIP, "a", "h", 0, "x=%41;y;"},
	    {"sip:a@h;x=[::1]:5", URI_SIP, "a", "h", 0, "x=[::1]:5"},
	    {"sip:a@h:00065535", URI_SIP, "a", "h", 65535, ""},
	    {"sip:[::ffff:192.0.2.10]:19823", URI_SIP, "", "::ffff:192.0.2.10", 19823, ""},
	    {"tel:+1-(201)-555.0123;ext=4", URI_TEL, "+1-(201)-555.0123", "", 0, "ext=4"},
	    {"TEL:*7a#;phone-context=example.com", URI_TEL, "*7a#", "", 0, "phone-context=example.com"},
	    {"urn:service:sos", URI_OTHER, "", "", 0, ""},
	    {"soap.beep://192.0.2.103:3002", URI_OTHER, "", "", 0, ""},
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct sip_uri uri;
		char *owner;
		if (!parse(good[i].text, &uri, &owner))
			fail_msg("refused: %s", good[i].text);
		assert_int_equal(uri.scheme, good[i].scheme);
		assert_str(uri.user, good[i].user);
		assert_str(uri.host, good[i].host);
		assert_int_equal(uri.port, good[i].port);
		assert_str(uri.parameters, good[i].parameters);
		free(owner);
	}
}

static void refuses_bad_ones_and_says_where(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} bad[] = {
	    {"", 0, "the URI does not begin with a scheme"},
	    {"sip", 0, "the URI does not begin with a scheme"},
	    {":510@h", 0, "the URI does not begin with a scheme"},
	    {"1sip:h", 0, "the URI does not begin with a scheme"},
	    {"<sip:h>", 0, "the URI does not begin with a scheme"},
	    {"sip:", 4, "the host is missing"},
	    {"sip:a@", 6, "the host is missing"},
	    {"sip:@h", 4, "the user part is empty or begins with a forbidden character"},
	    {"sip: a@h", 4, "the user part is empty or begins with a forbidden character"},
	    {"sip:a b@h", 5, "a character that must be escaped in the user part, or a broken escape"},
	    {"sip:a%4@h", 5, "a character that must be escaped in the user part, or a broken escape"},
	    {"sip:a%zz@h", 5, "a character that must be escaped in the user part, or a broken escape"},
	    {"sip:a%4z@h", 5, "a character that must be escaped in the user part, or a broken escape"},
	    {"sip:j\xc3\xb6@h", 5, "a character that must be escaped in the user part, or a broken escape"},
	    {"sip:a:b:c@h", 7, "a character that must be escaped in the user part, or a broken escape"},
	    {"sip:a@b@h", 7, "a character that cannot stand here in a URI, or a broken escape"},
	    {"sip:2001:db8::10", 4, "neither a host name nor an IPv4 address"},
	    {"sip:fe80::10", 9, "not a port between 1 and 65535"},
	    {"sip:h:", 6, "not a port between 1 and 65535"},
	    {"sip:h:0", 6, "not a port between 1 and 65535"},
	    {"sip:h:65536", 6, "not a port between 1 and 65535"},
	    {"sip:h:4294972356", 6, "not a port between 1 and 65535"},
	    {"sip:h:18446744073709556676", 6, "not a port between 1 and 65535"},
	    {"sip:[2001:db8:::1]", 4, "not an IPv6 address between the brackets"},
	    {"sip:[2001:db8::1", 4, "not an IPv6 address between the brackets"},
	    {"sip:[]", 4, "not an IPv6 address between the brackets"},
	    {"sip:[fe80::1%25eth0]", 4, "not an IPv6 address between the brackets"},
	    {"sip:[2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:1]", 4,
	     "not an IPv6 address between the brackets"},
	    {"sip:510", 4, "neither a host name nor an IPv4 address"},
	    {"sip:a@1.2.3", 6, "neither a host name nor an IPv4 address"},
	    {"sip:a@1.2.3.4.", 6, "neither a host name nor an IPv4 address"},
	    {"sip:a@1.2.3.256", 6, "neither a host name nor an IPv4 address"},
	    {"sip:a@1.2.3.0004", 6, "neither a host name nor an IPv4 address"},
	    {"sip:a@.h", 6, "neither a host name nor an IPv4 address"},
	    {"sip:a@.", 6, "neither a host name nor an IPv4 address"},
	    {"sip:a@h..de", 6, "neither a host name nor an IPv4 address"},
	    {"sip:a@h..", 6, "neither a host name nor an IPv4 address"},
	    {"sip:a@h;;lr", 7, "a URI parameter without a name, or too many of them"},
	    {"sip:a@h;=1", 7, "a URI parameter without a name, or too many of them"},
	    {"sip:a@h;lr\"", 10, "a character that cannot stand here in a URI, or a broken escape"},
	    {"sip:a@h;x=%", 10, "a character that cannot stand here in a URI, or a broken escape"},
	    {"sip:a@h?", 7, "a URI header without a name, or too many of them"},
	    {"sip:a@h?a=b&&c=d", 7, "a URI header without a name, or too many of them"},
	    {"sip:a@h?a=b;c", 11, "a character that cannot stand here in a URI, or a broken escape"},
	    {"sip:a@h/", 7, "a character that cannot stand here in a URI, or a broken escape"},
	    {"tel:", 4, "a telephone number without digits"},
	    {"tel:+-", 4, "a telephone number without digits"},
	    {"tel:+49a", 7, "a character that cannot stand in a telephone number"},
	    {"tel:+49?a=b", 7, "a character that cannot stand in a telephone number"},
	    {"tel:+49;x?a=b", 9, "a character that cannot stand here in a URI, or a broken escape"},
	    {"urn:", 4, "nothing behind the URI's scheme"},
	    {"urn:a b", 5, "a character that cannot stand in a URI"},
	    {"urn:a\x7f", 5, "a character that cannot stand in a URI"},
	    {"http://a>", 8, "a character that cannot stand in a URI"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sip_uri uri;
		char *owner;
		const char *why = NULL;
		size_t at = SIZE_MAX;
		if (sip_uri_parse(exact(bad[i].text, &owner), &uri, &why, &at))
			fail_msg("accepted: %s", bad[i].text);
		if (at != bad[i].at || strcmp(why, bad[i].why) != 0)
			fail_msg("%s: at %zu %s", bad[i].text, at, why);
		free(owner);
	}
}

static void has_a_longest_length(void **state)
{
	(void)state;
	char text[SIP_URI_MAX + 2];
	struct sip_uri uri;
	const char *why = NULL;
	size_t at;
	memset(text, 'a', sizeof text);
	memcpy(text, "sip:", 4);
	assert_true(sip_uri_parse((struct str){text, SIP_URI_MAX}, &uri, &why, &at));
	assert_false(sip_uri_parse((struct str){text, SIP_URI_MAX + 1}, &uri, &why, &at));
	assert_string_equal(why, "the URI is longer than 1024 bytes");
	assert_int_equal(at, SIP_URI_MAX);
}

static void has_a_largest_number_of_parameters(void **state)
{
	(void)state;
	char text[512];
	struct sip_uri uri;
	const char *why;
	size_t at;
	struct writer w = writer_into(text, sizeof text);
	writer_text(&w, "sip:a@h");
	for (int i = 0; i < SIP_URI_PARAMETERS_MAX; i++)
		writer_format(&w, ";p%d", i);
	assert_true(sip_uri_parse(writer_result(&w), &uri, &why, &at));
	assert_true(sip_uri_equal(&uri, &uri));
	writer_text(&w, ";q");
	assert_false(sip_uri_parse(writer_result(&w), &uri, &why, &at));
}

static void finds_parameters(void **state)
{
	(void)state;
	struct str value = STR("untouched");
	const struct str list = STR("transport=udp;lr;user=phone;empty=;");
	assert_true(sip_parameter(list, ';', STR("TRANSPORT"), &value));
	assert_str(value, "udp");
	assert_true(sip_parameter(list, ';', STR("lr"), &value));
	assert_str(value, "");
	assert_true(sip_parameter(list, ';', STR("empty"), &value));
	assert_str(value, "");
	value = STR("untouched");
	assert_false(sip_parameter(list, ';', STR("trans"), &value));
	assert_false(sip_parameter(STR_NONE, ';', STR("lr"), &value));
	assert_str(value, "untouched");
	assert_true(sip_parameter(STR("a=1&b=2"), '&', STR("b"), &value));
	assert_str(value, "2");
}

static void resolves_escapes(void **state)
{
	(void)state;
	char into[32];
	struct str result;
	assert_true(sip_unescape(STR("sips%3Auser%40example.com"), into, &result));
	assert_str(result, "sips:user@example.com");
	assert_true(sip_unescape(STR("%00%fF"), into, &result));
	assert_int_equal(result.length, 2);
	assert_memory_equal(result.at, "\0\xff", 2);
	assert_true(sip_unescape(STR_NONE, into, &result));
	assert_int_equal(result.length, 0);
	assert_false(sip_unescape(STR("a%4"), into, &result));
	assert_false(sip_unescape(STR("a%"), into, &result));
	assert_false(sip_unescape(STR("a%4g"), into, &result));
	assert_false(sip_unescape(STR("a%g4"), into, &result));
}

static void writes_users_escaped(void **state)
{
	(void)state;
	static const char user[] = "+49 (30)#1:@\0\xc3\xb6%";
	char memory[64], back[64];
	struct writer w = writer_into(memory, sizeof memory);
	sip_write_user(&w, (struct str){user, sizeof user - 1});
	assert_str(writer_result(&w), "+49%20(30)%231%3A%40%00%C3%B6%25");
	struct str result;
	assert_true(sip_unescape(writer_result(&w), back, &result));
	assert_int_equal(result.length, sizeof user - 1);
	assert_memory_equal(result.at, user, result.length);
}

// The first two tables are those of RFC 3261 section 19.1.4.
static const char *const same[][2] = {
    {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
    {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
     "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
    {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
     "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
    {"sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"},
    {"sip:a@h;l%72", "sip:a@h;lr"},
    {"sip:a@h;x=1;x=2;y=3", "sip:a@h;y=3;x=1"},
    {"tel:+1-201-555-0123", "tel:+1(201)5550123"},
    {"tel:7A;phone-context=b.c", "tel:7a;Phone-Context=B.c"},
    {"urn:service:sos", "urn:service:sos"},
};
static const char *const different[][2] = {
    {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
    {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
    {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
    {"sip:a@h", "sips:a@h"},
    {"sip:h", "sip:a@h"},
    {"sip:a@h", "sip:a:b@h"},
    {"sip:a@h", "sip:a@h;maddr=1.2.3.4"},
    {"sip:a@h", "sip:a@h;user=phone"},
    {"sip:a@h", "sip:a@h;ttl=1"},
    {"sip:a%2Fb@h", "sip:a/b@h"},
    {"sip:%00@h", "sip:%00%00@h"},
    {"sip:a@[::1]", "sip:a@[::2]"},
    {"sip:a@[::1]", "sip:a@h"},
    {"sip:a@h?x=A", "sip:a@h?x=a"},
    {"tel:+1", "tel:+12"},
    {"tel:1;ext=4", "tel:1"},
    {"tel:1", "sip:1@h"},
    {"urn:a", "urn:A"},
};

static bool equal(const char *a, const char *b)
{
	struct sip_uri left, right;
	char *left_owner, *right_owner;
	assert_true(parse(a, &left, &left_owner));
	assert_true(parse(b, &right, &right_owner));
	bool result = sip_uri_equal(&left, &right);
	free(left_owner);
	free(right_owner);
	return result;
}

static void compares(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		if (!equal(same[i][0], same[i][1]) || !equal(same[i][1], same[i][0]))
			fail_msg("should be equal: %s %s", same[i][0], same[i][1]);
	}
	for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
		if (equal(different[i][0], different[i][1]) || equal(different[i][1], different[i][0]))
			fail_msg("should differ: %s %s", different[i][0], different[i][1]);
		assert_true(equal(different[i][0], different[i][0]));
		assert_true(equal(different[i][1], different[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_every_part),
	    cmocka_unit_test(reads_good_ones),
	    cmocka_unit_test(refuses_bad_ones_and_says_where),
	    cmocka_unit_test(has_a_longest_length),
	    cmocka_unit_test(has_a_largest_number_of_parameters),
	    cmocka_unit_test(finds_parameters),
	    cmocka_unit_test(resolves_escapes),
	    cmocka_unit_test(writes_users_escaped),
	    cmocka_unit_test(compares),
	};
	return cmocka_run_group_tests_name("sip uri", tests, NULL, NULL);
}

// Addresses with and without < >, their parameters, and display names both ways.
#include "lib/cmocka.h"
#include "sip/message.h"

#include <stdlib.h>
#include <string.h>

#define assert_str(s, text) assert_true(str_equal((s), str_of(text)))

static struct str exact(const char *text, char **owner)
{
	size_t length = strlen(text);
	*owner = malloc(length + (length == 0));
	assert_non_null(*owner);
	memcpy(*owner, text, length);
	return (struct str){*owner, length};
}

static void reads_good_ones(void **state)
{
	(void)state;
	static const struct {
		const char *text, *display, *uri, *parameters;
		bool angle;
	} good[] = {
	    {"sip:a@h", "", "sip:a@h", "", false},
	    {"sip:a@h;tag=1", "", "sip:a@h", "tag=1", false},
	    {"sip:a@h  ;  tag  = 1", "", "sip:a@h", "  tag  = 1", false},
	    {"<sip:a@h;lr>", "", "sip:a@h;lr", "", true},
	    {"<sip:a@h>;", "", "sip:a@h", "", true}, // what some telephones send
	    {"  Jane  Doe  <sip:a@h>  ;  tag=1  ", "Jane  Doe", "sip:a@h", "  tag=1", true},
	    {"Jane<sip:a@h>", "Jane", "sip:a@h", "", true},
	    {"J\xc3\xb6rg <sip:a@h>", "J\xc3\xb6rg", "sip:a@h", "", true},
	    {"\"Doe, \\\"J\\\" <x>\"<sip:a@h>;+sip.instance=\"<urn:uuid:1>\"", "\"Doe, \\\"J\\\" <x>\"", "sip:a@h",
	     "+sip.instance=\"<urn:uuid:1>\"", true},
	    {"sip:a@h;+sip.instance=\"<urn:uuid:1>\"", "", "sip:a@h", "+sip.instance=\"<urn:uuid:1>\"", false},
	    {"\"\" <sip:a@h>", "\"\"", "sip:a@h", "", true},
	    {"<tel:+49301>;a;b=c;", "", "tel:+49301", "a;b=c;", true},
	    {"isbn:2983792873", "", "isbn:2983792873", "", false},
	    {"<http://www.example.com>", "", "http://www.example.com", "", true},
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct sip_address address;
		char *owner;
		if (!sip_address_parse(exact(good[i].text, &owner), &address))
			fail_msg("refused: %s", good[i].text);
		assert_str(address.display, good[i].display);
		assert_str(address.uri.text, good[i].uri);
		assert_str(address.parameters, good[i].parameters);
		assert_int_equal(address.angle, good[i].angle);
		free(owner);
	}
}

static void refuses_bad_ones(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "",
	    "*",
	    "Jane",
	    "<",
	    "<sip:a@h",
	    "sip:a@h>",
	    "<>",
	    "< sip:a@h>",
	    "<sip:a@h >",
	    "\"Jane <sip:a@h>",
	    "\"Jane\\\" <sip:a@h>",
	    "\"Jane\" sip:a@h",
	    "\"Jane\"",
	    "Doe, Jane <sip:a@h>",
	    "Jane (desk) <sip:a@h>",
	    "<sip:a@h>x",
	    "<sip:a@h>;;",
	    "<sip:a@h;x?y=z,>",
	    "sip:a@h?x=y",
	    "sip:a,b@h",
	    "sip:a?b@h",
	    "sip:a@h x",
	    "<sip:a@h>;tag=",
	    "<sip:a@h>;tag=\"x",
	    "<sip:a@h>;tag=a b",
	    "<sip:a@h>;=x",
	    "<sip:a@h>;x=<y>",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sip_address address;
		char *owner;
		if (sip_address_parse(exact(bad[i], &owner), &address))
			fail_msg("accepted: %s", bad[i]);
		free(owner);
	}
}

static void finds_parameters(void **state)
{
	(void)state;
	struct str value = STR("untouched");
	const struct str list = STR(" tag = 98asjd8 ; q=0.33;newparam = \"a;b=\\\"c\" ;lr;expires=60;TAG=2");
	assert_true(sip_header_parameter(list, STR("Tag"), &value));
	assert_str(value, "98asjd8");
	assert_true(sip_header_parameter(list, STR("newparam"), &value));
	assert_str(value, "a;b=\\\"c");
	assert_true(sip_header_parameter(list, STR("lr"), &value));
	assert_str(value, "");
	assert_true(sip_header_parameter(list, STR("expires"), &value));
	assert_str(value, "60");
	value = STR("untouched");
	assert_false(sip_header_parameter(list, STR("b"), &value));
	assert_false(sip_header_parameter(STR("a=b;;tag=1"), STR("tag"), &value));
	assert_str(value, "untouched");
}

static void resolves_display_names(void **state)
{
	(void)state;
	static const char *const names[][2] = {
	    {"\"J Rosenberg \\\\\\\"\"", "J Rosenberg \\\""},
	    {"Jane Doe", "Jane Doe"},
	    {"\"\"", ""},
	    {"", ""},
	    {"\"", "\""},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char into[64];
		assert_str(sip_display_text(str_of(names[i][0]), into), names[i][1]);
	}
}

static void writes_display_names(void **state)
{
	(void)state;
	char memory[64], back[64];
	struct writer w = writer_into(memory, sizeof memory);
	sip_write_display(&w, STR_NONE);
	assert_str(writer_result(&w), "");
	sip_write_display(&w, STR("Doe, \"J\" \\ J\xc3\xb6rg\r\nVia: x\x7f"));
	assert_str(writer_result(&w), "\"Doe, \\\"J\\\" \\\\ J\xc3\xb6rgVia: x\" ");
	writer_text(&w, "<sip:a@h>");
	struct sip_address address;
	assert_true(sip_address_parse(writer_result(&w), &address));
	assert_str(sip_display_text(address.display, back), "Doe, \"J\" \\ J\xc3\xb6rgVia: x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_good_ones),      cmocka_unit_test(refuses_bad_ones),
	    cmocka_unit_test(finds_parameters),     cmocka_unit_test(resolves_display_names),
	    cmocka_unit_test(writes_display_names),
	};
	return cmocka_run_group_tests_name("sip address", tests, NULL, NULL);
}

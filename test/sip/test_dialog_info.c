// The XML of busy lamps, byte by byte, whatever the names in it are.
#include "lib/cmocka.h"
#include "sip/dialog_info.h"

#include <string.h>

static char text[8192];

static const char *written(const struct dialog_info *info, const struct lamp_call *call,
			   const struct dialog_info_pickup *pickup)
{
	struct writer w = writer_into(text, sizeof text - 1);

	dialog_info_begin(&w, info, 7);
	if (call)
		dialog_info_call(&w, info, call, pickup);
	else
		dialog_info_nothing(&w, info);
	dialog_info_end(&w);
	assert_false(w.overflow);
	text[w.used] = '\0';
	return text;
}

static const struct dialog_info jane = {
    .entity = {"sip:510@pbx", 11}, .extension = {"510", 3}, .name = {"Jane", 4}, .host = {"example.com", 11}};

#define BEGINS                                                                                                         \
	"<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"7\" "          \
	"state=\"full\" entity=\"sip:510@pbx\">\r\n"
#define LOCAL                                                                                                          \
	"<local>\r\n<identity display=\"Jane\">sip:510@pbx</identity>\r\n<target "                                     \
	"uri=\"sip:510@pbx\"/>\r\n</local>\r\n"

static void a_lamp_that_is_off(void **state)
{
	(void)state;
	assert_string_equal(written(&jane, NULL, NULL), BEGINS
			    "<dialog id=\"510\">\r\n<state>terminated</state>\r\n</dialog>\r\n</dialog-info>\r\n");
}

static void a_call_that_can_be_picked_up(void **state)
{
	const struct lamp_call call = {.call = 17,
				       .state = LAMP_EARLY,
				       .called = true,
				       .other_number = STR("511"),
				       .other_name = STR("Bob \"B\" <&> \xc3\xa9 \xff\xc0\x80\x01")};
	const struct dialog_info_pickup pickup = {STR("c<1"), STR("us"), STR("them")};
	(void)state;
	assert_string_equal(
	    written(&jane, &call, &pickup), BEGINS
	    "<dialog id=\"17\" call-id=\"c&lt;1\" local-tag=\"us\" remote-tag=\"them\" direction=\"recipient\">\r\n"
	    "<state>early</state>\r\n" LOCAL
	    "<remote>\r\n<identity display=\"Bob &quot;B&quot; &lt;&amp;&gt; \xc3\xa9 ????\">"
	    "sip:511@example.com</identity>\r\n<target uri=\"sip:511@example.com\"/>\r\n</remote>\r\n"
	    "</dialog>\r\n</dialog-info>\r\n");
}

#define NOBODY                                                                                                         \
	"<remote>\r\n<identity>sip:anonymous@anonymous.invalid</identity>\r\n"                                         \
	"<target uri=\"sip:anonymous@anonymous.invalid\"/>\r\n</remote>\r\n</dialog>\r\n</dialog-info>\r\n"

static void who_wants_not_to_be_known_is_not(void **state)
{
	struct lamp_call call = {.call = 1,
				 .state = LAMP_CONFIRMED,
				 .other_number = STR("511"),
				 .other_name = STR("Bob"),
				 .anonymous = true};
	const struct dialog_info_pickup nowhere = {.call_id = STR_NONE};
	struct dialog_info nameless = jane;
	(void)state;
	nameless.nameless = true;
	const char *wanted =
	    BEGINS "<dialog id=\"1\" direction=\"initiator\">\r\n<state>confirmed</state>\r\n" LOCAL NOBODY;
	assert_string_equal(written(&jane, &call, &nowhere), wanted);
	call.anonymous = false;
	assert_string_equal(written(&nameless, &call, &nowhere), wanted);
}

static void who_holds_hears_nothing(void **state)
{
	struct lamp_call call = {.call = 1, .state = LAMP_CONFIRMED, .other_number = STR("511"), .holds = true};
	const struct dialog_info_pickup nowhere = {.call_id = STR_NONE};
	(void)state;
	assert_non_null(strstr(
	    written(&jane, &call, &nowhere),
	    "<target uri=\"sip:510@pbx\">\r\n<param pname=\"+sip.rendering\" pval=\"no\"/>\r\n</target>\r\n</local>"));
	call.holds = false;
	call.held = true;
	assert_non_null(strstr(written(&jane, &call, &nowhere),
			       "<target uri=\"sip:511@example.com\">\r\n<param pname=\"+sip.rendering\" "
			       "pval=\"no\"/>\r\n</target>\r\n</remote>"));
}

static void a_number_that_is_no_user_part_is_escaped(void **state)
{
	const struct lamp_call call = {.call = 1, .called = true, .other_number = STR("+44 <1>@x")};
	const struct dialog_info_pickup nowhere = {.call_id = STR_NONE};
	(void)state;
	assert_non_null(strstr(written(&jane, &call, &nowhere), ">sip:+44%20%3C1%3E%40x@example.com<"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_lamp_that_is_off),
	    cmocka_unit_test(a_call_that_can_be_picked_up),
	    cmocka_unit_test(who_wants_not_to_be_known_is_not),
	    cmocka_unit_test(who_holds_hears_nothing),
	    cmocka_unit_test(a_number_that_is_no_user_part_is_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

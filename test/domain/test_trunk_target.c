// The targets of a trunk as text: what is one, and what is not.
#include "domain/trunk_target.h"
#include "lib/cmocka.h"

#include <stdio.h>
#include <string.h>

static struct trunk_target targets[TRUNK_TARGETS_MAX];

static const char *written(const char *text)
{
	static char line[1024];
	size_t count, used = 0;

	if (!trunk_targets_parse(str_of(text), targets, &count))
		return "no";
	line[0] = '\0';
	for (size_t i = 0; i < count; i++)
		used +=
		    (size_t)snprintf(line + used, sizeof line - used, "%s%.*s %u %u %u", i ? ", " : "",
				     STR_ARG(targets[i].host), targets[i].port, targets[i].priority, targets[i].weight);
	return line;
}

static void hosts_ports_priorities_and_weights_are_read(void **state)
{
	(void)state;
	assert_string_equal(written(""), "");
	assert_string_equal(written("  sbc.example.com  "), "sbc.example.com 0 0 0");
	assert_string_equal(written("sbc1.example.com:5080;priority=10;weight=60 192.0.2.7;weight=5"),
			    "sbc1.example.com 5080 10 60, 192.0.2.7 0 0 5");
	assert_string_equal(written("[2001:db8::1]:5061;priority=65535 2001:db8::1 192.0.2.7:5060"),
			    "[2001:db8::1] 5061 65535 0, 2001:db8::1 0 0 0, 192.0.2.7 5060 0 0");
	assert_string_equal(written("a.example a.example:5060"), "a.example 0 0 0, a.example 5060 0 0");
}

static void what_is_no_target_is_refused(void **state)
{
	static const char *const wrong[] = {
	    "a.example:",
	    "a.example:0",
	    "a.example:65536",
	    "a.example:x",
	    ":5060",
	    "a.example;priority",
	    "a.example;priority=",
	    "a.example;weight=-1",
	    "a b!c",
	    "192.0.2.256",
	    "a.example;cost=1",
	    "a.example;weight=65536",
	    "a.example A.EXAMPLE",
	    "[2001:db8::1]5060",
	    "[2001:db8::1",
	    "sip:a.example",
	    "a.example,b.example",
	    "1 2 3 4 5 6 7 8 9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (strcmp(written(wrong[i]), "no") != 0)
			fail_msg("%s is taken", wrong[i]);
	assert_string_equal(written("a1 a2 a3 a4 a5 a6 a7 a8 a9"), "no");
}

static const char *of(const struct trunk *trunk)
{
	static char line[400];
	size_t count = trunk_targets(trunk, targets), used = 0;

	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(line + used, sizeof line - used, "%s%.*s %u %u", i ? ", " : "",
					 STR_ARG(targets[i].host), targets[i].port, targets[i].priority);
	return line;
}

static void teams_has_three_of_its_own(void **state)
{
	struct trunk trunk = {.profile = TRUNK_TEAMS, .host = STR("sip.pstnhub.microsoft.com")};

	(void)state;
	assert_string_equal(of(&trunk), "sip.pstnhub.microsoft.com 5061 0, sip2.pstnhub.microsoft.com 5061 1, "
					"sip3.pstnhub.microsoft.com 5061 2");
	trunk.host = STR("sip.pstnhub.gov.teams.microsoft.us");
	assert_string_equal(of(&trunk), "sip.pstnhub.gov.teams.microsoft.us 5061 0");
	trunk.targets = STR("a.example b.example:5070;priority=3");
	assert_string_equal(of(&trunk), "a.example 5061 0, b.example 5070 3");
}

static void without_any_the_host_is_the_only_one(void **state)
{
	struct trunk trunk = {.host = STR("sip.example.com"), .port = 5070};

	(void)state;
	assert_int_equal(trunk_targets(&trunk, targets), 1);
	assert_true(str_equal(targets[0].host, STR("sip.example.com")));
	assert_int_equal(targets[0].port, 5070);
	trunk.targets = STR("a.example b.example");
	assert_int_equal(trunk_targets(&trunk, targets), 2);
	assert_true(str_equal(targets[1].host, STR("b.example")));
	assert_int_equal(targets[0].port, 0); // the host's port is the host's
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hosts_ports_priorities_and_weights_are_read),
	    cmocka_unit_test(what_is_no_target_is_refused),
	    cmocka_unit_test(without_any_the_host_is_the_only_one),
	    cmocka_unit_test(teams_has_three_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

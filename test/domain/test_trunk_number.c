// One number in the forms that trunks want, alone and after a route has rewritten it.
#include "domain/trunk_number.h"
#include "lib/cmocka.h"

static const struct number_plan britain = {
    .country_code = {"44", 2}, .international_prefix = {"00", 2}, .national_prefix = {"0", 1}};
static const struct number_plan czechia = {.country_code = {"420", 3}, .international_prefix = {"00", 2}};

static void assert_str(struct str got, const char *wanted)
{
	if (!str_equal(got, str_of(wanted)))
		fail_msg("%.*s instead of %s", STR_ARG(got), wanted);
}

static void each_form_of_numbers_at_home_and_abroad(void **state)
{
	static const struct {
		const struct number_plan *plan;
		const char *canonical, *forms[4]; // e164, without plus, international, national
	} rows[] = {
	    {&britain, "+441444123456", {"+441444123456", "441444123456", "00441444123456", "01444123456"}},
	    {&britain, "+420222333444", {"+420222333444", "420222333444", "00420222333444", "00420222333444"}},
	    {&czechia, "+420222333444", {"+420222333444", "420222333444", "00420222333444", "222333444"}},
	    {&britain, "999", {"999", "999", "999", "999"}},
	    {&britain, "510", {"510", "510", "510", "510"}},
	    {&britain, "", {"", "", "", ""}},
	};
	char room[ROUTE_NUMBER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int form = 0; form < 4; form++)
			assert_str(
			    number_formatted(rows[i].plan, (enum number_format)form, str_of(rows[i].canonical), room),
			    rows[i].forms[form]);
}

static void the_route_comes_first_and_may_say_it_all(void **state)
{
	char room[ROUTE_NUMBER_MAX];
	const struct trunk trunk = {.called_format = NUMBER_FORMAT_NATIONAL};
	const struct route plain = {.strip = 0}, own = {.strip = 1, .prepend = {"99", 2}}, code = {.prepend = {"+", 1}};

	(void)state;
	assert_str(trunk_number(&britain, &trunk, &plain, false, STR("+441444123456"), room), "01444123456");
	assert_str(trunk_number(&britain, &trunk, &own, false, STR("+441444123456"), room), "99441444123456");
	assert_str(trunk_number(&britain, &trunk, &plain, true, STR("999"), room), "999");
	assert_str(trunk_number(&britain, &trunk, &code, true, STR("112"), room), "112"); // no rule for it
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_form_of_numbers_at_home_and_abroad),
	    cmocka_unit_test(the_route_comes_first_and_may_say_it_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

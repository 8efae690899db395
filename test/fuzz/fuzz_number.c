// Numbers: the first byte chooses the country, the second what the site has besides. What is understood stays what it is when
// it is read again, in every spelling; what is not has a sentence.
#include "domain/number.h"
#include "fuzz/fuzz.h"

#include <string.h>

static const char *const countries[] = {"GB", "US", "CZ", "IT", "AR", "BR", "RU", "DE",
					"AG", "JP", "GG", "FK", "AU", "HU", "BY", "KR"};

static void spellings_come_back(const struct number_plan *plan, const struct number *number)
{
	char room[2 * NUMBER_MAX + 32];
	struct writer w = writer_into(room, sizeof room);
	struct number again;
	struct problem problem = {.err = ERR_NONE};

	number_spell(number, NUMBER_SPELT_NATIONAL, &w);
	must(!w.overflow);
	w = writer_into(room, sizeof room);
	number_spell(number, NUMBER_SPELT_INTERNATIONAL, &w);
	must(!w.overflow);
	must(number_parse(plan, writer_result(&w), &again, &problem) == ERR_NONE);
	must(strcmp(again.canonical, number->canonical) == 0);
}

static void number_is_sound(const struct number_plan *plan, const struct number *number)
{
	struct number again;
	struct problem problem = {.err = ERR_NONE};
	size_t length = strlen(number->canonical);
	bool e164 = number->canonical[0] == '+';

	must(length > e164 && length < NUMBER_MAX);
	must(strspn(number->canonical + e164, "0123456789") == length - e164);
	must(e164 == (number->class_ == NUMBER_NATIONAL || number->class_ == NUMBER_INTERNATIONAL));
	must(e164 == (number->region != NULL));
	must(number->type < NUMBER_TYPE_COUNT);
	must(number_parse(plan, str_of(number->canonical), &again, &problem) == ERR_NONE);
	must(strcmp(again.canonical, number->canonical) == 0 && again.class_ == number->class_ &&
	     again.type == number->type && again.region == number->region);
	if (e164)
		spellings_come_back(plan, number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct number_plan plan;
	struct number number;
	struct problem problem = {.err = ERR_NONE};

	if (size < 2)
		return 0;
	must(number_plan_usual(str_of(countries[data[0] % (sizeof countries / sizeof *countries)]), &plan));
	if (data[1] & 1)
		plan.short_codes = STR("101 118xxx xxxx");
	if (data[1] & 2)
		plan.outside_prefix = STR("9");
	if (data[1] & 4)
		plan.area_code = STR("2");
	const struct str text = input(data + 2, size - 2);
	if (number_parse(&plan, text, &number, &problem) == ERR_NONE)
		number_is_sound(&plan, &number);
	else
		must(problem.err == ERR_BAD_NUMBER && problem.sentence[0] != '\0');
	problem.err = ERR_NONE;
	if (number_parse_dialled(&plan, text, &number, &problem) == ERR_NONE)
		must(number.class_ != NUMBER_EMERGENCY || number_is_emergency(&plan, text));
	else
		must(problem.err != ERR_NONE);
	return 0;
}

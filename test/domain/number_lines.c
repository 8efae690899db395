// Reads lines "country TAB text", and says of each how a site there understands the text: "canonical TAB type TAB country
// TAB international TAB national", or "! sentence". For the comparison with libphonenumber-js.
#include "domain/number.h"

#include <stdio.h>
#include <string.h>

static void say(struct str country, struct str text)
{
	struct number_plan plan;
	struct number number;
	struct problem problem = {.err = ERR_NONE};
	char spelt[2][96];

	if (!number_plan_usual(country, &plan)) {
		puts("! no such country");
		return;
	}
	if (number_parse(&plan, text, &number, &problem)) {
		printf("! %s\n", problem.sentence);
		return;
	}
	struct writer international = writer_into(spelt[0], sizeof spelt[0]);
	struct writer national = writer_into(spelt[1], sizeof spelt[1]);
	number_spell(&number, NUMBER_SPELT_INTERNATIONAL, &international);
	number_spell(&number, NUMBER_SPELT_NATIONAL, &national);
	printf("%s\t%s\t%s\t%.*s\t%.*s\n", number.canonical, number_type_names[number.type],
	       number.region ? number.region->country : "", STR_ARG(writer_result(&international)),
	       STR_ARG(writer_result(&national)));
}

int main(void)
{
	char line[256];

	while (fgets(line, sizeof line, stdin)) {
		struct str rest = str_of(line), country;
		if (str_take(&rest, '\t', &country))
			say(country, str_trim(rest));
	}
	return 0;
}

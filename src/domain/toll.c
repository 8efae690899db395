// The one place that says whether a leg to the outside may begin.
#include "domain/toll.h"

#include "base/writer.h"

#include <stdlib.h>

struct toll {
	struct directory *directory;
};

struct toll *toll_create(struct directory *directory)
{
	struct toll *toll = calloc(1, sizeof *toll);

	if (toll)
		toll->directory = directory;
	return toll;
}

void toll_destroy(struct toll *toll)
{
	free(toll);
}

// ---- what a number costs

static bool begins_with_one_of(struct str number, struct str prefixes)
{
	struct str prefix;

	while (str_take(&prefixes, ' ', &prefix))
		if (!str_empty(prefix) && str_starts(number, prefix))
			return true;
	return false;
}

// What cannot be told is dear.
static struct number number_of(const struct directory *directory, struct str canonical)
{
	struct problem problem = {.err = ERR_NONE};
	struct number number;

	if (number_parse(directory_plan(directory), canonical, &number, &problem))
		return (struct number){.class_ = NUMBER_INTERNATIONAL};
	return number;
}

// Satellites and networks of no country, which only carriers and fraudsters earn by, cost as much as any premium number.
static bool is_premium(const struct number *number)
{
	bool of_no_country = number->region && number->region->country[0] == '\0';

	return number->type == NUMBER_PREMIUM || (of_no_country && number->type != NUMBER_TOLL_FREE);
}

// Short codes are the country's own.
enum toll_class toll_class_of(const struct directory *directory, struct str canonical)
{
	const struct site *site = directory_site(directory);
	struct number number = number_of(directory, canonical);

	if (site && number.class_ != NUMBER_EMERGENCY && begins_with_one_of(canonical, site->premium_prefixes))
		return TOLL_PREMIUM;
	if (is_premium(&number))
		return TOLL_PREMIUM;
	switch (number.class_) {
	case NUMBER_EMERGENCY:
		return TOLL_NONE;
	case NUMBER_SHORT:
	case NUMBER_NATIONAL:
		return TOLL_NATIONAL;
	case NUMBER_INTERNATIONAL:
		break;
	}
	return TOLL_INTERNATIONAL;
}

// What the routes made for the number ask for at least: a route for numbers in general is no way round them.
static enum toll_class class_of_routes(const struct toll *toll, struct str number)
{
	const struct route *routes[ROUTES_MAX];
	size_t count = directory_routes(toll->directory, number, routes, ROUTES_MAX);
	int64_t least = count > 0 ? routes[0]->toll_class : TOLL_NONE;

	for (size_t i = 1; i < count && str_equal(routes[i]->pattern, routes[0]->pattern); i++)
		least = routes[i]->toll_class < least ? routes[i]->toll_class : least;
	return (enum toll_class)least;
}

// ---- the verdict

static enum toll_class dearer(enum toll_class one, enum toll_class other)
{
	return one > other ? one : other;
}

static enum toll_class held_by(const struct user *payer)
{
	return payer ? (enum toll_class)payer->toll_class : TOLL_NONE;
}

static bool country_allowed(const struct number *number, struct str canonical, struct str countries)
{
	struct str country;

	while (str_take(&countries, ' ', &country)) {
		if (str_empty(country))
			continue;
		if (country.at[0] == '+' ? str_starts(canonical, country)
					 : number->region && str_equal(country, str_of(number->region->country)))
			return true;
	}
	return false;
}

static enum err site_forbids(const struct toll *toll, struct str number)
{
	const struct site *site = directory_site(toll->directory);

	if (!site)
		return ERR_NONE;
	if (begins_with_one_of(number, site->denied_prefixes))
		return ERR_NUMBER_DENIED;
	if (str_empty(site->allowed_countries))
		return ERR_NONE;
	const struct number known = number_of(toll->directory, number);
	if (known.class_ == NUMBER_INTERNATIONAL && !country_allowed(&known, number, site->allowed_countries))
		return ERR_COUNTRY_DENIED;
	return ERR_NONE;
}

struct toll_verdict toll_judge(const struct toll *toll, const struct toll_question *question)
{
	const struct user *payer = directory_user(toll->directory, question->payer_id);
	struct toll_verdict verdict = {.held = held_by(payer)};

	if (question->free)
		return verdict;
	verdict.needed =
	    dearer(toll_class_of(toll->directory, question->number), class_of_routes(toll, question->number));
	if (question->route)
		verdict.needed = dearer(verdict.needed, (enum toll_class)question->route->toll_class);
	verdict.err = site_forbids(toll, question->number);
	if (!verdict.err && (!payer || verdict.held < verdict.needed))
		verdict.err = ERR_TOLL_CLASS;
	return verdict;
}

struct str toll_sentence(const struct toll_verdict *verdict, char room[TOLL_SENTENCE_MAX])
{
	static const char *const names[] = {"none", "national", "international", "premium"};
	struct writer w = writer_into(room, TOLL_SENTENCE_MAX);

	if (verdict->err == ERR_TOLL_CLASS)
		writer_format(&w, "This needs toll class %d (%s), and who pays has %d (%s).", (int)verdict->needed,
			      names[verdict->needed], (int)verdict->held, names[verdict->held]);
	else
		writer_format(&w, "%s", verdict->err ? err_sentence(verdict->err) : "Allowed.");
	return writer_result(&w);
}

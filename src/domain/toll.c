// The one place that says whether a leg to the outside may begin.
#include "domain/toll.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/writer.h"
#include "domain/opening_hours.h"
#include "domain/toll_usage.h"
#include "domain/watch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct toll {
	struct toll_ports ports;
	struct directory *directory;
	struct toll_usage *usage;
	struct toll_alarms alarms;
	struct toll_counters counters;
};

struct toll *toll_create(const struct toll_ports *ports)
{
	struct toll *toll = calloc(1, sizeof *toll);

	if (!toll)
		return NULL;
	toll->ports = *ports;
	toll->directory = ports->directory;
	toll->usage = toll_usage_create(ports->loop);
	if (toll->usage)
		return toll;
	free(toll);
	return NULL;
}

void toll_destroy(struct toll *toll)
{
	if (!toll)
		return;
	assert(toll->counters.legs == 0);
	toll_usage_destroy(toll->usage);
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

// ---- who may what

static enum toll_class dearer(enum toll_class one, enum toll_class other)
{
	return one > other ? one : other;
}

static bool site_is_open(const struct toll *toll, const struct site *site)
{
	const struct local_time now = time_zone_local(site->time_zone, (int64_t)loop_time_ms(toll->ports.loop));

	return opening_hours_open(site->opening_hours, site->closed_days, &now);
}

static void held_judge(const struct toll *toll, const struct user *payer, struct toll_verdict *verdict)
{
	const struct site *site = directory_site(toll->directory);

	verdict->held = payer ? (enum toll_class)payer->toll_class : TOLL_NONE;
	if (!payer || payer->calls_any_time || !site || payer->toll_class <= site->closed_toll_class ||
	    site_is_open(toll, site))
		return;
	verdict->held = (enum toll_class)site->closed_toll_class;
	verdict->closed = true;
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

// ---- limits

struct rule {
	struct toll_count who;
	enum toll_measure measure;
	int64_t limit; // 0: none
};
enum { RULES_MAX = 6 };

static int64_t own_or(int64_t own, int64_t of_all)
{
	return own ? own : of_all;
}

static size_t rules_of_user(const struct user *user, const struct site *site, bool international, struct rule *rules)
{
	const struct toll_count who = {TOLL_OF_USER, user->entity.id};
	static const struct site no_site;

	site = site ? site : &no_site;
	rules[0] = (struct rule){who, TOLL_LEGS_NOW, own_or(user->outside_legs_max, site->user_outside_legs_max)};
	rules[1] = (struct rule){who, TOLL_LEGS_PER_HOUR,
				 own_or(user->outside_legs_per_hour, site->user_outside_legs_per_hour)};
	rules[2] = (struct rule){who, TOLL_INTERNATIONAL_PER_HOUR,
				 own_or(user->international_legs_per_hour, site->user_international_legs_per_hour)};
	return international ? 3 : 2;
}

// What stands in the way of this leg when it is used up.
static size_t rules_of(const struct toll *toll, const struct toll_question *question, bool international,
		       struct rule rules[RULES_MAX])
{
	const struct user *user = directory_user(toll->directory, question->payer_id);
	const struct site *site = directory_site(toll->directory);
	const struct trunk *trunk =
	    question->route ? directory_trunk(toll->directory, question->route->trunk_id) : NULL;
	size_t count = user ? rules_of_user(user, site, international, rules) : 0;

	if (trunk)
		rules[count++] =
		    (struct rule){{TOLL_OF_TRUNK, trunk->entity.id}, TOLL_LEGS_PER_HOUR, trunk->outside_legs_per_hour};
	if (site) {
		rules[count++] = (struct rule){{TOLL_OF_SITE, 0}, TOLL_LEGS_NOW, site->outside_legs_max};
		rules[count++] = (struct rule){{TOLL_OF_SITE, 0}, TOLL_LEGS_PER_HOUR, site->outside_legs_per_hour};
	}
	return count;
}

static enum err err_of(enum toll_measure measure)
{
	switch (measure) {
	case TOLL_LEGS_NOW:
		return ERR_OUTSIDE_LEGS;
	case TOLL_LEGS_PER_HOUR:
		return ERR_OUTSIDE_LEGS_PER_HOUR;
	case TOLL_INTERNATIONAL_PER_HOUR:
		return ERR_INTERNATIONAL_LEGS_PER_HOUR;
	case TOLL_MEASURE_COUNT:
		break;
	}
	return ERR_INTERNAL;
}

static bool is_international(const struct toll_verdict *verdict)
{
	return verdict->needed >= TOLL_INTERNATIONAL;
}

static void limits_judge(const struct toll *toll, const struct toll_question *question, struct toll_verdict *verdict)
{
	struct rule rules[RULES_MAX];
	size_t count = rules_of(toll, question, is_international(verdict), rules);

	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &rules[i];
		unsigned used = toll_usage_of(toll->usage, rule->who, rule->measure);
		if (!rule->limit || used < (uint64_t)rule->limit)
			continue;
		verdict->err = err_of(rule->measure);
		verdict->limited = true;
		verdict->scope = rule->who.scope;
		verdict->measure = rule->measure;
		verdict->limit = rule->limit;
		verdict->used = used;
		return;
	}
}

// ---- the verdict

struct toll_verdict toll_judge(const struct toll *toll, const struct toll_question *question)
{
	const struct user *payer = directory_user(toll->directory, question->payer_id);
	struct toll_verdict verdict = {.err = ERR_NONE};

	held_judge(toll, payer, &verdict);
	if (question->free)
		return verdict;
	verdict.needed =
	    dearer(toll_class_of(toll->directory, question->number), class_of_routes(toll, question->number));
	if (question->route)
		verdict.needed = dearer(verdict.needed, (enum toll_class)question->route->toll_class);
	verdict.err = site_forbids(toll, question->number);
	if (!verdict.err && (!payer || verdict.held < verdict.needed))
		verdict.err = verdict.closed && (int64_t)verdict.needed <= payer->toll_class ? ERR_TOLL_CLASS_CLOSED
											     : ERR_TOLL_CLASS;
	if (!verdict.err)
		limits_judge(toll, question, &verdict);
	return verdict;
}

struct str toll_sentence(const struct toll_verdict *verdict, char room[TOLL_SENTENCE_MAX])
{
	static const char *const names[] = {"none", "national", "international", "premium"};
	struct writer w = writer_into(room, TOLL_SENTENCE_MAX);

	if (verdict->err == ERR_TOLL_CLASS_CLOSED)
		writer_format(
		    &w, "It is outside the opening hours: this needs toll class %d (%s), and there is %d (%s) now.",
		    (int)verdict->needed, names[verdict->needed], (int)verdict->held, names[verdict->held]);
	else if (verdict->err == ERR_TOLL_CLASS)
		writer_format(&w, "This needs toll class %d (%s), and who pays has %d (%s).", (int)verdict->needed,
			      names[verdict->needed], (int)verdict->held, names[verdict->held]);
	else
		writer_format(&w, "%s", verdict->err ? err_sentence(verdict->err) : "Allowed.");
	if (verdict->limited)
		writer_format(&w, " The limit is %" PRId64 " for %s.", verdict->limit,
			      verdict->scope == TOLL_OF_USER    ? "this user"
			      : verdict->scope == TOLL_OF_TRUNK ? "this trunk"
								: "the site");
	return writer_result(&w);
}

// ---- alarms

static void alarm_label(const struct toll *toll, struct toll_count who, char *label, size_t size)
{
	const struct user *user = who.scope == TOLL_OF_USER ? directory_user(toll->directory, who.id) : NULL;
	const struct trunk *trunk = who.scope == TOLL_OF_TRUNK ? directory_trunk(toll->directory, who.id) : NULL;

	label[0] = '\0';
	if (user)
		snprintf(label, size, "%.*s %.*s", STR_ARG(user->extension),
			 STR_ARG(str_first(user->title, size - EXTENSION_MAX - 2)));
	if (trunk)
		snprintf(label, size, "%.*s", STR_ARG(str_first(trunk->title, size - 1)));
}

static void alarm_note(struct toll *toll, const struct rule *rule, unsigned used, bool reached)
{
	struct toll_alarm noted = {.scope = rule->who.scope,
				   .id = rule->who.id,
				   .measure = rule->measure,
				   .reached = reached,
				   .limit = rule->limit,
				   .used = used,
				   .at = (int64_t)loop_time_ms(toll->ports.loop),
				   .at_ms = loop_now_ms(toll->ports.loop)};

	alarm_label(toll, rule->who, noted.label, sizeof noted.label);
	const struct toll_alarm *told = toll_alarms_note(&toll->alarms, &noted);
	if (!told)
		return;
	log_warning(told->reached ? "toll_limit_reached" : "toll_limit_near",
		    LOG_TEXT("of", toll_scope_names[told->scope]), LOG_UINT("id", told->id),
		    LOG_TEXT("who", told->label), LOG_TEXT("limit", toll_measure_names[told->measure]),
		    LOG_UINT("used", told->used), LOG_INT("of_at_most", told->limit),
		    LOG_UINT("refused", told->refused));
	if (toll->ports.watch)
		watch_alarm(toll->ports.watch, told);
}

static void alarms_of_near(struct toll *toll, const struct toll_question *question, bool international)
{
	struct rule rules[RULES_MAX];
	size_t count = rules_of(toll, question, international, rules);

	for (size_t i = 0; i < count; i++) {
		unsigned used = toll_usage_of(toll->usage, rules[i].who, rules[i].measure);
		if (rules[i].limit && (int64_t)used * 100 >= rules[i].limit * TOLL_WARNING_PERCENT)
			alarm_note(toll, &rules[i], used, false);
	}
}

size_t toll_alarms(const struct toll *toll, struct toll_alarm *alarms, size_t max)
{
	uint64_t now_ms = loop_now_ms(toll->ports.loop);
	size_t count = 0;

	for (size_t i = toll->alarms.count; i-- > 0 && count < max;)
		if (toll_alarm_stands(&toll->alarms.list[i], now_ms))
			alarms[count++] = toll->alarms.list[i];
	return count;
}

// ---- legs

void toll_refuse(struct toll *toll, const struct toll_question *question, const struct toll_verdict *verdict)
{
	toll->counters.refused++;
	if (!verdict->limited)
		return;
	const struct rule rule = {.who = {verdict->scope, verdict->scope == TOLL_OF_USER    ? question->payer_id
							  : verdict->scope == TOLL_OF_TRUNK ? question->route->trunk_id
											    : 0},
				  .measure = verdict->measure,
				  .limit = verdict->limit};
	alarm_note(toll, &rule, verdict->used, true);
}

static void counts_of(const struct toll_permit *permit, struct toll_count counts[TOLL_SCOPE_COUNT])
{
	counts[0] = (struct toll_count){TOLL_OF_USER, permit->payer_id};
	counts[1] = (struct toll_count){TOLL_OF_TRUNK, permit->trunk_id};
	counts[2] = (struct toll_count){TOLL_OF_SITE, 0};
}

enum err toll_enter(struct toll *toll, const struct toll_question *question, struct toll_permit *permit)
{
	const struct toll_verdict verdict = toll_judge(toll, question);
	struct toll_count counts[TOLL_SCOPE_COUNT];
	bool international = is_international(&verdict);

	if (verdict.err)
		return verdict.err;
	*permit = (struct toll_permit){.granted = true};
	if (question->free)
		return ERR_NONE;
	permit->payer_id = question->payer_id;
	permit->trunk_id = question->route->trunk_id;
	counts_of(permit, counts);
	for (int i = 0; i < TOLL_SCOPE_COUNT; i++) {
		if (toll_usage_add(toll->usage, counts[i], international))
			continue;
		while (i-- > 0)
			toll_usage_drop(toll->usage, counts[i]);
		permit->granted = false;
		return ERR_NO_MEMORY;
	}
	permit->counted = true;
	toll->counters.legs++;
	toll->counters.begun++;
	alarms_of_near(toll, question, international);
	return ERR_NONE;
}

void toll_leave(struct toll *toll, struct toll_permit *permit)
{
	struct toll_count counts[TOLL_SCOPE_COUNT];

	if (permit->counted) {
		counts_of(permit, counts);
		for (int i = 0; i < TOLL_SCOPE_COUNT; i++)
			toll_usage_drop(toll->usage, counts[i]);
		toll->counters.legs--;
	}
	*permit = (struct toll_permit){.granted = false};
}

struct toll_counters toll_count(const struct toll *toll)
{
	struct toll_counters counters = toll->counters;
	struct toll_alarm alarms[TOLL_ALARMS_MAX];

	counters.remembered = toll_usage_accounts(toll->usage);
	counters.alarms = (unsigned)toll_alarms(toll, alarms, TOLL_ALARMS_MAX);
	return counters;
}

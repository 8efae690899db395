// The words that set a scenario up: users, devices, trunks, numbers, and settings by the names of their fields.
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t milliseconds(const char *text)
{
	char *unit;
	double value = strtod(text, &unit);

	return (uint64_t)(strcmp(unit, "ms") == 0 ? value : value * 1000);
}

static struct str kept(struct stage *stage, const char *text)
{
	return arena_copy(&stage->arena, str_of(text));
}

static struct device *device_named(struct stage *stage, const char *name)
{
	struct entity *known = stage_entity(stage, name);

	if (known)
		return (struct device *)known;
	struct device *device = (struct device *)stage_add(stage, name, ENTITY_DEVICE);
	device->number = arena_format(&stage->arena, "device-%s", name);
	device->title = kept(stage, name);
	return device;
}

static void new_phone(struct stage *stage, struct line *line)
{
	static const char *const kinds[] = {"phone", "softphone", "browser", "number", "Teams-user"};
	struct device *device = device_named(stage, line->words[0]);

	for (int i = 0; i < DEVICE_KIND_COUNT; i++)
		if (strcmp(kinds[i], line->words[1]) == 0)
			device->device_kind = i;
	if (device->device_kind == DEVICE_TEAMS)
		device->number = device->canonical = STR("+441444777777");
	stage_put(stage, &device->entity);
	if (device_kind_registers(device->device_kind))
		stage_register(stage, device, line->words[0]);
}

static void new_number(struct stage *stage, struct line *line)
{
	struct device *device = device_named(stage, line->words[0]);
	struct number number;
	struct problem problem = {.err = ERR_NONE};

	device->device_kind = DEVICE_EXTERNAL;
	device->number = kept(stage, line->words[1]);
	if (number_parse(directory_plan(stage->directory), device->number, &number, &problem))
		stage_fail("%s", problem.sentence);
	device->canonical = kept(stage, number.canonical);
	stage_put(stage, &device->entity);
}

struct device *device_or_phone(struct stage *stage, const char *name)
{
	struct line phone = {.words = {"", "phone"}};

	if (!stage_entity(stage, name)) {
		snprintf(phone.words[0], sizeof phone.words[0], "%s", name);
		new_phone(stage, &phone);
	}
	return device_named(stage, name);
}

// "desk 5s" or "mobile 10s from 3s" or "desk"
static void turn_read(struct stage *stage, struct user *user, const char *text)
{
	char name[100], ring[20] = "20s", start[20] = "0s";

	if (sscanf(text, " %99s %19s from %19s", name, ring, start) < 1)
		stage_fail("what device is \"%s\"?", text);
	struct device *device = device_or_phone(stage, name);
	user->turns[user->turn_count++] = (struct turn_plan){
	    .device_id = device->entity.id,
	    .start_s = (int64_t)(milliseconds(start) / 1000),
	    .ring_s = (int64_t)(milliseconds(ring) / 1000),
	};
}

static void new_user(struct stage *stage, struct line *line)
{
	struct user *user = (struct user *)stage_add(stage, line->words[0], ENTITY_USER);
	char title[200], *rest = line->words[2], *piece;

	snprintf(title, sizeof title, "%s", line->words[0]);
	title[0] = (char)(title[0] - 'a' + 'A');
	user->name = kept(stage, line->words[0]);
	user->title = kept(stage, title);
	user->extension = kept(stage, line->words[1]);
	user->unanswered = UNANSWERED_HANG_UP;
	user->turns = arena_alloc(&stage->arena, USER_TURNS_MAX * sizeof *user->turns);
	while ((piece = strsep(&rest, ","))) {
		while (*piece == ' ')
			piece++;
		if (strcmp(piece, "in sequence") == 0)
			user->strategy = STRATEGY_IN_SEQUENCE;
		else if (strcmp(piece, "nothing") != 0 && strcmp(piece, "at once") != 0)
			turn_read(stage, user, piece);
	}
	stage_put(stage, &user->entity);
}

static void new_trunk(struct stage *stage, struct line *line)
{
	struct trunk *trunk = (struct trunk *)stage_add(stage, line->words[0], ENTITY_TRUNK);

	trunk->title = kept(stage, line->words[0]);
	trunk->host = STR("192.0.2.1");
	stage_put(stage, &trunk->entity);
}

static void new_teams_trunk(struct stage *stage, struct line *line)
{
	struct trunk *trunk = (struct trunk *)stage_add(stage, line->words[0], ENTITY_TRUNK);

	trunk->title = kept(stage, line->words[0]);
	trunk->profile = TRUNK_TEAMS;
	trunk->host = STR("sip.pstnhub.microsoft.com");
	trunk->own_host = STR("sbc.example.com");
	trunk->transport = TRANSPORT_TLS;
	stage_put(stage, &trunk->entity);
}

static void new_route(struct stage *stage, struct line *line)
{
	static const char *const options[] = {"cost", "strip", "prepend", "toll_class"};
	char name[20], *word;
	snprintf(name, sizeof name, "route%zu", stage->entity_count);
	struct route *route = (struct route *)stage_add(stage, name, ENTITY_ROUTE);
	char *rest = line->words[1];
	const struct entity *trunk = stage_entity(stage, strsep(&rest, " "));

	if (!trunk)
		stage_fail("there is no such trunk");
	if (strcmp(line->words[0], "anything") != 0)
		route->pattern = kept(stage, line->words[0]);
	route->trunk_id = trunk->id;
	int64_t *const numbers[] = {&route->cost, &route->strip, NULL, &route->toll_class};
	while ((word = strsep(&rest, " "))) {
		const char *value = strsep(&rest, " ");
		for (size_t i = 0; i < 4; i++) {
			if (strcmp(options[i], word) != 0)
				continue;
			if (numbers[i])
				*numbers[i] = atoi(value);
			else
				route->prepend = kept(stage, value);
		}
	}
	stage_put(stage, &route->entity);
}

// A user, "its last 3 digits", "its last 2 digits after 5", "busy" or "nobody"; with " over carrier" behind it that trunk alone
// delivers it.
static void did_reaches(struct stage *stage, struct did *did, char *whom)
{
	char *over = strstr(whom, " over "), prefix[20] = "";
	struct problem problem = {.err = ERR_NONE};
	long long digits = 0;

	if (over) {
		did->trunk_id = stage_entity(stage, over + 6)->id;
		*over = '\0';
	}
	if (sscanf(whom, "its last %lld digits after %19s", &digits, prefix) >= 1) {
		did->target = DID_DIGITS;
		did->extension_digits = digits;
		did->extension_prefix = kept(stage, prefix);
	} else if (stage_entity(stage, whom)) {
		did->user_id = stage_entity(stage, whom)->id;
	} else {
		did->target = strcmp(whom, "busy") == 0 ? DID_BUSY : DID_NOT_FOUND;
	}
	if (did_canonicalize(directory_plan(stage->directory), did, &stage->arena, &problem))
		stage_fail("%s", problem.sentence);
	stage_put(stage, &did->entity);
}

static void new_did(struct stage *stage, struct line *line)
{
	struct did *did = (struct did *)stage_add(stage, line->words[0], ENTITY_DID);

	did->number = kept(stage, line->words[0]);
	did_reaches(stage, did, line->words[1]);
}

static void new_did_range(struct stage *stage, struct line *line)
{
	struct did *did = (struct did *)stage_add(stage, line->words[0], ENTITY_DID);

	did->number = kept(stage, line->words[0]);
	did->last = kept(stage, line->words[1]);
	did_reaches(stage, did, line->words[2]);
}

static void selects(struct stage *stage, struct line *line)
{
	char name[50];
	snprintf(name, sizeof name, "selection of %.30s", line->words[0]);
	struct selection *selection = (struct selection *)stage_add(stage, name, ENTITY_SELECTION);

	selection->user_id = stage_entity(stage, line->words[0])->id;
	selection->device_id = device_or_phone(stage, line->words[1])->entity.id;
	stage_put(stage, &selection->entity);
}

// As long as nobody speaks of the site there are no settings: what they offer is off.
static struct entity *stage_site(struct stage *stage)
{
	struct site *site = (struct site *)stage_add(stage, "site", ENTITY_SITE);

	site->entity.id = SITE_ID;
	site->too_soon_ms = site->too_late_ms = 0;
	return &site->entity;
}

// "extension 500" is a choice and the extension that goes with it.
static void unknown_did_extension_set(struct stage *stage, struct entity *entity, char *choice)
{
	const struct field *field = entity_field(entity_type(entity->kind), STR("unknown_did_extension"));

	strsep(&choice, " ");
	*(struct str *)field_of(entity, field) = kept(stage, choice ? choice : "");
}

static void set(struct stage *stage, struct line *line)
{
	struct entity *entity = stage_entity(stage, line->words[0]);
	if (!entity && strcmp(line->words[0], "site") == 0)
		entity = stage_site(stage);
	const struct field *field = entity ? entity_field(entity_type(entity->kind), str_of(line->words[1])) : NULL;

	if (!field)
		stage_fail("%s has no %s", line->words[0], line->words[1]);
	if (strcmp(line->words[1], "unknown_did") == 0)
		unknown_did_extension_set(stage, entity, line->words[2]);
	void *value = field_of(entity, field);
	if (field->type == FIELD_TEXT)
		*(struct str *)value = kept(stage, line->words[2]);
	else if (field->type == FIELD_BOOLEAN)
		*(bool *)value = strcmp(line->words[2], "true") == 0;
	else if (field->type == FIELD_CHOICE)
		for (int i = 0; field->choices[i]; i++)
			*(int *)value = strcmp(field->choices[i], line->words[2]) == 0 ? i : *(int *)value;
	else
		*(int64_t *)value = strcmp(line->words[2], "open") == 0 ? FIELD_OPEN : atoi(line->words[2]);
	stage_put(stage, entity);
}

static void registers(struct stage *stage, struct line *line)
{
	stage_register(stage, device_named(stage, line->words[0]), line->words[1]);
}

static void behind_nat(struct stage *stage, struct line *line)
{
	stage->behind_nat = true;
	registers(stage, line);
	stage->behind_nat = false;
}

static void unregisters(struct stage *stage, struct line *line)
{
	registrations_forget(stage->registrations, device_named(stage, line->words[0])->entity.id);
}

static void deleted(struct stage *stage, struct line *line)
{
	const struct entity *entity = stage_entity(stage, line->words[0]);

	directory_remove(stage->directory, entity->kind, entity->id);
}

static void relay_up(struct stage *stage, struct line *line)
{
	(void)line;
	stage->relay_up = true;
}

static void relay_takes_all(struct stage *stage, struct line *line)
{
	(void)line;
	stage->relay_up = stage->media.takes_all = true;
}

static void relay_slow(struct stage *stage, struct line *line)
{
	(void)line;
	stage->relay_slow = true;
}

static void name_add(char names[8][PARTY_NAME_SIZE], const char *name)
{
	size_t i = 0;

	while (names[i][0])
		if (++i == 8)
			stage_fail("too many names");
	snprintf(names[i], PARTY_NAME_SIZE, "%.*s", PARTY_NAME_SIZE - 1, name);
}

static void slow(struct stage *stage, struct line *line)
{
	name_add(stage->slow, line->words[0]);
}

static void down(struct stage *stage, struct line *line)
{
	name_add(stage->down, line->words[0]);
}

// clang-format off
const struct word setting_words[] = {
    {"* (*) has *",        new_user},
    {"* is a *",           new_phone},
    {"* is slow",          slow},
    {"* is down",          down},
    {"* is deleted",       deleted},
    {"* is *",             new_number},
    {"* selects *",        selects},
    {"* registers as * behind a NAT", behind_nat},
    {"* registers as *",   registers},
    {"* unregisters",      unregisters},
    {"trunk *",            new_trunk},
    {"Teams trunk *",      new_teams_trunk},
    {"route * to *",       new_route},
    {"number * to * reaches *", new_did_range},
    {"number * reaches *", new_did},
    {"set * * *",          set},
    {"the relay is up",    relay_up},
    {"the relay is slow",  relay_slow},
    {"the relay takes all", relay_takes_all},
    {NULL, NULL},
};
// clang-format on

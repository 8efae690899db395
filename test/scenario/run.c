// Plays scenarios: run FILE... plays each; when the play differs from the file, shows both. With --write in front the
// files are written anew as played: read what changed before you keep it. Lines at the margin are what
// people, phones and carriers do; the indented lines below each are what must come of it, all of it and nothing else.
// The words are those of the table at the end of this file.
#include "base/log.h"
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_ = 500, WORDS_MAX = 4 };

struct line {
	char words[WORDS_MAX][200]; // what the pattern's stars stood for
};

// ---- setting up

static uint64_t seconds(const char *text)
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

// A device nobody has spoken of yet is a phone, and registered.
static struct device *device_or_phone(struct stage *stage, const char *name)
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
	    .start_s = (int64_t)(seconds(start) / 1000),
	    .ring_s = (int64_t)(seconds(ring) / 1000),
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
		route->prefix = kept(stage, line->words[0]);
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

static void new_did(struct stage *stage, struct line *line)
{
	struct did *did = (struct did *)stage_add(stage, line->words[0], ENTITY_DID);

	did->number = did->canonical = kept(stage, line->words[0]);
	did->user_id = stage_entity(stage, line->words[1])->id;
	stage_put(stage, &did->entity);
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

static void set(struct stage *stage, struct line *line)
{
	struct entity *entity = stage_entity(stage, line->words[0]);
	const struct field *field = entity ? entity_field(entity_type(entity->kind), str_of(line->words[1])) : NULL;

	if (!field)
		stage_fail("%s has no %s", line->words[0], line->words[1]);
	void *value = field_of(entity, field);
	if (field->type == FIELD_TEXT)
		*(struct str *)value = kept(stage, line->words[2]);
	else if (field->type == FIELD_BOOLEAN)
		*(bool *)value = strcmp(line->words[2], "true") == 0;
	else if (field->type == FIELD_CHOICE)
		for (int i = 0; field->choices[i]; i++)
			*(int *)value = strcmp(field->choices[i], line->words[2]) == 0 ? i : *(int *)value;
	else
		*(int64_t *)value = atoi(line->words[2]);
	stage_put(stage, entity);
}

static void registers(struct stage *stage, struct line *line)
{
	stage_register(stage, device_named(stage, line->words[0]), line->words[1]);
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

static void name_add(char names[8][NAME_MAX_], const char *name)
{
	size_t i = 0;

	while (names[i][0])
		if (++i == 8)
			stage_fail("too many names");
	snprintf(names[i], NAME_MAX_, "%.*s", NAME_MAX_ - 1, name);
}

static void slow(struct stage *stage, struct line *line)
{
	name_add(stage->slow, line->words[0]);
}

static void down(struct stage *stage, struct line *line)
{
	name_add(stage->down, line->words[0]);
}

// ---- calling

static void place(struct stage *stage, struct party *party, struct invitation *invitation, bool with_offer)
{
	party->calls = true;
	party->without_offer = !with_offer;
	if (with_offer)
		invitation->body = (struct body){STR("application/sdp"), STR("offer")};
	invitation->session = party->session;
	invitation->call_id = STR("a-call");
	if (invitation->max_forwards == 0)
		invitation->max_forwards = 70;
	if (call_table_invited(stage->calls, invitation, &party->leg))
		stage_fail("the call was not taken");
}

static void call_from(struct stage *stage, struct line *line, bool with_offer, unsigned max_forwards)
{
	const struct entity *caller = stage_entity(stage, line->words[0]);
	struct invitation invitation = {
	    .caller = CALLER_DEVICE, .dialled = str_of(line->words[1]), .max_forwards = max_forwards};

	if (!caller)
		caller = &device_or_phone(stage, line->words[0])->entity;
	invitation.device_id = caller->id;
	if (caller->kind == ENTITY_USER) {
		struct turn_plan turns[USER_TURNS_MAX];
		if (directory_turns(stage->directory, (const struct user *)caller, turns) == 0)
			stage_fail("%s has no device to call from", line->words[0]);
		invitation.device_id = turns[0].device_id;
	}
	place(stage, stage_enter(stage, line->words[0]), &invitation, with_offer);
}

static void calls(struct stage *stage, struct line *line)
{
	call_from(stage, line, true, 70);
}

static void calls_without_offer(struct stage *stage, struct line *line)
{
	call_from(stage, line, false, 70);
}

static void calls_with_hops(struct stage *stage, struct line *line)
{
	call_from(stage, line, true, (unsigned)atoi(line->words[2]));
}

static void brings(struct stage *stage, struct line *line)
{
	const struct entity *trunk = stage_entity(stage, line->words[0]);
	bool anonymous = strcmp(line->words[2], "somebody-anonymous") == 0;
	const struct invitation template = {
	    .caller = CALLER_TRUNK,
	    .trunk_id = trunk->id,
	    .dialled = str_of(line->words[1]),
	    .caller_number = anonymous ? STR("+441444888888") : str_of(line->words[2]),
	    .anonymous = anonymous,
	};
	struct invitation invitation = template;

	place(stage, stage_enter(stage, line->words[0]), &invitation, true);
}

static void rings(struct stage *stage, struct line *line)
{
	call_table_progressed(stage->calls, stage_party(stage, line->words[0])->leg, 180, NULL);
}

static void says_progress(struct stage *stage, struct line *line)
{
	struct body body = {STR("application/sdp"), str_of(line->words[2])};

	call_table_progressed(stage->calls, stage_party(stage, line->words[0])->leg, (unsigned)atoi(line->words[1]),
			      &body);
}

static void answers(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);
	char text[300];
	snprintf(text, sizeof text, "sdp of %s", line->words[0]);
	struct body body = {STR("application/sdp"), str_of(text)};

	party->owes_487 = false;
	call_table_answered(stage->calls, party->leg, &body);
}

static void refuses(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->owes_487 = false;
	party->gone = true;
	call_table_failed(stage->calls, party->leg, (unsigned)atoi(line->words[1]), STR("Refused"));
}

static void gives_up(struct stage *stage, struct line *line)
{
	call_table_cancelled(stage->calls, stage_party(stage, line->words[0])->leg);
}

static void hangs_up(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->gone = true;
	call_table_hung_up(stage->calls, party->leg);
}

static void acknowledges(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->slow = false;
	party->owes_ack = true;
}

static void acknowledges_with(struct stage *stage, struct line *line)
{
	const struct body body = {STR("application/sdp"), str_of(line->words[1])};

	call_table_acknowledged(stage->calls, stage_party(stage, line->words[0])->leg, &body);
}

static void never_acknowledges(struct stage *stage, struct line *line)
{
	struct party *party = stage_party(stage, line->words[0]);

	party->owes_ack = false;
	call_table_unacknowledged(stage->calls, party->leg);
}

// ---- within a call

static void ask(struct stage *stage, struct line *line, const char *text)
{
	static const char *const methods[] = {"INVITE", "UPDATE", "INFO", "MESSAGE", "REFER", "NOTIFY", "OPTIONS"};
	struct dialog_request request = {.body = {STR("application/sdp"), str_of(text)}};

	for (int i = 0; i < 7; i++)
		if (strcmp(methods[i], line->words[1]) == 0)
			request.method = (enum dialog_method)i;
	call_table_requested(stage->calls, stage_party(stage, line->words[0])->leg, 7, &request);
}

static void asks(struct stage *stage, struct line *line)
{
	ask(stage, line, NULL);
}

static void asks_with(struct stage *stage, struct line *line)
{
	ask(stage, line, line->words[2]);
}

static void reply_with(struct stage *stage, struct line *line, const char *text)
{
	struct party *party = stage_party(stage, line->words[0]);
	struct body body = {STR("application/sdp"), str_of(text)};

	call_table_replied(stage->calls, party->leg, party->question, (unsigned)atoi(line->words[1]), &body);
}

static void replies(struct stage *stage, struct line *line)
{
	reply_with(stage, line, NULL);
}

static void replies_with(struct stage *stage, struct line *line)
{
	reply_with(stage, line, line->words[2]);
}

// ---- the server

static void after(struct stage *stage, struct line *line)
{
	stage_run(stage, seconds(line->words[0]));
}

static void drains(struct stage *stage, struct line *line)
{
	(void)line;
	call_table_drain(stage->calls);
}

static void ends_call(struct stage *stage, struct line *line)
{
	if (!call_table_hang_up(stage->calls, (uint64_t)atoi(line->words[0])))
		stage_say(stage, "there is no such call");
}

static void shows_calls(struct stage *stage, struct line *line)
{
	struct call_snapshot *shown;
	size_t count;

	(void)line;
	if (!call_table_snapshot(stage->calls, &stage->arena, &shown, &count))
		stage_fail("no memory");
	for (size_t i = 0; i < count; i++) {
		stage_say(stage, "call %llu from %.*s to %.*s: %s", (unsigned long long)shown[i].call,
			  STR_ARG(shown[i].caller_number), STR_ARG(shown[i].dialled), shown[i].state);
		for (size_t l = 0; l < shown[i].leg_count; l++)
			stage_say(stage, "  %.*s %s", STR_ARG(shown[i].legs[l].device_title), shown[i].legs[l].state);
	}
}

static void explains(struct stage *stage, struct line *line)
{
	struct ring_explanation e;
	enum err err = call_table_explain(stage->calls, str_of(line->words[0]), &stage->arena, &e);

	if (err) {
		stage_say(stage, "%s", err_sentence(err));
		return;
	}
	if (e.refused)
		stage_say(stage, "refused at once: %s", err_sentence(e.refused));
	for (size_t i = 0; i < e.turn_count; i++)
		stage_say(stage, "%.*s, %lld to %lld ms: %.*s", STR_ARG(e.turns[i].title),
			  (long long)e.turns[i].start_ms, (long long)e.turns[i].stop_ms, STR_ARG(e.turns[i].sentence));
	stage_say(stage, "%.*s", STR_ARG(e.afterwards));
}

// ---- the words

// A star stands for one word, the last one for all the rest.
static const struct {
	const char *pattern;
	void (*play)(struct stage *stage, struct line *line);
} words[] = {
    {"* (*) has *", new_user},
    {"* is a *", new_phone},
    {"* is slow", slow},
    {"* is down", down},
    {"* is deleted", deleted},
    {"* is *", new_number},
    {"* selects *", selects},
    {"* registers as *", registers},
    {"* unregisters", unregisters},
    {"trunk *", new_trunk},
    {"route * to *", new_route},
    {"number * reaches *", new_did},
    {"set * * *", set},
    {"the relay is up", relay_up},
    {"* calls * without offer", calls_without_offer},
    {"* calls * with * hops left", calls_with_hops},
    {"* calls *", calls},
    {"* brings * from *", brings},
    {"* rings", rings},
    {"* says * with *", says_progress},
    {"* answers", answers},
    {"* refuses with *", refuses},
    {"* gives up", gives_up},
    {"* hangs up", hangs_up},
    {"* acknowledges with *", acknowledges_with},
    {"* acknowledges", acknowledges},
    {"* never acknowledges", never_acknowledges},
    {"* asks * with *", asks_with},
    {"* asks *", asks},
    {"* replies * with *", replies_with},
    {"* replies *", replies},
    {"after *", after},
    {"the server drains", drains},
    {"the server ends call *", ends_call},
    {"show calls", shows_calls},
    {"explain *", explains},
};

static bool matches(const char *pattern, const char *text, struct line *line)
{
	size_t word = 0;

	while (*pattern) {
		if (*pattern != '*') {
			if (*pattern++ != *text++)
				return false;
			continue;
		}
		pattern++;
		size_t length = *pattern ? strcspn(text, *pattern == ')' ? ")" : " ") : strlen(text);
		if (length == 0 || length >= sizeof line->words[0] || word == WORDS_MAX)
			return false;
		memcpy(line->words[word], text, length);
		line->words[word++][length] = '\0';
		text += length;
	}
	return *text == '\0';
}

static void play_line(struct stage *stage, const char *text)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct line line = {.words = {""}};
		if (!matches(words[i].pattern, text, &line))
			continue;
		words[i].play(stage, &line);
		stage_settle(stage);
		return;
	}
	stage_fail("nobody understands \"%s\"", text);
}

// ---- the file

static char *file_read(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 100000);

	if (!file || fread(text, 1, 99999, file) == 0)
		stage_fail("%s cannot be read", path);
	fclose(file);
	return text;
}

// What agrees, then both versions of the rest.
static void difference_show(const char *path, const char *wanted, const char *played)
{
	printf("%s: the play differs\n", path);
	while (*wanted || *played) {
		size_t w = strcspn(wanted, "\n"), p = strcspn(played, "\n");
		if (w == p && memcmp(wanted, played, w) == 0)
			printf("  %.*s\n", (int)w, wanted);
		else
			break;
		wanted += w + (wanted[w] == '\n');
		played += p + (played[p] == '\n');
	}
	printf("-- as written, from here on:\n%s-- as played:\n%s", wanted, played);
}

// The file played is the file's own lines at the margin with what came of each; it should read the same.
static bool play(const char *path, bool writes)
{
	char *wanted = file_read(path), *copy = strdup(wanted), *rest = copy, *text;
	struct stage stage;
	char *played = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&played, &length);

	stage_open(&stage);
	while ((text = strsep(&rest, "\n"))) {
		if (!rest && !*text)
			break;
		if (text[0] == ' ')
			continue;
		fprintf(out, "%s\n", text);
		if (!text[0] || text[0] == '#')
			continue;
		size_t before = stage.transcript_length;
		play_line(&stage, text);
		fputs(stage.transcript + before, out);
	}
	fclose(out);
	bool same = strcmp(wanted, played) == 0;
	if (!same && writes) {
		FILE *file = fopen(path, "w");
		if (!file || fputs(played, file) < 0 || fclose(file) != 0)
			stage_fail("%s cannot be written", path);
	} else if (!same) {
		difference_show(path, wanted, played);
	}
	if (same || call_table_count(stage.calls) == 0)
		stage_close(&stage);
	free(played);
	free(copy);
	free(wanted);
	return same;
}

static void log_nowhere(struct str line, void *context)
{
	(void)line;
	(void)context;
}

int main(int count, char **paths)
{
	bool writes = count > 1 && strcmp(paths[1], "--write") == 0;
	int failed = 0;

	if (!getenv("LOG"))
		log_capture(log_nowhere, NULL);
	for (int i = writes ? 2 : 1; i < count; i++)
		failed += !play(paths[i], writes);
	if (failed)
		printf("%d of %d scenarios differ\n", failed, count - 1);
	return failed > 0;
}

// Calls that are over: the list, and one as a timeline.
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/search.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR_WIDTH = 40 };

static void words_write(const json_t *row, const char *name, char *into, size_t size)
{
	cell_write(json_object_get(row, name), into, size);
	for (char *c = into; *c; c++)
		*c = *c == '_' ? ' ' : *c;
}

static void duration_write(const json_t *row, const char *name, char *into, size_t size)
{
	long long from = json_time_ms(row, name), to = json_time_ms(row, "ended_at");
	into[0] = '\0';
	if (from && to >= from)
		snprintf(into, size, "%lld:%02lld", (to - from) / 60000, (to - from) / 1000 % 60);
}

int records_run(struct cli *cli)
{
	static const struct column columns[] = {{"id", "ID", NULL},
						{"started_at", "STARTED", cell_time},
						{"caller_number", "CALLER", NULL},
						{"dialled", "DIALLED", NULL},
						{"callee_title", "CALLED", NULL},
						{"outcome", "OUTCOME", words_write},
						{"answered_at", "TALKED", duration_write}};
	return search_run(cli,
			  &(struct search){"call-records", columns, sizeof columns / sizeof *columns, "No calls yet."});
}

// ---- one call

// The time that bars are drawn for: from the call's arrival until the last device stopped ringing.
struct scale {
	long long from_ms, length_ms;
	const char *block;
};

static long long later(long long a, long long b)
{
	return a > b ? a : b;
}

// Until when a leg rang.
static long long rang_until(const json_t *leg)
{
	long long answered = json_time_ms(leg, "answered_at");
	return answered ? answered : json_time_ms(leg, "ended_at");
}

static struct scale scale_of(const json_t *record)
{
	struct scale scale = {.from_ms = json_time_ms(record, "started_at")};
	const json_t *leg;
	size_t i;
	json_array_foreach(json_object_get(record, "legs"), i, leg) if (json_time_ms(leg, "started_at"))
	    scale.length_ms = later(scale.length_ms, rang_until(leg) - scale.from_ms);
	scale.length_ms = later(scale.length_ms, 1000);
	scale.block = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\u2588" : "#";
	return scale;
}

static int column_of(const struct scale *scale, long long time_ms)
{
	long long offset = time_ms - scale->from_ms;
	if (offset < 0)
		offset = 0;
	if (offset > scale->length_ms)
		offset = scale->length_ms;
	return (int)(offset * BAR_WIDTH / scale->length_ms);
}

static void bar_print(const struct scale *scale, const json_t *leg)
{
	long long started = json_time_ms(leg, "started_at");
	int from = column_of(scale, started), to = column_of(scale, rang_until(leg));
	if (started && to == from) // however short it was, it can be seen
		to < BAR_WIDTH ? to++ : from--;
	for (int i = 0; i < BAR_WIDTH; i++)
		fputs(started && i >= from && i < to ? scale->block : " ", stdout);
}

static void leg_print(const struct scale *scale, const json_t *leg, size_t label_width)
{
	char number[CELL_MAX], title[CELL_MAX], outcome[CELL_MAX], reason[CELL_MAX], label[2 * CELL_MAX];
	long long started = json_time_ms(leg, "started_at"), answered = json_time_ms(leg, "answered_at");
	cell_write(json_object_get(leg, "number"), number, sizeof number);
	cell_write(json_object_get(leg, "title"), title, sizeof title);
	cell_write(json_object_get(leg, "reason"), reason, sizeof reason);
	words_write(leg, "outcome", outcome, sizeof outcome);
	snprintf(label, sizeof label, "%s%s%s", number, title[0] ? " " : "", title);
	fputs("  ", stdout);
	text_print(label, label_width + 2);
	bar_print(scale, leg);
	if (started)
		printf("  %.1f to %.1f s", (double)(started - scale->from_ms) / 1000,
		       (double)(rang_until(leg) - scale->from_ms) / 1000);
	printf("  %s", outcome);
	if (answered && strcmp(outcome, "answered") == 0 && json_time_ms(leg, "ended_at") >= answered)
		printf(", talked %.1f s", (double)(json_time_ms(leg, "ended_at") - answered) / 1000);
	if (reason[0])
		printf(": %s", reason);
	cell_write(json_object_get(leg, "anchor_reason"), reason, sizeof reason);
	if (reason[0])
		printf(" (media relay: %s)", reason);
	putchar('\n');
}

static void quality_print(const char *who, const json_t *quality)
{
	char relay[CELL_MAX], codec[CELL_MAX], rating[CELL_MAX];
	if (!json_is_object(quality))
		return;
	cell_write(json_object_get(quality, "relay"), relay, sizeof relay);
	cell_write(json_object_get(quality, "codec"), codec, sizeof codec);
	cell_write(json_object_get(quality, "rating"), rating, sizeof rating);
	printf("  heard from %s: ", who);
	if (rating[0])
		printf("%s, MOS %.1f, ", rating, json_number_value(json_object_get(quality, "mos")));
	printf("%.1f %% lost, jitter %lld ms, %s over %s\n",
	       json_number_value(json_object_get(quality, "loss_percent")),
	       (long long)json_integer_value(json_object_get(quality, "jitter_ms")), codec[0] ? codec : "no sound",
	       relay[0] ? relay : "the media relay");
}

static void qualities_print(const json_t *record)
{
	const json_t *leg;
	size_t i;
	quality_print("the caller", json_object_get(record, "caller_quality"));
	json_array_foreach(json_object_get(record, "legs"), i, leg)
	{
		char number[CELL_MAX];
		cell_write(json_object_get(leg, "number"), number, sizeof number);
		quality_print(number, json_object_get(leg, "quality"));
	}
}

static size_t label_width_of(const json_t *record)
{
	const json_t *leg;
	size_t i, width = 6;
	json_array_foreach(json_object_get(record, "legs"), i, leg)
	{
		char number[CELL_MAX], title[CELL_MAX];
		cell_write(json_object_get(leg, "number"), number, sizeof number);
		cell_write(json_object_get(leg, "title"), title, sizeof title);
		size_t both = text_width(number) + (title[0] ? 1 + text_width(title) : 0);
		width = both > width ? both : width;
	}
	return width;
}

// Where the call was before.
static void origin_print(const json_t *record)
{
	char from[CELL_MAX], by[CELL_MAX];
	cell_write(json_object_get(record, "forwarded_from"), from, sizeof from);
	cell_write(json_object_get(record, "transferred_by"), by, sizeof by);
	if (by[0])
		printf("  transferred by %s, from the call in record %s\n", by, from);
	else if (from[0])
		printf("  forwarded from the call in record %s\n", from);
}

static void record_print(const json_t *record)
{
	char started[CELL_MAX], number[CELL_MAX], name[CELL_MAX], dialled[CELL_MAX], callee[CELL_MAX],
	    outcome[CELL_MAX], sentence[CELL_MAX];
	struct scale scale = scale_of(record);
	size_t width = label_width_of(record), i;
	const json_t *leg, *legs = json_object_get(record, "legs");
	cell_time(record, "started_at", started, sizeof started);
	cell_write(json_object_get(record, "caller_number"), number, sizeof number);
	cell_write(json_object_get(record, "caller_name"), name, sizeof name);
	cell_write(json_object_get(record, "dialled"), dialled, sizeof dialled);
	cell_write(json_object_get(record, "callee_title"), callee, sizeof callee);
	cell_write(json_object_get(record, "sentence"), sentence, sizeof sentence);
	words_write(record, "outcome", outcome, sizeof outcome);
	printf("%s  %s%s%s%s dialled %s%s%s%s: %s\n", started, number, name[0] ? " (" : "", name, name[0] ? ")" : "",
	       dialled, callee[0] ? " (" : "", callee, callee[0] ? ")" : "", outcome);
	if (sentence[0])
		printf("  %s\n", sentence);
	origin_print(record);
	if (json_array_size(legs) == 0)
		return;
	fputs("  ", stdout);
	text_print("device", width + 2);
	printf("0%*.1f s\n", BAR_WIDTH - 3, (double)scale.length_ms / 1000);
	json_array_foreach(legs, i, leg) leg_print(&scale, leg, width);
	qualities_print(record);
}

int record_run(struct cli *cli)
{
	char *path = NULL;
	if (cli->argument_count != 1)
		return usage(cli, "Say which call record; `carillon records` lists them.");
	char *escaped = client_escape(cli->arguments[0]);
	if (asprintf(&path, "call-records/%s", escaped) < 0)
		path = NULL;
	free(escaped);
	json_t *record = client_call(cli->client, "GET", needed(path), NULL);
	free(path);
	if (!record)
		return EXIT_REFUSED;
	if (cli->output == OUTPUT_JSON)
		json_print(record);
	else
		record_print(record);
	json_decref(record);
	return EXIT_DONE;
}

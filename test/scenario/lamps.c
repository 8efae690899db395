// Phones whose lamps show what extensions do: the watcher's side of domain/lamp.h.
#include "stage.h"

#include <stdio.h>
#include <string.h>

static void changed(struct lamp_watch *watch)
{
	container_of(watch, struct stage_lamp, watch)->changed = true;
}

void stage_watch(struct stage *stage, const char *phone, const char *extension)
{
	const struct user *user = directory_user_by_extension(stage->directory, str_of(extension));
	struct stage_lamp *lamp = &stage->lamps[stage->lamp_count++];

	if (stage->lamp_count > LAMPS_MAX || !user)
		stage_fail("%s cannot be watched", extension);
	*lamp = (struct stage_lamp){.watch = {.user_id = user->entity.id, .changed = changed}, .changed = true};
	snprintf(lamp->phone, sizeof lamp->phone, "%s", phone);
	snprintf(lamp->extension, sizeof lamp->extension, "%s", extension);
	if (!call_table_watch(stage->calls, &lamp->watch))
		stage_fail("no memory");
}

void stage_unwatch(struct stage *stage, const char *phone, const char *extension)
{
	for (size_t i = 0; i < stage->lamp_count; i++)
		if (strcmp(stage->lamps[i].phone, phone) == 0 && strcmp(stage->lamps[i].extension, extension) == 0)
			call_table_unwatch(stage->calls, &stage->lamps[i].watch);
}

static void write_call(struct stage *stage, struct writer *w, const struct lamp_call *call)
{
	static const char *const states[] = {"trying", "early", "confirmed"};
	const char *ringing = NULL;

	for (size_t i = 0; i < stage->party_count; i++)
		if (call->session && stage->parties[i].session == call->session)
			ringing = stage->parties[i].name;
	writer_format(w, "%s%s %s %.*s", w->used ? ", " : "", states[call->state],
		      call->called ? "called by" : "calling", STR_ARG(call->other_number));
	if (call->anonymous)
		writer_text(w, "somebody anonymous");
	if (!str_empty(call->other_name))
		writer_format(w, " \"%.*s\"", STR_ARG(call->other_name));
	if (call->holds)
		writer_text(w, ", holds");
	if (call->held)
		writer_text(w, ", on hold");
	if (ringing)
		writer_format(w, " at %s", ringing);
}

void stage_lamps_show(struct stage *stage)
{
	for (size_t i = 0; i < stage->lamp_count; i++) {
		struct stage_lamp *lamp = &stage->lamps[i];
		struct lamp_call calls[2 * LAMP_CALLS_MAX];
		char text[sizeof lamp->shows];
		struct writer w = writer_into(text, sizeof text - 1);

		if (!lamp->changed)
			continue;
		lamp->changed = false;
		size_t count = call_table_lamp(stage->calls, lamp->watch.user_id, calls);
		for (size_t c = 0; c < count; c++)
			write_call(stage, &w, &calls[c]);
		text[w.used] = '\0';
		if (strcmp(text, lamp->shows) == 0)
			continue;
		snprintf(lamp->shows, sizeof lamp->shows, "%s", text);
		stage_say(stage, "%s's lamp for %s: %s", lamp->phone, lamp->extension, text[0] ? text : "off");
	}
}

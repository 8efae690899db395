// The media relays between the calls, which are told what they say, and the prompts, which are put together for them to play.
#include "base/log.h"
#include "media/none.h"
#include "server.h"
#include "settings_of.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// ---- what the media relays say

static void media_translated(void *context, uint64_t token, const struct body *body)
{
	call_table_media_translated(((struct server *)context)->calls, token, body);
}

static void media_failed(void *context, uint64_t token)
{
	call_table_media_failed(((struct server *)context)->calls, token);
}

static void media_prompt_over(void *context, uint64_t leg)
{
	call_table_prompt_over(((struct server *)context)->calls, leg);
}

static void media_key_pressed(void *context, uint64_t leg, char key)
{
	call_table_key_pressed(((struct server *)context)->calls, leg, key);
}

static void media_lost(void *context, uint64_t leg)
{
	call_table_media_lost(((struct server *)context)->calls, leg);
}

static void media_quality(void *context, const struct media_quality *of)
{
	const struct records *records = store_records(((struct server *)context)->store);

	records->quality(records->context, &(struct call_quality){.record = of->record,
								  .leg = of->number,
								  .relay = of->relay,
								  .codec = of->codec,
								  .packets = of->packets,
								  .lost = of->lost,
								  .jitter_ms = of->jitter_ms,
								  .mos_hundred = of->mos_hundred});
}

// ---- prompts

static void prompt_is_ready(void *context, const struct prompt_ready *ready)
{
	struct server *server = context;

	if (server->rtpengine)
		rtpengine_prompt_ready(server->rtpengine, ready->leg, ready->sequence, ready->err ? NULL : ready->path,
				       ready->ms);
}

static enum err prompt_order(void *context, const struct media_prompt *prompt, uint64_t leg, uint64_t sequence)
{
	struct server *server = context;

	return prompts_get(
	    server->prompts,
	    &(struct prompt_order){
		.prompt = prompt, .leg = leg, .sequence = sequence, .done = prompt_is_ready, .context = server});
}

// What was recorded in place of what ships, as the API keeps it; on the prompts' thread.
static enum err recording_read(const struct server *server, const char *name, struct arena *arena, struct str *wav)
{
	const struct records *records = store_records(server->store);
	struct recording recording;
	enum err err = records->recording_get(records->context, str_of(name), arena, &recording);

	if (!err)
		*wav = recording.wav;
	return err;
}

static enum err piece_read(void *context, enum prompt_language language, enum prompt_piece piece, struct arena *arena,
			   struct str *wav)
{
	char name[RECORDING_NAME_MAX];

	snprintf(name, sizeof name, "%s-%s", prompt_languages[language], prompt_piece_kinds[piece].name);
	return recording_read(context, name, arena, wav);
}

static enum err name_read(void *context, uint64_t user_id, struct arena *arena, struct str *wav)
{
	char name[RECORDING_NAME_MAX];

	snprintf(name, sizeof name, "user-%" PRIu64, user_id);
	return recording_read(context, name, arena, wav);
}

void recordings_changed(void *context)
{
	const struct server *server = context;

	if (server->prompts)
		prompts_changed(server->prompts);
}

// Without prompts calls that need none go on as ever.
static void prompts_build(struct server *server, struct rtpengine_options *options)
{
	struct str folder = server->settings.media_prompts;
	char path[PATH_MAX], here[PATH_MAX], sentence[512] = "the path is too long";

	// The relay has a folder of its own to start from.
	bool absolute = str_starts(folder, STR("/"));
	if (!absolute && !getcwd(here, sizeof here))
		here[0] = '\0';
	int length =
	    snprintf(path, sizeof path, "%s%s%.*s", absolute ? "" : here, absolute ? "" : "/", STR_ARG(folder));
	if (length < 0 || (size_t)length >= sizeof path ||
	    !prompts_create(&(struct prompts_settings){.cache = path,
						       .call_thread = server->call_thread,
						       .recordings = {server, piece_read, name_read}},
			    &server->prompts, sentence, sizeof sentence)) {
		log_warning("no_prompts", LOG_TEXT("why", sentence));
		return;
	}
	options->prompt_order = prompt_order;
	options->prompt_context = server;
}

bool media_build(struct server *server)
{
	struct rtpengine_options options = settings_of_media(&server->settings);

	server->media = media_none();
	if (options.relay_count == 0)
		return true;
	options.loop = server->loop;
	prompts_build(server, &options);
	server->rtpengine = rtpengine_create(&options, &(struct media_sink){.context = server,
									    .translated = media_translated,
									    .failed = media_failed,
									    .prompt_over = media_prompt_over,
									    .key_pressed = media_key_pressed,
									    .lost = media_lost,
									    .quality = media_quality});
	if (!server->rtpengine)
		return complain("[media] dtmf = %.*s: %s", STR_ARG(server->settings.media_dtmf), strerror(errno));
	server->media = rtpengine_media(server->rtpengine);
	return true;
}

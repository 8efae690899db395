// Recordings for prompts: the pieces, each as it ships or as it was uploaded, and the names of users. A recording comes as WAV in any
// of the usual forms and is kept as the telephone has it: 16-bit PCM, 8 kHz, mono.
#include "base/wav.h"
#include "domain/prompt_piece.h"
#include "http/answer.h"
#include "http/collection.h"
#include "http/router.h"
#include "http/server.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUIETEST = 300 }; // the highest peak of what nobody would hear: -40 dBFS

// What a request is about.
struct subject {
	enum prompt_language language;
	enum prompt_piece piece;
	struct str name; // of the recording
	uint64_t user_id;
	unsigned most_s;
};

// "en-digit-5"
static bool piece_of_id(struct str id, struct subject *subject)
{
	size_t end = str_index(id, '-');
	if (end == id.length || !prompt_language_find(str_first(id, end), &subject->language) ||
	    !prompt_piece_find(str_from(id, end + 1), &subject->piece))
		return false;
	subject->name = id;
	subject->most_s = prompt_piece_kinds[subject->piece].most_s;
	return true;
}

static enum err user_of_request(struct request *request, struct subject *subject)
{
	struct entity *entity;
	enum err err = collection_find(request, &entity);
	if (err)
		return err;
	subject->user_id = entity->id;
	subject->most_s = RECORDED_NAME_MAX_S;
	subject->name = arena_format(&request->arena, "user-%" PRIu64, entity->id);
	return subject->name.at ? ERR_NONE : ERR_NO_MEMORY;
}

static enum err subject_of_request(struct request *request, struct subject *subject)
{
	*subject = (struct subject){.user_id = 0};
	if (request->operation->kind == ENTITY_USER)
		return user_of_request(request, subject);
	return piece_of_id(request->id, subject) ? ERR_NONE : ERR_NOT_FOUND;
}

static struct str shipped(struct request *request, const struct subject *subject)
{
	const struct http_settings *settings = server_settings(request->server);
	return settings->prompt_shipped && !subject->user_id
		   ? settings->prompt_shipped(subject->language, subject->piece)
		   : STR_NONE;
}

// ---- showing

// `recording` NULL: there is none.
static bool recording_put(json_t *object, const struct recording *recording, uint64_t ms)
{
	return json_put(object, "recorded_at", recording ? json_time(recording->at) : json_null()) &&
	       json_put(object, "duration_ms", ms ? json_integer((json_int_t)ms) : json_null());
}

static uint64_t shipped_ms(struct request *request, const struct subject *subject)
{
	struct arena arena;
	struct wav wav;
	arena_init(&arena, 0);
	enum wav_fault fault = wav_read(shipped(request, subject), subject->most_s * 1000, &arena, &wav);
	uint64_t ms = fault ? 0 : wav_ms(wav.count);
	arena_free(&arena);
	return ms;
}

static json_t *piece_to_json(struct request *request, const struct subject *subject, const struct recording *recording)
{
	const struct prompt_piece_kind *kind = &prompt_piece_kinds[subject->piece];
	json_t *object = json_object();
	bool built = json_put(object, "id", json_text(subject->name)) &&
		     json_put(object, "language", json_string(prompt_languages[subject->language])) &&
		     json_put(object, "piece", json_string(kind->name)) &&
		     json_put(object, "text", json_string(kind->texts[subject->language])) &&
		     json_put(object, "longest_s", json_integer(kind->most_s)) &&
		     recording_put(object, recording, recording ? recording->ms : shipped_ms(request, subject));
	if (!built) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *name_to_json(const struct subject *subject, const struct recording *recording)
{
	json_t *object = json_object();
	bool built = json_put(object, "user_id", json_id(subject->user_id)) &&
		     json_put(object, "longest_s", json_integer(subject->most_s)) &&
		     recording_put(object, recording, recording ? recording->ms : 0);
	if (!built) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static struct answer show(struct request *request, const struct subject *subject, const struct recording *recording)
{
	return answer_json(request, 200,
			   subject->user_id ? name_to_json(subject, recording)
					    : piece_to_json(request, subject, recording));
}

static const struct recording *recording_named(const struct recording_page *page, struct str name)
{
	for (size_t i = 0; i < page->count; i++)
		if (str_equal(page->recordings[i].name, name))
			return &page->recordings[i];
	return NULL;
}

struct answer prompts_list(struct request *request)
{
	struct records *records = server_records(request->server);
	struct recording_page page = {0};
	struct problem problem = {0};
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	enum err err = records->recording_list(records->context, &request->arena, &page);
	if (err)
		return answer_err(request, err);
	json_t *items = json_array();
	for (size_t i = 0; items && i < (size_t)PROMPT_LANGUAGE_COUNT * PIECE_COUNT; i++) {
		struct str id = arena_format(&request->arena, "%s-%s", prompt_languages[i / PIECE_COUNT],
					     prompt_piece_kinds[i % PIECE_COUNT].name);
		struct subject subject = {.language = i / PIECE_COUNT};
		json_t *item = id.at && piece_of_id(id, &subject)
				   ? piece_to_json(request, &subject, recording_named(&page, id))
				   : NULL;
		if (json_array_append_new(items, item) != 0) {
			json_decref(items);
			items = NULL;
		}
	}
	json_t *object = json_object();
	if (!json_put(object, "items", items)) {
		json_decref(object);
		object = NULL;
	}
	return answer_json(request, 200, object);
}

// ERR_NOT_FOUND: nothing was recorded; *subject is found nevertheless.
static enum err recording_find(struct request *request, struct subject *subject, struct recording *recording)
{
	struct records *records = server_records(request->server);
	struct problem problem = {0};
	enum err err = subject_of_request(request, subject);
	if (!err)
		err = request_parameters_done(request, &problem);
	return err ? err : records->recording_get(records->context, subject->name, &request->arena, recording);
}

struct answer recording_show(struct request *request)
{
	struct subject subject;
	struct recording recording = {.user_id = 0};
	enum err err = recording_find(request, &subject, &recording);
	if (err && !(err == ERR_NOT_FOUND && subject.name.at))
		return answer_err(request, err);
	return show(request, &subject, err ? NULL : &recording);
}

struct answer recording_sound(struct request *request)
{
	struct subject subject;
	struct recording recording = {.user_id = 0};
	enum err err = recording_find(request, &subject, &recording);
	if (err == ERR_NOT_FOUND && subject.name.at && !str_empty(shipped(request, &subject))) {
		recording.wav = shipped(request, &subject);
		err = ERR_NONE;
	}
	return err ? answer_err(request, err) : answer_text(200, "audio/wav", recording.wav);
}

// ---- changing

static bool is_wav(struct str type)
{
	type = str_trim(str_first(type, str_index(type, ';')));
	return str_equal_nocase(type, STR("audio/wav")) || str_equal_nocase(type, STR("audio/x-wav")) ||
	       str_equal_nocase(type, STR("audio/wave")) || str_equal_nocase(type, STR("audio/vnd.wave"));
}

static enum err sound_check(enum wav_fault fault, const struct wav *wav, unsigned most_s, struct problem *problem)
{
	switch (fault) {
	case WAV_FINE:
		return wav->peak > QUIETEST ? ERR_NONE
					    : problem_set(problem, ERR_INVALID_FIELD, "recording",
							  "There is nothing to hear in this recording.");
	case WAV_NO_MEMORY:
		return problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
	case WAV_TOO_LONG:
		return problem_set(problem, ERR_INVALID_FIELD, "recording",
				   "This recording may last %u seconds at most.", most_s);
	case WAV_NOT_WAV:
	case WAV_BROKEN:
	case WAV_OTHER_CODEC:
	case WAV_OTHER_RATE:
	case WAV_OTHER_CHANNELS:
	case WAV_EMPTY:
		break;
	}
	return problem_set(problem, ERR_INVALID_FIELD, "recording", "%s", wav_sentence(fault));
}

// The body as it is kept, in the arena.
static enum err sound_read(struct request *request, unsigned most_s, struct recording *recording,
			   struct problem *problem)
{
	struct wav wav;
	if (!is_wav(request->headers.content_type))
		return problem_set(problem, ERR_WRONG_MEDIA_TYPE, NULL,
				   "The body must be a WAV file, said by Content-Type: audio/wav.");
	enum wav_fault fault = wav_read((struct str){request->body ? request->body : "", request->body_size},
					most_s * 1000, &request->arena, &wav);
	enum err err = sound_check(fault, &wav, most_s, problem);
	if (err)
		return err;
	size_t size = WAV_HEAD_SIZE + 2 * wav.count;
	uint8_t *bytes = arena_alloc(&request->arena, size);
	if (!bytes)
		return problem_set(problem, ERR_NO_MEMORY, NULL, NULL);
	wav_write_head(bytes, wav.count);
	for (size_t i = 0; i < wav.count; i++) {
		bytes[WAV_HEAD_SIZE + 2 * i] = (uint8_t)wav.samples[i];
		bytes[WAV_HEAD_SIZE + 2 * i + 1] = (uint8_t)((uint16_t)wav.samples[i] >> 8);
	}
	recording->wav = (struct str){(const char *)bytes, size};
	recording->ms = wav_ms(wav.count);
	return ERR_NONE;
}

static enum err save(struct request *request, const struct subject *subject, struct recording *recording)
{
	const struct http_settings *settings = server_settings(request->server);
	struct records *records = server_records(request->server);
	recording->name = subject->name;
	recording->user_id = subject->user_id;
	enum err err = records->recording_save(records->context, recording);
	if (!err && settings->recordings_changed)
		settings->recordings_changed(settings->context);
	return err;
}

struct answer recording_replace(struct request *request)
{
	struct subject subject;
	struct recording recording = {.at = request_now_ms(request)};
	struct problem problem = {0};
	enum err err = subject_of_request(request, &subject);
	if (err)
		return answer_err(request, err);
	if (request_parameters_done(request, &problem) || sound_read(request, subject.most_s, &recording, &problem))
		return answer_problem(request, &problem);
	err = save(request, &subject, &recording);
	return err ? answer_err(request, err) : show(request, &subject, &recording);
}

struct answer recording_remove(struct request *request)
{
	struct subject subject;
	struct recording nothing = {.user_id = 0};
	struct problem problem = {0};
	enum err err = subject_of_request(request, &subject);
	if (!err && request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	if (!err)
		err = save(request, &subject, &nothing);
	return err ? answer_err(request, err) : answer_empty(204);
}

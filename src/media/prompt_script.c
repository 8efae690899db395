#include "media/prompt_script.h"

#include "base/log.h"
#include "base/wav.h"

#include <string.h>

enum {
	LEAD_MS = 300,        // until the phone is at the ear
	SENTENCE_MS = 350,    // between who calls and what to press
	GROUP_MS = 180,       // within a long number
	GROUP_DIGITS = 3,     // of which it is put together
	UNGROUPED_MAX = 4,    // digits that are read in one go
	NUMBER_MS = 120,      // before a number or name
	RECORDING_MS = 20000, // no recording is longer
};

// ---- wishes

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

void prompt_wish_of(const struct media_prompt *prompt, struct prompt_wish *wish)
{
	size_t used = 0;

	*wish = (struct prompt_wish){.prompt = prompt->prompt};
	if (!prompt_language_find(prompt->language, &wish->language))
		wish->language = PROMPT_ENGLISH;
	if (prompt->prompt != PROMPT_CALL)
		return;
	wish->user_id = prompt->caller_user_id;
	for (size_t i = 0; i < prompt->caller.length; i++) {
		char c = prompt->caller.at[i];
		if ((!digit(c) && !(c == '+' && i == 0)) || used == sizeof wish->number - 1) {
			memset(wish->number, 0, sizeof wish->number);
			return;
		}
		wish->number[used++] = c;
	}
}

// ---- pieces

static enum err wav_to_span(struct str bytes, struct arena *arena, struct span *span)
{
	struct wav wav;
	enum wav_fault fault = wav_read(bytes, RECORDING_MS, arena, &wav);

	if (fault == WAV_NO_MEMORY)
		return ERR_NO_MEMORY;
	if (fault)
		return ERR_INTERNAL; // it was looked at before it was kept
	*span = (struct span){wav.samples, wav.count};
	return ERR_NONE;
}

enum err prompt_pieces_init(struct prompt_pieces *pieces, const struct prompt_recordings *recordings)
{
	enum err err = ERR_NONE;

	*pieces = (struct prompt_pieces){.recordings = *recordings};
	arena_init(&pieces->shipped_arena, 0);
	arena_init(&pieces->recorded_arena, 0);
	for (enum prompt_language language = 0; language < PROMPT_LANGUAGE_COUNT; language++)
		for (enum prompt_piece piece = 0; !err && piece < PIECE_COUNT; piece++)
			err = wav_to_span(prompt_shipped(language, piece), &pieces->shipped_arena,
					  &pieces->shipped[language][piece]);
	if (err)
		prompt_pieces_free(pieces);
	return err;
}

void prompt_pieces_forget(struct prompt_pieces *pieces)
{
	arena_free(&pieces->recorded_arena);
	memset(pieces->recorded, 0, sizeof pieces->recorded);
	memset(pieces->looked, 0, sizeof pieces->looked);
}

void prompt_pieces_free(struct prompt_pieces *pieces)
{
	arena_free(&pieces->shipped_arena);
	arena_free(&pieces->recorded_arena);
}

// A recording that cannot be read now is no reason to say nothing: the shipped one is said, and the next prompt looks again.
static void look(struct prompt_pieces *pieces, enum prompt_language language, enum prompt_piece piece)
{
	const struct prompt_recordings *recordings = &pieces->recordings;
	struct str bytes;
	struct arena arena;

	if (pieces->looked[language][piece] || !recordings->piece)
		return;
	arena_init(&arena, 0);
	enum err err = recordings->piece(recordings->context, language, piece, &arena, &bytes);
	if (!err)
		err = wav_to_span(bytes, &pieces->recorded_arena, &pieces->recorded[language][piece]);
	arena_free(&arena);
	pieces->looked[language][piece] = !err || err == ERR_NOT_FOUND;
	if (pieces->looked[language][piece])
		return;
	pieces->in_trouble = true;
	log_warning("recording_not_read", LOG_TEXT("piece", prompt_piece_kinds[piece].name),
		    LOG_TEXT("err", err_name(err)));
}

static bool name_find(struct prompt_pieces *pieces, uint64_t user_id, struct arena *arena, struct span *span)
{
	const struct prompt_recordings *recordings = &pieces->recordings;
	struct str bytes;

	if (!user_id || !recordings->name)
		return false;
	enum err err = recordings->name(recordings->context, user_id, arena, &bytes);
	if (!err)
		err = wav_to_span(bytes, arena, span);
	if (err && err != ERR_NOT_FOUND) {
		pieces->in_trouble = true;
		log_warning("recorded_name_not_read", LOG_UINT("user", user_id), LOG_TEXT("err", err_name(err)));
	}
	return !err;
}

// ---- scripts

static void add(struct prompt_script *script, struct span span)
{
	if (script->span_count == SPANS_MAX)
		return;
	script->spans[script->span_count++] = span;
	script->samples += span.count;
}

static void silence(struct prompt_script *script, unsigned ms)
{
	add(script, (struct span){NULL, (size_t)ms * WAV_RATE / 1000});
}

struct author {
	struct prompt_pieces *pieces;
	const struct prompt_wish *wish;
	struct prompt_script *script;
};

static void say(const struct author *author, enum prompt_piece piece)
{
	struct prompt_pieces *pieces = author->pieces;
	enum prompt_language language = author->wish->language;

	look(pieces, language, piece);
	const struct span *recorded = &pieces->recorded[language][piece];
	add(author->script, recorded->count ? *recorded : pieces->shipped[language][piece]);
}

static void say_number(const struct author *author)
{
	const char *number = author->wish->number;
	size_t digits;

	silence(author->script, NUMBER_MS);
	if (*number == '+') {
		say(author, PIECE_PLUS);
		number++;
	}
	digits = strlen(number);
	for (size_t i = 0; i < digits; i++) {
		if (i > 0 && i % GROUP_DIGITS == 0 && digits > UNGROUPED_MAX)
			silence(author->script, GROUP_MS);
		say(author, PIECE_DIGIT_0 + (unsigned)(number[i] - '0'));
	}
}

static void say_call(const struct author *author, const struct span *name)
{
	const struct prompt_wish *wish = author->wish;

	if (name) {
		say(author, PIECE_CALL_FROM_NAME);
		silence(author->script, NUMBER_MS);
		add(author->script, *name);
	} else if (wish->number[0]) {
		bool extension = wish->user_id && wish->number[0] != '+';
		say(author, extension ? PIECE_CALL_FROM_EXTENSION : PIECE_CALL_FROM_NUMBER);
		say_number(author);
	} else {
		say(author, PIECE_CALL_FROM_UNKNOWN);
	}
	silence(author->script, SENTENCE_MS);
	say(author, PIECE_PRESS);
}

static void write_call(const struct author *author, struct arena *arena)
{
	struct span name;
	bool has_name = name_find(author->pieces, author->wish->user_id, arena, &name);

	say_call(author, has_name ? &name : NULL);
	if (author->script->samples <= (size_t)PROMPT_MS_MAX * WAV_RATE / 1000)
		return;
	// Slowly recorded digits of a long number: who answers must still hear what to press.
	const struct prompt_wish shorter = {.prompt = PROMPT_CALL, .language = author->wish->language};
	*author->script = (struct prompt_script){.span_count = 0};
	silence(author->script, LEAD_MS);
	say_call(&(struct author){author->pieces, &shorter, author->script}, NULL);
}

enum err prompt_script_write(struct prompt_pieces *pieces, const struct prompt_wish *wish, struct arena *arena,
			     struct prompt_script *script)
{
	const struct author author = {pieces, wish, script};

	*script = (struct prompt_script){.span_count = 0};
	switch (wish->prompt) {
	case PROMPT_CALL:
		silence(script, LEAD_MS);
		write_call(&author, arena);
		return ERR_NONE;
	case PROMPT_TAKEN:
		silence(script, LEAD_MS);
		say(&author, PIECE_TAKEN);
		return ERR_NONE;
	case PROMPT_RINGBACK:
		say(&author, PIECE_RINGBACK);
		return ERR_NONE;
	case PROMPT_HOLD:
		say(&author, PIECE_HOLD);
		return ERR_NONE;
	case PROMPT_COUNT:
		break;
	}
	return ERR_INTERNAL;
}

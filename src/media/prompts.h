// Spoken prompts as finished WAV files (16-bit PCM, 8 kHz, mono) that a relay can play: put together from recorded pieces, those
// that ship with the program or those that an administrator has put in their place, and kept in a folder of bounded size.
//
// A thread of its own puts them together, so the call thread never waits for a disk: it orders, and is told.
#ifndef MEDIA_PROMPTS_H
#define MEDIA_PROMPTS_H

#include "base/arena.h"
#include "domain/media.h"
#include "domain/prompt_piece.h"

struct prompts;
struct queue;

// What has been recorded here. Called on the prompts' own thread and may wait; gives a whole WAV file, ERR_NOT_FOUND when there is
// none. NULL: there never is one.
struct prompt_recordings {
	void *context;
	enum err (*piece)(void *context, enum prompt_language language, enum prompt_piece piece, struct arena *arena,
			  struct str *wav); // in place of the shipped one
	enum err (*name)(void *context, uint64_t user_id, struct arena *arena, struct str *wav);
};

struct prompts_settings {
	const char *cache;         // the folder; made when it is not there. Files of an earlier run are removed
	struct queue *call_thread; // taken from by its loop
	struct prompt_recordings recordings;
	size_t files_max;   // 0: 500
	uint64_t bytes_max; // 0: 100 MB. The file that was ordered longest ago goes first
};

// What comes of an order. `leg` and `sequence` are the orderer's own numbers, given back: who has lost interest meanwhile finds
// nothing by them.
struct prompt_ready {
	uint64_t leg, sequence;
	enum err err;     // the rest is nothing then
	const char *path; // of a whole file; readable by everybody, and never written again
	uint64_t ms;      // how long it lasts: PROMPT_MS_MAX at most
};

struct prompt_order {
	const struct media_prompt *prompt; // copied
	uint64_t leg, sequence;
	void (*done)(void *context,
		     const struct prompt_ready *ready); // on the call thread, never before prompts_get returns
	void *context;
};

enum { PROMPT_MS_MAX = 29000 };

// On the call thread, as is destroy. False with a sentence: the folder cannot be used, or there is no memory.
bool prompts_create(const struct prompts_settings *settings, struct prompts **prompts, char *sentence, size_t size);
// A refusal, or done is called once. OVERLOADED: more wait than will ever be wanted.
enum err prompts_get(struct prompts *prompts, const struct prompt_order *order);
// Some recording has changed: what is ordered from now on is made anew. Any thread.
void prompts_changed(struct prompts *prompts);
// Nothing is told any more. What was still to be told is in the call thread's queue, which must be emptied after this. NULL is allowed.
void prompts_destroy(struct prompts *prompts);

// A shipped piece as a WAV file; the tones are the same in every language.
struct str prompt_shipped(enum prompt_language language, enum prompt_piece piece);

#endif

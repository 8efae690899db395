// Prompts as files: what is in them, piece by piece, as a decoder hears it; what uploads change; how the folder stays small.
#include "base/hash.h"
#include "base/loop.h"
#include "base/queue.h"
#include "base/wav.h"
#include "lib/cmocka.h"
#include "media/prompts.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TELEPHONE_MS = 10000 }; // what waits longer than this is lost

static struct world {
	char folder[64];
	struct loop *loop;
	struct queue *call_thread;
	struct prompts *prompts;
	struct prompt_ready ready;
	char path[512];
	unsigned told;
	struct arena arena;
	// what is recorded
	struct str name;    // of user 7
	struct str digit_5; // English
	enum err trouble;   // instead of an answer
} world;

static enum err recorded_piece(void *context, enum prompt_language language, enum prompt_piece piece,
			       struct arena *arena, struct str *wav)
{
	(void)context;
	if (world.trouble)
		return world.trouble;
	if (language != PROMPT_ENGLISH || piece != PIECE_DIGIT_5 || str_empty(world.digit_5))
		return ERR_NOT_FOUND;
	*wav = arena_copy(arena, world.digit_5);
	return ERR_NONE;
}

static enum err recorded_name(void *context, uint64_t user_id, struct arena *arena, struct str *wav)
{
	(void)context;
	if (user_id != 7 || str_empty(world.name))
		return ERR_NOT_FOUND;
	*wav = arena_copy(arena, world.name);
	return ERR_NONE;
}

static struct prompts *create(size_t files_max)
{
	struct prompts *prompts = NULL;
	char sentence[256] = "";
	const struct prompts_settings settings = {.cache = world.folder,
						  .call_thread = world.call_thread,
						  .recordings = {NULL, recorded_piece, recorded_name},
						  .files_max = files_max};

	if (!prompts_create(&settings, &prompts, sentence, sizeof sentence))
		fail_msg("%s", sentence);
	return prompts;
}

static void begin(size_t files_max)
{
	world = (struct world){.told = 0};
	strcpy(world.folder, "/tmp/prompts.XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	arena_init(&world.arena, 0);
	assert_int_equal(loop_create(&world.loop), 0);
	assert_int_equal(queue_create_on_loop(world.loop, &world.call_thread), 0);
	world.prompts = create(files_max);
}

static size_t files_in_folder(void)
{
	DIR *directory = opendir(world.folder);
	size_t count = 0;

	for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void end(void)
{
	prompts_destroy(world.prompts);
	assert_int_equal(files_in_folder(), 0);
	assert_int_equal(rmdir(world.folder), 0);
	queue_destroy(world.call_thread);
	loop_destroy(world.loop);
	arena_free(&world.arena);
}

static void told(void *context, const struct prompt_ready *ready)
{
	assert_ptr_equal(context, &world);
	world.ready = *ready;
	if (ready->path)
		snprintf(world.path, sizeof world.path, "%s", ready->path);
	world.told++;
	loop_stop(world.loop);
}

static void too_late(struct timer *timer)
{
	(void)timer;
	fail_msg("nobody told");
}

static void order(struct media_prompt prompt, uint64_t leg)
{
	const struct prompt_order what = {
	    .prompt = &prompt, .leg = leg, .sequence = leg + 1, .done = told, .context = &world};
	unsigned before = world.told;
	struct timer timer;

	assert_int_equal(prompts_get(world.prompts, &what), ERR_NONE);
	assert_int_equal(world.told, before); // never before it returns
	timer_init(&timer, too_late);
	timer_start(world.loop, &timer, TELEPHONE_MS);
	loop_run(world.loop);
	timer_stop(&timer);
	assert_int_equal(world.told, before + 1);
	assert_int_equal(world.ready.leg, leg);
	assert_int_equal(world.ready.sequence, leg + 1);
}

static struct wav read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct wav wav;

	assert_non_null(file);
	char *bytes = arena_alloc(&world.arena, 1 << 20);
	size_t size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	assert_int_equal(wav_read((struct str){bytes, size}, PROMPT_MS_MAX, &world.arena, &wav), WAV_FINE);
	return wav;
}

static struct wav prompt(struct media_prompt what)
{
	order(what, 17);
	assert_int_equal(world.ready.err, ERR_NONE);
	struct wav wav = read_file(world.path);
	assert_int_equal(world.ready.ms, wav_ms(wav.count));
	return wav;
}

static struct wav shipped(enum prompt_language language, enum prompt_piece piece)
{
	struct wav wav;

	assert_int_equal(wav_read(prompt_shipped(language, piece), 20000, &world.arena, &wav), WAV_FINE);
	return wav;
}

// Where `piece` begins in `whole`, at or after `from`, sample by sample; -1: nowhere.
static long place_of(const struct wav *whole, const struct wav *piece, size_t from)
{
	for (size_t at = from; at + piece->count <= whole->count; at++)
		if (memcmp(whole->samples + at, piece->samples, piece->count * sizeof *piece->samples) == 0)
			return (long)at;
	return -1;
}

// That it says these pieces in this order, and between them nothing but silence.
static void says(const struct wav *whole, enum prompt_language language, const enum prompt_piece *pieces, size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		struct wav piece = shipped(language, pieces[i]);
		long place = place_of(whole, &piece, at);
		if (place < 0)
			fail_msg("%s is not said where it should be", prompt_piece_kinds[pieces[i]].name);
		for (size_t j = at; j < (size_t)place; j++)
			assert_int_equal(whole->samples[j], 0);
		at = (size_t)place + piece.count;
	}
	assert_int_equal(at, whole->count);
}
#define SAYS(whole, language, ...)                                                                                     \
	says(whole, language, (const enum prompt_piece[]){__VA_ARGS__},                                                \
	     sizeof((const enum prompt_piece[]){__VA_ARGS__}) / sizeof(enum prompt_piece))

static struct media_prompt call_from(const char *caller, uint64_t user_id, const char *language)
{
	return (struct media_prompt){PROMPT_CALL, str_of(language), str_of(caller), user_id};
}

// A file of 16-bit PCM with a sawtooth of this height, so that each differs.
static struct str recording(int height, size_t count)
{
	uint8_t *bytes = arena_alloc(&world.arena, WAV_HEAD_SIZE + 2 * count);

	wav_write_head(bytes, count);
	for (size_t i = 0; i < count; i++) {
		int value = (int)(i % 50) * height / 50 + 1;
		bytes[WAV_HEAD_SIZE + 2 * i] = (uint8_t)value;
		bytes[WAV_HEAD_SIZE + 2 * i + 1] = (uint8_t)(value >> 8);
	}
	return (struct str){(const char *)bytes, WAV_HEAD_SIZE + 2 * count};
}

static struct wav decoded(struct str bytes)
{
	struct wav wav;

	assert_int_equal(wav_read(bytes, 20000, &world.arena, &wav), WAV_FINE);
	return wav;
}

static void an_extension_is_read_digit_by_digit(void **state)
{
	(void)state;
	begin(0);
	struct wav english = prompt(call_from("512", 3, "en"));
	SAYS(&english, PROMPT_ENGLISH, PIECE_CALL_FROM_EXTENSION, PIECE_DIGIT_5, PIECE_DIGIT_1, PIECE_DIGIT_2,
	     PIECE_PRESS);
	struct wav czech = prompt(call_from("512", 3, "cs"));
	SAYS(&czech, PROMPT_CZECH, PIECE_CALL_FROM_EXTENSION, PIECE_DIGIT_5, PIECE_DIGIT_1, PIECE_DIGIT_2, PIECE_PRESS);
	end();
}

static void an_outside_number_is_said_to_be_one(void **state)
{
	(void)state;
	begin(0);
	struct wav wav = prompt(call_from("+420601", 0, "cs"));
	SAYS(&wav, PROMPT_CZECH, PIECE_CALL_FROM_NUMBER, PIECE_PLUS, PIECE_DIGIT_4, PIECE_DIGIT_2, PIECE_DIGIT_0,
	     PIECE_DIGIT_6, PIECE_DIGIT_0, PIECE_DIGIT_1, PIECE_PRESS);
	wav = prompt(call_from("0144", 0, "en"));
	SAYS(&wav, PROMPT_ENGLISH, PIECE_CALL_FROM_NUMBER, PIECE_DIGIT_0, PIECE_DIGIT_1, PIECE_DIGIT_4, PIECE_DIGIT_4,
	     PIECE_PRESS);
	end();
}

static void what_cannot_be_said_is_unknown(void **state)
{
	static const char *const callers[] = {"", "anonymous", "51+2", "123456789012345678901234567890"};

	(void)state;
	begin(0);
	for (size_t i = 0; i < 4; i++) {
		struct wav wav = prompt(call_from(callers[i], 0, "en"));
		SAYS(&wav, PROMPT_ENGLISH, PIECE_CALL_FROM_UNKNOWN, PIECE_PRESS);
	}
	struct wav wav = prompt(call_from("", 0, "xx")); // an unknown language
	SAYS(&wav, PROMPT_ENGLISH, PIECE_CALL_FROM_UNKNOWN, PIECE_PRESS);
	end();
}

static void the_other_prompts(void **state)
{
	(void)state;
	begin(0);
	struct wav wav = prompt((struct media_prompt){PROMPT_TAKEN, STR("cs"), STR("512"), 3});
	SAYS(&wav, PROMPT_CZECH, PIECE_TAKEN);
	wav = prompt((struct media_prompt){.prompt = PROMPT_RINGBACK, .language = STR("en")});
	SAYS(&wav, PROMPT_ENGLISH, PIECE_RINGBACK);
	wav = prompt((struct media_prompt){.prompt = PROMPT_HOLD, .language = STR("en")});
	SAYS(&wav, PROMPT_ENGLISH, PIECE_HOLD);
	end();
}

static void a_recorded_name_takes_the_place_of_the_extension(void **state)
{
	(void)state;
	begin(0);
	world.name = recording(9000, 4000);
	struct wav name = decoded(world.name), press = shipped(PROMPT_ENGLISH, PIECE_PRESS);
	struct wav from = shipped(PROMPT_ENGLISH, PIECE_CALL_FROM_NAME), five = shipped(PROMPT_ENGLISH, PIECE_DIGIT_5);
	struct wav wav = prompt(call_from("512", 7, "en"));
	long first = place_of(&wav, &from, 0), second = place_of(&wav, &name, 0), third = place_of(&wav, &press, 0);
	assert_true(first > 0 && second > first && third > second);
	assert_int_equal(place_of(&wav, &five, 0), -1);
	wav = prompt(call_from("512", 8, "en")); // who has none
	SAYS(&wav, PROMPT_ENGLISH, PIECE_CALL_FROM_EXTENSION, PIECE_DIGIT_5, PIECE_DIGIT_1, PIECE_DIGIT_2, PIECE_PRESS);
	end();
}

static void a_change_counts_at_once(void **state)
{
	(void)state;
	begin(0);
	prompt(call_from("5", 7, "en"));
	world.digit_5 = recording(5000, 3000);
	struct wav wav = prompt(call_from("5", 7, "en")), five = decoded(world.digit_5);
	assert_int_equal(place_of(&wav, &five, 0), -1); // nobody has said so
	prompts_changed(world.prompts);
	wav = prompt(call_from("5", 7, "en"));
	assert_true(place_of(&wav, &five, 0) > 0);
	wav = prompt(call_from("5", 7, "cs")); // the other language has its own
	SAYS(&wav, PROMPT_CZECH, PIECE_CALL_FROM_EXTENSION, PIECE_DIGIT_5, PIECE_PRESS);
	world.digit_5 = STR_NONE;
	world.name = recording(7000, 2000);
	prompts_changed(world.prompts);
	wav = prompt(call_from("5", 7, "en"));
	struct wav name = decoded(world.name);
	assert_true(place_of(&wav, &name, 0) > 0);
	end();
}

static void a_store_that_fails_leaves_the_shipped_ones(void **state)
{
	(void)state;
	begin(0);
	world.trouble = ERR_STORE_UNAVAILABLE;
	struct wav wav = prompt(call_from("5", 3, "en"));
	SAYS(&wav, PROMPT_ENGLISH, PIECE_CALL_FROM_EXTENSION, PIECE_DIGIT_5, PIECE_PRESS);
	world.trouble = ERR_NONE;
	world.digit_5 = recording(5000, 3000);
	wav = prompt(call_from("5", 3, "en"));
	struct wav five = decoded(world.digit_5);
	assert_true(place_of(&wav, &five, 0) > 0); // it looks again
	end();
}

static void who_answers_always_hears_what_to_press(void **state)
{
	(void)state;
	begin(0);
	world.digit_5 = recording(5000, 16000);
	struct wav wav = prompt(call_from("55555555555555555555", 0, "en"));
	SAYS(&wav, PROMPT_ENGLISH, PIECE_CALL_FROM_UNKNOWN, PIECE_PRESS);
	end();
}

static void the_same_is_made_once(void **state)
{
	char first[512];
	struct stat one, other;

	(void)state;
	begin(0);
	prompt(call_from("512", 3, "en"));
	strcpy(first, world.path);
	assert_int_equal(stat(first, &one), 0);
	assert_int_equal(one.st_mode & 0444, 0444); // the relay is somebody else
	prompt(call_from("512", 3, "en"));
	assert_string_equal(world.path, first);
	assert_int_equal(stat(first, &other), 0);
	assert_int_equal(one.st_ino, other.st_ino);
	assert_int_equal(files_in_folder(), 1);
	unlink(first); // by somebody who tidies up
	prompt(call_from("512", 3, "en"));
	assert_int_equal(stat(world.path, &other), 0);
	end();
}

static void the_folder_stays_small(void **state)
{
	char number[16], path[512];

	(void)state;
	begin(4);
	prompt(call_from("100", 3, "en"));
	strcpy(path, world.path);
	for (unsigned i = 1; i < 12; i++) {
		snprintf(number, sizeof number, "%u", 100 + i);
		prompt(call_from(number, 3, "en"));
		prompt(call_from("100", 3, "en")); // in use: it stays
		assert_string_equal(world.path, path);
		assert_true(files_in_folder() <= 4);
	}
	end();
}

static void what_an_earlier_run_left_is_removed(void **state)
{
	char left[128], other[128];

	(void)state;
	begin(0);
	snprintf(left, sizeof left, "%s/prompt-0123-1.wav.part", world.folder);
	snprintf(other, sizeof other, "%s/somebody-elses.wav", world.folder);
	fclose(fopen(left, "w"));
	fclose(fopen(other, "w"));
	prompts_destroy(world.prompts);
	world.prompts = create(0);
	assert_int_not_equal(access(left, F_OK), 0);
	assert_int_equal(access(other, F_OK), 0);
	unlink(other);
	end();
}

static void a_folder_that_cannot_be_used_is_named(void **state)
{
	struct prompts *prompts = NULL;
	char sentence[256] = "";

	(void)state;
	begin(0);
	const struct prompts_settings settings = {.cache = "/proc/nowhere/prompts", .call_thread = world.call_thread};
	assert_false(prompts_create(&settings, &prompts, sentence, sizeof sentence));
	assert_non_null(strstr(sentence, "/proc/nowhere/prompts"));
	end();
}

static void a_disk_that_cannot_be_written_is_told(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(rmdir(world.folder), 0);
	order(call_from("512", 3, "en"), 5);
	assert_int_equal(world.ready.err, ERR_INTERNAL);
	assert_null(world.ready.path);
	assert_int_equal(mkdir(world.folder, 0700), 0);
	prompt(call_from("512", 3, "en"));
	end();
}

static void nobody_is_told_after_the_end(void **state)
{
	const struct media_prompt what = call_from("512", 3, "en");
	const struct prompt_order orders = {.prompt = &what, .done = told, .context = &world};

	(void)state;
	begin(0);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(prompts_get(world.prompts, &orders), ERR_NONE);
	prompts_destroy(world.prompts);
	for (struct queue_item *item = queue_wait(world.call_thread, 0), *next; item; item = next) {
		next = item->next;
		item->run(item);
	}
	assert_int_equal(world.told, 0);
	world.prompts = NULL;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_extension_is_read_digit_by_digit),
	    cmocka_unit_test(an_outside_number_is_said_to_be_one),
	    cmocka_unit_test(what_cannot_be_said_is_unknown),
	    cmocka_unit_test(the_other_prompts),
	    cmocka_unit_test(a_recorded_name_takes_the_place_of_the_extension),
	    cmocka_unit_test(a_change_counts_at_once),
	    cmocka_unit_test(a_store_that_fails_leaves_the_shipped_ones),
	    cmocka_unit_test(who_answers_always_hears_what_to_press),
	    cmocka_unit_test(the_same_is_made_once),
	    cmocka_unit_test(the_folder_stays_small),
	    cmocka_unit_test(what_an_earlier_run_left_is_removed),
	    cmocka_unit_test(a_folder_that_cannot_be_used_is_named),
	    cmocka_unit_test(a_disk_that_cannot_be_written_is_told),
	    cmocka_unit_test(nobody_is_told_after_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// Recordings over the API: what is taken and what is refused, who may, what is heard afterwards, and what the audit log says; on a real
// database.
#include "base/wav.h"
#include "http/real_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOUND_MAX = 1 << 20, SIZE_HEAD = 44 };

static unsigned changes; // of recordings, as the server was told

static void recordings_changed(void *context)
{
	(void)context;
	changes++;
}

static struct str prompt_shipped(enum prompt_language language, enum prompt_piece piece)
{
	return language == PROMPT_ENGLISH && piece == PIECE_PRESS ? STR("as it ships") : STR_NONE;
}

struct sound {
	unsigned rate, channels;
	size_t frames;
	int height;
};

static uint8_t bytes[SOUND_MAX];

static size_t make(struct sound sound)
{
	size_t size = sound.frames * sound.channels * 2, at = SIZE_HEAD;

	wav_write_head(bytes, size / 2);
	bytes[22] = (uint8_t)sound.channels;
	bytes[24] = (uint8_t)sound.rate;
	bytes[25] = (uint8_t)(sound.rate >> 8);
	bytes[26] = (uint8_t)(sound.rate >> 16);
	bytes[32] = (uint8_t)(2 * sound.channels);
	for (size_t i = 0; i < sound.frames; i++)
		for (unsigned c = 0; c < sound.channels; c++) {
			int value = (int)lrint(sound.height * sin(2 * 3.14159265 * 440 * (double)i / sound.rate));
			bytes[at++] = (uint8_t)value;
			bytes[at++] = (uint8_t)(value >> 8);
		}
	return at;
}

static struct reply put(struct fixture *f, const char *path, const char *type, size_t size)
{
	char head[2048];
	struct reply reply;
	int length = snprintf(head, sizeof head,
			      "PUT %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\nCookie: %s\r\nX-CSRF-Token: %s\r\n"
			      "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
			      path, f->admin.cookie, f->admin.csrf, type, size);
	int socket = client_connect(&f->address);
	assert_true(socket >= 0 && client_send(socket, head, (size_t)length) && client_send(socket, bytes, size));
	client_receive(socket, &reply);
	close(socket);
	return reply;
}

static const char piece[] = "/api/v1/prompts/en-digit-5/recording";

static const char *name_path(uint64_t user_id, const char *rest)
{
	static char path[128];

	snprintf(path, sizeof path, "/api/v1/users/%llu/recorded-name%s", (unsigned long long)user_id, rest);
	return path;
}

static void expect_sound(struct reply reply, size_t samples)
{
	struct arena arena;
	struct wav wav;

	arena_init(&arena, 0);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.headers, "audio/wav"));
	assert_int_equal(wav_read((struct str){reply.body, reply.size}, 20000, &arena, &wav), WAV_FINE);
	assert_int_equal(wav.count, samples);
	assert_true(wav.peak > 9000 && wav.peak < 11000);
	arena_free(&arena);
	reply_free(&reply);
}

static void a_piece_is_replaced_and_restored(void **state)
{
	struct fixture *f = *state;
	unsigned before = changes;

	struct reply reply = put(f, piece, "audio/wav", make((struct sound){48000, 2, 48000, 10000}));
	assert_string_equal(text_of(&reply, "id"), "en-digit-5");
	assert_string_equal(text_of(&reply, "text"), "five");
	assert_int_equal(json_integer_value(json_object_get(reply.json, "duration_ms")), 1000);
	assert_true(json_is_string(json_object_get(reply.json, "recorded_at")));
	expect(reply, 200);
	assert_int_equal(changes, before + 1);
	expect_sound(ask(f, &f->admin, "GET", piece, NULL), 8000);
	expect(put(f, piece, "audio/x-wav", make((struct sound){8000, 1, 4000, 10000})), 200);
	expect_sound(ask(f, &f->admin, "GET", piece, NULL), 4000);
	expect(ask(f, &f->admin, "DELETE", piece, NULL), 204);
	assert_int_equal(changes, before + 3);
	expect(ask(f, &f->admin, "DELETE", piece, NULL), 404);
	expect(ask(f, &f->admin, "GET", piece, NULL), 404); // nothing ships here
	reply = ask(f, &f->admin, "GET", "/api/v1/prompts/en-press/recording", NULL);
	assert_string_equal(reply.body, "as it ships");
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/prompts/en-press", NULL);
	assert_true(json_is_null(json_object_get(reply.json, "recorded_at")));
	expect(reply, 200);
}

static void all_pieces_are_listed(void **state)
{
	struct fixture *f = *state;
	size_t recorded = 0, i;
	json_t *item;

	expect(put(f, "/api/v1/prompts/cs-taken/recording", "audio/wav", make((struct sound){8000, 1, 8000, 10000})),
	       200);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/prompts", NULL);
	json_t *items = json_object_get(reply.json, "items");
	assert_int_equal(json_array_size(items), 2 * PIECE_COUNT);
	json_array_foreach(items, i, item)
	{
		recorded += json_is_string(json_object_get(item, "recorded_at"));
		assert_true(json_integer_value(json_object_get(item, "longest_s")) >= 2);
	}
	assert_int_equal(recorded, 1);
	expect(reply, 200);
}

static void what_cannot_be_used_is_refused_with_a_sentence(void **state)
{
	struct fixture *f = *state;

	expect_field(put(f, piece, "audio/wav", make((struct sound){8000, 1, 16001, 10000})), 422, "recording",
		     "invalid_field");
	expect_field(put(f, piece, "audio/wav", make((struct sound){22050, 1, 4000, 10000})), 422, "recording",
		     "invalid_field");
	expect_field(put(f, piece, "audio/wav", make((struct sound){8000, 1, 8000, 100})), 422, "recording",
		     "invalid_field"); // silence
	expect_field(put(f, piece, "audio/wav", make((struct sound){8000, 1, 8000, 10000}) - 2), 422, "recording",
		     "invalid_field"); // cut off
	expect_field(put(f, piece, "audio/wav", 0), 422, "recording", "invalid_field");
	expect(put(f, piece, "application/json", make((struct sound){8000, 1, 8000, 10000})), 415);
	expect(put(f, "/api/v1/prompts/en-digit-10/recording", "audio/wav", make((struct sound){8000, 1, 800, 10000})),
	       404);
	expect(put(f, "/api/v1/prompts/de-digit-1/recording", "audio/wav", make((struct sound){8000, 1, 800, 10000})),
	       404);
	expect(put(f, name_path(99, "/recording"), "audio/wav", make((struct sound){8000, 1, 800, 10000})), 404);
	expect(ask(f, &f->admin, "GET", piece, NULL), 404); // none of it was kept
}

static void only_administrators_record(void **state)
{
	struct fixture *f = *state;
	struct caller jane = sign_in(f, "jane", PASSWORD), otto = sign_in(f, "otto", PASSWORD);

	expect(ask(f, &jane, "GET", "/api/v1/prompts", NULL), 403);
	expect(ask(f, &otto, "GET", "/api/v1/prompts", NULL), 200);
	expect(ask(f, &otto, "DELETE", piece, NULL), 403);
	expect(ask(f, &otto, "DELETE", name_path(f->jane_id, "/recording"), NULL), 403);
	expect(ask(f, NULL, "GET", piece, NULL), 401);
}

static void a_users_name_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof path, "%s", name_path(f->jane_id, "/recording"));
	struct reply reply = ask(f, &f->admin, "GET", name_path(f->jane_id, ""), NULL);
	assert_true(json_is_null(json_object_get(reply.json, "recorded_at")));
	expect(reply, 200);
	expect(ask(f, &f->admin, "GET", path, NULL), 404);
	expect(put(f, path, "audio/wav", make((struct sound){16000, 1, 16000, 10000})), 200);
	reply = ask(f, &f->admin, "GET", name_path(f->jane_id, ""), NULL);
	assert_int_equal(json_integer_value(json_object_get(reply.json, "duration_ms")), 1000);
	expect(reply, 200);
	expect_sound(ask(f, &f->admin, "GET", path, NULL), 8000);
	snprintf(path, sizeof path, "/api/v1/users/%llu?release=true", (unsigned long long)f->jane_id);
	expect(ask(f, &f->admin, "DELETE", path, NULL), 204); // and with the user goes the name
	expect(ask(f, &f->admin, "GET", name_path(f->jane_id, "/recording"), NULL), 404);
}

static void each_change_is_in_the_audit_log(void **state)
{
	struct fixture *f = *state;

	expect(put(f, piece, "audio/wav", make((struct sound){8000, 1, 8000, 10000})), 200);
	expect(put(f, name_path(f->bob_id, "/recording"), "audio/wav", make((struct sound){8000, 1, 8000, 10000})),
	       200);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/audit?entity=recording", NULL);
	json_t *items = json_object_get(reply.json, "items");
	assert_int_equal(json_array_size(items), 2);
	json_t *newest = json_array_get(items, 0), *older = json_array_get(items, 1);
	assert_non_null(strstr(json_string_value(json_object_get(newest, "label")), "(520)"));
	assert_string_equal(json_string_value(json_object_get(older, "label")), "en-digit-5");
	assert_string_equal(json_string_value(json_object_get(older, "action")), "create");
	char path[128];
	snprintf(path, sizeof path, "/api/v1/audit/%s/undo", json_string_value(json_object_get(older, "id")));
	expect(reply, 200);
	reply = ask(f, &f->admin, "POST", path, "{}");
	assert_string_equal(text_of(&reply, "code"), "not_undoable");
	reply_free(&reply);
}

static int setup(void **state)
{
	fixture_store = &real_store;
	fixture_settings.prompt_shipped = prompt_shipped;
	fixture_settings.recordings_changed = recordings_changed;
	return fixture_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_piece_is_replaced_and_restored, setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(all_pieces_are_listed, setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(what_cannot_be_used_is_refused_with_a_sentence, setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(only_administrators_record, setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(a_users_name_comes_and_goes, setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(each_change_is_in_the_audit_log, setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

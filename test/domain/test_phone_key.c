// Passwords of browsers' phones: for whom, how long, how many, and what ends them.
#include "domain/phone_key.h"

#include "lib/cmocka.h"

static const char md5[] = "0123456789abcdef0123456789abcdef";
static const char sha256[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static enum err give(struct phone_keys *keys, uint64_t device, uint64_t user, uint64_t session, int64_t until)
{
	const struct phone_key_draft draft = {device, user, session, {str_of(md5), str_of(sha256)}, until};

	return phone_keys_add(keys, &draft);
}

static size_t good(const struct phone_keys *keys, uint64_t device, uint64_t user, int64_t now)
{
	struct sip_secret secrets[PHONE_KEYS_OF_DEVICE];
	size_t count = phone_keys_of(keys, device, user, now, secrets);

	for (size_t i = 0; i < count; i++) {
		assert_true(str_equal(secrets[i].ha1_md5, str_of(md5)));
		assert_true(str_equal(secrets[i].ha1_sha256, str_of(sha256)));
	}
	return count;
}

static void good_for_the_holder_until_their_time_is_over(void **state)
{
	(void)state;
	struct phone_keys *keys = phone_keys_create();
	assert_int_equal(give(keys, 1, 10, 100, 5000), ERR_NONE);
	assert_int_equal(good(keys, 1, 10, 4999), 1);
	assert_int_equal(good(keys, 1, 10, 5000), 0);
	assert_int_equal(good(keys, 1, 11, 0), 0);
	assert_int_equal(good(keys, 2, 10, 0), 0);
	phone_keys_destroy(keys);
}

static void a_session_has_its_last_two(void **state)
{
	(void)state;
	struct phone_keys *keys = phone_keys_create();
	for (int64_t until = 1000; until <= 5000; until += 1000)
		assert_int_equal(give(keys, 1, 10, 100, until), ERR_NONE);
	assert_int_equal(give(keys, 1, 10, 101, 1000), ERR_NONE);
	assert_int_equal(good(keys, 1, 10, 0), 3);
	assert_int_equal(good(keys, 1, 10, 3999), 2);
	assert_int_equal(good(keys, 1, 10, 4000), 1);
	phone_keys_destroy(keys);
}

static void the_oldest_of_a_device_makes_room(void **state)
{
	(void)state;
	struct phone_keys *keys = phone_keys_create();
	for (uint64_t session = 1; session <= PHONE_KEYS_OF_DEVICE + 3; session++)
		assert_int_equal(give(keys, 1, 10, session, 1000 * (int64_t)session), ERR_NONE);
	assert_int_equal(good(keys, 1, 10, 0), PHONE_KEYS_OF_DEVICE);
	assert_int_equal(good(keys, 1, 10, 4000), PHONE_KEYS_OF_DEVICE - 1);
	phone_keys_destroy(keys);
}

static void note_lost(void *context, uint64_t device)
{
	*(uint64_t *)context = *(uint64_t *)context * 10 + device;
}

static void end_with_their_session(void **state)
{
	(void)state;
	struct phone_keys *keys = phone_keys_create();
	uint64_t lost = 0;
	give(keys, 1, 10, 100, 5000);
	give(keys, 2, 11, 101, 5000);
	phone_keys_drop_session(keys, 100, note_lost, &lost);
	assert_int_equal(lost, 1);
	assert_int_equal(good(keys, 1, 10, 0), 0);
	assert_int_equal(good(keys, 2, 11, 0), 1);
	phone_keys_drop_session(keys, 100, note_lost, &lost);
	assert_int_equal(lost, 1);
	phone_keys_destroy(keys);
}

static void end_with_the_hold_of_the_device(void **state)
{
	(void)state;
	struct phone_keys *keys = phone_keys_create();
	give(keys, 1, 10, 100, 5000);
	give(keys, 1, 11, 101, 5000);
	give(keys, 2, 12, 102, 5000);
	assert_true(phone_keys_keep(keys, 1, 11));
	assert_int_equal(good(keys, 1, 10, 0), 0);
	assert_int_equal(good(keys, 1, 11, 0), 1);
	assert_false(phone_keys_keep(keys, 1, 11));
	assert_false(phone_keys_keep(keys, 3, 11));
	assert_true(phone_keys_keep(keys, 2, 0));
	assert_int_equal(good(keys, 2, 12, 0), 0);
	phone_keys_destroy(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_for_the_holder_until_their_time_is_over),
	    cmocka_unit_test(a_session_has_its_last_two),
	    cmocka_unit_test(the_oldest_of_a_device_makes_room),
	    cmocka_unit_test(end_with_their_session),
	    cmocka_unit_test(end_with_the_hold_of_the_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

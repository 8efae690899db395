// Nonces: they live as long as they should, each count is good once, and the table never forgets in the wrong direction.
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"
#include "sim/sim.h"
#include "sip/nonce.h"

#include <string.h>

enum { LIFE_MS = 300000 };

struct world {
	struct loop *loop;
	struct sip_nonces *nonces;
};

static const struct net_address phone = {.family = 4, .port = 5060, .bytes = {192, 0, 2, 7}};

static bool use_from(struct sip_nonces *nonces, const struct net_address *from, struct str text, uint32_t count)
{
	struct sip_nonce nonce;
	return sip_nonce_read(nonces, from, text, &nonce) && sip_nonce_use(nonces, &nonce, count);
}

static bool use(struct sip_nonces *nonces, struct str text, uint32_t count)
{
	return use_from(nonces, &phone, text, count);
}

static int setup(void **state)
{
	static struct world world;
	world.loop = sim_create(7);
	world.nonces = sip_nonces_create(world.loop, LIFE_MS);
	*state = &world;
	return world.loop && world.nonces ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *world = *state;
	sip_nonces_destroy(world->nonces);
	loop_destroy(world->loop);
	return 0;
}

static void each_count_is_good_once(void **state)
{
	struct world *world = *state;
	char text[SIP_NONCE_SIZE];
	struct str nonce = sip_nonce_issue(world->nonces, &phone, text);
	assert_int_equal(nonce.length, SIP_NONCE_SIZE);
	assert_false(use(world->nonces, nonce, 0));
	assert_true(use(world->nonces, nonce, 1));
	assert_false(use(world->nonces, nonce, 1));
	assert_true(use(world->nonces, nonce, 2));
	assert_false(use(world->nonces, nonce, 2));
}

static void counts_may_overtake_one_another(void **state)
{
	struct world *world = *state;
	char text[SIP_NONCE_SIZE];
	struct str nonce = sip_nonce_issue(world->nonces, &phone, text);
	assert_true(use(world->nonces, nonce, 3));
	assert_true(use(world->nonces, nonce, 1));
	assert_false(use(world->nonces, nonce, 1)); // late, and used by now
	static const uint32_t used[] = {2, 66, 4, 65, 64, 67, UINT32_MAX, UINT32_MAX - 63};
	static const uint32_t refused[] = {2, 66, 3, UINT32_MAX, UINT32_MAX - 64, 68};
	for (size_t i = 0; i < sizeof used / sizeof *used; i++)
		assert_true(use(world->nonces, nonce, used[i]));
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_false(use(world->nonces, nonce, refused[i]));
}

static void they_grow_old(void **state)
{
	struct world *world = *state;
	char first[SIP_NONCE_SIZE], second[SIP_NONCE_SIZE];
	struct str used = sip_nonce_issue(world->nonces, &phone, first),
		   unused = sip_nonce_issue(world->nonces, &phone, second);
	sim_run_for(world->loop, LIFE_MS - 1);
	assert_true(use(world->nonces, used, 1));
	sim_run_for(world->loop, 1);
	assert_false(use(world->nonces, used, 2));
	assert_false(use(world->nonces, unused, 1));
	sip_nonces_set_life(world->nonces, LIFE_MS + 1);
	assert_true(use(world->nonces, unused, 1));
}

static void nobody_else_can_make_one(void **state)
{
	struct world *world = *state;
	char text[SIP_NONCE_SIZE], changed[SIP_NONCE_SIZE];
	struct str nonce = sip_nonce_issue(world->nonces, &phone, text);
	for (size_t i = 0; i < sizeof changed; i++) {
		memcpy(changed, text, sizeof changed);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_false(use(world->nonces, (struct str){changed, sizeof changed}, 1));
	}
	assert_false(use(world->nonces, STR_NONE, 1));
	assert_false(use(world->nonces, str_first(nonce, SIP_NONCE_SIZE - 1), 1));
	memset(changed, '?', sizeof changed);
	assert_false(use(world->nonces, (struct str){changed, sizeof changed}, 1));

	struct sip_nonces *others = sip_nonces_create(world->loop, LIFE_MS);
	assert_non_null(others);
	assert_false(use(others, nonce, 1));
	sip_nonces_destroy(others);
	assert_true(use(world->nonces, nonce, 1));
}

// Neither can what somebody got be used from elsewhere; another port is the same source, another host of an IPv6 network too.
static void each_is_for_one_source(void **state)
{
	struct world *world = *state;
	char text[SIP_NONCE_SIZE];
	struct net_address other = phone, port = phone, six, neighbour, network;
	struct str nonce = sip_nonce_issue(world->nonces, &phone, text);
	other.bytes[3]++;
	port.port++;
	assert_false(use_from(world->nonces, &other, nonce, 1));
	assert_true(use_from(world->nonces, &port, nonce, 1));
	assert_true(net_address_parse(STR("2001:db8:1:2::3"), 5060, &six));
	assert_true(net_address_parse(STR("2001:db8:1:2:ffff::4"), 5060, &neighbour));
	assert_true(net_address_parse(STR("2001:db8:1:3::3"), 5060, &network));
	nonce = sip_nonce_issue(world->nonces, &six, text);
	assert_false(use_from(world->nonces, &network, nonce, 1));
	assert_true(use_from(world->nonces, &neighbour, nonce, 1));
}

// Far more nonces in use than the table has places: whatever it forgets, no count passes twice, and new nonces work.
static void a_flood_makes_them_stale_but_never_good_again(void **state)
{
	enum { FLOOD = 40000, EACH = 5 };
	struct world *world = *state;
	static char texts[FLOOD][SIP_NONCE_SIZE];
	unsigned still_known = 0;
	for (size_t i = 0; i < FLOOD; i++) {
		if (i % 16 == 0)
			sim_run_for(world->loop, 1);
		struct str nonce = sip_nonce_issue(world->nonces, &phone, texts[i]);
		assert_true(use(world->nonces, nonce, 1));
	}
	for (size_t i = 0; i < FLOOD; i += EACH) {
		struct str nonce = {texts[i], SIP_NONCE_SIZE};
		assert_false(use(world->nonces, nonce, 1));
		still_known += use(world->nonces, nonce, 2);
	}
	assert_in_range(still_known, 8 * 4096 / EACH / 2, 8 * 4096 / EACH + EACH);
}

static void without_memory_there_are_none(void **state)
{
	struct world *world = *state;
	for (unsigned n = 1;; n++) {
		failing_allocator_arm(n);
		struct sip_nonces *nonces = sip_nonces_create(world->loop, LIFE_MS);
		bool failed = failing_allocator_disarm();
		assert_int_equal(nonces == NULL, failed);
		sip_nonces_destroy(nonces);
		if (!failed)
			break;
	}
	failing_allocator_arm_from(1);
	char text[SIP_NONCE_SIZE];
	bool used = use(world->nonces, sip_nonce_issue(world->nonces, &phone, text), 1);
	unsigned allocations = failing_allocator_count();
	failing_allocator_disarm();
	assert_true(used);
	assert_int_equal(allocations, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_count_is_good_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(counts_may_overtake_one_another, setup, teardown),
	    cmocka_unit_test_setup_teardown(they_grow_old, setup, teardown),
	    cmocka_unit_test_setup_teardown(nobody_else_can_make_one, setup, teardown),
	    cmocka_unit_test_setup_teardown(each_is_for_one_source, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_flood_makes_them_stale_but_never_good_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(without_memory_there_are_none, setup, teardown),
	};
	return cmocka_run_group_tests_name("sip nonce", tests, NULL, NULL);
}

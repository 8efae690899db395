// The hash table against a plain array, and SipHash-1-3 against vectors of another implementation that gives its authors' for 2-4.
#include "base/hash.h"
#include "base/list.h"
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"

#include <stdlib.h>
#include <string.h>

struct member {
	struct hash_node node;
	uint64_t key;
};

enum { MEMBERS = 5000 };

static bool same(const struct hash_node *node, const void *key)
{
	return container_of(node, struct member, node)->key == *(const uint64_t *)key;
}

static struct member *find(const struct hash_table *table, uint64_t key)
{
	struct hash_node *node = hash_find(table, hash_uint(key), same, &key);
	return node ? container_of(node, struct member, node) : NULL;
}

static void matches_the_vectors(void **state)
{
	(void)state;
	uint8_t secret[16], input[64];
	for (unsigned i = 0; i < 16; i++)
		secret[i] = (uint8_t)i;
	for (unsigned i = 0; i < 64; i++)
		input[i] = (uint8_t)i;
	hash_set_secret(secret);
	assert_true(hash_bytes(input, 0) == 0xabac0158050fc4dc);
	assert_true(hash_bytes(input, 1) == 0xc9f49bf37d57ca93);
	assert_true(hash_bytes(input, 8) == 0x369095118d299a8e);
	assert_true(hash_bytes(input, 15) == 0xd320d86d2a519956);
	assert_true(hash_bytes(input, 63) == 0x9d199062b7bbb3a8);
	secret[0] ^= 1;
	hash_set_secret(secret);
	assert_true(hash_bytes(input, 15) != 0xd320d86d2a519956);
}

static void folds_letters_only(void **state)
{
	(void)state;
	assert_true(hash_str_nocase(STR("SIP:Jane@EXAMPLE.ORG")) == hash_str_nocase(STR("sip:jane@example.org")));
	assert_true(hash_str_nocase(STR("sip:jane@example.org")) == hash_str(STR("sip:jane@example.org")));
	for (int c = 0; c < 256; c++) {
		char text[9], lower[9];
		memset(text, c, 9);
		memset(lower, c >= 'A' && c <= 'Z' ? c + 32 : c, 9);
		assert_true(hash_str_nocase((struct str){text, 9}) == hash_str((struct str){lower, 9}));
	}
	assert_true(hash_str(STR_NONE) == hash_str(STR("")));
}

static bool count_one(struct hash_node *node, void *context)
{
	(void)node;
	(*(size_t *)context)++;
	return true;
}

static void agrees_with_an_array(void **state)
{
	(void)state;
	struct hash_table *table = hash_create();
	struct member *members = calloc(MEMBERS, sizeof *members);
	bool in[MEMBERS] = {false};
	size_t count = 0, visited = 0;
	srand(1);
	for (int step = 0; step < 60000; step++) {
		size_t i = (size_t)rand() % MEMBERS;
		// more come than go, so that it grows several times
		if (!in[i]) {
			members[i].key = i;
			assert_true(hash_insert(table, &members[i].node, hash_uint(i)));
			in[i] = true;
			count++;
		} else if (step % 3 == 0) {
			hash_remove(table, &members[i].node);
			in[i] = false;
			count--;
		}
		size_t j = (size_t)rand() % MEMBERS;
		assert_ptr_equal(find(table, j), in[j] ? &members[j] : NULL);
		assert_int_equal(hash_count(table), count);
	}
	hash_visit(table, count_one, &visited);
	assert_int_equal(visited, count);
	hash_destroy(table);
	free(members);
}

static bool remove_odd(struct hash_node *node, void *context)
{
	if (container_of(node, struct member, node)->key % 2 == 1)
		hash_remove(context, node);
	return true;
}

static bool stop_at_once(struct hash_node *node, void *context)
{
	count_one(node, context);
	return false;
}

static void visited_members_may_leave(void **state)
{
	(void)state;
	struct hash_table *table = hash_create();
	struct member members[700];
	// every size, so that some are visited while the table grows
	for (size_t i = 0; i < 700; i++) {
		members[i] = (struct member){.key = i};
		hash_insert(table, &members[i].node, hash_uint(i));
		size_t visited = 0;
		hash_visit(table, count_one, &visited);
		assert_int_equal(visited, i + 1);
	}
	hash_visit(table, remove_odd, table);
	assert_int_equal(hash_count(table), 350);
	assert_null(find(table, 7));
	assert_non_null(find(table, 8));
	assert_true(members[7].node.hash == 0);
	size_t visited = 0;
	hash_visit(table, stop_at_once, &visited);
	assert_int_equal(visited, 1);
	hash_destroy(table);
}

static void equal_hashes_are_told_apart(void **state)
{
	(void)state;
	struct hash_table *table = hash_create();
	struct member a = {.key = 1}, b = {.key = 2};
	uint64_t key = 1;
	hash_insert(table, &a.node, 0);
	hash_insert(table, &b.node, 0);
	assert_ptr_equal(hash_find(table, 0, same, &key), &a.node);
	hash_remove(table, &a.node);
	assert_null(hash_find(table, 0, same, &key));
	key = 2;
	assert_ptr_equal(hash_find(table, 0, same, &key), &b.node);
	hash_destroy(table);
	hash_destroy(NULL);
}

static void the_first_of_a_bucket_is_known(void **state)
{
	(void)state;
	struct hash_table *table = hash_create();
	struct member one = {.key = 1}, other = {.key = 2};

	hash_fetch(table, 5);
	assert_null(hash_first(table, 5));
	assert_true(hash_insert(table, &one.node, 5));
	assert_ptr_equal(hash_first(table, 5), &one.node);
	assert_null(hash_first(table, 6));
	assert_true(hash_insert(table, &other.node, 5 + 1024)); // another one's, in the same bucket
	assert_ptr_equal(hash_first(table, 5), &other.node);
	assert_ptr_equal(hash_find(table, 5, same, &one.key), &one.node);
	hash_remove(table, &other.node);
	hash_remove(table, &one.node);
	assert_null(hash_first(table, 5));
	hash_destroy(table);
}

static void survives_without_memory(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		failing_allocator_arm(n);
		assert_null(hash_create());
		assert_true(failing_allocator_disarm());
	}
	struct hash_table *table = hash_create();
	struct member members[100];
	failing_allocator_arm_from(1);
	for (size_t i = 0; i < 100; i++) {
		members[i] = (struct member){.key = i};
		assert_true(hash_insert(table, &members[i].node, hash_uint(i)));
	}
	assert_true(failing_allocator_disarm());
	for (size_t i = 0; i < 100; i++)
		assert_ptr_equal(find(table, i), &members[i]);
	hash_destroy(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(matches_the_vectors),         cmocka_unit_test(folds_letters_only),
	    cmocka_unit_test(agrees_with_an_array),        cmocka_unit_test(visited_members_may_leave),
	    cmocka_unit_test(equal_hashes_are_told_apart), cmocka_unit_test(the_first_of_a_bucket_is_known),
	    cmocka_unit_test(survives_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

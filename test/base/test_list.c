// The list: order, removal while walking, removal twice.
#include "base/list.h"
#include "lib/cmocka.h"

struct member {
	char name;
	struct list node;
};

static void keeps_order(void **state)
{
	(void)state;
	struct list head;
	struct member a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};
	list_init(&head);
	assert_true(list_empty(&head));
	list_append(&head, &a.node);
	list_append(&head, &c.node);
	list_insert_after(&a.node, &b.node);
	char seen[4] = "";
	size_t count = 0;
	list_each (node, following, &head)
		seen[count++] = container_of(node, struct member, node)->name;
	assert_string_equal(seen, "abc");
}

static void members_leave_while_walked(void **state)
{
	(void)state;
	struct list head;
	struct member members[5];
	list_init(&head);
	for (int i = 0; i < 5; i++)
		list_append(&head, &members[i].node);
	size_t count = 0;
	list_each (node, following, &head) {
		list_remove(node);
		list_remove(node); // harmless
		count++;
	}
	assert_int_equal(count, 5);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_order),
	    cmocka_unit_test(members_leave_while_walked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

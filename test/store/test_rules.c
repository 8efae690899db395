// The rules between entities, each from both sides.
#include "store/rules.h"

#include "store/fixture.h"

#include <stdio.h>
#include <string.h>

// Jane (510) with a desk phone; an administrator besides, so that the last one is never in the way.
struct house {
	struct fixture *fixture;
	struct user *admin, *jane, *bob;
	uint64_t desk, soft, mobile; // desk is Jane's; the softphone may be selected
};

static struct house house_make(struct fixture *fixture)
{
	struct house house = {.fixture = fixture,
			      .admin = new_user(fixture, "admin", "100"),
			      .jane = new_user(fixture, "jane", "510"),
			      .bob = new_user(fixture, "bob", "511")};
	struct device *soft = new_device(fixture, DEVICE_SOFTPHONE, "821");

	soft->available_for_selection = true;
	house.desk = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "330")->entity);
	house.soft = created(fixture, &soft->entity);
	house.mobile = created(fixture, &new_device(fixture, DEVICE_EXTERNAL, "01444 123456")->entity);
	house.admin->role = ROLE_ADMIN;
	house.jane->title = STR("Jane");
	created(fixture, &house.admin->entity);
	give(fixture, house.jane, &house.desk, 1);
	created(fixture, &house.jane->entity);
	created(fixture, &house.bob->entity);
	fixture_told(fixture);
	return house;
}

static void a_value_that_must_be_unique_names_who_has_it(void **state)
{
	struct house house = house_make(*state);
	struct user *other = new_user(house.fixture, "other", "510");

	assert_int_equal(try_create(house.fixture, &other->entity), ERR_NOT_UNIQUE);
	assert_problem(house.fixture, "not_unique", "extension");
	assert_int_equal(house.fixture->problem.other_id, house.jane->entity.id);
	house.bob->extension = STR("510");
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_NOT_UNIQUE);
	assert_int_equal(try_create(house.fixture, &new_device(house.fixture, DEVICE_TEAMS, "330")->entity),
			 ERR_INVALID_FIELD); // a Teams number is +...
	assert_int_equal(try_create(house.fixture, &new_device(house.fixture, DEVICE_SOFTPHONE, "330")->entity),
			 ERR_NOT_UNIQUE);
	assert_problem(house.fixture, "not_unique", "number");
	assert_int_equal(house.fixture->problem.other_id, house.desk);
	// An extension and a device number are different things.
	assert_int_equal(try_create(house.fixture, &new_device(house.fixture, DEVICE_SOFTPHONE, "510")->entity),
			 ERR_NONE);
	assert_string_equal(fixture_told(house.fixture), "device 4 created\n");
}

static void an_emergency_number_is_nobodys_extension(void **state)
{
	struct house house = house_make(*state);

	assert_int_equal(try_create(house.fixture, &new_user(house.fixture, "other", "112")->entity),
			 ERR_INVALID_FIELD);
	assert_problem(house.fixture, "invalid_field", "extension");
	house.bob->extension = STR("999");
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_INVALID_FIELD);
	assert_int_equal(try_create(house.fixture, &new_user(house.fixture, "other", "1120")->entity), ERR_NONE);
}

static void fixed_fields_stay(void **state)
{
	struct house house = house_make(*state);
	struct device *desk = stored(house.fixture, ENTITY_DEVICE, house.desk);

	desk->number = STR("331");
	assert_int_equal(try_update(house.fixture, &desk->entity), ERR_FIXED_FIELD);
	assert_problem(house.fixture, "fixed_field", "number");
	desk = stored(house.fixture, ENTITY_DEVICE, house.desk);
	desk->device_kind = DEVICE_WEBRTC;
	assert_int_equal(try_update(house.fixture, &desk->entity), ERR_FIXED_FIELD);
	assert_problem(house.fixture, "fixed_field", "kind");
	house.jane->name = STR("janet");
	assert_int_equal(try_update(house.fixture, &house.jane->entity), ERR_FIXED_FIELD);
	assert_string_equal(fixture_told(house.fixture), "");
}

static void a_stale_version_is_refused(void **state)
{
	struct house house = house_make(*state);
	struct device *one = stored(house.fixture, ENTITY_DEVICE, house.desk);
	struct device *two = stored(house.fixture, ENTITY_DEVICE, house.desk);

	one->title = STR("reception");
	two->title = STR("kitchen");
	assert_int_equal(try_update(house.fixture, &one->entity), ERR_NONE);
	assert_int_equal(one->entity.version, 2);
	assert_int_equal(try_update(house.fixture, &two->entity), ERR_STALE);
	assert_int_equal(house.fixture->records->remove(house.fixture->records->context, ENTITY_DEVICE, house.soft, 7,
							DELETE_IF_FREE, &house.fixture->problem),
			 ERR_STALE);
	two->entity.version = 0; // whatever it is now
	assert_int_equal(try_update(house.fixture, &two->entity), ERR_NONE);
	assert_int_equal(two->entity.version, 3);
	two->entity.id = 999;
	assert_int_equal(try_update(house.fixture, &two->entity), ERR_NOT_FOUND);
	assert_int_equal(try_remove(house.fixture, &two->entity, DELETE_IF_FREE), ERR_NOT_FOUND);
}

static void references_must_exist(void **state)
{
	struct house house = house_make(*state);
	struct route route = {.entity = {.kind = ENTITY_ROUTE}, .trunk_id = 77};
	struct selection *selection = new_selection(house.fixture, house.bob->entity.id, 99, 0);
	uint64_t nowhere = 4711;

	assert_int_equal(try_create(house.fixture, &route.entity), ERR_INVALID_FIELD);
	assert_problem(house.fixture, "invalid_field", "trunk_id");
	assert_non_null(strstr(house.fixture->problem.sentence, "77"));
	assert_int_equal(try_create(house.fixture, &selection->entity), ERR_INVALID_FIELD);
	assert_problem(house.fixture, "invalid_field", "device_id");
	give(house.fixture, house.bob, &nowhere, 1);
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_INVALID_FIELD);
	assert_problem(house.fixture, "invalid_field", "turns");
}

static void extension_and_role_wait_for_the_sign_out(void **state)
{
	struct house house = house_make(*state);
	struct session *over = new_session(house.fixture, house.bob->entity.id, now_ms() - 1000);
	struct session *session = new_session(house.fixture, house.bob->entity.id, now_ms() + 3600000);

	created(house.fixture, &over->entity);
	house.bob->extension = STR("555");
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_NONE); // a session that is over is none
	created(house.fixture, &session->entity);
	house.bob->extension = STR("556");
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_SIGNED_IN);
	assert_problem(house.fixture, "signed_in", "extension");
	assert_int_equal(house.fixture->problem.other_id, session->entity.id);
	house.bob->extension = STR("555");
	house.bob->role = ROLE_ADMIN;
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_SIGNED_IN);
	assert_problem(house.fixture, "signed_in", "role");
	house.bob->role = ROLE_AGENT;
	house.bob->do_not_disturb = true; // anything else may change
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_NONE);
	assert_int_equal(try_remove(house.fixture, &session->entity, DELETE_IF_FREE), ERR_NONE);
	house.bob->extension = STR("556");
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_NONE);
}

static void a_device_has_one_holder(void **state)
{
	struct house house = house_make(*state);
	uint64_t devices[2] = {house.mobile, house.desk};

	give(house.fixture, house.bob, devices, 2);
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_DEVICE_TAKEN);
	assert_problem(house.fixture, "device_taken", "turns");
	assert_string_equal(house.fixture->problem.sentence, "Device 330 belongs to Jane (510).");
	assert_int_equal(house.fixture->problem.other_id, house.jane->entity.id);
	assert_int_equal(((struct user *)stored(house.fixture, ENTITY_USER, house.bob->entity.id))->turn_count, 0);
	// An external number rings for several.
	give(house.fixture, house.bob, devices, 1);
	assert_int_equal(try_update(house.fixture, &house.bob->entity), ERR_NONE);
	give(house.fixture, house.admin, devices, 1);
	assert_int_equal(try_update(house.fixture, &house.admin->entity), ERR_NONE);
}

static void a_selection_is_exclusive(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	struct selection *bobs = new_selection(fixture, house.bob->entity.id, house.soft, now_ms() + 3600000);
	struct selection *admins = new_selection(fixture, house.admin->entity.id, house.soft, 0);
	uint64_t devices[1] = {house.soft};

	created(fixture, &bobs->entity);
	assert_int_equal(try_create(fixture, &admins->entity), ERR_DEVICE_TAKEN);
	assert_problem(fixture, "device_taken", "device_id");
	assert_string_equal(fixture->problem.sentence, "Device 821 belongs to bob (511).");
	assert_int_equal(fixture->problem.other_id, house.bob->entity.id);
	// Nor can an administrator assign it to somebody else.
	give(fixture, house.admin, devices, 1);
	assert_int_equal(try_update(fixture, &house.admin->entity), ERR_DEVICE_TAKEN);
	// Its user may keep it longer.
	bobs->expires_at = now_ms() + 7200000;
	assert_int_equal(try_update(fixture, &bobs->entity), ERR_NONE);
	// One selection each.
	assert_int_equal(try_create(fixture, &new_selection(fixture, house.bob->entity.id, house.soft, 0)->entity),
			 ERR_NOT_UNIQUE);
	assert_problem(fixture, "not_unique", "user_id");
	assert_int_equal(try_remove(fixture, &bobs->entity, DELETE_IF_FREE), ERR_NONE);
	house.admin->turn_count = 0;
	assert_int_equal(try_create(fixture, &admins->entity), ERR_NONE);
}

static void an_expired_selection_gives_way(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	struct selection *bobs = new_selection(fixture, house.bob->entity.id, house.soft, now_ms() + 3600000);
	struct selection *admins = new_selection(fixture, house.admin->entity.id, house.soft, 0);

	created(fixture, &bobs->entity);
	fixture_sql(fixture, "UPDATE selections SET expires_at = 1");
	fixture_told(fixture);
	created(fixture, &admins->entity);
	assert_string_equal(fixture_told(fixture), "selection 1 removed\nselection 2 created\n");
}

static void only_offered_free_devices_can_be_selected(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	uint64_t spare = created(fixture, &new_device(fixture, DEVICE_SIP_PHONE, "340")->entity);

	assert_int_equal(try_create(fixture, &new_selection(fixture, house.bob->entity.id, spare, 0)->entity),
			 ERR_NOT_ALLOWED);
	assert_problem(fixture, "not_allowed", "device_id");
	assert_int_equal(try_create(fixture, &new_selection(fixture, house.bob->entity.id, house.desk, 0)->entity),
			 ERR_DEVICE_TAKEN);
	assert_int_equal(fixture->problem.other_id, house.jane->entity.id);
	// Jane has devices of her own.
	assert_int_equal(try_create(fixture, &new_selection(fixture, house.jane->entity.id, house.soft, 0)->entity),
			 ERR_NOT_ALLOWED);
	assert_problem(fixture, "not_allowed", "user_id");
}

static void an_assignment_takes_the_place_of_a_selection(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;

	created(fixture, &new_selection(fixture, house.bob->entity.id, house.soft, 0)->entity);
	fixture_told(fixture);
	give(fixture, house.bob, &house.soft, 1);
	assert_int_equal(try_update(fixture, &house.bob->entity), ERR_NONE);
	assert_string_equal(fixture_told(fixture), "selection 1 removed\nuser 3 changed\n");
}

static void an_assigned_device_goes_only_with_consent(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	struct device *desk = stored(fixture, ENTITY_DEVICE, house.desk);
	struct registration registration = {.write = {.device_id = house.desk, .kept_count = 1}};
	struct user *jane;

	registration.binding = new_binding(house.desk, "sip:330@192.0.2.7", 1);
	registration.write.kept = &registration.binding;
	assert_int_equal(save_and_wait(fixture, &registration), ERR_NONE);
	assert_int_equal(try_remove(fixture, &desk->entity, DELETE_IF_FREE), ERR_IN_USE);
	assert_int_equal(fixture->problem.other_id, house.jane->entity.id);
	assert_non_null(strstr(fixture->problem.sentence, "Jane (510)"));
	assert_int_equal(try_remove(fixture, &desk->entity, DELETE_AND_RELEASE), ERR_NONE);
	assert_string_equal(fixture_told(fixture), "user 2 changed\ndevice 1 removed\n");
	jane = stored(fixture, ENTITY_USER, house.jane->entity.id);
	assert_int_equal(jane->turn_count, 0);
	assert_int_equal(jane->entity.version, 2);
	// Its registrations went with it, and a late one is refused.
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM registrations"), "0");
	assert_int_equal(save_and_wait(fixture, &registration), ERR_NOT_FOUND);
	fixture_check_file(fixture);
}

static void a_shared_number_leaves_every_ring_plan(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	uint64_t devices[2] = {house.desk, house.mobile};

	give(fixture, house.jane, devices, 2);
	give(fixture, house.bob, devices + 1, 1);
	assert_int_equal(try_update(fixture, &house.jane->entity), ERR_NONE);
	assert_int_equal(try_update(fixture, &house.bob->entity), ERR_NONE);
	fixture_told(fixture);
	assert_int_equal(try_remove(fixture, stored(fixture, ENTITY_DEVICE, house.mobile), DELETE_AND_RELEASE),
			 ERR_NONE);
	assert_string_equal(fixture_told(fixture), "user 2 changed\nuser 3 changed\ndevice 3 removed\n");
	assert_int_equal(((struct user *)stored(fixture, ENTITY_USER, house.jane->entity.id))->turn_count, 1);
}

static void a_selected_device_goes_only_with_consent(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	struct device *soft = stored(fixture, ENTITY_DEVICE, house.soft);

	created(fixture, &new_selection(fixture, house.bob->entity.id, house.soft, 0)->entity);
	fixture_told(fixture);
	assert_int_equal(try_remove(fixture, &soft->entity, DELETE_IF_FREE), ERR_IN_USE);
	assert_int_equal(fixture->problem.other_id, house.bob->entity.id);
	assert_int_equal(try_remove(fixture, &soft->entity, DELETE_AND_RELEASE), ERR_NONE);
	assert_string_equal(fixture_told(fixture), "selection 1 removed\ndevice 2 removed\n");
}

static void what_leads_somewhere_keeps_it(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	struct trunk *trunk = new_trunk(fixture, "carrier");
	struct route route = {.entity = {.kind = ENTITY_ROUTE}, .pattern = STR("+44"), .toll_class = 1};
	struct did did = {.entity = {.kind = ENTITY_DID}, .number = STR("01444 123400")};

	route.trunk_id = created(fixture, &trunk->entity);
	created(fixture, &route.entity);
	did.user_id = house.bob->entity.id;
	did.trunk_id = trunk->entity.id;
	created(fixture, &did.entity);
	assert_int_equal(try_remove(fixture, &trunk->entity, DELETE_AND_RELEASE), ERR_IN_USE);
	assert_int_equal(fixture->problem.other_id, route.entity.id);
	assert_int_equal(try_remove(fixture, &route.entity, DELETE_IF_FREE), ERR_NONE);
	assert_int_equal(try_remove(fixture, &trunk->entity, DELETE_IF_FREE), ERR_IN_USE);
	assert_int_equal(fixture->problem.other_id, did.entity.id);
	assert_int_equal(try_remove(fixture, &house.bob->entity, DELETE_IF_FREE), ERR_IN_USE);
	assert_int_equal(fixture->problem.other_id, did.entity.id);
	assert_non_null(strstr(fixture->problem.sentence, "01444 123400"));
	did.trunk_id = 0;
	assert_int_equal(try_update(fixture, &did.entity), ERR_NONE);
	assert_int_equal(try_remove(fixture, &trunk->entity, DELETE_IF_FREE), ERR_NONE);
	assert_int_equal(try_remove(fixture, &did.entity, DELETE_IF_FREE), ERR_NONE);
	assert_int_equal(try_remove(fixture, &house.bob->entity, DELETE_IF_FREE), ERR_NONE);
}

static void ranges_of_one_width_do_not_overlap(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	struct did wide = {.entity = {.kind = ENTITY_DID}, .number = STR("01444 555500"), .last = STR("599")};
	struct did same = {.entity = {.kind = ENTITY_DID}, .number = STR("+44 1444 555550"), .last = STR("649")};
	struct did narrow = {.entity = {.kind = ENTITY_DID}, .number = STR("01444 555590"), .last = STR("609")};
	struct did one = {.entity = {.kind = ENTITY_DID}, .number = STR("01444 555500"), .target = DID_BUSY};

	wide.user_id = same.user_id = narrow.user_id = house.bob->entity.id;
	created(fixture, &wide.entity);
	assert_int_equal(try_create(fixture, &same.entity), ERR_NOT_UNIQUE);
	assert_problem(fixture, "not_unique", "last");
	assert_int_equal(fixture->problem.other_id, wide.entity.id);
	assert_non_null(strstr(fixture->problem.sentence, "01444 555500 to 599"));
	created(fixture, &narrow.entity);
	created(fixture, &one.entity);
	same.number = STR("01444 555400");
	same.last = STR("499");
	created(fixture, &same.entity);
	same.number = STR("01444 555401");
	same.last = STR("500");
	assert_int_equal(try_update(fixture, &same.entity), ERR_NOT_UNIQUE);
	wide.last = STR("01444 555597"); // it may change itself
	assert_int_equal(try_update(fixture, &wide.entity), ERR_NONE);
}

static void a_deleted_user_is_signed_out(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	struct token token = {.entity = {.kind = ENTITY_TOKEN}, .title = STR("script")};

	token.secret_hash = arena_format(&fixture->arena, "%064x", 0xabcdef);
	token.user_id = house.bob->entity.id;
	created(fixture, &new_session(fixture, house.bob->entity.id, 0)->entity);
	created(fixture, &new_session(fixture, house.bob->entity.id, 0)->entity);
	created(fixture, &new_selection(fixture, house.bob->entity.id, house.soft, 0)->entity);
	created(fixture, &token.entity);
	fixture_told(fixture);
	assert_int_equal(try_remove(fixture, &house.bob->entity, DELETE_IF_FREE), ERR_IN_USE);
	assert_int_equal(fixture->problem.other_id, token.entity.id);
	assert_string_equal(fixture_told(fixture), "");
	assert_int_equal(try_remove(fixture, &house.bob->entity, DELETE_AND_RELEASE), ERR_NONE);
	assert_string_equal(fixture_told(fixture), "token 1 removed\nsession 1 removed\nsession 2 removed\n"
						   "selection 1 removed\nuser 3 removed\n");
}

static void the_last_administrator_stays(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;

	assert_int_equal(try_remove(fixture, &house.admin->entity, DELETE_AND_RELEASE), ERR_IN_USE);
	assert_problem(fixture, "in_use", "role");
	house.admin->role = ROLE_AGENT;
	assert_int_equal(try_update(fixture, &house.admin->entity), ERR_IN_USE);
	house.bob->role = ROLE_ADMIN;
	assert_int_equal(try_update(fixture, &house.bob->entity), ERR_NONE);
	assert_int_equal(try_update(fixture, &house.admin->entity), ERR_NONE);
	assert_int_equal(try_remove(fixture, &house.bob->entity, DELETE_AND_RELEASE), ERR_IN_USE);
}

static void a_refused_write_leaves_nothing(void **state)
{
	struct house house = house_make(*state);
	struct fixture *fixture = house.fixture;
	struct user *eve = new_user(fixture, "eve", "666");
	uint64_t devices[2] = {house.soft, house.desk}; // the second is Jane's

	give(fixture, eve, devices, 2);
	assert_int_equal(try_create(fixture, &eve->entity), ERR_DEVICE_TAKEN);
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM users WHERE name = 'eve'"), "0");
	assert_string_equal(fixture_sql(fixture, "SELECT count(*) FROM assignments"), "1");
	assert_string_equal(fixture_sql(fixture, "SELECT id FROM last_ids WHERE kind = 'user'"), "3");
	assert_string_equal(fixture_told(fixture), "");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_value_that_must_be_unique_names_who_has_it),
	    TEST(an_emergency_number_is_nobodys_extension),
	    TEST(fixed_fields_stay),
	    TEST(a_stale_version_is_refused),
	    TEST(references_must_exist),
	    TEST(extension_and_role_wait_for_the_sign_out),
	    TEST(a_device_has_one_holder),
	    TEST(a_selection_is_exclusive),
	    TEST(an_expired_selection_gives_way),
	    TEST(only_offered_free_devices_can_be_selected),
	    TEST(an_assignment_takes_the_place_of_a_selection),
	    TEST(an_assigned_device_goes_only_with_consent),
	    TEST(a_shared_number_leaves_every_ring_plan),
	    TEST(a_selected_device_goes_only_with_consent),
	    TEST(what_leads_somewhere_keeps_it),
	    TEST(ranges_of_one_width_do_not_overlap),
	    TEST(a_deleted_user_is_signed_out),
	    TEST(the_last_administrator_stays),
	    TEST(a_refused_write_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// What lists and forms show beside the fields: who holds a device, what it does now, how a number is read, how things are.
#include "http/fixture.h"

#include <stdio.h>
#include <string.h>

static const json_t *item(const struct reply *reply, size_t index)
{
	return json_array_get(json_object_get(reply->json, "items"), index);
}

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value ? value : "";
}

static json_int_t integer(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

// Devices 1 (rings) and 3 (talks) are Jane's, the outside number 3 Otto's, too; Bob has selected device 2.
static struct caller devices_set(struct fixture *f)
{
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\",\"title\":\"Desk\"}");
	create(f, "/api/v1/devices",
	       "{\"kind\":\"softphone\",\"number\":\"821\",\"title\":\"Laptop\",\"available_for_selection\":true}");
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"+44 1444 123456\"}");
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"+44 1444 123457\"}");
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/2/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"1\"},{\"device_id\":\"3\"}]}"),
	       200);
	expect(ask(f, &f->admin, "PUT", "/api/v1/users/4/ring-plan",
		   "{\"strategy\":\"at_once\",\"turns\":[{\"device_id\":\"3\"}]}"),
	       200);
	struct caller bob = sign_in(f, "bob", PASSWORD);
	expect(ask(f, &bob, "PUT", "/api/v1/me/device", "{\"device_id\":\"2\"}"), 200);
	return bob;
}

static void a_device_says_who_has_it_and_what_it_does(void **state)
{
	struct fixture *f = *state;
	devices_set(f);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/devices", NULL);
	const json_t *desk = item(&reply, 0), *laptop = item(&reply, 1), *mobile = item(&reply, 2);
	assert_string_equal(text(desk, "state"), "ringing");
	assert_string_equal(text(desk, "held"), "assigned");
	assert_string_equal(text(json_object_get(desk, "holder"), "user_id"), "2");
	assert_string_equal(text(json_object_get(desk, "holder"), "extension"), "510");
	assert_true(json_is_null(json_object_get(json_object_get(desk, "holder"), "expires_at")));
	assert_string_equal(text(laptop, "state"), "unreachable");
	assert_string_equal(text(laptop, "held"), "selected");
	assert_string_equal(text(json_object_get(laptop, "holder"), "title"), "bob");
	assert_true(json_is_string(json_object_get(json_object_get(laptop, "holder"), "expires_at")));
	assert_string_equal(text(mobile, "state"), "in_call");
	assert_int_equal(integer(mobile, "holder_count"), 2);
	assert_string_equal(text(item(&reply, 3), "state"), "outside");
	assert_string_equal(text(item(&reply, 3), "held"), "nobody");
	assert_true(json_is_null(json_object_get(item(&reply, 3), "holder")));
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/devices?holder_id=2", NULL);
	assert_int_equal(integer(reply.json, "total"), 2);
	expect(reply, 200);
	expect_field(ask(f, &f->admin, "GET", "/api/v1/devices?owner=4", NULL), 422, "owner", "unknown_field");
}

// Whoever reads an entity may send it back as it was.
static void what_was_read_can_be_sent_back(void **state)
{
	static const char *const paths[] = {"/api/v1/devices/1", "/api/v1/devices/2", "/api/v1/users/2"};
	struct fixture *f = *state;
	devices_set(f);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct reply reply = ask(f, &f->admin, "GET", paths[i], NULL);
		assert_int_equal(reply.status, 200);
		expect(ask(f, &f->admin, "PUT", paths[i], reply.body), 200);
		reply_free(&reply);
	}
}

static void a_user_shows_sessions_devices_and_calls(void **state)
{
	struct fixture *f = *state;
	devices_set(f);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/users?sort=id", NULL);
	const json_t *jane = item(&reply, 1), *bob = item(&reply, 2);
	assert_int_equal(integer(item(&reply, 0), "session_count"), 1);
	assert_int_equal(integer(jane, "session_count"), 0);
	assert_int_equal(integer(jane, "device_count"), 2);
	assert_int_equal(integer(jane, "reachable_count"), 1); // the outside number
	assert_int_equal(integer(jane, "call_count"), 1);
	assert_true(json_is_null(json_object_get(jane, "selected_device")));
	assert_int_equal(integer(bob, "session_count"), 1);
	assert_string_equal(text(json_object_get(bob, "selected_device"), "number"), "821");
	assert_string_equal(text(json_object_get(bob, "selected_device"), "title"), "Laptop");
	expect(reply, 200);
}

static void a_number_is_explained_before_it_is_saved(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}");
	create(f, "/api/v1/routes", "{\"pattern\":\"+44\",\"trunk_id\":\"1\",\"strip\":3,\"prepend\":\"0\"}");
	create(f, "/api/v1/dids", "{\"number\":\"+441444200200\",\"user_id\":\"2\"}");
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/numbers/explain?number=(01444)%20123-456", NULL);
	assert_string_equal(text(reply.json, "number"), "(01444) 123-456");
	assert_string_equal(text(reply.json, "canonical"), "+441444123456");
	assert_string_equal(text(reply.json, "class"), "national");
	assert_string_equal(text(reply.json, "type"), "fixed");
	assert_string_equal(text(reply.json, "country"), "GB");
	assert_string_equal(text(reply.json, "country_name"), "the United Kingdom");
	assert_string_equal(text(reply.json, "international"), "+44 1444 123456");
	assert_string_equal(text(reply.json, "national"), "01444 123456");
	assert_true(json_is_false(json_object_get(reply.json, "listed")));
	assert_true(json_is_null(json_object_get(reply.json, "extension")));
	const json_t *route = json_array_get(json_object_get(reply.json, "routes"), 0);
	assert_string_equal(text(route, "trunk"), "Carrier");
	assert_string_equal(text(route, "sent"), "01444123456");
	assert_true(json_is_null(json_object_get(reply.json, "did")));
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/numbers/explain?number=%2B441444200200", NULL);
	assert_string_equal(text(json_object_get(reply.json, "did"), "extension"), "510");
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/numbers/explain?number=999", NULL);
	assert_string_equal(text(reply.json, "class"), "emergency");
	assert_true(json_is_true(json_object_get(reply.json, "listed")));
	assert_true(json_is_null(json_object_get(reply.json, "country")));
	assert_int_equal(json_array_size(json_object_get(reply.json, "routes")), 0);
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/numbers/explain?number=510", NULL);
	assert_string_equal(text(reply.json, "class"), "short");
	assert_string_equal(text(json_object_get(reply.json, "extension"), "user_id"), "2");
	expect(reply, 200);
	expect_field(ask(f, &f->admin, "GET", "/api/v1/numbers/explain?number=Jane", NULL), 422, "number",
		     "bad_number");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/numbers/explain", NULL), 422, "number", "missing_field");
}

static const json_t *finding(const struct reply *reply, const char *code)
{
	const json_t *value;
	size_t i;
	json_array_foreach(json_object_get(reply->json, "problems"), i,
			   value) if (strcmp(text(value, "code"), code) == 0) return value;
	return NULL;
}

static void what_would_happen_is_told_step_by_step(void **state)
{
	struct fixture *f = *state;
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/routes/explain?number=01444%20123456&as=510", NULL);
	const json_t *routes = json_object_get(reply.json, "routes"), *way = json_array_get(routes, 1);
	assert_string_equal(text_of(&reply, "result"), "outside");
	assert_string_equal(text_of(&reply, "class"), "national");
	assert_int_equal(json_array_size(routes), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(routes, 0), "code")), "toll_class");
	assert_true(json_is_true(json_object_get(way, "taken")));
	assert_string_equal(json_string_value(json_object_get(way, "caller_number")), "+441444200200");
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/routes/explain?number=1&from_trunk=1&caller=0044144", NULL);
	assert_string_equal(text_of(&reply, "result"), "user");
	assert_string_equal(json_string_value(json_object_get(json_object_get(reply.json, "user"), "id")), "2");
	expect(reply, 200);
	expect_field(ask(f, &f->admin, "GET", "/api/v1/routes/explain?as=510", NULL), 422, "number", "missing_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/routes/explain?number=1", NULL), 422, "as", "missing_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/routes/explain?number=1&as=999", NULL), 422, "as",
		     "invalid_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/routes/explain?number=1&from_trunk=9", NULL), 422, "from_trunk",
		     "invalid_field");
	expect_field(ask(f, &f->admin, "GET", "/api/v1/routes/explain?number=1&as=510&caller=1", NULL), 422, "caller",
		     "invalid_field");
}

static void status_says(void *context, struct http_status *status)
{
	(void)context;
	*status = (struct http_status){
	    .certificate_ends_s = 1700000000,
	    .banned = 2,
	    .records_waiting = 3,
	    .records_lost = 4,
	    .overload = {.now = true, .busy_percent = 93, .admitted_percent = 40, .refused_calls = 17}};
}

// Trunk 1 is out of service, every other one lacks a target.
static void trunk_says(void *context, uint64_t trunk_id, struct trunk_state *state)
{
	(void)context;
	state->service = trunk_id == 1 ? TRUNK_OUT_OF_SERVICE : TRUNK_IN_SERVICE;
	state->reason = trunk_id == 1 ? "None of its targets is in service." : NULL;
	state->target_count = 2;
	state->legs = 3;
	state->legs_max = 30;
	if (trunk_id == 2)
		state->registration = (struct trunk_registration_state){
		    .status = TRUNK_REGISTRATION_REFUSED,
		    .last_status = 403,
		    .next_try_at = 1700000600000,
		    .since = 1700000000000,
		    .sentence = "The carrier refuses this account (403 Forbidden).",
		};
	state->targets[0] = (struct trunk_target_state){.host = "sbc1.example.com",
							.address = "192.0.2.1:5060",
							.transport = "udp",
							.service = TRUNK_OUT_OF_SERVICE,
							.reason = "It does not answer.",
							.round_trip_ms = -1,
							.checked_at = 1700000000000,
							.since = 1700000000000};
	state->targets[1] = (struct trunk_target_state){.host = "sbc2.example.com",
							.address = "192.0.2.2:5060",
							.transport = "udp",
							.service = state->service,
							.last_status = 200,
							.round_trip_ms = 12,
							.checked_at = 1700000000000,
							.since = 1700000000000};
}

#define TEAMS_TRUNK(title, enabled)                                                                                    \
	"{\"title\":\"" title "\",\"profile\":\"teams\",\"own_host\":\"sbc.example.com\",\"transport\":\"tls\","       \
	"\"host\":\"sip.pstnhub.microsoft.com\",\"enabled\":" enabled "}"

static void a_teams_device_says_over_which_trunks(void **state)
{
	struct fixture *f;
	(void)state;
	fixture_settings = (struct http_settings){.trunk_state = trunk_says};
	fixture_setup((void **)&f);
	create(f, "/api/v1/devices", "{\"kind\":\"teams\",\"number\":\"+441444555510\"}");
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"+44 1444 123456\"}");
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/devices/1", NULL);
	assert_true(json_is_array(json_object_get(reply.json, "trunks")));
	assert_int_equal(json_array_size(json_object_get(reply.json, "trunks")), 0);
	expect(reply, 200);
	create(f, "/api/v1/trunks", TEAMS_TRUNK("Teams of old", "false"));
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}");
	create(f, "/api/v1/trunks", TEAMS_TRUNK("Teams", "true"));
	create(f, "/api/v1/trunks", TEAMS_TRUNK("Teams too", "true"));
	reply = ask(f, &f->admin, "GET", "/api/v1/devices", NULL);
	const json_t *trunks = json_object_get(item(&reply, 0), "trunks");
	assert_int_equal(json_array_size(trunks), 3);
	assert_string_equal(text(json_array_get(trunks, 0), "id"), "3");
	assert_string_equal(text(json_array_get(trunks, 0), "title"), "Teams");
	assert_string_equal(text(json_array_get(trunks, 0), "service"), "in_service");
	assert_true(json_is_true(json_object_get(json_array_get(trunks, 0), "enabled")));
	assert_string_equal(text(json_array_get(trunks, 1), "title"), "Teams too");
	assert_string_equal(text(json_array_get(trunks, 2), "title"), "Teams of old");
	assert_string_equal(text(json_array_get(trunks, 2), "service"), "out_of_service");
	assert_true(json_is_false(json_object_get(json_array_get(trunks, 2), "enabled")));
	assert_true(json_is_null(json_object_get(item(&reply, 1), "trunks")));
	expect(reply, 200);
	fixture_teardown((void **)&f);
}

static void trunks_show_their_targets(void **state)
{
	struct fixture *f;
	(void)state;
	fixture_settings = (struct http_settings){.trunk_state = trunk_says};
	fixture_setup((void **)&f);
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}");
	create(f, "/api/v1/trunks", "{\"title\":\"Second\",\"host\":\"192.0.2.2\"}");
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/trunks/1/state", NULL);
	assert_string_equal(text(reply.json, "service"), "out_of_service");
	assert_string_equal(text(reply.json, "reason"), "None of its targets is in service.");
	assert_int_equal(integer(reply.json, "legs"), 3);
	assert_int_equal(integer(reply.json, "legs_max"), 30);
	assert_true(json_is_null(json_object_get(reply.json, "registration")));
	const json_t *targets = json_object_get(reply.json, "targets");
	const json_t *first = json_array_get(targets, 0), *second = json_array_get(targets, 1);
	assert_int_equal(json_array_size(targets), 2);
	assert_string_equal(text(first, "reason"), "It does not answer.");
	assert_true(json_is_null(json_object_get(first, "last_status")));
	assert_true(json_is_null(json_object_get(first, "round_trip_ms")));
	assert_int_equal(integer(second, "last_status"), 200);
	assert_int_equal(integer(second, "round_trip_ms"), 12);
	assert_string_equal(text(second, "since"), "2023-11-14T22:13:20.000Z");
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/trunk-states", NULL);
	assert_int_equal(integer(reply.json, "total"), 2);
	assert_string_equal(text(json_array_get(json_object_get(reply.json, "items"), 1), "service"), "in_service");
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/trunks/2/state", NULL);
	const json_t *registration = json_object_get(reply.json, "registration");
	assert_string_equal(text(registration, "status"), "refused");
	assert_string_equal(text(registration, "sentence"), "The carrier refuses this account (403 Forbidden).");
	assert_string_equal(text(registration, "next_try_at"), "2023-11-14T22:23:20.000Z");
	assert_true(json_is_null(json_object_get(registration, "registered_until")));
	assert_int_equal(integer(registration, "last_status"), 403);
	expect(reply, 200);
	expect(ask(f, &f->admin, "GET", "/api/v1/trunks/99/state", NULL), 404);
	expect(ask(f, NULL, "GET", "/api/v1/trunks/1/state", NULL), 401);
	reply = ask(f, &f->admin, "GET", "/api/v1/status", NULL);
	assert_string_equal(text(finding(&reply, "trunk_down"), "severity"), "error");
	assert_string_equal(
	    text(json_array_get(json_object_get(finding(&reply, "trunk_down"), "examples"), 0), "label"), "Carrier");
	assert_string_equal(text(finding(&reply, "trunk_target_down"), "severity"), "warning");
	assert_int_equal(integer(finding(&reply, "trunk_target_down"), "count"), 1);
	assert_string_equal(text(finding(&reply, "trunk_unregistered"), "sentence"),
			    "Trunk Second is not registered: The carrier refuses this account (403 Forbidden).");
	assert_string_equal(text(finding(&reply, "trunk_unregistered"), "severity"), "error");
	expect(reply, 200);
	fixture_teardown((void **)&f);
}

static void the_status_says_what_is_wrong(void **state)
{
	struct fixture *f;
	(void)state;
	fixture_settings = (struct http_settings){.status = status_says};
	fixture_setup((void **)&f);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/status", NULL);
	assert_true(json_is_false(json_object_get(reply.json, "all_right")));
	assert_string_equal(text(finding(&reply, "certificate_expired"), "severity"), "error");
	assert_string_equal(text(finding(&reply, "disk_full"), "severity"), "error");
	assert_null(finding(&reply, "trunk_down"));
	assert_string_equal(text(finding(&reply, "sources_banned"), "severity"), "note");
	assert_null(finding(&reply, "records_waiting"));
	assert_string_equal(text(finding(&reply, "records_lost"), "severity"), "warning");
	assert_string_equal(text(finding(&reply, "overloaded"), "severity"), "warning");
	assert_string_equal(text(finding(&reply, "overloaded"), "sentence"),
			    "The server is overloaded: it is busy for 93 % of the time and takes 40 % of new calls.");
	assert_int_equal(integer(finding(&reply, "calls_refused"), "count"), 17);
	assert_null(finding(&reply, "registrations_refused"));
	const json_t *unreachable = finding(&reply, "users_unreachable");
	assert_int_equal(integer(unreachable, "count"), 1);
	assert_string_equal(text(json_array_get(json_object_get(unreachable, "examples"), 0), "label"), "jane (510)");
	assert_null(finding(&reply, "devices_unregistered"));
	assert_null(finding(&reply, "store_unavailable"));
	assert_int_equal(integer(json_object_get(reply.json, "counts"), "calls"), 0); // no call table in this server
	expect(reply, 200);
	fake_records_ail(f->records);
	reply = ask(f, &f->admin, "GET", "/api/v1/status", NULL);
	assert_string_equal(text(finding(&reply, "store_unavailable"), "severity"), "error");
	assert_string_equal(text(finding(&reply, "records_waiting"), "sentence"),
			    "3 call records wait for the database.");
	expect(reply, 200);
	fixture_teardown((void **)&f);
}

// The alarms of toll protection are problems; who is at his limit stands there by name.
static void the_status_tells_of_calls_to_the_outside(void **state)
{
	static const struct route route = {.trunk_id = 5};
	static char stands_for_a_table;
	struct fixture *f;
	(void)state;
	fixture_settings = (struct http_settings){.calls = (struct call_table *)(void *)&stands_for_a_table};
	fixture_setup((void **)&f);
	struct toll *toll = toll_create(&(struct toll_ports){.loop = f->loop, .directory = f->directory});
	const struct toll_question question = {.payer_id = 2, .number = STR("+441444123456"), .route = &route};
	struct toll_permit permit;
	expect(ask(f, &f->admin, "PATCH", "/api/v1/settings",
		   "{\"user_outside_legs_per_hour\":5,\"outside_legs_per_hour\":6}"),
	       200);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(toll_enter(toll, &question, &permit), ERR_NONE);
		toll_leave(toll, &permit);
	}
	fake_calls_set_toll(toll);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/status", NULL);
	assert_string_equal(text(finding(&reply, "users_near_outside_limit"), "severity"), "warning");
	assert_string_equal(
	    text(finding(&reply, "site_near_outside_limit"), "sentence"),
	    "The site is near its limit of calls to the outside. 5 of 6 calls to the outside within an hour.");
	assert_null(finding(&reply, "users_at_outside_limit"));
	expect(reply, 200);
	const struct toll_verdict verdict = toll_judge(toll, &question);
	assert_int_equal(verdict.err, ERR_OUTSIDE_LEGS_PER_HOUR);
	toll_refuse(toll, &question, &verdict);
	reply = ask(f, &f->admin, "GET", "/api/v1/status", NULL);
	const json_t *found = finding(&reply, "users_at_outside_limit");
	assert_string_equal(text(found, "severity"), "error");
	assert_string_equal(text(json_array_get(json_object_get(found, "examples"), 0), "label"),
			    "510 jane: 5 of 5 calls to the outside within an hour, 1 refused.");
	expect(reply, 200);
	fake_calls_set_toll(NULL);
	toll_destroy(toll);
	fixture_teardown((void **)&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
	    SERVED(a_device_says_who_has_it_and_what_it_does),
	    SERVED(what_was_read_can_be_sent_back),
	    SERVED(a_user_shows_sessions_devices_and_calls),
	    SERVED(a_number_is_explained_before_it_is_saved),
	    SERVED(what_would_happen_is_told_step_by_step),
	    cmocka_unit_test(a_teams_device_says_over_which_trunks),
	    cmocka_unit_test(trunks_show_their_targets),
	    cmocka_unit_test(the_status_says_what_is_wrong),
	    cmocka_unit_test(the_status_tells_of_calls_to_the_outside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

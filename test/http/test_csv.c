// CSV in and out: what is exported imports unchanged, every problem is named by row and column, and it is all or nothing; on a real
// database.
#include "http/real_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {"users", "devices", "ring-plans", "dids"};

static struct reply import(struct fixture *f, const char *what, const char *csv)
{
	char request[128], head[4096];
	struct reply reply;
	snprintf(request, sizeof request, "/api/v1/import/%s", what);
	int length =
	    snprintf(head, sizeof head,
		     "POST %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\nCookie: %s\r\nX-CSRF-Token: %s\r\n"
		     "Content-Type: text/csv\r\nContent-Length: %zu\r\n\r\n",
		     request, f->admin.cookie, f->admin.csrf, strlen(csv));
	int socket = client_connect(&f->address);
	assert_true(socket >= 0 && client_send(socket, head, (size_t)length) && client_send(socket, csv, strlen(csv)));
	client_receive(socket, &reply);
	close(socket);
	return reply;
}

static json_int_t number(const struct reply *reply, const char *name)
{
	return json_integer_value(json_object_get(reply->json, name));
}

static void expect_counts(struct reply reply, int created, int updated, int unchanged)
{
	if (reply.status != 200)
		print_error("%s\n", reply.body ? reply.body : "(no answer)");
	assert_int_equal(reply.status, 200);
	assert_int_equal(number(&reply, "created"), created);
	assert_int_equal(number(&reply, "updated"), updated);
	assert_int_equal(number(&reply, "unchanged"), unchanged);
	reply_free(&reply);
}

// One of the problems has this row, column and code.
static void assert_problem(const struct reply *reply, int row, const char *column, const char *code)
{
	const json_t *problem;
	size_t i;
	json_array_foreach(json_object_get(reply->json, "problems"), i, problem)
	{
		const char *there = json_string_value(json_object_get(problem, "column"));
		if (json_integer_value(json_object_get(problem, "row")) == row &&
		    strcmp(there ? there : "", column) == 0 &&
		    strcmp(json_string_value(json_object_get(problem, "code")), code) == 0)
			return;
	}
	fail_msg("no problem %s in row %d, column %s: %s", code, row, column, reply->body);
}

static char *export(struct fixture *f, const char *what, const char *parameters)
{
	char path[128];
	snprintf(path, sizeof path, "/api/v1/export/%s%s", what, parameters);
	struct reply reply = ask(f, &f->admin, "GET", path, NULL);
	assert_int_equal(reply.status, 200);
	char *text = strndup(reply.body, reply.size);
	reply_free(&reply);
	return text;
}

static void tables_are_imported(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/trunks", "{\"title\":\"Carrier\",\"host\":\"192.0.2.1\"}");
	struct reply reply = import(f, "devices",
				    "\xEF\xBB\xBFkind;number;title;sip_password\r\n"
				    "sip_phone;330;\"Desk; \"\"old\"\"\";\r\n"
				    "softphone;821;Laptop;0123456789\r\n"
				    "external;01444 123456;;\r\n");
	assert_int_equal(json_array_size(json_object_get(reply.json, "passwords")), 1);
	expect_counts(reply, 3, 0, 0);
	expect_counts(
	    import(f, "users",
		   "name,title,extension,role,do_not_disturb\njoe,\"Joe\",540,agent,TRUE\njane,Jane Doe,510,agent,\n"),
	    1, 1, 0);
	expect_counts(import(f, "ring-plans",
			     "user,strategy,device,start_s,ring_s\n540,in_sequence,330,0,10\n540,,821,,\n510,at_once,"
			     "01444 123456,5,30\n"),
		      0, 2, 0);
	expect_counts(import(f, "dids", "number,user,trunk\n01444 200200,540,Carrier\n+44 1444 200201,510,\n"), 2, 0,
		      0);
	reply = ask(f, &f->admin, "GET", "/api/v1/users/5/ring-plan", NULL);
	assert_string_equal(text_of(&reply, "strategy"), "in_sequence");
	assert_int_equal(json_array_size(json_object_get(reply.json, "turns")), 2);
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/devices/1", NULL);
	assert_string_equal(text_of(&reply, "title"), "Desk; \"old\"");
	expect(reply, 200);
}

static void what_is_exported_imports_unchanged(void **state)
{
	struct fixture *f = *state;
	static const char *const parameters[] = {"", "?delimiter=semicolon"};
	tables_are_imported(state);
	create(f, "/api/v1/devices",
	       "{\"kind\":\"sip_phone\",\"number\":\"332\",\"title\":\"=HYPERLINK(\\\"http://x\\\";\\\"y\\\")\","
	       "\"description\":\"+1\\n'two'\\t;,\\\"\"}");
	create(f, "/api/v1/devices", "{\"kind\":\"external\",\"number\":\"+44 1444 123499\",\"title\":\"'@x\"}");
	for (size_t i = 0; i < 8; i++) {
		char *csv = export(f, kinds[i % 4], parameters[i / 4]);
		assert_true(strncmp(csv, "\xEF\xBB\xBF", 3) == 0);
		for (const char *c = csv; *c; c++) // no cell begins like a formula
			assert_false((c[0] == '\n' || c[0] == ',' || c[0] == ';') && (c[1] == '=' || c[1] == '+') &&
				     i % 4 != 1);
		struct reply reply = import(f, kinds[i % 4], csv);
		assert_int_equal(number(&reply, "created") + number(&reply, "updated"), 0);
		assert_true(number(&reply, "unchanged") > 0);
		expect(reply, 200);
		free(csv);
	}
}

static void random_text(struct str alphabet, char *into, unsigned length)
{
	char text[128];
	unsigned used = 0;
	while (used < length)
		text[used++] = alphabet.at[(unsigned)rand() % alphabet.length];
	text[used] = '\0';
	for (const char *c = text; *c; c++) // as JSON
		into += *c == '\n'                ? sprintf(into, "\\n")
			: *c == '\t'              ? sprintf(into, "\\t")
			: *c == '"' || *c == '\\' ? sprintf(into, "\\%c", *c)
						  : sprintf(into, "%c", *c);
	*into = '\0';
}

// Whatever a device is called: out, away with it, in again, and out once more is the same file.
static void any_text_survives_the_way_out_and_in(void **state)
{
	struct fixture *f = *state;
	srand(20261125);
	for (int i = 0; i < 60; i++) {
		char title[300], description[300], body[1024];
		random_text(STR("=+-@';,\"\\ ab\xC2\xA7"
				"1."),
			    title, 1 + (unsigned)rand() % 12);
		random_text(STR("=+-@';,\"\\ \n\tab1."), description, (unsigned)rand() % 30);
		for (char *c = title; *c; c++)
			if ((unsigned char)*c >= 0x80) // halves of a character are no text
				*c = 'x';
		snprintf(body, sizeof body,
			 "{\"kind\":\"sip_phone\",\"number\":\"%d\",\"title\":\"%s\",\"description\":\"%s\"}", 1000 + i,
			 title, description);
		create(f, "/api/v1/devices", body);
	}
	char *first = export(f, "devices", "");
	for (int i = 1; i <= 60; i++) {
		char path[64];
		snprintf(path, sizeof path, "/api/v1/devices/%d", i);
		expect(ask(f, &f->admin, "DELETE", path, NULL), 204);
	}
	expect_counts(import(f, "devices", first), 60, 0, 0);
	char *second = export(f, "devices", "");
	assert_string_equal(first, second);
	free(first);
	free(second);
}

static void every_problem_is_named_and_nothing_imported(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	static const char csv[] = "kind,number,title,call_limit,confirm\n"
				  "sip_phone,331,Fine,,\n"
				  "fax,332,,,\n"
				  "sip_phone,33 3,,5000,maybe\n"
				  "softphone,330,,,\n"
				  "sip_phone,334\n"
				  "sip_phone,331,Twice,,\n"
				  "external,12,,,\n";
	for (int dry = 0; dry < 2; dry++) {
		struct reply reply = import(f, dry ? "devices?dry_run=true" : "devices", csv);
		assert_int_equal(reply.status, 422);
		assert_string_equal(text_of(&reply, "code"), "rows_refused");
		assert_problem(&reply, 3, "kind", "invalid_field");
		assert_problem(&reply, 4, "call_limit", "invalid_field");
		assert_problem(&reply, 4, "confirm", "invalid_field");
		assert_problem(&reply, 5, "kind", "fixed_field");
		assert_problem(&reply, 6, "", "invalid_field");
		assert_problem(&reply, 7, "number", "not_unique"); // seen by trying the rows that were right
		reply_free(&reply);
		reply = ask(f, &f->admin, "GET", "/api/v1/devices", NULL);
		assert_int_equal(number(&reply, "total"), 1);
		expect(reply, 200);
	}
	expect_field(import(f, "devices", "number,colour\n1,red\n"), 422, "colour", "unknown_field");
	expect_field(import(f, "devices", "title\nx\n"), 422, "number", "missing_field");
	expect_field(import(f, "devices", "number,number\n1,1\n"), 422, "number", "invalid_field");
	expect(import(f, "devices", "number,title\n1,\"open\n"), 400);
	expect(import(f, "devices", ""), 400);
	struct reply reply = import(f, "devices", "kind,number,sip_password\nsip_phone,339,short\n");
	assert_problem(&reply, 2, "sip_password", "invalid_field");
	expect(reply, 422);
	reply = import(f, "dids", "number,user,trunk\n01444 200200,999,Nowhere\n");
	assert_problem(&reply, 2, "user", "invalid_field");
	assert_problem(&reply, 2, "trunk", "invalid_field");
	expect(reply, 422);
	reply = import(f, "users", "name,role\nadmin,agent\n");
	assert_problem(&reply, 2, "role", "not_allowed");
	expect(reply, 422);
	expect_field(ask(f, &f->admin, "GET", "/api/v1/export/users?delimiter=tab", NULL), 422, "delimiter",
		     "invalid_field");
}

static void nobody_loses_a_device_silently(void **state)
{
	struct fixture *f = *state;
	create(f, "/api/v1/devices", "{\"kind\":\"sip_phone\",\"number\":\"330\"}");
	expect_counts(import(f, "ring-plans", "user,device\n510,330\n"), 0, 1, 0);
	struct reply reply = import(f, "ring-plans", "user,device\n520,330\n");
	assert_problem(&reply, 2, "device", "device_taken");
	expect(reply, 422);
	expect_counts(import(f, "ring-plans", "user,device\n510,\n520,330\n"), 0, 2, 0); // said in the file itself
	reply = import(f, "ring-plans", "user,strategy,device,start_s,ring_s\n999,,,,\n510,often,331,-1,0\n");
	assert_problem(&reply, 2, "user", "invalid_field");
	assert_problem(&reply, 3, "strategy", "invalid_field");
	assert_problem(&reply, 3, "device", "invalid_field");
	expect(reply, 422);
}

static void only_a_try_changes_nothing(void **state)
{
	struct fixture *f = *state;
	expect_counts(import(f, "devices?dry_run=true", "kind,number\nsip_phone,330\n"), 1, 0, 0);
	struct reply reply = ask(f, &f->admin, "GET", "/api/v1/devices", NULL);
	assert_int_equal(number(&reply, "total"), 0);
	expect(reply, 200);
	reply = ask(f, &f->admin, "GET", "/api/v1/audit?entity=device", NULL);
	assert_int_equal(json_array_size(json_object_get(reply.json, "items")), 0);
	expect(reply, 200);
	expect_counts(import(f, "devices", "kind,number\nsip_phone,330\n"), 1, 0, 0);
}

static int setup(void **state)
{
	fixture_store = &real_store;
	return fixture_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)
	    SERVED(tables_are_imported),
	    SERVED(what_is_exported_imports_unchanged),
	    SERVED(any_text_survives_the_way_out_and_in),
	    SERVED(every_problem_is_named_and_nothing_imported),
	    SERVED(nobody_loses_a_device_silently),
	    SERVED(only_a_try_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

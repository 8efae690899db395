// The command-line client against a running server: what people see, and what scripts get.
#include "http/fixture.h"

#include "domain/call_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char *program; // the client, given by the build
static char output[1 << 16];
static char token[64];

static int scene_setup(void **state)
{
	fixture_setup(state);
	struct fixture *f = *state;
	struct reply reply = ask(f, &f->admin, "POST", "/api/v1/tokens", "{\"title\":\"cli\",\"role\":\"admin\"}");
	snprintf(token, sizeof token, "%s", text_of(&reply, "secret"));
	reply_free(&reply);
	return 0;
}

// Runs the client through the shell with everything it says in `output`; gives its exit status.
static int run(struct fixture *f, const char *arguments)
{
	char command[2048];
	snprintf(command, sizeof command,
		 "TZ=UTC LC_ALL=C.UTF-8 XDG_CONFIG_HOME=/nonexistent CARILLON_URL=http://127.0.0.1:%u "
		 "CARILLON_TOKEN=%s %s %s 2>&1",
		 f->address.port, token, program, arguments);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	size_t used = fread(output, 1, sizeof output - 1, pipe);
	output[used] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static void expect_run(struct fixture *f, const char *arguments, int status, const char *text)
{
	int got = run(f, arguments);
	if (got != status || !strstr(output, text))
		print_error("carillon %s gave %d:\n%s", arguments, got, output);
	assert_int_equal(got, status);
	assert_non_null(strstr(output, text));
}

static void users_are_listed_shown_added_changed_and_deleted(void **state)
{
	struct fixture *f = *state;
	expect_run(f, "user add name=zoe title='Zoë Low' extension=700", 0, "The user 700 (id 5) is created.\n");
	assert_non_null(strstr(output, "The password, shown only now: "));
	expect_run(f, "user list", 0, "EXTENSION  NAME   TITLE    ROLE     STRATEGY  DEVICES  DND  UNANSWERED\n");
	expect_run(f, "user list", 0, "\n700        zoe    Zoë Low  agent    at_once   0        no   busy\n");
	expect_run(f, "user show zoe", 0, "extension               700\n");
	expect_run(f, "user set 700 call_limit=4 do_not_disturb=yes", 0, "The user 700 (id 5) is changed.\n");
	expect_run(f, "user list do_not_disturb=true --json", 0, "\"call_limit\": 4");
	expect_run(f, "user delete 700", 0, "deleted");
	expect_run(f, "user show zoe", 1, "carillon: There is no user \"zoe\".\n");
}

static void a_refusal_is_said_in_sentences(void **state)
{
	struct fixture *f = *state;
	expect_run(
	    f, "user add name=x extension=5", 1,
	    "carillon: An extension has 2 to 15 digits.\ncarillon: title is mandatory. A title has 1 to 100 bytes.\n");
	expect_run(f, "user add name=x title=X extension=510", 1,
		   "carillon: Another user has this extension already.\n");
	expect_run(f, "user add shoe_size=43", 2, "A user has no field shoe_size");
	expect_run(f, "user set jane call_limit=many", 2, "call_limit must be a whole number.");
	expect_run(f, "user", 2, "carillon user add field=value...");
	expect_run(f, "dance", 2, "There is no command \"dance\"");
	expect_run(f, "--frobnicate", 2, "frobnicate");
	expect_run(f, "--url http://127.0.0.1:1 user list", 1, "does not answer");
	expect_run(f, "--token nonsense user list", 1, "Sign in first.");
}

static void help_is_complete(void **state)
{
	struct fixture *f = *state;
	expect_run(f, "--help", 0, "Exit status: 0 done, 1 refused or failed, 2 the command was wrong.");
	assert_non_null(strstr(output, "carillon ring 510"));
	expect_run(f, "device add --help", 0,
		   "sip_phone, softphone, webrtc, external, teams (mandatory) (cannot be changed later)\n");
}

static void devices_and_plans(void **state)
{
	struct fixture *f = *state;
	expect_run(f, "device add kind=sip_phone number=330 title=Desk", 0, "The SIP password, shown only now: ");
	expect_run(f, "device add kind=external number='01444 123456' title=Mobile", 0, "is created");
	assert_null(strstr(output, "password"));
	expect_run(f, "device password 330", 0, "The SIP password, shown only now: ");
	expect_run(f, "plan set jane in_sequence 330=15 '01444 123456=10+30'", 0,
		   "They ring in sequence:\n"
		   "DEVICE        KIND       TITLE   START  RING\n"
		   "330           sip_phone  Desk    0      15\n"
		   "01444 123456  external   Mobile  10     30\n");
	expect_run(f, "plan show 510", 0, "They ring in sequence:");
	expect_run(f, "plan set jane 999", 1, "There is no device \"999\".");
	expect_run(f, "plan set jane 330=1h", 1, "is not DEVICE, DEVICE=RING or DEVICE=START+RING");
	expect_run(f, "device delete 1", 1, "There is no device \"1\""); // a number that is not there, though the id is
	expect_run(f, "device show id:1", 0, "330");
	expect_run(f, "device delete 330", 1, "jane has this device.");
	expect_run(f, "device delete 330 --release", 0, "The device 330 is deleted.\n");
}

static void trunks_routes_and_dids_know_each_other_by_name(void **state)
{
	struct fixture *f = *state;
	expect_run(f, "trunk add title=Carrier host=192.0.2.10 port=5060", 0, "The trunk Carrier (id 1) is created.\n");
	expect_run(f, "route add pattern= trunk_id=Carrier", 0, "The route 1 (id 1) is created.\n");
	expect_run(f, "route list", 0,
		   "ID  PATTERN  TRUNK ID  COST  STRIP  PREPEND  TOLL CLASS\n1            1         0");
	expect_run(f, "did add number='+44 1444 200200' user_id=jane", 0, "is created");
	expect_run(f, "did list", 0, "+44 1444 200200  +441444200200  2");
	expect_run(f, "did show +441444200200", 0, "user_id                 2\n");
	expect_run(f, "trunk delete Carrier", 1, "It is in use.");
	expect_run(f, "route delete 1", 0, "deleted");
	expect_run(f, "trunk delete Carrier", 0, "deleted");
}

static void calls_and_what_would_ring(void **state)
{
	struct fixture *f = *state;
	expect_run(f, "ring 510", 0,
		   "510, Jane Doe: they ring in sequence.\n"
		   "DEVICE  TITLE  WHEN           WHY\n"
		   "330     Desk   0 to 20 s      Rings at once.\n"
		   "821            does not ring  Is not registered.\n"
		   "Then the caller hears busy.\n");
	expect_run(f, "ring 999", 1, "There is no user \"999\".\n");
	expect_run(f, "route 01444123456 --as 510", 0,
		   "It is a number.\n"
		   "    PATTERN        COST  TRUNK    STATE    SENT           SHOWN          BY        WHY\n"
		   "    +44ZXXXXXXXXX  0     Carrier  unknown  01444123456                   original  Toll class 3 is "
		   "needed.\n"
		   "->  every number   5     Other    unknown  +441444123456  +441444200200  original  A call may go "
		   "this way.\n"
		   "It goes out over the route marked with ->.\n");
	expect_run(f, "route 01444123456 --as 999", 1, "Nobody has the extension 999.");
	expect_run(f, "route 01444123456", 2, "Say which number, and who dials it");
	expect_run(f, "calls", 0, "330 ringing\n");
	expect_run(f, "device add kind=sip_phone number=330", 0, "is created");
	expect_run(f, "device add kind=sip_phone number=331", 0, "is created");
	expect_run(f, "move 7 330", 0, "");
	assert_int_equal(fake_calls_moves(), 1);
	expect_run(f, "move 7 331", 1, "The device is not registered.");
	expect_run(f, "move 7 332", 1, "There is no device \"332\".");
	expect_run(f, "move 8 330", 1, "There is no such call.");
	expect_run(f, "move 7", 2, "Say which call, and to which device.");
	expect_run(f, "move 7/x 330", 2, "Say which call, and to which device.");
	expect_run(f, "hangup 7", 0, "");
	expect_run(f, "hangup 7", 1, "There is no such thing.");
	expect_run(f, "calls", 0, "There are no calls.\n");
	expect_run(f, "registrations", 0, "No device is registered.\n");
	expect_run(f, "trunks", 0, "There is no trunk.\n");
}

// 510 rings the desk from 0 to 8 s and the softphone from 4 s; the softphone answers, and both talk for a minute.
static struct call_record *a_record(void)
{
	struct call_record *record = call_record_new(NULL);
	assert_non_null(record);
	struct leg_record *legs = arena_alloc(&record->arena, 3 * sizeof *legs);
	const int64_t began = 1700000000000;
	record->id = STR("01HF0000000000000000000001");
	record->started_at = began;
	record->answered_at = began + 8000;
	record->ended_at = began + 68000;
	record->caller_number = STR("512");
	record->caller_name = STR("Bob\x1b[31m");
	record->dialled = STR("510");
	record->callee_title = STR("Jane Doe");
	record->outcome = OUTCOME_ANSWERED;
	record->legs = legs;
	record->leg_count = 3;
	legs[0] = (struct leg_record){.device_number = STR("330"),
				      .device_title = STR("Desk"),
				      .started_at = began,
				      .ended_at = began + 8000,
				      .outcome = OUTCOME_ANSWERED_ELSEWHERE};
	legs[1] = (struct leg_record){.device_number = STR("821"),
				      .device_kind = 1,
				      .started_at = began + 4000,
				      .answered_at = began + 8000,
				      .ended_at = began + 68000,
				      .outcome = OUTCOME_ANSWERED};
	legs[2] = (struct leg_record){.device_number = STR("01444 123456"),
				      .device_kind = 3,
				      .outcome = OUTCOME_NOT_RUNG,
				      .reason = STR("Its turn never came.")};
	return record;
}

static void a_record_is_told_as_a_timeline(void **state)
{
	struct fixture *f = *state;
#define TEN "\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588"
	fake_records_add_call(f->records, a_record());
	expect_run(f, "records", 0,
		   "01HF0000000000000000000001  2023-11-14 22:13:20  512     510      Jane Doe  answered  1:00\n");
	expect_run(f, "record 01HF0000000000000000000001", 0,
		   "2023-11-14 22:13:20  512 (Bob?[31m) dialled 510 (Jane Doe): answered\n"
		   "  device        0                                  8.0 s\n"
		   "  330 Desk      " TEN TEN TEN TEN "  0.0 to 8.0 s  answered elsewhere\n"
		   "  821                               " TEN TEN "  4.0 to 8.0 s  answered, talked 60.0 s\n"
		   "  01444 123456                                            not rung: Its turn never came.\n");
	expect_run(f, "record nonsense", 1, "There is no such thing.");
}

static void changes_are_listed_and_what_cannot_be_undone_is_said(void **state)
{
	struct fixture *f = *state;
	expect_run(f, "audit", 0, "1   2023-11-14 22:13:20  jane, console  sign_in  session");
	expect_run(f, "undo 1", 1, "Only changes of what administrators manage can be undone.");
	expect_run(f, "undo 17", 1, "There is no such thing.");
	expect_run(f, "undo", 2, "Say which change");
}

static void login_keeps_a_token_until_logout(void **state)
{
	struct fixture *f = *state;
	char folder[] = "/tmp/carillon-test-XXXXXX", command[1024];
	assert_non_null(mkdtemp(folder));
	const char *format =
	    "export XDG_CONFIG_HOME=%s; unset CARILLON_TOKEN CARILLON_URL;"
	    "printf 'admin\\n" PASSWORD "\\n' | %s --url http://127.0.0.1:%u login && %s user list && "
	    "stat -c %%a %s/carillon/client.json && %s logout && %s user list 2>/dev/null; echo $?; rm -r %s";
	snprintf(command, sizeof command, format, folder, program, f->address.port, program, folder, program, program,
		 folder);
	FILE *pipe = popen(command, "r");
	output[fread(output, 1, sizeof output - 1, pipe)] = '\0';
	pclose(pipe);
	if (!strstr(output, "jane"))
		print_error("%s\n", output);
	assert_non_null(strstr(output, "Signed in to http://127.0.0.1:"));
	assert_non_null(strstr(output, "jane"));
	assert_non_null(strstr(output, "\n600\n")); // nobody else may read it
	assert_non_null(strstr(output, "\n1\n"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define SERVED(test) cmocka_unit_test_setup_teardown(test, scene_setup, fixture_teardown)
	    SERVED(users_are_listed_shown_added_changed_and_deleted),
	    SERVED(a_refusal_is_said_in_sentences),
	    SERVED(help_is_complete),
	    SERVED(devices_and_plans),
	    SERVED(trunks_routes_and_dids_know_each_other_by_name),
	    SERVED(calls_and_what_would_ring),
	    SERVED(a_record_is_told_as_a_timeline),
	    SERVED(changes_are_listed_and_what_cannot_be_undone_is_said),
	    SERVED(login_keeps_a_token_until_logout),
	};
	program = argc > 1 ? argv[1] : "carillon";
	return cmocka_run_group_tests(tests, NULL, NULL);
}

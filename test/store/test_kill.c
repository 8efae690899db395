// kill -9 in the middle of a storm, again and again: whatever was acknowledged is there afterwards. A child process storms
// and writes each acknowledgement into a pipe; the parent kills it after a random number of them and looks.
// CARILLON_KILL_ROUNDS sets how often (20); CARILLON_KILL_SEED replays a failure.
#include "store/store.h"

#include "store/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PHONES = 100 };

// One line of the pipe: small enough to be written whole or not at all.
struct acknowledgement {
	uint64_t device_id; // the device registered, or created
	uint32_t cseq;      // 0: created
	uint32_t is_removed;
};

// ---- the child

struct phone {
	struct registration_write write;
	struct binding binding;
	struct str removed;
	struct records *records;
	int pipe;
};

static void acknowledge(int pipe, struct acknowledgement acknowledgement)
{
	if (write(pipe, &acknowledgement, sizeof acknowledgement) != sizeof acknowledgement)
		_exit(1);
}

// Registers with a rising CSeq; every 16th time it leaves instead, and comes back.
static void phone_send(struct phone *phone)
{
	bool leaves = phone->binding.cseq % 16 == 15;

	phone->removed = phone->binding.contact;
	phone->write.removed = leaves ? &phone->removed : NULL;
	phone->write.removed_count = leaves ? 1 : 0;
	phone->write.kept = leaves ? NULL : &phone->binding;
	phone->write.kept_count = leaves ? 0 : 1;
	phone->records->save_registration(phone->records->context, &phone->write);
}

static void phone_answered(struct registration_write *write)
{
	struct phone *phone = container_of(write, struct phone, write);

	if (write->err)
		_exit(2);
	acknowledge(phone->pipe,
		    (struct acknowledgement){write->device_id, phone->binding.cseq, (uint32_t)write->removed_count});
	phone->binding.cseq++;
	phone_send(phone);
}

static void child_run(const char *directory, const uint64_t *devices, const uint32_t *cseqs, int pipe)
{
	struct fixture *fixture = fixture_create_in(directory);
	struct phone *phones = calloc(PHONES, sizeof *phones);
	char sentence[256], number[32];

	if (!phones || !fixture_open(fixture, sentence, sizeof sentence))
		_exit(3);
	for (unsigned i = 0; i < PHONES; i++) {
		phones[i].records = fixture->records;
		phones[i].pipe = pipe;
		phones[i].binding = new_binding(devices[i], "sip:phone@192.0.2.7", cseqs[i] + 1);
		phones[i].write.device_id = devices[i];
		phones[i].write.done = phone_answered;
		phone_send(&phones[i]);
	}
	for (unsigned i = 0;; i++) { // meanwhile an administrator adds devices
		struct device *device;
		snprintf(number, sizeof number, "n%d-%u", getpid(), i);
		device = new_device(fixture, DEVICE_SOFTPHONE, number);
		if (fixture->records->create(fixture->records->context, &device->entity, NULL))
			_exit(4);
		acknowledge(pipe, (struct acknowledgement){.device_id = device->entity.id});
		arena_reset(&fixture->arena);
	}
}

// ---- the parent

struct expected {
	uint64_t devices[PHONES];
	uint32_t cseqs[PHONES]; // the last acknowledged
	bool removed[PHONES];
	uint64_t last_created;
	uint64_t total;
};

static void acknowledged(struct expected *expected, const struct acknowledgement *acknowledgement)
{
	expected->total++;
	if (acknowledgement->cseq == 0) {
		if (acknowledgement->device_id > expected->last_created)
			expected->last_created = acknowledgement->device_id;
		return;
	}
	for (unsigned i = 0; i < PHONES; i++)
		if (expected->devices[i] == acknowledgement->device_id) {
			expected->cseqs[i] = acknowledgement->cseq;
			expected->removed[i] = acknowledgement->is_removed;
		}
}

struct found {
	const struct expected *expected;
	uint32_t cseqs[PHONES];
	uint64_t last_device;
};

static bool take_entity(void *context, const struct entity *entity)
{
	struct found *found = context;

	if (entity->kind == ENTITY_DEVICE)
		found->last_device = entity->id;
	return true;
}

static bool take_binding(void *context, const struct binding *binding)
{
	struct found *found = context;

	for (unsigned i = 0; i < PHONES; i++)
		if (found->expected->devices[i] == binding->device_id)
			found->cseqs[i] = binding->cseq;
	return true;
}

// What was under way when the kill came may be there or not: the state after the last acknowledgement, or after the next.
static void phone_check(struct expected *expected, const struct found *found, unsigned i, unsigned round)
{
	uint32_t last = expected->cseqs[i], is = found->cseqs[i];
	bool next_leaves = (last + 1) % 16 == 15;
	bool right =
	    expected->removed[i] ? is == 0 || is == last + 1 : is == last || (next_leaves ? is == 0 : is == last + 1);

	if (!right)
		fail_msg("round %u: phone %u was acknowledged with CSeq %u%s and has %u", round, i, last,
			 expected->removed[i] ? " (removed)" : "", is);
	// The next child goes on from what is there.
	if (is == last + 1 || (is == 0 && last > 0 && !expected->removed[i])) {
		expected->cseqs[i] = last + 1;
		expected->removed[i] = is == 0;
	}
}

static void look(struct fixture *fixture, struct expected *expected, unsigned round)
{
	struct found found = {.expected = expected};
	const struct store_visitor visitor = {take_entity, take_binding, &found};
	char sentence[256];

	if (!fixture_open(fixture, sentence, sizeof sentence))
		fail_msg("round %u: %s", round, sentence);
	assert_true(store_load(fixture->store, &visitor, sentence, sizeof sentence));
	for (unsigned i = 0; i < PHONES; i++)
		phone_check(expected, &found, i, round);
	if (found.last_device < expected->last_created)
		fail_msg("round %u: device %llu was created and is gone", round,
			 (unsigned long long)expected->last_created);
	fixture_check_file(fixture);
	fixture_close(fixture);
}

static void storm_and_kill(struct fixture *fixture, struct expected *expected, unsigned acknowledgements)
{
	struct acknowledgement acknowledgement;
	int pipes[2], status;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pipes[0]);
		child_run(fixture->directory, expected->devices, expected->cseqs, pipes[1]);
	}
	close(pipes[1]);
	for (unsigned i = 0; read(pipes[0], &acknowledgement, sizeof acknowledgement) == sizeof acknowledgement; i++) {
		acknowledged(expected, &acknowledgement);
		if (i == acknowledgements)
			assert_int_equal(kill(child, SIGKILL), 0);
	}
	close(pipes[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFSIGNALED(status))
		fail_msg("the child ended by itself: %d", WEXITSTATUS(status));
}

static unsigned number_from(const char *variable, unsigned otherwise)
{
	uint64_t number;

	return str_to_uint(str_of(getenv(variable)), UINT32_MAX, &number) ? (unsigned)number : otherwise;
}

static void what_is_acknowledged_survives_kill_9(void **state)
{
	struct fixture *fixture = *state;
	struct expected expected = {.total = 0};
	unsigned rounds = number_from("CARILLON_KILL_ROUNDS", 20);
	unsigned seed = number_from("CARILLON_KILL_SEED", (unsigned)now_ms()), random = seed;
	char number[16];

	for (unsigned i = 0; i < PHONES; i++) {
		snprintf(number, sizeof number, "%u", 1000 + i);
		expected.devices[i] = created(
		    fixture,
		    &new_device(fixture, DEVICE_SIP_PHONE, arena_copy(&fixture->arena, str_of(number)).at)->entity);
	}
	fixture_close(fixture); // no threads while forking
	print_message("%u rounds, CARILLON_KILL_SEED=%u\n", rounds, seed);
	for (unsigned round = 0; round < rounds; round++) {
		random = random * 1664525U + 1013904223U;
		storm_and_kill(fixture, &expected, (random >> 16) % 4000);
		look(fixture, &expected, round);
	}
	print_message("%llu acknowledgements, nothing missing\n", (unsigned long long)expected.total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_is_acknowledged_survives_kill_9, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

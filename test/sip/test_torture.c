// What the parser makes of the torture cases of RFC 4475 and RFC 5118: our own messages for each section, and the RFCs' own
// where TORTURE_DIR says that they are. Prints the table.
#include "lib/cmocka.h"
#include "sip/parsed.h"
#include "sip/torture.h"

#include <stdio.h>

enum { WIRE_MAX = 2 * SIP_MESSAGE_MAX };

const char *torture_values(const struct sip_message *m, enum sip_header_name name)
{
	static char text[8192];
	struct sip_walk walk = {0};
	struct str value;
	size_t used = 0;
	while (sip_value_next(m, name, &walk, &value))
		used += (size_t)snprintf(text + used, sizeof text - used, "%.*s|", STR_ARG(value));
	text[used] = '\0';
	return text;
}

// Gives every bare LF its CR.
static size_t to_wire(struct str text, char *wire)
{
	size_t used = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r'))
			wire[used++] = '\r';
		wire[used++] = text.at[i];
		assert_true(used < WIRE_MAX - 2);
	}
	return used;
}

static const char *verdict(const struct parsed *p, char text[16])
{
	if (p->fine)
		return "parsed";
	if (p->fault.status == 0)
		return "dropped";
	snprintf(text, 16, "%u", p->fault.status);
	return text;
}

static bool as_expected(const struct torture *row, const struct parsed *p)
{
	switch (row->outcome) {
	case PARSED:
		return p->fine;
	case REFUSED:
		return !p->fine && p->fault.answerable && p->fault.status == row->status;
	case DROPPED:
		break;
	}
	return !p->fine && !p->fault.answerable && p->fault.status == 0;
}

static bool run(const struct torture *row, const char *wire, size_t size, const char *whose)
{
	char text[16];
	struct parsed *p = parsed_bytes(wire, size, SIP_DATAGRAM);
	bool good = as_expected(row, p);
	print_message("%-9s %-30s %-4s %-8s %s%s%s%s\n", row->section, row->name, whose, verdict(p, text),
		      good ? "" : "WRONG: ", row->what, p->fine ? "" : ": ", p->fine ? "" : p->fault.why);
	parsed_free(p);
	return good;
}

static unsigned run_own(const struct torture *rows, size_t count)
{
	static char wire[WIRE_MAX];
	unsigned wrong = 0;
	for (size_t i = 0; i < count; i++) {
		size_t size = to_wire(rows[i].text, wire);
		wrong += !run(&rows[i], wire, size, "ours");
		if (!rows[i].check)
			continue;
		struct parsed *p = parsed_bytes(wire, size, SIP_DATAGRAM);
		assert_true(p->fine);
		rows[i].check(&p->message);
		parsed_free(p);
	}
	return wrong;
}

static void our_messages(void **state)
{
	(void)state;
	assert_int_equal(torture_4475_count, 49);
	assert_int_equal(torture_5118_count, 12);
	assert_int_equal(run_own(torture_4475, torture_4475_count), 0);
	assert_int_equal(run_own(torture_5118, torture_5118_count), 0);
}

// ---- the RFCs' bytes

static bool read_file(const char *folder, const char *name, const char *ending, struct str *text)
{
	static char bytes[SIP_MESSAGE_MAX];
	char path[1024];
	snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
	FILE *file = fopen(path, "rb");
	if (!file) {
		print_message("%s is missing\n", path);
		return false;
	}
	*text = (struct str){bytes, fread(bytes, 1, sizeof bytes, file)};
	fclose(file);
	return true;
}

// In the archive of RFC 5118 line ends are LF, some messages have lost their blank line, and one body its last bytes: what
// Content-Length counts is filled up with line ends.
static size_t repair(char *wire, size_t size)
{
	size_t skipped;
	struct sip_fault fault;
	for (int i = 0; i < 40 && sip_message_frame(wire, size, &skipped, &fault) == 0; i++, size += 2)
		memcpy(wire + size, "\r\n", 2);
	return size;
}

static unsigned run_theirs(const struct torture *rows, size_t count, const char *folder, const char *ending)
{
	static char wire[WIRE_MAX];
	unsigned wrong = 0;
	for (size_t i = 0; i < count; i++) {
		struct str text;
		if (!read_file(folder, rows[i].name, ending, &text)) {
			wrong++;
			continue;
		}
		bool archived = ending[0] == '\0';
		size_t size = archived ? to_wire(text, wire) : text.length;
		if (archived)
			size = repair(wire, size);
		else
			memcpy(wire, text.at, size);
		wrong += !run(&rows[i], wire, size, "RFC");
	}
	return wrong;
}

static void their_messages(void **state)
{
	(void)state;
	const char *folder = getenv("TORTURE_DIR");
	char path[512];
	if (!folder || folder[0] == '\0') {
		print_message("skipped: TORTURE_DIR does not say where the RFCs' messages are\n");
		skip();
	}
	snprintf(path, sizeof path, "%s/rfc4475", folder);
	assert_int_equal(run_theirs(torture_4475, torture_4475_count, path, ".dat"), 0);
	snprintf(path, sizeof path, "%s/rfc5118", folder);
	assert_int_equal(run_theirs(torture_5118, torture_5118_count, path, ""), 0);
}

// ---- in a stream

static const struct torture *row_of(const char *name)
{
	for (size_t i = 0; i < torture_4475_count; i++) {
		if (strcmp(torture_4475[i].name, name) == 0)
			return &torture_4475[i];
	}
	fail();
	return NULL;
}

static void in_a_stream_the_length_rules(void **state)
{
	(void)state;
	static char wire[WIRE_MAX];
	size_t skipped;
	struct sip_fault fault;

	// Two messages are two messages.
	size_t size = to_wire(row_of("dblreq")->text, wire);
	long first = sip_message_frame(wire, size, &skipped, &fault);
	assert_true(first > 0 && (size_t)first < size);
	long second = sip_message_frame(wire + first, size - (size_t)first, &skipped, &fault);
	assert_int_equal(first + second, size);

	// A length that promises more is waited for.
	size = to_wire(row_of("clerr")->text, wire);
	assert_int_equal(sip_message_frame(wire, size, &skipped, &fault), 0);

	// One that cannot be is the end, after an answer.
	static const char *const hopeless[] = {"ncl", "mcl01", "inv2543"};
	for (size_t i = 0; i < sizeof hopeless / sizeof *hopeless; i++) {
		size = to_wire(row_of(hopeless[i])->text, wire);
		assert_int_equal(sip_message_frame(wire, size, &skipped, &fault), -1);
		assert_int_equal(fault.status, 400);
		assert_true(fault.answerable);
	}
}

// Whatever is cut off, nothing is read beyond the end (the sanitizer watches), and a fault lies within the bytes.
static void every_beginning_of_every_message(void **state)
{
	(void)state;
	static char wire[WIRE_MAX];
	for (size_t i = 0; i < torture_4475_count + torture_5118_count; i++) {
		const struct torture *row =
		    i < torture_4475_count ? &torture_4475[i] : &torture_5118[i - torture_4475_count];
		size_t size = to_wire(row->text, wire);
		for (size_t length = 0; length < size; length++) {
			struct parsed *p = parsed_bytes(wire, length, length % 2 ? SIP_STREAM : SIP_DATAGRAM);
			assert_true(p->fine || (p->fault.why && p->fault.at <= length));
			parsed_free(p);
		}
	}
}

// ---- for tests that send them over a wire

// Writes each of our messages into the folder as a file of its name, and "section name outcome" for each into the file "index".
static bool write_all(const struct torture *rows, size_t count, const char *folder, FILE *index)
{
	static char wire[WIRE_MAX];
	char path[1024];
	for (size_t i = 0; i < count; i++) {
		size_t size = to_wire(rows[i].text, wire);
		snprintf(path, sizeof path, "%s/%s", folder, rows[i].name);
		FILE *file = fopen(path, "wb");
		if (!file || fwrite(wire, 1, size, file) != size || fclose(file) != 0)
			return false;
		fprintf(index, "%s %s ", rows[i].section, rows[i].name);
		if (rows[i].outcome == REFUSED)
			fprintf(index, "%u\n", rows[i].status);
		else
			fprintf(index, "%s\n", rows[i].outcome == PARSED ? "parsed" : "dropped");
	}
	return true;
}

static int write_messages(const char *folder)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/index", folder);
	FILE *index = fopen(path, "w");
	bool written = index && write_all(torture_4475, torture_4475_count, folder, index) &&
		       write_all(torture_5118, torture_5118_count, folder, index);
	return index && fclose(index) == 0 && written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **arguments)
{
	if (count == 3 && strcmp(arguments[1], "--write") == 0)
		return write_messages(arguments[2]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(our_messages),
	    cmocka_unit_test(their_messages),
	    cmocka_unit_test(in_a_stream_the_length_rules),
	    cmocka_unit_test(every_beginning_of_every_message),
	};
	return cmocka_run_group_tests_name("sip torture", tests, NULL, NULL);
}

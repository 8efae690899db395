// What a name server says, byte by byte: right answers, aliases, and those that lie.
#include "base/dns_answer.h"
#include "lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

#define HEADER(flags, answers, authorities) "\x12\x34" flags "\0\x01\0" answers "\0" authorities "\0\0"
#define QUESTION(type)                      "\1a\7example\0\0" type "\0\1" // 15 bytes: what follows is at 27
#define OWNER                               "\xc0\x0c"                     // the question's name
#define CLASS_AND_TTL(ttl)                  "\0\1\0\0\0" ttl
#define A(address)                          "\0\4" address

struct fixture {
	struct arena arena;
	struct dns_answer answer;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	memset(&fixture, 0, sizeof fixture);
	arena_init(&fixture.arena, 0);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	arena_free(&((struct fixture *)*state)->arena);
	return 0;
}

// The bytes in a piece of their own size, so that the sanitizer sees a byte too far.
static void read_answer(struct fixture *fixture, enum dns_type type, struct str message)
{
	char *copy = malloc(message.length ? message.length : 1);
	assert_non_null(copy);
	memcpy(copy, message.at, message.length);
	fixture->answer = dns_answer_read((struct str){copy, message.length}, type, STR("a.example"), &fixture->arena);
	free(copy);
}

#define READ(type, text) read_answer(*state, (type), STR(text))

static const struct dns_answer *answer_of(void **state)
{
	return &((struct fixture *)*state)->answer;
}

static void assert_texts(struct str text, const char *expected)
{
	assert_true(str_equal(text, str_of(expected)));
}

static void an_address(void **state)
{
	READ(DNS_A, HEADER("\x81\x80", "\1", "\0") QUESTION("\1") OWNER "\0\1" CLASS_AND_TTL("\x3c") A("\x0a\0\1\2"));
	assert_int_equal(answer_of(state)->status, DNS_FOUND);
	assert_int_equal(answer_of(state)->count, 1);
	assert_int_equal(answer_of(state)->ttl_s, 60);
	assert_memory_equal(answer_of(state)->records[0].address.bytes, "\x0a\0\1\2", 4);
}

static void a_service_and_the_root_as_its_target(void **state)
{
	READ(DNS_SRV, HEADER("\x81\x80", "\2", "\0") QUESTION("\x21") OWNER
	     "\0\x21" CLASS_AND_TTL("\x3c") "\0\x0a\0\x0a\0\x14\x13\xc4\1b\xc0\x0e" OWNER
					    "\0\x21" CLASS_AND_TTL("\x3c") "\0\7\0\0\0\0\0\0\0");
	const struct dns_answer *answer = answer_of(state);
	assert_int_equal(answer->count, 2);
	assert_int_equal(answer->records[0].srv.priority, 10);
	assert_int_equal(answer->records[0].srv.weight, 20);
	assert_int_equal(answer->records[0].srv.port, 5060);
	assert_texts(answer->records[0].srv.target, "b.example");
	assert_texts(answer->records[1].srv.target, "");
}

static void a_naptr_record(void **state)
{
	READ(DNS_NAPTR, HEADER("\x81\x80", "\1", "\0") QUESTION("\x23") OWNER
	     "\0\x23" CLASS_AND_TTL("\x3c") "\0\x15\0\1\0\2\1s\7SIP+D2U\0\4_sip\0");
	const struct dns_naptr *naptr = &answer_of(state)->records[0].naptr;
	assert_int_equal(answer_of(state)->count, 1);
	assert_int_equal(naptr->order, 1);
	assert_int_equal(naptr->preference, 2);
	assert_texts(naptr->flags, "s");
	assert_texts(naptr->services, "SIP+D2U");
	assert_texts(naptr->regexp, "");
	assert_texts(naptr->replacement, "_sip");
}

static void aliases_in_any_order(void **state)
{
	READ(DNS_A, HEADER("\x81\x80", "\2", "\0") QUESTION("\1") OWNER
	     "\0\5" CLASS_AND_TTL("\x1e") "\0\4\1b\xc0\x0e\1b\xc0\x0e\0\1" CLASS_AND_TTL("\x3c") A("\x0a\0\1\2"));
	assert_int_equal(answer_of(state)->count, 1);
	assert_int_equal(answer_of(state)->ttl_s, 30);
	READ(DNS_A, HEADER("\x81\x80", "\2", "\0") QUESTION("\1") "\1B\xc0\x0e\0\1" CLASS_AND_TTL("\x3c")
			A("\x0a\0\1\2") OWNER "\0\5" CLASS_AND_TTL("\x1e") "\0\4\1b\xc0\x0e");
	assert_int_equal(answer_of(state)->count, 1);
	READ(DNS_A, HEADER("\x81\x80", "\1", "\0") QUESTION("\1") OWNER
	     "\0\5" CLASS_AND_TTL("\x1e") "\0\2\xc0\x0c"); // of itself
	assert_int_equal(answer_of(state)->status, DNS_NOTHING);
}

static void nothing_and_for_how_long(void **state)
{
	READ(DNS_A, HEADER("\x81\x83", "\0", "\1") QUESTION("\1") OWNER
	     "\0\6" CLASS_AND_TTL("\x3c") "\0\x16\0\0"
					  "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x14");
	assert_int_equal(answer_of(state)->status, DNS_NOTHING);
	assert_int_equal(answer_of(state)->ttl_s, 20);
	READ(DNS_A, HEADER("\x81\x80", "\0", "\0") QUESTION("\1"));
	assert_int_equal(answer_of(state)->status, DNS_NOTHING);
	assert_int_equal(answer_of(state)->ttl_s, 0);
}

static void what_nobody_asked_for_is_left_out(void **state)
{
	READ(DNS_A, HEADER("\x81\x80", "\4", "\0") QUESTION("\1") "\4evil\0\0\1" CLASS_AND_TTL("\x3c")
			A("\x0a\0\1\2")                            // another's
	     OWNER "\0\x10" CLASS_AND_TTL("\x3c") "\0\1x"          // another type
	     OWNER "\0\1" CLASS_AND_TTL("\x3c") "\0\5\x0a\0\1\2\3" // an address of five bytes
	     OWNER "\0\1" CLASS_AND_TTL("\x3c") A("\0\0\0\0"));
	assert_int_equal(answer_of(state)->status, DNS_NOTHING);
}

static void odd_names_are_left_out(void **state)
{
	READ(DNS_SRV, HEADER("\x81\x80", "\1", "\0") QUESTION("\x21") OWNER
	     "\0\x21" CLASS_AND_TTL("\x3c") "\0\x0b\0\1\0\1\x13\xc4\3a\nb\0");
	assert_int_equal(answer_of(state)->count, 0);
}

static void lies_are_failures(void **state)
{
	static const struct str lies[] = {
	    {"", 0},
	    {"\x12\x34\x81\x80", 4},
#define LIE(text) {text, sizeof(text) - 1}
	    LIE(HEADER("\1\0", "\0", "\0") QUESTION("\1")),     // a question
	    LIE(HEADER("\x81\x82", "\0", "\0") QUESTION("\1")), // SERVFAIL
	    LIE(HEADER("\x81\x80", "\1", "\0") QUESTION("\1")),
	    LIE(HEADER("\x81\x80", "\1", "\0") QUESTION("\1") OWNER "\0\1\0\1\0\0\0\0\xff\xff\1"),
	    LIE(HEADER("\x81\x80", "\1", "\0") QUESTION("\1") "\xc0\x1b"), // a name that points at itself
	    LIE(HEADER("\x81\x80", "\1", "\0") QUESTION("\1") "\xc0\xff"),
	    LIE(HEADER("\x81\x80", "\1", "\0") QUESTION("\1") "\1a\xc0\x1b"),
	    LIE(HEADER("\x81\x80", "\1", "\0") QUESTION("\1") "\x7f"),
	    LIE("\x12\x34\x81\x80\0\2\0\0\0\0\0\0" QUESTION("\1")),
	};
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		read_answer(*state, DNS_A, lies[i]);
		assert_int_equal(answer_of(state)->status, DNS_FAILED);
		assert_int_equal(answer_of(state)->count, 0);
	}
}

static void every_beginning_of_an_answer_is_survived(void **state)
{
	static const char whole[] = HEADER("\x81\x80", "\1", "\0") QUESTION("\x23") OWNER
	    "\0\x23" CLASS_AND_TTL("\x3c") "\0\x15\0\1\0\2\1s\7SIP+D2U\0\4_sip\0";
	for (size_t length = 0; length + 1 < sizeof whole; length++) {
		read_answer(*state, DNS_NAPTR, (struct str){whole, length});
		assert_int_equal(answer_of(state)->count, 0);
	}
}

static void life_is_a_week_at_most(void **state)
{
	READ(DNS_A, HEADER("\x81\x80", "\1", "\0") QUESTION("\1") OWNER "\0\1\0\1\x7f\xff\xff\xff" A("\x0a\0\1\2"));
	assert_int_equal(answer_of(state)->ttl_s, 7 * 24 * 3600);
	READ(DNS_A, HEADER("\x81\x80", "\1", "\0") QUESTION("\1") OWNER "\0\1\0\1\xff\xff\xff\xff" A("\x0a\0\1\2"));
	assert_int_equal(answer_of(state)->ttl_s, 0);
}

static void too_many_records_are_left_out(void **state)
{
	char message[4096];
	struct writer w = writer_into(message, sizeof message);
	writer_str(&w, STR("\x12\x34\x81\x80\0\1\0\x64\0\0\0\0" QUESTION("\1")));
	for (int i = 1; i <= 100; i++) {
		writer_str(&w, STR(OWNER "\0\1" CLASS_AND_TTL("\x3c") "\0\4\x0a\0\0"));
		writer_char(&w, (char)i);
	}
	read_answer(*state, DNS_A, writer_result(&w));
	assert_int_equal(answer_of(state)->count, DNS_RECORDS_MAX);
}

static void without_memory_nothing_is_known(void **state)
{
	static const char whole[] = HEADER("\x81\x80", "\1", "\0") QUESTION("\x23") OWNER
	    "\0\x23" CLASS_AND_TTL("\x3c") "\0\x15\0\1\0\2\1s\7SIP+D2U\0\4_sip\0";
	struct arena arena;
	(void)state;
	arena_init(&arena, 64);
	struct dns_answer answer =
	    dns_answer_read((struct str){whole, sizeof whole - 1}, DNS_NAPTR, STR("a.example"), &arena);
	assert_int_equal(answer.status, DNS_FAILED);
	arena_free(&arena);
}

#define ANSWER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ANSWER_TEST(an_address),
	    ANSWER_TEST(a_service_and_the_root_as_its_target),
	    ANSWER_TEST(a_naptr_record),
	    ANSWER_TEST(aliases_in_any_order),
	    ANSWER_TEST(nothing_and_for_how_long),
	    ANSWER_TEST(what_nobody_asked_for_is_left_out),
	    ANSWER_TEST(odd_names_are_left_out),
	    ANSWER_TEST(lies_are_failures),
	    ANSWER_TEST(every_beginning_of_an_answer_is_survived),
	    ANSWER_TEST(life_is_a_week_at_most),
	    ANSWER_TEST(too_many_records_are_left_out),
	    ANSWER_TEST(without_memory_nothing_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

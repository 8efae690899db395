// Addresses: each way to write one, the ways that are wrong, and ranges.
#include "base/net.h"
#include "lib/cmocka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define assert_writes(address, text)                                                                                   \
	do {                                                                                                           \
		char memory_[64];                                                                                      \
		struct writer w_ = writer_into(memory_, sizeof memory_);                                               \
		net_address_write(&w_, address);                                                                       \
		writer_char(&w_, '\0');                                                                                \
		assert_string_equal(memory_, text);                                                                    \
	} while (0)

static void reads_and_writes(void **state)
{
	(void)state;
	const struct {
		struct str text;
		const char *written;
	} rows[] = {
	    {STR("192.0.2.1"), "192.0.2.1:5060"},
	    {STR("192.0.2.1:0"), "192.0.2.1:0"},
	    {STR("192.0.2.1:65535"), "192.0.2.1:65535"},
	    {STR("2001:db8::1"), "[2001:db8::1]:5060"},
	    {STR("[2001:db8::1]"), "[2001:db8::1]:5060"},
	    {STR("[2001:DB8:0::1]:5061"), "[2001:db8::1]:5061"},
	    {STR("::"), "[::]:5060"},
	    {STR("::ffff:192.0.2.1"), "192.0.2.1:5060"},
	    {STR("[::ffff:c000:201]:7"), "192.0.2.1:7"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct net_address address;
		assert_true(net_address_parse_with_port(rows[i].text, 5060, &address));
		assert_writes(&address, rows[i].written);
	}
}

static void refuses(void **state)
{
	(void)state;
	const struct str wrong[] = {STR(""),
				    STR(":5060"),
				    STR("192.0.2"),
				    STR("192.0.2.256"),
				    STR("192.0.2.1:"),
				    STR("192.0.2.1:65536"),
				    STR("192.0.2.1:-1"),
				    STR("192.0.2.1:5 "),
				    STR("example.org"),
				    STR("[192.0.2.1]"),
				    STR("[2001:db8::1"),
				    STR("2001:db8::1]"),
				    STR("[2001:db8::1]5"),
				    STR("[]:5"),
				    STR("[[::1]]"),
				    STR("[::1]:"),
				    STR("192.0.2.1\0:5"),
				    STR("fe80::1%eth0"),
				    STR("1:2:3:4:5:6:7:8:9"),
				    STR("["),
				    STR("1234:1234:1234:1234:1234:1234:1234:1234:1234:1234:1234:1234")};
	struct net_address address = {.port = 77};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(net_address_parse_with_port(wrong[i], 5060, &address));
	assert_false(net_address_parse(STR("192.0.2.1:5060"), 1, &address));
	assert_int_equal(address.port, 77);
}

static void one_host_has_one_form(void **state)
{
	(void)state;
	struct net_address plain, mapped, other;
	assert_true(net_address_parse(STR("192.0.2.1"), 5, &plain));
	assert_true(net_address_parse(STR("::ffff:192.0.2.1"), 5, &mapped));
	assert_true(net_address_parse(STR("192.0.2.1"), 6, &other));
	assert_true(net_address_equal(&plain, &mapped));
	assert_true(net_address_hash(&plain) == net_address_hash(&mapped));
	assert_false(net_address_equal(&plain, &other));
	assert_true(net_address_same_host(&plain, &other));
	assert_true(net_address_hash(&plain) != net_address_hash(&other));
	assert_false(net_address_is_any(&plain));
	assert_true(net_address_parse(STR("0.0.0.0"), 5, &other) && net_address_is_any(&other));
	assert_true(net_address_parse(STR("::"), 5, &other) && net_address_is_any(&other));
	other = (struct net_address){0};
	assert_false(net_address_is_any(&other));
}

static void becomes_a_sockaddr_and_back(void **state)
{
	(void)state;
	const struct str texts[] = {STR("192.0.2.1:5060"), STR("[2001:db8::1]:5061")};
	struct sockaddr_storage storage;
	struct net_address address, back;
	for (size_t i = 0; i < 2; i++) {
		assert_true(net_address_parse_with_port(texts[i], 0, &address));
		assert_true(net_address_to_sockaddr(&address, &storage) > 0);
		assert_true(net_address_from_sockaddr((struct sockaddr *)&storage, &back));
		assert_memory_equal(&address, &back, sizeof address);
	}
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr);
	assert_true(net_address_from_sockaddr((struct sockaddr *)&in6, &back));
	assert_writes(&back, "192.0.2.1:9");
	address = (struct net_address){0};
	assert_int_equal(net_address_to_sockaddr(&address, &storage), 0);
	struct sockaddr local = {.sa_family = AF_UNIX};
	assert_false(net_address_from_sockaddr(&local, &back));
}

static bool holds(const char *range_text, const char *host)
{
	struct net_range range;
	struct net_address address;
	assert_true(net_range_parse(str_of(range_text), &range));
	assert_true(net_address_parse(str_of(host), 0, &address));
	return net_range_holds(&range, &address);
}

static void ranges(void **state)
{
	(void)state;
	assert_true(holds("192.0.2.0/24", "192.0.2.255"));
	assert_false(holds("192.0.2.0/24", "192.0.3.0"));
	assert_true(holds("192.0.2.77/25", "192.0.2.127")); // bits beyond the range do not count
	assert_false(holds("192.0.2.77/25", "192.0.2.128"));
	assert_true(holds("0.0.0.0/0", "255.255.255.255"));
	assert_false(holds("0.0.0.0/0", "::1"));
	assert_true(holds("192.0.2.1", "192.0.2.1"));
	assert_false(holds("192.0.2.1", "192.0.2.2"));
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(holds("::1/128", "::1"));
	assert_true(holds("::ffff:192.0.2.0/120", "192.0.2.9"));
	assert_false(holds("::ffff:192.0.2.0/120", "192.0.3.9"));
	struct net_range range;
	const struct str wrong[] = {STR("192.0.2.0/33"), STR("192.0.2.0/"), STR("/24"), STR("192.0.2.0/-1"),
				    STR("::/129"),       STR(""),           STR("x/8"), STR("::ffff:192.0.2.0/95")};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(net_range_parse(wrong[i], &range));
}

static void names(void **state)
{
	(void)state;
	const char *const right[] = {"a",
				     "carrier.example",
				     "Carrier.Example.",
				     "_sip._udp.x",
				     "xn--bcher-kva.example",
				     "3com.example",
				     "1.2.3.a4",
				     "a-b"};
	const char *const wrong[] = {"",
				     ".",
				     "..",
				     "a..b",
				     ".a",
				     "a..",
				     "a b",
				     "a\n",
				     "192.0.2.1",
				     "192.0.2.256",
				     "5060",
				     "a.5060",
				     "b\xc3\xbc.example",
				     "a:5060",
				     "[a]",
				     "a/b"};
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		assert_true(net_name_valid(str_of(right[i])));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(net_name_valid(str_of(wrong[i])));
	char label[300];
	memset(label, 'x', sizeof label);
	assert_true(net_name_valid((struct str){label, 63}));
	assert_false(net_name_valid((struct str){label, 64}));
	for (size_t i = 50; i < sizeof label; i += 50)
		label[i] = '.';
	assert_true(net_name_valid((struct str){label, 253}));
	assert_false(net_name_valid((struct str){label, 254}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(reads_and_writes),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(one_host_has_one_form),
	    cmocka_unit_test(becomes_a_sockaddr_and_back),
	    cmocka_unit_test(ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// Answers of name servers: whatever comes, what is read from it is within bounds and made of names. The first byte chooses the
// type that was asked for.
#include "base/dns_answer.h"
#include "fuzz/fuzz.h"

static void must_be_name(struct str name)
{
	must(name.length <= DNS_NAME_MAX);
	for (size_t i = 0; i < name.length; i++)
		must(name.at[i] > ' ' && name.at[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR};
	struct arena arena;

	if (size == 0)
		return 0;
	arena_init(&arena, 64 * 1024);
	enum dns_type type = types[data[0] % 4];
	struct dns_answer answer = dns_answer_read(input(data + 1, size - 1), type, STR("a.example"), &arena);
	must(answer.type == type && answer.count <= DNS_RECORDS_MAX);
	must((answer.status == DNS_FOUND) == (answer.count > 0));
	must(answer.ttl_s <= 7 * 24 * 3600);
	for (size_t i = 0; i < answer.count; i++) {
		const struct dns_record *record = &answer.records[i];
		if (type == DNS_SRV)
			must_be_name(record->srv.target);
		else if (type == DNS_NAPTR)
			must_be_name(record->naptr.replacement);
		else
			must(record->address.family == (type == DNS_A ? 4 : 6) && record->address.port == 0);
	}
	arena_free(&arena);
	return 0;
}

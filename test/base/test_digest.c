// Hashes against the examples of their RFCs, and base64url both ways.
#include "base/digest.h"
#include "base/writer.h"
#include "lib/cmocka.h"

#include <pthread.h>
#include <string.h>

#define assert_str(s, text) assert_true(str_equal((s), STR(text)))

// RFC 7616 section 3.9.1.
static void digests_like_rfc_7616(void **state)
{
	(void)state;
	char hex[DIGEST_HEX_MAX];
	const struct str a1[] = {STR("Mufasa"), STR("http-auth@example.org"), STR("Circle of Life")};
	assert_str(digest_joined_hex(DIGEST_MD5, a1, 3, hex), "3d78807defe7de2157e2b0b6573a855f");
	char ha1[DIGEST_HEX_MAX], ha2[DIGEST_HEX_MAX];
	const struct str a2[] = {STR("GET"), STR("/dir/index.html")};
	const struct str nonce = STR("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v");
	const struct str cnonce = STR("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
	for (int i = 0; i < 2; i++) {
		enum digest_algorithm algorithm = i == 0 ? DIGEST_MD5 : DIGEST_SHA256;
		struct str response[] = {
		    digest_joined_hex(algorithm, a1, 3, ha1), nonce, STR("00000001"), cnonce, STR("auth"),
		    digest_joined_hex(algorithm, a2, 2, ha2)};
		struct str got = digest_joined_hex(algorithm, response, 6, hex);
		if (algorithm == DIGEST_MD5)
			assert_str(got, "8ca523f5e9506fed4657c9700eebdbec");
		else
			assert_str(got, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
	}
	assert_str(digest_joined_hex(DIGEST_MD5, NULL, 0, hex), "d41d8cd98f00b204e9800998ecf8427e");
	const struct str empties[] = {STR_NONE, STR_NONE};
	const struct str colon = STR(":");
	char other[DIGEST_HEX_MAX];
	assert_true(
	    str_equal(digest_joined_hex(DIGEST_MD5, empties, 2, hex), digest_joined_hex(DIGEST_MD5, &colon, 1, other)));
}

// RFC 4231 sections 4.3 and 4.7.
static void hmacs_like_rfc_4231(void **state)
{
	(void)state;
	uint8_t mac[32], again[32];
	char hex[64];
	struct writer w;
	for (int round = 0; round < 2; round++) { // again, with the key that is there already
		w = writer_into(hex, sizeof hex);
		digest_hmac(STR("Jefe"), STR("what do ya want for nothing?"), mac);
		writer_hex(&w, mac, 32);
		assert_str(writer_result(&w), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	}
	char key[131];
	memset(key, 0xaa, sizeof key);
	w = writer_into(hex, sizeof hex);
	digest_hmac((struct str){key, sizeof key}, STR("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
	writer_hex(&w, mac, 32);
	assert_str(writer_result(&w), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	// an empty key is a key of its own, not the one of the call before
	digest_hmac(STR_NONE, STR_NONE, again);
	w = writer_into(hex, sizeof hex);
	writer_hex(&w, again, 32);
	assert_str(writer_result(&w), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void *hash_elsewhere(void *into)
{
	digest_sha256(STR("abc"), into);
	return NULL;
}

static void hashes_on_any_thread(void **state)
{
	(void)state;
	uint8_t here[32], there[4][32];
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_elsewhere, there[i]), 0);
	digest_sha256(STR("abc"), here);
	assert_memory_equal(here, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_memory_equal(here, there[i], 32);
	}
}

static void base64url_both_ways(void **state)
{
	(void)state;
	const struct {
		struct str bytes, text;
	} rows[] = {{STR(""), STR("")},
		    {STR("f"), STR("Zg")},
		    {STR("fo"), STR("Zm8")},
		    {STR("foo"), STR("Zm9v")},
		    {STR("\xfb\xff\xbf"), STR("-_-_")}};
	char text[8], bytes[8];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(str_equal(digest_base64url(rows[i].bytes.at, rows[i].bytes.length, text), rows[i].text));
		size_t size = rows[i].bytes.length;
		assert_true(digest_base64url_decode(rows[i].text, bytes, &size));
		assert_true(str_equal((struct str){bytes, size}, rows[i].bytes));
	}
	// bad length, padding, the other alphabet, a space, bits left over
	const struct str wrong[] = {STR("Z"),  STR("Zg=="), STR("+/+/"), STR("Zm 9"),
				    STR("Zh"), STR("Zm9"),  STR("Zm9vZ")};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		size_t size = sizeof bytes;
		assert_false(digest_base64url_decode(wrong[i], bytes, &size));
	}
	size_t size = 2;
	assert_false(digest_base64url_decode(STR("Zm9v"), bytes, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digests_like_rfc_7616),
	    cmocka_unit_test(hmacs_like_rfc_4231),
	    cmocka_unit_test(hashes_on_any_thread),
	    cmocka_unit_test(base64url_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

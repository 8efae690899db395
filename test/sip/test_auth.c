// Digest authentication: our client against our server, the examples of RFC 7616, and what an attacker would try.
#include "lib/cmocka.h"
#include "lib/failing_allocator.h"
#include "sim/sim.h"
#include "sip/auth.h"
#include "sip/auth_header.h"
#include "sip/parsed.h"

#include <stdio.h>

#define assert_str(s, text) assert_true(str_equal((s), str_of(text)))

enum { LIFE_S = 300 };

#define REALM "pbx.example.com"
#define URI   "sip:pbx.example.com"
#define FIVE                                                                                                           \
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:330@pbx.example.com>;tag=1\r\n"                      \
	"To: <sip:330@pbx.example.com>\r\nCall-ID: 1\r\n"

struct world {
	struct loop *loop;
	struct sip_auth *auth;
	char md5[DIGEST_HEX_MAX], sha256[DIGEST_HEX_MAX];
	struct sip_auth_secret secret;
	struct sip_credentials credentials;
};

static const struct net_address phone = {.family = 4, .port = 5060, .bytes = {192, 0, 2, 7}};

static int setup(void **state)
{
	static struct world world;
	memset(&world, 0, sizeof world);
	world.loop = sim_create(7);
	world.auth = sip_auth_create(world.loop, STR(REALM), LIFE_S);
	world.credentials = (struct sip_credentials){STR("330"), STR("secret"), STR(REALM)};
	const struct str pieces[] = {STR("330"), STR(REALM), STR("secret")};
	world.secret.ha1_md5 = digest_joined_hex(DIGEST_MD5, pieces, 3, world.md5);
	world.secret.ha1_sha256 = digest_joined_hex(DIGEST_SHA256, pieces, 3, world.sha256);
	*state = &world;
	return world.loop && world.auth ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *world = *state;
	sip_auth_destroy(world->auth);
	loop_destroy(world->loop);
	return 0;
}

static struct parsed *response(unsigned status, const char *headers)
{
	char text[4096];
	snprintf(text, sizeof text, "SIP/2.0 %u Challenge\r\n" FIVE "CSeq: 1 REGISTER\r\n%s\r\n", status, headers);
	struct parsed *p = parsed_text(text, SIP_DATAGRAM);
	assert_true(p->fine);
	return p;
}

static struct parsed *request(const char *method, const char *uri, const char *headers)
{
	char text[4096];
	snprintf(text, sizeof text, "%s %s SIP/2.0\r\n" FIVE "CSeq: 2 %s\r\n%s\r\n", method, uri, method, headers);
	struct parsed *p = parsed_text(text, SIP_DATAGRAM);
	assert_true(p->fine);
	return p;
}

static void challenge(struct world *world, unsigned status, char *into, size_t size)
{
	struct writer w = writer_into(into, size - 1);
	sip_auth_write_challenge(world->auth, &phone, &w, status, false);
	assert_false(w.overflow);
	into[w.used] = '\0';
}

// The line that answers the challenge; "" when there is none.
static void answer(struct world *world, unsigned status, const char *challenges, char *into, size_t size)
{
	struct parsed *p = response(status, challenges);
	struct writer w = writer_into(into, size - 1);
	bool answered = sip_auth_write_answer(&w, &p->message, &world->credentials, STR("REGISTER"), STR(URI), STR_NONE,
					      world->loop);
	assert_false(w.overflow);
	assert_int_equal(answered, w.used > 0);
	into[w.used] = '\0';
	parsed_free(p);
}

static enum sip_auth_result check(struct world *world, const char *headers)
{
	struct parsed *p = request("REGISTER", URI, headers);
	enum sip_auth_result result = sip_auth_check(world->auth, &phone, &p->message, &world->secret, 1);
	parsed_free(p);
	return result;
}

// Replaces the first `from` in the text.
static void replace(char *text, size_t size, const char *from, const char *to)
{
	char copy[4096];
	char *found = strstr(text, from);
	assert_non_null(found);
	snprintf(copy, sizeof copy, "%.*s%s%s", (int)(found - text), text, to, found + strlen(from));
	assert_true(strlen(copy) < size);
	strcpy(text, copy);
}

// ---- both sides together

static void the_client_satisfies_the_server(void **state)
{
	struct world *world = *state;
	for (unsigned status = 401; status <= 407; status += 6) {
		char challenges[1024], credentials[1024], name[64];
		challenge(world, status, challenges, sizeof challenges);
		answer(world, status, challenges, credentials, sizeof credentials);
		assert_non_null(strstr(credentials, "algorithm=SHA-256"));
		assert_non_null(strstr(credentials, "qop=auth, nc=00000001"));
		assert_int_equal(strncmp(credentials, status == 401 ? "Authorization: " : "Proxy-Authorization: ", 15),
				 0);
		struct parsed *p = request("REGISTER", URI, credentials);
		assert_true(sip_auth_username(world->auth, &p->message, name, sizeof name));
		assert_string_equal(name, "330");
		assert_int_equal(sip_auth_check(world->auth, &phone, &p->message, &world->secret, 1), SIP_AUTH_OK);
		assert_int_equal(sip_auth_check(world->auth, &phone, &p->message, &world->secret, 1), SIP_AUTH_STALE);
		parsed_free(p);
	}
}

static void md5_will_do_where_there_is_nothing_better(void **state)
{
	struct world *world = *state;
	char challenges[1024], credentials[1024];
	challenge(world, 401, challenges, sizeof challenges);
	char *second = strstr(challenges, "\r\n") + 2;
	assert_non_null(strstr(second, "algorithm=MD5"));
	answer(world, 401, second, credentials, sizeof credentials);
	assert_int_equal(check(world, credentials), SIP_AUTH_OK);
}

static void credentials_are_sent_along_and_counted_on(void **state)
{
	struct world *world = *state;
	char challenges[1024], credentials[1024];
	struct sip_auth_memory memory = {.length = 0};
	struct writer w = writer_into(credentials, sizeof credentials - 1);
	assert_false(
	    sip_auth_write_remembered(&w, &memory, &world->credentials, STR("REGISTER"), STR(URI), world->loop));
	challenge(world, 407, challenges, sizeof challenges);
	answer(world, 407, challenges, credentials, sizeof credentials);
	assert_int_equal(check(world, credentials), SIP_AUTH_OK);

	struct parsed *p = response(407, challenges);
	sip_auth_remember(&memory, &p->message, &world->credentials);
	parsed_free(p);
	for (unsigned count = 2; count < 20; count++) {
		char expected[32];
		w = writer_into(credentials, sizeof credentials - 1);
		assert_true(sip_auth_write_remembered(&w, &memory, &world->credentials, STR("REGISTER"), STR(URI),
						      world->loop));
		credentials[w.used] = '\0';
		snprintf(expected, sizeof expected, "nc=%08x", count);
		assert_non_null(strstr(credentials, expected));
		assert_int_equal(strncmp(credentials, "Proxy-Authorization: ", 21), 0);
		assert_int_equal(check(world, credentials), SIP_AUTH_OK);
	}
}

static void awkward_names_survive(void **state)
{
	struct world *world = *state;
	static const char user[] = "Jane \"JJ\" D\\e, \xc3\xa4";
	char challenges[1024], credentials[1024], name[64], md5[DIGEST_HEX_MAX];
	world->credentials.username = STR(user);
	const struct str pieces[] = {STR(user), STR(REALM), STR("secret")};
	world->secret.ha1_sha256 = digest_joined_hex(DIGEST_SHA256, pieces, 3, world->sha256);
	world->secret.ha1_md5 = digest_joined_hex(DIGEST_MD5, pieces, 3, md5);
	challenge(world, 401, challenges, sizeof challenges);
	answer(world, 401, challenges, credentials, sizeof credentials);
	struct parsed *p = request("REGISTER", URI, credentials);
	assert_true(sip_auth_username(world->auth, &p->message, name, sizeof name));
	assert_string_equal(name, user);
	assert_int_equal(sip_auth_check(world->auth, &phone, &p->message, &world->secret, 1), SIP_AUTH_OK);
	// A name that does not fit is no name.
	assert_false(sip_auth_username(world->auth, &p->message, name, sizeof user - 1));
	parsed_free(p);
}

// ---- the server

static void refuses_what_was_tampered_with(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *from, *to;
		enum sip_auth_result result;
	} cases[] = {
	    {"Digest", "digest", SIP_AUTH_OK},
	    {"Digest", "Basic", SIP_AUTH_NONE},
	    {"Digest ", "Digest", SIP_AUTH_NONE},
	    {"Digest username", "Digest,username", SIP_AUTH_MALFORMED},
	    {REALM, "elsewhere", SIP_AUTH_NONE},
	    {REALM, "pbx.example.co\\m", SIP_AUTH_OK},
	    {REALM, REALM "x", SIP_AUTH_NONE},
	    {"realm=", "other=", SIP_AUTH_NONE},
	    {"username=\"330\"", "x=y", SIP_AUTH_MALFORMED},
	    {"username=\"330\"", "username=\"\"", SIP_AUTH_MALFORMED},
	    {"username=\"330\"", "username=\"330", SIP_AUTH_MALFORMED},
	    {"username=\"330\"", "username", SIP_AUTH_MALFORMED},
	    {"username=\"330\"", "username=\"330\", username=\"331\"", SIP_AUTH_MALFORMED},
	    {"username=\"330\"", "username=\"331\"", SIP_AUTH_OK}, // the name is only for finding the secret
	    {"nonce=\"", "nonce=\"A", SIP_AUTH_STALE},
	    {"nonce=", "x=", SIP_AUTH_MALFORMED},
	    {"response=\"", "response=\"0", SIP_AUTH_MALFORMED},
	    {"response=", "x=", SIP_AUTH_MALFORMED},
	    {"uri=\"" URI "\"", "uri=\"sip:other.example.com\"", SIP_AUTH_MALFORMED},
	    {"uri=\"" URI "\"", "uri=\"\"", SIP_AUTH_MALFORMED},
	    {"uri=\"" URI "\"", "uri=\"tel:+4930\"", SIP_AUTH_MALFORMED},
	    {"uri=", "x=", SIP_AUTH_MALFORMED},
	    {"algorithm=SHA-256", "algorithm=MD5", SIP_AUTH_MALFORMED}, // the response's length is not its own
	    {"algorithm=SHA-256", "algorithm=SHA-256-sess", SIP_AUTH_MALFORMED},
	    {"algorithm=SHA-256", "algorithm=\"sha-256\"", SIP_AUTH_OK},
	    {"qop=auth", "qop=auth-int", SIP_AUTH_MALFORMED},
	    {"qop=auth", "qop=\"auth\"", SIP_AUTH_OK},
	    {", qop=auth", "", SIP_AUTH_MALFORMED},
	    {"nc=00000001", "nc=00000000", SIP_AUTH_MALFORMED},
	    {"nc=00000001", "nc=00000002", SIP_AUTH_WRONG},
	    {"nc=00000001", "nc=0000000g", SIP_AUTH_MALFORMED},
	    {"nc=00000001", "nc=1", SIP_AUTH_MALFORMED},
	    {"cnonce=", "x=", SIP_AUTH_MALFORMED},
	    {"cnonce=\"", "cnonce=\"x", SIP_AUTH_WRONG},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char challenges[1024], credentials[1024];
		challenge(world, 401, challenges, sizeof challenges);
		answer(world, 401, challenges, credentials, sizeof credentials);
		replace(credentials, sizeof credentials, cases[i].from, cases[i].to);
		enum sip_auth_result result = check(world, credentials);
		if (result != cases[i].result)
			fail_msg("%s -> %s gave %d", cases[i].from, cases[i].to, (int)result);
	}
}

static void the_method_and_the_password_count(void **state)
{
	struct world *world = *state;
	char challenges[1024], credentials[1024];
	challenge(world, 401, challenges, sizeof challenges);
	answer(world, 401, challenges, credentials, sizeof credentials);
	struct parsed *p = request("OPTIONS", URI, credentials);
	assert_int_equal(sip_auth_check(world->auth, &phone, &p->message, &world->secret, 1), SIP_AUTH_WRONG);
	parsed_free(p);
	world->credentials.password = STR("Secret");
	answer(world, 401, challenges, credentials, sizeof credentials);
	assert_int_equal(check(world, credentials), SIP_AUTH_WRONG);
	// An unknown user is a wrong password, whatever is sent.
	world->credentials.password = STR("secret");
	answer(world, 401, challenges, credentials, sizeof credentials);
	world->secret = (struct sip_auth_secret){.ha1_md5 = STR_NONE};
	assert_int_equal(check(world, credentials), SIP_AUTH_WRONG);
}

// Whoever answers for the stand-in hash of an unknown user gets nothing for it.
static void the_stand_in_secret_opens_nothing(void **state)
{
	struct world *world = *state;
	char challenges[1024], line[1024], hex[DIGEST_HEX_MAX];
	challenge(world, 401, challenges, sizeof challenges);
	char *nonce = strstr(challenges, "nonce=\"") + 7;
	*strchr(nonce, '"') = '\0';
	const struct sip_auth_parts parts = {
	    .algorithm = DIGEST_MD5,
	    .ha1 = STR("00000000000000000000000000000000"),
	    .nonce = str_of(nonce),
	    .nc = STR("00000001"),
	    .cnonce = STR("c"),
	    .qop = STR("auth"),
	    .method = STR("REGISTER"),
	    .uri = STR(URI),
	};
	snprintf(line, sizeof line,
		 "Authorization: Digest username=\"nobody\", realm=\"" REALM "\", nonce=\"%s\", uri=\"" URI
		 "\", response=\"%.32s\", qop=auth, nc=00000001, cnonce=\"c\"\r\n",
		 nonce, sip_auth_response(&parts, hex).at);
	world->secret = (struct sip_auth_secret){.ha1_md5 = STR_NONE};
	assert_int_equal(check(world, line), SIP_AUTH_WRONG);
}

static void old_and_foreign_nonces_are_stale_whatever_the_password(void **state)
{
	struct world *world = *state;
	char challenges[1024], credentials[1024];
	challenge(world, 401, challenges, sizeof challenges);
	answer(world, 401, challenges, credentials, sizeof credentials);
	sim_run_for(world->loop, LIFE_S * 1000);
	assert_int_equal(check(world, credentials), SIP_AUTH_STALE);

	// As after a restart: the nonce is of another process.
	struct sip_auth *before = world->auth;
	world->auth = sip_auth_create(world->loop, STR(REALM), LIFE_S);
	assert_non_null(world->auth);
	challenge(world, 401, challenges, sizeof challenges);
	sip_auth_destroy(world->auth);
	world->auth = before;
	answer(world, 401, challenges, credentials, sizeof credentials);
	assert_int_equal(check(world, credentials), SIP_AUTH_STALE);
	replace(credentials, sizeof credentials, "response=\"", "response=\"0");
	char *end = strstr(credentials, "response=\"") + strlen("response=\"") + 64;
	memmove(end, end + 1, strlen(end));
	assert_int_equal(check(world, credentials), SIP_AUTH_STALE);
}

static void the_uri_may_differ_harmlessly(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *target;
		enum sip_auth_result result;
	} cases[] = {
	    {"sip:pbx.example.com", SIP_AUTH_OK},
	    {"sip:PBX.example.com:5060", SIP_AUTH_OK},
	    {"sip:pbx.example.com;transport=udp", SIP_AUTH_OK},
	    {"sip:pbx.example.com:5070", SIP_AUTH_MALFORMED},
	    {"sips:pbx.example.com", SIP_AUTH_MALFORMED},
	    {"sip:510@pbx.example.com", SIP_AUTH_MALFORMED},
	    {"tel:+4930", SIP_AUTH_MALFORMED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char challenges[1024], credentials[1024];
		challenge(world, 401, challenges, sizeof challenges);
		answer(world, 401, challenges, credentials, sizeof credentials);
		struct parsed *p = request("REGISTER", cases[i].target, credentials);
		if (sip_auth_check(world->auth, &phone, &p->message, &world->secret, 1) != cases[i].result)
			fail_msg("%s", cases[i].target);
		parsed_free(p);
	}
}

static void looks_for_its_own_realm(void **state)
{
	struct world *world = *state;
	char challenges[1024], credentials[1024], lines[3000], name[16];
	assert_int_equal(check(world, ""), SIP_AUTH_NONE);
	challenge(world, 407, challenges, sizeof challenges);
	answer(world, 407, challenges, credentials, sizeof credentials);
	snprintf(lines, sizeof lines,
		 "Authorization: NoOneKnowsThis broken, data=\r\nAuthorization: Digest realm=\"other\", "
		 "username=\"x\"\r\n%s",
		 credentials);
	assert_int_equal(check(world, lines), SIP_AUTH_OK);

	struct parsed *p = request("REGISTER", URI, "Authorization: Digest realm=\"other\", username=\"x\"\r\n");
	assert_false(sip_auth_username(world->auth, &p->message, name, sizeof name));
	parsed_free(p);
	// A NUL would cut the name short.
	static const char nul[] = "Authorization: Digest realm=\"" REALM "\", username=\"330\\0x\"\r\n";
	char text[2048];
	int length = snprintf(text, sizeof text, "REGISTER " URI " SIP/2.0\r\n" FIVE "CSeq: 2 REGISTER\r\n%s\r\n", nul);
	strstr(text, "\\0x")[1] = '\0';
	p = parsed_bytes(text, (size_t)length, SIP_DATAGRAM);
	assert_true(p->fine);
	assert_false(sip_auth_username(world->auth, &p->message, name, sizeof name));
	parsed_free(p);
}

static void challenges_best_first(void **state)
{
	struct world *world = *state;
	char memory[1024];
	struct writer w = writer_into(memory, sizeof memory - 1);
	sip_auth_write_challenge(world->auth, &phone, &w, 401, true);
	memory[w.used] = '\0';
	char *sha256 = strstr(memory, "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"");
	char *md5 = strstr(memory, "algorithm=MD5, qop=\"auth\", stale=true\r\n");
	assert_ptr_equal(sha256, memory);
	assert_non_null(md5);
	assert_non_null(strstr(memory, "algorithm=SHA-256, qop=\"auth\", stale=true\r\nWWW-Authenticate: "));
	challenge(world, 407, memory, sizeof memory);
	assert_int_equal(strncmp(memory, "Proxy-Authenticate: ", 20), 0);
	assert_null(strstr(memory, "stale"));
}

// ---- the client

static void offers_what_it_is_told_to(void **state)
{
	struct world *world = *state;
	char text[1024];
	assert_false(sip_auth_offer(world->auth, STR("")));
	assert_false(sip_auth_offer(world->auth, STR("MD5 SHA-1")));
	assert_true(sip_auth_offer(world->auth, STR(" MD5 ")));
	challenge(world, 401, text, sizeof text);
	assert_non_null(strstr(text, "algorithm=MD5"));
	assert_null(strstr(text, "SHA-256"));
}

static void answers_what_it_may(void **state)
{
	struct world *world = *state;
	static const char *const long_nonce =
	    "WWW-Authenticate: Digest realm=\"" REALM "\", qop=\"auth\", nonce=\"%0600d\"\r\n";
	char too_long[1024];
	snprintf(too_long, sizeof too_long, long_nonce, 1);
	const struct {
		const char *challenges;
		const char *part; // of the answer; NULL = no answer
	} cases[] = {
	    {"", NULL},
	    {too_long, NULL},
	    {"WWW-Authenticate: Basic realm=\"" REALM "\"\r\n", NULL},
	    {"WWW-Authenticate: Digest realm=\"other\", nonce=\"n\", qop=\"auth\"\r\n", NULL},
	    {"WWW-Authenticate: Digest realm=\"" REALM "\", qop=\"auth\"\r\n", NULL},
	    {"WWW-Authenticate: Digest nonce=\"n\", qop=\"auth\"\r\n", NULL},
	    {"WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"n\", qop=\"auth-int\"\r\n", NULL},
	    {"WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"n\", qop=\"\"\r\n", NULL},
	    {"WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"n\", qop=\"auth\", algorithm=MD5-sess\r\n", NULL},
	    {"WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"n, qop=\"auth\"\r\n", NULL},
	    {"Proxy-Authenticate: Digest realm=\"" REALM "\", nonce=\"n\", qop=\"auth\"\r\n", NULL},
	    {"WWW-Authenticate: Digest realm=\"" REALM
	     "\", nonce=\"n\", qop=\"auth-int , auth\", opaque=\"o\\\"p\"\r\n",
	     "opaque=\"o\\\"p\""},
	    {"WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"\\n\", opaque=\"\"\r\n", "nonce=\"\\n\""},
	    {"WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"a\", algorithm=MD5, qop=\"auth\"\r\n"
	     "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"b\", algorithm=SHA-256, qop=\"auth\"\r\n"
	     "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"c\", algorithm=SHA-256, qop=\"auth\"\r\n",
	     "nonce=\"b\""},
	    {"WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"a\", qop=\"auth\"\r\n"
	     "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"b\", qop=\"auth\"\r\n",
	     "nonce=\"a\""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char line[2048];
		answer(world, 401, cases[i].challenges, line, sizeof line);
		if (cases[i].part ? !strstr(line, cases[i].part) : line[0] != '\0')
			fail_msg("%s gave %s", cases[i].challenges, line);
	}
}

// RFC 2069: no qop, no count. The algorithm is not named when the challenge did not.
static void answers_the_old_way(void **state)
{
	struct world *world = *state;
	char line[1024];
	answer(world, 401, "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"n\"\r\n", line, sizeof line);
	char ha2[DIGEST_HEX_MAX], hex[DIGEST_HEX_MAX], expected[64];
	const struct str second[] = {STR("REGISTER"), STR(URI)};
	const struct str all[] = {world->secret.ha1_md5, STR("n"), digest_joined_hex(DIGEST_MD5, second, 2, ha2)};
	snprintf(expected, sizeof expected, "response=\"%.32s\"", digest_joined_hex(DIGEST_MD5, all, 3, hex).at);
	assert_non_null(strstr(line, expected));
	assert_null(strstr(line, "qop"));
	assert_null(strstr(line, "nc="));
	assert_null(strstr(line, "algorithm"));
}

static void does_not_try_again_what_was_refused(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *realm, *rest, *previous;
		bool answered;
	} cases[] = {
	    {REALM, "nonce=\"n\", qop=\"auth\"", "", true},
	    {REALM, "nonce=\"n\", qop=\"auth\"", "n", false},
	    {REALM, "nonce=\"n\", qop=\"auth\"", "m", false},
	    {REALM, "nonce=\"n\", qop=\"auth\", stale=true", "n", false},
	    {REALM, "nonce=\"n\", qop=\"auth\", stale=TRUE", "m", true},
	    {REALM, "nonce=\"n\", qop=\"auth\", stale=false", "m", false},
	    {"", "nonce=\"n\", qop=\"auth\"", "", true},
	    {"", "nonce=\"n\", qop=\"auth\", stale=true", "m", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char headers[256], line[1024];
		snprintf(headers, sizeof headers, "Proxy-Authenticate: Digest realm=\"" REALM "\", %s\r\n",
			 cases[i].rest);
		struct parsed *p = response(407, headers);
		struct writer w = writer_into(line, sizeof line);
		world->credentials.realm = str_of(cases[i].realm);
		bool answered = sip_auth_write_answer(&w, &p->message, &world->credentials, STR("INVITE"), STR(URI),
						      str_of(cases[i].previous), world->loop);
		if (answered != cases[i].answered)
			fail_msg("row %zu", i);
		assert_str(sip_auth_answered_nonce(&p->message, &world->credentials), "n");
		parsed_free(p);
	}
}

static void nothing_can_break_out_of_the_line(void **state)
{
	struct world *world = *state;
	struct parsed *p = response(401, "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"n\", qop=\"auth\"\r\n");
	char line[1024];
	struct writer w = writer_into(line, sizeof line);
	world->credentials.username = STR("330\r\nVia: x");
	assert_false(sip_auth_write_answer(&w, &p->message, &world->credentials, STR("INVITE"), STR(URI), STR_NONE,
					   world->loop));
	world->credentials.username = STR("330");
	assert_false(sip_auth_write_answer(&w, &p->message, &world->credentials, STR("INVITE"), STR("sip:\r\n"),
					   STR_NONE, world->loop));
	assert_int_equal(w.used, 0);
	parsed_free(p);
}

static void remembers_only_what_it_can_count(void **state)
{
	struct world *world = *state;
	static const char *const forgettable[] = {
	    "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"n\"\r\n",
	    "WWW-Authenticate: Digest realm=\"other\", nonce=\"n\", qop=\"auth\"\r\n",
	};
	char line[1024];
	struct writer w = writer_into(line, sizeof line);
	for (size_t i = 0; i < sizeof forgettable / sizeof *forgettable; i++) {
		struct sip_auth_memory memory = {.length = 5};
		struct parsed *p = response(401, forgettable[i]);
		sip_auth_remember(&memory, &p->message, &world->credentials);
		assert_int_equal(memory.length, 0);
		parsed_free(p);
	}
	struct sip_auth_memory memory = {.length = 0};
	struct parsed *p = response(401, "WWW-Authenticate: Digest realm=\"" REALM "\", nonce=\"n\", qop=\"auth\"\r\n");
	sip_auth_remember(&memory, &p->message, &world->credentials);
	assert_int_equal(memory.used, 1);
	memory.used = UINT32_MAX; // no count is left
	assert_false(sip_auth_write_remembered(&w, &memory, &world->credentials, STR("INVITE"), STR(URI), world->loop));
	parsed_free(p);
}

// ---- the hash

// RFC 7616 section 3.9.1.
static void hashes_like_the_rfc(void **state)
{
	(void)state;
	static const char *const expected[] = {"8ca523f5e9506fed4657c9700eebdbec",
					       "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"};
	const struct str secret[] = {STR("Mufasa"), STR("http-auth@example.org"), STR("Circle of Life")};
	for (int i = 0; i < 2; i++) {
		enum digest_algorithm algorithm = i == 0 ? DIGEST_MD5 : DIGEST_SHA256;
		char ha1[DIGEST_HEX_MAX], hex[DIGEST_HEX_MAX];
		const struct sip_auth_parts parts = {
		    .algorithm = algorithm,
		    .ha1 = digest_joined_hex(algorithm, secret, 3, ha1),
		    .nonce = STR("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
		    .nc = STR("00000001"),
		    .cnonce = STR("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
		    .qop = STR("auth"),
		    .method = STR("GET"),
		    .uri = STR("/dir/index.html"),
		};
		assert_str(sip_auth_response(&parts, hex), expected[i]);
	}
}

static void without_memory_there_is_none(void **state)
{
	struct world *world = *state;
	for (unsigned n = 1;; n++) {
		failing_allocator_arm(n);
		struct sip_auth *auth = sip_auth_create(world->loop, STR_NONE, LIFE_S);
		bool failed = failing_allocator_disarm();
		assert_int_equal(auth == NULL, failed);
		sip_auth_destroy(auth);
		if (!failed)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_client_satisfies_the_server, setup, teardown),
	    cmocka_unit_test_setup_teardown(md5_will_do_where_there_is_nothing_better, setup, teardown),
	    cmocka_unit_test_setup_teardown(credentials_are_sent_along_and_counted_on, setup, teardown),
	    cmocka_unit_test_setup_teardown(awkward_names_survive, setup, teardown),
	    cmocka_unit_test_setup_teardown(refuses_what_was_tampered_with, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_method_and_the_password_count, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_stand_in_secret_opens_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(old_and_foreign_nonces_are_stale_whatever_the_password, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_uri_may_differ_harmlessly, setup, teardown),
	    cmocka_unit_test_setup_teardown(looks_for_its_own_realm, setup, teardown),
	    cmocka_unit_test_setup_teardown(challenges_best_first, setup, teardown),
	    cmocka_unit_test_setup_teardown(offers_what_it_is_told_to, setup, teardown),
	    cmocka_unit_test_setup_teardown(answers_what_it_may, setup, teardown),
	    cmocka_unit_test_setup_teardown(answers_the_old_way, setup, teardown),
	    cmocka_unit_test_setup_teardown(does_not_try_again_what_was_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(nothing_can_break_out_of_the_line, setup, teardown),
	    cmocka_unit_test_setup_teardown(remembers_only_what_it_can_count, setup, teardown),
	    cmocka_unit_test(hashes_like_the_rfc),
	    cmocka_unit_test_setup_teardown(without_memory_there_is_none, setup, teardown),
	};
	return cmocka_run_group_tests_name("sip auth", tests, NULL, NULL);
}

// The adapter with rtpengine itself, over real sockets of this machine: what each kind of side is told, whose packets count, when
// ports are free, prompts, keys, and what is said of the quality. Skipped where rtpengine is not installed.
#include "media/rtpengine.h"

#include "base/hash.h"
#include "base/log.h"
#include "domain/sdp.h"
#include "domain/signalling.h"
#include "lib/cmocka.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, PROMPT_MS = 300, PACKET_MS = 20, PCMA = 8, LOUD = 0x2a };

static struct loop *loop;
static pid_t daemon_id;
static struct rtpengine *rtpengine;
static struct media media;
static char prompt_path[64];
static uint64_t next_leg = 1;

static struct {
	uint64_t token;
	bool failed;
	char body[8192];
} answered;
static char pressed;
static uint64_t over, lost_count;
static struct media_quality qualities[2];
static char codecs[2][32];
static size_t quality_count;

// ---- the domain

static void translated(void *context, uint64_t token, const struct body *body)
{
	(void)context;
	answered.token = token;
	assert_true(str_to_cstring(body->bytes, answered.body, sizeof answered.body));
}

static void failed(void *context, uint64_t token)
{
	(void)context;
	answered.token = token;
	answered.failed = true;
}

static void prompt_over(void *context, uint64_t leg)
{
	(void)context;
	over = leg;
}

static void key_pressed(void *context, uint64_t leg, char key)
{
	(void)context;
	(void)leg;
	pressed = key;
}

static void lost(void *context, uint64_t leg)
{
	(void)context;
	(void)leg;
	lost_count++;
}

static void quality(void *context, const struct media_quality *of)
{
	(void)context;
	if (quality_count == 2)
		return; // of a call that a test has let go before
	str_to_cstring(of->codec, codecs[quality_count], sizeof codecs[0]);
	qualities[quality_count++] = *of;
}

static uint64_t ordered;

static enum err prompt_order(void *context, const struct media_prompt *prompt, uint64_t leg, uint64_t sequence)
{
	(void)context;
	(void)prompt;
	(void)leg;
	ordered = sequence;
	return ERR_NONE;
}

// ---- time

struct wait {
	struct timer timer;
	bool (*done)(void);
	uint64_t until_ms;
	bool came;
};

static void look(struct timer *timer)
{
	struct wait *wait = container_of(timer, struct wait, timer);

	wait->came = wait->done && wait->done();
	if (wait->came || loop_now_ms(loop) >= wait->until_ms)
		loop_stop(loop);
	else
		timer_start(loop, timer, 2);
}

static bool wait_for(bool (*done)(void), uint64_t limit_ms)
{
	struct wait wait = {.done = done, .until_ms = loop_now_ms(loop) + limit_ms};

	timer_init(&wait.timer, look);
	timer_start(loop, &wait.timer, 1);
	loop_run(loop);
	return wait.came;
}

static bool is_answered(void)
{
	return answered.token != 0;
}

static bool is_available(void)
{
	return media.available(media.context);
}

static bool is_pressed(void)
{
	return pressed != 0;
}

static bool is_over(void)
{
	return over != 0;
}

static bool two_qualities(void)
{
	return quality_count == 2;
}

// ---- sides

static struct media_side side(enum media_kind kind)
{
	return (struct media_side){.leg = next_leg++, .kind = kind};
}

static const char *translate(const struct media_side *from, const struct media_side *to, bool is_answer,
			     const char *text)
{
	static uint64_t token;
	const struct body body = {.type = STR("application/sdp"), .bytes = str_of(text)};
	const struct media_exchange exchange = {
	    .token = ++token, .record = STR("01REAL"), .from = *from, .to = *to, .is_answer = is_answer, .body = &body};

	answered.token = 0;
	answered.failed = false;
	assert_int_equal(media.translate(media.context, &exchange), ERR_NONE);
	assert_true(wait_for(is_answered, 5000));
	assert_false(answered.failed);
	assert_int_equal(answered.token, token);
	return answered.body;
}

static void let_go(const struct media_side *side)
{
	media.release(media.context, side->leg);
}

static const char *plain_sdp(const char *host, unsigned port, const char *codecs_and_more)
{
	static char text[1024];

	snprintf(text, sizeof text,
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP %s\r\na=sendrecv\r\n",
		 host, host, port, codecs_and_more);
	return text;
}

#define FINGERPRINT                                                                                                    \
	"a=fingerprint:sha-256 "                                                                                       \
	"AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n"

static const char *browser_sdp(const char *setup, const char *formats)
{
	static char text[2048];

	snprintf(text, sizeof text,
		 "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
		 "m=audio 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 "
		 "opus/48000/2\r\na=rtcp-mux\r\na=mid:0\r\n"
		 "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
		 "a=candidate:1 1 udp 2122260223 127.0.0.1 40000 typ host generation 0\r\n" FINGERPRINT
		 "a=setup:%s\r\na=sendrecv\r\n",
		 formats, setup);
	return text;
}

#define SECRET "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define TEAMS                                                                                                          \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9300 RTP/SAVP 8 0 13 "       \
	"101\r\n"                                                                                                      \
	"a=rtcp:9301\r\na=rtpmap:101 telephone-event/8000\r\n"                                                         \
	"a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" SECRET "|2^31\r\n"                                                \
	"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" SECRET "|2^31\r\na=sendrecv\r\n"

static void has(const char *body, const char *piece)
{
	if (!body || !strstr(body, piece))
		fail_msg("no \"%s\" in\n%s", piece, body ? body : "nothing");
}

static void has_not(const char *body, const char *piece)
{
	if (body && strstr(body, piece))
		fail_msg("\"%s\" in\n%s", piece, body);
}

static unsigned count_of(const char *body, const char *piece)
{
	unsigned count = 0;

	for (; (body = strstr(body, piece)); body += strlen(piece))
		count++;
	return count;
}

static unsigned port_of(const char *body)
{
	struct sdp_fault fault;
	struct sdp sdp;

	assert_true(sdp_read(str_of(body), &sdp, &fault));
	return sdp.media[0].port;
}

// ---- packets

struct phone {
	int socket;
	unsigned port, to, got;
	uint16_t sequence;
	uint32_t ssrc, last_ssrc;
};

static struct sockaddr_in at(const char *host, unsigned port)
{
	struct sockaddr_in made = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	assert_int_equal(inet_pton(AF_INET, host, &made.sin_addr), 1);
	return made;
}

static struct phone phone(const char *host)
{
	static uint32_t ssrc = 100;
	struct sockaddr_in own = at(host, 0);
	socklen_t size = sizeof own;
	struct phone made = {.socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), .ssrc = ++ssrc};

	assert_int_equal(bind(made.socket, (struct sockaddr *)&own, size), 0);
	getsockname(made.socket, (struct sockaddr *)&own, &size);
	made.port = ntohs(own.sin_port);
	return made;
}

static void packet_send(struct phone *phone, uint8_t type, const uint8_t *payload, size_t size)
{
	uint8_t packet[12 + 160] = {0x80, type};
	struct sockaddr_in to = at("127.0.0.1", phone->to);
	uint32_t stamp = htonl(phone->sequence * 160u), ssrc = htonl(phone->ssrc);
	uint16_t sequence = htons(phone->sequence++);

	memcpy(packet + 2, &sequence, 2);
	memcpy(packet + 4, &stamp, 4);
	memcpy(packet + 8, &ssrc, 4);
	memcpy(packet + 12, payload, size);
	sendto(phone->socket, packet, 12 + size, 0, (struct sockaddr *)&to, sizeof to);
}

static void voice_send(struct phone *phone)
{
	uint8_t payload[160];

	memset(payload, LOUD, sizeof payload);
	packet_send(phone, PCMA, payload, sizeof payload);
}

static void key_send(struct phone *phone, uint8_t type, uint8_t event)
{
	for (unsigned i = 1; i <= 6; i++) {
		uint8_t payload[4] = {event, (uint8_t)(i > 3 ? 0x8a : 0x0a), 0, (uint8_t)(i > 3 ? 240 : 80 * i)};
		phone->sequence--; // a key keeps its time stamp
		packet_send(phone, i == 1 ? type | 0x80 : type, payload, 4);
		phone->sequence++;
		wait_for(NULL, PACKET_MS);
	}
}

static unsigned drain(struct phone *phone)
{
	uint8_t packet[2048];
	ssize_t size;

	phone->got = 0;
	while ((size = recv(phone->socket, packet, sizeof packet, 0)) >= 12) {
		memcpy(&phone->last_ssrc, packet + 8, 4);
		phone->got++;
	}
	return phone->got;
}

// Of what has come, the packets of voice_send.
static unsigned drain_loud(struct phone *phone)
{
	uint8_t packet[2048];
	unsigned loud = 0;

	while (recv(phone->socket, packet, sizeof packet, 0) > 20)
		loud += packet[20] == LOUD;
	return loud;
}

// All of them talk for a while.
static void talk(struct phone *phones[], size_t count, unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		for (size_t p = 0; p < count; p++)
			voice_send(phones[p]);
		wait_for(NULL, 5);
	}
	wait_for(NULL, 20);
	for (size_t p = 0; p < count; p++)
		drain(phones[p]);
}

// ---- the daemon

static unsigned free_port(void)
{
	struct phone taken = phone("127.0.0.1");

	close(taken.socket);
	return taken.port;
}

// UDP sockets of the daemon that are bound within its range.
static unsigned ports_in_use(void)
{
	char path[64], link[320], target[64];
	unsigned count = 0;
	struct dirent *entry;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)daemon_id);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		snprintf(link, sizeof link, "%s/%s", path, entry->d_name);
		ssize_t length = readlink(link, target, sizeof target - 1);
		if (length > 0 && strncmp(target, "socket:", 7) == 0)
			count++;
	}
	closedir(folder);
	return count;
}

static void prompt_write(void)
{
	enum { SAMPLES = 8 * PROMPT_MS };
	const uint32_t rate = 8000, bytes = SAMPLES * 2;
	uint8_t head[44] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0....\0\0\0\0\2\0\x10\0data....";
	const uint32_t sizes[] = {36 + bytes, rate, rate * 2, bytes};
	const size_t places[] = {4, 24, 28, 40};

	strcpy(prompt_path, "/tmp/carillon-prompt-XXXXXX");
	int file = mkstemp(prompt_path);
	assert_true(file >= 0);
	for (int i = 0; i < 4; i++)
		memcpy(head + places[i], &sizes[i], 4);
	assert_int_equal(write(file, head, sizeof head), sizeof head);
	for (int i = 0; i < SAMPLES; i++) {
		int16_t sample = (int16_t)(i % 20 < 10 ? 8000 : -8000);
		assert_int_equal(write(file, &sample, 2), 2);
	}
	close(file);
}

static void daemon_start(unsigned ng, unsigned dtmf)
{
	char listen[64], keys[64], low[32], high[32];
	unsigned base = 20000 + (unsigned)getpid() % 100 * 200;

	snprintf(listen, sizeof listen, "--listen-ng=127.0.0.1:%u", ng);
	snprintf(keys, sizeof keys, "--dtmf-log-dest=127.0.0.1:%u", dtmf);
	snprintf(low, sizeof low, "--port-min=%u", base);
	snprintf(high, sizeof high, "--port-max=%u", base + 199);
	daemon_id = fork();
	assert_true(daemon_id >= 0);
	if (daemon_id > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL); // it does not outlive a test that fails hard
	freopen("/dev/null", "w", stderr);
	execlp("rtpengine", "rtpengine", "--config-file=none", "--table=-1", "--interface=127.0.0.1", listen, keys, low,
	       high, "--delete-delay=0", "--mos=LQ", "--num-threads=2", "--foreground", "--log-stderr", (char *)NULL);
	_exit(127);
}

static int begin(void **state)
{
	(void)state;
	struct net_address ng, keys;
	hash_set_secret((const uint8_t *)"0123456789abcdef");
	assert_int_equal(loop_create(&loop), 0);
	unsigned port = free_port(), dtmf = free_port();
	net_address_parse(STR("127.0.0.1"), (uint16_t)port, &ng);
	net_address_parse(STR("127.0.0.1"), (uint16_t)dtmf, &keys);
	prompt_write();
	daemon_start(port, dtmf);
	const struct rtpengine_options options = {
	    .loop = loop,
	    .relays = {{STR("local"), ng, 1}},
	    .relay_count = 1,
	    .dtmf_listen = keys,
	    .prompt_order = prompt_order,
	};
	rtpengine = rtpengine_create(
	    &options, &(struct media_sink){NULL, translated, failed, prompt_over, key_pressed, lost, quality});
	assert_non_null(rtpengine);
	media = rtpengine_media(rtpengine);
	assert_true(wait_for(is_available, 15000));
	return 0;
}

static int end(void **state)
{
	(void)state;
	rtpengine_destroy(rtpengine);
	loop_destroy(loop);
	kill(daemon_id, SIGTERM);
	waitpid(daemon_id, NULL, 0);
	unlink(prompt_path);
	return 0;
}

// ---- the tests

static void packets_go_both_ways_and_no_third_party_takes_part(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_PLAIN), b = side(MEDIA_PLAIN);
	struct phone one = phone("127.0.0.1"), other = phone("127.0.0.1"), thief = phone("127.0.0.2");
	other.to = port_of(translate(&a, &b, false, plain_sdp("127.0.0.1", one.port, "8")));
	one.to = thief.to = port_of(translate(&b, &a, true, plain_sdp("127.0.0.1", other.port, "8")));
	talk((struct phone *[]){&thief, &one, &other}, 3, 50);
	assert_in_range(one.got, 45, 50);
	assert_in_range(other.got, 45, 50);
	assert_int_equal(thief.got, 0);
	// After the three seconds of learning that rtpengine has by default.
	wait_for(NULL, 3100);
	talk((struct phone *[]){&thief, &one, &other}, 3, 50);
	assert_in_range(one.got, 45, 50);
	assert_in_range(other.got, 45, 50);
	assert_int_equal(thief.got, 0);
	let_go(&a);
	let_go(&b);
	close(one.socket);
	close(other.socket);
	close(thief.socket);
}

static void quality_is_what_the_relay_saw(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_PLAIN), b = side(MEDIA_PLAIN);
	struct phone one = phone("127.0.0.1"), other = phone("127.0.0.1");
	a.number = 0;
	b.number = 1;
	wait_for(NULL, 50); // what went before has been told
	other.to = port_of(translate(&a, &b, false, plain_sdp("127.0.0.1", one.port, "8")));
	one.to = port_of(translate(&b, &a, true, plain_sdp("127.0.0.1", other.port, "8")));
	talk((struct phone *[]){&one, &other}, 2, 50);
	quality_count = 0;
	let_go(&b);
	let_go(&a);
	assert_true(wait_for(two_qualities, 1000));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(qualities[i].packets, 50);
		assert_string_equal(codecs[i], "PCMA");
	}
	assert_int_equal(qualities[0].number + qualities[1].number, 1);
	close(one.socket);
	close(other.socket);
}

static void behind_a_nat_the_first_to_come_stays(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_PLAIN), b = side(MEDIA_PLAIN);
	struct phone one = phone("127.0.0.1"), other = phone("127.0.0.1"), thief = phone("127.0.0.2");
	a.behind_nat = true; // 10.9.9.9, where nothing of it is
	other.to = port_of(translate(&a, &b, false, plain_sdp("10.9.9.9", 4000, "8")));
	one.to = thief.to = port_of(translate(&b, &a, true, plain_sdp("127.0.0.1", other.port, "8")));
	talk((struct phone *[]){&one, &other}, 2, 10);
	assert_in_range(one.got, 8, 10);
	wait_for(NULL, 3100);
	talk((struct phone *[]){&thief, &one, &other}, 3, 50);
	assert_in_range(one.got, 45, 50);
	assert_in_range(other.got, 45, 50);
	assert_int_equal(thief.got, 0);
	// Nor by being quick after a re-INVITE that changes nothing.
	drain(&thief);
	translate(&a, &b, false, plain_sdp("10.9.9.9", 4000, "8"));
	translate(&b, &a, true, plain_sdp("127.0.0.1", other.port, "8"));
	talk((struct phone *[]){&thief, &one, &other}, 3, 50);
	assert_in_range(one.got, 45, 50);
	assert_in_range(other.got, 45, 50);
	assert_int_equal(thief.got, 0);
	// It moves: from there on its new place counts.
	struct phone moved = phone("127.0.0.1");
	moved.to = one.to;
	translate(&a, &b, false, plain_sdp("10.9.9.9", 4002, "8"));
	translate(&b, &a, true, plain_sdp("127.0.0.1", other.port, "8"));
	talk((struct phone *[]){&moved, &other}, 2, 50);
	assert_in_range(moved.got, 45, 50);
	assert_in_range(other.got, 45, 50);
	let_go(&a);
	let_go(&b);
	close(one.socket);
	close(other.socket);
	close(thief.socket);
	close(moved.socket);
}

static void behind_a_nat_who_is_faster_does_not_take_it(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_PLAIN), b = side(MEDIA_PLAIN);
	struct phone one = phone("127.0.0.3"), other = phone("127.0.0.1"), thief = phone("127.0.0.2");
	a.behind_nat = true; // 10.9.9.9, where nothing of it is; its messages come from 127.0.0.3
	net_address_parse(STR("127.0.0.3"), 0, &a.heard_from);
	other.to = port_of(translate(&a, &b, false, plain_sdp("10.9.9.9", 4000, "8")));
	one.to = thief.to = port_of(translate(&b, &a, true, plain_sdp("127.0.0.1", other.port, "8")));
	talk((struct phone *[]){&thief, &other}, 2, 10);
	assert_in_range(thief.got, 8, 10);
	// It speaks: the thief loses the stream, however much he sends.
	talk((struct phone *[]){&one, &thief, &other}, 3, 50);
	assert_in_range(one.got, 45, 50);
	assert_in_range(thief.got, 0, 2);
	// After the three seconds of learning he does not get a word in, either.
	wait_for(NULL, 4000);
	talk((struct phone *[]){&one, &thief, &other}, 3, 10);
	talk((struct phone *[]){&one, &thief, &other}, 3, 50);
	assert_in_range(one.got, 45, 50);
	assert_in_range(other.got, 45, 50);
	assert_int_equal(thief.got, 0);
	// Nor by being quick after a re-INVITE that changes nothing.
	translate(&a, &b, false, plain_sdp("10.9.9.9", 4000, "8"));
	translate(&b, &a, true, plain_sdp("127.0.0.1", other.port, "8"));
	talk((struct phone *[]){&thief, &one, &other}, 3, 50);
	assert_in_range(one.got, 45, 50);
	assert_in_range(other.got, 45, 50);
	assert_int_equal(thief.got, 0);
	let_go(&a);
	let_go(&b);
	close(one.socket);
	close(other.socket);
	close(thief.socket);
}

static void losers_free_their_ports_at_once(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_PLAIN), callees[5];
	wait_for(NULL, 100);
	unsigned before = ports_in_use();
	for (int i = 0; i < 5; i++) {
		callees[i] = side(MEDIA_PLAIN);
		translate(&a, &callees[i], false, plain_sdp("127.0.0.1", 4000, "8"));
	}
	for (int i = 0; i < 3; i++) // early media of three
		translate(&callees[i], &a, true, plain_sdp("127.0.0.1", 4100 + 10 * (unsigned)i, "8"));
	assert_int_equal(ports_in_use(), before + 5 * 4);
	for (int i = 1; i < 5; i++)
		let_go(&callees[i]);
	wait_for(NULL, 50);
	assert_int_equal(ports_in_use(), before + 4);
	let_go(&a);
	let_go(&callees[0]);
	wait_for(NULL, 50);
	assert_int_equal(ports_in_use(), before);
}

static void browser_calls_a_plain_phone_and_back(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_BROWSER), b = side(MEDIA_PLAIN);
	const char *body = translate(&a, &b, false, browser_sdp("actpass", "111 0 8"));
	has(body, "RTP/AVP 111 0 8");
	has_not(body, "fingerprint");
	has_not(body, "candidate");
	has_not(body, "rtcp-mux");
	has_not(body, "crypto");
	has(body, "telephone-event/8000");
	body = translate(&b, &a, true, plain_sdp("127.0.0.1", 4000, "8"));
	has(body, "UDP/TLS/RTP/SAVPF 8\r\n");
	has(body, "a=fingerprint:sha-256");
	has(body, "a=setup:active"); // no role is forced: it has begun by then
	has(body, "a=rtcp-mux");
	has(body, "a=mid:0");
	has_not(body, "crypto");
	// The phone asks again, say for hold.
	body = translate(&b, &a, false, plain_sdp("127.0.0.1", 4000, "8"));
	has(body, "UDP/TLS/RTP/SAVPF");
	has(body, "a=setup:actpass");
	has(body, "a=candidate:");
	body = translate(&a, &b, true, browser_sdp("active", "8"));
	has(body, "RTP/AVP 8\r\n");
	has_not(body, "fingerprint");
	let_go(&a);
	let_go(&b);
}

static void opus_meets_g711(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_BROWSER), b = side(MEDIA_PLAIN);
	const char *body = translate(&a, &b, false, browser_sdp("actpass", "111"));
	has(body, "PCMA/8000");
	body = translate(&b, &a, true, plain_sdp("127.0.0.1", 4000, "8"));
	has(body, "opus/48000/2");
	has_not(body, "PCMA");
	let_go(&a);
	let_go(&b);
	a = side(MEDIA_PLAIN);
	b = side(MEDIA_BROWSER);
	body = translate(&a, &b, false, plain_sdp("127.0.0.1", 4000, "8"));
	has(body, "opus/48000/2");
	body = translate(&b, &a, true, browser_sdp("active", "111"));
	has(body, "RTP/AVP 8\r\n");
	let_go(&a);
	let_go(&b);
}

static void teams_gets_one_suite(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_PLAIN), b = side(MEDIA_TEAMS);
	const char *body = translate(&a, &b, false, plain_sdp("127.0.0.1", 4000, "8"));
	has(body, "RTP/SAVP 8 0");
	assert_int_equal(count_of(body, "a=crypto:"), 1);
	has(body, "AES_CM_128_HMAC_SHA1_80");
	has(body, "CN/8000");
	has(body, "telephone-event/8000");
	has_not(body, "fingerprint");
	has_not(body, "rtcp-mux");
	has_not(body, "candidate");
	body = translate(&b, &a, true, TEAMS);
	has(body, "RTP/AVP 8");
	has_not(body, "crypto");
	let_go(&a);
	let_go(&b);
	// Teams calls, and offers what we do not want first.
	a = side(MEDIA_TEAMS);
	b = side(MEDIA_PLAIN);
	translate(&a, &b, false, TEAMS);
	body = translate(&b, &a, true, plain_sdp("127.0.0.1", 4000, "8"));
	has(body, "RTP/SAVP 8");
	assert_int_equal(count_of(body, "a=crypto:"), 1);
	has(body, "a=crypto:2 AES_CM_128_HMAC_SHA1_80");
	let_go(&a);
	let_go(&b);
	a = side(MEDIA_TEAMS);
	b = side(MEDIA_BROWSER);
	body = translate(&a, &b, false, TEAMS);
	has(body, "UDP/TLS/RTP/SAVPF");
	has(body, "fingerprint");
	has_not(body, "crypto");
	body = translate(&b, &a, true, browser_sdp("active", "8"));
	assert_int_equal(count_of(body, "a=crypto:"), 1);
	has(body, "AES_CM_128_HMAC_SHA1_80");
	has_not(body, "fingerprint");
	let_go(&a);
	let_go(&b);
}

static void prompt_and_keys(void **state)
{
	(void)state;
	struct media_side a = side(MEDIA_PLAIN), b = side(MEDIA_PLAIN);
	struct phone caller = phone("127.0.0.1"), outside = phone("127.0.0.1");
	const char *body = translate(&a, &b, false, plain_sdp("127.0.0.1", caller.port, "8"));
	unsigned event = 0;
	outside.to = port_of(body);
	for (const char *line = body; (line = strstr(line, "a=rtpmap:")); line++)
		if (strncmp(strchr(line, ' '), " telephone-event/8000", 21) == 0)
			event = (unsigned)strtoul(line + 9, NULL, 10);
	assert_in_range(event, 96, 127);
	char formats[128];
	snprintf(formats, sizeof formats, "8 %u\r\na=rtpmap:%u telephone-event/8000", event, event);
	caller.to = port_of(translate(&b, &a, true, plain_sdp("127.0.0.1", outside.port, formats)));
	over = 0;
	assert_int_equal(media.play(media.context, b.leg, &(struct media_prompt){.language = STR("en")}), ERR_NONE);
	rtpengine_prompt_ready(rtpengine, b.leg, ordered, prompt_path, PROMPT_MS);
	wait_for(NULL, 20);
	for (unsigned i = 0; i < 5; i++) {
		voice_send(&outside); // while it is said neither hears the other
		voice_send(&caller);
		wait_for(NULL, PACKET_MS);
	}
	assert_int_equal(drain_loud(&caller), 0);
	assert_true(drain(&outside) > 0);
	assert_int_not_equal(ntohl(outside.last_ssrc), caller.ssrc);
	pressed = 0; // a key counts all the same
	key_send(&outside, (uint8_t)event, 2);
	assert_true(wait_for(is_pressed, 1000));
	assert_int_equal(pressed, '2');
	assert_true(wait_for(is_over, 2000));
	assert_int_equal(over, b.leg);
	wait_for(NULL, 20);
	drain(&outside);
	for (unsigned i = 0; i < 20; i++) {
		voice_send(&outside);
		voice_send(&caller);
		wait_for(NULL, PACKET_MS);
	}
	assert_true(drain(&caller) > 10);
	assert_true(drain(&outside) > 10);
	pressed = 0;
	key_send(&outside, (uint8_t)event, 1);
	assert_true(wait_for(is_pressed, 1000));
	assert_int_equal(pressed, '1');
	let_go(&a);
	let_go(&b);
	close(caller.socket);
	close(outside.socket);
}

int main(void)
{
	if (system("rtpengine --version >/dev/null 2>&1") != 0) {
		puts("SKIP: rtpengine is not installed");
		return SKIPPED;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packets_go_both_ways_and_no_third_party_takes_part),
	    cmocka_unit_test(quality_is_what_the_relay_saw),
	    cmocka_unit_test(behind_a_nat_the_first_to_come_stays),
	    cmocka_unit_test(behind_a_nat_who_is_faster_does_not_take_it),
	    cmocka_unit_test(losers_free_their_ports_at_once),
	    cmocka_unit_test(browser_calls_a_plain_phone_and_back),
	    cmocka_unit_test(opus_meets_g711),
	    cmocka_unit_test(teams_gets_one_suite),
	    cmocka_unit_test(prompt_and_keys),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

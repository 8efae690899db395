// Calls that tests of sessions begin with: four peers around the endpoint, a leg that is rung, a call that has come in.
#ifndef TEST_SIP_LEGS_H
#define TEST_SIP_LEGS_H

#include "sip/rig.h"

#define SDP_OFFER  "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\n"
#define SDP_ANSWER "v=0\r\no=- 2 2 IN IP4 10.0.0.3\r\ns=-\r\n"
// The same in what peers send and get.
#define WIRE_OFFER  "v=0\no=- 1 1 IN IP4 10.0.0.2\ns=-\n"
#define WIRE_ANSWER "v=0\no=- 2 2 IN IP4 10.0.0.3\ns=-\n"
#define SDP_LINES   "Content-Type: application/sdp\nContent-Length: 35\n\n" WIRE_OFFER
#define ANSWERED_BY_SOFT                                                                                               \
	"Contact: <sip:821@10.0.0.3:5060>\nContent-Type: application/sdp\nContent-Length: 35\n\n" WIRE_ANSWER
#define ALLOW                                                                                                          \
	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, SUBSCRIBE, UPDATE, PRACK, INFO, MESSAGE, REFER, "         \
	"NOTIFY\n" SUPPORTED
#define SUPPORTED "Supported: timer, replaces, norefersub\n"
#define RELIABLE  "Supported: 100rel\n"
#define AGENT     "User-Agent: Carillon/" CARILLON_VERSION "\n"

extern const struct body offer, answer, nothing;
extern struct rig *rig;
// The desk phone 330 at 10.0.0.2, the softphone 821 at 10.0.0.3, the trunk's 10.0.1.1, and 10.9.9.9.
extern struct peer desk, soft, carrier, stranger;

int legs_start(void **state);
int legs_start_timed(void **state); // with session timers of 1800 s
int legs_stop(void **state);
#define LEGS_TEST_TIMED(name) cmocka_unit_test_setup_teardown(name, legs_start_timed, legs_stop)
#define LEGS_TEST(name)       cmocka_unit_test_setup_teardown(name, legs_start, legs_stop)

unsigned sessions(void);
struct outgoing_invite to_soft(void); // it must be registered
uint64_t ring(const struct outgoing_invite *invite);
uint64_t ring_soft(const char *contact); // registers first
// What a peer answers a request of ours with.
void respond(struct peer *peer, const char *request, const char *status, const char *tag, const char *lines);

const char *invite_text(unsigned branch, unsigned cseq, const char *password);
// The desk phone calls 510; gives what it sent.
const char *call_510(void);
const char *call_510_with(const char *lines); // with these header lines
// A request of the caller within the call, `answered` being an answer it got.
void desk_says(const char *method, const char *answered, unsigned cseq, const char *rest);
// The call is up; gives the 200.
const char *talk(void);
// The domain asks the caller's leg, with token 5.
void ask(enum dialog_method method, const struct body *body, enum err expected);
// Until the peer has something to read; gives how long that took, to 10 ms.
unsigned wait_for(const struct peer *peer, unsigned most_ms);

#endif

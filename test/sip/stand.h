// A stand to test the transport and the transactions on: both on a simulated loop, a peer at the other end of the wire,
// and a transcript of all that happens, each line with the milliseconds since the stand was set up (or since stand_restart).
//	500 peer < INVITE            the peer received a request
//	500 peer < 180 INVITE        ... a response to one
//	500 user: 180                the user of a transaction was told
// The network takes no time and loses nothing unless the test says so.
#ifndef TEST_SIP_STAND_H
#define TEST_SIP_STAND_H

#include "lib/cmocka.h"
#include "sim/sim.h"
#include "sip/transaction.h"

struct stand {
	struct loop *loop;
	struct sip_transport *transport;
	struct sip_transactions *transactions;
	struct net_address ours; // UDP and TCP
	struct net_address peer; // the same
	struct udp_socket *peer_socket;
	struct tcp_listener *peer_listener;
	struct tcp_connection *peer_connection; // the newest, opened or accepted
	bool peer_is_silent;                    // receives nothing into the transcript
	uint64_t start_ms;
	char transcript[16384];
	size_t transcript_size;
	char last[70000]; // what the peer received last, NUL-terminated
	size_t last_size;
	// What becomes of a request that is new; the default says "new METHOD" in the transcript.
	void (*on_request)(struct stand *stand, const struct flow *from, const struct sip_message *request);
	struct sip_server_transaction *server; // what the tests' on_request started
	struct flow from;                      // of the last message received by the transport
};

// The stand's one user of client transactions: says "user: 180", "user: failed 408", "user: ended".
extern const struct sip_client_handlers stand_client_handlers; // user = the stand
// ... and of server transactions: "user: cancelled", "user: ended".
extern const struct sip_server_handlers stand_server_handlers;

void stand_set_up(struct stand *stand);
// Like the above with settings other than the default; the addresses are filled in.
void stand_set_up_with(struct stand *stand, struct sip_transport_settings settings);
// Checks that everything was given back, down to the last timer and byte, and takes the stand down.
void stand_tear_down(struct stand *stand);
// Nothing is held by the transaction layer any more.
void stand_assert_no_transactions(struct stand *stand);

void stand_note(struct stand *stand, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Compares what was noted since the last time and forgets it.
#define stand_expect(stand, text) stand_expect_at((stand), (text), __FILE__, __LINE__)
void stand_expect_at(struct stand *stand, const char *text, const char *file, int line);
// The transcript's clock starts anew.
void stand_restart(struct stand *stand);
void stand_run(struct stand *stand, uint64_t ms);

// The peer sends a datagram. "\n" in the text goes out as CRLF.
void stand_peer_sends(struct stand *stand, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The same over its TCP connection.
void stand_peer_writes(struct stand *stand, const char *format, ...) __attribute__((format(printf, 2, 3)));
void stand_peer_connects(struct stand *stand);
// The last message that the peer received, with LF for CRLF, is this.
#define stand_expect_last(stand, text) stand_expect_last_at((stand), (text), __FILE__, __LINE__)
void stand_expect_last_at(struct stand *stand, const char *text, const char *file, int line);

// ---- a request of ours and what the peer answers it with

#define STAND_BRANCH "z9hG4bK0123456789abcdefghij"
#define STAND_RESPONSE(status, transport, method)                                                                      \
	"SIP/2.0 " status " Whatever\n"                                                                                \
	"Via: SIP/2.0/" transport " 192.0.2.1:5060;rport=5060;branch=" STAND_BRANCH ";received=192.0.2.1\n"            \
	"From: <sip:510@example.com>;tag=us\n"                                                                         \
	"To: <sip:330@example.com>;tag=them\n"                                                                         \
	"Call-ID: call-1\n"                                                                                            \
	"CSeq: 7 " method "\n"                                                                                         \
	"Content-Length: 0\n\n"
// Starts a client transaction for it, large requests by TCP, and lets it be sent.
struct sip_client_transaction *stand_start(struct stand *stand, enum sip_method method, enum transport kind);
// The same with so many bytes more, along this flow, and nothing sent yet but by UDP. NULL as sip_client_start gives it.
struct sip_client_transaction *stand_start_padded(struct stand *stand, enum sip_method method, struct flow flow,
						  unsigned padding);

// ---- a request of the peer's

#define STAND_PEER_BRANCH "z9hG4bKpeer1"
#define STAND_REQUEST_VIA(via, method)                                                                                 \
	method " sip:510@192.0.2.1 SIP/2.0\n"                                                                          \
	       "Via: SIP/2.0/" via "\n"                                                                                \
	       "Max-Forwards: 70\n"                                                                                    \
	       "From: <sip:330@example.com>;tag=them\n"                                                                \
	       "To: <sip:510@example.com>\n"                                                                           \
	       "Call-ID: call-2\n"                                                                                     \
	       "CSeq: 1 " method "\n"                                                                                  \
	       "Contact: <sip:330@192.0.2.9:5090>\n"                                                                   \
	       "Content-Length: 0\n\n"
#define STAND_REQUEST(method)     STAND_REQUEST_VIA("UDP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH, method)
#define STAND_REQUEST_TCP(method) STAND_REQUEST_VIA("TCP 192.0.2.9:5090;branch=" STAND_PEER_BRANCH, method)
// As stand_set_up; new requests start stand->server, whose answer is left to the test.
void stand_set_up_server(struct stand *stand);
void stand_respond(struct stand *stand, unsigned status); // with the To tag "us", and lets it be sent

struct flow stand_flow(struct stand *stand, enum transport kind); // to the peer
struct net_address stand_address(const char *text);               // "192.0.2.1:5060"

#endif

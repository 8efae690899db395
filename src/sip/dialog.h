// A dialog (RFC 3261 section 12): the tags, the order of requests, the route and the place where the other side can be
// reached. It writes requests and judges those that come; it sends nothing and knows no calls.
#ifndef SIP_DIALOG_H
#define SIP_DIALOG_H

#include "sip/transport.h"

enum { DIALOG_TAG_LENGTH = 16, DIALOG_ROUTES_MAX = SIP_LINE_MAX, DIALOG_REQUEST_MAX = SIP_MESSAGE_MAX };
enum { HOP_UNSAID = 254, HOP_UNKNOWN = 255 };

// The way that a URI names.
struct dialog_hop {
	struct net_address address; // family 0: a host's name, or nothing that can be read
	uint16_t port;              // beside that name; 0: it says none
	uint8_t transport;          // enum transport, or one of the two below
	bool secured;               // sips:
};

struct sip_dialog {
	struct list node;      // among a session's forks
	struct str call_id;    // owned
	struct str local;      // owned: From of what we send, with our tag
	struct str local_tag;  // within `local`
	struct str remote;     // owned: To of what we send, with the other's tag once it is known
	struct str remote_tag; // within `remote`; empty before the other side has answered
	struct str target;     // owned: the URI that requests are for (the other's Contact)
	struct str routes;     // owned: Route values joined by commas, or empty
	struct dialog_hop hop; // where `routes`, or else `target`, lead; read again only when they change
	struct flow flow;      // where packets come from, and go to when the target cannot be used
	bool pinned;           // behind NAT: always to the flow, whatever the target says
	bool sips;         // made with a sips: URI: our Contact must be one too (RFC 3261 sections 8.1.1.8 and 12.1.1)
	uint16_t own_name; // what our Contact calls us, as of sip_transport_name; 0: by our address
	bool is_nobody;    // our Contact has no user: the server itself speaks
	bool remote_cseq_known;
	uint32_t local_cseq;  // of our last request
	uint32_t remote_cseq; // of the other's last request
	uint32_t ack_cseq;
	struct str ack; // owned: the ACK of the last 2xx, to be sent for each repetition of it
};

// What a client's dialog starts from.
struct dialog_start {
	struct str target;
	struct str routes;
	struct str local;  // header value, without a tag
	struct str remote; // header value, without a tag
	struct flow flow;
	bool pinned;
	uint16_t own_name;
};

// Empty; dialog_clear is allowed on it.
void dialog_init(struct sip_dialog *dialog);
void dialog_clear(struct sip_dialog *dialog);

// All of these are false when there is no memory; the dialog is then as before or to be cleared.
bool dialog_start_client(struct sip_dialog *dialog, struct loop *loop, const struct dialog_start *start);
// From an INVITE that came. Its Contact becomes the target; without one (RFC 2543) the From's URI.
bool dialog_start_server(struct sip_dialog *dialog, struct loop *loop, const struct sip_message *invite,
			 const struct flow *from);
// The 2xx to our INVITE settles tag, route and target (RFC 3261 section 13.2.2.4).
bool dialog_confirm(struct sip_dialog *dialog, const struct sip_message *response);
// Another branch's 2xx to the same INVITE: a dialog of its own.
bool dialog_fork(struct sip_dialog *fork, const struct sip_dialog *first, const struct sip_message *response);
// A Contact in a re-INVITE, an UPDATE or its 2xx moves the target; the route stays (RFC 3261 section 12.2). A message without a
// usable Contact changes nothing.
bool dialog_refresh_target(struct sip_dialog *dialog, const struct sip_message *message);
// Whoever is reached by the flow alone is, from his re-INVITE or UPDATE on, where that came from: his network may have changed, while
// his Contact says the same. True when the flow is another one now.
bool dialog_refresh_flow(struct sip_dialog *dialog, const struct flow *from);

// The request's tags and Call-ID are this dialog's.
bool dialog_matches(const struct sip_dialog *dialog, const struct sip_message *request);
// Notes the CSeq; false when it is not above the last one's: 500 (RFC 3261 section 12.2.2).
bool dialog_in_order(struct sip_dialog *dialog, const struct sip_message *request);
// Whether packets from there can be the other side: its last address, its Contact or its route.
bool dialog_flow_plausible(const struct sip_dialog *dialog, const struct flow *from);
// Where the next request goes. Host names are not resolved: the flow then serves.
struct flow dialog_next_hop(const struct sip_dialog *dialog);
// The same by one of our sockets that speaks its transport and address family.
struct flow dialog_next_flow(const struct sip_dialog *dialog, struct sip_transport *transport);

// A request to be written.
struct request_draft {
	enum sip_method method;
	uint32_t cseq;
	unsigned max_forwards;
	struct str branch;
	struct str extra; // whole header lines
	struct str body_type;
	struct str body;
};
// Writes all of it; Contact is added where the method wants one. False when it does not fit.
bool dialog_write_request(const struct sip_dialog *dialog, struct sip_transport *transport, const struct flow *flow,
			  const struct request_draft *draft, struct writer *w);

// The Request-URI that requests are written with.
struct str dialog_request_uri(const struct sip_dialog *dialog);
// "Contact: <sip:carillon@host:port;transport=tcp>" and CRLF, for the flow.
void dialog_write_contact(const struct sip_dialog *dialog, struct sip_transport *transport, const struct flow *flow,
			  struct writer *w);
// Random letters and digits: tags and Call-IDs. `into` has room for `length` and a NUL.
void dialog_random_text(struct loop *loop, char *into, size_t length);
// The address that a URI names by number, with the scheme's and the transport's default port. False for a host name.
bool dialog_address_of(const struct sip_uri *uri, struct net_address *address);

#endif

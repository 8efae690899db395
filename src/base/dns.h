// Questions to the domain name system, answered without ever blocking. dns_cares.c asks through c-ares; the simulation in
// test/sim has a table of records instead. Nothing is kept from one question to the next: a cache belongs to who asks.
// One thread, the loop's.
#ifndef BASE_DNS_H
#define BASE_DNS_H

#include "base/dns_answer.h"
#include "base/loop.h"

struct dns;
struct dns_query;

// `answer` and all it points to live until the handler returns, which may ask, cancel and destroy.
typedef void dns_answered(void *context, const struct dns_answer *answer);

// Whether the text is a list of name servers: "192.0.2.53 [2001:db8::53]:5353", at most DNS_SERVERS_MAX; empty: the system's.
enum { DNS_SERVERS_MAX = 8 };
bool dns_servers_valid(struct str servers);
// 0 or a negative errno. The system's servers are read once, here.
int dns_create(struct loop *loop, struct str servers, struct dns **dns);
void dns_destroy(struct dns *dns); // cancels what is under way

// Asks for records of one type; the name is asked for as it is, no search domain is tried. The handler is called once, in a
// later turn, within DNS_PATIENCE_MS times the number of servers. NULL: no memory, or no name.
enum { DNS_PATIENCE_MS = 3000 };
struct dns_query *dns_ask(struct dns *dns, enum dns_type type, struct str name, dns_answered *answered, void *context);
void dns_cancel(struct dns_query *query); // its handler is not called any more

#endif

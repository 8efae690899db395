// A running call plane in a simulated world, for the harness of the whole stack: two people, Jane (510) with the devices desk
// and soft and a number outside, Bob (511) with the browser-like device web; a carrier at 10.0.0.9; records that are written
// at once.
#ifndef TEST_FUZZ_STACK_WORLD_H
#define TEST_FUZZ_STACK_WORLD_H

#include "domain/call_table.h"
#include "sim/sim.h"
#include "sip/endpoint.h"
#include "sip/tls.h"

#define STACK_REALM "fuzz.example"

struct stack_world {
	struct loop *loop;
	struct directory *directory;
	struct registrations *registrations;
	struct sip_endpoint *endpoint;
	struct call_table *table;
	struct records records;
	struct media media;
	struct tls *tls;
	struct arena arena; // hashes of passwords
	unsigned invitations, records_written, answered;
};

struct stack_world *stack_world_open(void);
struct net_address stack_world_server(enum transport transport);
// What an administrator does, drawn from a number: changes, deletes, ends calls, drains.
void stack_world_disturb(struct stack_world *world, unsigned what);
// All is ended and every timer runs out: nothing may be left.
void stack_world_close(struct stack_world *world);

#endif

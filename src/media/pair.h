// The inside of the adapter: sides, and the pairs of them that rtpengine knows as calls.
//
// A pair is two sides that exchange descriptions, and has an ng call of its own. One ng call for a forked call, with a
// via-branch for each callee, would be less, and was tried with rtpengine 10.5: each answer gives the caller's side a new pair of
// ports, and deleting a branch leaves the one that its answer had got open to the end of the call. A pair of its own ends as a
// whole: its ports are free when the relay answers the command.
#ifndef MEDIA_PAIR_H
#define MEDIA_PAIR_H

#include "base/hash.h"
#include "base/slots.h"
#include "media/description.h"
#include "media/keys.h"
#include "media/quality.h"
#include "media/relay.h"
#include "media/rtpengine.h"

enum { RECORD_ID_MAX = 63, NG_CALL_ID_MAX = 127, TAG_MAX = 23, PATIENCE_MS = 4900 };

struct rtpengine {
	struct rtpengine_options options;
	struct media_sink sink;
	struct relays *relays;
	struct keys *keys;        // NULL: nobody listens
	struct hash_table *sides; // by leg
	struct hash_table *pairs; // by both legs
	struct hash_table *calls; // by record
	struct slots *pair_ids;
	char instance[17]; // random, so that no call of ours is taken for one of an earlier run, or of another server
	uint64_t clock;    // counts what happens, to tell what was later
};

// A call keeps its relay, so that all its pairs are on one.
struct media_call {
	struct hash_node node;
	char record[RECORD_ID_MAX + 1];
	struct relay *relay;
	size_t pairs;
};

// What a side has had in one call record.
struct tally {
	struct list node; // of the side
	char record[RECORD_ID_MAX + 1], relay[MEDIA_RELAY_NAME_MAX + 1];
	unsigned number;
	struct quality quality;
};

struct side {
	struct hash_node node;
	struct rtpengine *rtpengine;
	uint64_t leg;
	bool released;             // nothing is told of it any more but its quality
	struct list ends;          // in pairs that go on
	unsigned deletes;          // pairs of it that are being deleted
	unsigned pairs;            // that it has ever had
	struct list tallies;       // owned
	struct list lost;          // among those that are to be told so
	struct {                   // what is said to it
		uint64_t sequence; // 0: nothing
		uint64_t pair;
	} play;
	struct timer timer; // the end of that; once it is released: its own
};

struct end {
	struct list node; // of the side; in no list once the pair is ending
	struct pair *pair;
	struct side *side;
	char tag[TAG_MAX + 1];
	unsigned number;
	unsigned which; // of its side's pairs, the first is 0
	bool described; // it has said something of itself
	bool has_ice;
	bool sends;
	uint64_t place;
	unsigned round;        // of the pair, when it was last described
	uint64_t described_at; // by the clock
};

enum command_kind {
	COMMAND_EXCHANGE, // offer or answer
	COMMAND_BLOCK,    // of one side: nothing of it is heard
	COMMAND_SILENCE,  // of one side: its keys alone are
	COMMAND_PLAY,
	COMMAND_STOP,
	COMMAND_UNBLOCK,
	COMMAND_UNSILENCE,
	COMMAND_DELETE,
};

struct command {
	struct list node; // of the pair
	enum command_kind kind;
	json_t *body; // owned
	uint64_t give_up_ms;
	// COMMAND_EXCHANGE: and what is needed to begin anew on another relay.
	uint64_t token, from, to;
	bool is_first, is_moved; // between the two; it has been on another relay already
	const struct relay *relay;
	char record[RECORD_ID_MAX + 1];
	unsigned numbers[2];
	struct description description; // its text is not there any more
	// COMMAND_PLAY
	uint64_t leg, sequence;
	uint64_t length_ms; // where the relay does not say
};

struct pair {
	struct hash_node node;
	struct rtpengine *rtpengine;
	uint64_t id;
	struct media_call *call;
	struct relay *relay;
	char call_id[NG_CALL_ID_MAX + 1];
	struct end ends[2];
	struct list commands;       // owned; carried out in this order, one at a time
	struct ng_request *request; // of the first of them
	unsigned rounds;            // offers until now
	bool settled;               // somebody has been given a description of this relay's
	uint64_t said_to; // the leg that the other side does not disturb, as far as commands have been given; 0: none
	bool ending;
	uint64_t begun_ms;
};

// ---- sides (side.c)

struct side *side_find(const struct rtpengine *rtpengine, uint64_t leg); // not one that was released
struct side *side_get(struct rtpengine *rtpengine, uint64_t leg);        // NULL: no memory
// Its pairs end. Its quality goes out once the relay has said how they fared, and then it is gone.
void side_release(struct side *side);
void side_look(struct side *side); // whether that is so now
void side_tally(struct side *side, const struct end *end, const struct quality *quality);
void side_free(struct side *side);

// ---- pairs (pair.c)

struct pair *pair_find(const struct rtpengine *rtpengine, uint64_t leg, uint64_t other);
// On another relay than this one (which may be NULL), where the call is not on one already. NULL: there is no relay, or no memory.
struct pair *pair_new(struct rtpengine *rtpengine, struct side *sides[2], struct str record,
		      const struct relay *other_than);
struct end *pair_end_of(struct pair *pair, uint64_t leg);
// Takes the command over. ERR_NO_MEMORY: it cannot even be sent; it is freed.
enum err pair_order(struct pair *pair, struct command *command);
struct command *command_new(struct pair *pair, enum command_kind kind); // NULL when there is no memory
void command_free(struct command *command);
// The sides have it no more; its ports are free once what is under way is answered.
void pair_end(struct pair *pair);
void pairs_lost(void *context, struct relay *relay, uint64_t before_ms); // relay_gone
void pair_free(struct pair *pair);
void pair_drop(struct pair *pair); // without a word to the relay

// ---- what becomes of commands

void exchange_over(struct rtpengine *rtpengine, const struct command *command, const json_t *answer); // exchange.c
void play_begun(struct rtpengine *rtpengine, const struct command *command, const json_t *answer);    // play.c
void play_over(struct side *side); // play.c: what was said to it has been said
void play_lost(struct side *side); // what is said to it is not heard any more

// ---- the port

enum err exchange_begin(void *context, const struct media_exchange *exchange);
enum err play_begin(void *context, uint64_t leg, const struct media_prompt *prompt);
void play_stop(void *context, uint64_t leg);

#endif

// The stage scenarios are played on: the real domain on simulated time, with signalling, records and media played by
// this file. Whatever the domain asks of them is written to a transcript in words.
#ifndef SCENARIO_STAGE_H
#define SCENARIO_STAGE_H

#include "domain/call_table.h"

enum { PARTY_NAME_SIZE = 48, PARTIES_MAX = 200, LAMPS_MAX = 8, RELAY_DEBTS_MAX = 20 };

// What the fake relay has been asked for and not answered yet.
struct relay_debt {
	uint64_t from, to; // legs
	uint64_t token;
	bool is_answer;
};

// A lamp of a phone that shows what an extension does.
struct stage_lamp {
	struct lamp_watch watch;
	char phone[PARTY_NAME_SIZE], extension[PARTY_NAME_SIZE];
	char shows[400];
	bool changed;
};

// One end of a leg: a phone, a carrier's far end, or a caller.
struct party {
	char name[PARTY_NAME_SIZE];
	uint64_t leg, session;
	bool calls;      // the caller's side
	bool is_carrier; // who is told of causes
	bool slow;       // answers neither CANCEL nor 200 by itself
	bool owes_ack, owes_487;
	bool without_offer;
	bool gone;
	uint64_t question; // the token of the last request it was asked, or its own transaction
};

struct stage {
	struct loop *loop;
	struct directory *directory;
	struct registrations *registrations;
	struct call_table *calls;
	struct signalling signalling;
	struct records records;
	struct media media;
	struct feature_desk desk;
	struct feature_order *order; // that the desk has yet to give back
	bool behind_nat;             // what registers now
	bool relay_up, relay_slow;   // slow: it answers when the scenario says so
	bool relay_refuses;          // whatever it is asked
	struct relay_debt relay_debts[RELAY_DEBTS_MAX];
	size_t relay_debt_count;
	uint64_t hears_music; // the leg that does; 0: none
	bool answers_early;   // the caller who comes next can (RFC 3262)
	struct party parties[PARTIES_MAX];
	size_t party_count;
	char slow[8][PARTY_NAME_SIZE]; // parties of these names are slow from the start
	char down[8][PARTY_NAME_SIZE]; // trunks that nothing can be sent to
	struct stage_lamp lamps[LAMPS_MAX];
	size_t lamp_count;
	struct arena arena; // entities, as they were last set
	struct entity *entities[100];
	char names[100][PARTY_NAME_SIZE];
	size_t entity_count;
	uint64_t started_ms;
	bool tells_time; // lines begin with the time
	char *transcript;
	size_t transcript_length;
};

void stage_open(struct stage *stage);
void stage_close(struct stage *stage); // fails when anything is left over
void stage_say(struct stage *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Parties that are not slow acknowledge and answer CANCELs. Then each lamp that changed is told of.
void stage_settle(struct stage *stage);
void stage_run(struct stage *stage, uint64_t duration_ms);
struct party *stage_party(struct stage *stage, const char *name); // the latest by that name that is still there
struct party *stage_enter(struct stage *stage, const char *name);
struct entity *stage_entity(struct stage *stage, const char *name);
struct entity *stage_add(struct stage *stage, const char *name, enum entity_kind kind);
void stage_put(struct stage *stage, struct entity *entity); // after changes
void stage_watch(struct stage *stage, const char *phone, const char *extension);
void stage_unwatch(struct stage *stage, const char *phone, const char *extension);
void stage_relay_open(struct stage *stage);
void stage_relay_pay(struct stage *stage);  // answers what it was asked for
void stage_relay_lose(struct stage *stage); // cannot answer it
void stage_lamps_show(struct stage *stage);
void stage_register(struct stage *stage, const struct device *device, const char *contact);
_Noreturn void stage_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

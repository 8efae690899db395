// Toll protection: what a leg to the outside may cost, and who answers for it. Every such leg, whatever makes it (dialled, on a
// ring plan, forwarded, redirected, transferred, moved), is judged here and nowhere else, and none begins without. Call thread
// only.
#ifndef DOMAIN_TOLL_H
#define DOMAIN_TOLL_H

#include "domain/directory.h"

enum toll_class { TOLL_NONE, TOLL_NATIONAL, TOLL_INTERNATIONAL, TOLL_PREMIUM };

struct toll;

struct toll *toll_create(struct directory *directory); // NULL when there is no memory; the directory lives longer
void toll_destroy(struct toll *toll);

// A leg that somebody wants.
struct toll_question {
	uint64_t payer_id;         // the user who dialled, forwarded, or whose ring plan it is; 0: nobody
	struct str number;         // canonical
	const struct route *route; // NULL: by whichever
	bool free;                 // an emergency, or a Teams client, which is in the house: passes always
};

struct toll_verdict {
	enum err err;           // ERR_NONE: it may begin
	enum toll_class needed; // by the number and the route
	enum toll_class held;   // by the payer
};

// Changes nothing: for trying what would be said as well.
struct toll_verdict toll_judge(const struct toll *toll, const struct toll_question *question);
enum toll_class toll_class_of(const struct directory *directory, struct str canonical);
// The verdict in words, for people: which class is needed, which prefix is denied.
enum { TOLL_SENTENCE_MAX = 200 };
struct str toll_sentence(const struct toll_verdict *verdict, char room[TOLL_SENTENCE_MAX]);

#endif

// What a store that nobody has used yet is filled with.
#ifndef FIRST_START_H
#define FIRST_START_H

#include "domain/records.h"
#include "domain/registration.h"

struct first_start {
	struct records *records;
	struct str realm; // of the devices' passwords
};

// Whether the store has no user at all. False also when it cannot be read.
bool first_start_is_due(const struct first_start *start);
// Creates the administrator "admin" with extension 100 and a random password that must be changed at the first sign-in,
// and prints both to standard output: the only time the password is seen.
enum err first_start_administrator(const struct first_start *start, struct problem *problem);
// Creates the example: Jane, extension 510, with a desk phone 330, a softphone 821 and the mobile 01444 123456 over a trunk;
// and Bob, extension 512, with a softphone 822 to call her from. Prints the devices' passwords.
enum err first_start_example(const struct first_start *start, struct problem *problem);

#endif

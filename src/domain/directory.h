// Users, devices, trunks, routes and numbers as the call thread sees them: in memory, indexed, told of each committed
// change. Call thread only.
#ifndef DOMAIN_DIRECTORY_H
#define DOMAIN_DIRECTORY_H

#include "base/net.h"
#include "domain/device.h"
#include "domain/did.h"
#include "domain/feature_code.h"
#include "domain/number.h"
#include "domain/phone_key.h"
#include "domain/session.h"
#include "domain/site.h"
#include "domain/trunk.h"
#include "domain/user.h"

struct directory;

// The plan counts until the site's settings are put; it is copied, its slices are not. NULL when there is no memory.
struct directory *directory_create(const struct number_plan *plan);
void directory_destroy(struct directory *directory);
// The feature codes, which are the usual ones before. False when there is no memory; they are copied.
bool directory_set_features(struct directory *directory, const struct feature_codes *codes);
const struct feature_codes *directory_features(const struct directory *directory);
const struct number_plan *
directory_plan(const struct directory *directory); // its slices live until the settings change

// Creates or replaces, by kind and id; copies. ERR_NO_MEMORY leaves the old one. Sessions and tokens are ignored.
enum err directory_put(struct directory *directory, const struct entity *entity);
void directory_remove(struct directory *directory, enum entity_kind kind, uint64_t id);

// The passwords of browsers' phones; the directory's own.
struct phone_keys *directory_phone_keys(const struct directory *directory);

// NULL when there is none. Valid until the next put or remove.
const struct user *directory_user(const struct directory *directory, uint64_t id);
const struct user *directory_user_by_extension(const struct directory *directory, struct str extension);
const struct device *directory_device(const struct directory *directory, uint64_t id);
// A device that registers, by its number: the name it authenticates with.
const struct device *directory_device_by_number(const struct directory *directory, struct str number);

// Who will be looked up soon is fetched while other work is done (base/fetch.h), in two steps, of which the second waits for what the first
// has fetched. By the extension or the number the second step is given what the first one gave.
uint64_t directory_expect(const struct directory *directory, enum entity_kind kind, struct str key);
void directory_fetch(const struct directory *directory, enum entity_kind kind, uint64_t expected);
void directory_expect_device(const struct directory *directory, uint64_t id);
void directory_fetch_device(const struct directory *directory, uint64_t id);
void directory_expect_holder(const struct directory *directory, uint64_t device_id); // this one step alone

const struct site *directory_site(const struct directory *directory); // the settings; NULL: none were put
// The external number or Teams user that this canonical number is; NULL: none, or more than one.
const struct device *directory_device_by_canonical(const struct directory *directory, struct str canonical);
const struct trunk *directory_trunk(const struct directory *directory, uint64_t id);
// All trunks one after the other, in no order; NULL begins and ends. The previous one must still be there.
const struct trunk *directory_trunk_after(const struct directory *directory, const struct trunk *previous);
// The enabled trunk whose inbound addresses hold this one.
const struct trunk *directory_trunk_by_address(const struct directory *directory, const struct net_address *address);
// Whether its inbound addresses, or else its host's, hold this one.
bool directory_trunk_has_address(const struct directory *directory, uint64_t id, const struct net_address *address);
// The narrowest DID that holds the number and that this trunk may deliver; trunk 0: whichever delivers it.
const struct did *directory_did(const struct directory *directory, struct str canonical, uint64_t trunk_id);
// The first DID that reaches the user, of those that were made; NULL: none does.
const struct did *directory_did_of_user(const struct directory *directory, uint64_t user_id);

// Who has the device: by assignment, else by selection. NULL: nobody. External numbers may have several holders: the
// first is given.
const struct user *directory_holder(const struct directory *directory, uint64_t device_id);
struct holding_view {
	enum held held;
	const struct user *user; // the first holder; NULL: nobody
	size_t holders;          // how many there are; more than one for external numbers alone
	int64_t expires_at;      // of the selection, wall clock ms; 0 = never, or no selection
};
struct holding_view directory_holding(const struct directory *directory, uint64_t device_id);
// The device that the user has selected; 0: none.
uint64_t directory_selected(const struct directory *directory, uint64_t user_id);

// The user's devices as turns: the assignments in order; without any, the selection with the default ring time.
// Gives how many were written, at most USER_TURNS_MAX.
size_t directory_turns(const struct directory *directory, const struct user *user,
		       struct turn_plan turns[USER_TURNS_MAX]);

// Routes for a canonical outside number, the most specific pattern first, then by cost. Gives how many, at most `max`.
size_t directory_routes(const struct directory *directory, struct str canonical, const struct route **routes,
			size_t max);
// The ways to MS Teams: a route without a rule for each enabled trunk there, the oldest first. At most `max`.
size_t directory_teams_routes(const struct directory *directory, const struct route **routes, size_t max);
// The trunks to MS Teams: those enabled as they are tried, the oldest first, then those disabled. At most `max`.
size_t directory_teams_trunks(const struct directory *directory, const struct trunk **trunks, size_t max);
// The Teams user with this number; NULL: nobody.
const struct device *directory_teams_device(const struct directory *directory, struct str canonical);

#endif

// Canonical numbers: made by the site's plan, one of a kind, and made anew when the plan changes. On the writer's thread, inside the
// write's own transaction, so that none is ever made by a plan that no longer counts.
#ifndef STORE_NUMBER_RULES_H
#define STORE_NUMBER_RULES_H

#include "domain/device.h"
#include "domain/number_plan.h"
#include "store/change.h"

// The site's plan as the database has it. Its slices live in `arena`.
enum err number_rules_plan(struct database *database, struct arena *arena, struct number_plan *plan);
// True for the kinds whose fields the plan has a say in.
bool number_rules_concern(enum entity_kind kind);
// Makes the canonical number of what is about to be written. Texts made live in `arena`.
enum err number_rules_prepare(struct change_set *set, struct entity *entity, struct arena *arena);
// No other device of its kind may be the same number, however it is written.
enum err number_rules_device(struct change_set *set, const struct device *device);
// The settings are about to be written. When they read numbers in another way, every canonical number is made anew, and the
// write is refused when one becomes impossible, two become the same, or somebody's extension an emergency code.
enum err number_rules_replan(struct change_set *set, const struct site *before, const struct site *after);

#endif

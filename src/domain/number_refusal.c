// What a carrier's refusal says of the number shown, and which trunks are known to refuse numbers that are not their own.
#include "domain/number_refusal.h"

#include "base/log.h"
#include "domain/call.h"
#include "domain/status_list.h"

#include <stdlib.h>

struct number_refusal {
	struct hash_node node; // in call_table.number_refusals, by trunk
	uint64_t trunk_id, trunk_version;
	uint64_t until_ms;     // loop_now_ms: own numbers are shown at once until then; 0: it is only suspected
	uint64_t suspect_hash; // of the number called when a 6xx came, which may be a person's
};

// ---- what is remembered

static bool same_trunk(const struct hash_node *node, const void *key)
{
	return container_of(node, const struct number_refusal, node)->trunk_id == *(const uint64_t *)key;
}

static struct number_refusal *refusal_of(const struct call_table *table, uint64_t trunk_id)
{
	struct hash_node *node = hash_find(table->number_refusals, hash_uint(trunk_id), same_trunk, &trunk_id);

	return node ? container_of(node, struct number_refusal, node) : NULL;
}

static void forget(struct call_table *table, struct number_refusal *refusal)
{
	hash_remove(table->number_refusals, &refusal->node);
	free(refusal);
}

// Of a trunk as it is now: whoever edits it may have changed just that.
static const struct number_refusal *refusal_now(const struct call_table *table, const struct trunk *trunk)
{
	const struct number_refusal *refusal = refusal_of(table, trunk->entity.id);

	if (!refusal || refusal->trunk_version != trunk->entity.version ||
	    refusal->until_ms <= loop_now_ms(table->ports.loop))
		return NULL;
	return refusal;
}

bool number_refusals_known(const struct call_table *table, const struct trunk *trunk)
{
	return refusal_now(table, trunk) != NULL;
}

int64_t call_table_own_number_until(const struct call_table *table, const struct trunk *trunk)
{
	const struct number_refusal *refusal = refusal_now(table, trunk);
	struct loop *loop = table->ports.loop;

	return refusal ? (int64_t)(loop_time_ms(loop) + (refusal->until_ms - loop_now_ms(loop))) : 0;
}

struct number_refusal_counters call_table_number_refusals(const struct call_table *table)
{
	return (struct number_refusal_counters){table->number_retries, table->own_numbers_learnt};
}

static void remember(struct call_table *table, const struct trunk *trunk, unsigned status, uint64_t called_hash)
{
	struct number_refusal *refusal = refusal_of(table, trunk->entity.id);

	if (!refusal) {
		refusal = calloc(1, sizeof *refusal);
		if (!refusal)
			return;
		refusal->trunk_id = trunk->entity.id;
		if (!hash_insert(table->number_refusals, &refusal->node, hash_uint(trunk->entity.id))) {
			free(refusal);
			return;
		}
	}
	if (refusal->trunk_version != trunk->entity.version)
		refusal->suspect_hash = 0;
	refusal->trunk_version = trunk->entity.version;
	// A 6xx may be the wish of somebody who refuses this one caller; two who do so are none.
	if (status >= 600 && (refusal->suspect_hash == 0 || refusal->suspect_hash == called_hash)) {
		refusal->suspect_hash = called_hash;
		return;
	}
	refusal->until_ms = loop_now_ms(table->ports.loop) + NUMBER_REFUSAL_KEPT_MS;
	table->own_numbers_learnt++;
	log_warning("trunk_refuses_numbers", LOG_STR("trunk", trunk->title), LOG_UINT("status", status),
		    LOG_UINT("shows_own_for_s", NUMBER_REFUSAL_KEPT_MS / 1000));
}

static bool free_visited(struct hash_node *node, void *context)
{
	forget(context, container_of(node, struct number_refusal, node));
	return true;
}

void number_refusals_free(struct call_table *table)
{
	if (table->number_refusals)
		hash_visit(table->number_refusals, free_visited, table);
	hash_destroy(table->number_refusals);
}

// ---- the second try

// Before anything but 100, by a status that the trunk is known to mean so, and not of a number that is the user's own already.
bool number_refusal_retry(struct leg *leg)
{
	struct attempt *attempt = leg->attempt;
	struct call_turn *turn = leg->turn;
	struct call_table *table = leg->call->table;
	const struct trunk *trunk = leg->trunk_id ? directory_trunk(table->ports.directory, leg->trunk_id) : NULL;
	char room[NUMBER_MAX];

	// Whatever else the carrier has to say of the second one, it is not the number.
	if (trunk && turn->number_refused && leg->status < 700 && leg->status / 100 != 5 &&
	    !status_list_holds(trunk->number_refusals, leg->status))
		number_refusal_confirm(leg);
	if (!trunk || leg->rang || attempt->emergency || turn->shows_own_over == leg->trunk_id ||
	    !status_list_holds(trunk->number_refusals, leg->status))
		return false;
	struct str own = caller_id_own(attempt, turn, trunk, room);
	const struct route *route = route_over(attempt, turn, leg->trunk_id);
	if (!route || str_empty(own) || str_equal(own, leg->shown_number))
		return false;
	turn->shows_own_over = leg->trunk_id;
	turn->number_refused = leg->status;
	leg->reason =
	    arena_format(&attempt->record->arena, "%.*s; tried again showing %.*s", STR_ARG(leg->reason), STR_ARG(own));
	log_info("call_number_refused", LOG_UINT("call", leg->call->id), LOG_UINT("leg", leg->number),
		 LOG_STR("trunk", trunk->title), LOG_UINT("status", leg->status), LOG_STR("own", own));
	table->number_retries++;
	return leg_begin(attempt, turn, NULL, route) == ERR_NONE;
}

void number_refusal_confirm(const struct leg *leg)
{
	struct call_table *table = leg->call->table;
	struct call_turn *turn = leg->turn;
	const struct trunk *trunk;

	if (!turn->number_refused || turn->shows_own_over != leg->trunk_id)
		return;
	unsigned status = turn->number_refused;
	turn->number_refused = 0;
	trunk = directory_trunk(table->ports.directory, leg->trunk_id);
	if (trunk && !number_refusals_known(table, trunk))
		remember(table, trunk, status, hash_str(turn->number));
}

// Sides: found by their leg, gone when they are released and the relay has said how they fared.
#include "media/pair.h"

#include <stdlib.h>
#include <string.h>

static bool has_leg(const struct hash_node *node, const void *key)
{
	return container_of(node, struct side, node)->leg == *(const uint64_t *)key;
}

struct side *side_find(const struct rtpengine *rtpengine, uint64_t leg)
{
	struct hash_node *node = hash_find(rtpengine->sides, hash_uint(leg), has_leg, &leg);
	struct side *side = node ? container_of(node, struct side, node) : NULL;

	return side && !side->released ? side : NULL;
}

void side_tally(struct side *side, const struct end *end, const struct quality *quality)
{
	const char *record = end->pair->call->record;
	struct tally *tally;

	list_each (node, following, &side->tallies) {
		tally = container_of(node, struct tally, node);
		if (strcmp(tally->record, record) == 0) {
			quality_add(&tally->quality, quality);
			return;
		}
	}
	tally = calloc(1, sizeof *tally);
	if (!tally)
		return; // of a figure in a record alone
	strcpy(tally->record, record);
	str_to_cstring(relay_name(end->pair->relay), tally->relay, sizeof tally->relay);
	tally->number = end->number;
	tally->quality = *quality;
	list_append(&side->tallies, &tally->node);
}

static void tallies_tell(struct side *side)
{
	const struct media_sink *sink = &side->rtpengine->sink;

	list_each (node, following, &side->tallies) {
		const struct tally *tally = container_of(node, struct tally, node);
		sink->quality(sink->context, &(struct media_quality){
						 .record = str_of(tally->record),
						 .number = tally->number,
						 .relay = str_of(tally->relay),
						 .codec = str_of(tally->quality.codec),
						 .packets = tally->quality.packets,
						 .lost = tally->quality.lost,
						 .jitter_ms = quality_jitter_ms(&tally->quality),
						 .mos_hundred = quality_mos_hundred(&tally->quality),
					     });
	}
}

static void finish(struct side *side)
{
	hash_remove(side->rtpengine->sides, &side->node);
	tallies_tell(side);
	side_free(side);
}

static void due(struct timer *timer)
{
	struct side *side = container_of(timer, struct side, timer);

	if (side->released)
		finish(side);
	else
		play_over(side);
}

struct side *side_get(struct rtpengine *rtpengine, uint64_t leg)
{
	struct side *side = side_find(rtpengine, leg);

	if (side)
		return side;
	side = calloc(1, sizeof *side);
	if (!side)
		return NULL;
	side->rtpengine = rtpengine;
	side->leg = leg;
	list_init(&side->ends);
	list_init(&side->tallies);
	list_init(&side->lost);
	timer_init(&side->timer, due);
	if (hash_insert(rtpengine->sides, &side->node, hash_uint(leg)))
		return side;
	free(side);
	return NULL;
}

void side_look(struct side *side)
{
	if (side->released && side->deletes == 0)
		timer_start(side->rtpengine->options.loop, &side->timer, 1); // nothing is told out of a call from above
}

void side_release(struct side *side)
{
	side->released = true;
	side->play.sequence = 0;
	timer_stop(&side->timer);
	list_remove(&side->lost);
	while (!list_empty(&side->ends))
		pair_end(container_of(side->ends.next, struct end, node)->pair);
	side_look(side);
}

void side_free(struct side *side)
{
	if (side->node.hash)
		hash_remove(side->rtpengine->sides, &side->node);
	timer_stop(&side->timer);
	list_remove(&side->lost);
	list_each (node, following, &side->tallies)
		free(container_of(node, struct tally, node));
	free(side);
}

// The adapter as a whole: what the port asks goes to exchanges and prompts; what relays see comes back as leg ids.
#include "media/pair.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_MAX = 1 << 20 };

static bool available(void *context)
{
	const struct rtpengine *rtpengine = context;

	return relays_available(rtpengine->relays);
}

static void release(void *context, uint64_t leg)
{
	struct side *side = side_find(context, leg);

	if (side)
		side_release(side);
}

struct media rtpengine_media(struct rtpengine *rtpengine)
{
	return (struct media){
	    .context = rtpengine,
	    .takes_all = rtpengine->options.takes_all,
	    .available = available,
	    .translate = exchange_begin,
	    .play = play_begin,
	    .stop = play_stop,
	    .release = release,
	};
}

// "INSTANCE-PAIR-RECORD", as pair.c writes it.
static void key_was_heard(void *context, struct str call_id, struct str tag, char key)
{
	struct rtpengine *rtpengine = context;
	struct str instance, id;
	uint64_t number, leg;

	if (!str_take(&call_id, '-', &instance) || !str_take(&call_id, '-', &id) ||
	    !str_equal(instance, str_of(rtpengine->instance)) || !str_to_uint(id, UINT64_MAX, &number) ||
	    !str_starts(tag, STR("l")) || !str_to_uint(str_from(tag, 1), UINT64_MAX, &leg))
		return;
	const struct pair *pair = slots_find(rtpengine->pair_ids, number);
	if (!pair || pair->ending || (pair->ends[0].side->leg != leg && pair->ends[1].side->leg != leg))
		return;
	rtpengine->sink.key_pressed(rtpengine->sink.context, leg, key);
}

size_t rtpengine_status(const struct rtpengine *rtpengine, struct media_relay_state states[MEDIA_RELAYS_MAX])
{
	return relays_states(rtpengine->relays, states);
}

struct net_address rtpengine_dtmf_local(const struct rtpengine *rtpengine)
{
	return rtpengine->keys ? keys_local(rtpengine->keys) : (struct net_address){.family = 0};
}

// ---- making and ending

static int relays_make(struct rtpengine *rtpengine)
{
	const struct rtpengine_options *options = &rtpengine->options;
	int error = relays_create(options->loop, &options->local, pairs_lost, rtpengine, &rtpengine->relays);

	for (size_t i = 0; !error && i < options->relay_count; i++)
		error = relays_add(rtpengine->relays, &(struct relay_settings){.name = options->relays[i].name,
									       .address = options->relays[i].address,
									       .weight = options->relays[i].weight});
	if (!error && options->dtmf_listen.family)
		error = keys_listen(options->loop, &options->dtmf_listen, rtpengine->relays, key_was_heard, rtpengine,
				    &rtpengine->keys);
	return error;
}

struct rtpengine *rtpengine_create(const struct rtpengine_options *options, const struct media_sink *sink)
{
	struct rtpengine *rtpengine = calloc(1, sizeof *rtpengine);
	uint8_t random[8];
	int error = -ENOMEM;

	if (!rtpengine) {
		errno = ENOMEM;
		return NULL;
	}
	rtpengine->options = *options;
	rtpengine->sink = *sink;
	rtpengine->sides = hash_create();
	rtpengine->pairs = hash_create();
	rtpengine->calls = hash_create();
	rtpengine->pair_ids = slots_create(PAIRS_MAX);
	loop_random(options->loop, random, sizeof random);
	struct writer w = writer_into(rtpengine->instance, sizeof rtpengine->instance);
	writer_hex(&w, random, sizeof random);
	if (rtpengine->sides && rtpengine->pairs && rtpengine->calls && rtpengine->pair_ids)
		error = relays_make(rtpengine);
	if (!error)
		return rtpengine;
	rtpengine_destroy(rtpengine);
	errno = -error;
	return NULL;
}

static bool side_drop(struct hash_node *node, void *context)
{
	(void)context;
	side_free(container_of(node, struct side, node));
	return true;
}

static void drop(void *pair, void *context)
{
	(void)context;
	pair_drop(pair);
}

void rtpengine_destroy(struct rtpengine *rtpengine)
{
	if (!rtpengine)
		return;
	keys_close(rtpengine->keys);
	if (rtpengine->pair_ids)
		slots_visit(rtpengine->pair_ids, drop, NULL);
	if (rtpengine->sides)
		hash_visit(rtpengine->sides, side_drop, NULL);
	relays_destroy(rtpengine->relays);
	hash_destroy(rtpengine->sides);
	hash_destroy(rtpengine->pairs);
	hash_destroy(rtpengine->calls);
	slots_destroy(rtpengine->pair_ids);
	free(rtpengine);
}

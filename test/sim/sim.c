// sim: runs simulated worlds, one per seed, and says how they went. A seed that fails replays alone, with the ladder of the
// call in which it failed.
#include "sim/plane.h"

#include "base/hash.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALLS_PER_WORLD = 200 };

struct options {
	uint64_t seed;      // the first
	uint64_t calls;     // in all
	uint64_t per_world; // calls in one world
	bool twice;         // every world runs again, to the same hash
	bool ladder;        // print every packet
	bool verbose;
};

// ---- the ladder

struct ladder {
	const struct plane_result *wanted; // only the packets of its failed call; NULL: all
};

static void header_of(struct str bytes, const char *name, char *into, size_t size)
{
	struct str rest = bytes, line;
	into[0] = '\0';
	while (str_take(&rest, '\n', &line)) {
		if (str_starts_nocase(line, str_of(name))) {
			str_to_cstring(str_trim(str_from(line, strlen(name))), into, size);
			return;
		}
	}
}

static void print_packet(void *context, const struct sim_packet *packet, const char *arrow)
{
	const struct ladder *ladder = context;
	char from[64], to[64], call_id[300], cseq[64];
	struct writer from_writer = writer_into(from, sizeof from - 1), to_writer = writer_into(to, sizeof to - 1);
	bool wanted = !ladder->wanted;

	header_of(packet->bytes, "Call-ID:", call_id, sizeof call_id);
	header_of(packet->bytes, "CSeq:", cseq, sizeof cseq);
	for (unsigned i = 0; ladder->wanted && i < ladder->wanted->failed_call_id_count; i++)
		wanted |= strcmp(call_id, ladder->wanted->failed_call_ids[i]) == 0;
	if (!wanted)
		return;
	net_address_write(&from_writer, &packet->from);
	net_address_write(&to_writer, &packet->to);
	from[from_writer.used] = to[to_writer.used] = '\0';
	const bool readable = call_id[0] != '\0' && packet->bytes.at[0] >= 'A' && packet->bytes.at[0] <= 'Z';
	const struct str line = readable ? str_trim(str_first(packet->bytes, str_index(packet->bytes, '\n')))
					 : STR("(no message that can be read)");
	printf("%10.3f  %-16s %s %-16s  %.*s  [%s] %s\n", (double)packet->at_ms / 1000, from, arrow, to, STR_ARG(line),
	       cseq, call_id);
	if (getenv("SIM_BYTES"))
		printf("%.*s\n", STR_ARG(packet->bytes));
}

static void print_arrived(void *context, const struct sim_packet *packet)
{
	print_packet(context, packet, "->");
}

static void print_lost(void *context, const struct sim_packet *packet, enum sim_fate fate)
{
	if (fate == SIM_LOST || fate == SIM_REFUSED)
		print_packet(context, packet, "-x");
}

// ---- one world

static bool world_failed(const struct options *options, uint64_t seed, const struct plane_result *result)
{
	struct ladder ladder = {options->ladder ? NULL : result};
	const struct sim_watcher watcher = {.sent = print_lost, .arrived = print_arrived, .context = &ladder};
	struct plane_result again;

	printf("seed %" PRIu64 " failed %s\n", seed, result->failure);
	printf("replay: sim --seed %" PRIu64 " --calls %" PRIu64 "\n", seed, options->per_world);
	if (result->ring_plan[0])
		printf("ring plan: %s\n", result->ring_plan);
	if (!result->failed_call_id_count && !options->ladder)
		return false;
	plane_run(&(struct plane_settings){.seed = seed, .calls = (unsigned)options->per_world, .watcher = &watcher},
		  &again);
	return false;
}

static bool world_run(const struct options *options, uint64_t seed, struct plane_totals *totals, uint64_t *simulated_ms)
{
	const struct plane_settings settings = {.seed = seed, .calls = (unsigned)options->per_world};
	struct plane_result result, again;

	plane_run(&settings, &result);
	if (result.failure[0])
		return world_failed(options, seed, &result);
	if (options->twice) {
		plane_run(&settings, &again);
		if (again.transcript != result.transcript) {
			printf("seed %" PRIu64 " gave another run the second time: %016" PRIx64 ", then %016" PRIx64
			       "\n",
			       seed, result.transcript, again.transcript);
			return false;
		}
	}
	if (options->verbose)
		printf("seed %" PRIu64 ": %" PRIu64 " calls, %" PRIu64 " answered, %" PRIu64
		       " packets, transcript %016" PRIx64 "\n",
		       seed, result.totals.calls, result.totals.answered, result.totals.packets, result.transcript);
	totals->calls += result.totals.calls;
	totals->answered += result.totals.answered;
	totals->refused += result.totals.refused;
	totals->outside_legs += result.totals.outside_legs;
	for (size_t i = 0; i < sizeof totals->finals / sizeof *totals->finals; i++)
		totals->finals[i] += result.totals.finals[i];
	totals->referred += result.totals.referred;
	totals->transferred += result.totals.transferred;
	totals->gave_up += result.totals.gave_up;
	totals->legs += result.totals.legs;
	totals->records += result.totals.records;
	totals->packets += result.totals.packets;
	*simulated_ms += result.simulated_ms;
	return true;
}

static bool options_parse(int count, char **words, struct options *options)
{
	for (int i = 1; i < count; i++) {
		const char *value = i + 1 < count ? words[i + 1] : "";
		uint64_t *number = strcmp(words[i], "--seed") == 0        ? &options->seed
				   : strcmp(words[i], "--calls") == 0     ? &options->calls
				   : strcmp(words[i], "--per-world") == 0 ? &options->per_world
									  : NULL;
		if (number) {
			if (!str_to_uint(str_of(value), UINT32_MAX, number))
				return false;
			i++;
		} else if (strcmp(words[i], "--twice") == 0) {
			options->twice = true;
		} else if (strcmp(words[i], "--ladder") == 0) {
			options->ladder = true;
		} else if (strcmp(words[i], "--verbose") == 0) {
			options->verbose = true;
		} else {
			return false;
		}
	}
	return options->calls > 0 && options->per_world > 0;
}

static void print_finals(const struct plane_totals *totals)
{
	printf("refused with");
	for (size_t status = 300; status < sizeof totals->finals / sizeof *totals->finals; status++)
		if (totals->finals[status])
			printf(" %zu: %" PRIu64, status, totals->finals[status]);
	printf("\n");
}

int main(int count, char **words)
{
	struct options options = {.seed = 1, .calls = CALLS_PER_WORLD, .per_world = CALLS_PER_WORLD};
	const uint8_t secret[16] = {1};
	struct plane_totals totals = {0};
	uint64_t simulated_ms = 0, worlds = 0;
	const clock_t began = clock();

	if (!options_parse(count, words, &options)) {
		fprintf(
		    stderr,
		    "usage: sim [--seed N] [--calls N] [--per-world N] [--twice] [--ladder] [--verbose]\n"
		    "Runs worlds of %d random calls, from seed N on, until there were as many calls as asked for.\n",
		    CALLS_PER_WORLD);
		return 2;
	}
	hash_set_secret(secret);
	log_set_level(getenv("SIM_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	for (uint64_t seed = options.seed; totals.calls < options.calls; seed++, worlds++)
		if (!world_run(&options, seed, &totals, &simulated_ms))
			return 1;
	printf("%" PRIu64 " calls in %" PRIu64 " worlds: %" PRIu64 " answered, %" PRIu64 " refused (%" PRIu64
	       " of them given up); %" PRIu64 " legs, %" PRIu64 " of them outside; %" PRIu64 " records, %" PRIu64
	       " packets; %" PRIu64 " of %" PRIu64 " transfers taken\n",
	       totals.calls, worlds, totals.answered, totals.refused, totals.gave_up, totals.legs, totals.outside_legs,
	       totals.records, totals.packets, totals.transferred, totals.referred);
	print_finals(&totals);
	printf("%.0f simulated seconds in %.1f s of processor time\n", (double)simulated_ms / 1000,
	       (double)(clock() - began) / CLOCKS_PER_SEC);
	return 0;
}

// One array in the order of width, then first number. Ranges of one width do not overlap (the store sees to that), so one
// place for each width there is has to be looked at: a site has a handful of widths, however many numbers.
#include "domain/did_table.h"

#include <stdlib.h>
#include <string.h>

struct did_place {
	int64_t width; // last - first
	int64_t first;
	const struct did *did;
};

void did_table_free(struct did_table *table)
{
	free(table->places);
	*table = (struct did_table){.places = NULL};
}

// The first place behind all of this width that begin with this number or before.
static size_t place_behind(const struct did_table *table, int64_t width, int64_t first)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct did_place *place = &table->places[middle];
		if (place->width < width || (place->width == width && place->first <= first))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool did_table_enter(struct did_table *table, const struct did *did)
{
	int64_t first, last;

	if (!did_values(did->canonical, &first, &last))
		return true;
	if (table->count == table->size) {
		size_t size = table->size ? table->size * 2 : 16;
		struct did_place *places = realloc(table->places, size * sizeof *places);
		if (!places)
			return false;
		table->places = places;
		table->size = size;
	}
	size_t at = place_behind(table, last - first, first);
	memmove(&table->places[at + 1], &table->places[at], (table->count - at) * sizeof *table->places);
	table->places[at] = (struct did_place){last - first, first, did};
	table->count++;
	return true;
}

void did_table_leave(struct did_table *table, const struct did *did)
{
	int64_t first, last;

	if (!did_values(did->canonical, &first, &last))
		return;
	for (size_t at = place_behind(table, last - first, first); at-- > 0;) {
		const struct did_place *place = &table->places[at];
		if (place->width != last - first || place->first != first)
			return;
		if (place->did != did)
			continue;
		table->count--;
		memmove(&table->places[at], &table->places[at + 1], (table->count - at) * sizeof *table->places);
		return;
	}
}

const struct did *did_table_find(const struct did_table *table, struct str canonical, uint64_t trunk_id)
{
	int64_t value;

	if (!did_value(canonical, &value))
		return NULL;
	for (size_t begin = 0; begin < table->count;) {
		int64_t width = table->places[begin].width;
		for (size_t at = place_behind(table, width, value); at-- > begin;) {
			const struct did *did = table->places[at].did;
			if (value - table->places[at].first > width)
				break;
			if (trunk_id == 0 || did->trunk_id == 0 || did->trunk_id == trunk_id)
				return did;
		}
		begin = place_behind(table, width, INT64_MAX);
	}
	return NULL;
}

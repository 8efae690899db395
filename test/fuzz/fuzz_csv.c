// Reads any bytes as CSV; what was read, written again, reads the same.
#include "base/csv.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 64 };

static void cell_comes_back(struct str cell, struct arena *arena)
{
	size_t size = csv_cell_size(cell) + 8;
	struct writer w = writer_into(arena_alloc(arena, size), size);
	struct csv_row row;
	struct csv csv;

	if (!w.at)
		return;
	writer_text(&w, "a,b\n");
	csv_cell_write(&w, cell, ',');
	writer_text(&w, ",x\n");
	if (w.overflow)
		abort();
	csv_begin(&csv, writer_result(&w));
	if (csv_next(&csv, arena, &row) != CSV_ROW || csv_next(&csv, arena, &row) != CSV_ROW || row.count != 2 ||
	    !str_equal(csv_cell_read(row.cells[0]), cell))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct csv_row row;
	struct csv csv;

	arena_init(&arena, 1 << 22);
	csv_begin(&csv, (struct str){(const char *)data, size});
	for (unsigned rows = 0; rows < ROWS_MAX && csv_next(&csv, &arena, &row) == CSV_ROW; rows++) {
		if (row.count == 0 || row.line == 0)
			abort();
		for (size_t i = 0; i < row.count; i++)
			if (row.cells[i].length < CSV_CELL_MAX / 2)
				cell_comes_back(row.cells[i], &arena);
	}
	arena_free(&arena);
	return 0;
}

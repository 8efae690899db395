// Pages by keyset: a cursor holds the sort value and the id of the last row, and the next page is what comes after them. A page
// costs the same wherever it lies, and rows that come and go shift nothing.
//
// With conditions, the ids of what matches are gathered first, up to LIST_TOTAL_MAX: that is the total, and says which way the page is
// found: the page out of their ids, or, when there are more, in order of the sort's index, where it is met soon.
#include "store/entity_list.h"

#include "base/digest.h"
#include "store/entity_sql.h"
#include "store/list_sql.h"

#include <assert.h>
#include <string.h>

enum { LIMIT_MAX = 1000 };

struct listing {
	struct list_wish wish;
	struct arena *arena;
	struct entity_page *page;
	bool more;            // a row beyond the page was seen
	uint64_t total;       // gathered, at most LIST_TOTAL_MAX + 1
	uint64_t *matches;    // the first LIST_TOTAL_MAX of them
	struct str last_sort; // the sort value of the page's last row
};

static struct str cursor_make(const struct listing *listing)
{
	const struct entity_page *page = listing->page;
	unsigned long long id = page->entities[page->count - 1]->id;
	char *value;

	if (!listing->wish.sort)
		return arena_format(listing->arena, "%llu", id);
	value = arena_alloc(listing->arena, 4 * ((listing->last_sort.length + 2) / 3) + 1);
	if (!value)
		return STR_NONE;
	struct str encoded = digest_base64url(listing->last_sort.at, listing->last_sort.length, value);
	return arena_format(listing->arena, "%llu.%.*s", id, STR_ARG(encoded));
}

// ---- the page

static enum err take_row(void *context, const struct row *row)
{
	struct listing *listing = context;
	struct entity_page *page = listing->page;
	unsigned sort_column = entity_column_count(listing->wish.type);
	enum err err;

	if (page->count == listing->wish.query->limit) {
		listing->more = true;
		return ERR_NONE;
	}
	err = entity_from_row(row, listing->wish.kind, listing->arena, &page->entities[page->count]);
	if (err)
		return err;
	page->count++;
	if (!listing->wish.sort || page->count < listing->wish.query->limit)
		return ERR_NONE; // no cursor will be needed after this row
	if (list_sort_is_text(listing->wish.sort))
		listing->last_sort = arena_copy(listing->arena, row_text(row, sort_column));
	else
		listing->last_sort = arena_format(listing->arena, "%lld", (long long)row_integer(row, sort_column));
	return listing->last_sort.at ? ERR_NONE : ERR_NO_MEMORY;
}

static void columns_write(struct list_draft *draft, const struct listing *listing)
{
	writer_text(&draft->w, "SELECT ");
	entity_write_columns(&draft->w, listing->wish.type);
	if (listing->wish.sort) {
		writer_text(&draft->w, ", ");
		list_write_sort(&draft->w, listing->wish.sort, WAY_OF_MATCHES);
	}
	writer_format(&draft->w, " FROM %s WHERE id IN (", listing->wish.type->plural);
}

static void limit_write(struct list_draft *draft, const struct listing *listing)
{
	writer_format(&draft->w, " LIMIT $%u",
		      list_draft_value(draft, value_integer((int64_t)listing->wish.query->limit + 1)));
}

static enum err draft_run(struct database *database, struct list_draft *draft, struct listing *listing)
{
	return database_run(database, list_draft_sql(draft), list_draft_values(draft),
			    (struct row_visitor){take_row, listing});
}

// The page's ids first, so that only its own rows are read whole; what is looked through meanwhile is an index, if there is one.
static enum err page_read_in_order(struct database *database, struct listing *listing)
{
	const struct list_wish *wish = &listing->wish;
	struct list_draft draft;
	enum err err = list_draft_start(&draft, listing->arena, 0);

	if (err)
		return err;
	columns_write(&draft, listing);
	writer_format(&draft.w, "SELECT id FROM %s", wish->type->plural);
	err = list_write_conditions(&draft, &(struct list_conditions){wish, WAY_IN_ORDER, listing->arena, database});
	if (!err)
		err = list_write_cursor(&draft, wish, WAY_IN_ORDER, listing->arena);
	if (err)
		return err;
	list_write_order(&draft, wish, WAY_IN_ORDER);
	limit_write(&draft, listing);
	writer_char(&draft.w, ')');
	list_write_order(&draft, wish, WAY_OF_MATCHES);
	return draft_run(database, &draft, listing);
}

// The page out of the kept ids. They are numbers of our own, so they may stand in the text.
static enum err page_read_of_matches(struct database *database, struct listing *listing)
{
	struct list_draft draft;
	enum err err = list_draft_start(&draft, listing->arena, listing->total);

	if (err)
		return err;
	columns_write(&draft, listing);
	for (uint64_t i = 0; i < listing->total; i++) {
		writer_text(&draft.w, i ? "," : "");
		writer_uint(&draft.w, listing->matches[i]);
	}
	writer_text(&draft.w, ")");
	draft.has_where = true;
	err = list_write_cursor(&draft, &listing->wish, WAY_OF_MATCHES, listing->arena);
	if (err)
		return err;
	list_write_order(&draft, &listing->wish, WAY_OF_MATCHES);
	limit_write(&draft, listing);
	return draft_run(database, &draft, listing);
}

// ---- what matches

static enum err take_match(void *context, const struct row *row)
{
	struct listing *listing = context;

	if (listing->total < LIST_TOTAL_MAX)
		listing->matches[listing->total] = row_id(row, 0);
	listing->total++; // LIST_TOTAL_MAX + 1 is "more"
	return ERR_NONE;
}

static enum err matches_run(struct database *database, struct list_draft *draft, struct listing *listing)
{
	listing->total = 0;
	writer_format(&draft->w, " LIMIT %d", LIST_TOTAL_MAX + 1);
	return database_run(database, list_draft_sql(draft), list_draft_values(draft),
			    (struct row_visitor){take_match, listing});
}

// Those that have the words, by their index. `done` when that is all that is asked for.
static enum err words_gather(struct database *database, struct listing *listing, bool *done)
{
	struct list_wish *wish = &listing->wish;
	struct str words[LIST_WORDS_MAX];
	size_t count = list_indexed_words(wish, words);
	struct list_draft draft;
	enum err err;

	*done = false;
	if (count == 0) {
		wish->words_are_common = true; // for all that is known
		return ERR_NONE;
	}
	err = list_draft_start(&draft, listing->arena, 0);
	if (!err)
		err = list_write_words(&draft, wish, listing->arena, database);
	if (!err)
		err = matches_run(database, &draft, listing);
	if (err)
		return err;
	wish->words_are_common = listing->total > LIST_TOTAL_MAX;
	*done = listing->total == 0 || (count == wish->word_count && wish->query->filter_count == 0);
	return ERR_NONE;
}

static enum err matches_gather(struct database *database, struct listing *listing)
{
	struct list_draft draft;
	bool done;
	enum err err;

	listing->matches = arena_alloc(listing->arena, LIST_TOTAL_MAX * sizeof *listing->matches);
	if (!listing->matches)
		return ERR_NO_MEMORY;
	err = words_gather(database, listing, &done);
	if (err || done)
		return err;
	err = list_draft_start(&draft, listing->arena, 0);
	if (err)
		return err;
	writer_format(&draft.w, "SELECT id FROM %s", listing->wish.type->plural);
	err = list_write_conditions(
	    &draft, &(struct list_conditions){&listing->wish, WAY_OF_MATCHES, listing->arena, database});
	return err ? err : matches_run(database, &draft, listing);
}

// ---- how many refer to each

enum { COUNT_MAX = 500 }; // ids in one statement

struct counting {
	const uint64_t *ids;
	size_t count;
	uint64_t *counts;
};

static enum err take_count(void *context, const struct row *row)
{
	struct counting *counting = context;

	for (size_t i = 0; i < counting->count; i++)
		if (counting->ids[i] == row_id(row, 0))
			counting->counts[i] = row_id(row, 1);
	return ERR_NONE;
}

enum err entity_count_by(struct database *database, const struct field *field, enum entity_kind kind,
			 const uint64_t *ids, size_t count, uint64_t *counts)
{
	char sql[LIST_SQL_MAX];
	struct counting counting = {ids, count, counts};
	enum err err = ERR_NONE;

	memset(counts, 0, count * sizeof *counts);
	for (size_t from = 0; !err && from < count; from += COUNT_MAX) {
		struct writer w = writer_into(sql, sizeof sql);
		writer_format(&w, "SELECT %s, count(*) FROM %s WHERE %s IN (", field->name, entity_type(kind)->plural,
			      field->name);
		for (size_t i = from; i < count && i < from + COUNT_MAX; i++) {
			writer_text(&w, i > from ? "," : "");
			writer_uint(&w, ids[i]);
		}
		writer_format(&w, ") GROUP BY %s", field->name);
		writer_char(&w, '\0');
		assert(!w.overflow);
		err = database_run(database, sql, VALUES_NONE, (struct row_visitor){take_count, &counting});
	}
	return err;
}

static enum err turns_read(struct database *database, const struct listing *listing)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && i < listing->page->count && listing->wish.kind == ENTITY_USER; i++)
		err = entity_read_turns(database, (struct user *)listing->page->entities[i], listing->arena);
	return err;
}

// ---- the list

// All there are: counting them costs little.
static enum err all_read(struct database *database, struct listing *listing)
{
	char sql[64];
	struct writer w = writer_into(sql, sizeof sql);
	int64_t total = 0;
	enum err err = page_read_in_order(database, listing);

	if (err)
		return err;
	if (!listing->more && str_empty(listing->wish.query->cursor)) { // all of it is on this page
		listing->page->total = listing->page->count;
		return ERR_NONE;
	}
	writer_format(&w, "SELECT count(*) FROM %s", listing->wish.type->plural);
	writer_char(&w, '\0');
	err = database_integer(database, sql, VALUES_NONE, &total);
	listing->page->total = (uint64_t)total;
	return err;
}

static enum err matching_read(struct database *database, struct listing *listing)
{
	enum err err = matches_gather(database, listing);

	if (err)
		return err;
	listing->page->total_is_least = listing->total > LIST_TOTAL_MAX;
	listing->page->total = listing->page->total_is_least ? LIST_TOTAL_MAX : listing->total;
	if (listing->total == 0)
		return ERR_NONE;
	return listing->page->total_is_least ? page_read_in_order(database, listing)
					     : page_read_of_matches(database, listing);
}

enum err entity_list(struct database *database, enum entity_kind kind, const struct list_query *query,
		     struct arena *arena, struct entity_page *page)
{
	struct listing listing = {.arena = arena, .page = page};
	enum err err = query->limit >= 1 && query->limit <= LIMIT_MAX ? ERR_NONE : ERR_MALFORMED;

	*page = (struct entity_page){.entities = NULL};
	if (!err)
		err = list_wish_read(&listing.wish, kind, query, arena);
	if (err)
		return err;
	page->entities = arena_alloc(arena, query->limit * sizeof *page->entities);
	if (!page->entities)
		return ERR_NO_MEMORY;
	err = listing.wish.word_count == 0 && query->filter_count == 0 ? all_read(database, &listing)
								       : matching_read(database, &listing);
	if (!err)
		err = turns_read(database, &listing);
	if (err || !listing.more)
		return err;
	page->next = cursor_make(&listing);
	return page->next.at ? ERR_NONE : ERR_NO_MEMORY;
}

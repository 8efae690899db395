// Pages by keyset: a cursor holds the sort value and the id of the last row, and the next page is what comes after them,
// found by index. A page costs the same wherever it lies, and rows that come and go shift nothing.
//
// Many conditions have no index: words are looked for in the narrow index on `search`. So the first FEW ids that match are
// gathered. When that is all of them, the page is sorted out of these; when there are more, walking in sort order meets a page of
// them soon.
#include "store/entity_list.h"

#include "base/digest.h"
#include "store/entity_sql.h"
#include "store/text.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum {
	SQL_MAX = 16384, // a list of FEW ids and everything else
	WORDS_MAX = 6,
	LIMIT_MAX = 1000,
	FEW = 1000,      // matches of a search whose ids are kept
	CHOICES_MAX = 8, // in one filter
	VALUES_MAX = 8 * CHOICES_MAX + WORDS_MAX + 3,
};

// A statement while it is put together.
struct statement_draft {
	struct writer w;
	char sql[SQL_MAX];
	struct value values[VALUES_MAX];
	size_t value_count;
	bool has_where;
};

struct listing {
	enum entity_kind kind;
	const struct entity_type *type;
	const struct list_query *query;
	struct arena *arena;
	const struct field *sort; // NULL: by id
	bool descending;
	struct entity_page *page;
	bool more;     // a row beyond the page was seen
	bool searched; // then `few` holds the first ids, and `total` counts them, or is FEW + 1
	uint64_t total;
	uint64_t *few;
	struct str last_sort; // the sort value of the page's last row
};

static void draft_start(struct statement_draft *draft)
{
	draft->w = writer_into(draft->sql, sizeof draft->sql);
	draft->value_count = 0;
	draft->has_where = false;
}

// Gives the placeholder's number.
static unsigned draft_value(struct statement_draft *draft, struct value value)
{
	assert(draft->value_count < VALUES_MAX);
	draft->values[draft->value_count++] = value;
	return (unsigned)draft->value_count;
}

static void draft_and(struct statement_draft *draft)
{
	writer_text(&draft->w, draft->has_where ? " AND " : " WHERE ");
	draft->has_where = true;
}

static const char *draft_sql(struct statement_draft *draft)
{
	writer_char(&draft->w, '\0');
	assert(!draft->w.overflow);
	return draft->sql;
}

// ---- what is looked for

// What is in no column: from other tables, in %-less SQL where $ stands for the value's placeholder.
struct derived_sql {
	enum entity_kind kind;
	const char *name;
	const char *sql;
};
static const struct derived_sql derived_sqls[] = {
    {ENTITY_USER, "signed_in", "id IN (SELECT user_id FROM sessions)"},
    {ENTITY_USER, "has_devices", "EXISTS (SELECT 1 FROM assignments WHERE user_id = users.id)"},
    {ENTITY_DEVICE, "held", "held = $"},
    {ENTITY_DEVICE, "holder_id",
     "id IN (SELECT device_id FROM assignments WHERE user_id = $ UNION ALL "
     "SELECT device_id FROM selections WHERE user_id = $)"},
    {ENTITY_DEVICE, "registered",
     "EXISTS (SELECT 1 FROM registrations WHERE device_id = devices.id AND expires_at > $)"},
};

static bool is_derived(const struct entity_type *type, const struct field *field)
{
	return type->derived && field >= type->derived && field < type->derived + type->derived_count;
}

static int64_t wall_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum err derived_write(struct statement_draft *draft, const struct entity_type *type,
			      const struct list_filter *filter)
{
	const struct field *field = filter->field;
	const struct derived_sql *found = NULL;
	struct value value;
	struct str rest;

	if (!value_parse(field, filter->value, &value))
		return ERR_INVALID_FIELD;
	for (size_t i = 0; i < sizeof derived_sqls / sizeof *derived_sqls && !found; i++) {
		const struct derived_sql *row = &derived_sqls[i];
		if (row->kind == type->kind && strcmp(row->name, field->name) == 0)
			found = row;
	}
	if (!found)
		return ERR_UNKNOWN_FIELD;
	draft_and(draft);
	writer_text(&draft->w, field->type == FIELD_BOOLEAN && !value.integer ? "NOT (" : "(");
	rest = str_of(found->sql);
	if (str_index(rest, '$') == rest.length) {
		writer_str(&draft->w, rest);
	} else {
		unsigned number =
		    draft_value(draft, field->type == FIELD_BOOLEAN ? value_integer(wall_clock_ms()) : value);
		for (size_t i = 0; i < rest.length; i++) {
			if (rest.at[i] == '$')
				writer_format(&draft->w, "$%u", number);
			else
				writer_char(&draft->w, rest.at[i]);
		}
	}
	writer_text(&draft->w, ")");
	return ERR_NONE;
}

// One of several: kind=sip_phone,softphone.
static enum err choices_write(struct statement_draft *draft, const struct list_filter *filter)
{
	struct str rest = filter->value, piece;
	struct value value;

	draft_and(draft);
	writer_format(&draft->w, "%s IN (", filter->field->name);
	for (unsigned count = 0; str_take(&rest, ',', &piece); count++) {
		if (count == CHOICES_MAX || !value_parse(filter->field, piece, &value))
			return ERR_INVALID_FIELD;
		writer_format(&draft->w, "%s$%u", count ? ", " : "", draft_value(draft, value));
	}
	writer_char(&draft->w, ')');
	return ERR_NONE;
}

static enum err filter_write(struct statement_draft *draft, const struct entity_type *type,
			     const struct list_filter *filter)
{
	const struct field *field = filter->field;
	struct value value;

	if (is_derived(type, field))
		return derived_write(draft, type, filter);
	if (field->flags & FIELD_HIDDEN)
		return ERR_UNKNOWN_FIELD;
	if (field->type == FIELD_CHOICE && !str_empty(filter->value))
		return choices_write(draft, filter);
	if (!value_parse(field, filter->value, &value))
		return ERR_INVALID_FIELD;
	draft_and(draft);
	if (value.type == VALUE_NULL)
		writer_format(&draft->w, "%s IS NULL", field->name);
	else if (field->type == FIELD_TEXT)
		writer_format(&draft->w, "lower(%s) = lower($%u)", field->name, draft_value(draft, value));
	else
		writer_format(&draft->w, "%s = $%u", field->name, draft_value(draft, value));
	return ERR_NONE;
}

// Every word must occur; control characters part words too, since the column has its fields line by line.
static bool word_take(struct str *rest, struct str *word)
{
	size_t start = 0, end;

	while (start < rest->length && (unsigned char)rest->at[start] <= ' ')
		start++;
	for (end = start; end < rest->length && (unsigned char)rest->at[end] > ' ';)
		end++;
	*word = (struct str){rest->at + start, end - start};
	*rest = str_from(*rest, end);
	return !str_empty(*word);
}

static bool word_has_digit(struct str word)
{
	for (size_t i = 0; i < word.length; i++)
		if (word.at[i] >= '0' && word.at[i] <= '9')
			return true;
	return false;
}

// Words with digits first: they are the rarer ones, and where one is missing the others are not looked for.
static enum err search_write(struct statement_draft *draft, const struct listing *listing)
{
	for (int digits = 1; digits >= 0; digits--) {
		struct str rest = listing->query->q, word;
		for (unsigned words = 0; words < WORDS_MAX && word_take(&rest, &word); words++) {
			struct str pattern;
			if (word_has_digit(word) != digits)
				continue;
			pattern = text_pattern(word, listing->arena);
			if (!pattern.at)
				return ERR_NO_MEMORY;
			draft_and(draft);
			writer_format(&draft->w, "search LIKE $%u ESCAPE '\\'",
				      draft_value(draft, value_text(pattern)));
		}
	}
	return ERR_NONE;
}

static enum err conditions_write(struct statement_draft *draft, const struct listing *listing)
{
	const struct list_query *query = listing->query;

	if (query->filter_count > sizeof query->filters / sizeof *query->filters)
		return ERR_MALFORMED;
	for (size_t i = 0; i < query->filter_count; i++) {
		enum err err = filter_write(draft, listing->type, &query->filters[i]);
		if (err)
			return err;
	}
	return search_write(draft, listing);
}

// ---- the order

// What rows are sorted by before their id: never NULL, and what an index serves.
static void sort_write(struct writer *w, const struct field *sort)
{
	switch (sort->type) {
	case FIELD_TEXT:
		writer_format(w, "lower(%s)", sort->name);
		return;
	case FIELD_REFERENCE:
		writer_format(w, "coalesce(%s, 0)", sort->name);
		return;
	case FIELD_INTEGER:
	case FIELD_TIME:
	case FIELD_BOOLEAN:
	case FIELD_CHOICE:
		writer_text(w, sort->name);
		return;
	}
}

static bool sort_is_text(const struct field *sort)
{
	return sort->type == FIELD_TEXT || sort->type == FIELD_CHOICE;
}

static enum err sort_parse(struct listing *listing)
{
	struct str sort = listing->query->sort;

	listing->descending = str_starts(sort, STR("-"));
	if (listing->descending)
		sort = str_from(sort, 1);
	if (str_empty(sort) || str_equal(sort, STR("id")))
		return ERR_NONE;
	listing->sort = entity_field(listing->type, sort);
	return listing->sort && !(listing->sort->flags & FIELD_HIDDEN) ? ERR_NONE : ERR_UNKNOWN_FIELD;
}

static void order_write(struct statement_draft *draft, const struct listing *listing)
{
	const char *direction = listing->descending ? " DESC" : "";

	writer_text(&draft->w, " ORDER BY ");
	if (listing->sort) {
		sort_write(&draft->w, listing->sort);
		writer_format(&draft->w, "%s, ", direction);
	}
	writer_format(&draft->w, "id%s LIMIT $%u", direction,
		      draft_value(draft, value_integer((int64_t)listing->query->limit + 1)));
}

// ---- the cursor: "ID", or "ID.VALUE" with the sort value in base64url

static struct str cursor_make(const struct listing *listing)
{
	const struct entity_page *page = listing->page;
	unsigned long long id = page->entities[page->count - 1]->id;
	char *value;

	if (!listing->sort)
		return arena_format(listing->arena, "%llu", id);
	value = arena_alloc(listing->arena, 4 * ((listing->last_sort.length + 2) / 3) + 1);
	if (!value)
		return STR_NONE;
	struct str encoded = digest_base64url(listing->last_sort.at, listing->last_sort.length, value);
	return arena_format(listing->arena, "%llu.%.*s", id, STR_ARG(encoded));
}

static bool sort_value_parse(const struct listing *listing, struct str text, struct value *value)
{
	int64_t integer;

	if (sort_is_text(listing->sort)) {
		*value = value_text(text);
		return true;
	}
	if (!str_to_int(text, INT64_MIN, INT64_MAX, &integer))
		return false;
	*value = listing->sort->type == FIELD_BOOLEAN ? value_boolean(integer != 0) : value_integer(integer);
	return true;
}

static enum err cursor_write(struct statement_draft *draft, const struct listing *listing)
{
	struct str rest = listing->query->cursor, id_text;
	char comparison = listing->descending ? '<' : '>';
	struct value value;
	uint64_t id;

	if (str_empty(rest))
		return ERR_NONE;
	if (!str_take(&rest, '.', &id_text) || !str_to_uint(id_text, INT64_MAX, &id) || id == 0)
		return ERR_MALFORMED;
	if (!listing->sort) {
		if (!str_empty(rest))
			return ERR_MALFORMED;
		draft_and(draft);
		writer_format(&draft->w, "id %c $%u", comparison, draft_value(draft, value_id(id)));
		return ERR_NONE;
	}
	size_t size = rest.length;
	char *decoded = arena_alloc(listing->arena, size + 1);
	if (!decoded)
		return ERR_NO_MEMORY;
	if (!digest_base64url_decode(rest, decoded, &size) ||
	    !sort_value_parse(listing, (struct str){decoded, size}, &value))
		return ERR_MALFORMED;
	// The row value (sort, id) > ($1, $2), spelled so that SQLite seeks with an index on an expression too.
	unsigned first = draft_value(draft, value);
	draft_and(draft);
	sort_write(&draft->w, listing->sort);
	writer_format(&draft->w, " %c= $%u AND (", comparison, first);
	sort_write(&draft->w, listing->sort);
	writer_format(&draft->w, " %c $%u OR id %c $%u)", comparison, first, comparison,
		      draft_value(draft, value_id(id)));
	return ERR_NONE;
}

// ---- the page

static enum err take_row(void *context, const struct row *row)
{
	struct listing *listing = context;
	struct entity_page *page = listing->page;
	unsigned sort_column = entity_column_count(listing->type);
	enum err err;

	if (page->count == listing->query->limit) {
		listing->more = true;
		return ERR_NONE;
	}
	err = entity_from_row(row, listing->kind, listing->arena, &page->entities[page->count]);
	if (err)
		return err;
	page->count++;
	if (!listing->sort || page->count < listing->query->limit)
		return ERR_NONE; // no cursor will be needed after this row
	if (sort_is_text(listing->sort))
		listing->last_sort = arena_copy(listing->arena, row_text(row, sort_column));
	else
		listing->last_sort = arena_format(listing->arena, "%lld", (long long)row_integer(row, sort_column));
	return listing->last_sort.at ? ERR_NONE : ERR_NO_MEMORY;
}

static void columns_write(struct statement_draft *draft, const struct listing *listing)
{
	writer_text(&draft->w, "SELECT ");
	entity_write_columns(&draft->w, listing->type);
	if (listing->sort) {
		writer_text(&draft->w, ", ");
		sort_write(&draft->w, listing->sort);
	}
}

static enum err draft_run(struct database *database, struct statement_draft *draft, struct listing *listing)
{
	order_write(draft, listing);
	return database_run(database, draft_sql(draft), (struct values){draft->values, draft->value_count},
			    (struct row_visitor){take_row, listing});
}

// The page in sort order, each row tested.
static enum err page_read_in_order(struct database *database, struct listing *listing)
{
	struct statement_draft draft;
	enum err err;

	draft_start(&draft);
	columns_write(&draft, listing);
	writer_format(&draft.w, " FROM %s", listing->type->plural);
	err = conditions_write(&draft, listing);
	if (!err)
		err = cursor_write(&draft, listing);
	return err ? err : draft_run(database, &draft, listing);
}

static enum err take_match(void *context, const struct row *row)
{
	struct listing *listing = context;

	if (listing->total < FEW)
		listing->few[listing->total] = row_id(row, 0);
	listing->total++; // FEW + 1 is "more than a few"
	return ERR_NONE;
}

static enum err matches_gather(struct database *database, struct listing *listing)
{
	struct statement_draft draft;
	enum err err;

	listing->searched = true;
	listing->few = arena_alloc(listing->arena, FEW * sizeof *listing->few);
	if (!listing->few)
		return ERR_NO_MEMORY;
	draft_start(&draft);
	writer_format(&draft.w, "SELECT id FROM %s", listing->type->plural);
	err = conditions_write(&draft, listing);
	if (err)
		return err;
	writer_format(&draft.w, " LIMIT %d", FEW + 1);
	return database_run(database, draft_sql(&draft), (struct values){draft.values, draft.value_count},
			    (struct row_visitor){take_match, listing});
}

// The page out of the kept ids. They are numbers of our own, so they may stand in the text.
static enum err page_read_of_few(struct database *database, struct listing *listing)
{
	struct statement_draft draft;
	enum err err;

	draft_start(&draft);
	columns_write(&draft, listing);
	writer_format(&draft.w, " FROM %s", listing->type->plural);
	draft_and(&draft);
	writer_text(&draft.w, "id IN (");
	for (uint64_t i = 0; i < listing->total; i++) {
		writer_text(&draft.w, i ? "," : "");
		writer_uint(&draft.w, listing->few[i]);
	}
	writer_text(&draft.w, ")");
	err = cursor_write(&draft, listing);
	return err ? err : draft_run(database, &draft, listing);
}

static enum err page_read(struct database *database, struct listing *listing)
{
	struct str rest = listing->query->q, word;
	enum err err;

	if (!word_take(&rest, &word) && listing->query->filter_count == 0)
		return page_read_in_order(database, listing);
	err = matches_gather(database, listing);
	if (err || listing->total == 0)
		return err;
	return listing->total <= FEW ? page_read_of_few(database, listing) : page_read_in_order(database, listing);
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
	char sql[SQL_MAX];
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

	for (size_t i = 0; !err && i < listing->page->count && listing->kind == ENTITY_USER; i++)
		err = entity_read_turns(database, (struct user *)listing->page->entities[i], listing->arena);
	return err;
}

// All there are costs nothing; how many match is counted up to a bound.
static enum err total_read(struct database *database, struct listing *listing)
{
	struct statement_draft draft;
	int64_t total = 0;
	enum err err = ERR_NONE;

	if (listing->searched && listing->total <= FEW) {
		listing->page->total = listing->total;
		return ERR_NONE;
	}
	if (!listing->searched && !listing->more && str_empty(listing->query->cursor)) { // all of it is on this page
		listing->page->total = listing->page->count;
		return ERR_NONE;
	}
	draft_start(&draft);
	writer_text(&draft.w, listing->searched ? "SELECT count(*) FROM (SELECT 1 FROM " : "SELECT count(*) FROM ");
	writer_text(&draft.w, listing->type->plural);
	if (listing->searched) {
		err = conditions_write(&draft, listing);
		writer_format(&draft.w, " LIMIT %d) AS matches", LIST_TOTAL_MAX + 1);
	}
	if (!err)
		err = database_integer(database, draft_sql(&draft), (struct values){draft.values, draft.value_count},
				       &total);
	listing->page->total_is_least = listing->searched && total > LIST_TOTAL_MAX;
	listing->page->total = listing->page->total_is_least ? LIST_TOTAL_MAX : (uint64_t)total;
	return err;
}

enum err entity_list(struct database *database, enum entity_kind kind, const struct list_query *query,
		     struct arena *arena, struct entity_page *page)
{
	struct listing listing = {
	    .kind = kind, .type = entity_type(kind), .query = query, .arena = arena, .page = page};
	enum err err = query->limit >= 1 && query->limit <= LIMIT_MAX ? sort_parse(&listing) : ERR_MALFORMED;

	*page = (struct entity_page){.entities = NULL};
	if (err)
		return err;
	page->entities = arena_alloc(arena, query->limit * sizeof *page->entities);
	if (!page->entities)
		return ERR_NO_MEMORY;
	err = page_read(database, &listing);
	if (!err)
		err = turns_read(database, &listing);
	if (!err)
		err = total_read(database, &listing);
	if (err || !listing.more)
		return err;
	page->next = cursor_make(&listing);
	return page->next.at ? ERR_NONE : ERR_NO_MEMORY;
}

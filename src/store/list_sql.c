// Names of tables and columns come from the field tables alone; everything else is a value.
#include "store/list_sql.h"

#include "base/digest.h"
#include "store/entity_sql.h"
#include "store/text.h"

#include <assert.h>
#include <string.h>

// ---- a statement

enum err list_draft_start(struct list_draft *draft, struct arena *arena, size_t ids)
{
	size_t size = LIST_SQL_MAX + ids * sizeof "18446744073709551615,";

	draft->sql = arena_alloc(arena, size);
	if (!draft->sql)
		return ERR_NO_MEMORY;
	draft->w = writer_into(draft->sql, size);
	draft->value_count = 0;
	draft->has_where = false;
	return ERR_NONE;
}

unsigned list_draft_value(struct list_draft *draft, struct value value)
{
	assert(draft->value_count < LIST_VALUES_MAX);
	draft->values[draft->value_count++] = value;
	return (unsigned)draft->value_count;
}

void list_draft_and(struct list_draft *draft)
{
	writer_text(&draft->w, draft->has_where ? " AND " : " WHERE ");
	draft->has_where = true;
}

const char *list_draft_sql(struct list_draft *draft)
{
	writer_char(&draft->w, '\0');
	assert(!draft->w.overflow);
	return draft->sql;
}

struct values list_draft_values(const struct list_draft *draft)
{
	return (struct values){draft->values, draft->value_count};
}

// ---- what a query asks for

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

static enum err words_read(struct list_wish *wish, struct arena *arena)
{
	struct str rest = wish->query->q, word;

	while (wish->word_count < LIST_WORDS_MAX && word_take(&rest, &word)) {
		struct str copy = arena_copy(arena, word);
		if (!copy.at)
			return ERR_NO_MEMORY;
		text_fold((char *)(uintptr_t)copy.at, copy.length);
		wish->words[wish->word_count++] = copy;
	}
	return ERR_NONE;
}

enum err list_wish_read(struct list_wish *wish, enum entity_kind kind, const struct list_query *query,
			struct arena *arena)
{
	struct str sort = query->sort;

	*wish = (struct list_wish){.kind = kind, .type = entity_type(kind), .query = query};
	if (query->filter_count > sizeof query->filters / sizeof *query->filters)
		return ERR_MALFORMED;
	wish->descending = str_starts(sort, STR("-"));
	if (wish->descending)
		sort = str_from(sort, 1);
	if (!str_empty(sort) && !str_equal(sort, STR("id"))) {
		wish->sort = entity_sort_field(wish->type, sort);
		if (!wish->sort)
			return ERR_UNKNOWN_FIELD;
	}
	return words_read(wish, arena);
}

// ---- columns

// A column, or one that no index fits.
static void column_write(struct writer *w, const struct field *field, bool by_index)
{
	const char *name = field->name;

	if (by_index) {
		writer_format(w, field->type == FIELD_TEXT ? "lower(%s)" : "%s", name);
		return;
	}
	switch (field->type) {
	case FIELD_TEXT:
		writer_format(w, "lower(%s) || ''", name);
		return;
	case FIELD_CHOICE:
		writer_format(w, "%s || ''", name);
		return;
	case FIELD_BOOLEAN:
		writer_format(w, "(%s AND TRUE)", name);
		return;
	case FIELD_INTEGER:
	case FIELD_TIME:
	case FIELD_REFERENCE:
		writer_format(w, "%s + 0", name);
		return;
	}
}

// What lists are filtered by within an index that is in sort order, too.
struct ordered_filter {
	enum entity_kind kind;
	const char *filter;
	const char *sort; // "": by id
};
static const struct ordered_filter ordered_filters[] = {
    {ENTITY_DEVICE, "kind", ""},      {ENTITY_DEVICE, "kind", "number"},
    {ENTITY_DEVICE, "kind", "title"}, {ENTITY_DEVICE, "kind", "description"},
    {ENTITY_DEVICE, "held", ""},      {ENTITY_USER, "role", ""},
    {ENTITY_USER, "reach", ""},
};

static bool filter_is_ordered(const struct list_wish *wish, const struct list_filter *filter)
{
	const char *sort = wish->sort ? wish->sort->name : "";

	if (str_index(filter->value, ',') < filter->value.length)
		return false; // one of several values: then the index is in several pieces
	for (size_t i = 0; i < sizeof ordered_filters / sizeof *ordered_filters; i++) {
		const struct ordered_filter *row = &ordered_filters[i];
		if (row->kind == wish->kind && strcmp(row->filter, filter->field->name) == 0 &&
		    strcmp(row->sort, sort) == 0)
			return true;
	}
	return false;
}

// Numbers and yes or no have few values each; looking through an index of all of them together is quicker than through the rows
// that one of them has.
static bool filter_by_index(const struct list_wish *wish, const struct list_filter *filter, enum list_way way)
{
	const struct field *field = filter->field;

	if (way == WAY_IN_ORDER)
		return filter_is_ordered(wish, filter);
	if (field->type == FIELD_BOOLEAN)
		return strcmp(field->name, "registered") == 0 || strcmp(field->name, "single_sign_on") == 0;
	return field->type != FIELD_INTEGER;
}

// ---- filters

// What is in no column: from other tables, where $ stands for the value's placeholder and # for the id.
struct derived_sql {
	enum entity_kind kind;
	const char *name;
	const char *sql;
	const char *otherwise; // for "false"; NULL: it has no such value
};
static const struct derived_sql derived_sqls[] = {
    {ENTITY_USER, "signed_in", "# IN (SELECT user_id FROM sessions)", "# NOT IN (SELECT user_id FROM sessions)"},
    // Who has no devices can be reached by a selected one alone.
    {ENTITY_USER, "has_devices", "EXISTS (SELECT 1 FROM assignments WHERE user_id = users.id)",
     "# IN (SELECT id FROM users WHERE reach = 'nothing' UNION ALL SELECT user_id FROM selections) "
     "AND NOT EXISTS (SELECT 1 FROM assignments WHERE user_id = users.id)"},
    {ENTITY_DEVICE, "holder_id",
     "# IN (SELECT device_id FROM assignments WHERE user_id = $ UNION ALL "
     "SELECT device_id FROM selections WHERE user_id = $)",
     NULL},
};

static const struct derived_sql *derived_find(const struct list_wish *wish, const struct field *field)
{
	for (size_t i = 0; i < sizeof derived_sqls / sizeof *derived_sqls; i++)
		if (derived_sqls[i].kind == wish->kind && strcmp(derived_sqls[i].name, field->name) == 0)
			return &derived_sqls[i];
	return NULL;
}

static void derived_write(struct list_draft *draft, const struct derived_sql *derived, struct value value,
			  enum list_way way)
{
	unsigned number = strchr(derived->sql, '$') ? list_draft_value(draft, value) : 0;

	list_draft_and(draft);
	writer_char(&draft->w, '(');
	for (const char *at = derived->otherwise && !value.integer ? derived->otherwise : derived->sql; *at; at++) {
		if (*at == '$')
			writer_format(&draft->w, "$%u", number);
		else if (*at == '#')
			writer_text(&draft->w, way == WAY_IN_ORDER ? "id + 0" : "id");
		else
			writer_char(&draft->w, *at);
	}
	writer_char(&draft->w, ')');
}

// One of several: kind=sip_phone,softphone.
static enum err choices_write(struct list_draft *draft, const struct list_filter *filter, bool by_index)
{
	struct str rest = filter->value, piece;
	struct value value;

	list_draft_and(draft);
	column_write(&draft->w, filter->field, by_index);
	writer_text(&draft->w, " IN (");
	for (unsigned count = 0; str_take(&rest, ',', &piece); count++) {
		if (count == LIST_CHOICES_MAX || !value_parse(filter->field, piece, &value))
			return ERR_INVALID_FIELD;
		writer_format(&draft->w, "%s$%u", count ? ", " : "", list_draft_value(draft, value));
	}
	writer_char(&draft->w, ')');
	return ERR_NONE;
}

static enum err filter_write(struct list_draft *draft, const struct list_wish *wish, const struct list_filter *filter,
			     enum list_way way)
{
	const struct field *field = filter->field;
	const struct derived_sql *derived = derived_find(wish, field);
	bool by_index = filter_by_index(wish, filter, way);
	struct value value;

	if (field->flags & FIELD_HIDDEN)
		return ERR_UNKNOWN_FIELD;
	if (field->type == FIELD_CHOICE && !str_empty(filter->value))
		return choices_write(draft, filter, by_index);
	if (!value_parse(field, filter->value, &value))
		return ERR_INVALID_FIELD;
	if (derived) {
		derived_write(draft, derived, value, way);
		return ERR_NONE;
	}
	list_draft_and(draft);
	column_write(&draft->w, field, by_index);
	if (value.type == VALUE_NULL)
		writer_text(&draft->w, " IS NULL");
	else
		writer_format(&draft->w, field->type == FIELD_TEXT ? " = lower($%u)" : " = $%u",
			      list_draft_value(draft, value));
	return ERR_NONE;
}

// ---- words

static size_t characters_in(struct str word)
{
	size_t count = 0;

	for (size_t i = 0; i < word.length; i++)
		count += ((unsigned char)word.at[i] & 0xC0) != 0x80;
	return count;
}

size_t list_indexed_words(const struct list_wish *wish, struct str words[LIST_WORDS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < wish->word_count && entity_has_words(wish->kind); i++)
		if (characters_in(wish->words[i]) >= WORD_INDEXED_MIN)
			words[count++] = wish->words[i];
	return count;
}

enum err list_write_words(struct list_draft *draft, const struct list_wish *wish, struct arena *arena,
			  const struct database *database)
{
	struct str words[LIST_WORDS_MAX];
	size_t count = list_indexed_words(wish, words);
	struct str value = database->backend->words_value(words, count, arena);

	if (!value.at)
		return ERR_NO_MEMORY;
	database->backend->words_write(&draft->w, wish->type->plural, list_draft_value(draft, value_text(value)));
	return ERR_NONE;
}

static bool word_has_digit(struct str word)
{
	for (size_t i = 0; i < word.length; i++)
		if (word.at[i] >= '0' && word.at[i] <= '9')
			return true;
	return false;
}

// Words with digits first: they are the rarer ones, and where one is missing the others are not looked for. Those that an index
// has found already need no test.
static enum err words_test(struct list_draft *draft, const struct list_conditions *conditions, bool found)
{
	const struct list_wish *wish = conditions->wish;

	for (int digits = 1; digits >= 0; digits--)
		for (size_t i = 0; i < wish->word_count; i++) {
			struct str word = wish->words[i], pattern;
			if (word_has_digit(word) != digits || (found && characters_in(word) >= WORD_INDEXED_MIN))
				continue;
			pattern = text_pattern(word, conditions->arena);
			if (!pattern.at)
				return ERR_NO_MEMORY;
			list_draft_and(draft);
			writer_format(&draft->w, "search LIKE $%u ESCAPE '\\'",
				      list_draft_value(draft, value_text(pattern)));
		}
	return ERR_NONE;
}

enum err list_write_conditions(struct list_draft *draft, const struct list_conditions *conditions)
{
	const struct list_wish *wish = conditions->wish;
	bool found = conditions->way == WAY_OF_MATCHES && wish->word_count > 0 && !wish->words_are_common;
	enum err err = ERR_NONE;

	if (found) {
		list_draft_and(draft);
		writer_text(&draft->w, "id IN (");
		err = list_write_words(draft, wish, conditions->arena, conditions->database);
		writer_char(&draft->w, ')');
	}
	for (size_t i = 0; !err && i < wish->query->filter_count; i++)
		err = filter_write(draft, wish, &wish->query->filters[i], conditions->way);
	return err ? err : words_test(draft, conditions, found);
}

// ---- the order

void list_write_sort(struct writer *w, const struct field *sort, enum list_way way)
{
	if (sort->type == FIELD_REFERENCE)
		writer_format(w, "coalesce(%s, 0)%s", sort->name, way == WAY_IN_ORDER ? "" : " + 0");
	else
		column_write(w, sort, way == WAY_IN_ORDER);
}

bool list_sort_is_text(const struct field *sort)
{
	return sort->type == FIELD_TEXT || sort->type == FIELD_CHOICE;
}

static const char *id_of(enum list_way way)
{
	return way == WAY_IN_ORDER ? "id" : "id + 0";
}

void list_write_order(struct list_draft *draft, const struct list_wish *wish, enum list_way way)
{
	const char *direction = wish->descending ? " DESC" : "";

	writer_text(&draft->w, " ORDER BY ");
	if (wish->sort) {
		list_write_sort(&draft->w, wish->sort, way);
		writer_format(&draft->w, "%s, ", direction);
	}
	writer_format(&draft->w, "%s%s", id_of(way), direction);
}

// ---- the cursor: "ID", or "ID.VALUE" with the sort value in base64url

static bool sort_value_parse(const struct list_wish *wish, struct str text, struct value *value)
{
	int64_t integer;

	if (list_sort_is_text(wish->sort)) {
		*value = value_text(text);
		return true;
	}
	if (!str_to_int(text, INT64_MIN, INT64_MAX, &integer))
		return false;
	*value = wish->sort->type == FIELD_BOOLEAN ? value_boolean(integer != 0) : value_integer(integer);
	return true;
}

enum err list_write_cursor(struct list_draft *draft, const struct list_wish *wish, enum list_way way,
			   struct arena *arena)
{
	struct str rest = wish->query->cursor, id_text;
	char comparison = wish->descending ? '<' : '>';
	struct value value;
	uint64_t id;

	if (str_empty(rest))
		return ERR_NONE;
	if (!str_take(&rest, '.', &id_text) || !str_to_uint(id_text, INT64_MAX, &id) || id == 0)
		return ERR_MALFORMED;
	if (!wish->sort) {
		if (!str_empty(rest))
			return ERR_MALFORMED;
		list_draft_and(draft);
		writer_format(&draft->w, "%s %c $%u", id_of(way), comparison, list_draft_value(draft, value_id(id)));
		return ERR_NONE;
	}
	size_t size = rest.length;
	char *decoded = arena_alloc(arena, size + 1);
	if (!decoded)
		return ERR_NO_MEMORY;
	if (!digest_base64url_decode(rest, decoded, &size) ||
	    !sort_value_parse(wish, (struct str){decoded, size}, &value))
		return ERR_MALFORMED;
	// The row value (sort, id) > ($1, $2), spelled so that SQLite seeks with an index on an expression too.
	unsigned first = list_draft_value(draft, value);
	list_draft_and(draft);
	list_write_sort(&draft->w, wish->sort, way);
	writer_format(&draft->w, " %c= $%u AND (", comparison, first);
	list_write_sort(&draft->w, wish->sort, way);
	writer_format(&draft->w, " %c $%u OR %s %c $%u)", comparison, first, id_of(way), comparison,
		      list_draft_value(draft, value_id(id)));
	return ERR_NONE;
}

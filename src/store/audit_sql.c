// The audit log in the database. The fields of one change are lines of a text: name, what is known of it ('c' after alone,
// 'd' before alone, 'b' both, 's' a secret), before, after, parted by tabs; tabs, line ends and backslashes are escaped.
#include "store/audit_sql.h"

#include "base/writer.h"
#include "domain/device.h"
#include "domain/did.h"
#include "domain/session.h"
#include "domain/trunk.h"
#include "domain/user.h"
#include "store/entity_sql.h"
#include "store/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SQL_MAX = 2048, LIMIT_MAX = 1000, LABEL_MAX = 256, SWEEP_MAX = 2000 };

// ---- a change as text

static void escaped_write(struct writer *w, struct str text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		if (c == '\\' || c == '\t' || c == '\n') {
			writer_char(w, '\\');
			c = c == '\t' ? 't' : c == '\n' ? 'n' : c;
		}
		writer_char(w, c);
	}
}

static void line_write(struct writer *w, const char *name, char kind, struct str before, struct str after)
{
	writer_text(w, name);
	writer_char(w, '\t');
	writer_char(w, kind);
	writer_char(w, '\t');
	escaped_write(w, before);
	writer_char(w, '\t');
	escaped_write(w, after);
	writer_char(w, '\n');
}

// Room for every field twice, each byte escaped.
static size_t changes_size(const struct entity *entity)
{
	const struct entity_type *type = entity_type(entity->kind);
	size_t size = 64 + USER_TURNS_TEXT_MAX;

	for (size_t i = 0; i < type->field_count; i++)
		size += strlen(type->fields[i].name) + 64 +
			(type->fields[i].type == FIELD_TEXT
			     ? 2 * ((const struct str *)field_of(entity, &type->fields[i]))->length
			     : 0);
	return size;
}

static enum err field_write(struct writer *w, const struct field *field, const struct entity *before,
			    const struct entity *after, struct arena *arena)
{
	struct str old, new;

	if (field->flags & FIELD_HIDDEN) {
		if (field->secret)
			line_write(w, field->secret, 's', STR_NONE, STR_NONE);
		return ERR_NONE;
	}
	old = before ? field_to_text(before, field, arena) : STR("");
	new = after ? field_to_text(after, field, arena) : STR("");
	if (!old.at || !new.at)
		return ERR_NO_MEMORY;
	line_write(w, field->name, !before ? 'c' : !after ? 'd' : 'b', old, new);
	return ERR_NONE;
}

static enum err turns_write(struct writer *w, const struct user *before, const struct user *after, struct arena *arena)
{
	struct str old = before ? user_turns_to_text(before, arena) : STR("");
	struct str new = after ? user_turns_to_text(after, arena) : STR("");

	if (!old.at || !new.at)
		return ERR_NO_MEMORY;
	if (!str_equal(old, new))
		line_write(w, "turns", !before ? 'c' : !after ? 'd' : 'b', old, new);
	return ERR_NONE;
}

// Each field that differs; of something new or gone, each that is not at its default.
static enum err changes_text(const struct entity *before, const struct entity *after, struct arena *arena,
			     struct str *changes)
{
	const struct entity *one = before ? before : after;
	const struct entity_type *type = entity_type(one->kind);
	const struct entity *plain = before && after ? NULL : entity_new(one->kind, arena);
	size_t size = changes_size(one) + (before && after ? changes_size(after) : 0);
	struct writer w = writer_into(arena_alloc(arena, size), size);
	enum err err = ERR_NONE;

	if (!w.at || (!plain && !(before && after)))
		return ERR_NO_MEMORY;
	for (size_t i = 0; !err && i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		if (!field_equal(before ? before : plain, after ? after : plain, field))
			err = field_write(&w, field, before, after, arena);
	}
	if (!err && one->kind == ENTITY_USER)
		err = turns_write(&w, (const struct user *)before, (const struct user *)after, arena);
	assert(!w.overflow);
	*changes = writer_result(&w);
	return err;
}

// ---- what people call it

static enum err take_label(void *context, const struct row *row)
{
	struct str text = row_text(row, 0);

	snprintf(context, LABEL_MAX, "%.*s", STR_ARG(text));
	return ERR_NONE;
}

static enum err label_look(struct change_set *set, const char *sql, uint64_t id, char label[LABEL_MAX])
{
	return database_run(set->database, sql, VALUES(value_id(id)), (struct row_visitor){take_label, label});
}

static const char user_label[] = "SELECT title || ' (' || extension || ')' FROM users WHERE id = $1";
static const char device_label[] = "SELECT number FROM devices WHERE id = $1";

static enum err label_make(struct change_set *set, const struct entity *entity, char label[LABEL_MAX])
{
	const struct user *user = (const struct user *)entity;
	struct str text = STR_NONE;

	label[0] = '\0';
	switch (entity->kind) {
	case ENTITY_USER:
		snprintf(label, LABEL_MAX, "%.*s (%.*s)", STR_ARG(user->title), STR_ARG(user->extension));
		return ERR_NONE;
	case ENTITY_DEVICE:
		text = ((const struct device *)entity)->number;
		break;
	case ENTITY_TRUNK:
		text = ((const struct trunk *)entity)->title;
		break;
	case ENTITY_ROUTE:
		text = ((const struct route *)entity)->pattern;
		break;
	case ENTITY_DID:
		text = ((const struct did *)entity)->number;
		if (!str_empty(((const struct did *)entity)->last)) {
			snprintf(label, LABEL_MAX, "%.*s to %.*s", STR_ARG(text),
				 STR_ARG(((const struct did *)entity)->last));
			return ERR_NONE;
		}
		break;
	case ENTITY_TOKEN:
		text = ((const struct token *)entity)->title;
		break;
	case ENTITY_SELECTION:
		return label_look(set, device_label, ((const struct selection *)entity)->device_id, label);
	case ENTITY_SESSION:
		return label_look(set, user_label, ((const struct session *)entity)->user_id, label);
	case ENTITY_SITE:
	case ENTITY_KIND_COUNT:
		break;
	}
	snprintf(label, LABEL_MAX, "%.*s", STR_ARG(text));
	return ERR_NONE;
}

// ---- writing

static const struct actor the_server = {.via = VIA_SERVER};

static const struct actor *actor_of(const struct change_set *set)
{
	return set->actor ? set->actor : &the_server;
}

// NULL: not worth an entry.
static const char *action_of(const struct change_set *set, const struct entity *before, const struct entity *after)
{
	const struct entity *one = after ? after : before;
	bool expired = actor_of(set)->via == VIA_SERVER;

	if (one->kind == ENTITY_SESSION)
		return !before ? "sign_in" : after ? NULL : expired ? "expire" : "sign_out";
	if (one->kind == ENTITY_SELECTION) {
		if (!after)
			return expired ? "expire" : "release";
		if (before &&
		    ((const struct selection *)before)->device_id == ((const struct selection *)after)->device_id)
			return NULL; // the lease was renewed
		return "select";
	}
	return !before ? "create" : after ? "update" : "delete";
}

struct entry {
	const char *action, *kind;
	uint64_t entity_id, version, user_id; // user_id: who it is about, when nobody is known to act
	struct str label, changes;
};

// The actor of a sign-in is whoever signs in.
static enum err entry_write(struct change_set *set, const struct entry *entry)
{
	const struct actor *actor = actor_of(set);
	uint64_t actor_id = actor->user_id ? actor->user_id : entry->user_id, id;
	struct str name = actor->name, search;
	char found[LABEL_MAX] = "";
	int64_t next = 0;
	enum err err = database_integer(set->database, "UPDATE last_ids SET id = id + 1 WHERE kind = $1 RETURNING id",
					VALUES(value_text(STR("audit"))), &next);

	if (!err && actor_id && str_empty(name)) {
		err = label_look(set, "SELECT name FROM users WHERE id = $1", actor_id, found);
		name = str_of(found);
	}
	if (err)
		return err;
	id = (uint64_t)next;
	if (set->group_id == 0)
		set->group_id = id;
	search = arena_format(&set->scratch, "%.*s\n%.*s\n%.*s", STR_ARG(name), STR_ARG(actor->token),
			      STR_ARG(entry->label));
	if (!search.at)
		return ERR_NO_MEMORY;
	text_fold((char *)(uintptr_t)search.at, search.length);
	return database_run(
	    set->database,
	    "INSERT INTO audit (id, at, group_id, actor_id, actor, via, token, address, action, entity, entity_id, "
	    "label, "
	    "version, undoes, changes, search) "
	    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
	    VALUES(value_id(id), value_integer(set->now_ms), value_id(set->group_id), value_id(actor_id),
		   value_text(name), value_text(str_of(actor_via_names[actor->via])), value_text(actor->token),
		   value_text(actor->address), value_text(str_of(entry->action)), value_text(str_of(entry->kind)),
		   value_id(entry->entity_id), value_text(entry->label), value_integer((int64_t)entry->version),
		   value_id(actor->undoes), value_text(entry->changes), value_text(search)),
	    NO_ROWS);
}

enum err audit_write(struct change_set *set, const struct entity *before, const struct entity *after)
{
	const struct entity *one = after ? after : before;
	struct entry entry = {.action = action_of(set, before, after), .kind = entity_type(one->kind)->name};
	char label[LABEL_MAX];
	enum err err;

	if (!entry.action)
		return ERR_NONE;
	entry.entity_id = one->id;
	entry.version = after ? after->version : 0;
	if (one->kind == ENTITY_SESSION)
		entry.user_id = after ? ((const struct session *)one)->user_id : 0;
	err = changes_text(before, after, &set->scratch, &entry.changes);
	if (!err)
		err = label_make(set, one, label);
	if (err || (before && after && str_empty(entry.changes)))
		return err;
	entry.label = str_of(label);
	return entry_write(set, &entry);
}

enum err audit_write_note(struct change_set *set, const struct audit_note *note)
{
	struct str label = text_clean(str_first(note->label, LABEL_MAX - 1), &set->scratch);
	struct entry entry = {.action = note->action, .kind = "session", .label = label};

	return entry_write(set, &entry);
}

// Of a name, the label is the user's; of a piece, its own name.
enum err audit_write_recording(struct change_set *set, const struct recording *recording, const char *action)
{
	char label[LABEL_MAX], changes[32] = "sound\ts\t\t\n";
	struct entry entry = {.action = action,
			      .kind = "recording",
			      .entity_id = recording->user_id,
			      .label = recording->name,
			      .changes = str_of(changes)};

	if (!recording->user_id)
		return entry_write(set, &entry);
	enum err err = label_look(set, user_label, recording->user_id, label);
	entry.label = str_of(label);
	return err ? err : entry_write(set, &entry);
}

enum err audit_sweep(struct database *database, int64_t before_ms)
{
	return database_run(database,
			    "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 ORDER BY id LIMIT $2)",
			    VALUES(value_integer(before_ms), value_integer(SWEEP_MAX)), NO_ROWS);
}

// ---- reading

static struct str unescaped(struct arena *arena, struct str text)
{
	char *at = arena_alloc(arena, text.length + 1);
	size_t length = 0;

	if (!at)
		return STR_NONE;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		if (c == '\\' && i + 1 < text.length) {
			c = text.at[++i];
			c = c == 't' ? '\t' : c == 'n' ? '\n' : c;
		}
		at[length++] = c;
	}
	return (struct str){at, length};
}

static bool change_parse(struct str line, struct arena *arena, struct audit_change *change)
{
	struct str name, kind, before;

	if (!str_take(&line, '\t', &name) || !str_take(&line, '\t', &kind) || kind.length != 1)
		return false;
	if (!str_take(&line, '\t', &before))
		before = STR_NONE;
	*change = (struct audit_change){
	    .field = arena_copy(arena, name),
	    .before = unescaped(arena, before),
	    .after = unescaped(arena, line),
	    .secret = kind.at[0] == 's',
	    .had_before = kind.at[0] == 'b' || kind.at[0] == 'd',
	    .has_after = kind.at[0] == 'b' || kind.at[0] == 'c',
	};
	return change->field.at && change->before.at && change->after.at;
}

static enum err changes_parse(struct str text, struct arena *arena, struct audit_entry *entry)
{
	struct str rest = text, line;
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += text.at[i] == '\n';
	entry->changes = arena_alloc(arena, (count + 1) * sizeof *entry->changes);
	if (!entry->changes)
		return ERR_NO_MEMORY;
	while (str_take(&rest, '\n', &line) && entry->change_count < count)
		if (!change_parse(line, arena, &entry->changes[entry->change_count++]))
			return ERR_NO_MEMORY;
	return ERR_NONE;
}

struct reading {
	struct arena *arena;
	const struct audit_query *query;
	struct audit_page *page;
	bool more;
};

static enum err take_entry(void *context, const struct row *row)
{
	struct reading *reading = context;
	struct arena *arena = reading->arena;
	struct audit_entry *entry;

	if (reading->page->count == reading->query->limit) {
		reading->more = true;
		return ERR_NONE;
	}
	entry = &reading->page->entries[reading->page->count++];
	*entry = (struct audit_entry){
	    .id = row_id(row, 0),
	    .at = row_integer(row, 1),
	    .group_id = row_id(row, 2),
	    .actor_id = row_id(row, 3),
	    .actor = arena_copy(arena, row_text(row, 4)),
	    .via = arena_copy(arena, row_text(row, 5)),
	    .token = arena_copy(arena, row_text(row, 6)),
	    .address = arena_copy(arena, row_text(row, 7)),
	    .action = arena_copy(arena, row_text(row, 8)),
	    .entity = arena_copy(arena, row_text(row, 9)),
	    .entity_id = row_id(row, 10),
	    .label = arena_copy(arena, row_text(row, 11)),
	    .version = row_id(row, 12),
	    .undoes = row_id(row, 13),
	    .undone_by = row_id(row, 15),
	};
	if (!entry->actor.at || !entry->via.at || !entry->token.at || !entry->address.at || !entry->action.at ||
	    !entry->entity.at || !entry->label.at)
		return ERR_NO_MEMORY;
	return changes_parse(row_text(row, 14), arena, entry);
}

struct draft {
	struct writer w;
	struct value values[12];
	size_t count;
};

static unsigned place(struct draft *draft, struct value value)
{
	assert(draft->count < sizeof draft->values / sizeof *draft->values);
	draft->values[draft->count++] = value;
	return (unsigned)draft->count;
}

static void conditions_write(struct draft *draft, const struct audit_query *query)
{
	if (query->id)
		writer_format(&draft->w, " AND id = $%u", place(draft, value_id(query->id)));
	if (query->after_id)
		writer_format(&draft->w, " AND id > $%u", place(draft, value_id(query->after_id)));
	if (query->group_id)
		writer_format(&draft->w, " AND group_id = $%u", place(draft, value_id(query->group_id)));
	if (query->actor_id)
		writer_format(&draft->w, " AND actor_id = $%u", place(draft, value_id(query->actor_id)));
	if (!str_empty(query->entity))
		writer_format(&draft->w, " AND entity = $%u", place(draft, value_text(query->entity)));
	if (query->entity_id)
		writer_format(&draft->w, " AND entity_id = $%u", place(draft, value_id(query->entity_id)));
	if (!str_empty(query->action))
		writer_format(&draft->w, " AND action = $%u", place(draft, value_text(query->action)));
	if (query->from)
		writer_format(&draft->w, " AND at >= $%u", place(draft, value_integer(query->from)));
	if (query->to)
		writer_format(&draft->w, " AND at < $%u", place(draft, value_integer(query->to)));
}

enum err audit_list(struct database *database, const struct audit_query *query, struct arena *arena,
		    struct audit_page *page)
{
	struct reading reading = {.arena = arena, .query = query, .page = page};
	struct draft draft = {.count = 0};
	uint64_t before = INT64_MAX;
	char sql[SQL_MAX];
	enum err err;

	*page = (struct audit_page){.entries = NULL};
	if (query->limit < 1 || query->limit > LIMIT_MAX ||
	    (!str_empty(query->cursor) && !str_to_uint(query->cursor, INT64_MAX, &before)))
		return ERR_MALFORMED;
	page->entries = arena_alloc(arena, query->limit * sizeof *page->entries);
	if (!page->entries)
		return ERR_NO_MEMORY;
	draft.w = writer_into(sql, sizeof sql);
	writer_text(
	    &draft.w,
	    "SELECT id, at, group_id, actor_id, actor, via, token, address, action, entity, entity_id, label, "
	    "version, undoes, changes, (SELECT max(newer.id) FROM audit AS newer WHERE newer.undoes = audit.id) "
	    "FROM audit WHERE id < $1");
	place(&draft, value_id(before));
	conditions_write(&draft, query);
	if (!str_empty(query->q)) {
		struct str pattern = text_pattern(query->q, arena);
		if (!pattern.at)
			return ERR_NO_MEMORY;
		writer_format(&draft.w, " AND search LIKE $%u ESCAPE '\\'", place(&draft, value_text(pattern)));
	}
	writer_format(&draft.w, " ORDER BY id DESC LIMIT $%u", place(&draft, value_integer((int64_t)query->limit + 1)));
	writer_char(&draft.w, '\0');
	assert(!draft.w.overflow);
	err = database_run(database, sql, (struct values){draft.values, draft.count},
			   (struct row_visitor){take_entry, &reading});
	if (err || !reading.more)
		return err;
	page->next = arena_format(arena, "%llu", (unsigned long long)page->entries[page->count - 1].id);
	return page->next.at ? ERR_NONE : ERR_NO_MEMORY;
}

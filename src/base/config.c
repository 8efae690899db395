// The configuration file, read by libinih line by line. The lines pass through here on their way to it, so that each
// error can name its line, and so that what libinih would bend in silence (a long line cut in two, an indented line
// taken as part of the one before) is an error instead.
#include "base/config.h"

#include "base/writer.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reading {
	FILE *file;
	const struct config_key *keys;
	size_t count;
	unsigned *set_in; // per key the line that set it, 0 for none
	void *settings;
	struct arena *arena;
	struct config_error *error;
	bool failed;
	unsigned line; // the one being read, from 1
};

static void __attribute__((format(printf, 3, 0)))
error_write(struct config_error *error, unsigned line, const char *format, va_list arguments)
{
	error->line = line;
	vsnprintf(error->sentence, sizeof error->sentence, format, arguments);
	for (char *c = error->sentence; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

void config_error_set(struct config_error *error, unsigned line, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	error_write(error, line, format, arguments);
	va_end(arguments);
}

// Only the first error is kept: those after it often follow from it.
static void __attribute__((format(printf, 2, 3))) complain(struct reading *reading, const char *format, ...)
{
	va_list arguments;
	if (reading->failed)
		return;
	reading->failed = true;
	va_start(arguments, format);
	error_write(reading->error, reading->line, format, arguments);
	va_end(arguments);
}

// ---- values

static bool parse_boolean(struct str text, bool *value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"yes", true}, {"true", true}, {"on", true}, {"no", false}, {"false", false}, {"off", false}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (str_equal_nocase(text, str_of(words[i].word))) {
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

static void set_text(struct reading *reading, const struct config_key *key, struct str text)
{
	struct str copy = arena_copy(reading->arena, text);
	if (!copy.at)
		complain(reading, "There is no memory left for the configuration.");
	else
		memcpy((char *)reading->settings + key->offset, &copy, sizeof copy);
}

static void set_value(struct reading *reading, const struct config_key *key, struct str text)
{
	void *place = (char *)reading->settings + key->offset;
	int64_t number;
	bool flag;
	switch (key->type) {
	case CONFIG_TEXT:
		set_text(reading, key, text);
		break;
	case CONFIG_INTEGER:
		if (str_to_int(text, key->min, key->max, &number))
			memcpy(place, &number, sizeof number);
		else
			complain(reading, "[%s] %s must be a whole number from %lld to %lld, not \"%.*s\".",
				 key->section, key->name, (long long)key->min, (long long)key->max, STR_ARG(text));
		break;
	case CONFIG_BOOLEAN:
		if (parse_boolean(text, &flag))
			memcpy(place, &flag, sizeof flag);
		else
			complain(reading, "[%s] %s must be yes or no, not \"%.*s\".", key->section, key->name,
				 STR_ARG(text));
		break;
	}
}

// ---- names

static bool section_is_known(const struct reading *reading, struct str section)
{
	for (size_t i = 0; i < reading->count; i++)
		if (str_equal(section, str_of(reading->keys[i].section)))
			return true;
	return false;
}

// The sections there are, or the keys of one section, joined by commas. What finds no room in the sentence is left out.
static void list_names(const struct reading *reading, const char *section, char *into, size_t size)
{
	struct writer w = writer_into(into, size - 1);
	for (size_t i = 0; i < reading->count; i++) {
		const struct config_key *key = &reading->keys[i];
		bool repeated = false;
		for (size_t j = 0; !section && j < i; j++)
			repeated = repeated || strcmp(key->section, reading->keys[j].section) == 0;
		if (repeated || (section && strcmp(key->section, section) != 0))
			continue;
		const char *name = section ? key->name : key->section;
		if (w.used + strlen(name) + 2 > w.size)
			break;
		writer_text(&w, w.used > 0 ? ", " : "");
		writer_text(&w, name);
	}
	into[w.used] = '\0';
}

static void check_section(struct reading *reading, struct str section)
{
	char known[120];
	if (section_is_known(reading, section))
		return;
	list_names(reading, NULL, known, sizeof known);
	reading->error->unknown_section = !reading->failed;
	complain(reading, "There is no section [%.*s]; there are %s.", STR_ARG(str_first(section, 60)), known);
}

static void take_pair(struct reading *reading, const char *section, const char *name, const char *value)
{
	char known[120];
	if (!*section) {
		complain(reading, "\"%.60s\" stands before any [section].", name);
		return;
	}
	for (size_t i = 0; i < reading->count; i++) {
		const struct config_key *key = &reading->keys[i];
		if (strcmp(section, key->section) != 0 || strcmp(name, key->name) != 0)
			continue;
		if (reading->set_in[i] > 0)
			complain(reading, "[%s] %s was set in line %u already.", section, name, reading->set_in[i]);
		reading->set_in[i] = reading->line;
		set_value(reading, key, str_of(value));
		return;
	}
	list_names(reading, section, known, sizeof known);
	complain(reading, "[%.60s] has no key \"%.60s\"; it has %s.", section, name, known);
}

// Called by libinih for each pair.
static int pair_came(void *user, const char *section, const char *name, const char *value)
{
	take_pair(user, section, name, value);
	return 1;
}

// ---- lines

static const char no_known_form[] = "The line is neither a [section] nor \"key = value\" nor a comment.";

// Reads a line as fgets does. False at the end of the file or when there was an error.
static bool read_line(struct reading *reading, char *line, size_t size, size_t *length)
{
	size_t used = 0;
	int c = EOF;
	while (c != '\n' && (c = getc(reading->file)) != EOF) {
		if (c == '\0') {
			complain(reading, "This is no text file: it holds a NUL byte.");
			return false;
		}
		if (used == size - 1) {
			complain(reading, "The line is longer than %zu characters.", size - 1);
			return false;
		}
		line[used++] = (char)c;
	}
	line[used] = '\0';
	*length = used;
	return used > 0;
}

// What libinih would take in silence for something else than was meant.
static void check_line(struct reading *reading, struct str line)
{
	struct str text = str_trim(line);
	if (str_empty(text) || text.at[0] == '#' || text.at[0] == ';')
		return;
	if (line.at[0] == ' ' || line.at[0] == '\t')
		complain(reading, "The line begins with a space: a section or a key must be at its very start.");
	else if (text.at[0] == '[' && str_index(text, ']') < text.length)
		check_section(reading, str_from(str_first(text, str_index(text, ']')), 1));
	else if (text.at[0] == '[' || (str_index(text, '=') == text.length && str_index(text, ':') == text.length))
		complain(reading, "%s", no_known_form);
	else if (text.at[0] == '=' || text.at[0] == ':')
		complain(reading, "There is no key before the \"%c\".", text.at[0]);
}

// Called by libinih for each line, like fgets.
static char *next_line(char *line, int size, void *stream)
{
	struct reading *reading = stream;
	size_t length;
	if (reading->failed)
		return NULL;
	reading->line++;
	if (!read_line(reading, line, (size_t)size, &length))
		return NULL;
	struct str text = {line, length};
	if (reading->line == 1 && str_starts(text, STR("\xef\xbb\xbf")))
		text = str_from(text, 3);
	check_line(reading, text);
	return reading->failed ? NULL : line;
}

static void read_file(struct reading *reading, const char *path)
{
	reading->file = fopen(path, "re");
	if (!reading->file) {
		complain(reading, "%.160s cannot be opened: %s.", path, strerror(errno));
		return;
	}
	int result = ini_parse_stream(next_line, reading, pair_came, reading);
	if (ferror(reading->file)) {
		reading->line = 0;
		complain(reading, "%.160s cannot be read: %s.", path, strerror(errno));
	}
	if (result != 0 && !reading->failed) {
		reading->line = result > 0 ? (unsigned)result : 0;
		complain(reading, "%s", no_known_form);
	}
	fclose(reading->file);
}

bool config_read(const char *path, const struct config_key *keys, size_t count, void *settings, struct arena *arena,
		 struct config_error *error)
{
	struct reading reading = {
	    .keys = keys,
	    .count = count,
	    .set_in = arena_alloc(arena, count * sizeof(unsigned)),
	    .settings = settings,
	    .arena = arena,
	    .error = error,
	};
	*error = (struct config_error){0};
	if (!reading.set_in)
		complain(&reading, "There is no memory left for the configuration.");
	for (size_t i = 0; i < count && !reading.failed; i++)
		set_value(&reading, &keys[i], str_of(keys[i].default_text));
	if (path && !reading.failed)
		read_file(&reading, path);
	return !reading.failed;
}

// The configuration file: INI, bootstrap keys only; everything else lives in the store. Every key has a default; an
// unknown section or key, a bad value, a key given twice and a line that is too long are errors that name the line.
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/arena.h"

enum config_type {
	CONFIG_TEXT,    // struct str
	CONFIG_INTEGER, // int64_t, between min and max
	CONFIG_BOOLEAN, // bool: yes, no, true, false, on, off
};

struct config_key {
	const char *section;
	const char *name;
	enum config_type type;
	size_t offset;            // into the settings structure
	const char *default_text; // parsed like a value from the file
	int64_t min, max;         // CONFIG_INTEGER
	const char *help;         // one sentence, for --help and the documentation
};

struct config_error {
	unsigned line; // 0 when it is about the file as a whole
	char sentence[256];
	bool unknown_section; // the line begins a section that there is not
};
// Says what is wrong, fit for a terminal: control characters, which the file may hold, become question marks.
void config_error_set(struct config_error *error, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Fills *settings with the defaults, then with what the file says. `path` NULL: defaults only. Texts live in `arena`.
// False on the first error, with the sentence filled in.
bool config_read(const char *path, const struct config_key *keys, size_t count, void *settings, struct arena *arena,
		 struct config_error *error);

#endif

// Plays scenarios: run FILE... plays each; when the play differs from the file, shows both. With --write in front the
// files are written anew as played: read what changed before you keep it. Lines at the margin are what
// people, phones and carriers do; the indented lines below each are what must come of it, all of it and nothing else.
// The words are those of the tables at the ends of setting.c and playing.c.
#include "base/log.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const char *pattern, const char *text, struct line *line)
{
	size_t word = 0;

	while (*pattern) {
		if (*pattern != '*') {
			if (*pattern++ != *text++)
				return false;
			continue;
		}
		pattern++;
		size_t length = *pattern ? strcspn(text, *pattern == ')' ? ")" : " ") : strlen(text);
		if (length == 0 || length >= sizeof line->words[0] || word == WORDS_MAX)
			return false;
		memcpy(line->words[word], text, length);
		line->words[word++][length] = '\0';
		text += length;
	}
	return *text == '\0';
}

static void play_line(struct stage *stage, const char *text)
{
	const struct word *const tables[] = {setting_words, playing_words};

	for (size_t i = 0; i < 2; i++)
		for (const struct word *word = tables[i]; word->pattern; word++) {
			struct line line = {.words = {""}};
			if (!matches(word->pattern, text, &line))
				continue;
			word->play(stage, &line);
			stage_settle(stage);
			return;
		}
	stage_fail("nobody understands \"%s\"", text);
}

// ---- the file

static char *file_read(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 100000);

	if (!file || fread(text, 1, 99999, file) == 0)
		stage_fail("%s cannot be read", path);
	fclose(file);
	return text;
}

// What agrees, then both versions of the rest.
static void difference_show(const char *path, const char *wanted, const char *played)
{
	printf("%s: the play differs\n", path);
	while (*wanted || *played) {
		size_t w = strcspn(wanted, "\n"), p = strcspn(played, "\n");
		if (w == p && memcmp(wanted, played, w) == 0)
			printf("  %.*s\n", (int)w, wanted);
		else
			break;
		wanted += w + (wanted[w] == '\n');
		played += p + (played[p] == '\n');
	}
	printf("-- as written, from here on:\n%s-- as played:\n%s", wanted, played);
}

// The file played is the file's own lines at the margin with what came of each; it should read the same.
static bool play(const char *path, bool writes)
{
	char *wanted = file_read(path), *copy = strdup(wanted), *rest = copy, *text;
	struct stage stage;
	char *played = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&played, &length);

	stage_open(&stage);
	while ((text = strsep(&rest, "\n"))) {
		if (!rest && !*text)
			break;
		if (text[0] == ' ')
			continue;
		fprintf(out, "%s\n", text);
		if (!text[0] || text[0] == '#')
			continue;
		size_t before = stage.transcript_length;
		play_line(&stage, text);
		fputs(stage.transcript + before, out);
	}
	fclose(out);
	bool same = strcmp(wanted, played) == 0;
	if (!same && writes) {
		FILE *file = fopen(path, "w");
		if (!file || fputs(played, file) < 0 || fclose(file) != 0)
			stage_fail("%s cannot be written", path);
	} else if (!same) {
		difference_show(path, wanted, played);
	}
	if (same || call_table_count(stage.calls) == 0)
		stage_close(&stage);
	free(played);
	free(copy);
	free(wanted);
	return same;
}

static void log_nowhere(struct str line, void *context)
{
	(void)line;
	(void)context;
}

int main(int count, char **paths)
{
	bool writes = count > 1 && strcmp(paths[1], "--write") == 0;
	int first = writes ? 2 : 1, failed = 0;

	if (!getenv("LOG"))
		log_capture(log_nowhere, NULL);
	for (int i = first; i < count; i++)
		failed += !play(paths[i], writes);
	if (failed)
		printf("%d of %d scenarios differ\n", failed, count - first);
	return failed > 0;
}

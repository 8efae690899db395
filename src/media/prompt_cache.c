#include "media/prompt_cache.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "base/wav.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BEGINS "prompt-"

enum { NAME_SIZE = 64 }; // room for a name in the folder

struct prompt_cache {
	char folder[PROMPT_PATH_SIZE - NAME_SIZE];
	size_t files_max;
	uint64_t bytes_max;
	struct hash_table *by_key;
	struct list files; // the one used longest ago first
	uint64_t bytes;    // of all of them
	uint64_t written;  // files so far: no name comes twice
};

struct file {
	struct hash_node by_key;
	struct list node;
	char key[PROMPT_KEY_SIZE];
	char path[PROMPT_PATH_SIZE];
	uint64_t ms, bytes;
};

static bool same_key(const struct hash_node *node, const void *key)
{
	const struct file *file = container_of(node, struct file, by_key);

	return str_equal(str_of(file->key), *(const struct str *)key);
}

static void file_remove(struct prompt_cache *cache, struct file *file)
{
	unlink(file->path);
	hash_remove(cache->by_key, &file->by_key);
	list_remove(&file->node);
	cache->bytes -= file->bytes;
	free(file);
}

static void make_room(struct prompt_cache *cache)
{
	while (hash_count(cache->by_key) > 1 &&
	       (hash_count(cache->by_key) > cache->files_max || cache->bytes > cache->bytes_max))
		file_remove(cache, container_of(cache->files.next, struct file, node));
}

// ---- writing

static bool write_all(int descriptor, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(descriptor, bytes, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

static void samples_write(const struct prompt_script *script, uint8_t *at)
{
	for (size_t i = 0; i < script->span_count; i++) {
		const struct span *span = &script->spans[i];
		for (size_t j = 0; j < span->count; j++) {
			uint16_t sample = span->samples ? (uint16_t)span->samples[j] : 0;
			*at++ = (uint8_t)sample;
			*at++ = (uint8_t)(sample >> 8);
		}
	}
}

// Under another name until it is whole.
static bool file_write(const char *path, const uint8_t *bytes, size_t size)
{
	char part[PROMPT_PATH_SIZE + 8];

	snprintf(part, sizeof part, "%s.part", path);
	int descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (descriptor < 0)
		return false;
	bool written = write_all(descriptor, bytes, size);
	if (close(descriptor) == 0 && written && rename(part, path) == 0)
		return true;
	unlink(part);
	return false;
}

static enum err script_write(const struct prompt_script *script, const char *path, uint64_t *size)
{
	*size = WAV_HEAD_SIZE + 2 * script->samples;
	uint8_t *bytes = malloc(*size);

	if (!bytes)
		return ERR_NO_MEMORY;
	wav_write_head(bytes, script->samples);
	samples_write(script, bytes + WAV_HEAD_SIZE);
	bool written = file_write(path, bytes, *size);
	if (!written)
		log_error("prompt_not_written", LOG_TEXT("path", path), LOG_TEXT("error", strerror(errno)));
	free(bytes);
	return written ? ERR_NONE : ERR_INTERNAL;
}

// ---- use

bool prompt_cache_find(struct prompt_cache *cache, struct str key, char path[PROMPT_PATH_SIZE], uint64_t *ms)
{
	struct hash_node *node = hash_find(cache->by_key, hash_str(key), same_key, &key);
	struct file *file = node ? container_of(node, struct file, by_key) : NULL;

	if (file && access(file->path, R_OK) != 0) { // somebody has tidied up
		file_remove(cache, file);
		return false;
	}
	if (!file)
		return false;
	list_remove(&file->node);
	list_append(&cache->files, &file->node);
	strcpy(path, file->path);
	*ms = file->ms;
	return true;
}

enum err prompt_cache_put(struct prompt_cache *cache, struct str key, const struct prompt_script *script,
			  char path[PROMPT_PATH_SIZE], uint64_t *ms)
{
	struct file *file = calloc(1, sizeof *file);
	uint64_t hash = hash_str(key);

	if (!file || !str_to_cstring(key, file->key, sizeof file->key)) {
		free(file);
		return ERR_NO_MEMORY;
	}
	snprintf(file->path, sizeof file->path, "%s/" NAME_BEGINS "%016" PRIx64 "-%" PRIu64 ".wav", cache->folder, hash,
		 ++cache->written);
	enum err err = script_write(script, file->path, &file->bytes);
	if (!err && !hash_insert(cache->by_key, &file->by_key, hash)) {
		unlink(file->path);
		err = ERR_NO_MEMORY;
	}
	if (err) {
		free(file);
		return err;
	}
	list_append(&cache->files, &file->node);
	cache->bytes += file->bytes;
	file->ms = wav_ms(script->samples);
	strcpy(path, file->path);
	*ms = file->ms;
	make_room(cache);
	return ERR_NONE;
}

// ---- the folder

static int tidy(const char *folder)
{
	char path[PROMPT_PATH_SIZE];
	DIR *directory = opendir(folder);

	if (!directory)
		return errno;
	for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
		if (strncmp(entry->d_name, NAME_BEGINS, strlen(NAME_BEGINS)) != 0)
			continue;
		int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (length > 0 && (size_t)length < sizeof path)
			unlink(path);
	}
	closedir(directory);
	return access(folder, W_OK | X_OK) == 0 ? 0 : errno;
}

int prompt_cache_create(const char *folder, size_t files_max, uint64_t bytes_max, struct prompt_cache **result)
{
	struct prompt_cache *cache = calloc(1, sizeof *cache);

	if (!cache)
		return ENOMEM;
	int error = str_to_cstring(str_of(folder), cache->folder, sizeof cache->folder) ? 0 : ENAMETOOLONG;
	if (!error && mkdir(folder, 0755) < 0 && errno != EEXIST)
		error = errno;
	if (!error)
		error = tidy(folder);
	if (!error) {
		cache->by_key = hash_create();
		error = cache->by_key ? 0 : ENOMEM;
	}
	if (error) {
		free(cache);
		return error;
	}
	cache->files_max = files_max;
	cache->bytes_max = bytes_max;
	list_init(&cache->files);
	*result = cache;
	return 0;
}

void prompt_cache_destroy(struct prompt_cache *cache)
{
	if (!cache)
		return;
	list_each (node, following, &cache->files)
		file_remove(cache, container_of(node, struct file, node));
	hash_destroy(cache->by_key);
	free(cache);
}

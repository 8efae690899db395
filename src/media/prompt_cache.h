// The folder of finished prompts: by a key, bounded in number and bytes. A file appears under its name when it is whole, and is
// never written again. One thread uses it.
#ifndef MEDIA_PROMPT_CACHE_H
#define MEDIA_PROMPT_CACHE_H

#include "media/prompt_script.h"

enum { PROMPT_PATH_SIZE = 512, PROMPT_KEY_SIZE = 96 };

struct prompt_cache;

// 0 or an errno: the folder cannot be made or written into. Removes what an earlier run has left in it.
int prompt_cache_create(const char *folder, size_t files_max, uint64_t bytes_max, struct prompt_cache **cache);
bool prompt_cache_find(struct prompt_cache *cache, struct str key, char path[PROMPT_PATH_SIZE], uint64_t *ms);
// The key must not be in it. What was used longest ago goes when there is too much.
enum err prompt_cache_put(struct prompt_cache *cache, struct str key, const struct prompt_script *script,
			  char path[PROMPT_PATH_SIZE], uint64_t *ms);
void prompt_cache_destroy(struct prompt_cache *cache); // and its files. NULL is allowed

#endif

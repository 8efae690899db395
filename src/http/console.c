// Serves the console: its files from memory, compressed ahead of time, kept by browsers for as long as their names hold; and
// its index with a policy that lets a browser load nothing from elsewhere and run nothing that is not a file of ours.
#include "http/console.h"
#include "base/digest.h"
#include "http/answer.h"
#include "http/identity.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 1000, BYTES_MAX = 64 << 20, PATH_LENGTH_MAX = 1000, ENCODING_COUNT = 3 };

// In the order of preference.
enum encoding { ENCODING_BR, ENCODING_GZIP, ENCODING_NONE };
static const char *const encoding_names[ENCODING_COUNT] = {"br", "gzip", NULL};
static const char *const encoding_suffixes[ENCODING_COUNT] = {".br", ".gz", ""};

struct file {
	struct str path; // as in the URI
	const char *type;
	struct str bytes[ENCODING_COUNT]; // .at NULL: there is no such form
	char etag[2 + DIGEST_HEX_MAX + 1];
};

struct console {
	struct file files[FILES_MAX];
	size_t count;
	size_t size;                          // of all that was read
	struct str index_before, index_after; // what stands around the nonce in index.html; slices of its bytes
	const struct file *index;
};

// index.html has this where the nonce of each answer goes.
static const char nonce_place[] = "CSP_NONCE";

// ---- reading

static const char *type_of(struct str path)
{
	static const char *const types[][2] = {
	    {".html", "text/html; charset=utf-8"},
	    {".js", "text/javascript; charset=utf-8"},
	    {".css", "text/css; charset=utf-8"},
	    {".svg", "image/svg+xml"},
	    {".png", "image/png"},
	    {".woff2", "font/woff2"},
	    {".json", "application/json"},
	    {".mp3", "audio/mpeg"},
	    {".wav", "audio/wav"},
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct str suffix = str_of(types[i][0]);
		if (path.length > suffix.length && str_equal(str_from(path, path.length - suffix.length), suffix))
			return types[i][1];
	}
	return "application/octet-stream";
}

static struct file *file_find(const struct console *console, struct str path)
{
	for (size_t i = 0; i < console->count; i++)
		if (str_equal(console->files[i].path, path))
			return (struct file *)&console->files[i];
	return NULL;
}

// The file that `path`, perhaps of a compressed form, belongs to; a new one when it is the first of it.
static struct file *file_of(struct console *console, struct str path, enum encoding *encoding)
{
	for (*encoding = ENCODING_BR; *encoding < ENCODING_NONE; (*encoding)++) {
		struct str suffix = str_of(encoding_suffixes[*encoding]);
		if (path.length > suffix.length && str_equal(str_from(path, path.length - suffix.length), suffix)) {
			path = str_first(path, path.length - suffix.length);
			break;
		}
	}
	struct file *file = file_find(console, path);
	if (file || console->count == FILES_MAX)
		return file;
	char *copy = malloc(path.length);
	if (!copy)
		return NULL;
	memcpy(copy, path.at, path.length);
	file = &console->files[console->count++];
	file->path = (struct str){copy, path.length};
	file->type = type_of(file->path);
	return file;
}

static int bytes_read(struct console *console, const char *name, struct str *bytes)
{
	FILE *stream = fopen(name, "re");
	int error = 0;
	if (!stream)
		return -errno;
	char *at = NULL;
	long length = -1;
	if (fseek(stream, 0, SEEK_END) != 0 || (length = ftell(stream)) < 0 || fseek(stream, 0, SEEK_SET) != 0)
		error = -EIO;
	else if ((size_t)length > BYTES_MAX - console->size)
		error = -EFBIG;
	else if (!(at = malloc((size_t)length + 1)))
		error = -ENOMEM;
	else if (fread(at, 1, (size_t)length, stream) != (size_t)length)
		error = -EIO;
	fclose(stream);
	if (error) {
		free(at);
		return error;
	}
	console->size += (size_t)length;
	*bytes = (struct str){at, (size_t)length};
	return 0;
}

static int file_read(struct console *console, const char *name, struct str path)
{
	enum encoding encoding;
	struct file *file = file_of(console, path, &encoding);
	if (!file)
		return console->count == FILES_MAX ? -EFBIG : -ENOMEM;
	if (file->bytes[encoding].at)
		return -EEXIST;
	int error = bytes_read(console, name, &file->bytes[encoding]);
	if (!error && encoding == ENCODING_NONE) {
		char hex[DIGEST_HEX_MAX];
		struct str hash = digest_joined_hex(DIGEST_SHA256, &file->bytes[encoding], 1, hex);
		snprintf(file->etag, sizeof file->etag, "\"%.*s\"", STR_ARG(hash));
	}
	return error;
}

static int folder_read(struct console *console, const char *folder, size_t root_length)
{
	DIR *directory = opendir(folder);
	int error = 0;
	if (!directory)
		return -errno;
	for (struct dirent *entry; !error && (entry = readdir(directory));) {
		char name[PATH_LENGTH_MAX];
		struct stat about;
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof name, "%s/%s", folder, entry->d_name) >= (int)sizeof name)
			error = -ENAMETOOLONG;
		else if (stat(name, &about) != 0)
			error = -errno;
		else if (S_ISDIR(about.st_mode))
			error = folder_read(console, name, root_length);
		else if (S_ISREG(about.st_mode))
			error = file_read(console, name, str_of(name + root_length));
	}
	closedir(directory);
	return error;
}

static int index_split(struct console *console)
{
	console->index = file_find(console, STR("/index.html"));
	if (!console->index || !console->index->bytes[ENCODING_NONE].at)
		return -ENOENT;
	struct str text = console->index->bytes[ENCODING_NONE];
	const char *place = memmem(text.at, text.length, nonce_place, strlen(nonce_place));
	if (!place)
		return -EINVAL;
	console->index_before = str_first(text, (size_t)(place - text.at));
	console->index_after = str_from(text, console->index_before.length + strlen(nonce_place));
	return 0;
}

int console_create(const char *folder, struct console **created)
{
	struct console *console = calloc(1, sizeof *console);
	if (!console)
		return -ENOMEM;
	int error = folder_read(console, folder, strlen(folder));
	if (!error)
		error = index_split(console);
	if (error) {
		console_destroy(console);
		return error;
	}
	*created = console;
	return 0;
}

void console_destroy(struct console *console)
{
	for (size_t i = 0; console && i < console->count; i++) {
		for (int encoding = 0; encoding < ENCODING_COUNT; encoding++)
			free((char *)(uintptr_t)console->files[i].bytes[encoding].at);
		free((char *)(uintptr_t)console->files[i].path.at);
	}
	free(console);
}

// ---- answering

// Whether Accept-Encoding (RFC 9110 section 12.5.3) names it, and not with q=0.
static bool encoding_accepted(struct str header, const char *name)
{
	struct str offer, coding;
	while (str_take(&header, ',', &offer)) {
		if (!str_take(&offer, ';', &coding) || !str_equal_nocase(str_trim(coding), str_of(name)))
			continue;
		struct str weight = str_trim(offer);
		bool none = str_starts_nocase(weight, STR("q=0"));
		for (size_t i = 3; none && i < weight.length; i++)
			none = weight.at[i] == '.' || weight.at[i] == '0';
		return !none;
	}
	return false;
}

static struct answer file_answer(const struct file *file, struct request *request)
{
	bool named_by_content = str_starts(file->path, STR("/assets/"));
	struct answer answer = answer_empty(304);
	answer.etag = file->etag;
	answer.cache = named_by_content ? "public, max-age=31536000, immutable" : "no-cache";
	answer.varies = true;
	if (str_equal(request->headers.if_none_match, str_of(file->etag)))
		return answer;
	answer.status = 200;
	answer.type = file->type;
	for (enum encoding encoding = ENCODING_BR; encoding <= ENCODING_NONE; encoding++) {
		const char *name = encoding_names[encoding];
		if (!file->bytes[encoding].at || (name && !encoding_accepted(request->headers.accept_encoding, name)))
			continue;
		answer.body = file->bytes[encoding];
		answer.encoding = name;
		return answer;
	}
	return (struct answer){0};
}

// A browser runs and draws only what comes from here. Styles that the console makes while it runs carry the nonce, which is
// another one each time, so that nobody can guess it.
static struct answer index_answer(const struct console *console, struct request *request)
{
	char nonce[SECRET_TEXT_MAX], unused[SECRET_HASH_MAX];
	if (!secret_make(nonce, unused))
		return answer_err(request, ERR_INTERNAL);
	struct str text = arena_format(&request->arena, "%.*s%s%.*s", STR_ARG(console->index_before), nonce,
				       STR_ARG(console->index_after));
	struct str policy =
	    arena_format(&request->arena,
			 "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%s'; img-src 'self'; "
			 "font-src 'self'; connect-src 'self'; media-src 'self'; base-uri 'none'; "
			 "form-action 'self'; frame-ancestors 'none'",
			 nonce);
	if (!text.at || !policy.at)
		return answer_err(request, ERR_NO_MEMORY);
	struct answer answer = answer_text(200, console->index->type, text);
	answer.cache = "no-cache";
	answer.policy = policy.at;
	return answer;
}

static bool looks_like_a_page(struct str path)
{
	struct str piece = STR_NONE;
	if (str_starts(path, STR("/api/")) || str_starts(path, STR("/assets/")))
		return false;
	while (str_take(&path, '/', &piece))
		;
	return str_index(piece, '.') == piece.length;
}

struct answer console_answer(const struct console *console, struct request *request)
{
	if (!console || request->method != METHOD_GET)
		return (struct answer){0};
	const struct file *file = file_find(console, request->path);
	if (file && file != console->index)
		return file_answer(file, request);
	if (file || looks_like_a_page(request->path))
		return index_answer(console, request);
	return (struct answer){0};
}

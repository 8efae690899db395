// The configuration file. The first byte chooses whose keys: the server's own, with its checks between keys, or a few of the
// harness's, of which everything that was read is printed and read again. What is refused names a line that there is, in a
// sentence that a terminal can show.
#include "fuzz/fuzz.h"
#include "settings.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct sample {
	struct str listen;
	int64_t port;
	bool open;
	struct str path;
	int64_t offset;
};

static const struct config_key keys[] = {
    {"sip", "listen", CONFIG_TEXT, offsetof(struct sample, listen), "0.0.0.0", 0, 0, ""},
    {"sip", "port", CONFIG_INTEGER, offsetof(struct sample, port), "5060", 1, 65535, ""},
    {"http", "open", CONFIG_BOOLEAN, offsetof(struct sample, open), "no", 0, 0, ""},
    {"store", "path", CONFIG_TEXT, offsetof(struct sample, path), "", 0, 0, ""},
    {"store", "offset", CONFIG_INTEGER, offsetof(struct sample, offset), "-5", INT64_MIN, INT64_MAX, ""},
};

static const char *file_with(struct str text)
{
	static char path[64];
	static int file = -1;
	if (file < 0)
		file = memfd_create("config", 0);
	must(file >= 0 && ftruncate(file, 0) == 0);
	must(pwrite(file, text.at, text.length, 0) == (ssize_t)text.length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	return path;
}

static void must_be_a_complaint(const struct config_error *error, struct str text)
{
	unsigned lines = 1;
	for (size_t i = 0; i < text.length; i++)
		lines += text.at[i] == '\n';
	must(error->line <= lines);
	must(error->sentence[0] && memchr(error->sentence, '\0', sizeof error->sentence));
	for (const char *c = error->sentence; *c; c++)
		must((unsigned char)*c >= ' ' && *c != 0x7f);
}

static bool sample_read(struct str text, struct sample *sample, struct arena *arena)
{
	struct config_error error;
	memset(sample, 0, sizeof *sample);
	if (config_read(file_with(text), keys, sizeof keys / sizeof *keys, sample, arena, &error))
		return true;
	must_be_a_complaint(&error, text);
	return false;
}

static void sample_round_trip(struct str text, struct arena *arena)
{
	struct sample sample, again;
	if (!sample_read(text, &sample, arena))
		return;
	char *printed = malloc(text.length + 512);
	must(printed);
	struct writer w = writer_into(printed, text.length + 512);
	writer_format(&w, "[sip]\nport=%lld\n[http]\nopen=%s\n[store]\noffset=%lld\n", (long long)sample.port,
		      sample.open ? "yes" : "no", (long long)sample.offset);
	writer_text(&w, "path=");
	writer_str(&w, sample.path);
	writer_text(&w, "\n[sip]\nlisten=");
	writer_str(&w, sample.listen);
	must(!w.overflow);
	must(sample_read(writer_result(&w), &again, arena));
	must_equal(sample.listen, again.listen);
	must_equal(sample.path, again.path);
	must(sample.port == again.port && sample.open == again.open && sample.offset == again.offset);
	free(printed);
}

// What a SIGHUP would make of it, in a server that runs with the defaults.
static void settings_differ_from_defaults(const struct settings *settings, struct arena *arena)
{
	struct settings defaults;
	struct config_error error;
	char adopted[4096], later[4096];
	struct writer for_now = writer_into(adopted, sizeof adopted), for_later = writer_into(later, sizeof later);
	must(settings_read(NULL, &defaults, arena, &error));
	settings_compare(&defaults, settings, &for_now, &for_later);
	must(!for_now.overflow && !for_later.overflow);
}

static void settings_are_sane(struct str text, struct arena *arena)
{
	struct settings settings;
	struct config_error error;
	struct net_address listeners[LISTENERS_MAX];
	struct net_range trusted[TRUSTED_MAX];
	if (!settings_read(file_with(text), &settings, arena, &error)) {
		must_be_a_complaint(&error, text);
		return;
	}
	settings_listeners(settings.sip_udp, 5060, listeners);
	must(listeners[0].family != 0 || !str_empty(settings.sip_tcp));
	settings_listeners(settings.http_listen, 8080, listeners);
	must(listeners[0].family != 0);
	settings_trusted(&settings, trusted);
	struct settings_relay relays[RELAYS_MAX];
	for (size_t i = 0, count = settings_relays(&settings, relays); i < count; i++)
		must(relays[i].weight > 0 && relays[i].address.family != 0 && !str_empty(relays[i].name) &&
		     relays[i].name.length <= RELAY_NAME_MAX);
	must(settings.register_min_s <= settings.register_default_s &&
	     settings.register_default_s <= settings.register_max_s);
	settings_differ_from_defaults(&settings, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	if (size == 0)
		return 0;
	arena_init(&arena, 0);
	const struct str text = input(data + 1, size - 1);
	if (data[0] % 2)
		settings_are_sane(text, &arena);
	else
		sample_round_trip(text, &arena);
	arena_free(&arena);
	return 0;
}

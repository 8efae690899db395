// Packing of log records, and their text.
#include "base/log_record.h"

#include <string.h>
#include <time.h>

// What stands before the event's name, and before each field's key. Copied, not pointed to: records are not aligned.
struct record_head {
	uint64_t time_ms;
	uint32_t size; // bytes of the whole record
	uint16_t event_length;
	uint8_t level;
	uint8_t count;
};

struct field_head {
	uint64_t number;
	uint16_t text_length;
	uint8_t key_length;
	uint8_t type;
};

// ---- packing

static void put(struct writer *w, const void *bytes, size_t size)
{
	writer_str(w, (struct str){bytes, size});
}

static bool pack_field(struct writer *w, const struct log_field *field)
{
	struct str key = str_first(str_of(field->key), 64), text = STR_NONE;
	if (field->type == LOG_FIELD_STR)
		text = str_first(field->text, LOG_VALUE_MAX);
	struct field_head head = {
	    .number = field->number,
	    .text_length = (uint16_t)text.length,
	    .key_length = (uint8_t)key.length,
	    .type = (uint8_t)field->type,
	};
	if (sizeof head + key.length + 1 + text.length > w->size - w->used)
		return false;
	put(w, &head, sizeof head);
	writer_str(w, key);
	writer_char(w, '\0');
	writer_str(w, text);
	if (text.length < field->text.length && field->type == LOG_FIELD_STR)
		memcpy(w->at + w->used - 3, "...", 3);
	return true;
}

size_t log_record_pack(char *into, enum log_level level, const char *event, const struct log_field *fields,
		       size_t count)
{
	struct writer w = writer_into(into, LOG_RECORD_MAX);
	struct str name = str_first(str_of(event), 128);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct record_head head = {
	    .time_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
	    .event_length = (uint16_t)name.length,
	    .level = (uint8_t)level,
	};
	put(&w, &head, sizeof head);
	writer_str(&w, name);
	while (head.count < count && head.count < LOG_FIELDS_MAX && pack_field(&w, &fields[head.count]))
		head.count++;
	head.size = (uint32_t)w.used;
	memcpy(into, &head, sizeof head);
	return w.used;
}

size_t log_record_unpack(const char *from, struct log_record *record)
{
	struct record_head head;
	memcpy(&head, from, sizeof head);
	const char *at = from + sizeof head;
	record->level = (enum log_level)head.level;
	record->time_ms = head.time_ms;
	record->event = (struct str){at, head.event_length};
	record->count = head.count;
	at += head.event_length;
	for (size_t i = 0; i < head.count; i++) {
		struct field_head field;
		memcpy(&field, at, sizeof field);
		const char *key = at + sizeof field;
		record->fields[i] = (struct log_field){
		    .key = key,
		    .type = (enum log_field_type)field.type,
		    .text = {key + field.key_length + 1, field.text_length},
		    .number = field.number,
		};
		at = key + field.key_length + 1 + field.text_length;
	}
	return head.size;
}

// ---- text

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	return names[level];
}

bool log_level_parse(struct str name, enum log_level *level)
{
	for (enum log_level l = LOG_LEVEL_ERROR; l <= LOG_LEVEL_DEBUG; l++) {
		if (str_equal(name, str_of(log_level_name(l)))) {
			*level = l;
			return true;
		}
	}
	return false;
}

void log_record_write_time(struct writer *w, uint64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;
	char text[32];
	gmtime_r(&seconds, &tm);
	size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	writer_str(w, (struct str){text, length});
	writer_format(w, ".%03uZ", (unsigned)(time_ms % 1000));
}

// The code point that the text begins with, and its bytes; 0 when it is no well-formed UTF-8 (RFC 3629 section 3).
static size_t utf8_first(struct str text, uint32_t *point)
{
	const unsigned char *at = (const unsigned char *)text.at;
	size_t size = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (size > text.length || (at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4)
		return 0;
	*point = size == 1 ? at[0] : at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (at[i] & 0x3f);
	}
	bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
	return *point < smallest[size] || *point > 0x10ffff || surrogate ? 0 : size;
}

// Controls of C0 and C1, and characters that are invisible or turn the direction of what follows.
static bool is_steering(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

static bool is_plain(struct str value)
{
	for (size_t i = 0; i < value.length; i++) {
		char c = value.at[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return value.length > 0;
}

static void write_escaped(struct writer *w, struct str bytes)
{
	for (size_t i = 0; i < bytes.length; i++) {
		writer_text(w, "\\x");
		writer_hex(w, bytes.at + i, 1);
	}
}

void log_value_write(struct writer *w, struct str value)
{
	if (is_plain(value)) {
		writer_str(w, value);
		return;
	}
	writer_char(w, '"');
	while (value.length > 0) {
		uint32_t point = 0;
		size_t size = utf8_first(value, &point);
		if (size == 0 || is_steering(point)) {
			size = size == 0 ? 1 : size;
			write_escaped(w, str_first(value, size));
		} else {
			if (point == '"' || point == '\\')
				writer_char(w, '\\');
			writer_str(w, str_first(value, size));
		}
		value = str_from(value, size);
	}
	writer_char(w, '"');
}

void log_record_write(struct writer *w, const struct log_record *record)
{
	writer_str(w, record->event);
	for (size_t i = 0; i < record->count; i++) {
		const struct log_field *field = &record->fields[i];
		writer_char(w, ' ');
		writer_text(w, field->key);
		writer_char(w, '=');
		switch (field->type) {
		case LOG_FIELD_STR:
			log_value_write(w, field->text);
			break;
		case LOG_FIELD_UINT:
			writer_uint(w, field->number);
			break;
		case LOG_FIELD_INT:
			writer_int(w, (int64_t)field->number);
			break;
		}
	}
}

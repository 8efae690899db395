// XML of what an extension does, for busy lamps.
#include "sip/dialog_info.h"

#include "sip/uri.h"

#include <inttypes.h>

// How many bytes a well-formed UTF-8 character has at the start of the text, 0 when none stands there. What XML 1.0 cannot
// hold (section 2.2) counts as none.
static size_t character_length(struct str text)
{
	unsigned char first = (unsigned char)text.at[0];
	size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	uint32_t point = length == 1 ? first : first & (0x7FU >> length);

	if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || length > text.length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)text.at[i] & 0xC0) != 0x80)
			return 0;
		point = point << 6 | ((unsigned char)text.at[i] & 0x3F);
	}
	bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
	bool forbidden = point < 0x20 || point == 0x7F || (point >= 0xD800 && point < 0xE000) || point >= 0x110000 ||
			 point == 0xFFFE || point == 0xFFFF;
	return overlong || forbidden ? 0 : length;
}

// Names come from carriers, too: whatever is in them, what is written stays XML.
static void write_escaped(struct writer *w, struct str text)
{
	while (!str_empty(text)) {
		size_t length = character_length(text);
		if (length == 0)
			writer_char(w, '?');
		else if (text.at[0] == '&')
			writer_text(w, "&amp;");
		else if (text.at[0] == '<')
			writer_text(w, "&lt;");
		else if (text.at[0] == '>')
			writer_text(w, "&gt;");
		else if (text.at[0] == '"')
			writer_text(w, "&quot;");
		else
			writer_str(w, str_first(text, length));
		text = str_from(text, length ? length : 1);
	}
}

static void write_other_uri(struct writer *w, const struct dialog_info *info, const struct lamp_call *call)
{
	char memory[1024];
	struct writer uri = writer_into(memory, sizeof memory);

	if (info->nameless || call->anonymous || str_empty(call->other_number)) {
		writer_text(w, "sip:anonymous@anonymous.invalid");
		return;
	}
	writer_text(&uri, "sip:");
	sip_write_user(&uri, str_first(call->other_number, 128));
	writer_char(&uri, '@');
	writer_str(&uri, info->host);
	write_escaped(w, writer_result(&uri));
}

static void write_display(struct writer *w, struct str name)
{
	if (str_empty(name))
		return;
	writer_text(w, " display=\"");
	write_escaped(w, str_first(name, 128));
	writer_char(w, '"');
}

static void write_attribute(struct writer *w, const char *name, struct str value)
{
	writer_char(w, ' ');
	writer_text(w, name);
	writer_text(w, "=\"");
	write_escaped(w, value);
	writer_char(w, '"');
}

// RFC 4235 section 4.1.6.2 with RFC 3840: who holds does not render what the other sends.
static void write_target_end(struct writer *w, bool holds)
{
	if (holds)
		writer_text(w, ">\r\n<param pname=\"+sip.rendering\" pval=\"no\"/>\r\n</target>\r\n");
	else
		writer_text(w, "/>\r\n");
}

void dialog_info_begin(struct writer *w, const struct dialog_info *info, unsigned version)
{
	writer_text(w, "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\"");
	writer_format(w, " version=\"%u\" state=\"full\"", version);
	write_attribute(w, "entity", info->entity);
	writer_text(w, ">\r\n");
}

void dialog_info_call(struct writer *w, const struct dialog_info *info, const struct lamp_call *call,
		      const struct dialog_info_pickup *pickup)
{
	static const char *const states[] = {
	    [LAMP_TRYING] = "trying", [LAMP_EARLY] = "early", [LAMP_CONFIRMED] = "confirmed"};
	bool shown = !info->nameless && !call->anonymous;

	writer_format(w, "<dialog id=\"%" PRIu64 "\"", call->call);
	if (!str_empty(pickup->call_id)) {
		write_attribute(w, "call-id", pickup->call_id);
		write_attribute(w, "local-tag", pickup->local_tag);
		write_attribute(w, "remote-tag", pickup->remote_tag);
	}
	writer_format(w, " direction=\"%s\">\r\n<state>%s</state>\r\n<local>\r\n<identity",
		      call->called ? "recipient" : "initiator", states[call->state]);
	write_display(w, info->name);
	writer_char(w, '>');
	write_escaped(w, info->entity);
	writer_text(w, "</identity>\r\n<target");
	write_attribute(w, "uri", info->entity);
	write_target_end(w, call->holds);
	writer_text(w, "</local>\r\n<remote>\r\n<identity");
	write_display(w, shown ? call->other_name : STR_NONE);
	writer_char(w, '>');
	write_other_uri(w, info, call);
	writer_text(w, "</identity>\r\n<target uri=\"");
	write_other_uri(w, info, call);
	writer_char(w, '"');
	write_target_end(w, call->held);
	writer_text(w, "</remote>\r\n</dialog>\r\n");
}

void dialog_info_nothing(struct writer *w, const struct dialog_info *info)
{
	writer_text(w, "<dialog");
	write_attribute(w, "id", info->extension);
	writer_text(w, ">\r\n<state>terminated</state>\r\n</dialog>\r\n");
}

void dialog_info_end(struct writer *w)
{
	writer_text(w, "</dialog-info>\r\n");
}

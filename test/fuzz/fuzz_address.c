// Addresses: print and parse again; display names mean the same after we wrote them.
#include "fuzz/fuzz.h"
#include "sip/message.h"

#include <string.h>

static void print(struct writer *w, const struct sip_address *address)
{
	writer_str(w, address->display);
	writer_text(w, address->angle ? "<" : "");
	writer_str(w, address->uri.text);
	writer_text(w, address->angle ? ">" : "");
	if (address->parameters.at) {
		writer_char(w, ';');
		writer_str(w, address->parameters);
	}
}

// A name as text, written by us inside of an address, is the same text; control characters are lost on purpose.
static void name_round_trip(struct str display)
{
	size_t room = 2 * display.length + 64;
	char *name = malloc(room), *written = malloc(room), *name_again = malloc(room);
	must(name && written && name_again);
	struct str text = sip_display_text(display, name);
	size_t kept = 0;
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)name[i] >= ' ' && name[i] != 0x7f)
			name[kept++] = name[i];
	}
	struct writer w = writer_into(written, room);
	sip_write_display(&w, (struct str){name, kept});
	writer_text(&w, "<sip:a@h>");
	must(!w.overflow);
	struct sip_address again;
	must(sip_address_parse(writer_result(&w), &again));
	must_equal(sip_display_text(again.display, name_again), ((struct str){name, kept}));
	free(name);
	free(written);
	free(name_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = input(data, size), value;
	struct sip_address address, again;
	if (!sip_address_parse(text, &address))
		return 0;
	must_lie_within(text, address.display);
	must_lie_within(text, address.uri.text);
	must_lie_within(text, address.parameters);

	char *printed = malloc(size + 8);
	must(printed);
	struct writer w = writer_into(printed, size + 8);
	print(&w, &address);
	must(!w.overflow);
	must(sip_address_parse(writer_result(&w), &again));
	must(address.angle == again.angle);
	must_equal(address.display, again.display);
	must_equal(address.uri.text, again.uri.text);
	must_equal(address.parameters, again.parameters);
	(void)sip_header_parameter(address.parameters, STR("tag"), &value);
	name_round_trip(address.display);
	free(printed);
	return 0;
}

// Addresses as From, To, Contact, Route and their like hold them: a URI, perhaps with a name before and parameters behind
// it (RFC 3261 section 20.10); header parameters; display names.
#include "sip/message.h"
#include "sip/syntax.h"

enum form { FORM_NAME_ADDR, FORM_ADDR_SPEC, FORM_BROKEN };

// [ display-name ] LAQUOT; *begin becomes the index behind the '<', or stays 0 when the value is a bare URI.
static enum form take_name(struct str value, struct sip_address *address, size_t *begin)
{
	bool quoted = !str_empty(value) && value.at[0] == '"';
	size_t end = quoted ? syntax_quoted_end(value, 0) : syntax_span(value, 0, SYNTAX_BARE_NAME);
	if (quoted && end == 0)
		return FORM_BROKEN;
	size_t open = syntax_skip_space(value, end);
	if (open == value.length || value.at[open] != '<')
		return quoted ? FORM_BROKEN : FORM_ADDR_SPEC;
	address->display = syntax_trim(str_first(value, end));
	*begin = open + 1;
	return FORM_NAME_ADDR;
}

// Finds the first tag on the way. False when they are broken.
static bool take_parameters(struct str parameters, struct str *tag)
{
	struct syntax_parameter parameter;
	enum syntax_step step;
	bool found = false;
	while ((step = syntax_parameter_next(&parameters, ';', &parameter)) == SYNTAX_ITEM) {
		if (found || !str_equal_nocase(parameter.name, STR("tag")))
			continue;
		found = true;
		*tag = parameter.value;
	}
	return step == SYNTAX_END;
}

// Without < > the first ';' begins the header's parameters.
static size_t bare_uri_end(struct str value)
{
	size_t end = 0;
	while (end < value.length && value.at[end] != ';' && !syntax_is_space(value.at[end]))
		end++;
	return end;
}

bool sip_address_parse(struct str value, struct sip_address *address)
{
	*address = (struct sip_address){.angle = false};
	value = syntax_trim(value);
	size_t begin = 0, end, where;
	const char *why;
	enum form form = take_name(value, address, &begin);
	if (form == FORM_BROKEN)
		return false;

	address->angle = form == FORM_NAME_ADDR;
	end = address->angle ? begin + str_index(str_from(value, begin), '>') : bare_uri_end(value);
	if (address->angle && end == value.length)
		return false;
	struct str uri = syntax_slice(value, begin, end);
	if (!sip_uri_parse(uri, &address->uri, &why, &where))
		return false;
	// A URI with ',' or '?' must stand in < >, since what follows could be meant for the header (RFC 3261 section 20).
	if (!address->angle && (str_index(uri, ',') < uri.length || str_index(uri, '?') < uri.length))
		return false;

	end = syntax_skip_space(value, end + address->angle);
	if (end == value.length)
		return true;
	if (value.at[end] != ';')
		return false;
	address->parameters = str_from(value, end + 1);
	return take_parameters(address->parameters, &address->tag);
}

bool sip_address_tag(struct str value, struct str *tag)
{
	struct sip_address address;
	size_t begin = 0, end;
	*tag = STR_NONE;
	value = syntax_trim(value);
	enum form form = take_name(value, &address, &begin);
	if (form == FORM_BROKEN)
		return false;
	if (form == FORM_NAME_ADDR) {
		end = begin + str_index(str_from(value, begin), '>');
		if (end == value.length)
			return false;
		end++;
	} else {
		end = bare_uri_end(value);
	}
	end = syntax_skip_space(value, end);
	if (end == value.length)
		return true;
	return value.at[end] == ';' && take_parameters(str_from(value, end + 1), tag);
}

bool sip_header_parameter(struct str parameters, struct str name, struct str *value)
{
	struct syntax_parameter parameter;
	while (syntax_parameter_next(&parameters, ';', &parameter) == SYNTAX_ITEM) {
		if (!str_equal_nocase(parameter.name, name))
			continue;
		*value = parameter.value;
		return true;
	}
	return false;
}

struct str sip_display_text(struct str display, char *into)
{
	display = syntax_trim(display);
	if (display.length < 2 || display.at[0] != '"')
		return syntax_unquote(display, into);
	return syntax_unquote(syntax_slice(display, 1, display.length - 1), into);
}

void sip_write_display(struct writer *w, struct str name)
{
	if (str_empty(name))
		return;
	writer_char(w, '"');
	for (size_t i = 0; i < name.length; i++) {
		char c = name.at[i];
		if ((unsigned char)c < ' ' || c == 0x7f)
			continue;
		if (c == '"' || c == '\\')
			writer_char(w, '\\');
		writer_char(w, c);
	}
	writer_text(w, "\" ");
}

// Keys in bodies of SIP INFO. The body is whatever the far end sent: only its beginning is looked at.
#include "domain/dtmf.h"

enum { BODY_MAX = 256 };

// Some say 10 and 11, their numbers as events (RFC 4733 section 3.2), for what others write as * and #.
static bool key_of(struct str text, char *key)
{
	text = str_trim(text);
	if (str_equal(text, STR("10")))
		text = STR("*");
	else if (str_equal(text, STR("11")))
		text = STR("#");
	if (text.length != 1)
		return false;
	char c = text.at[0];
	if (c >= 'a' && c <= 'd')
		c = (char)(c - 'a' + 'A');
	*key = c;
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'D') || c == '*' || c == '#';
}

static bool signal_read(struct str lines, char *key)
{
	struct str line, name;

	while (str_take(&lines, '\n', &line)) {
		struct str value = line;
		if (str_take(&value, '=', &name) && str_equal_nocase(str_trim(name), STR("signal")))
			return key_of(value, key);
	}
	return false;
}

bool dtmf_read(const struct body *body, char *key)
{
	struct str type = str_trim(str_first(body->type, str_index(body->type, ';')));
	struct str bytes = str_first(body->bytes, body->bytes.length < BODY_MAX ? body->bytes.length : BODY_MAX);

	if (str_equal_nocase(type, STR("application/dtmf-relay")))
		return signal_read(bytes, key);
	return str_equal_nocase(type, STR("application/dtmf")) && key_of(bytes, key);
}

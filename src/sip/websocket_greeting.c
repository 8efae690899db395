// The HTTP request that a WebSocket begins with (RFC 6455 section 4.2), for the sub-protocol sip (RFC 7118 section 4.1).
#include "sip/websocket.h"

#include <openssl/evp.h>
#include <string.h>

enum { KEY_LENGTH = 24, SHA1_SIZE = 20, HEADERS_MAX = 64 };

// What the headers said.
struct greeting {
	bool host, upgrade, connection, version, protocol;
	struct str key, origin;
	unsigned keys, origins;
};

// Whether a list of tokens, separated by commas, has this one.
static bool list_has(struct str list, struct str token)
{
	struct str piece;

	while (str_take(&list, ',', &piece))
		if (str_equal_nocase(str_trim(piece), token))
			return true;
	return false;
}

static bool read_header(struct str line, struct greeting *greeting)
{
	size_t colon = str_index(line, ':');
	struct str name = str_first(line, colon), value = str_trim(str_from(line, colon + 1));

	// A blank before the colon, or a folded line: what others make of it cannot be known (RFC 9112 section 5).
	if (colon == 0 || colon == line.length || str_index(name, ' ') < name.length ||
	    str_index(name, '\t') < name.length)
		return false;
	if (str_equal_nocase(name, STR("Host")))
		greeting->host = true;
	else if (str_equal_nocase(name, STR("Upgrade")))
		greeting->upgrade |= list_has(value, STR("websocket"));
	else if (str_equal_nocase(name, STR("Connection")))
		greeting->connection |= list_has(value, STR("upgrade"));
	else if (str_equal_nocase(name, STR("Sec-WebSocket-Version")))
		greeting->version = str_equal(value, STR("13"));
	else if (str_equal_nocase(name, STR("Sec-WebSocket-Protocol")))
		greeting->protocol |= list_has(value, STR("sip"));
	else if (str_equal_nocase(name, STR("Sec-WebSocket-Key")))
		greeting->key = value, greeting->keys++;
	else if (str_equal_nocase(name, STR("Origin")))
		greeting->origin = value, greeting->origins++;
	return true;
}

// "GET /sip HTTP/1.1"
static bool request_line_is_right(struct str line)
{
	struct str method, target;

	return str_take(&line, ' ', &method) && str_equal(method, STR("GET")) && str_take(&line, ' ', &target) &&
	       !str_empty(target) && target.at[0] == '/' && str_equal(line, STR("HTTP/1.1"));
}

static bool read_lines(struct str text, struct greeting *greeting)
{
	unsigned count = 0;
	struct str line;

	if (text.length < 4 || memcmp(text.at + text.length - 4, "\r\n\r\n", 4) != 0 ||
	    memchr(text.at, '\0', text.length))
		return false;
	while (str_take(&text, '\n', &line)) {
		if (str_empty(line) || line.at[line.length - 1] != '\r')
			return false;
		line = str_first(line, line.length - 1);
		if (str_empty(line))
			return greeting->host && count > 0;
		if (count == 0 ? !request_line_is_right(line) : !read_header(line, greeting))
			return false;
		if (++count > HEADERS_MAX)
			return false;
	}
	return false;
}

// 16 octets in base64.
static bool key_is_right(const struct greeting *greeting)
{
	unsigned char octets[KEY_LENGTH];

	return greeting->keys == 1 && greeting->key.length == KEY_LENGTH && greeting->key.at[KEY_LENGTH - 3] != '=' &&
	       memcmp(greeting->key.at + KEY_LENGTH - 2, "==", 2) == 0 &&
	       EVP_DecodeBlock(octets, (const unsigned char *)greeting->key.at, KEY_LENGTH) > 0;
}

// Whoever sends none is no browser, and a page cannot hide its own.
static bool origin_may(const struct greeting *greeting, struct str origins)
{
	struct str one;

	if (greeting->origins == 0 || str_empty(str_trim(origins)))
		return greeting->origins <= 1;
	while (greeting->origins == 1 && str_take(&origins, ' ', &one))
		if (!str_empty(one) && str_equal_nocase(one, greeting->origin))
			return true;
	return false;
}

static unsigned refuse(struct writer *answer, unsigned status, const char *line, const char **why)
{
	const char *phrase = status == 426   ? "Upgrade Required"
			     : status == 403 ? "Forbidden"
			     : status == 503 ? "Service Unavailable"
					     : "Bad Request";

	writer_format(answer,
		      "HTTP/1.1 %u %s\r\n%sConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
		      "Content-Length: %zu\r\n\r\n%s\n",
		      status, phrase, line, strlen(*why) + 1, *why);
	return status;
}

void websocket_turn_away(struct writer *answer)
{
	const char *why = "Not now.";

	(void)refuse(answer, 503, "", &why);
}

// RFC 6455 section 4.2.2.
static bool write_accept(struct str key, struct writer *answer)
{
	static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[KEY_LENGTH + sizeof suffix];
	unsigned char digest[SHA1_SIZE], base64[SHA1_SIZE * 2];

	memcpy(text, key.at, KEY_LENGTH);
	memcpy(text + KEY_LENGTH, suffix, sizeof suffix);
	if (EVP_Digest(text, KEY_LENGTH + sizeof suffix - 1, digest, NULL, EVP_sha1(), NULL) != 1)
		return false;
	EVP_EncodeBlock(base64, digest, sizeof digest);
	writer_format(answer,
		      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		      "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
		      (const char *)base64);
	return !answer->overflow;
}

unsigned websocket_greet(struct str request, struct str origins, struct writer *answer, const char **why)
{
	struct greeting greeting = {0};

	*why = "This is no HTTP/1.1 request that can be read.";
	if (!read_lines(request, &greeting))
		return refuse(answer, 400, "", why);
	*why = "Here SIP is spoken over WebSocket, and nothing else.";
	if (!greeting.upgrade || !greeting.connection)
		return refuse(answer, 426, "Upgrade: websocket\r\n", why);
	*why = "WebSocket is version 13 here.";
	if (!greeting.version)
		return refuse(answer, 426, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", why);
	*why = "The sub-protocol must be sip.";
	if (!greeting.protocol)
		return refuse(answer, 400, "", why);
	*why = "Pages of this origin may not connect.";
	if (!origin_may(&greeting, origins))
		return refuse(answer, 403, "", why);
	*why = "Sec-WebSocket-Key is not right.";
	if (!key_is_right(&greeting) || !write_accept(greeting.key, answer))
		return refuse(answer, 400, "", why);
	return 101;
}

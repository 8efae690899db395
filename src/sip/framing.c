// Cuts messages out of a stream (RFC 3261 section 18.3) and answers the keep-alives between them (RFC 5626 section 4.4.1).
#include "sip/connection.h"

#include <stdlib.h>
#include <string.h>

enum { PING_SIZE = 4, PONG_SIZE = 2 }; // CRLF CRLF, CRLF

bool sip_bytes_append(struct sip_transport *transport, struct str *waiting, struct str bytes)
{
	char *grown = realloc((char *)waiting->at, waiting->length + bytes.length);

	if (!grown)
		return false;
	memcpy(grown + waiting->length, bytes.at, bytes.length);
	*waiting = (struct str){grown, waiting->length + bytes.length};
	transport->counters.buffered_bytes += bytes.length;
	return true;
}

void sip_bytes_free(struct sip_transport *transport, struct str *waiting)
{
	transport->counters.buffered_bytes -= waiting->length;
	free((char *)waiting->at);
	*waiting = STR_NONE;
}

// Takes so many off the front.
static void bytes_drop(struct sip_transport *transport, struct str *waiting, size_t count)
{
	memmove((char *)waiting->at, waiting->at + count, waiting->length - count);
	transport->counters.buffered_bytes -= count;
	waiting->length -= count;
}

// CRLF CRLF is a ping and gets one CRLF; several at once are one question. The first line end after a ping of ours is its answer.
static void answer_pings(struct sip_connection *connection, size_t line_end_bytes)
{
	connection->ping_bytes += (unsigned)line_end_bytes;
	if (connection->ping_due && connection->ping_bytes >= PONG_SIZE) {
		connection->ping_due = false;
		connection->answers_pings = true;
		connection->ping_bytes -= PONG_SIZE;
	}
	if (connection->ping_bytes < PING_SIZE)
		return;
	connection->ping_bytes %= PING_SIZE;
	if (sip_connection_say(connection, STR("\r\n")))
		sip_connection_break(connection, "cannot be sent to");
}

// Takes whole messages off the front and gives how many bytes that was.
static size_t consume(struct sip_connection *connection, char *bytes, size_t size)
{
	struct flow flow = sip_connection_flow(connection);
	size_t taken = 0;

	while (connection->state == CONNECTION_OPEN && taken < size) {
		struct sip_fault fault = {0};
		size_t skipped = 0;
		long length = sip_message_frame(bytes + taken, size - taken, &skipped, &fault);

		taken += skipped;
		answer_pings(connection, skipped);
		if (length == 0 && size - taken <= SIP_MESSAGE_MAX)
			break;
		connection->ping_bytes = 0;
		if (!sip_transport_admits(connection->transport, &flow, (struct str){bytes + taken, size - taken})) {
			sip_connection_break(connection, "over its limits");
			break;
		}
		if (length <= 0) {
			// Where the next one begins cannot be known. Parsing finds what is needed to say so.
			sip_transport_deliver(connection->transport, &flow, bytes + taken, size - taken);
			sip_connection_break(connection, "not SIP");
			break;
		}
		sip_transport_deliver(connection->transport, &flow, bytes + taken, (size_t)length);
		taken += (size_t)length;
	}
	return taken;
}

// Takes what it can of the bytes, behind those that wait already, and keeps the rest. Gives how many it took.
static size_t take(struct sip_connection *connection, struct str bytes)
{
	struct sip_transport *transport = connection->transport;
	struct str *incoming = &connection->incoming;
	size_t taken;

	if (str_empty(*incoming)) {
		taken = consume(connection, (char *)bytes.at, bytes.length);
		if (taken < bytes.length && !sip_bytes_append(transport, incoming, str_from(bytes, taken)))
			sip_connection_break(connection, "no memory");
		return taken;
	}
	if (!sip_bytes_append(transport, incoming, bytes)) {
		sip_connection_break(connection, "no memory");
		return 0;
	}
	taken = consume(connection, (char *)incoming->at, incoming->length);
	if (taken == incoming->length)
		sip_bytes_free(transport, incoming);
	else if (taken > 0)
		bytes_drop(transport, incoming, taken);
	return taken;
}

void sip_framing_take(struct sip_connection *connection, char *bytes, size_t size)
{
	size_t taken = take(connection, (struct str){bytes, size});

	if (str_empty(connection->incoming)) {
		connection->half_since_ms = 0;
	} else if (taken > 0 || connection->half_since_ms == 0) {
		connection->half_since_ms = connection->active_ms;
		sip_connection_schedule(connection);
	}
}

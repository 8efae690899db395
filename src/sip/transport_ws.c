// SIP over WebSocket (RFC 7118): one message of the one is one of the other. Only others connect; they are spoken to along the
// connection they came by.
#include "sip/connection.h"

#include "base/log.h"

static bool wire_send(void *context, struct str bytes)
{
	return sip_connection_write(context, bytes) == 0;
}

static void greeted(void *context)
{
	sip_connection_ready(context);
}

static bool is_keepalive(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != '\r' && bytes[i] != '\n')
			return false;
	return true;
}

static void said(void *context, char *bytes, size_t size)
{
	struct sip_connection *connection = context;
	struct flow flow = sip_connection_flow(connection);

	if (connection->state != CONNECTION_OPEN)
		return;
	if (is_keepalive(bytes, size)) {
		// RFC 5626 section 4.4.1, for clients that use it here as well.
		if (size >= 4 && sip_connection_say(connection, STR("\r\n")))
			sip_connection_break(connection, "cannot be sent to");
		return;
	}
	connection->active_ms = loop_now_ms(connection->transport->loop);
	while (*bytes == '\r' || *bytes == '\n') {
		bytes++;
		size--;
	}
	if (sip_transport_admits(connection->transport, &flow, (struct str){bytes, size}))
		sip_transport_deliver(connection->transport, &flow, bytes, size);
	else
		sip_connection_break(connection, "over its limits");
}

static const struct websocket_handlers handlers = {.send = wire_send, .opened = greeted, .received = said};

bool sip_ws_accept(struct sip_connection *connection)
{
	connection->websocket =
	    websocket_create(&connection->transport->origins, SIP_MESSAGE_MAX, &handlers, connection);
	return connection->websocket;
}

void sip_ws_take(struct sip_connection *connection, struct str bytes)
{
	if (websocket_receive(connection->websocket, bytes) == WEBSOCKET_OVER)
		sip_connection_break(connection, websocket_why(connection->websocket));
}

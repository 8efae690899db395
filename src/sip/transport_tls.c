// SIP over TLS: a tls_channel between a connection and its wire (RFC 3261 section 26.3, RFC 5922).
#include "sip/connection.h"

#include "base/log.h"

enum { HOST_SIZE = 64 };

static bool wire_send(void *context, struct str bytes)
{
	struct sip_connection *connection = context;

	return tcp_send(connection->tcp, bytes) == 0;
}

static void secured(void *context)
{
	struct sip_connection *connection = context;

	log_debug("sip_tls_ready", LOG_UINT("connection", connection->id),
		  LOG_TEXT("version", tls_channel_version(connection->tls)),
		  LOG_TEXT("session", tls_channel_resumed(connection->tls) ? "resumed" : "new"));
	connection->transport->counters.handshakes++;
	sip_connection_secured(connection);
}

static bool said(void *context, char *bytes, size_t size)
{
	struct sip_connection *connection = context;

	sip_connection_take(connection, bytes, size);
	return connection->state != CONNECTION_BROKEN;
}

static const struct tls_handlers handlers = {.send = wire_send, .opened = secured, .received = said};

bool sip_tls_accept(struct sip_connection *connection)
{
	struct sip_transport *transport = connection->transport;
	uint16_t name = 0;

	connection->tls = tls_channel_accept(transport->tls, &handlers, connection);
	if (connection->tls && transport->handlers.demands)
		name = transport->handlers.demands(transport->context, &connection->remote);
	if (name)
		tls_channel_demand(connection->tls, transport->names[name - 1]);
	if (name && transport->names_by_wildcard[name - 1])
		tls_channel_take_wildcards(connection->tls);
	return connection->tls;
}

bool sip_tls_connect(struct sip_connection *connection)
{
	struct sip_transport *transport = connection->transport;
	char text[HOST_SIZE];
	struct writer host = writer_into(text, sizeof text);
	struct str name;

	net_address_write_host(&host, &connection->remote);
	name = connection->name ? transport->names[connection->name - 1] : writer_result(&host);
	connection->tls = tls_channel_connect(transport->tls, name, &handlers, connection);
	if (connection->tls && connection->name && transport->names_by_wildcard[connection->name - 1])
		tls_channel_take_wildcards(connection->tls);
	return connection->tls;
}

void sip_tls_note_failure(struct sip_connection *connection, const char *why)
{
	bool shaking = connection->state == CONNECTION_SECURING;
	char text[HOST_SIZE];
	struct writer remote = writer_into(text, sizeof text);

	net_address_write(&remote, &connection->remote);
	connection->transport->counters.handshakes_failed += shaking;
	log_warning("sip_tls_failed", LOG_STR("remote", writer_result(&remote)),
		    LOG_TEXT("during", shaking ? "handshake" : "talk"), LOG_TEXT("why", why));
}

static void judge(struct sip_connection *connection)
{
	switch (tls_channel_state(connection->tls)) {
	case TLS_SHAKING:
	case TLS_OPEN:
		return;
	case TLS_CLOSED:
		sip_connection_break(connection, "closed by the other side");
		return;
	case TLS_FAILED:
		if (connection->state == CONNECTION_BROKEN)
			return; // it does not take what we say
		sip_tls_note_failure(connection, tls_channel_why(connection->tls));
		sip_connection_break(connection, "TLS failed");
		return;
	}
}

void sip_tls_start(struct sip_connection *connection)
{
	tls_channel_start(connection->tls);
	judge(connection);
}

void sip_tls_take(struct sip_connection *connection, struct str bytes)
{
	tls_channel_receive(connection->tls, bytes);
	judge(connection);
}

// Dialogs as RFC 3261 section 12 has them. Host names in Contacts and routes are not looked up: the flow that the other side has
// used so far serves instead.
#include "sip/dialog.h"

#include "sip/owned.h"

#include <assert.h>

void dialog_init(struct sip_dialog *dialog)
{
	*dialog = (struct sip_dialog){0};
	list_init(&dialog->node);
}

void dialog_clear(struct sip_dialog *dialog)
{
	list_remove(&dialog->node);
	owned_free(&dialog->call_id);
	owned_free(&dialog->local);
	owned_free(&dialog->remote);
	owned_free(&dialog->target);
	owned_free(&dialog->routes);
	owned_free(&dialog->ack);
	dialog_init(dialog);
}

void dialog_random_text(struct loop *loop, char *into, size_t length)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567"; // 5 bits each
	uint64_t bits = 0;
	unsigned left = 0;
	for (size_t i = 0; i < length; i++) {
		if (left < 5) {
			bits = loop_random_uint(loop);
			left = 60;
		}
		into[i] = alphabet[bits & 31];
		bits >>= 5;
		left -= 5;
	}
	into[length] = '\0';
}

// Keeps a header value with the tag behind it; *tag_kept becomes the slice of it.
static bool keep_with_tag(struct str *kept, struct str *tag_kept, struct str value, struct str tag)
{
	static const struct str mark = {";tag=", 5};
	size_t length = value.length + (str_empty(tag) ? 0 : mark.length + tag.length);
	char *text = owned_take(length);
	if (!text)
		return false;
	struct writer w = writer_into(text, length);
	writer_str(&w, value);
	if (!str_empty(tag)) {
		writer_str(&w, mark);
		writer_str(&w, tag);
	}
	assert(!w.overflow);
	owned_free(kept);
	*kept = writer_result(&w);
	*tag_kept = str_from(*kept, kept->length - tag.length);
	return true;
}

// A value of From or To as received has its tag somewhere among its parameters.
static bool keep_as_received(struct str *kept, struct str *tag_kept, struct str value, struct str tag)
{
	if (!owned_set(kept, value))
		return false;
	*tag_kept = STR_NONE;
	if (str_empty(tag))
		return true;
	assert(tag.at >= value.at && tag.at + tag.length <= value.at + value.length);
	*tag_kept = (struct str){kept->at + (tag.at - value.at), tag.length};
	return true;
}

// ---- where it leads

static uint8_t transport_said(const struct sip_uri *uri)
{
	struct str name;
	if (!sip_parameter(uri->parameters, ';', STR("transport"), &name))
		return HOP_UNSAID;
	for (uint8_t i = 0; transport_names[i]; i++)
		if (str_equal_nocase(name, str_of(transport_names[i])))
			return i;
	return HOP_UNKNOWN;
}

bool dialog_address_of(const struct sip_uri *uri, struct net_address *address)
{
	struct str host = uri->host, maddr;
	uint16_t port = uri->port;
	if (sip_parameter(uri->parameters, ';', STR("maddr"), &maddr) && !str_empty(maddr))
		host = maddr;
	if (port == 0)
		port = uri->scheme == URI_SIPS || transport_said(uri) == TRANSPORT_TLS ? 5061 : 5060;
	return net_address_parse(host, port, address);
}

// Takes the first route off the list; false when there is none.
static bool route_take(struct str *routes, struct sip_address *route, struct str *text)
{
	bool quoted = false, angle = false;
	size_t i = 0;
	*routes = str_trim(*routes);
	for (; i < routes->length; i++) {
		char c = routes->at[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '<' || c == '>'))
			angle = c == '<';
		else if (!quoted && !angle && c == ',')
			break;
	}
	*text = str_trim(str_first(*routes, i));
	*routes = str_trim(str_from(*routes, i + 1));
	return !str_empty(*text) && sip_address_parse(*text, route);
}

static void read_hop(struct sip_dialog *dialog)
{
	struct str routes = dialog->routes, text;
	struct sip_address route;
	struct sip_uri uri;
	const char *why;
	size_t at;

	dialog->hop = (struct dialog_hop){.transport = HOP_UNSAID};
	if (route_take(&routes, &route, &text))
		uri = route.uri;
	else if (!sip_uri_parse(dialog->target, &uri, &why, &at))
		return;
	if (!dialog_address_of(&uri, &dialog->hop.address)) {
		dialog->hop.address.family = 0;
		dialog->hop.port = uri.port;
	}
	dialog->hop.transport = transport_said(&uri);
	dialog->hop.secured = uri.scheme == URI_SIPS;
}

// ---- how it begins

bool dialog_start_client(struct sip_dialog *dialog, struct loop *loop, const struct dialog_start *start)
{
	char tag[DIALOG_TAG_LENGTH + 1], call_id[2 * DIALOG_TAG_LENGTH + 1];
	dialog_init(dialog);
	dialog_random_text(loop, tag, DIALOG_TAG_LENGTH);
	dialog_random_text(loop, call_id, 2 * DIALOG_TAG_LENGTH);
	dialog->flow = start->flow;
	dialog->pinned = start->pinned;
	dialog->own_name = start->own_name;
	dialog->sips = str_starts_nocase(start->target, STR("sips:"));
	if (!owned_set(&dialog->call_id, str_of(call_id)) || !owned_set(&dialog->target, start->target) ||
	    !owned_set(&dialog->routes, start->routes) || !owned_set(&dialog->remote, start->remote) ||
	    !keep_with_tag(&dialog->local, &dialog->local_tag, start->local, str_of(tag)))
		return false;
	read_hop(dialog);
	return true;
}

// The URI in the first Contact, when it is one that requests can be sent to.
static bool contact_uri(const struct sip_message *message, struct sip_uri *uri)
{
	struct sip_walk walk = {0};
	struct str value;
	struct sip_address address;
	if (!sip_value_next(message, SIP_HEADER_CONTACT, &walk, &value) || !sip_contact_parse(message, value, &address))
		return false;
	if (address.uri.scheme != URI_SIP && address.uri.scheme != URI_SIPS)
		return false;
	*uri = address.uri;
	return true;
}

enum route_order { ROUTE_AS_WRITTEN, ROUTE_REVERSED };

// Record-Route becomes the route set: as written for who was asked, reversed for who asked (RFC 3261 section 12.1).
static bool keep_routes(struct str *routes, const struct sip_message *message, enum route_order order)
{
	char text[DIALOG_ROUTES_MAX];
	size_t begins = sizeof text; // of what is in `text`, for the reversed order it grows to the front
	size_t ends = order == ROUTE_REVERSED ? sizeof text : 0;
	struct sip_walk walk = {0};
	struct str value;

	if (order == ROUTE_AS_WRITTEN)
		begins = 0;
	while (sip_value_next(message, SIP_HEADER_RECORD_ROUTE, &walk, &value)) {
		size_t comma = ends > begins ? 2 : 0;
		if (ends - begins + comma + value.length > sizeof text)
			return false;
		if (order == ROUTE_AS_WRITTEN) {
			memcpy(text + ends, ", ", comma);
			memcpy(text + ends + comma, value.at, value.length);
			ends += comma + value.length;
		} else {
			begins -= comma;
			memcpy(text + begins, ", ", comma);
			begins -= value.length;
			memcpy(text + begins, value.at, value.length);
		}
	}
	return owned_set(routes, (struct str){text + begins, ends - begins});
}

// A Contact that names another host than the packet came from lies behind NAT (or behind a name that is not ours to look up).
static bool behind_nat(const struct sip_uri *target, const struct flow *from)
{
	struct net_address address;
	return !dialog_address_of(target, &address) || !net_address_same_host(&address, &from->remote);
}

static bool wants_its_flow(const struct sip_uri *target)
{
	struct str ob;
	return sip_parameter(target->parameters, ';', STR("ob"), &ob);
}

bool dialog_start_server(struct sip_dialog *dialog, struct loop *loop, const struct sip_message *invite,
			 const struct flow *from)
{
	char tag[DIALOG_TAG_LENGTH + 1];
	struct sip_uri target = invite->from.uri;
	dialog_init(dialog);
	dialog_random_text(loop, tag, DIALOG_TAG_LENGTH);
	contact_uri(invite, &target);
	dialog->flow = *from;
	dialog->sips = invite->uri.scheme == URI_SIPS;
	dialog->remote_cseq = invite->cseq;
	dialog->remote_cseq_known = true;
	if (!owned_set(&dialog->call_id, invite->call_id) || !owned_set(&dialog->target, target.text) ||
	    !keep_routes(&dialog->routes, invite, ROUTE_AS_WRITTEN) ||
	    !keep_as_received(&dialog->remote, &dialog->remote_tag, sip_header_value(invite, SIP_HEADER_FROM),
			      invite->from_tag) ||
	    !keep_with_tag(&dialog->local, &dialog->local_tag, sip_header_value(invite, SIP_HEADER_TO), str_of(tag)))
		return false;
	read_hop(dialog);
	// RFC 5626 section 4.3: "ob" asks for the flow that the INVITE came by.
	dialog->pinned = str_empty(dialog->routes) && (behind_nat(&target, from) || wants_its_flow(&target));
	return true;
}

bool dialog_confirm(struct sip_dialog *dialog, const struct sip_message *response)
{
	// Everything is built aside first, so that a failure leaves the dialog whole.
	struct str remote = STR_NONE, remote_tag = STR_NONE, routes = STR_NONE;

	if (!keep_with_tag(&remote, &remote_tag,
			   str_empty(dialog->remote_tag)
			       ? dialog->remote
			       : str_first(dialog->remote, dialog->remote.length - dialog->remote_tag.length - 5),
			   response->to_tag))
		return false;
	// A Path that the INVITE was routed by is no part of the dialog's route: only the Record-Routes that came back are.
	if (!keep_routes(&routes, response, ROUTE_REVERSED)) {
		owned_free(&remote);
		return false;
	}
	owned_free(&dialog->remote);
	owned_free(&dialog->routes);
	dialog->remote = remote;
	dialog->remote_tag = remote_tag;
	dialog->routes = routes;
	read_hop(dialog);
	return dialog_refresh_target(dialog, response);
}

bool dialog_fork(struct sip_dialog *fork, const struct sip_dialog *first, const struct sip_message *response)
{
	dialog_init(fork);
	fork->flow = first->flow;
	fork->pinned = first->pinned;
	fork->sips = first->sips;
	fork->own_name = first->own_name;
	fork->local_cseq = response->cseq;
	if (!owned_set(&fork->call_id, first->call_id) || !owned_set(&fork->target, first->target) ||
	    !keep_as_received(&fork->local, &fork->local_tag, first->local, first->local_tag) ||
	    !keep_as_received(&fork->remote, &fork->remote_tag, first->remote, first->remote_tag))
		return false;
	return dialog_confirm(fork, response);
}

bool dialog_refresh_target(struct sip_dialog *dialog, const struct sip_message *message)
{
	struct sip_uri uri;
	if (!contact_uri(message, &uri) || str_equal(uri.text, dialog->target))
		return true;
	if (!owned_set(&dialog->target, uri.text))
		return false;
	read_hop(dialog);
	return true;
}

bool dialog_refresh_flow(struct sip_dialog *dialog, const struct flow *from)
{
	const struct flow *flow = &dialog->flow;
	bool same = flow->connection == from->connection && net_address_equal(&flow->remote, &from->remote);

	if (!dialog->pinned || same)
		return false;
	dialog->flow = *from;
	return true;
}

bool dialog_matches(const struct sip_dialog *dialog, const struct sip_message *request)
{
	return str_equal(request->to_tag, dialog->local_tag) && str_equal(request->from_tag, dialog->remote_tag) &&
	       str_equal(request->call_id, dialog->call_id);
}

bool dialog_in_order(struct sip_dialog *dialog, const struct sip_message *request)
{
	if (dialog->remote_cseq_known && request->cseq <= dialog->remote_cseq)
		return false;
	dialog->remote_cseq = request->cseq;
	dialog->remote_cseq_known = true;
	return true;
}

static bool host_is(struct str uri_text, const struct net_address *address)
{
	struct sip_uri uri;
	struct net_address named;
	const char *why;
	size_t at;
	return sip_uri_parse(uri_text, &uri, &why, &at) && dialog_address_of(&uri, &named) &&
	       net_address_same_host(&named, address);
}

bool dialog_flow_plausible(const struct sip_dialog *dialog, const struct flow *from)
{
	struct str routes = dialog->routes, text;
	struct sip_address route;
	if (net_address_same_host(&dialog->flow.remote, &from->remote) || host_is(dialog->target, &from->remote))
		return true;
	while (route_take(&routes, &route, &text))
		if (host_is(route.uri.text, &from->remote))
			return true;
	return false;
}

static uint8_t hop_transport(const struct dialog_hop *hop, uint8_t otherwise)
{
	// RFC 3261 section 19.1.2: sips: is TLS over whatever it says; RFC 7118 section 5.2: "ws" is said of both.
	if (hop->secured || otherwise == TRANSPORT_WSS)
		return otherwise == TRANSPORT_WSS ? TRANSPORT_WSS : TRANSPORT_TLS;
	if (hop->transport == HOP_UNSAID)
		return otherwise == TRANSPORT_UDP || otherwise == TRANSPORT_TCP ? TRANSPORT_UDP : otherwise;
	return hop->transport == HOP_UNKNOWN ? otherwise : hop->transport;
}

struct flow dialog_next_hop(const struct sip_dialog *dialog)
{
	const struct net_address *address = &dialog->hop.address;
	struct flow flow = dialog->flow;

	if (dialog->pinned)
		return flow;
	if (address->family == 0) {
		// Whoever connected to us listens at the port that it names, not at the one that this connection came from.
		if (flow.transport == TRANSPORT_TLS && dialog->hop.port != 0)
			flow.remote.port = dialog->hop.port;
		return flow;
	}
	uint8_t transport = hop_transport(&dialog->hop, flow.transport);
	// A connection that leads to the host already is used again, whatever port the Contact names (RFC 5923 in spirit: the port of a
	// TCP client is not one it listens on).
	if (flow.transport != TRANSPORT_UDP && net_address_same_host(address, &flow.remote) && flow.connection != 0)
		return flow;
	if (transport != flow.transport || !net_address_equal(address, &flow.remote)) {
		if (!net_address_same_host(address, &flow.remote))
			flow.name = 0;
		flow.transport = transport;
		flow.remote = *address;
		flow.connection = 0;
	}
	return flow;
}

struct flow dialog_next_flow(const struct sip_dialog *dialog, struct sip_transport *transport)
{
	struct flow flow = dialog_next_hop(dialog), fresh;
	if ((flow.transport != dialog->flow.transport || flow.remote.family != dialog->flow.remote.family) &&
	    sip_transport_flow_to(transport, (enum transport)flow.transport, &flow.remote, &fresh))
		return fresh;
	return flow;
}

// RFC 7118 section 5.2: a URI says "ws" where a Via says WSS.
static const char *uri_transport_name(uint8_t transport)
{
	return transport_names[transport == TRANSPORT_WSS ? TRANSPORT_WS : transport];
}

void dialog_write_contact(const struct sip_dialog *dialog, struct sip_transport *transport, const struct flow *flow,
			  struct writer *w)
{
	writer_text(w, dialog->sips ? "Contact: <sips:" : "Contact: <sip:");
	writer_text(w, dialog->is_nobody ? "" : "carillon@");
	sip_transport_write_own(transport, w, flow, dialog->own_name);
	// RFC 3261 section 26.2.2: sips: says tls by itself.
	if (flow->transport != TRANSPORT_UDP && !(dialog->sips && flow->transport == TRANSPORT_TLS)) {
		writer_text(w, ";transport=");
		writer_text(w, uri_transport_name(flow->transport));
	}
	writer_text(w, ">\r\n");
}

// How the route is written. A strict router wants itself in the Request-URI and the target at the end of the route
// (RFC 3261 section 12.2.1.1).
struct route_plan {
	bool strict;
	struct sip_address first;
	struct str rest; // without the first
};

static struct route_plan route_plan_of(const struct sip_dialog *dialog)
{
	struct route_plan plan = {.rest = dialog->routes};
	struct str text, lr;
	plan.strict = route_take(&plan.rest, &plan.first, &text) &&
		      !sip_parameter(plan.first.uri.parameters, ';', STR("lr"), &lr);
	return plan;
}

// A URI as a Request-URI: without headers (RFC 3261 section 19.1.1).
static struct str without_headers(struct str text)
{
	struct sip_uri uri;
	const char *why;
	size_t at;
	if (str_index(text, '?') < text.length && sip_uri_parse(text, &uri, &why, &at) && !str_empty(uri.headers))
		text = str_first(text, (size_t)(uri.headers.at - text.at) - 1);
	return text;
}

struct str dialog_request_uri(const struct sip_dialog *dialog)
{
	struct route_plan plan = route_plan_of(dialog);
	return without_headers(plan.strict ? plan.first.uri.text : dialog->target);
}

static void write_route(const struct sip_dialog *dialog, const struct route_plan *plan, struct writer *w)
{
	if (str_empty(dialog->routes))
		return;
	writer_text(w, "Route: ");
	writer_str(w, plan->strict ? plan->rest : dialog->routes);
	if (plan->strict) {
		writer_text(w, str_empty(plan->rest) ? "<" : ", <");
		writer_str(w, dialog->target);
		writer_char(w, '>');
	}
	writer_text(w, "\r\n");
}

static bool wants_contact(enum sip_method method)
{
	// RFC 3261 table 2, RFC 3311, RFC 6665 section 4.5.1: what makes or moves a dialog says where we are.
	return method == SIP_INVITE || method == SIP_UPDATE || method == SIP_NOTIFY;
}

bool dialog_write_request(const struct sip_dialog *dialog, struct sip_transport *transport, const struct flow *flow,
			  const struct request_draft *draft, struct writer *w)
{
	struct route_plan plan = route_plan_of(dialog);

	writer_text(w, sip_method_name(draft->method));
	writer_char(w, ' ');
	writer_str(w, dialog_request_uri(dialog));
	writer_text(w, " SIP/2.0\r\n");
	sip_transport_write_via(transport, w, flow, draft->branch);
	write_route(dialog, &plan, w);
	writer_text(w, "Max-Forwards: ");
	writer_uint(w, draft->max_forwards);
	writer_text(w, "\r\nFrom: ");
	writer_str(w, dialog->local);
	writer_text(w, "\r\nTo: ");
	writer_str(w, dialog->remote);
	writer_text(w, "\r\nCall-ID: ");
	writer_str(w, dialog->call_id);
	writer_text(w, "\r\nCSeq: ");
	writer_uint(w, draft->cseq);
	writer_char(w, ' ');
	writer_text(w, sip_method_name(draft->method));
	writer_text(w, "\r\n");
	if (wants_contact(draft->method))
		dialog_write_contact(dialog, transport, flow, w);
	writer_str(w, draft->extra);
	writer_text(w, "User-Agent: Carillon/" CARILLON_VERSION "\r\n");
	if (!str_empty(draft->body)) {
		writer_text(w, "Content-Type: ");
		writer_str(w, draft->body_type);
		writer_text(w, "\r\n");
	}
	writer_text(w, "Content-Length: ");
	writer_uint(w, draft->body.length);
	writer_text(w, "\r\n\r\n");
	writer_str(w, draft->body);
	return !w->overflow;
}

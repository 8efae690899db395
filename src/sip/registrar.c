// REGISTER: what it says is checked before the password is, since that costs nothing and tells nothing; then the bindings go to
// the domain, which has them written, and the answer lists what there is.
#include "sip/registrar.h"

#include "base/log.h"
#include "sip/dialog.h"
#include "sip/identity.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	PENDING_MAX = 20000, // REGISTERs that wait for the store
	LINES_MAX = 12288,   // ten Contacts of the greatest length
	Q_DEFAULT = 1000,
	EXPIRES_MALFORMED_S = 3600, // RFC 3261 section 10.2.1.1
};

struct sip_registrar {
	struct sip_endpoint *endpoint;
	struct sip_registrar_settings settings;
	struct slots *pending;
	struct list waiting; // the same, the oldest first
	struct pool pool;
	uint64_t accepted;
	time_t date_s; // of `date`
	char date[40]; // its Date header: many answers go out within a second
};

// A REGISTER whose bindings are on their way to the store.
struct pending_register {
	struct sip_registrar *registrar;
	struct list node;
	uint64_t id;
	uint64_t device_id;
	uint64_t since_ms;
	struct flow from;
	const struct sip_message *request; // while it is being received: who is answered meanwhile needs no transaction
	struct sip_server_transaction *transaction; // afterwards
};

struct sip_registrar *sip_registrar_create(struct sip_endpoint *endpoint, const struct sip_registrar_settings *settings)
{
	struct sip_registrar *registrar = calloc(1, sizeof *registrar);
	if (!registrar)
		return NULL;
	registrar->endpoint = endpoint;
	registrar->settings = *settings;
	pool_init(&registrar->pool, sizeof(struct pending_register));
	list_init(&registrar->waiting);
	registrar->pending = slots_create(PENDING_MAX);
	if (registrar->pending)
		return registrar;
	pool_free(&registrar->pool);
	free(registrar);
	return NULL;
}

void sip_registrar_change(struct sip_registrar *registrar, const struct sip_registrar_settings *settings)
{
	registrar->settings = *settings;
}

static void pending_free(struct pending_register *pending)
{
	struct sip_registrar *registrar = pending->registrar;
	if (pending->transaction)
		sip_server_forget(pending->transaction);
	slots_remove(registrar->pending, pending->id);
	list_remove(&pending->node);
	pool_give(&registrar->pool, pending);
}

static void pending_drop(void *object, void *context)
{
	(void)context;
	pending_free(object);
}

void sip_registrar_destroy(struct sip_registrar *registrar)
{
	if (!registrar)
		return;
	slots_visit(registrar->pending, pending_drop, NULL);
	slots_destroy(registrar->pending);
	pool_free(&registrar->pool);
	free(registrar);
}

uint64_t sip_registrar_waits_ms(const struct sip_registrar *registrar)
{
	if (list_empty(&registrar->waiting))
		return 0;
	const struct pending_register *oldest = container_of(registrar->waiting.next, struct pending_register, node);
	return loop_now_ms(registrar->endpoint->loop) - oldest->since_ms;
}

uint64_t sip_registrar_count(const struct sip_registrar *registrar)
{
	return registrar->accepted;
}

// ---- reading

// What a REGISTER asks for, borrowed from the message.
struct register_request {
	bool remove_all;
	bool fetch;      // no Contact: only asks
	bool secured;    // came where nobody listens, so that a Contact may be sips:
	unsigned status; // what is wrong, with
	struct str reason;
	size_t count;
	// Not cleared: that took a fifth of the instructions of a REGISTER.
	struct binding contacts[BINDINGS_PER_DEVICE_MAX];
	char path[SIP_LINE_MAX];
};

static bool wrong(struct register_request *wanted, unsigned status, struct str reason)
{
	wanted->status = status;
	wanted->reason = reason;
	return false;
}

// "0.7" in thousandths (RFC 3261 section 25.1: up to three decimals).
static bool parse_q(struct str text, uint16_t *q)
{
	uint64_t whole, decimals = 0;
	size_t dot = str_index(text, '.');
	struct str after = str_from(text, dot + 1);
	if (!str_to_uint(str_first(text, dot), 1, &whole) || after.length > 3)
		return false;
	if (after.length > 0 && !str_to_uint(after, 999, &decimals))
		return false;
	for (size_t i = after.length; i < 3; i++)
		decimals *= 10;
	*q = (uint16_t)(whole * 1000 + decimals);
	return *q <= 1000;
}

// Seconds; what is no number at all counts as an hour, what is too large as our default (RFC 3261 section 20.19 bounds it).
static uint64_t parse_expires(struct str text, unsigned default_s)
{
	uint64_t seconds;
	if (str_to_uint(text, UINT32_MAX, &seconds))
		return seconds;
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return EXPIRES_MALFORMED_S;
	return str_empty(text) ? EXPIRES_MALFORMED_S : default_s;
}

static bool take_parameters(struct register_request *wanted, struct str parameters, struct binding *binding)
{
	struct str value;
	uint64_t number;
	binding->q = Q_DEFAULT;
	if (sip_header_parameter(parameters, STR("q"), &value) && !parse_q(value, &binding->q))
		return wrong(wanted, 400, STR("Contact has a bad q"));
	if (sip_header_parameter(parameters, STR("+sip.instance"), &value)) {
		if (value.length > INSTANCE_MAX)
			return wrong(wanted, 400, STR("Contact has too long an instance"));
		binding->instance = value;
	}
	if (sip_header_parameter(parameters, STR("reg-id"), &value) && str_to_uint(value, INT32_MAX, &number))
		binding->reg_id = (uint32_t)number;
	return true;
}

// How long it may last: 423 when too short, cut when too long (RFC 3261 section 10.3 step 7).
static bool take_expiry(const struct sip_registrar *registrar, struct register_request *wanted, uint64_t seconds,
			struct binding *binding)
{
	if (seconds == 0)
		return true; // expires_at_ms 0: goes
	if (seconds < registrar->settings.min_s)
		return wrong(wanted, 423, STR_NONE);
	if (seconds > registrar->settings.max_s)
		seconds = registrar->settings.max_s;
	binding->expires_at_ms = (int64_t)loop_steady_time_ms(registrar->endpoint->loop) + (int64_t)seconds * 1000;
	return true;
}

static bool take_contact(const struct sip_registrar *registrar, const struct sip_message *request, struct str value,
			 struct register_request *wanted)
{
	struct sip_address address;
	struct str expires;

	if (!sip_contact_parse(request, value, &address))
		return wrong(wanted, 400, STR("Contact cannot be read"));
	if (address.uri.scheme != URI_SIP && !(address.uri.scheme == URI_SIPS && wanted->secured))
		return wrong(wanted, 400, STR("Contact must be a SIP URI"));
	// Without < > a '?' would belong to nobody knows what (RFC 4475 section 3.1.2.13).
	if (!address.angle && !str_empty(address.uri.headers))
		return wrong(wanted, 400, STR("Contact with headers must stand in angle brackets"));
	if (address.uri.text.length > CONTACT_MAX)
		return wrong(wanted, 400, STR("Contact is too long"));
	if (wanted->count == BINDINGS_PER_DEVICE_MAX)
		return wrong(wanted, 400, STR("Too many Contacts"));

	struct binding *binding = &wanted->contacts[wanted->count++];
	*binding = (struct binding){
	    .cseq = request->cseq,
	    .contact = address.uri.text,
	    .call_id = request->call_id,
	    .user_agent = str_first(sip_header_value(request, SIP_HEADER_USER_AGENT), 128),
	};
	list_init(&binding->node);
	uint64_t seconds = registrar->settings.default_s;
	if (sip_header_parameter(address.parameters, STR("expires"), &expires))
		seconds = parse_expires(expires, registrar->settings.default_s);
	else if (sip_header_first(request, SIP_HEADER_EXPIRES))
		seconds = parse_expires(sip_header_value(request, SIP_HEADER_EXPIRES), registrar->settings.default_s);
	return take_parameters(wanted, address.parameters, binding) && take_expiry(registrar, wanted, seconds, binding);
}

static bool take_star(const struct sip_message *request, struct register_request *wanted, unsigned values)
{
	uint64_t seconds;
	if (values != 1)
		return wrong(wanted, 400, STR("Contact * stands alone"));
	if (!str_to_uint(sip_header_value(request, SIP_HEADER_EXPIRES), UINT32_MAX, &seconds) || seconds != 0)
		return wrong(wanted, 400, STR("Contact * needs Expires 0"));
	wanted->remove_all = true;
	return true;
}

// RFC 3327: the way back to the phone, kept with each binding.
static bool take_path(const struct sip_message *request, struct register_request *wanted)
{
	struct writer w = writer_into(wanted->path, sizeof wanted->path);
	struct sip_walk walk = {0};
	struct sip_address address;
	struct str value;
	while (sip_value_next(request, SIP_HEADER_PATH, &walk, &value)) {
		if (!sip_address_parse(value, &address) || address.uri.scheme != URI_SIP)
			return wrong(wanted, 400, STR("Path cannot be read"));
		if (w.used > 0)
			writer_text(&w, ", ");
		writer_str(&w, value);
	}
	if (w.overflow || w.used > DIALOG_ROUTES_MAX / 2)
		return wrong(wanted, 400, STR("Path is too long"));
	for (size_t i = 0; i < wanted->count; i++)
		wanted->contacts[i].path = writer_result(&w);
	return true;
}

static bool register_read(const struct sip_registrar *registrar, const struct sip_message *request,
			  struct register_request *wanted)
{
	struct sip_walk walk = {0};
	struct str value;
	unsigned values = 0;
	bool star = false;

	if (request->call_id.length > CALL_ID_MAX)
		return wrong(wanted, 400, STR("Call-ID is too long"));
	while (sip_value_next(request, SIP_HEADER_CONTACT, &walk, &value)) {
		values++;
		if (str_equal(str_trim(value), STR("*")))
			star = true;
		else if (!take_contact(registrar, request, value, wanted))
			return false;
	}
	wanted->fetch = values == 0;
	if (star)
		return take_star(request, wanted, values);
	return take_path(request, wanted);
}

// ---- where the phone really is

// NAT shows in an address that names another host than the packet came from: the Contact or the Via, and behind a proxy the Path,
// which leads to the proxy however the phone is connected to it. A host name says nothing; as names are not looked up, the packet's
// source is then the way back too.
static bool names_another_host(const struct sip_uri *uri, const struct flow *from)
{
	struct net_address named;

	return !dialog_address_of(uri, &named) || !net_address_same_host(&named, &from->remote);
}

// The URI of a Contact that register_read has read once already: mostly the first one, which the message still knows.
static struct sip_uri contact_uri(const struct sip_message *request, const struct binding *binding)
{
	struct sip_uri uri = request->contact.uri;
	const char *why;
	size_t at;

	if (binding->contact.at != uri.text.at && !sip_uri_parse(binding->contact, &uri, &why, &at))
		return (struct sip_uri){0};
	return uri;
}

static bool lies_behind_nat(const struct device *device, const struct sip_message *request, const struct flow *from,
			    const struct binding *binding)
{
	struct sip_walk walk = {0};
	struct sip_address proxy;
	struct net_address named;
	struct str value;
	bool direct = !sip_value_next(request, SIP_HEADER_PATH, &walk, &value) || !sip_address_parse(value, &proxy);

	if (direct && device->nat != NAT_AUTO)
		return device->nat == NAT_ALWAYS;
	struct sip_uri way = direct ? contact_uri(request, binding) : proxy.uri;
	if (names_another_host(&way, from))
		return true;
	return net_address_parse(request->via.host, 0, &named) && !net_address_same_host(&named, &from->remote);
}

static void locate(const struct device *device, const struct sip_message *request, const struct flow *from,
		   struct register_request *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		struct binding *binding = &wanted->contacts[i];
		binding->device_id = device->entity.id;
		binding->flow = *from;
		binding->behind_nat = lies_behind_nat(device, request, from, binding);
	}
}

// ---- answering

static void write_contact(const struct binding *binding, int64_t now_ms, struct writer *w)
{
	int64_t left_s = (binding->expires_at_ms - now_ms + 999) / 1000;
	writer_text(w, "Contact: <");
	writer_str(w, binding->contact);
	writer_text(w, ">;expires=");
	writer_int(w, left_s > 0 ? left_s : 0);
	if (binding->q != Q_DEFAULT)
		writer_format(w, ";q=%u.%03u", binding->q / 1000U, binding->q % 1000U);
	if (!str_empty(binding->instance)) {
		writer_text(w, ";+sip.instance=\"");
		writer_str(w, binding->instance);
		writer_char(w, '"');
	}
	if (binding->reg_id)
		writer_format(w, ";reg-id=%u", binding->reg_id);
	writer_text(w, "\r\n");
}

// RFC 3261 section 20.17. Phones set their clocks by it.
static void write_date(struct sip_registrar *registrar, int64_t now_ms, struct writer *w)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm tm;
	if (seconds != registrar->date_s || registrar->date[0] == '\0') {
		struct writer date = writer_into(registrar->date, sizeof registrar->date);
		registrar->date[0] = '\0';
		if (!gmtime_r(&seconds, &tm))
			return; // it is in no year that there is
		writer_format(&date, "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
			      months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
		registrar->date_s = seconds;
	}
	writer_text(w, "Date: ");
	writer_text(w, registrar->date);
	writer_text(w, "\r\n");
}

// All bindings of the device; gives the seconds that the longest of them has left.
static unsigned write_bindings(struct sip_registrar *registrar, uint64_t device_id, struct writer *w)
{
	const struct list *bindings = registrations_of(registrar->endpoint->registrations, device_id);
	int64_t now_ms = (int64_t)loop_steady_time_ms(registrar->endpoint->loop), longest = now_ms;
	struct str path = STR_NONE;
	if (bindings) {
		list_each (node, following, bindings) {
			const struct binding *binding = container_of(node, struct binding, node);
			if (binding->expires_at_ms <= now_ms)
				continue;
			write_contact(binding, now_ms, w);
			if (binding->expires_at_ms > longest)
				longest = binding->expires_at_ms;
			if (!str_empty(binding->path))
				path = binding->path;
		}
	}
	if (!str_empty(path)) { // RFC 3327 section 5.3
		writer_text(w, "Path: ");
		writer_str(w, path);
		writer_text(w, "\r\nSupported: path\r\n");
	}
	write_date(registrar, (int64_t)loop_time_ms(registrar->endpoint->loop), w);
	return (unsigned)((longest - now_ms + 999) / 1000);
}

static void answer(struct pending_register *pending, const struct sip_response *response)
{
	if (pending->transaction)
		sip_server_respond(pending->transaction, response);
	else
		sip_respond_once(pending->registrar->endpoint->transactions, &pending->from, pending->request,
				 response);
}

static void answer_written(struct sip_registrar *registrar, struct pending_register *pending)
{
	char lines[LINES_MAX];
	struct writer w = writer_into(lines, sizeof lines);
	unsigned longest_s = write_bindings(registrar, pending->device_id, &w);
	struct sip_response response = {.status = 200, .extra = writer_result(&w)};
	if (w.overflow)
		response = (struct sip_response){.status = 500};
	registrar->accepted++;
	sip_transport_keep(registrar->endpoint->transport, pending->from.connection, longest_s);
	sip_limits_registered(registrar->endpoint->limits, &pending->from, longest_s);
	answer(pending, &response);
}

static void update_done(void *context, uint64_t token, enum err err)
{
	struct sip_registrar *registrar = context;
	struct pending_register *pending = slots_find(registrar->pending, token);
	if (!pending)
		return;
	if (err) {
		struct sip_response response = {.status = err_sip_status(err)};
		if (response.status == 503)
			response.extra = STR("Retry-After: 5\r\n");
		log_info("register_refused", LOG_UINT("device", pending->device_id), LOG_TEXT("err", err_name(err)));
		answer(pending, &response);
	} else {
		answer_written(registrar, pending);
	}
	pending_free(pending);
}

static void refuse_read(struct sip_registrar *registrar, const struct flow *from, const struct sip_message *request,
			const struct register_request *wanted)
{
	char lines[64];
	struct writer w = writer_into(lines, sizeof lines);
	if (wanted->status == 423)
		writer_format(&w, "Min-Expires: %u\r\n", registrar->settings.min_s);
	struct sip_response response = {.status = wanted->status, .reason = wanted->reason, .extra = writer_result(&w)};
	if (wanted->status == 423) // said to the device itself alone
		sip_respond_once(registrar->endpoint->transactions, from, request, &response);
	else
		sip_respond_stateless(registrar->endpoint->transactions, from, request, &response);
}

static void answer_fetch(struct sip_registrar *registrar, const struct flow *from, const struct sip_message *request,
			 uint64_t device_id)
{
	char lines[LINES_MAX];
	struct writer w = writer_into(lines, sizeof lines);
	write_bindings(registrar, device_id, &w);
	sip_endpoint_answer_once(registrar->endpoint, from, request, w.overflow ? 500 : 200,
				 w.overflow ? STR_NONE : writer_result(&w));
}

// ---- receiving

// It is written now, and the answer waits until it is. False: there is no memory for that; what is written stays, and the phone comes again.
static bool wait_for_store(struct pending_register *pending, const struct sip_message *request)
{
	pending->request = NULL;
	pending->transaction =
	    sip_server_start(pending->registrar->endpoint->transactions, &pending->from, request, NULL, NULL);
	if (pending->transaction)
		return true;
	pending_free(pending);
	return false;
}

static void update(struct sip_registrar *registrar, const struct flow *from, const struct sip_message *request,
		   const struct register_request *wanted, uint64_t device_id)
{
	struct sip_endpoint *endpoint = registrar->endpoint;
	struct pending_register *pending = pool_take(&registrar->pool);
	if (!pending)
		goto refused;
	*pending = (struct pending_register){.registrar = registrar,
					     .device_id = device_id,
					     .since_ms = loop_now_ms(endpoint->loop),
					     .from = *from,
					     .request = request};
	uint64_t id = pending->id = slots_add(registrar->pending, pending);
	if (id == 0)
		goto given_back;
	list_append(&registrar->waiting, &pending->node);
	struct registration_update change = {
	    .device_id = device_id,
	    .call_id = request->call_id,
	    .cseq = request->cseq,
	    .remove_all = wanted->remove_all,
	    .contacts = wanted->contacts,
	    .contact_count = wanted->count,
	};
	registrations_update(endpoint->registrations, &change, update_done, registrar, id);
	pending = slots_find(registrar->pending, id);
	if (!pending || wait_for_store(pending, request))
		return;
	goto refused;

given_back:
	pool_give(&registrar->pool, pending);
refused:
	sip_endpoint_answer_once(endpoint, from, request, 503, STR("Retry-After: 5\r\n"));
}

// To names whose contacts they are: only one's own (RFC 3261 section 10.3 steps 3 to 5).
static bool is_own_address(const struct device *device, const struct sip_message *request)
{
	char text[SIP_URI_MAX];
	struct str user;
	return request->to.uri.user.length <= sizeof text && sip_unescape(request->to.uri.user, text, &user) &&
	       str_equal(user, device->number);
}

void sip_registrar_receive(struct sip_registrar *registrar, const struct flow *from, const struct sip_message *request)
{
	struct sip_endpoint *endpoint = registrar->endpoint;
	struct register_request wanted;
	struct identity who;

	memset(&wanted, 0, offsetof(struct register_request, contacts));
	wanted.secured = sip_transport_is_secured(from);

	if (!register_read(registrar, request, &wanted) && wanted.status != 423) {
		refuse_read(registrar, from, request, &wanted);
		return;
	}
	if (!identity_establish(endpoint, from, request, TRUST_DEVICES, &who))
		return;
	const struct device *device = who.device;
	registrations_fetch(endpoint->registrations, device->entity.id);
	if (!is_own_address(device, request)) {
		sip_endpoint_answer_once(endpoint, from, request, 403, STR_NONE);
		return;
	}
	if (wanted.status == 423) {
		refuse_read(registrar, from, request, &wanted);
		return;
	}
	if (wanted.fetch) {
		answer_fetch(registrar, from, request, device->entity.id);
		return;
	}
	locate(device, request, from, &wanted);
	update(registrar, from, request, &wanted, device->entity.id);
}

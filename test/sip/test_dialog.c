// Dialogs alone: what they keep of messages, what they write, whom they believe.
#include "sip/dialog.h"

#include "sip/core.h"
#include "sip/rig.h"

#include <string.h>

static struct rig *rig;
static struct sip_dialog dialog;

static int start(void **state)
{
	(void)state;
	rig = rig_start(0);
	dialog_init(&dialog);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	dialog_clear(&dialog);
	rig_stop(rig);
	return 0;
}

static const char *to_wire(const char *text)
{
	char *wire = arena_alloc(&rig->arena, 2 * strlen(text) + 1), *end = wire;
	for (; *text; text++) {
		if (*text == '\n')
			*end++ = '\r';
		*end++ = *text;
	}
	return wire;
}

static struct sip_message *parsed(const char *text)
{
	struct sip_message *message = arena_alloc(&rig->arena, sizeof *message);
	struct sip_fault fault;
	const char *wire = to_wire(text);
	if (!sip_message_parse((char *)(uintptr_t)wire, strlen(wire), SIP_DATAGRAM, message, &fault))
		fail_msg("%s: %s", fault.why, text);
	return message;
}

static struct flow flow_from(const char *host, uint16_t port)
{
	struct flow flow = {.transport = TRANSPORT_UDP};
	assert_true(net_address_parse(str_of(host), port, &flow.remote));
	return flow;
}

#define assert_str(slice, text)                                                                                        \
	do {                                                                                                           \
		struct str slice_ = (slice);                                                                           \
		assert_string_equal(text_of(rig, "%.*s", STR_ARG(slice_)), text);                                      \
	} while (0)

#define INVITE                                                                                                         \
	"INVITE sip:510@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1\n"                              \
	"Record-Route: <sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>\nRecord-Route: <sip:10.0.0.7;lr>\n"                        \
	"From: \"Bob, B\" <sip:511@example.com>;tag=bob;x=y\nTo: sip:510@example.com\n"                                \
	"Call-ID: c\nCSeq: 4711 INVITE\nContact: <sip:511@10.0.0.5:5070;transport=tcp>\nContent-Length: 0\n\n"

static const char *written(enum sip_method method)
{
	char text[4096];
	struct writer w = writer_into(text, sizeof text);
	struct flow flow = dialog_next_hop(&dialog);
	struct request_draft draft = {.method = method, .cseq = 7, .max_forwards = 70, .branch = STR("z9hG4bKtest")};
	assert_true(dialog_write_request(&dialog, rig->endpoint->transport, &flow, &draft, &w));
	return text_of(rig, "%.*s", STR_ARG(writer_result(&w)));
}

static const char *first_line(const char *text)
{
	return text_of(rig, "%.*s", (int)strcspn(text, "\r"), text);
}

static const char *line_of(const char *text, const char *name)
{
	const char *at = strstr(text, text_of(rig, "\r\n%s: ", name));
	return at ? first_line(at + strlen(name) + 4) : "";
}

static const char *hop(void)
{
	char text[64];
	struct flow flow = dialog_next_hop(&dialog);
	struct writer w = writer_into(text, sizeof text);
	net_address_write(&w, &flow.remote);
	return text_of(rig, "%s %.*s", transport_names[flow.transport], STR_ARG(writer_result(&w)));
}

static void a_server_keeps_the_route_as_written(void **state)
{
	struct flow from = flow_from("10.0.0.9", 5060);
	(void)state;
	assert_true(dialog_start_server(&dialog, rig->loop, parsed(INVITE), &from));
	assert_str(dialog.routes, "<sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>, <sip:10.0.0.7;lr>");
	assert_str(dialog.remote, "\"Bob, B\" <sip:511@example.com>;tag=bob;x=y");
	assert_str(dialog.remote_tag, "bob");
	assert_int_equal(dialog.local_tag.length, DIALOG_TAG_LENGTH);
	assert_int_equal(dialog.remote_cseq, 4711);
	const char *bye = written(SIP_BYE);
	assert_string_equal(first_line(bye), "BYE sip:511@10.0.0.5:5070;transport=tcp SIP/2.0");
	assert_string_equal(line_of(bye, "Route"), "<sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>, <sip:10.0.0.7;lr>");
	assert_string_equal(line_of(bye, "To"), "\"Bob, B\" <sip:511@example.com>;tag=bob;x=y");
	assert_starts(line_of(bye, "From"), "sip:510@example.com;tag=");
	assert_string_equal(line_of(bye, "Contact"), "");
	assert_string_equal(line_of(bye, "Content-Length"), "0");
	assert_string_equal(hop(), "udp 10.0.0.9:5060");
}

static void start_client(const char *routes)
{
	struct dialog_start begin = {
	    .target = STR("sip:821@10.0.0.3"),
	    .routes = str_of(routes),
	    .local = STR("<sip:511@example.com>"),
	    .remote = STR("<sip:821@example.com>"),
	    .flow = flow_from("10.0.0.3", 5060),
	};
	assert_true(dialog_start_client(&dialog, rig->loop, &begin));
}

#define OK_FROM(tag, lines)                                                                                            \
	"SIP/2.0 200 OK\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\nFrom: <sip:511@example.com>;tag=us\n"              \
	"To: <sip:821@example.com>;tag=" tag "\nCall-ID: c\nCSeq: 1 INVITE\n" lines "Content-Length: 0\n\n"

static void a_client_reverses_the_route(void **state)
{
	(void)state;
	start_client("<sip:10.0.0.6;lr>"); // a Path, which is no part of the dialog's route
	assert_string_equal(hop(), "udp 10.0.0.6:5060");
	assert_true(
	    dialog_confirm(&dialog, parsed(OK_FROM("a", "Record-Route: <sip:10.0.0.7;lr>\n"
							"Record-Route: <sip:10.0.0.8;lr>,<sip:10.0.0.9:5090;lr>\n"
							"Contact: <sip:x@10.0.0.4:5071>\n"))));
	assert_str(dialog.routes, "<sip:10.0.0.9:5090;lr>, <sip:10.0.0.8;lr>, <sip:10.0.0.7;lr>");
	assert_str(dialog.remote, "<sip:821@example.com>;tag=a");
	assert_str(dialog.target, "sip:x@10.0.0.4:5071");
	assert_string_equal(hop(), "udp 10.0.0.9:5090");
	assert_true(dialog_confirm(&dialog, parsed(OK_FROM("b", ""))));
	assert_str(dialog.remote, "<sip:821@example.com>;tag=b");
	assert_str(dialog.routes, "");
	assert_string_equal(hop(), "udp 10.0.0.4:5071");
}

static void a_strict_router_gets_itself_as_the_request_uri(void **state)
{
	(void)state;
	start_client("");
	assert_true(dialog_confirm(&dialog, parsed(OK_FROM("a", "Record-Route: <sip:10.0.0.8;lr>\n"
								"Record-Route: <sip:proxy@10.0.0.9>\n"
								"Contact: <sip:x@10.0.0.4?h=v>\n"))));
	const char *bye = written(SIP_BYE);
	assert_string_equal(first_line(bye), "BYE sip:proxy@10.0.0.9 SIP/2.0");
	assert_string_equal(line_of(bye, "Route"), "<sip:10.0.0.8;lr>, <sip:x@10.0.0.4?h=v>");
	assert_string_equal(hop(), "udp 10.0.0.9:5060");
}

static void a_fork_shares_all_but_the_other_end(void **state)
{
	struct sip_dialog fork;
	(void)state;
	start_client("");
	dialog.local_cseq = 1;
	assert_true(dialog_confirm(&dialog, parsed(OK_FROM("a", "Contact: <sip:a@10.0.0.4>\n"))));
	assert_true(dialog_fork(&fork, &dialog, parsed(OK_FROM("b", "Contact: <sip:b@10.0.0.5>\n"))));
	assert_true(str_equal(fork.call_id, dialog.call_id));
	assert_true(str_equal(fork.local_tag, dialog.local_tag));
	assert_str(fork.remote, "<sip:821@example.com>;tag=b");
	assert_str(fork.target, "sip:b@10.0.0.5");
	assert_str(dialog.target, "sip:a@10.0.0.4");
	dialog_clear(&fork);
}

static void the_target_decides_where_to_unless_it_lies_behind_nat(void **state)
{
	(void)state;
	start_client("");
	static const char *const rows[][2] = {
	    {"<sip:x@10.0.0.4>", "udp 10.0.0.4:5060"},
	    {"<sip:x@10.0.0.4:5080;transport=tcp>", "tcp 10.0.0.4:5080"},
	    {"<sip:x@example.org;maddr=10.0.0.5>", "udp 10.0.0.5:5060"},
	    {"<sip:x@phone.example.org>", "udp 10.0.0.3:5060"}, // names are not looked up
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(dialog_confirm(&dialog, parsed(text_of(rig, OK_FROM("a", "Contact: %s\n"), rows[i][0]))));
		assert_string_equal(hop(), rows[i][1]);
	}
	dialog.pinned = true;
	assert_true(dialog_confirm(&dialog, parsed(OK_FROM("a", "Contact: <sip:x@192.168.0.1>\n"))));
	assert_string_equal(hop(), "udp 10.0.0.3:5060");
	assert_string_equal(first_line(written(SIP_BYE)), "BYE sip:x@192.168.0.1 SIP/2.0");
}

static void a_connection_that_is_there_is_used(void **state)
{
	(void)state;
	start_client("");
	dialog.flow.transport = TRANSPORT_TCP;
	dialog.flow.connection = 77;
	dialog.flow.remote.port = 40000;
	assert_true(dialog_confirm(&dialog, parsed(OK_FROM("a", "Contact: <sip:x@10.0.0.3:5060;transport=tcp>\n"))));
	struct flow flow = dialog_next_hop(&dialog);
	assert_int_equal(flow.connection, 77);
	assert_int_equal(flow.remote.port, 40000);
	dialog.flow.connection = 0; // gone: the phone listens where its Contact says
	flow = dialog_next_hop(&dialog);
	assert_int_equal(flow.remote.port, 5060);
	assert_int_equal(flow.transport, TRANSPORT_TCP);
}

static void a_contact_on_another_host_means_nat(void **state)
{
	struct flow from = flow_from("203.0.113.1", 1024);
	(void)state;
	assert_true(dialog_start_server(
	    &dialog, rig->loop,
	    parsed("INVITE sip:510@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.168.1.2;branch=z9hG4bK1\n"
		   "From: <sip:a@b>;tag=f\nTo: <sip:510@example.com>\nCall-ID: c\nCSeq: 1 INVITE\n"
		   "Contact: <sip:a@192.168.1.2>\nContent-Length: 0\n\n"),
	    &from));
	assert_true(dialog.pinned);
	assert_string_equal(hop(), "udp 203.0.113.1:1024");
}

static void without_a_contact_the_from_serves(void **state)
{
	struct flow from = flow_from("10.0.0.5", 5060);
	(void)state;
	assert_true(
	    dialog_start_server(&dialog, rig->loop,
				parsed("INVITE sip:510@example.com SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.5\n"
				       "From: <sip:old@10.0.0.5>\nTo: sip:510@example.com\nCall-ID: c\nCSeq: 1 INVITE\n"
				       "Content-Length: 0\n\n"),
				&from));
	assert_str(dialog.target, "sip:old@10.0.0.5");
	assert_str(dialog.remote_tag, "");
}

static void packets_come_from_where_the_dialog_is(void **state)
{
	static const struct {
		const char *host;
		bool plausible;
	} rows[] = {{"10.0.0.9", true}, {"10.0.0.7", true}, {"10.0.0.5", true}, {"10.0.0.4", false}};
	struct flow from = flow_from("10.0.0.9", 5060);
	(void)state;
	assert_true(dialog_start_server(&dialog, rig->loop, parsed(INVITE), &from));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct flow asked = flow_from(rows[i].host, 9999);
		assert_int_equal(dialog_flow_plausible(&dialog, &asked), rows[i].plausible);
	}
}

static void numbers_only_rise(void **state)
{
	struct flow from = flow_from("10.0.0.9", 5060);
	struct sip_message *message = parsed(INVITE);
	(void)state;
	assert_true(dialog_start_server(&dialog, rig->loop, message, &from));
	assert_false(dialog_in_order(&dialog, message));
	message->cseq++;
	assert_true(dialog_in_order(&dialog, message));
	assert_false(dialog_in_order(&dialog, message));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
	    T(a_server_keeps_the_route_as_written),
	    T(a_client_reverses_the_route),
	    T(a_strict_router_gets_itself_as_the_request_uri),
	    T(a_fork_shares_all_but_the_other_end),
	    T(the_target_decides_where_to_unless_it_lies_behind_nat),
	    T(a_connection_that_is_there_is_used),
	    T(a_contact_on_another_host_means_nat),
	    T(without_a_contact_the_from_serves),
	    T(packets_come_from_where_the_dialog_is),
	    T(numbers_only_rise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

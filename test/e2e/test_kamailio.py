#!/usr/bin/env python3
"""Kamailio between the phones and the server, as an edge proxy with Path (RFC 3327), and between the server and a carrier, as a
peer trunk. The phones are baresip, over UDP, TCP and TLS, and bare agents over WebSocket; the carrier is bare SIP. What is bare
reads every byte strictly."""

import shutil
import tempfile
import unittest

from agents import Baresip, Process, free_port, wait_for
from certificates import Authority
from server import Server
from wire import Agent, sdp

CONFIG = """\
debug=1
log_stderror=yes
children=2
tcp_children=2
enable_tls=yes
tcp_accept_no_cl=yes
tcp_source_ipv4={host}
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
listen=tls:{host}:{tls_port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "path.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "nathelper.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
modparam("tls", "config", "{folder}/tls.cfg")
modparam("path", "use_received", 1)

request_route {{
	if (!mf_process_maxfwd_header("20")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans())
			t_relay();
		exit;
	}}
	if ($proto =~ "ws") # a browser has no address but that of its connection
		add_contact_alias();
	if (has_totag()) {{
		if (loose_route()) {{
			if ($du == "")
				handle_ruri_alias();
			t_relay();
		}} else if (!is_method("ACK") || t_check_trans())
			sl_send_reply("404", "Not Here");
		exit;
	}}
{route}
	if (!t_relay()) # without an answer the connection that the request came by would be closed
		sl_reply_error();
}}

onreply_route {{
	if ($proto =~ "ws")
		add_contact_alias();
}}

event_route[xhttp:request] {{
	if ($hdr(Upgrade) =~ "websocket")
		ws_handle_handshake();
	else
		xhttp_reply("404", "Not Found", "", "");
}}
"""

TLS = """\
[server:default]
method = TLSv1.2+
private_key = {certificate}
certificate = {certificate}
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = {authority}
"""

# Registrations get a Path, so that calls come back this way; whatever is not for a phone goes to the server.
EDGE = """\
	if (is_method("REGISTER")) {{
		add_path_received();
		$du = "{server}";
		t_relay();
		exit;
	}}
	$var(path) = $route_uri;
	loose_route();
	if (!($var(path) =~ "received="))
		$du = "{server}";
	record_route();
"""

# What comes from the carrier's switch goes to the server, and the other way round.
PEER = """\
	record_route();
	if ($sp == {switch_port})
		$du = "{server}";
	else
		$du = "sip:{switch}";
"""


class Kamailio(Process):
    def __init__(self, route, authority, host="127.0.0.1"):
        self.port, self.tls_port = free_port(host), free_port(host)
        folder = tempfile.mkdtemp(prefix="carillon-kamailio-")
        with open(f"{folder}/kamailio.cfg", "w") as config:
            config.write(CONFIG.format(host=host, port=self.port, tls_port=self.tls_port, folder=folder, route=route))
        with open(f"{folder}/tls.cfg", "w") as config:
            config.write(TLS.format(certificate=authority.issue("kamailio", f"IP:{host}"), authority=authority.path))
        super().__init__("kamailio", ["kamailio", "-DD", "-E", "-f", f"{folder}/kamailio.cfg", "-Y", folder, "-w", folder, "-m", "32",
                                      "-M", "4"], folder)
        self.host, self.address, self.tls_address = host, f"{host}:{self.port}", f"{host}:{self.tls_port}"
        wait_for(self.answers, 20, "kamailio to answer")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("kamailio ended:\n" + self.output())
        probe = Agent(self.address, user="probe")
        try:
            probe.send(probe.request("OPTIONS", f"sip:probe@{self.address}").replace(b"Max-Forwards: 70", b"Max-Forwards: 0"))
            return probe.receive(0.5)
        finally:
            probe.close()


class Shared:
    """One server for all: starting it takes longer than any of the tests."""


def setUpModule():
    if not shutil.which("kamailio"):
        raise unittest.SkipTest("kamailio is not installed")
    folder = tempfile.mkdtemp(prefix="carillon-certificates-")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    Shared.authority = Authority(folder)
    Shared.certificate = Shared.authority.issue("server", "IP:127.0.0.1")
    Shared.tls = f"127.0.0.1:{free_port()}"
    server = Shared.server = Server(settings=f"sip tls = {Shared.tls}\ntls certificate = {Shared.certificate}\n"
                                             f"tls ca = {Shared.authority.path}\nlimits trusted = 127.0.0.1")
    unittest.addModuleCleanup(server.close)
    Shared.passwords = {}
    for number, extension in (("330", "510"), ("331", "511"), ("332", "512")):
        device = server.device(number)
        Shared.user = server.user(f"user{number}", extension, [(device, 0, 20)], toll_class=2)
        Shared.passwords[number] = device["sip_password"]
    server.api.post("dids", {"number": "01632 960123", "user_id": Shared.user["id"]})


class WithKamailio(unittest.TestCase):
    """A Kamailio for all tests of a class; it and the server speak to each other over this transport."""

    transport = "udp"

    @classmethod
    def proxy(cls, route, host="127.0.0.1", **more):
        cls.server = Shared.server
        server = f"sip:{Shared.tls if cls.transport == 'tls' else cls.server.sip};transport={cls.transport}"
        cls.kamailio = Kamailio(route.format(server=server, **more), Shared.authority, host)
        cls.addClassCleanup(cls.kamailio.close)

    @classmethod
    def registered(cls, server, number, **fields):
        """A bare agent, gone when the class is done."""
        agent = Agent(server, user=number, password=Shared.passwords[number], **fields)
        cls.addClassCleanup(agent.close)
        assert agent.register().status == 200
        cls.addClassCleanup(agent.register, 0)
        return agent

    def setUp(self):
        self.before = self.server.record_count()

    def outcome(self):
        self.server.quiet()
        return self.server.records(self.before + 1)[0]["outcome"]


class BehindAnEdgeProxy(WithKamailio):
    @classmethod
    def setUpClass(cls):
        cls.proxy(EDGE)
        cls.edge = cls.kamailio.tls_address if cls.transport == "tls" else cls.kamailio.address

    def setUp(self):
        super().setUp()
        self.phones = [self.phone(number, password) for number, password in list(Shared.passwords.items())[:2]]

    def phone(self, number, password):
        phone = Baresip(number, password, self.edge, transport=self.transport, certificate=Shared.certificate,
                        authority=Shared.authority.path)
        self.addCleanup(phone.close)
        phone.registered(20)
        return phone

    def dial(self, extension):
        caller, callee = self.phones
        caller.dial(f"sip:{extension}@{self.edge};transport={self.transport}")
        callee.wait("CALL_INCOMING")
        return caller, callee

    def test_calls(self):
        for item in self.server.api.get("registrations")["items"]:
            self.assertEqual(item["remote"].rsplit(":", 1)[0], "127.0.0.1")
        caller, callee = self.dial("511")
        callee.answer()
        caller.wait("CALL_ESTABLISHED")
        callee.wait("CALL_ESTABLISHED")
        for offers, command in ((2, "hold"), (3, "resume")):
            caller.command(command)
            wait_for(lambda: len(callee.all_seen("CALL_REMOTE_SDP")) >= offers, 10, f"{command} at the other phone: "
                     f"{caller.responses}")
        callee.hang_up()
        caller.wait("CALL_CLOSED")
        self.assertEqual(self.outcome(), "answered")

    def test_a_caller_gives_up(self):
        caller, callee = self.dial("511")
        caller.wait("CALL_RINGING")
        caller.hang_up()
        callee.wait("CALL_CLOSED")
        self.assertEqual(self.outcome(), "caller_gave_up")


class BehindAnEdgeProxyOverTcp(BehindAnEdgeProxy):
    transport = "tcp"


class BehindAnEdgeProxyOverTls(BehindAnEdgeProxy):
    transport = "tls"


class BrowsersBehindAnEdgeProxy(WithKamailio):
    """Bare agents over WebSocket to Kamailio, and over TCP from there."""

    transport = "tcp"

    @classmethod
    def setUpClass(cls):
        cls.proxy(EDGE)
        cls.browser, cls.other = (cls.registered(cls.kamailio.address, number, transport="ws") for number in ("330", "331"))

    def setUp(self):
        super().setUp()
        for agent in (self.browser, self.other):
            agent.call_id = f"{agent.new_branch()}@test"

    @staticmethod
    def routes(request, *more):
        return [*(f"Record-Route: {value}" for value in request.all("Record-Route")), *more]

    @staticmethod
    def back(message):
        """The way that a caller takes within the dialog."""
        return [f"Route: {value}" for value in reversed(message.all("Record-Route"))]

    def ring(self, extra=()):
        self.browser.invite("511", extra=extra)
        invite = self.other.expect("INVITE", seconds=10)
        self.assertTrue(invite.get("Via").startswith("SIP/2.0/WS "), invite.text())
        self.assertIn(self.other.address, invite.uri)
        return invite

    def test_calls(self):
        invite = self.ring()
        self.other.respond(invite, 180, extra=self.routes(invite))
        self.browser.expect(180, seconds=10)
        self.other.respond(invite, 200, sdp("127.0.0.1"), extra=self.routes(invite))
        answered = self.browser.expect(200)
        route = self.back(answered)
        self.browser.within(answered, "ACK", cseq=self.browser.cseq, extra=route)
        self.other.expect("ACK")
        self.browser.within(answered, "INVITE", sdp("127.0.0.1", direction="sendonly"), extra=route)
        hold = self.other.expect("INVITE")
        self.assertIn(b"a=sendonly", hold.body)
        self.other.respond(hold, 200, sdp("127.0.0.1", direction="recvonly"))
        self.assertIn(b"a=recvonly", self.browser.expect(200).body)
        self.browser.within(answered, "ACK", cseq=self.browser.cseq, extra=route)
        self.other.expect("ACK")
        self.other.within_theirs(invite, "BYE", extra=[f"Route: {value}" for value in invite.all("Record-Route")])
        self.other.expect(200)
        self.browser.respond(self.browser.expect("BYE"), 200)
        self.assertEqual(self.outcome(), "answered")

    def reloaded(self, instance=None):
        """A browser of the third device that has vanished, and the one that has come in its place."""
        agents = [Agent(self.kamailio.address, user="332", password=Shared.passwords["332"], transport="ws") for _ in range(2)]
        parameters = f';+sip.instance="<urn:uuid:{instance}>";reg-id=1' if instance else ""
        for agent in agents:
            self.addCleanup(agent.close)
            contact = f"<sip:332@{agent.address};transport=ws>{parameters}"
            self.assertEqual(agent.register(contact=contact).status, 200)
            if agent is agents[0]:
                agent.close()
        self.addCleanup(agents[1].register, 0, "*")
        return agents[1]

    def bindings(self, number):
        return [item for item in self.server.api.get("registrations")["items"] if item["number"] == number]

    def rings_and_is_given_up(self, agent):
        self.browser.invite("512")
        invite = agent.expect("INVITE", seconds=10)
        agent.respond(invite, 180, extra=self.routes(invite))
        self.browser.expect(180)
        self.browser.cancel()
        agent.respond(agent.expect("CANCEL"), 200)
        agent.respond(invite, 487)
        agent.expect("ACK")
        self.browser.cancelled()
        self.assertEqual(self.outcome(), "caller_gave_up")

    def test_a_browser_reloads(self):
        agent = self.reloaded()
        self.assertEqual(len(self.bindings("332")), 2)
        self.rings_and_is_given_up(agent)

    def test_a_browser_that_says_who_it_is_reloads(self):
        agent = self.reloaded("7f3a1f4e-6c1b-4b52-9d5f-0c6a3a0a9e11")
        self.assertEqual(len(self.bindings("332")), 1)
        self.rings_and_is_given_up(agent)

    def test_reliable_ringing_and_a_session_timer(self):
        invite = self.ring(["Supported: 100rel, timer", "Session-Expires: 1800;refresher=uac"])
        self.assertIn("100rel", invite.all("Supported"))
        self.other.respond(invite, 183, sdp("127.0.0.1", 41000), self.routes(invite, "Require: 100rel", "RSeq: 7"))
        prack = self.other.expect("PRACK")
        self.assertEqual(prack.get("RAck"), f"7 {invite.cseq} INVITE")
        self.other.respond(prack, 200)
        early = self.browser.expect(183)
        invited = self.browser.cseq
        self.browser.within(early, "PRACK", extra=[f"RAck: {early.get('RSeq')} {invited} INVITE", *self.back(early)])
        self.assertEqual(self.browser.expect(200).cseq_method, "PRACK")
        self.other.respond(invite, 200, extra=self.routes(invite))
        self.other.expect("ACK")
        answered = self.browser.expect(200)
        self.assertEqual((answered.cseq, answered.get("Session-Expires")), (invited, "1800;refresher=uac"))
        self.browser.within(answered, "ACK", cseq=invited, extra=self.back(answered))
        self.browser.within(answered, "UPDATE", extra=["Supported: timer", "Session-Expires: 1800;refresher=uac", *self.back(answered)])
        self.assertEqual(self.browser.expect(200).get("Session-Expires"), "1800;refresher=uac")
        self.browser.within(answered, "BYE", extra=self.back(answered))
        self.browser.expect(200)
        self.other.respond(self.other.expect("BYE"), 200)
        self.assertEqual(self.outcome(), "answered")

    def test_a_caller_gives_up(self):
        invite = self.ring()
        self.other.respond(invite, 180, extra=self.routes(invite))
        self.browser.expect(180)
        self.browser.cancel()
        self.other.respond(self.other.expect("CANCEL"), 200)
        self.other.respond(invite, 487)
        self.other.expect("ACK")
        self.browser.cancelled()
        self.assertEqual(self.outcome(), "caller_gave_up")


class AsAPeer(WithKamailio):
    hops = 1  # that Kamailio writes: one for each side, unless they are the same

    @classmethod
    def setUpClass(cls):
        server = Shared.server
        cls.switch = Agent(server.sip, user="+441444999999")
        cls.addClassCleanup(cls.switch.close)
        cls.proxy(PEER, "127.0.0.9", switch_port=cls.switch.port, switch=cls.switch.address)  # a trunk is known by its own address
        cls.switch.server = ("127.0.0.9", cls.kamailio.port)  # what it sends, it sends to the peer
        trunk = server.api.post("trunks", {"title": "peer", "host": "127.0.0.9", "options_interval_s": 0, "transport": cls.transport,
                                           "port": cls.kamailio.tls_port if cls.transport == "tls" else cls.kamailio.port})
        cls.addClassCleanup(server.api.delete, f"trunks/{trunk['id']}")
        route = server.api.post("routes", {"pattern": "", "trunk_id": trunk["id"]})
        cls.addClassCleanup(server.api.delete, f"routes/{route['id']}")
        cls.desk = cls.registered(server.sip, "332")

    def setUp(self):
        super().setUp()
        for agent in (self.desk, self.switch):
            agent.call_id = f"{agent.new_branch()}@test"

    @staticmethod
    def routes(request):
        return [f"Record-Route: {value}" for value in request.all("Record-Route")]

    def test_outside(self):
        self.desk.invite("01444123456")
        invite = self.switch.expect("INVITE", seconds=10)
        self.assertRegex(invite.uri, r"^sip:\+441444123456@")
        self.assertEqual(len(invite.all("Record-Route")), self.hops)
        self.assertRegex(invite.all("Via")[1], f"^SIP/2.0/{self.transport.upper()} ")
        self.switch.respond(invite, 180, extra=self.routes(invite))
        self.desk.expect(180)  # two at once may overtake each other in Kamailio
        self.switch.respond(invite, 200, sdp("127.0.0.1", 42000), extra=self.routes(invite))
        answered = self.desk.expect(200)
        self.desk.within(answered, "ACK", cseq=self.desk.cseq)
        self.switch.expect("ACK")
        self.desk.within(answered, "INVITE", sdp("127.0.0.1", 41000, "sendonly"))
        hold = self.switch.expect("INVITE")
        self.assertIn(b"a=sendonly", hold.body)
        self.switch.respond(hold, 200, sdp("127.0.0.1", 42000, "recvonly"))
        held = self.desk.expect(200)
        self.assertIn(b"a=recvonly", held.body)
        self.desk.within(answered, "ACK", cseq=self.desk.cseq)
        self.switch.expect("ACK")
        self.desk.within(answered, "BYE")
        self.desk.expect(200)
        self.switch.respond(self.switch.expect("BYE"), 200)
        self.server.quiet()

    def test_inside(self):
        uri = f"sip:+441632960123@{self.server.sip}"
        self.switch.send(self.switch.request("INVITE", uri, sdp("127.0.0.1", 42000)))
        invite = self.desk.expect("INVITE", seconds=10)
        self.desk.respond(invite, 180)
        self.switch.expect(180)
        self.desk.respond(invite, 200, sdp("127.0.0.1", 41000))
        answered = self.switch.expect(200)
        self.assertEqual(len(answered.all("Record-Route")), self.hops)
        self.desk.expect("ACK")
        route = [f"Route: {value}" for value in reversed(answered.all("Record-Route"))]
        self.switch.within(answered, "ACK", cseq=self.switch.cseq, extra=route)
        self.desk.within_theirs(invite, "BYE")
        self.desk.expect(200)
        self.switch.respond(self.switch.expect("BYE"), 200)
        self.server.quiet()

    def test_given_up(self):
        self.desk.invite("01444123456")
        invite = self.switch.expect("INVITE", seconds=10)
        self.switch.respond(invite, 180, extra=self.routes(invite))
        self.desk.expect(180)
        self.desk.cancel()
        self.switch.respond(self.switch.expect("CANCEL"), 200)
        self.switch.respond(invite, 487)
        self.switch.expect("ACK")
        self.desk.cancelled()
        self.server.quiet()


class AsAPeerOverTcp(AsAPeer):
    transport = "tcp"
    hops = 2


class AsAPeerOverTls(AsAPeer):
    transport = "tls"
    hops = 2


if __name__ == "__main__":
    unittest.main()

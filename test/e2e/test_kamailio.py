#!/usr/bin/env python3
"""Kamailio between the phones and the server, as an edge proxy with Path (RFC 3327), and between the server and a carrier, as a
peer trunk. The phones are baresip, over UDP and TCP; the carrier is bare SIP that reads every byte strictly."""

import re
import shutil
import tempfile
import unittest

from agents import Baresip, Process, free_port, wait_for
from server import Server
from wire import Agent, sdp

CONFIG = """\
debug=1
log_stderror=yes
children=2
tcp_children=2
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "path.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
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
	if (has_totag()) {{
		if (loose_route())
			t_relay();
		else if (!is_method("ACK") || t_check_trans())
			sl_send_reply("404", "Not Here");
		exit;
	}}
{route}
	t_relay();
}}
"""

# Registrations get a Path, so that calls come back this way; whatever is not for a phone goes to the server.
EDGE = """\
	if (is_method("REGISTER")) {{
		add_path_received();
		$du = "sip:{server};transport={transport}";
		t_relay();
		exit;
	}}
	$var(path) = $route_uri;
	loose_route();
	if (!($var(path) =~ "received="))
		$du = "sip:{server};transport={transport}";
	record_route();
"""

# What comes from the server goes to the carrier's switch, and the other way round.
PEER = """\
	record_route();
	if ($sp == {server_port})
		$du = "sip:{switch}";
	else
		$du = "sip:{server}";
"""


class Kamailio(Process):
    def __init__(self, route, host="127.0.0.1"):
        self.port = free_port(host)
        folder = tempfile.mkdtemp(prefix="carillon-kamailio-")
        with open(f"{folder}/kamailio.cfg", "w") as config:
            config.write(CONFIG.format(host=host, port=self.port, route=route))
        super().__init__("kamailio", ["kamailio", "-DD", "-E", "-f", f"{folder}/kamailio.cfg", "-Y", folder, "-w", folder, "-m", "16",
                                      "-M", "4"], folder)
        self.address = f"{host}:{self.port}"
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


@unittest.skipUnless(shutil.which("kamailio"), "kamailio is not installed")
class BehindAnEdgeProxy(unittest.TestCase):
    transport = "udp"

    def setUp(self):
        self.server = Server(settings="limits trusted = 127.0.0.1")
        self.addCleanup(self.server.close)
        self.proxy = Kamailio(EDGE.format(server=self.server.sip, transport=self.transport))
        self.addCleanup(self.proxy.close)
        self.phones = []
        for number, extension in (("330", "510"), ("331", "511")):
            device = self.server.device(number)
            self.server.user(f"user{number}", extension, [(device, 0, 20)])
            phone = Baresip(number, device["sip_password"], self.proxy.address, transport=self.transport)
            self.addCleanup(phone.close)
            phone.registered(20)
            self.phones.append(phone)

    def dial(self, extension):
        caller, callee = self.phones
        caller.dial(f"sip:{extension}@{self.proxy.address};transport={self.transport}")
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
        self.server.quiet()
        self.assertEqual([record["outcome"] for record in self.server.records(1)], ["answered"])

    def test_a_caller_gives_up(self):
        caller, callee = self.dial("511")
        caller.wait("CALL_RINGING")
        caller.hang_up()
        callee.wait("CALL_CLOSED")
        self.server.quiet()
        self.assertEqual(self.server.records(1)[0]["outcome"], "caller_gave_up")


class BehindAnEdgeProxyOverTcp(BehindAnEdgeProxy):
    transport = "tcp"


@unittest.skipUnless(shutil.which("kamailio"), "kamailio is not installed")
class AsAPeer(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.switch = Agent(self.server.sip, user="+441444999999")
        self.addCleanup(self.switch.close)
        self.proxy = Kamailio(PEER.format(server=self.server.sip, server_port=self.server.sip_port, switch=self.switch.address),
                              "127.0.0.9")  # not the phones' address: a trunk is known by its own
        self.addCleanup(self.proxy.close)
        self.switch.server = ("127.0.0.9", self.proxy.port)  # what it sends, it sends to the peer
        device = self.server.device("330")
        jane = self.server.user("jane", "510", [(device, 0, 20)], toll_class=2)
        trunk = self.server.api.post("trunks", {"title": "peer", "host": "127.0.0.9", "port": self.proxy.port})
        self.server.api.post("routes", {"prefix": "", "trunk_id": trunk["id"]})
        self.server.api.post("dids", {"number": "01632 960123", "user_id": jane["id"]})
        self.desk = Agent(self.server.sip, user="330", password=device["sip_password"])
        self.addCleanup(self.desk.close)
        self.assertEqual(self.desk.register().status, 200)

    @staticmethod
    def routes(request):
        return [f"Record-Route: {value}" for value in request.all("Record-Route")]

    def test_outside(self):
        self.desk.invite("01444123456")
        invite = self.switch.expect("INVITE", seconds=10)
        self.assertRegex(invite.uri, r"^sip:\+441444123456@")
        self.assertEqual(len(invite.all("Record-Route")), 1)
        self.switch.respond(invite, 180, extra=self.routes(invite))
        self.switch.respond(invite, 200, sdp("127.0.0.1", 42000), extra=self.routes(invite))
        self.desk.expect(180)
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

    def test_given_up(self):
        self.desk.invite("01444123456")
        invite = self.switch.expect("INVITE", seconds=10)
        self.switch.respond(invite, 180, extra=self.routes(invite))
        self.desk.expect(180)
        self.desk.cancel()
        self.switch.respond(self.switch.expect("CANCEL"), 200)
        self.switch.respond(invite, 487)
        self.switch.expect("ACK")
        self.desk.expect(200)
        self.desk.ack_refusal(self.desk.expect(487), self.desk.invite_uri)
        self.server.quiet()


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Trunks that register at their carrier: a Kamailio as registrar that challenges with MD5 or SHA-256, over UDP, TCP and TLS, with a
bare switch behind it; and a bare registrar for what the bytes must be."""

import hashlib
import re
import shutil
import signal
import tempfile
import time
import unittest
from datetime import datetime

from agents import Process, free_port, wait_for
from certificates import Authority
from server import Server
from wire import Agent, sdp

HOST = "127.0.0.51"

# An account's password is "secret-" and its name. What the accounts call goes to the switch, which alone is believed without a password.
CONFIG = """\
debug=1
log_stderror=yes
children=2
tcp_children=2
enable_tls=yes
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
listen=tls:{host}:{tls_port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("tls", "config", "{folder}/tls.cfg")
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_expire", 4)
modparam("registrar", "max_expires", 30)
modparam("registrar", "default_expires", 30)

request_route {{
	if (is_method("OPTIONS")) {{
		sl_send_reply("200", "OK");
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
		else if (is_method("ACK"))
			t_check_trans();
		else
			sl_send_reply("404", "Not Here");
		exit;
	}}
	if (is_method("ACK"))
		exit;
	if (is_method("REGISTER")) {{
		if ($aU == $null || !pv_www_authenticate("carrier.example", "secret-$aU", "0")) {{
			www_challenge("carrier.example", "1");
			exit;
		}}
		if ($tU != $aU) {{
			sl_send_reply("403", "Not Your Number");
			exit;
		}}
		save("location");
		exit;
	}}
	record_route();
	if ($sp == {switch_port}) {{
		if (!lookup("location")) {{
			sl_send_reply("404", "Not Registered");
			exit;
		}}
		t_relay();
		exit;
	}}
	if ($aU == $null || !pv_proxy_authenticate("carrier.example", "secret-$aU", "0")) {{
		proxy_challenge("carrier.example", "1");
		exit;
	}}
	consume_credentials();
	$du = "sip:{switch}";
	t_relay();
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
ca_list = {authority}
"""


class Registrar(Process):
    def __init__(self, authority, switch, algorithm="MD5", name=None, ports=None):
        self.port, self.tls_port = ports or (free_port(HOST), free_port(HOST))
        folder = tempfile.mkdtemp(prefix="carillon-registrar-")
        with open(f"{folder}/kamailio.cfg", "w") as config:
            config.write(CONFIG.format(host=HOST, port=self.port, tls_port=self.tls_port, folder=folder, algorithm=algorithm,
                                       switch=switch.address, switch_port=switch.port))
        with open(f"{folder}/tls.cfg", "w") as config:
            config.write(TLS.format(certificate=authority.issue("registrar", name or f"IP:{HOST}", f"{folder}/own.pem"),
                                    authority=authority.path))
        super().__init__("kamailio", ["kamailio", "-DD", "-E", "-f", f"{folder}/kamailio.cfg", "-Y", folder, "-w", folder,
                                      "-m", "32", "-M", "4"], folder)
        wait_for(self.answers, 20, "kamailio to answer")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("kamailio ended:\n" + self.output())
        probe = Agent(f"{HOST}:{self.port}", user="probe")
        try:
            probe.send(probe.request("OPTIONS", f"sip:probe@{HOST}:{self.port}"))
            return probe.receive(0.5)
        finally:
            probe.close()


class Shared:
    """One server for all: starting it takes longer than any of the tests."""

    count = 0


def setUpModule():
    if not shutil.which("kamailio"):
        raise unittest.SkipTest("kamailio is not installed")
    folder = tempfile.mkdtemp(prefix="carillon-certificates-")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    Shared.authority = Authority(folder)
    certificate = Shared.authority.issue("server", "IP:127.0.0.1")
    server = Shared.server = Server(settings=f"sip tls = 127.0.0.1:{free_port()}\ntls certificate = {certificate}\n"
                                             f"tls ca = {Shared.authority.path}\nlog level = debug")
    unittest.addModuleCleanup(server.close)
    device = server.device("330")
    Shared.jane = server.user("jane", "510", [(device, 0, 20)], toll_class=3)
    Shared.desk = Agent(server.sip, user="330", password=device["sip_password"])
    unittest.addModuleCleanup(Shared.desk.close)
    assert Shared.desk.register().status == 200


class Registering(unittest.TestCase):
    """Each test has trunks of its own, gone at its end."""

    def setUp(self):
        self.server, self.api, self.desk = Shared.server, Shared.server.api, Shared.desk
        self.desk.call_id = f"{self.id()}-{time.monotonic()}"

    def trunk(self, account, port, **fields):
        trunk = self.api.post("trunks", {
            "title": account, "host": HOST, "port": port, "username": account, "password": f"secret-{account}",
            "registers": True, "options_interval_s": 0, "caller_id": "+441632000000", **fields})
        self.addCleanup(self.remove, trunk)
        return trunk

    def remove(self, trunk):
        if any(each["id"] == trunk["id"] for each in self.api.get("trunks")["items"]):
            self.api.delete(f"trunks/{trunk['id']}")

    def registration(self, trunk):
        return self.api.get(f"trunks/{trunk['id']}/state")["registration"]

    def becomes(self, trunk, status, seconds=10):
        def so():
            state = self.registration(trunk)
            return state if state and state["status"] == status else None

        return wait_for(so, seconds, f"the trunk to be {status}: {self.registration(trunk)}")

    @staticmethod
    def until(state):
        """Seconds since 1970; 0: not registered."""
        text = state["registered_until"]
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else 0

    def metric(self, trunk):
        line = next(line for line in self.api.raw("GET", "/metrics")[2].splitlines()
                    if line.startswith("carillon_trunk_registered") and f'"{trunk["title"]}"' in line)
        return line.rsplit(" ", 1)[1]


class AtKamailio(Registering):
    transport, algorithm = "udp", "MD5"

    @classmethod
    def setUpClass(cls):
        cls.switch = Agent("127.0.0.1:9", HOST, "udp", "+441632777777")
        cls.addClassCleanup(cls.switch.close)
        cls.kamailio = Registrar(Shared.authority, cls.switch, cls.algorithm)
        cls.addClassCleanup(lambda: cls.kamailio.close())
        cls.switch.server, cls.switch.remote = (HOST, cls.kamailio.port), f"{HOST}:{cls.kamailio.port}"

    def account(self, name, **fields):
        port = self.kamailio.tls_port if self.transport == "tls" else self.kamailio.port
        return self.trunk(name, port, transport=self.transport, **fields)

    def call_out(self, trunk, number):
        """Jane calls; the carrier wants the account's password; each byte of the SDPs comes through."""
        route = self.api.post("routes", {"pattern": number, "trunk_id": trunk["id"]})
        self.addCleanup(self.api.delete, f"routes/{route['id']}")
        self.desk.invite(number)
        invite = self.switch.expect("INVITE")
        self.assertEqual(invite.body, sdp(self.desk.host))
        self.assertFalse(invite.all("Proxy-Authorization"))
        recorded = [f"Record-Route: {value}" for value in invite.all("Record-Route")]
        self.assertTrue(recorded)
        self.switch.respond(invite, 200, sdp(HOST, 41000), recorded)
        answered = self.desk.expect(200)
        self.assertEqual(answered.body, sdp(HOST, 41000))
        self.desk.within(answered, "ACK", cseq=self.desk.cseq)
        self.switch.expect("ACK")
        self.desk.within(answered, "BYE")
        self.switch.respond(self.switch.expect("BYE"), 200)
        self.desk.expect(200)

    def call_in(self, account, called):
        """The carrier sends a call to where the account has registered."""
        uri = f"sip:{account}@{self.switch.remote}"
        self.switch.call_id = f"in-{time.monotonic()}"
        self.switch.send(self.switch.request("INVITE", uri, sdp(HOST), to=f"<sip:{called}@carrier.example>"))
        invite = self.desk.expect("INVITE")
        self.desk.respond(invite, 200, sdp(self.desk.host, 41000))
        answered = self.switch.expect(200)
        self.assertEqual(answered.body, sdp(self.desk.host, 41000))
        route = [f"Route: {value}" for value in reversed(answered.all("Record-Route"))]
        self.assertTrue(route)
        self.switch.within(answered, "ACK", extra=route, cseq=self.switch.cseq)
        self.desk.expect("ACK")
        self.switch.within(answered, "BYE", extra=route)
        self.desk.respond(self.desk.expect("BYE"), 200)
        self.switch.expect(200)

    def test_two_accounts_call_both_ways(self):
        first, second = self.account("+441632100001"), self.account("+441632100002")
        for trunk in (first, second):
            state = self.becomes(trunk, "registered")
            self.assertEqual(state["last_status"], 200)
            self.assertIn(f"at {HOST}:", state["sentence"])
            self.assertEqual(self.metric(trunk), "1")
        for trunk in (first, second):
            did = self.api.post("dids", {"number": trunk["title"], "user_id": Shared.jane["id"], "trunk_id": trunk["id"]})
            self.addCleanup(self.api.delete, f"dids/{did['id']}")
        self.call_out(first, "+441632200001")
        self.call_out(second, "+441632200002")
        for trunk in (first, second):
            self.call_in(trunk["title"], trunk["title"])

        def came_over(trunk):
            return any(each["dialled"] == trunk["title"] and each["caller_trunk_id"] == trunk["id"]
                       for each in self.server.records())

        for trunk in (first, second):
            wait_for(lambda trunk=trunk: came_over(trunk), 10, "the record of the call over this very account")


class AtKamailioByTcp(AtKamailio):
    transport, algorithm = "tcp", "SHA-256"

    def test_a_wrong_password_is_seen_and_mended(self):
        trunk = self.account("+441632100003", password="wrong")
        state = self.becomes(trunk, "refused")
        self.assertEqual(state["last_status"], 401)
        self.assertIsNone(state["registered_until"])
        self.assertEqual(self.metric(trunk), "0")
        self.assertIn("trunk_unregistered", [each["code"] for each in self.api.get("status")["problems"]])
        self.api.patch(f"trunks/{trunk['id']}", {"password": "secret-+441632100003"})
        self.becomes(trunk, "registered")
        self.assertEqual(self.metric(trunk), "1")
        self.assertNotIn("wrong", self.server.output())
        self.assertNotIn("secret-+44", self.server.output())

    def test_a_nonce_that_is_too_old_is_no_wrong_password(self):
        trunk = self.account("+441632100004")  # granted 30 s at most, and a nonce lives for 4 s
        before, began = self.until(self.becomes(trunk, "registered")), time.monotonic()
        wait_for(lambda: self.until(self.registration(trunk)) > before + 1, 30, "it to be refreshed")
        self.assertGreater(time.monotonic() - began, 4, "by then the nonce was too old")
        self.assertEqual(self.registration(trunk)["status"], "registered")

    def test_the_carrier_starts_anew_and_the_server_as_well(self):
        trunk = self.account("+441632100005")
        before = self.until(self.becomes(trunk, "registered"))
        ports = self.kamailio.port, self.kamailio.tls_port
        self.kamailio.stop(signal.SIGKILL)
        type(self).kamailio = Registrar(Shared.authority, self.switch, self.algorithm, ports=ports)
        wait_for(lambda: self.until(self.registration(trunk)) > before + 1, 40, "it to be registered anew")
        did = self.api.post("dids", {"number": trunk["title"], "user_id": Shared.jane["id"]})
        self.addCleanup(self.api.delete, f"dids/{did['id']}")
        self.call_in(trunk["title"], trunk["title"])
        self.server.restart()
        self.becomes(trunk, "registered")
        self.assertEqual(self.desk.register().status, 200)
        self.desk.call_id += "-again"
        self.call_in(trunk["title"], trunk["title"])


class AtKamailioByTls(AtKamailio):
    transport = "tls"

    def test_another_name_in_the_certificate_is_no_carrier(self):
        impostor = Registrar(Shared.authority, self.switch, name="DNS:somebody.example")
        self.addCleanup(impostor.close)
        trunk = self.trunk("+441632100006", impostor.tls_port, transport="tls")
        state = self.becomes(trunk, "failed")
        self.assertIsNone(state["last_status"])
        self.assertNotIn("REGISTER", impostor.output())


class Bytes(Registering):
    """The carrier is bare."""

    def setUp(self):
        super().setUp()
        self.carrier = Agent("127.0.0.1:9", HOST, "udp", "carrier")
        self.addCleanup(self.carrier.close)
        self.carrier.server = (self.server.sip_host, self.server.sip_port)

    def answer(self, request, status, expires=None, extra=()):
        lines = [*extra]
        if expires is not None:
            lines.append(f"Contact: {request.get('Contact')};expires={expires}")
        self.carrier.respond(request, status, extra=lines)

    def expect_register(self, seconds=10):
        request = self.carrier.expect("REGISTER", seconds=seconds)
        self.assertEqual(request.start, f"REGISTER sip:{HOST}:{self.carrier.port} SIP/2.0")
        address_of_record = f"<sip:+441632100007@{HOST}>"
        self.assertEqual(request.get("To"), address_of_record)
        self.assertTrue(request.get("From").startswith(f"{address_of_record};tag="), request.get("From"))
        self.assertEqual(request.cseq_method, "REGISTER")
        self.assertEqual(request.body, b"")
        return request

    def test_a_registration_from_beginning_to_end(self):
        trunk = self.trunk("+441632100007", self.carrier.port, registration_expires_s=60)
        first = self.expect_register()
        self.assertEqual((first.get("Expires"), first.all("Authorization")), ("60", []))
        contact = first.get("Contact")
        self.assertRegex(contact, rf"^<sip:[^@>]+@127\.0\.0\.1:{self.server.sip_port}[^>]*>$")
        self.answer(first, 423, extra=["Min-Expires: 120"])
        longer = self.expect_register()
        self.assertEqual((longer.get("Expires"), longer.get("Call-ID"), longer.cseq), ("120", first.get("Call-ID"), first.cseq + 1))
        challenge = ('Digest realm="carrier.example", nonce="{}", algorithm={}, qop="auth"')
        self.answer(longer, 401, extra=[f"WWW-Authenticate: {challenge.format('old', 'MD5')}",
                                        f"WWW-Authenticate: {challenge.format('old256', 'SHA-256')}"])
        signed = self.expect_register()
        self.check(signed, "Authorization", "old256", "SHA-256")
        self.assertEqual((signed.get("Call-ID"), signed.cseq), (first.get("Call-ID"), first.cseq + 2))
        self.answer(signed, 401, extra=[f"WWW-Authenticate: {challenge.format('new', 'MD5')}, stale=true"])
        again = self.expect_register()
        self.check(again, "Authorization", "new", "MD5")
        self.answer(again, 407, extra=[f"Proxy-Authenticate: {challenge.format('proxy', 'MD5')}"])
        both = self.expect_register()
        self.check(both, "Proxy-Authorization", "proxy", "MD5")
        self.answer(both, 200, 120)
        self.becomes(trunk, "registered")
        self.api.patch(f"trunks/{trunk['id']}", {"enabled": False})
        gone = self.expect_register()
        self.assertEqual(gone.get("Contact").split(";expires")[0], contact)
        self.assertEqual((gone.get("Expires"), gone.get("Call-ID")), ("0", first.get("Call-ID")))
        self.answer(gone, 200)
        self.assertIsNone(self.registration(trunk))
        self.assertIsNone(self.carrier.receive(1), "nothing is repeated")

    def check(self, request, header, nonce, algorithm):
        given = request.get(header)
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', given.partition(" ")[2]))
        self.assertEqual((fields["username"], fields["realm"], fields["nonce"], fields["algorithm"], fields["qop"]),
                         ("+441632100007", "carrier.example", nonce, algorithm, "auth"))
        self.assertEqual(fields["uri"], f"sip:{HOST}:{self.carrier.port}")
        make = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

        def hashed(text):
            return make(text.encode()).hexdigest()

        ha1 = hashed("+441632100007:carrier.example:secret-+441632100007")
        self.assertEqual(fields["response"], hashed(f"{ha1}:{nonce}:{fields['nc']}:{fields['cnonce']}:auth:"
                                                    + hashed(f"REGISTER:{fields['uri']}")))

    def test_a_trunk_that_is_removed_leaves_and_the_server_as_well(self):
        trunk = self.trunk("+441632100007", self.carrier.port)
        self.answer(self.expect_register(), 200, 600)
        self.becomes(trunk, "registered")
        self.api.delete(f"trunks/{trunk['id']}")
        gone = self.expect_register()
        self.assertEqual(gone.get("Expires"), "0")
        self.answer(gone, 200)
        trunk = self.trunk("+441632100007", self.carrier.port)
        self.answer(self.expect_register(), 200, 600)
        self.becomes(trunk, "registered")
        self.server.process.send_signal(signal.SIGTERM)
        leaving = self.expect_register()
        self.assertEqual(leaving.get("Expires"), "0")
        self.answer(leaving, 200)
        self.server.restart()
        self.answer(self.expect_register(), 200, 600)


if __name__ == "__main__":
    unittest.main()

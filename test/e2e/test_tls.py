#!/usr/bin/env python3
"""Calls over TLS: phones, a trunk, new certificates while calls are up, and strangers."""

import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time
import unittest

import test_calls
from agents import Baresip, free_port, wait_for
from certificates import Authority
from server import Server
from wire import Agent, digest, sdp


class OverTls(test_calls.Calls):
    """A server that listens for TLS, and the means to reach it."""

    transport = "tls"
    required = "no"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="carillon-certificates-")
        cls.authority = Authority(cls.folder)
        cls.certificate = cls.authority.issue("server", "IP:127.0.0.1,DNS:sip.example.com")
        cls.port = free_port()
        cls.server = Server(settings=f"limits requests_burst = 10000\nsip tls = 127.0.0.1:{cls.port}\ntls certificate = {cls.certificate}\n"
                                     f"tls ca = {cls.authority.path}\ntls require_client_certificate = {cls.required}\n")
        test_calls.Calls.next = 200

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.folder, ignore_errors=True)

    @property
    def sip(self):
        return f"127.0.0.1:{self.port}"

    def trusting(self):
        return ssl.create_default_context(cafile=self.authority.path)

    def agent(self, user="nobody", password="", context=None):
        agent = Agent(self.sip, "127.0.0.1", "tls", user, password, tls=context or self.trusting())
        self.agents.append(agent)
        return agent

    def phone(self, host="127.0.0.1", transport=None, **fields):
        if transport == "udp":
            return super().phone(host, transport, **fields)
        test_calls.Calls.next += 1
        device = self.server.device(str(test_calls.Calls.next), **fields)
        agent = self.agent(device["number"], device["sip_password"])
        self.assertEqual(agent.register().status, 200)
        agent.device = device
        return agent

    def metric(self, name):
        text = self.server.api.raw("GET", "/metrics")[2]
        return int(next(line.split(" ")[1] for line in text.splitlines() if line.startswith(f"carillon_{name} ")))


class Phones(OverTls):
    """What works over UDP and TCP works over TLS (the tests of Calls), and this."""

    def test_what_we_say_of_ourselves(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        invite = desk.expect("INVITE")
        self.assertTrue(invite.get("Via").startswith(f"SIP/2.0/TLS {self.sip};"), invite.text())
        self.assertEqual(invite.contact_uri, f"sip:carillon@{self.sip};transport=tls")
        answered = self.talk(caller, invite, desk)
        self.assertEqual(answered.contact_uri, f"sip:carillon@{self.sip};transport=tls")
        self.bye(caller, answered, desk)
        self.assertGreaterEqual(self.metric("tls_handshakes_total"), 2)
        self.assertGreater(self.metric("tls_certificate_ends_seconds"), time.time())

    def test_between_tls_and_udp(self):
        caller, desk = self.caller(), self.phone(transport="udp")
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        invite = desk.expect("INVITE")
        self.assertTrue(invite.get("Via").startswith("SIP/2.0/UDP "))
        self.bye(caller, self.talk(caller, invite, desk), desk)

    def test_sips(self):
        caller, desk = self.caller(), self.phone()
        self.assertEqual(desk.register(contact=f"<sips:{desk.user}@{desk.address}>").status, 200)
        desk.register(expires=0)  # the other contact goes
        jane = self.somebody([desk])
        caller.send(caller.request("OPTIONS", f"sips:{self.sip}"))
        caller.expect(200)
        uri = f"sips:{jane['extension']}@{self.sip}"
        caller.send(caller.request("INVITE", uri, sdp(caller.host)))
        challenge = caller.expect(401)
        caller.ack_refusal(challenge, uri)
        caller.send(caller.request("INVITE", uri, sdp(caller.host), [
            "Authorization: " + digest(challenge.get("WWW-Authenticate"), "INVITE", uri, caller.user, caller.password)]))
        invite = desk.expect("INVITE")
        self.assertTrue(invite.uri.startswith("sips:"), invite.uri)
        self.assertEqual(invite.contact_uri, f"sips:carillon@{self.sip}")
        answered = self.talk(caller, invite, desk)
        self.assertEqual(answered.contact_uri, f"sips:carillon@{self.sip}")
        self.bye(caller, answered, desk)
        plain = Agent(self.server.sip, "127.0.0.1", "udp", "nobody")
        self.agents.append(plain)
        plain.send(plain.request("OPTIONS", f"sips:{self.server.sip}"))
        plain.expect(416)

    def test_a_new_certificate_while_a_call_is_up(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        answered = self.talk(caller, desk.expect("INVITE"), desk)
        before = self.agent().socket.getpeercert()["serialNumber"]
        self.authority.issue("server", "IP:127.0.0.1,DNS:new.example.com", self.certificate)
        self.server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "tls_reloaded" in self.server.output(), 5, "the certificate to be read")
        after = self.agent().socket.getpeercert()
        self.assertNotEqual(before, after["serialNumber"])
        self.assertIn(("DNS", "new.example.com"), after["subjectAltName"])
        self.bye(caller, answered, desk)
        with open(self.certificate) as file:
            good = file.read()
        with open(self.certificate, "w") as file:
            file.write("nonsense\n")
        self.server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "tls_not_reloaded" in self.server.output(), 5, "the nonsense to be refused")
        self.assertEqual(self.agent().socket.getpeercert()["serialNumber"], after["serialNumber"])
        with open(self.certificate, "w") as file:
            file.write(good)

    def test_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.trusting()
            context.minimum_version = context.maximum_version = version
            agent = self.agent(context=context)
            self.assertEqual(agent.socket.version().replace(".", "_"), version.name)
            agent.send(agent.request("OPTIONS", f"sip:{self.sip}"))
            agent.expect(200)

    def test_a_session_is_taken_up_again(self):
        context = self.trusting()
        first = self.agent(context=context)
        first.send(first.request("OPTIONS", f"sip:{self.sip}"))
        first.expect(200)
        with socket.create_connection(first.server) as raw:
            second = context.wrap_socket(raw, server_hostname="127.0.0.1", session=first.socket.session)
            self.assertTrue(second.session_reused)
            second.close()

    def test_strangers(self):
        failed = self.metric("tls_handshakes_failed_total")
        for said in (b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n\r\n", bytes(range(256)) * 4):
            with socket.create_connection(("127.0.0.1", self.port), 5) as raw:
                raw.settimeout(5)
                raw.sendall(said)
                try:
                    while raw.recv(4096):
                        pass  # an alert may come
                except ConnectionError:
                    pass
        self.assertEqual(self.metric("tls_handshakes_failed_total"), failed + 2)
        self.server.logs("sip_tls_failed remote=127.0.0.1:")

    def test_large_and_many(self):
        agent = self.agent()
        for _ in range(30):  # in one go
            agent.send(b"".join(agent.request("OPTIONS", f"sip:{self.sip}") for _ in range(20)))
        for _ in range(600):
            agent.expect(200)
        request = agent.request("OPTIONS", f"sip:{self.sip}", b"x" * 40000)
        for at in range(0, len(request), 1000):
            agent.send(request[at:at + 1000])
        agent.expect(200, 415)


class Carrier(OverTls):
    """The far end of a trunk by TLS: the server connects, and looks at the certificate."""

    def listen(self, alternative):
        """Gives the port, and a function that gives the agent on the connection that came."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.issue("carrier", alternative))
        listener = socket.create_server(("127.0.0.9", 0))
        came = []

        def serve():
            raw, remote = listener.accept()
            listener.close()
            try:
                came.append(Agent(f"{remote[0]}:{remote[1]}", transport="tls", user="carrier",
                                  accepted=context.wrap_socket(raw, server_side=True)))
            except OSError as error:  # ssl.SSLError too
                came.append(error)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1], lambda: wait_for(lambda: came, 5, "a connection")[0]

    def call_out(self, alternative, extension):
        port, connection = self.listen(alternative)
        trunk = self.server.api.post("trunks", {"title": f"carrier {extension}", "host": "127.0.0.9", "port": port,
                                                "transport": "tls"})
        route = self.server.api.post("routes", {"pattern": "", "trunk_id": trunk["id"]})
        mobile = self.server.device(f"01444 123{extension}", "external")
        caller = self.caller()
        self.server.user(f"user{extension}", extension, [(mobile, 0, 20)], toll_class=1)
        caller.invite(extension)
        self.addCleanup(lambda: self.server.api.call("DELETE", f"routes/{route['id']}"))
        return caller, connection()

    def test_a_trunk(self):
        caller, carrier = self.call_out("IP:127.0.0.9", "801")
        self.agents.append(carrier)
        invite = carrier.expect("INVITE")
        self.assertTrue(invite.get("Via").startswith("SIP/2.0/TLS "), invite.text())
        self.assertIn(";transport=tls", invite.uri)
        carrier.respond(invite, 180)
        answered = self.talk(caller, invite, carrier)
        carrier.within_theirs(invite, "BYE")
        carrier.expect(200)
        caller.respond(caller.expect("BYE"), 200)
        self.assertEqual(answered.status, 200)

    def test_somebody_else(self):
        caller, refused = self.call_out("DNS:other.example.com", "802")
        self.assertIsInstance(refused, ssl.SSLError)  # our alert
        answer = caller.expect(486)  # nobody can be reached
        caller.ack_refusal(answer, caller.invite_uri)
        self.server.logs('why="hostname mismatch"')


class ClientCertificates(OverTls):
    """Where those who connect must have a certificate."""

    required = "yes"

    def trusting(self):
        context = super().trusting()
        context.load_cert_chain(self.authority.issue("client", "DNS:phone.example.com"))
        return context

    def test_with_and_without(self):
        self.assertEqual(self.phone().register().status, 200)
        context = ssl.create_default_context(cafile=self.authority.path)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            agent = self.agent(context=context)
            agent.socket.settimeout(5)
            if not agent.socket.recv(100):  # TLS 1.3 tells it after the handshake
                raise ConnectionError


class Softphone(OverTls):
    """A real phone."""

    def test_baresip(self):
        device = self.server.device("401")
        user = self.server.user("baresip", "601", [(device, 0, 20)])
        phone = Baresip("401", device["sip_password"], self.sip, transport="tls", certificate=self.certificate,
                        authority=self.authority.path)
        try:
            phone.registered(20)
            caller = self.caller()
            caller.invite(user["extension"])
            caller.expect(180)
            phone.wait("CALL_INCOMING")
            phone.answer()
            answered = caller.expect(200)
            caller.within(answered, "ACK", cseq=caller.cseq)
            phone.wait("CALL_ESTABLISHED")
            caller.within(answered, "BYE")
            caller.expect(200)
            phone.wait("CALL_CLOSED")
        finally:
            phone.close()


for group in (Carrier, ClientCertificates, Softphone, OverTls):
    for name in [name for name in dir(test_calls.Calls) if name.startswith("test_") and name not in vars(group)]:
        setattr(group, name, None)  # they inherit the means, not the tests
for name in [name for name in dir(test_calls.Calls) if name.startswith("test_")]:
    if not getattr(Phones, name):
        setattr(Phones, name, vars(test_calls.Calls)[name])

if __name__ == "__main__":
    unittest.main()

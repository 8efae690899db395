#!/usr/bin/env python3
"""Calls over WebSocket, plain and secured, and what the server says to whoever does not speak it."""

import http.client
import json
import shutil
import signal
import socket
import ssl
import tempfile
import unittest
import warnings

import test_calls
from agents import free_port, wait_for
from certificates import Authority
from server import Server
from websocket import BINARY, CLOSE, PING, TEXT, WebSocket, ask, greeting
from wire import Agent

ORIGIN = "https://pbx.example.com"


class OverWebSocket(test_calls.Calls):
    transport = "ws"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="carillon-certificates-")
        authority = Authority(cls.folder)
        cls.context_path = authority.path
        cls.context = ssl.create_default_context(cafile=authority.path)
        cls.ports = {"ws": free_port(), "wss": free_port()}
        cls.https_port = free_port()
        cls.server = Server(settings=f"sip ws = 127.0.0.1:{cls.ports['ws']}\nsip wss = 127.0.0.1:{cls.ports['wss']}\n"
                                     f"http https = 127.0.0.1:{cls.https_port}\n"
                                     f"sip ws_origins = https://other.example.com {ORIGIN}\n"
                                     f"tls certificate = {authority.issue('server', 'IP:127.0.0.1')}\n")
        test_calls.Calls.next = 200

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def agent(self, user="nobody", password="", transport=None):
        transport = transport or self.transport
        agent = Agent(f"127.0.0.1:{self.ports[transport]}", "127.0.0.1", transport, user, password, tls=self.context)
        self.agents.append(agent)
        return agent

    def phone(self, host="127.0.0.1", transport=None, **fields):
        if transport in ("udp", "tcp"):
            return super().phone(host, transport, **fields)
        test_calls.Calls.next += 1
        device = self.server.device(str(test_calls.Calls.next), **fields)
        agent = self.agent(device["number"], device["sip_password"])
        self.assertEqual(agent.register().status, 200)
        agent.device = device
        return agent


class Plain(OverWebSocket):
    """What works over UDP and TCP works over WebSocket (the tests of Calls), and this."""

    def test_what_we_say_of_ourselves(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        invite = desk.expect("INVITE")
        ours = f"127.0.0.1:{self.ports[self.transport]}"
        self.assertTrue(invite.get("Via").startswith(f"SIP/2.0/{self.transport.upper()} {ours};"), invite.text())
        self.assertEqual(invite.contact_uri, f"sip:carillon@{ours};transport=ws")
        self.bye(caller, self.talk(caller, invite, desk), desk)

    def test_between_browser_and_phone(self):
        caller, desk = self.caller(), self.phone(transport="udp")
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        self.bye(caller, self.talk(caller, desk.expect("INVITE"), desk), desk)

    def test_a_browser_that_is_gone_is_not_rung(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        desk.close()
        self.agents.remove(desk)
        caller.invite(jane["extension"])
        answer = caller.expect(480, 486)
        caller.ack_refusal(answer, caller.invite_uri)


class Secured(Plain):
    transport = "wss"


class OnHttp(Plain):
    """All of that on the port of the console and the API, at /sip."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ports = {"ws": cls.server.http_port, "wss": cls.https_port}


class SecuredOnHttp(OnHttp):
    transport = "wss"


class Strangers(OverWebSocket):
    """The greeting, the frames, and their bounds."""

    @property
    def address(self):
        return ("127.0.0.1", self.ports["ws"])

    def connect(self, **changed):
        raw = socket.create_connection(self.address, 5)
        self.addCleanup(raw.close)
        return WebSocket(raw, **changed)

    def refused(self, status, **changed):
        answer = ask(self.address, greeting("localhost", **changed))
        self.assertTrue(answer.startswith(f"HTTP/1.1 {status} "), answer)
        return answer

    def test_greetings(self):
        self.assertIn("Sec-WebSocket-Version: 13\r\n", self.refused(426, Sec_WebSocket_Version="8"))
        self.assertIn("Upgrade: websocket\r\n", self.refused(426, Upgrade=None))
        self.refused(426, Upgrade="h2c")
        self.refused(426, Connection="close")
        self.refused(400, Sec_WebSocket_Protocol=None)
        self.refused(400, Sec_WebSocket_Protocol="chat, xmpp")
        self.refused(400, Sec_WebSocket_Key="short")
        self.refused(400, Sec_WebSocket_Key=None)
        self.refused(400, Host=None)
        self.refused(403, Origin="https://evil.example.com")
        self.refused(403, Origin="null")
        self.connect(Origin=ORIGIN)
        self.connect(Sec_WebSocket_Protocol="chat, sip")

    def test_garbage(self):
        for garbage in (b"OPTIONS sip:a SIP/2.0\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n",
                        b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\nHost: a\r\n\r\n", b"x" * 5000):
            try:
                self.assertTrue(ask(self.address, garbage).startswith("HTTP/1.1 400 "), garbage)
            except ConnectionResetError:
                pass  # not all of it was read

    def test_in_pieces(self):
        request = greeting("localhost")
        with socket.create_connection(self.address, 5) as raw:
            for i in range(len(request)):
                raw.sendall(request[i:i + 1])
            self.assertTrue(raw.recv(4096).startswith(b"HTTP/1.1 101 "))

    def options(self, **named):
        agent = self.agent(transport="ws")
        return agent, agent.request("OPTIONS", f"sip:{agent.remote}", **named)

    def test_frames(self):
        agent, request = self.options()
        for at in range(0, len(request), 50):  # fragments, with a ping between them
            agent.socket.frame(TEXT if at == 0 else 0, request[at:at + 50], last=at + 50 >= len(request))
            if at == 100:
                agent.socket.frame(PING, b"hello")
        self.assertEqual(agent.socket.message(), b"pong")
        self.assertEqual(agent.socket.pongs, [b"hello"])
        agent.expect(200)
        agent.socket.frame(BINARY, self.options()[1])
        agent.expect(200)
        agent.socket.frame(TEXT, b"\r\n\r\n")
        self.assertEqual(agent.socket.message(), b"\r\n")
        head = request.replace(b"Content-Length: 0\r\n", b"")  # one message, one frame: it says its length
        agent.socket.frame(TEXT, head)
        agent.expect(200)

    def closed(self, code, *frames):
        agent = self.agent(transport="ws")
        for opcode, data, *more in frames:
            agent.socket.frame(opcode, data, *more)
        while agent.socket.message():
            pass
        self.assertEqual(agent.socket.closed, code)

    def test_closing(self):
        self.closed(1000, (CLOSE, b"\x03\xe8"))
        self.closed(1002, (TEXT, b"not masked", True, False))
        self.closed(1002, (3, b"an opcode that means nothing"))
        self.closed(1002, (0, b"goes on with what never began"))
        self.closed(1007, (TEXT, b"\xff\xfe"))
        self.closed(1009, (TEXT, b"x" * 70000))
        self.closed(1009, *[(TEXT if i == 0 else 0, b"x" * 9000, False) for i in range(8)])

    def test_nonsense_in_a_frame_is_no_end(self):
        agent, request = self.options()
        agent.socket.frame(TEXT, b"this is not SIP")
        agent.send(request)
        agent.expect(200)


class StrangersOnHttp(Strangers):
    """The same where HTTP is spoken as well."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ports = {"ws": cls.server.http_port, "wss": cls.https_port}

    def secured(self):
        raw = self.context.wrap_socket(socket.create_connection(("127.0.0.1", self.https_port), 10),
                                       server_hostname="127.0.0.1")
        self.addCleanup(raw.close)
        return raw

    def get(self, path, headers):
        return ask(self.address, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n".encode())

    def test_garbage(self):
        nothing = "404|200"  # 200: the console is installed, and says itself that it has no such page
        for path, headers, status in (("/sip", "", "426"), ("/sip?x=1", "", "426"), ("/sip/", "", nothing), ("/sipx", "", nothing),
                                      ("/sip", "Upgrade: h2c\r\n", "426"), ("/sip", "x: " + "y" * 5000 + "\r\n", "400")):
            self.assertRegex(self.get(path, headers), f"^HTTP/1.1 ({status}) ", (path, headers[:20]))
        answer = ask(self.address, b"POST /sip HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.assertTrue(answer.startswith("HTTP/1.1 405 "), answer)
        answer = ask(self.address, greeting("localhost").replace(b"HTTP/1.1", b"HTTP/1.0"))
        self.assertRegex(answer, "^HTTP/1.[01] 400 ")
        answer = self.get("/sip", "Upgrade: websocket\r\n")
        self.assertIn("X-Content-Type-Options: nosniff\r\n", answer)

    def test_http_goes_on(self):
        phones = [self.connect() for _ in range(20)]
        self.assertEqual(self.server.api.raw("GET", "/healthz")[0], 200)
        for phone in phones:  # each is the SIP side's, and answers
            phone.frame(PING, b"there?")
            self.assertEqual(phone.message(), b"pong")

    def test_what_comes_with_the_greeting_is_not_lost(self):
        with socket.create_connection(self.address, 5) as raw:
            raw.sendall(greeting("localhost") + WebSocket.frame_bytes(PING, b"early"))
            answer = b""
            while b"early" not in answer:
                chunk = raw.recv(4096)
                self.assertTrue(chunk, answer)
                answer += chunk
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 ") and answer.endswith(b"\x8a\x05early"), answer)


    def test_strangers_over_https(self):
        for status, changed in ((426, {"Upgrade": None}), (400, {"Sec_WebSocket_Protocol": "xmpp"}),
                                (403, {"Origin": "https://evil.example.com"})):
            raw = self.secured()
            raw.sendall(greeting("localhost", **changed))
            self.assertTrue(raw.recv(4096).startswith(f"HTTP/1.1 {status} ".encode()))
        phone = WebSocket(self.secured(), Origin=ORIGIN)
        phone.frame(TEXT, b"not masked", True, False)
        self.assertEqual((phone.message(), phone.closed), (b"", 1002))
        phone = WebSocket(self.secured())
        phone.frame(CLOSE, b"\x03\xe8")
        self.assertEqual((phone.message(), phone.closed), (b"", 1000))
        half = self.secured()
        half.sendall(greeting("localhost")[:50])  # and nobody waits for the rest
        phones = [WebSocket(self.secured()) for _ in range(50)]
        for number, phone in enumerate(phones):
            phone.frame(PING, b"%d" % number)
        for number, phone in enumerate(phones):
            self.assertEqual((phone.message(), phone.pongs), (b"pong", [b"%d" % number]))
            if number % 2:
                phone.close()
        agent = self.agent(transport="wss")
        request = agent.request("OPTIONS", f"sip:{agent.remote}", extra=["X-Long: " + "x" * 1500] * 5)
        for _ in range(5):
            agent.send(request)
            agent.expect(200)

    def https(self, method, path, body="", headers=()):
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, timeout=30, context=self.context)
        self.addCleanup(connection.close)
        connection.request(method, path, body, dict(headers))
        return connection.getresponse()

    def test_the_api_over_https(self):
        answer = self.https("GET", "/healthz")
        self.assertEqual((answer.status, answer.read()), (200, b"ok\n"))
        self.assertEqual(answer.getheader("Strict-Transport-Security"), "max-age=31536000")
        self.assertNotIn("strict-transport-security", self.server.api.raw("GET", "/healthz")[1])
        body = json.dumps({"name": "admin", "password": self.server.password})
        kind = {"Content-Type": "application/json"}
        answer = self.https("POST", "/api/v1/session", body, kind)
        self.assertEqual(answer.status, 201)
        self.assertTrue(answer.getheader("Set-Cookie").endswith("; Secure"))
        with self.assertRaises(ssl.SSLError):
            old = ssl.create_default_context(cafile=self.context_path)
            with warnings.catch_warnings(action="ignore"):
                old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            old.set_ciphers("ALL:@SECLEVEL=0")
            with socket.create_connection(("127.0.0.1", self.https_port), 10) as raw:
                old.wrap_socket(raw, server_hostname="127.0.0.1")


class Taken(unittest.TestCase):
    """What takes a server of its own: it stops, gets another certificate, bans."""

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="carillon-certificates-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.authority = Authority(folder)
        self.certificate = self.authority.issue("server", "IP:127.0.0.1")
        self.context = ssl.create_default_context(cafile=self.authority.path)
        self.https_port = free_port()
        self.server = Server(settings=f"http https = 127.0.0.1:{self.https_port}\ntls certificate = {self.certificate}\n"
                                      "limits failures_ban = 3\nlimits failures_wait = 100\n")
        self.addCleanup(self.server.close)

    def raw(self, secured):
        raw = socket.create_connection(("127.0.0.1", self.https_port if secured else self.server.http_port), 10)
        raw = self.context.wrap_socket(raw, server_hostname="127.0.0.1") if secured else raw
        self.addCleanup(raw.close)
        return raw

    def test_the_server_stops(self):
        phones = [WebSocket(self.raw(secured)) for secured in (False, True) for _ in range(5)]
        for phone in phones:
            phone.frame(PING, b"there?")
            self.assertEqual(phone.message(), b"pong")
        self.server.process.send_signal(signal.SIGTERM)
        for phone in phones:
            self.assertEqual((phone.message(), phone.closed), (b"", 1001))
        self.assertEqual(self.server.process.wait(30), 0)

    def served(self):
        raw = self.raw(True)
        return raw.getpeercert()["serialNumber"]

    def test_another_certificate(self):
        phone, before = WebSocket(self.raw(True)), self.served()
        self.authority.issue("server", "IP:127.0.0.1", self.certificate)
        self.server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.served() != before, 20, "the new certificate")
        phone.frame(PING, b"still there?")
        self.assertEqual((phone.message(), phone.pongs), (b"pong", [b"still there?"]))

    def test_who_is_banned_is_sent_away(self):
        for secured in (False, True):
            self.assertTrue(WebSocket(self.raw(secured)))
        device = self.server.device("300")
        port = {False: self.server.http_port, True: self.https_port}
        for secured in (False, True, True):
            agent = Agent(f"127.0.0.1:{port[secured]}", "127.0.0.1", "wss" if secured else "ws", device["number"], "wrong",
                          tls=self.context)
            self.addCleanup(agent.close)
            self.assertNotEqual(agent.register().status, 200)
        for secured in (False, True):
            raw = self.raw(secured)
            raw.sendall(greeting("localhost"))
            self.assertTrue(raw.recv(4096).startswith(b"HTTP/1.1 503 "))
        self.assertEqual(self.server.api.raw("GET", "/healthz")[0], 200)  # a ban of SIP is none of the API's


for name in [name for name in dir(test_calls.Calls) if name.startswith("test_")]:
    setattr(OverWebSocket, name, None)  # the means are inherited by all, the tests by those that say so
    setattr(Plain, name, vars(test_calls.Calls)[name])

if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""MS Teams over Direct Routing: real TLS with certificates on both sides, against a peer that behaves as Microsoft documents it."""

import os
import re
import shutil
import socket
import ssl
import tempfile
import time
import unittest

from agents import free_port, wait_for
from certificates import Authority
from names import NameServer
from server import ApiError, Server
from teams_peer import HOSTS, Call, Connection, TeamsPeer, host_of, srtp_sdp, uri_in, user_of
from wire import Agent, sdp

SBC = "sbc.example.com"
PLACES = ("127.0.0.51", "127.0.0.52", "127.0.0.53")
BOB, JANE, CAROL, DAVE = "+441632960111", "+441632960222", "+441632960333", "+441632960444"


def free_port_everywhere(hosts):
    """A port that was free a moment ago on each of them."""
    while True:
        port, taken = free_port(hosts[0]), []
        try:
            for host in hosts:
                taken.append(socket.create_server((host, port)))
            return port
        except OSError:
            continue
        finally:
            for listener in taken:
                listener.close()


def setUpModule():
    Shared.folder = tempfile.mkdtemp(prefix="carillon-certificates-")
    unittest.addModuleCleanup(shutil.rmtree, Shared.folder)
    Shared.authority = Authority(Shared.folder)
    Shared.certificate = Shared.authority.issue("sbc", f"DNS:{SBC}")


class Shared:
    pass


class WithTeams(unittest.TestCase):
    """A server with a trunk to Teams, whose three names stand for three peers; everybody here is a user of Teams."""

    settings = ""

    @classmethod
    def setUpClass(cls):
        cls.names, cls.port, cls.sbc_port = NameServer(), free_port_everywhere(PLACES), free_port()
        cls.addClassCleanup(cls.names.close)
        for name, place in zip(HOSTS, PLACES):
            cls.names.add(name, 60, "A", place)
        cls.server = Server(settings=f"dns servers = {cls.names.address}\nsip tls = 127.0.0.1:{cls.sbc_port}\ntls certificate = "
                                     f"{Shared.certificate}\ntls ca = {Shared.authority.path}\nlimits trusted = 127.0.0.0/8\n" + cls.settings)
        cls.addClassCleanup(cls.server.close)
        cls.peers = [TeamsPeer(Shared.authority, place, cls.port, SBC, cls.sbc_port) for place in PLACES]
        for peer in cls.peers:
            cls.addClassCleanup(peer.close)
        cls.peer = cls.peers[0]
        cls.trunk = cls.server.api.post("trunks", {
            "title": "Teams", "profile": "teams", "own_host": SBC, "host": HOSTS[0], "port": cls.port, "transport": "tls",
            "options_interval_s": 5})
        users = {}
        for name, extension, number in (("bob", "511", BOB), ("jane", "510", JANE), ("carol", "512", CAROL)):
            users[name] = cls.server.user(name, extension, [(cls.server.device(number, "teams"), 0, 20)])
        cls.users = users
        wait_for(lambda: cls.services() == ["in_service"] * 3, 10, "three targets in service")

    @classmethod
    def services(cls):
        state = cls.server.api.get(f"trunks/{cls.trunk['id']}/state")
        return [target["service"] for target in state["targets"]]

    def setUp(self):
        for peer in self.peers:
            peer.forget()
        # The test before may have ended connections, and OPTIONS with them.
        wait_for(lambda: self.services()[0] == "in_service", 30, "the first target in service")
        self.addCleanup(self.end_calls)

    def end_calls(self):
        """What a test that failed has left behind."""
        for call in self.server.api.get("calls")["items"]:
            try:
                self.server.api.delete(f"calls/{call['id']}")
            except ApiError:  # it has ended meanwhile
                pass

    def tearDown(self):
        for peer in self.peers:
            self.assertEqual(peer.complaints, [])
            self.assertTrue(peer.calls.empty())
        self.server.quiet()

    def bob_calls(self, number="+510", **more):
        """Bob calls from Teams; gives both calls, the second one as it came to the first of the peers."""
        calling = self.peer.call(number, BOB, **more)
        return calling, self.peer.next_call()

    def talk(self):
        calling, called = self.bob_calls()
        called.ring()
        called.answer()
        calling.answered()
        # The caller's ACK and what is asked next come over two connections.
        wait_for(lambda: [call["state"] for call in self.server.api.get("calls")["items"]] == ["talking"], 10, "the two to talk")
        return calling, called


class Signalling(WithTeams):
    def test_options_come_first_and_go_both_ways(self):
        for peer, host in zip(self.peers, HOSTS):
            options = peer.options[0]
            self.assertEqual(options.uri.partition(";")[0], f"sip:{HOSTS[0]}:{self.port}")
            self.assertEqual(options.contact_uri, f"sip:{SBC}:{self.sbc_port};transport=tls")
            self.assertEqual(uri_in(options.get("From")), f"sip:{SBC}")
            self.assertTrue(options.get("User-Agent").startswith("Carillon/"))
            self.assertTrue(options.get("X-MS-SBC").startswith("Carillon/"))
            self.assertIn("REFER", options.get("Allow"))
            self.assertIn("NOTIFY", options.get("Allow"))
            answer = peer.own_options.get(timeout=20)
            self.assertEqual(answer.status, 200, answer.text())
            self.assertIn("REFER", answer.get("Allow"))
            self.assertIn("NOTIFY", answer.get("Allow"))
            self.assertEqual(peer.refused, [], host)

    def test_a_call_between_two_users_of_teams(self):
        calling, called = self.bob_calls(name='"Bob" ')
        invite = called.invite
        self.assertEqual(user_of(invite.uri), JANE)
        self.assertIn(";user=phone", invite.uri)
        self.assertEqual(host_of(invite.uri), HOSTS[0])
        self.assertEqual(uri_in(invite.get("From")), f"sip:{BOB}@{SBC}")
        self.assertEqual(user_of(uri_in(invite.get("To"))), JANE)
        self.assertEqual(host_of(invite.contact_uri), SBC)
        self.assertEqual(invite.all("Record-Route"), [])
        self.assertIn("X-MS-SBC", invite.text())
        self.assertEqual(invite.body, srtp_sdp(self.peer.host))
        # Three clients ring, the second one's media come first, and the third one answers: one leg, several early dialogs.
        called.ring("one")
        self.assertEqual(calling.expect(180).status, 180)
        called.ring("two")
        called.progress("two")
        called.ring("three")
        ack = called.answer("three")
        self.assertEqual(ack.to_tag, "three")
        answer = calling.answered()
        self.assertEqual(answer.body, srtp_sdp(self.peer.host, offer=False))
        self.assertEqual(host_of(answer.contact_uri), SBC)
        calling.hang_up()
        self.peer.respond(called.connection, called.expect("BYE"), 200)
        record = self.server.records()[0]
        self.assertEqual(record["outcome"], "answered", record)
        self.assertEqual(record["caller_number"], "511", record)
        self.assertIn(JANE, str(record["legs"]))

    def test_183_alone_and_after_180(self):
        calling, called = self.bob_calls()
        called.ring("one")
        called.progress("one")
        calling.expect(180)
        called.answer("one")
        calling.answered()
        called.hang_up()
        self.peer.respond(calling.connection, calling.expect("BYE"), 200)

    def test_who_gives_up_is_missed_and_who_is_late_is_not(self):
        calling, called = self.bob_calls()
        called.ring()
        calling.expect(180)
        calling.cancel()
        calling.expect(200)
        cancel = called.expect("CANCEL")
        self.assertNotIn("cause=200", cancel.get("Reason"))
        called.respond(called.invite, 487)
        called.expect("ACK")
        calling.ack_refusal(calling.expect(487))

    def test_answered_on_another_device(self):
        second = self.server.device(DAVE, "teams")
        first = self.server.api.get(f"devices?q={JANE.replace('+', '%2B')}")["items"][0]
        self.server.plan(self.users["jane"], [(first, 0, 20), (second, 0, 20)])
        try:
            calling = self.peer.call("+510", BOB)
            legs = {user_of(call.invite.uri): call for call in (self.peer.next_call(), self.peer.next_call())}
            legs[JANE].ring()
            legs[DAVE].ring()
            legs[DAVE].answer()
            cancel = legs[JANE].expect("CANCEL")
            self.assertEqual(cancel.get("Reason"), 'SIP;cause=200;text="Call completed elsewhere"')
            legs[JANE].respond(legs[JANE].invite, 487)
            legs[JANE].expect("ACK")
            calling.answered()
            calling.hang_up()
            self.peer.respond(legs[DAVE].connection, legs[DAVE].expect("BYE"), 200)
        finally:
            self.server.plan(self.users["jane"], [(first, 0, 20)])
            self.server.quiet()
            self.server.api.delete(f"devices/{second['id']}")

    def test_hold_by_re_invite(self):
        calling, called = self.talk()
        held = srtp_sdp(self.peer.host, direction="inactive")
        called.ask("INVITE", held, ["X-MS-Media: hold"])
        invite = calling.expect("INVITE")
        self.assertEqual(invite.body, held)
        self.assertEqual(host_of(invite.contact_uri), SBC)
        calling.respond(invite, 200, srtp_sdp(self.peer.host, direction="inactive", offer=False))
        calling.expect("ACK")
        answer = called.expect(200)
        called._send("ACK", called.target, cseq=answer.cseq)
        calling.hang_up()
        self.peer.respond(called.connection, called.expect("BYE"), 200)

    def test_refer_is_carried_out_and_told_of(self):
        """The one who is to be called has no phone here: the call goes on as it was."""
        calling, called = self.talk()
        called.refer("+513")
        self.assertEqual(called.expect(404).status, 404)
        called.refer("+510")  # who refers is called himself, and his own device is busy with this
        answer = called.expect(202, 486, 404)
        self.assertEqual(answer.status, 202)
        while "200" not in (notify := called.expect("NOTIFY")).body.decode() and "terminated" not in notify.get("Subscription-State"):
            self.peer.respond(called.connection, notify, 200)
        self.peer.respond(called.connection, notify, 200)
        self.assertIn("message/sipfrag", notify.get("Content-Type"))
        calling.hang_up()
        self.peer.respond(called.connection, called.expect("BYE"), 200)

    def test_invite_with_replaces(self):
        """Another client of Jane's takes her place."""
        calling, called = self.talk()
        invite = called.invite
        replaces = f"Replaces: {invite.get('Call-ID')};to-tag={invite.from_tag};from-tag={called.tag}"
        other = self.peer.call("+511", JANE, srtp_sdp(self.peer.host, 49190), [replaces])
        moved = calling.expect("INVITE")
        self.assertIn(b"m=audio 49190 RTP/SAVP", moved.body)
        calling.respond(moved, 200, srtp_sdp(self.peer.host, offer=False))
        calling.expect("ACK")
        self.assertEqual(other.answered().status, 200)
        self.peer.respond(called.connection, called.expect("BYE"), 200)
        calling.hang_up()
        self.peer.respond(other.connection, other.expect("BYE"), 200)

    def test_connections_that_ended_are_made_again(self):
        """Microsoft ends idle ones. Requests go to where it listens, under the name that its certificate has."""
        calling, called = self.talk()
        self.peer.drop()
        self.end_calls()
        for call in calling, called:
            bye = call.expect("BYE")
            self.peer.respond(call.connection, bye, 200)

    def test_an_unknown_caller_gets_no_rights(self):
        calling = self.peer.call("+441632960999", "+441632960555")
        calling.ack_refusal(calling.expect(404))

    def test_a_phone_needs_the_media_relay(self):
        device = self.server.device("900")
        user = self.server.user("dave", "514", [(device, 0, 20)])
        phone = Agent(self.server.sip, user="900", password=device["sip_password"])
        self.addCleanup(phone.close)
        phone.register()
        phone.invite("510")
        refused = phone.expect(488)
        phone.ack_refusal(refused, phone.invite_uri)
        self.assertIn("media relay", refused.get("Warning"))


class Failover(WithTeams):
    def tearDown(self):
        wait_for(lambda: self.services() == ["in_service"] * 3, 30, "three targets in service")
        super().tearDown()

    def test_a_busy_region_leads_to_the_next(self):
        calling = self.peer.call("+510", BOB)
        first = self.peer.next_call()
        first.refuse(503, ["Retry-After: 1"])
        second = self.peers[1].next_call()
        self.assertEqual(host_of(second.invite.uri), HOSTS[0])
        second.answer()
        calling.answered()
        calling.hang_up()
        self.peers[1].respond(second.connection, second.expect("BYE"), 200)
        self.server.quiet()
        wait_for(lambda: self.region_called() is self.peer, 5, "the first region to be asked again")

    def region_called(self):
        """Which of the peers a call goes to; it is refused."""
        calling = self.peer.call("+510", BOB)
        place = wait_for(lambda: next((peer for peer in self.peers if not peer.calls.empty()), None), 5, "a call")
        place.next_call().refuse(486)
        calling.ack_refusal(calling.expect(486))
        return place

    def test_a_silent_region_leads_to_the_next(self):
        connection = self.peer.connect()
        self.peer.calls_are_lost = True
        try:
            calling = Call(self.peer, connection)
            calling.call("+510", BOB)
            second = self.peers[1].next_call()
        except AssertionError as error:
            heard = [message.start for message in calling.messages.queue]
            raise AssertionError(f"{error}; the caller heard {heard}, the third region {self.peers[2].calls.qsize()} calls") from None
        finally:
            self.peer.calls_are_lost = False
        second.answer()
        calling.answered()
        calling.hang_up()
        self.peers[1].respond(second.connection, second.expect("BYE"), 200)

    def test_who_has_rung_is_not_left(self):
        calling = self.peer.call("+510", BOB)
        first = self.peer.next_call()
        first.ring()
        calling.expect(180)
        first.refuse(503)
        calling.ack_refusal(calling.expect(480, 486))
        self.assertTrue(self.peers[1].calls.empty())


class Strangers(WithTeams):
    """Who may call over the trunk, and what we ask of them."""

    def test_a_certificate_that_does_not_name_the_host(self):
        other = Shared.authority.issue("elsewhere", "DNS:sip.pstnhub.example.net", purposes="serverAuth")
        self.peers[2].close()
        wrong = TeamsPeer(Shared.authority, PLACES[2], self.port, SBC, self.sbc_port, certificate=other)
        try:
            wait_for(lambda: self.services()[2] == "out_of_service", 20, "the third target to be out of service")
            wait_for(lambda: "sip_tls_failed" in self.server.output(), 20, "the certificate to be refused")
            self.assertEqual(wrong.options, [])
            self.refused(wrong.client_side, wrong)
        finally:
            wrong.close()
            type(self).peers[2] = TeamsPeer(Shared.authority, PLACES[2], self.port, SBC, self.sbc_port)
            self.addClassCleanup(self.peers[2].close)
            wait_for(lambda: self.services()[2] == "in_service", 30, "the third target to be in service")

    def refused(self, context, peer=None):
        """A call over a connection with this certificate, or with none, is not taken."""
        peer = peer or self.peer
        try:
            call = Call(peer, peer.connect(context))
            call.call("+510", BOB)
        except (OSError, ssl.SSLError):
            return
        with self.assertRaisesRegex(AssertionError, "no .* came"):
            call.expect(180, 200, 401, 403, 404, 486, 488, seconds=1)

    def test_who_shows_no_certificate(self):
        self.refused(ssl.create_default_context(cafile=Shared.authority.path))
        self.refused(self.trusted_by_nobody())
        self.assertEqual(self.server.api.get("calls")["items"], [])

    def trusted_by_nobody(self):
        folder = tempfile.mkdtemp(prefix="carillon-certificates-")
        self.addCleanup(shutil.rmtree, folder)
        forged = Authority(folder).issue("forged", f"DNS:{HOSTS[0]}")
        context = ssl.create_default_context(cafile=Shared.authority.path)
        context.load_cert_chain(forged)
        return context

    def test_without_tls_nobody_is_teams(self):
        agent = Agent(self.server.sip, PLACES[0], "tcp", BOB)
        self.addCleanup(agent.close)
        agent.send(agent.request("INVITE", f"sip:+510@{SBC}", srtp_sdp("127.0.0.1")))
        self.assertEqual(agent.expect(401, 403, 404, 180).status, 401)

    def test_a_name_that_our_certificate_has_not(self):
        path = f"trunks/{self.trunk['id']}"
        self.server.api.patch(path, {"own_host": "other.example.com"})
        try:
            calling = self.peer.call("+510", BOB)
            calling.ack_refusal(calling.expect(403, 480, 500, 503))
            self.assertTrue(any(status == 403 and "other.example.com" in why for status, why in self.peer.refused), self.peer.refused)
        finally:
            self.server.api.patch(path, {"own_host": SBC})


class ThePeer(unittest.TestCase):
    """The peer refuses what Microsoft refuses; otherwise the tests above would prove little."""

    def raw(self, **change):
        """An INVITE over a connection with our certificate, wrong in one way."""
        peer = TeamsPeer(Shared.authority, "127.0.0.54", free_port("127.0.0.54"), SBC, 0)
        self.addCleanup(peer.close)
        if not change.pop("unasked", False):
            peer.options.append(None)
        words = {"contact": f"<sip:{SBC}:5061;transport=tls>", "number": JANE, "caller": BOB, "extra": "",
                 "certificate": Shared.certificate, "body": srtp_sdp("127.0.0.1"), "from_host": SBC, **change}
        context = ssl.create_default_context(cafile=Shared.authority.path)
        context.load_cert_chain(words["certificate"])
        agent = Agent.__new__(Agent)
        agent.socket = context.wrap_socket(socket.create_connection((peer.host, peer.port)), server_hostname=HOSTS[0])
        agent.transport, agent.buffer, agent.received, agent.user = "tls", b"", [], "raw"
        self.addCleanup(agent.close)
        agent.send("\r\n".join([
            f"INVITE sip:{words['number']}@{HOSTS[0]} SIP/2.0", f"Via: SIP/2.0/TLS 127.0.0.1;branch={Agent.new_branch()}",
            "Max-Forwards: 70", f"From: <sip:{words['caller']}@{words['from_host']}>;tag=1", f"To: <sip:{words['number']}@{SBC}>",
            f"Call-ID: {os.urandom(4).hex()}", "CSeq: 1 INVITE", f"Contact: {words['contact']}", *filter(None, [words["extra"]]),
            "Content-Type: application/sdp", f"Content-Length: {len(words['body'])}", "", ""]).encode() + words["body"])
        return agent.expect(100, 400, 403, 488).status

    def test_takes_what_is_right(self):
        self.assertEqual(self.raw(), 100)
        wild = Shared.authority.issue("wild", "DNS:*.example.com")
        self.assertEqual(self.raw(certificate=wild), 100)

    def test_refuses_what_is_wrong(self):
        other = Shared.authority.issue("other", "DNS:other.example.com")
        for status, change in ((403, {"contact": "<sip:192.0.2.1:5061;transport=tls>"}), (403, {"contact": f"<sips:{SBC}>"}),
                               (403, {"certificate": other}), (403, {"unasked": True}), (403, {"from_host": "192.0.2.1"}),
                               (403, {"extra": "Record-Route: <sip:192.0.2.1;lr>"}), (403, {"extra": "Replaces: 1;to-tag=2;from-tag=3"}),
                               (400, {"number": JANE[1:]}), (400, {"caller": "511"}), (488, {"body": sdp("127.0.0.1")})):
            with self.subTest(**{name: str(value)[:40] for name, value in change.items()}):
                self.assertEqual(self.raw(**change), status)


if __name__ == "__main__":
    unittest.main()

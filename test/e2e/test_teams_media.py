#!/usr/bin/env python3
"""A phone and MS Teams: what each is offered and answered by way of rtpengine, Debian's media relay, where Teams takes SRTP alone."""

import re
import unittest
from urllib.parse import quote

import test_teams
from agents import wait_for
from relay import Relay, installed
from srtp import derived
from teams_peer import KEY, SUITE, host_of, srtp_sdp, user_of
from test_teams import BOB, JANE, SBC, WithTeams
from voice import SecureVoice, VoiceAgent, exchange, place_of

setUpModule = test_teams.setUpModule


class Keys(unittest.TestCase):
    def test_session_keys(self):
        """RFC 3711 appendix B.3: ours are made as theirs."""
        key, salt = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139"), bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
        self.assertEqual(derived(key, salt, 0, 16).hex(), "c61e7a93744f39ee10734afe3ff7a087")
        self.assertEqual(derived(key, salt, 2, 14).hex(), "30cbbc08863d8c85d49db34a9ae1")


class WithRelay(WithTeams):
    @classmethod
    def setUpClass(cls):
        relay = Relay()
        cls.addClassCleanup(relay.close)
        cls.settings = relay.settings
        super().setUpClass()
        wait_for(lambda: cls.server.api.get("status")["media_relays"][0]["up"], 10, "the relay to be up")

    @classmethod
    def phone_of(cls, name, extension, number):
        device = cls.server.device(number)
        cls.server.user(name, extension, [(device, 0, 20)], toll_class=0)
        phone = VoiceAgent(cls.server.sip, user=number, password=device["sip_password"])
        cls.addClassCleanup(phone.close)
        assert phone.register().status == 200
        return phone

    def is_plain(self, body):
        text = body.decode()
        self.assertRegex(text, r"(?m)^m=audio \d+ RTP/AVP ")
        for line in "a=crypto", "a=fingerprint", "a=candidate":
            self.assertNotIn(line, text)

    def is_srtp(self, body):
        text = body.decode()
        self.assertRegex(text, r"(?m)^m=audio \d+ RTP/SAVP ")
        self.assertEqual(re.findall(r"(?m)^a=crypto:\d+ (\S+) inline:[A-Za-z0-9+/=]{40}", text), [SUITE], text)
        for line in "a=fingerprint", "a=candidate":
            self.assertNotIn(line, text)


@unittest.skipUnless(installed(), "rtpengine is not installed")
class PhoneAndTeams(WithRelay):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.phone = cls.phone_of("dave", "514", "900")

    def test_a_phone_calls_a_user_of_teams(self):
        self.phone.invite("510")
        called = self.peer.next_call()
        self.assertEqual((user_of(called.invite.uri), called.invite.get("From").partition("@")[0]), (JANE, '"Dave" <sip:+514'))
        self.is_srtp(called.invite.body)
        called.ring("one")
        called.ring("two")
        self.phone.expect(180)
        called.answer("two")
        answer = self.phone.expect(200)
        self.is_plain(answer.body)
        self.phone.within(answer, "ACK", cseq=self.phone.cseq)
        # Held by Teams, and taken back.
        for direction in "inactive", "sendrecv":
            called.ask("INVITE", srtp_sdp(self.peer.host, direction=direction))
            held = self.phone.expect("INVITE")
            self.is_plain(held.body)
            self.phone.respond(held, 200, answer.body)
            self.phone.expect("ACK")
            again = called.expect(200)
            self.is_srtp(again.body)
            called._send("ACK", called.target, cseq=again.cseq)
        called.hang_up()
        self.phone.respond(self.phone.expect("BYE"), 200)

    def test_a_user_of_teams_calls_a_phone(self):
        calling = self.peer.call("+514", BOB)
        invite = self.phone.expect("INVITE")
        self.is_plain(invite.body)
        self.assertIn("<sip:511@", invite.get("From"))
        self.phone.respond(invite, 180)
        self.phone.respond(invite, 200, b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                           b"m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n")
        self.phone.expect("ACK")
        self.is_srtp(calling.answered().body)
        calling.hang_up()
        self.phone.respond(self.phone.expect("BYE"), 200)

    def test_refer_to_a_phone(self):
        """Bob talks with Jane, both in Teams, and she sends him on to Dave's phone."""
        calling, called = self.talk()
        called.refer("+514")
        called.expect(202)
        invite = self.phone.expect("INVITE")
        self.assertEqual(invite.body, b"")
        self.phone.respond(invite, 200, b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                           b"m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n")
        moved = calling.expect("INVITE")
        self.is_srtp(moved.body)
        calling.respond(moved, 200, srtp_sdp(self.peer.host, offer=False))
        calling.expect("ACK")
        self.is_plain(self.phone.expect("ACK").body)
        while (message := called.expect("NOTIFY", "BYE")).method != "BYE":
            self.peer.respond(called.connection, message, 200)
        self.peer.respond(called.connection, message, 200)
        calling.hang_up()
        self.phone.respond(self.phone.expect("BYE"), 200)


@unittest.skipUnless(installed(), "rtpengine is not installed")
class ToTeams(WithRelay):
    """Dave and Eve talk from plain phones, and she sends him on to Jane, who is in Teams: with the voices of all three."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dave, cls.eve = cls.phone_of("dave", "514", "900"), cls.phone_of("eve", "515", "901")

    def setUp(self):
        super().setUp()
        self.jane = SecureVoice(self.peer.host, KEY)
        self.addCleanup(self.jane.close)
        for phone in self.dave, self.eve:
            phone.call_id, phone.tag, phone.cseq = f"{phone.user}-{self.id()}", f"t{phone.new_branch()}", 0

    def jane_sdp(self):
        return srtp_sdp(self.peer.host, self.jane.voice_port, offer=False, codec="0")

    def hear_each_other(self, one, other):
        self.assertGreater(min(exchange(one, other)), 25)

    def dave_calls_eve(self):
        self.dave.invite("515", self.dave.sdp())
        self.invite = self.eve.expect("INVITE")
        self.eve.respond(self.invite, 200, self.eve.sdp())
        self.eve.expect("ACK")
        self.answered = self.dave.expect(200)
        self.dave.within(self.answered, "ACK", cseq=self.dave.cseq)
        self.dave.place, self.eve.place = place_of(self.answered.body), place_of(self.invite.body)
        self.hear_each_other(self.dave, self.eve)

    def comes_to_jane(self, extension, name):
        """What Teams is strict about, and what it is told."""
        call = self.peer.next_call()
        invite = call.invite
        self.is_srtp(invite.body)
        self.assertEqual((user_of(invite.uri), host_of(invite.uri), host_of(invite.contact_uri)), (JANE, test_teams.HOSTS[0], SBC))
        self.assertIn(";user=phone", invite.uri)
        self.assertEqual(invite.get("From").partition(";")[0], f'"{name}" <sip:+{extension}@{SBC}>')
        self.assertTrue(invite.get("X-MS-SBC").startswith("Carillon/"))
        for absent in "Record-Route", "Replaces", "Referred-By":
            self.assertEqual(invite.all(absent), [], invite.text())
        return call

    def notified(self, fragment):
        notify = self.eve.expect("NOTIFY")
        self.assertEqual(notify.body.decode(), f"SIP/2.0 {fragment}\r\n")
        self.eve.respond(notify, 200)

    def joined(self, called):
        """Dave is asked for his offer; Jane gets it by way of the relay, and he what she answers."""
        asked = self.dave.expect("INVITE")
        self.assertEqual(asked.body, b"")
        self.dave.respond(asked, 200, self.dave.sdp())
        offered = called.expect("INVITE")
        self.is_srtp(offered.body)
        self.assertEqual(host_of(offered.contact_uri), SBC)
        self.jane.meets(offered.body)
        called.respond(offered, 200, self.jane_sdp())
        called.expect("ACK")
        acknowledged = self.dave.expect("ACK")
        self.is_plain(acknowledged.body)
        self.dave.place = place_of(acknowledged.body)
        self.hear_each_other(self.dave, self.jane)

    def over(self, called):
        """Jane hangs up."""
        called.hang_up()
        self.dave.respond(self.dave.expect("BYE"), 200)
        record = wait_for(lambda: next((each for each in self.server.records() if each["transferred_by"] == "515 Eve"), None), 10,
                          "the record of the call that was transferred")
        self.assertEqual((record["dialled"], record["outcome"], record["caller_number"], record["ended_by"]),
                         ("510", "answered", "514", "callee"))
        leg = next(each for each in self.server.record(record["id"])["legs"] if each["outcome"] == "answered")
        self.assertEqual((leg["kind"], leg["anchor_reason"]), ("teams", "teams"))

    def test_blind(self):
        self.dave_calls_eve()
        self.eve.within_theirs(self.invite, "REFER", extra=[f"Refer-To: <sip:510@{self.eve.remote}>"])
        self.eve.expect(202)
        self.notified("100 Trying")
        called = self.comes_to_jane("514", "Dave")
        called.ring()
        self.notified("180 Ringing")
        called.answer(body=self.jane_sdp())
        self.notified("200 OK")
        self.eve.respond(self.eve.expect("BYE"), 200)
        self.joined(called)
        self.over(called)

    def refers_to_her_call(self, answer):
        replaces = quote(f"{self.eve.call_id};to-tag={answer.to_tag};from-tag={self.eve.tag}", safe="")
        self.eve.within_theirs(self.invite, "REFER", extra=[f"Refer-To: <sip:510@{self.eve.remote}?Replaces={replaces}>"])
        self.eve.expect(202)
        self.notified("100 Trying")
        self.notified("200 OK")

    def test_attended_while_she_rings(self):
        self.dave_calls_eve()
        self.eve.invite("510", self.eve.sdp())
        called = self.comes_to_jane("515", "Eve")
        called.ring()
        self.refers_to_her_call(self.eve.expect(180))
        first, second = self.eve.expect("BYE", 487), self.eve.expect("BYE", 487)
        bye, refusal = (first, second) if first.method else (second, first)
        self.eve.respond(bye, 200)
        self.eve.ack_refusal(refusal, self.eve.invite_uri)
        called.answer(body=self.jane_sdp())
        self.joined(called)
        self.over(called)

    def test_attended(self):
        self.dave_calls_eve()
        self.eve.invite("510", self.eve.sdp())
        called = self.comes_to_jane("515", "Eve")
        self.jane.meets(called.invite.body)
        called.ring()
        self.eve.expect(180)
        called.answer(body=self.jane_sdp())
        consulted = self.eve.expect(200)
        self.is_plain(consulted.body)
        self.eve.within(consulted, "ACK", cseq=self.eve.cseq)
        self.eve.place = place_of(consulted.body)
        self.hear_each_other(self.eve, self.jane)
        self.refers_to_her_call(consulted)
        byes = [self.eve.expect("BYE"), self.eve.expect("BYE")]
        self.assertEqual({bye.get("Call-ID") for bye in byes}, {self.invite.get("Call-ID"), self.eve.call_id})
        for bye in byes:
            self.eve.respond(bye, 200)
        self.joined(called)
        self.over(called)


if __name__ == "__main__":
    unittest.main()

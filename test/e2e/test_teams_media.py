#!/usr/bin/env python3
"""A phone and MS Teams: what each is offered and answered by way of rtpengine, Debian's media relay, where Teams takes SRTP alone."""

import re
import unittest

import test_teams
from agents import wait_for
from relay import Relay, installed
from teams_peer import SUITE, srtp_sdp, user_of
from test_teams import BOB, JANE, WithTeams
from wire import Agent

setUpModule = test_teams.setUpModule


@unittest.skipUnless(installed(), "rtpengine is not installed")
class PhoneAndTeams(WithTeams):
    @classmethod
    def setUpClass(cls):
        relay = Relay()
        cls.addClassCleanup(relay.close)
        cls.settings = relay.settings
        super().setUpClass()
        wait_for(lambda: cls.server.api.get("status")["media_relays"][0]["up"], 10, "the relay to be up")
        device = cls.server.device("900")
        cls.server.user("dave", "514", [(device, 0, 20)], toll_class=0)
        cls.phone = Agent(cls.server.sip, user="900", password=device["sip_password"])
        cls.addClassCleanup(cls.phone.close)
        assert cls.phone.register().status == 200

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


if __name__ == "__main__":
    unittest.main()

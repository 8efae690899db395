#!/usr/bin/env python3
"""What happens in dialogs, each side for itself, read byte by byte at both ends: reliable provisional answers (RFC 3262), session
timers (RFC 4028), UPDATE, glare, redirections, several early dialogs."""

import unittest

from agents import wait_for
from server import timeline
from test_calls import Calls as CallsBase
from test_sipp import SippCalls as SippBase, received
from wire import sdp

RELIABLY = ("Require: 100rel", "RSeq: 7")
TIMER = ("Supported: timer", "Allow: INVITE, ACK, BYE, CANCEL, UPDATE")


class Dialogs(CallsBase):
    def ring(self, extra=(), callee_fields=None):
        """A caller with these lines in his INVITE, a phone that he calls, and the INVITE it got."""
        caller, phone = self.caller(), self.phone()
        jane = self.somebody([phone], **(callee_fields or {}))
        caller.invite(jane["extension"], extra=extra)
        return caller, phone, phone.expect("INVITE"), jane

    def record(self, jane):
        def found():
            return [record for record in self.server.records(0) if record["dialled"] == jane["extension"]]

        return self.server.record(wait_for(found, 30, "a record")[0]["id"])

    def test_prack_on_both_sides(self):
        caller, phone, invite, _ = self.ring(["Supported: 100rel"])
        self.assertIn("100rel", invite.all("Supported"))
        phone.respond(invite, 183, sdp(phone.host, 41000), RELIABLY)
        prack = phone.expect("PRACK")
        self.assertEqual((prack.get("RAck"), prack.cseq), ("7 1 INVITE", 2))
        phone.respond(prack, 200)
        early = caller.expect(183)
        self.assertEqual(early.get("Require"), "100rel")
        self.assertEqual(early.body, sdp(phone.host, 41000))
        self.assertEqual(caller.expect(183).data, early.data)  # until the PRACK
        phone.respond(invite, 200)  # its answer was in the 183
        self.assertEqual(phone.expect("ACK").cseq, 1)
        rseq = early.get("RSeq")
        caller.within(early, "PRACK", extra=[f"RAck: {int(rseq) + 1} {caller.cseq} INVITE"])
        self.assertEqual(caller.expect(481, 183).status in (481, 183), True)
        invited = caller.cseq - 1
        caller.within(early, "PRACK", extra=[f"RAck: {rseq} {invited} INVITE"])
        while True:
            answer = caller.expect(200, 183, 481)
            if answer.status == 200:
                break
        self.assertEqual(answer.cseq_method, "PRACK")  # and then only
        answered = caller.expect(200)
        self.assertEqual(answered.cseq, invited)
        self.assertEqual(answered.body, sdp(phone.host, 41000))
        caller.within(answered, "ACK", cseq=invited)
        self.bye(caller, answered, phone)

    def test_update_before_the_answer(self):
        caller, phone, invite, _ = self.ring(["Supported: 100rel"])
        phone.respond(invite, 183, sdp(phone.host, 41000), RELIABLY)
        phone.respond(phone.expect("PRACK"), 200)
        early = caller.expect(183)
        invited = caller.cseq
        caller.within(early, "PRACK", extra=[f"RAck: {early.get('RSeq')} {invited} INVITE"])
        self.assertEqual(caller.expect(200).cseq_method, "PRACK")
        caller.within(early, "UPDATE", sdp(caller.host, 42000))
        update = phone.expect("UPDATE")
        self.assertEqual(update.body, sdp(caller.host, 42000))
        phone.respond(update, 200, sdp(phone.host, 43000))
        self.assertEqual(caller.expect(200).body, sdp(phone.host, 43000))
        phone.respond(invite, 486)
        caller.ack_refusal(caller.expect(486), caller.invite_uri)

    def test_several_early_dialogs(self):
        caller, phone, invite, jane = self.ring()
        phone.respond(invite, 180, tag="one")
        caller.expect(180)
        phone.respond(invite, 183, sdp(phone.host, 41000), RELIABLY, tag="two")
        prack = phone.expect("PRACK")
        self.assertTrue(prack.get("To").endswith(";tag=two"))
        phone.respond(prack, 200)
        phone.respond(invite, 180, extra=("Require: 100rel", "RSeq: 1"), tag="three")
        prack = phone.expect("PRACK")
        self.assertTrue(prack.get("To").endswith(";tag=three"))
        self.assertEqual(prack.cseq, 2)  # each dialog counts for itself
        phone.respond(prack, 200)
        phone.respond(invite, 199, tag="two")
        phone.respond(invite, 200, sdp(phone.host, 41000), tag="one")
        while True:
            answered = caller.expect(180, 183, 200)
            if answered.status == 200:
                break
        ack = phone.expect("ACK")
        self.assertTrue(ack.get("To").endswith(";tag=one"))
        caller.within(answered, "ACK", cseq=caller.cseq)
        self.bye(caller, answered, phone)

    def test_422_both_ways(self):
        caller = self.caller()
        phone = self.phone()
        jane = self.somebody([phone])
        caller.invite(jane["extension"], extra=["Supported: timer", "Session-Expires: 60"])
        refused = caller.expect(422)
        self.assertEqual(refused.get("Min-SE"), "90")
        caller.ack_refusal(refused, caller.invite_uri)
        caller.invite(jane["extension"])
        invite = phone.expect("INVITE")
        self.assertEqual(invite.get("Session-Expires"), "1800")
        phone.respond(invite, 422, extra=["Min-SE: 3600"])
        self.assertEqual(phone.expect("ACK").cseq, 1)
        again = phone.expect("INVITE")
        self.assertEqual((again.get("Session-Expires"), again.get("Min-SE"), again.cseq), ("3600", "3600", 2))
        self.assertEqual(again.body, invite.body)
        self.bye(caller, self.talk(caller, again, phone), phone)

    def test_session_timers(self):
        """One phone is refreshed after 45 s; one that was to refresh, and does not, is hung up on after 60 s."""
        caller, phone, invite, jane = self.ring([*TIMER, "Session-Expires: 90;refresher=uac"])
        phone.respond(invite, 200, sdp(phone.host, 41000), [*TIMER, "Session-Expires: 90;refresher=uac"])
        answered = caller.expect(200)
        self.assertEqual((answered.get("Session-Expires"), answered.get("Require")), ("90;refresher=uac", "timer"))
        caller.within(answered, "ACK", cseq=caller.cseq)
        phone.expect("ACK")
        update = phone.expect("UPDATE", seconds=60)
        self.assertEqual((update.get("Session-Expires"), update.body), ("90;refresher=uac", b""))
        phone.respond(update, 200, extra=["Session-Expires: 90;refresher=uac"])
        bye = caller.expect("BYE", seconds=60)
        self.assertEqual(bye.get("Reason"), 'SIP;cause=408;text="Session timer expired"')
        caller.respond(bye, 200)
        phone.respond(phone.expect("BYE"), 200)
        record = self.record(jane)
        self.assertEqual((record["outcome"], record["ended_by"]), ("answered", "server"), timeline(record))
        self.assertIn("session_expired", str(record))

    def test_glare(self):
        caller, phone, invite, _ = self.ring()
        answered = self.talk(caller, invite, phone)
        caller.within(answered, "INVITE", sdp(caller.host, 42000))
        again = phone.expect("INVITE")
        phone.within_theirs(invite, "INVITE", sdp(phone.host, 43000))
        refused = phone.expect(491)
        phone.ack_refusal(refused, invite.contact_uri)
        phone.respond(again, 491)
        phone.expect("ACK")
        self.assertEqual(caller.expect(491).status, 491)
        self.bye(caller, answered, phone)

    def test_redirection(self):
        caller, phone, other = self.caller(), self.phone(), self.phone()
        jane, ann = self.somebody([phone]), self.somebody([other])
        caller.invite(jane["extension"])
        invite = phone.expect("INVITE")
        lines = [f"Contact: <sip:0044999@203.0.113.9>, <sip:{ann['extension']}@{self.server.sip}>"]
        phone.send(phone_answer(phone, invite, "302 Moved Temporarily", lines))
        phone.expect("ACK")
        answered = self.talk(caller, other.expect("INVITE"), other)
        self.bye(caller, answered, other)
        record = self.record(jane)
        self.assertEqual([leg["outcome"] for leg in record["legs"]], ["failed", "answered"], timeline(record))
        self.assertIn(f"redirected to {ann['extension']}", str(record["legs"][0]))


def phone_answer(phone, request, status, lines):
    """A final answer with a Contact of its own."""
    return "\r\n".join([f"SIP/2.0 {status}", *(f"Via: {via}" for via in request.all("Via")), f"From: {request.get('From')}",
                        f"To: {request.get('To')};tag={phone.tag}", f"Call-ID: {request.get('Call-ID')}",
                        f"CSeq: {request.get('CSeq')}", *lines, "Content-Length: 0", "", ""]).encode()


class SippDialogs(SippBase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        SippBase.number = 500

    def call_reliably(self, phone):
        device = self.server.device(str(SippBase.number + 1))
        jane = self.server.user(f"user{SippBase.number + 2}", str(SippBase.number + 2), [(phone.device, 0, 20)])
        self.server.user(f"user{SippBase.number + 3}", str(SippBase.number + 3), [(device, 0, 20)])
        SippBase.number += 3
        caller = self.scenario("call_reliably", remote=self.server.sip, keys=(
            ("user", device["number"]), ("dialled", jane["extension"])),
            extra=["-d", "300", "-au", device["number"], "-ap", device["sip_password"], "-auth_uri",
                   f"{jane['extension']}@{self.server.sip}"])
        for sipp in (caller, phone):
            self.assertEqual(sipp.wait(30), 0, f"{sipp.name}: {sipp.errors()}\n{sipp.messages()[-6000:]}")
        return caller

    def test_prack_by_sipp(self):
        phone = self.phone("phone_answers_reliably", ring_ms=300)
        caller = self.call_reliably(phone)
        accepted = [m for m in received(caller) if m.status == 200 and m.cseq_method == "INVITE"]
        self.assertIn(b"s=phone", accepted[0].body)
        self.assertEqual(sum(m.method == "PRACK" for m in received(phone)), 1)


def load_tests(loader, _tests, _pattern):
    """The tests of this file alone; what they are made from has its own."""
    suite = unittest.TestSuite()
    for case in (Dialogs, SippDialogs):
        for name in loader.getTestCaseNames(case):
            if name in case.__dict__:
                suite.addTest(case(name))
    return suite


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Calls over UDP and TCP, read byte by byte at both ends."""

import re
import time
import unittest

from agents import wait_for
from server import Server, timeline
from wire import Agent, sdp

REASON_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


class Calls(unittest.TestCase):
    """Each test has users of its own; the server is shared."""

    transport = "udp"
    next = 200  # the last number given away, in all classes

    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.agents = []

    def tearDown(self):
        for agent in self.agents:
            agent.close()
        self.server.quiet(45)

    def phone(self, host="127.0.0.1", transport=None, **fields):
        """A registered phone and its device."""
        Calls.next += 1
        device = self.server.device(str(Calls.next), **fields)
        agent = Agent(self.server.sip, host, transport or self.transport, device["number"], device["sip_password"])
        self.agents.append(agent)
        self.assertEqual(agent.register().status, 200)
        agent.device = device
        return agent

    def somebody(self, phones, strategy="at_once", plan=None, **fields):
        """A user behind these phones; gives the user with the extension as a string."""
        Calls.next += 1
        turns = [(phone.device, start, ring) for phone, (start, ring) in zip(phones, plan or [(0, 20)] * len(phones))]
        return self.server.user(f"user{Calls.next}", str(Calls.next), turns, strategy, **fields)

    def caller(self):
        phone = self.phone(title="secret device title")
        phone.owner = self.somebody([phone])
        return phone

    def hidden(self, messages, *agents):
        """Nothing of these agents may show in the messages: neither number nor address."""
        for message in messages:
            head = message.data[:len(message.data) - len(message.body)].decode()
            for agent in agents:
                self.assertNotIn(agent.address, head)
                self.assertNotIn(f":{agent.device['number']}@", head)
                self.assertNotIn("secret device title", head)

    def talk(self, caller, callee_invite, callee):
        """Answers, and sees both ends through to the ACK; gives the caller's 200."""
        callee.respond(callee_invite, 200, sdp(callee.host, 41000))
        answered = caller.expect(180, 200)
        if answered.status == 180:
            answered = caller.expect(200)
        self.assertEqual(answered.body, sdp(callee.host, 41000))
        caller.within(answered, "ACK", cseq=caller.cseq)
        self.assertEqual(callee.expect("ACK").cseq, callee_invite.cseq)
        return answered

    def bye(self, caller, answered, callee):
        caller.within(answered, "BYE")
        answer = caller.expect(200)
        while answer.cseq_method == "INVITE":  # said again while its ACK was under way
            answer = caller.expect(200)
        self.assertEqual(answer.cseq_method, "BYE")
        callee.respond(callee.expect("BYE"), 200)

    def record_of(self, user):
        def mine():
            return next((record for record in self.server.records() if record["dialled"] == user["extension"]), None)

        return wait_for(mine, 10, f"the record of a call to {user['extension']}")

    def test_one_device(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        invite = desk.expect("INVITE")
        self.assertEqual(invite.body, sdp(caller.host))
        self.assertIn(f'"{caller.owner["title"]}" <sip:{caller.owner["extension"]}@', invite.get("From"))
        self.assertIn(desk.address, invite.uri)
        desk.respond(invite, 180)
        ringing = caller.expect(180)
        answered = self.talk(caller, invite, desk)
        self.assertEqual(ringing.to_tag, answered.to_tag)
        self.bye(caller, answered, desk)
        self.hidden(desk.received[1:], caller)
        self.hidden(caller.received[3:], desk)
        self.assertNotEqual(invite.get("Call-ID"), caller.call_id)
        record = self.record_of(jane)
        self.assertEqual((record["outcome"], record["ended_by"]), ("answered", "caller"), timeline(record))
        self.assertEqual(record["legs"][0]["outcome"], "answered")
        self.assertEqual(record["caller_number"], caller.owner["extension"])

    def test_callee_hangs_up(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        invite = desk.expect("INVITE")
        self.talk(caller, invite, desk)
        desk.within_theirs(invite, "BYE")
        desk.expect(200)
        caller.respond(caller.expect("BYE"), 200)
        self.assertEqual(self.record_of(jane)["ended_by"], "callee")

    def test_at_once_the_others_are_cancelled(self):
        caller, phones = self.caller(), [self.phone() for _ in range(3)]
        jane = self.somebody(phones)
        caller.invite(jane["extension"])
        invites = [phone.expect("INVITE") for phone in phones]
        for phone, invite in zip(phones, invites):
            phone.respond(invite, 180)
        caller.expect(180)
        answered = self.talk(caller, invites[1], phones[1])
        for phone, invite in ((phones[0], invites[0]), (phones[2], invites[2])):
            cancel = phone.expect("CANCEL")
            self.assertEqual(cancel.all("Reason"), [REASON_ELSEWHERE])
            self.assertEqual((cancel.branch, cancel.cseq, cancel.uri), (invite.branch, invite.cseq, invite.uri))
            phone.respond(cancel, 200)
            phone.respond(invite, 487)
            self.assertEqual(phone.expect("ACK").branch, invite.branch)
        self.bye(caller, answered, phones[1])
        self.assertEqual([m.status for m in caller.received if m.status and m.cseq_method == "INVITE" and m.status > 100],
                         [401, 180, 200], "one 180 to the caller, not three")
        outcomes = sorted(leg["outcome"] for leg in self.record_of(jane)["legs"])
        self.assertEqual(outcomes, ["answered", "answered_elsewhere", "answered_elsewhere"])

    def test_a_crossing_200_gets_ack_then_bye(self):
        caller, desk, mobile = self.caller(), self.phone(), self.phone()
        jane = self.somebody([desk, mobile])
        caller.invite(jane["extension"])
        invites = [desk.expect("INVITE"), mobile.expect("INVITE")]
        desk.respond(invites[0], 180)
        mobile.respond(invites[1], 180)
        caller.expect(180)
        answered = self.talk(caller, invites[0], desk)
        cancel = mobile.expect("CANCEL")
        mobile.respond(invites[1], 200, sdp(mobile.host))
        mobile.respond(cancel, 200)
        self.assertEqual(mobile.receive().method, "ACK")
        bye = mobile.receive()
        self.assertEqual(bye.method, "BYE")
        mobile.respond(bye, 200)
        self.bye(caller, answered, desk)
        legs = {leg["number"]: leg["outcome"] for leg in self.record_of(jane)["legs"]}
        self.assertEqual(legs[mobile.device["number"]], "answered_elsewhere")

    def test_caller_gives_up(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        invite = desk.expect("INVITE")
        desk.respond(invite, 180)
        caller.expect(180)
        caller.cancel()
        statuses = {caller.expect(200, 487).cseq_method, caller.expect(200, 487).cseq_method}
        self.assertEqual(statuses, {"CANCEL", "INVITE"})
        caller.ack_refusal(next(m for m in caller.received if m.status == 487), caller.invite_uri)
        cancel = desk.expect("CANCEL")
        self.assertFalse([reason for reason in cancel.all("Reason") if "cause=200" in reason])
        desk.respond(cancel, 200)
        desk.respond(invite, 487)
        desk.expect("ACK")
        self.assertEqual(self.record_of(jane)["outcome"], "caller_gave_up")

    def test_in_sequence(self):
        caller, desk, mobile = self.caller(), self.phone(), self.phone()
        jane = self.somebody([desk, mobile], "in_sequence", [(0, 2), (0, 2)], unanswered="busy")
        began = time.monotonic()
        caller.invite(jane["extension"])
        first = desk.expect("INVITE")
        desk.respond(first, 180)
        cancel = desk.expect("CANCEL")
        self.assertAlmostEqual(time.monotonic() - began, 2, delta=0.5)
        self.assertFalse([reason for reason in cancel.all("Reason") if "cause=200" in reason])
        desk.respond(cancel, 200)
        desk.respond(first, 487)
        second = mobile.expect("INVITE")
        mobile.respond(second, 180)
        cancel = mobile.expect("CANCEL")
        mobile.respond(cancel, 200)
        mobile.respond(second, 487)
        caller.expect(180)
        refused = caller.expect(486)
        caller.ack_refusal(refused, caller.invite_uri)
        self.assertAlmostEqual(time.monotonic() - began, 4, delta=0.8)
        self.assertEqual([leg["outcome"] for leg in self.record_of(jane)["legs"]], ["timed_out", "timed_out"])

    def test_the_next_turn_starts_early_when_one_is_busy(self):
        caller, desk, mobile = self.caller(), self.phone(), self.phone()
        jane = self.somebody([desk, mobile], "in_sequence", [(0, 20), (0, 20)])
        caller.invite(jane["extension"])
        desk.respond(desk.expect("INVITE"), 486)
        desk.expect("ACK")
        invite = mobile.expect("INVITE", seconds=1)
        mobile.respond(invite, 180)
        answered = self.talk(caller, invite, mobile)
        self.bye(caller, answered, mobile)

    def test_decline_everywhere(self):
        caller, desk, mobile = self.caller(), self.phone(), self.phone()
        jane = self.somebody([desk, mobile])
        caller.invite(jane["extension"])
        invites = [desk.expect("INVITE"), mobile.expect("INVITE")]
        mobile.respond(invites[1], 180)
        desk.respond(invites[0], 603)
        desk.expect("ACK")
        cancel = mobile.expect("CANCEL")
        self.assertIn('SIP;cause=600;text="Busy Everywhere"', cancel.all("Reason"))
        mobile.respond(cancel, 200)
        mobile.respond(invites[1], 487)
        refused = caller.expect(180, 603)
        refused = refused if refused.status == 603 else caller.expect(603)
        caller.ack_refusal(refused, caller.invite_uri)
        legs = {leg["number"]: leg["outcome"] for leg in self.record_of(jane)["legs"]}
        self.assertEqual(legs, {desk.device["number"]: "declined", mobile.device["number"]: "declined_elsewhere"})

    def test_do_not_disturb(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk], do_not_disturb=True)
        caller.invite(jane["extension"])
        caller.ack_refusal(caller.expect(486), caller.invite_uri)
        self.assertIsNone(desk.receive(0.3))

    def test_unknown_extension_and_a_device_number(self):
        caller, desk = self.caller(), self.phone()
        for number in ("99999999", desk.device["number"]):
            caller.invite(number)
            caller.ack_refusal(caller.expect(404), caller.invite_uri)
        self.assertIsNone(desk.receive(0.3))

    def test_hold_and_info_pass_both_ways(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        invite = desk.expect("INVITE")
        answered = self.talk(caller, invite, desk)
        hold = sdp(caller.host, 40000, "sendonly")
        caller.within(answered, "INVITE", hold)
        again = desk.expect("INVITE")
        self.assertEqual((again.body, again.get("Call-ID"), again.cseq), (hold, invite.get("Call-ID"), invite.cseq + 1))
        desk.respond(again, 200, sdp(desk.host, 41000, "recvonly"))
        held = caller.expect(200)
        self.assertEqual(held.body, sdp(desk.host, 41000, "recvonly"))
        caller.within(held, "ACK", cseq=caller.cseq)
        desk.expect("ACK")
        desk.within_theirs(invite, "INFO", b"Signal=5\r\n", ["X-Nothing: 1"])
        info = caller.expect("INFO")
        self.assertEqual(info.body, b"Signal=5\r\n")
        caller.respond(info, 200)
        desk.expect(200)
        self.bye(caller, answered, desk)

    def test_offer_in_the_200(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        caller.invite(jane["extension"], body=b"")
        invite = desk.expect("INVITE")
        self.assertEqual(invite.body, b"")
        desk.respond(invite, 200, sdp(desk.host, 41000))
        answered = caller.expect(200)
        self.assertEqual(answered.body, sdp(desk.host, 41000))
        caller.within(answered, "ACK", sdp(caller.host, 40000), cseq=caller.cseq)
        self.assertEqual(desk.expect("ACK").body, sdp(caller.host, 40000))
        self.bye(caller, answered, desk)

    def test_repeated_200_gets_the_ack_again(self):
        caller, desk = self.caller(), self.phone(transport="udp")
        jane = self.somebody([desk])
        caller.invite(jane["extension"])
        invite = desk.expect("INVITE")
        answered = self.talk(caller, invite, desk)
        desk.respond(invite, 200, sdp(desk.host, 41000))
        self.assertEqual(desk.expect("ACK").data, next(m for m in desk.received if m.method == "ACK").data)
        self.bye(caller, answered, desk)

    def test_unreachable_device(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        desk.register(expires=0)
        caller.invite(jane["extension"])
        refused = caller.expect(486)  # what nobody answers is busy unless the user's setting says otherwise
        caller.ack_refusal(refused, caller.invite_uri)
        self.assertEqual(self.record_of(jane)["legs"][0]["outcome"], "unreachable")

    def test_a_new_password_ends_registrations(self):
        caller, desk = self.caller(), self.phone()
        jane = self.somebody([desk])
        self.server.api.patch(f"devices/{desk.device['id']}", {"title": "Desk"})  # ends nothing
        caller.invite(jane["extension"])
        desk.respond(desk.expect("INVITE"), 486)
        desk.expect("ACK")
        caller.ack_refusal(caller.expect(486), caller.invite_uri)
        desk.password = self.server.api.post(f"devices/{desk.device['id']}/password", {})["sip_password"]
        caller.invite(jane["extension"])
        caller.ack_refusal(caller.expect(486), caller.invite_uri)
        self.assertIsNone(desk.receive(0.3), "nothing rings")
        self.assertEqual(desk.register().status, 200)
        caller.invite(jane["extension"])
        desk.respond(desk.expect("INVITE"), 486)
        caller.ack_refusal(caller.expect(486), caller.invite_uri)


class CallsOverTcp(Calls):
    transport = "tcp"


class Trunk(Calls):
    """The far end of a trunk is a host of its own."""

    def test_one_device(self):
        carrier = Agent(self.server.sip, "127.0.0.9", "udp", "carrier")
        self.agents.append(carrier)
        trunk = self.server.api.post("trunks", {"title": "carrier", "host": "127.0.0.9", "port": carrier.port})
        self.server.api.post("routes", {"pattern": "", "trunk_id": trunk["id"]})
        mobile = self.server.device("01444 123456", "external")
        caller = self.caller()
        jane = self.server.user("jane", "510", [(mobile, 0, 20)], toll_class=1)
        caller.invite("510")
        invite = carrier.expect("INVITE")
        self.assertTrue(invite.uri.startswith("sip:+441444123456@127.0.0.9"), invite.uri)
        carrier.respond(invite, 183, sdp("127.0.0.9"))
        carrier.respond(invite, 180)
        answered = self.talk(caller, invite, carrier)
        self.bye(caller, answered, carrier)
        self.hidden(carrier.received, caller)
        self.assertEqual(self.record_of(jane)["legs"][0]["number"], "01444 123456")

    def test_inbound(self):
        carrier, desk = Agent(self.server.sip, "127.0.0.8", "udp", "+441632960000"), self.phone()
        self.agents.append(carrier)
        self.server.api.post("trunks", {"title": "inbound", "host": "127.0.0.8"})
        jane = self.somebody([desk])
        self.server.api.post("dids", {"number": "01632 960123", "user_id": jane["id"]})
        carrier.send(carrier.request("INVITE", f"sip:+441632960123@{carrier.remote}", sdp("127.0.0.8")))
        invite = desk.expect("INVITE")
        self.assertIn("+441632960000@", invite.get("From"))
        desk.respond(invite, 200, sdp(desk.host, 41000))
        answered = carrier.expect(200)
        carrier.within(answered, "ACK", cseq=carrier.cseq)
        desk.expect("ACK")
        self.bye(carrier, answered, desk)


for name in [name for name in dir(Calls) if name.startswith("test_") and name not in vars(Trunk)]:
    setattr(Trunk, name, None)  # the trunk's class inherits the means, not the tests


class NoCredentials(unittest.TestCase):
    """What works without authentication: nothing."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.device = cls.server.device("300")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def test_unknown_user_and_wrong_password_look_alike(self):
        shapes, times = [], []
        for user, password in (("300", "wrong"), ("999", "wrong")):
            agent = Agent(self.server.sip, user=user, password=password)
            began = time.monotonic()
            answer = agent.register()
            times.append(time.monotonic() - began)
            agent.close()
            text = re.sub(r'nonce="[^"]*"|tag=\w+|branch=\S+|rport=\d+|Call-ID: \S+', "", answer.text())
            shapes.append(text.replace(user, "USER").replace(agent.address, "ADDRESS"))
        self.assertEqual(shapes[0], shapes[1])

    def test_invite_is_challenged_and_leaves_nothing(self):
        agent = Agent(self.server.sip, user="300")
        for _ in range(50):
            agent.send(agent.request("INVITE", f"sip:510@{agent.remote}", sdp(agent.host)))
            self.assertEqual(agent.receive().status, 401)
        agent.close()
        metrics = self.server.api.raw("GET", "/metrics")[2]
        self.assertIn("carillon_sip_sessions 0\n", metrics)

    def test_other_methods(self):
        agent = Agent(self.server.sip, user="300")
        for method, statuses in (("OPTIONS", {200}), ("BYE", {481}), ("UPDATE", {481}), ("INFO", {481}), ("CANCEL", {481}),
                                 ("SUBSCRIBE", {401, 405, 481, 489, 501}), ("MESSAGE", {401, 405, 481}),
                                 ("PUBLISH", {401, 405, 489}), ("REFER", {401, 405, 481}), ("NONSENSE", {405, 501})):
            agent.send(agent.request(method, f"sip:510@{agent.remote}"))
            self.assertIn(agent.receive().status, statuses, method)
        agent.close()


if __name__ == "__main__":
    unittest.main()

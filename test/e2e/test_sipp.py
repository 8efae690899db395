#!/usr/bin/env python3
"""Calls between sipp agents over UDP and TCP, and every byte that they were sent read strictly afterwards."""

import os
import re
import unittest

from agents import Sipp, wait_for
from server import Server, timeline
from wire import Agent, Message

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
DIVIDER = re.compile(r"^-{10,} \d{4}-.*$", re.MULTILINE)


def received(sipp):
    """What sipp received, message by message, from its own log."""
    messages = []
    for piece in DIVIDER.split(sipp.messages()):
        head, found, rest = piece.partition("message received [")
        size = re.match(r"(\d+)\] bytes?\s*:?\n\n", rest)
        if found and size:
            raw = rest[size.end():].encode()[:int(size.group(1))]
            messages.append(Message(raw))
    return messages


class SippCalls(unittest.TestCase):
    transport, mode = "udp", "u1"

    @classmethod
    def setUpClass(cls):
        cls.server = Server(settings="sip digest = MD5")  # this sipp reads the first challenge alone
        cls.number = 300

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def scenario(self, name, **options):
        sipp = Sipp(os.path.join(SCENARIOS, name + ".xml"), transport=self.mode, **options)
        self.addCleanup(sipp.close)
        return sipp

    def phone(self, scenario, ring_ms=0, **keys):
        """A sipp that plays a phone, registered for it by an agent that then goes away."""
        SippCalls.number += 1
        device = self.server.device(str(SippCalls.number))
        sipp = self.scenario(scenario, keys=tuple(keys.items()), extra=["-d", str(ring_ms)])
        registrar = Agent(self.server.sip, transport=self.transport, user=device["number"], password=device["sip_password"])
        contact = f"<sip:{device['number']}@127.0.0.1:{sipp.port};transport={self.transport}>"
        self.assertEqual(registrar.register(contact=contact).status, 200)
        registrar.close()
        sipp.device = device
        return sipp

    def call(self, phones, strategy="at_once", talk_ms=300, plan=None):
        SippCalls.number += 1
        name = f"user{SippCalls.number}"
        plan = plan or [(0, 20)] * len(phones)
        jane = self.server.user(name, str(SippCalls.number),
                                [(phone.device, *turn) for phone, turn in zip(phones, plan)], strategy)
        SippCalls.number += 1
        device = self.server.device(str(SippCalls.number))
        self.server.user(f"user{SippCalls.number}", str(SippCalls.number), [(device, 0, 20)])
        caller = self.scenario("call", remote=self.server.sip, keys=(
            ("user", device["number"]), ("dialled", jane["extension"])),
            extra=["-d", str(talk_ms), "-au", device["number"], "-ap", device["sip_password"], "-auth_uri",
                   f"{jane['extension']}@{self.server.sip}"])
        for sipp in [caller, *phones]:
            code = sipp.wait(30)
            self.assertEqual(code, 0, f"{sipp.name}: {sipp.errors()}\n{sipp.messages()[-6000:]}")
        self.server.quiet()
        for sipp in [caller, *phones]:
            self.assertTrue(received(sipp))
        def of_jane():
            return [record for record in self.server.records() if record["dialled"] == jane["extension"]]

        return wait_for(of_jane, 10, f"the record of {jane['extension']}")[0]

    def test_one(self):
        record = self.call([self.phone("phone_answers", ring_ms=200)])
        self.assertEqual(record["outcome"], "answered", timeline(record))

    def test_three_at_once(self):
        losers = [self.phone("phone_is_cancelled"), self.phone("phone_is_cancelled")]
        record = self.call([losers[0], self.phone("phone_answers", ring_ms=500), losers[1]])
        self.assertEqual(sorted(leg["outcome"] for leg in record["legs"]),
                         ["answered", "answered_elsewhere", "answered_elsewhere"])
        for loser in losers:
            cancel = next(m for m in received(loser) if m.method == "CANCEL")
            self.assertEqual(cancel.get("Reason"), 'SIP;cause=200;text="Call completed elsewhere"')

    def test_in_sequence(self):
        record = self.call([self.phone("phone_is_cancelled"), self.phone("phone_answers", ring_ms=100)], "in_sequence",
                           plan=[(0, 2), (0, 10)])
        self.assertEqual([leg["outcome"] for leg in record["legs"]], ["timed_out", "answered"])

    def test_busy_then_the_next(self):
        record = self.call([self.phone("phone_is_busy"), self.phone("phone_answers", ring_ms=100)],
                           "in_sequence")
        self.assertEqual([leg["outcome"] for leg in record["legs"]], ["busy", "answered"])

    def test_a_crossing_200(self):
        late = self.phone("phone_answers_cancelled")
        self.call([self.phone("phone_answers", ring_ms=300), late])
        self.assertEqual([m.method for m in received(late)][-2:], ["ACK", "BYE"])


class SippCallsOverTcp(SippCalls):
    transport, mode = "tcp", "t1"


if __name__ == "__main__":
    unittest.main()

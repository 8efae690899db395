#!/usr/bin/env python3
"""What is removed or changed in the middle of its calls: they go on to their end, over the old way and byte for byte, and the next call
finds things as they are now."""

import hashlib
import unittest

from agents import wait_for
from server import Server, timeline
from wire import Agent, sdp

CHALLENGE = 'Digest realm="carrier", nonce="{}", algorithm=MD5, qop="auth"'
KINDS_OUT = ("trunk", "route", "device", "user")
KINDS_IN = ("trunk", "did", "device", "user")
REFUSED, ELSEWHERE, GOES = "refused", "elsewhere", "goes"  # the next call
# The trunk's new host is a loopback address where nobody is. {n} is the scene's number.
EDITS_OUT = (
    ("trunk", {"enabled": False}, REFUSED),
    ("trunk", {"host": "127.0.0.9", "port": 9, "username": "other", "password": "another", "realm": "else"}, ELSEWHERE),
    ("route", {"pattern": "+4299"}, REFUSED),
    ("device", {"do_not_disturb": True}, REFUSED),
    ("device", {"too_soon_ms": 60000, "caller_id": "fixed", "caller_id_number": "+441632999999"}, GOES),
    ("user", {"toll_class": 0}, REFUSED),
    ("user", {"do_not_disturb": True}, REFUSED),
    ("user", {"extension": "9{n:03}"}, REFUSED),
)
EDITS_IN = (
    ("trunk", {"enabled": False}, REFUSED),
    ("trunk", {"host": "127.0.0.9", "port": 9}, REFUSED),
    ("did", {"target": "busy", "user_id": None}, REFUSED),
    ("did", {"number": "+44163299{n:04}"}, REFUSED),
    ("device", {"do_not_disturb": True}, REFUSED),
    ("device", {"call_limit": 1}, GOES),
    ("user", {"do_not_disturb": True}, REFUSED),
    ("user", {"call_limit": 1, "unanswered": "hang_up"}, GOES),
)


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class Drain(unittest.TestCase):
    """Each call has a carrier, a trunk and people of its own; the server is shared."""

    count = 0

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

    def agent(self, *arguments):
        agent = Agent(self.server.sip, *arguments)
        self.agents.append(agent)
        return agent

    def scene(self):
        """A carrier, its trunk, Bob with a phone, and Jane with a mobile that is reached over the trunk."""
        Drain.count += 1
        n, api = Drain.count, self.server.api
        self.number = f"+44163296{n:04}"
        self.carrier = self.agent(f"127.0.1.{n}", "udp", "+441632000000")
        self.things = {"trunk": api.post("trunks", {
            "title": f"carrier {n}", "host": self.carrier.host, "port": self.carrier.port, "username": "carillon",
            "password": "secret", "options_interval_s": 0, "caller_id": "+441632111111"})}
        self.things["route"] = api.post("routes", {"pattern": self.number, "trunk_id": self.things["trunk"]["id"]})
        self.things["device"] = self.server.device(self.number, "external")
        phone = self.server.device(f"2{n:03}")
        self.things["user"] = self.server.user(f"jane{n}", f"5{n:03}", [(self.things["device"], 0, 20)], toll_class=3)
        self.bob = self.agent("127.0.0.1", "udp", phone["number"], phone["sip_password"])
        self.server.user(f"bob{n}", f"6{n:03}", [(phone, 0, 20)])
        self.assertEqual(self.bob.register().status, 200)
        self.extension = f"5{n:03}"
        return self.bob, self.carrier

    def scene_in(self):
        """The same the other way: Jane's phone is reached by a DID."""
        bob, carrier = self.scene()
        api = self.server.api
        desk = self.server.device(f"3{Drain.count:03}")
        self.desk = self.agent("127.0.0.1", "udp", desk["number"], desk["sip_password"])
        self.assertEqual(self.desk.register().status, 200)
        self.server.plan(self.things["user"], [(desk, 0, 20)])
        api.delete(f"devices/{self.things['device']['id']}")
        self.things["device"] = desk
        self.things["did"] = api.post("dids", {"number": self.number, "target": "user", "user_id": self.things["user"]["id"]})
        return carrier, self.desk

    def remove(self, kind):
        """Through the API, with what hangs on it."""
        api = self.server.api
        first = {"trunk": ("route",), "user": ("did",)}.get(kind, ())
        for each in (*first, kind):
            if each in self.things:
                suffix = "?release=true" if each in ("device", "user") else ""
                api.delete(f"{each}s/{self.things[each]['id']}{suffix}")

    def change(self, kind, fields):
        fields = {name: value.format(n=Drain.count) if isinstance(value, str) else value for name, value in fields.items()}
        self.server.api.patch(f"{kind}s/{self.things[kind]['id']}", fields)

    def hold_from_callee(self, caller, callee, invite):
        offer, reply = sdp(callee.host, 42000, "sendonly"), sdp(caller.host, 43000, "recvonly")
        callee.within_theirs(invite, "INVITE", offer)
        asked = caller.expect("INVITE")
        self.assertEqual(asked.body, offer)
        caller.respond(asked, 200, reply)
        answered = callee.expect(200)
        self.assertEqual(answered.body, reply)
        callee.cseq -= 1
        callee.within_theirs(invite, "ACK")
        caller.expect("ACK")

    def hold_from_caller(self, caller, callee, answered, challenge):
        offer, reply = sdp(caller.host, 43000, "sendonly"), sdp(callee.host, 42000, "recvonly")
        caller.within(answered, "INVITE", offer)
        asked = callee.expect("INVITE")
        self.assertEqual(asked.body, offer)
        if challenge:
            callee.respond(asked, 407, extra=[f"Proxy-Authenticate: {CHALLENGE.format('again')}"])
            callee.expect("ACK")
            asked = callee.expect("INVITE")
            self.assertEqual(asked.body, offer)
            self.check_answer(asked, "INVITE")
        callee.respond(asked, 200, reply)
        accepted = caller.expect(200)
        self.assertEqual(accepted.body, reply)
        caller.within(answered, "ACK", cseq=caller.cseq)
        self.assertEqual(callee.expect("ACK").cseq, asked.cseq)

    def check_answer(self, request, method):
        given = request.get("Proxy-Authorization")
        self.assertIn('username="carillon"', given)
        parts = {name: value.strip('"') for name, value in
                 (part.strip().split("=", 1) for part in given.removeprefix("Digest ").split(","))}
        expected = md5(md5("carillon:carrier:secret"), "again", parts["nc"], parts["cnonce"], "auth",
                       md5(method, parts["uri"]))
        self.assertEqual(parts["response"], expected)

    def bye(self, caller, answered, callee):
        caller.within(answered, "BYE")
        callee.respond(callee.expect("BYE"), 200)
        self.assertEqual(caller.expect(200).cseq_method, "BYE")

    def record(self, dialled):
        def mine():
            return next((each for each in self.server.records() if each["dialled"] == dialled), None)

        return wait_for(mine, 10, f"the record of the call to {dialled}")

    def next_call(self, caller, callee, uri, after):
        if after == REFUSED:
            caller.ack_refusal(caller.expect(401, 403, 404, 480, 486), uri)
        if after != GOES:
            self.assertIsNone(callee.receive(0.2), "no new leg")
        if after == REFUSED:
            return
        invite = callee.expect("INVITE") if after == GOES else None
        if invite:
            callee.respond(invite, 180)
            caller.expect(180)
        caller.cancel()
        self.assertEqual(caller.expect(200).cseq_method, "CANCEL")
        if invite:
            callee.respond(callee.expect("CANCEL"), 200)
            callee.respond(invite, 487)
            callee.expect("ACK")
        caller.ack_refusal(caller.expect(487), uri)

    def outgoing(self, when, change, after=REFUSED):
        bob, carrier = self.scene()
        bob.invite(self.extension)
        invite = carrier.expect("INVITE")
        carrier.respond(invite, 180)
        bob.expect(180)
        if when == "ringing":
            change()
        carrier.respond(invite, 200, sdp(carrier.host, 41000))
        answered = bob.expect(200)
        self.assertEqual(answered.body, sdp(carrier.host, 41000))
        bob.within(answered, "ACK", cseq=bob.cseq)
        carrier.expect("ACK")
        if when == "talking":
            change()
        self.hold_from_callee(bob, carrier, invite)
        self.hold_from_caller(bob, carrier, answered, challenge=True)
        self.bye(bob, answered, carrier)
        record = self.record(self.extension)
        self.assertEqual((record["outcome"], record["ended_by"]), ("answered", "caller"), timeline(record))
        self.assertEqual([(leg["number"], leg["outcome"]) for leg in record["legs"]], [(self.number, "answered")])
        self.assertEqual(record["callee_title"], f"Jane{Drain.count}")
        bob.call_id += "-next"
        bob.invite(self.extension)
        self.next_call(bob, carrier, bob.invite_uri, after)

    def incoming(self, when, change, after=REFUSED):
        carrier, desk = self.scene_in()
        uri = f"sip:{self.number}@{carrier.remote}"
        carrier.send(carrier.request("INVITE", uri, sdp(carrier.host)))
        invite = desk.expect("INVITE")
        desk.respond(invite, 180)
        carrier.expect(180)
        if when == "ringing":
            change()
        desk.respond(invite, 200, sdp(desk.host, 41000))
        answered = carrier.expect(200)
        carrier.within(answered, "ACK", cseq=carrier.cseq)
        desk.expect("ACK")
        if when == "talking":
            change()
        self.hold_from_callee(carrier, desk, invite)
        self.hold_from_caller(carrier, desk, answered, challenge=False)
        desk.within_theirs(invite, "BYE")
        carrier.respond(carrier.expect("BYE"), 200)
        desk.expect(200)
        record = self.record(self.number)
        self.assertEqual((record["outcome"], record["ended_by"]), ("answered", "callee"), timeline(record))
        self.assertEqual(record["legs"][0]["outcome"], "answered")
        carrier.call_id += "-next"
        carrier.invite_uri, carrier.invite_branch = uri, carrier.new_branch()
        carrier.send(carrier.request("INVITE", uri, sdp(carrier.host), branch=carrier.invite_branch))
        self.next_call(carrier, desk, uri, after)

    def each_removed(self, call, kinds):
        for when in ("ringing", "talking"):
            for kind in kinds:
                with self.subTest(removed=kind, when=when):
                    call(when, lambda kind=kind: self.remove(kind))

    def each_edited(self, call, edits):
        for when in ("ringing", "talking"):
            for kind, fields, after in edits:
                with self.subTest(edited=kind, fields=fields, when=when):
                    call(when, lambda kind=kind, fields=fields: self.change(kind, fields), after)

    def test_what_takes_a_call_out_is_removed(self):
        self.each_removed(self.outgoing, KINDS_OUT)

    def test_what_brings_a_call_in_is_removed(self):
        self.each_removed(self.incoming, KINDS_IN)

    def test_what_takes_a_call_out_is_edited(self):
        self.each_edited(self.outgoing, EDITS_OUT)

    def test_what_brings_a_call_in_is_edited(self):
        self.each_edited(self.incoming, EDITS_IN)


if __name__ == "__main__":
    unittest.main()

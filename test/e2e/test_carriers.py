#!/usr/bin/env python3
"""Carriers as they are: one that strips headers and loops a call back, one that refuses the numbers of others, one that ends calls in
each way there is. They are Kamailio, with sipp or a bare agent behind it; what is bare reads every byte strictly."""

import os
import shutil
import tempfile
import unittest

from agents import Sipp, wait_for
from certificates import Authority
from server import Server
from test_kamailio import Kamailio
from wire import Agent, sdp

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
MOBILE, OWN, CALLER = "+441444123456", "+441632960123", "+441444222222"

# Nothing of SIP is left of a call that goes through: the switch behind makes a new one of it.
LOOPS = """\
	record_route();
	if ($sp == {switch_port})
		$du = "{server}";
	else {{
		$avp(told) = $hdr(Diversion);
		remove_hf("Diversion");
		remove_hf("History-Info");
		remove_hf("P-Asserted-Identity");
		append_hf("X-Told: $avp(told)\\r\\n");
		$du = "sip:{switch}";
	}}
"""

STRICT = """\
	if ($fU != "{own}") {{
		sl_send_reply("403", "Caller ID Not Allowed");
		exit;
	}}
	record_route();
	$du = "sip:{switch}";
"""

# By the last digits of the number called: the status, and what it says in Q.850.
ENDINGS = {"17": (486, 17), "21": (603, 21), "01": (404, 1), "34": (503, 34), "18": (480, 18)}
ENDS = "".join(f"""\
	if ($rU =~ "{digits}$") {{{{
		append_to_reply("Reason: Q.850;cause={cause}\\r\\n");
		sl_send_reply("{status}", "As Asked");
		exit;
	}}}}
""" for digits, (status, cause) in ENDINGS.items())


class Shared:
    pass


def setUpModule():
    if not shutil.which("kamailio"):
        raise unittest.SkipTest("kamailio is not installed")
    folder = tempfile.mkdtemp(prefix="carillon-certificates-")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    Shared.authority = Authority(folder)
    server = Shared.server = Server(settings="limits trusted = 127.0.0.1")
    unittest.addModuleCleanup(server.close)
    desk, bob = server.device("330"), server.device("331")
    mobile = server.device("01444 123456", "external")
    jane = server.user("jane", "510", [(desk, 0, 20), (mobile, 0, 20)], toll_class=2)
    server.user("bob", "511", [(bob, 0, 20)], toll_class=2, caller_id=OWN)
    server.api.post("dids", {"number": OWN, "user_id": jane["id"]})
    Shared.desk, Shared.bob = (Agent(server.sip, user=device["number"], password=device["sip_password"]) for device in (desk, bob))
    for phone in (Shared.desk, Shared.bob):
        unittest.addModuleCleanup(phone.close)
        assert phone.register().status == 200
    # Where calls come from: known by its address, and no way out leads there.
    Shared.outside = Agent(server.sip, "127.0.0.31", user=CALLER)
    unittest.addModuleCleanup(Shared.outside.close)
    server.api.post("trunks", {"title": "outside", "host": "127.0.0.31", "port": Shared.outside.port, "options_interval_s": 0})


class WithACarrier(unittest.TestCase):
    @classmethod
    def carrier(cls, route, host, title="carrier", **more):
        """A Kamailio with this route, as the only way out."""
        server = cls.server = Shared.server
        kamailio = Kamailio(route.format(server=f"sip:{server.sip}", **more), Shared.authority, host)
        cls.addClassCleanup(kamailio.close)
        trunk = server.api.post("trunks", {"title": title, "host": host, "port": kamailio.port, "options_interval_s": 0})
        cls.addClassCleanup(server.api.delete, f"trunks/{trunk['id']}")
        route = server.api.post("routes", {"pattern": "", "trunk_id": trunk["id"]})
        cls.addClassCleanup(server.api.delete, f"routes/{route['id']}")
        cls.trunk = trunk
        return kamailio

    def setUp(self):
        self.before = self.server.record_count()
        for agent in (Shared.desk, Shared.bob, Shared.outside):
            agent.call_id, agent.tag = f"{agent.new_branch()}@test", agent.new_branch()

    def call_in(self, agent, number=OWN):
        agent.invite_branch, agent.invite_uri = agent.new_branch(), f"sip:{number}@{self.server.sip}"
        agent.send(agent.request("INVITE", agent.invite_uri, sdp(agent.host), branch=agent.invite_branch))

    def records(self, count):
        self.server.quiet()
        return self.server.records(self.before + count)[:count]


class ThatLoopsCallsBack(WithACarrier):
    @classmethod
    def setUpClass(cls):
        cls.switch = Agent(Shared.server.sip, user=CALLER)
        cls.addClassCleanup(cls.switch.close)
        kamailio = cls.carrier(LOOPS, "127.0.0.32", switch_port=cls.switch.port, switch=cls.switch.address)
        cls.switch.server = ("127.0.0.32", kamailio.port)

    def ring(self):
        self.call_in(Shared.outside)
        desk = Shared.desk.expect("INVITE")
        leg = self.switch.expect("INVITE")
        self.assertIn(f"<sip:{CALLER}@", leg.get("From"))
        self.assertEqual((leg.all("Diversion"), leg.all("P-Asserted-Identity")), ([], []))
        self.assertRegex(leg.get("X-Told"), rf"^<sip:\{OWN}@[^>]+>;reason=follow-me$")
        return desk, leg

    def one_leg_waits(self):
        return sum(leg["state"] in ("invited", "ringing") for call in self.server.api.get("calls")["items"] for leg in call["legs"]) == 1

    def comes_back(self, caller):
        """As a new call, with another Call-ID: refused, and the record says within how long."""
        self.switch.user, self.switch.call_id, self.switch.tag = caller, f"{self.switch.new_branch()}@carrier", self.switch.new_branch()
        self.call_in(self.switch)
        refused = self.switch.expect(482)
        self.assertRegex(refused.get("Reason"), r"^Q\.850;cause=25;")
        self.switch.ack_refusal(refused, self.switch.invite_uri)

    def answers_at_the_desk(self, desk):
        Shared.desk.respond(desk, 200, sdp("127.0.0.1", 41000))
        Shared.desk.expect("ACK")
        answered = Shared.outside.expect(200)
        Shared.outside.within(answered, "ACK", cseq=Shared.outside.cseq)
        Shared.outside.within(answered, "BYE")
        Shared.outside.expect(200)
        Shared.desk.respond(Shared.desk.expect("BYE"), 200)

    def test_our_own_leg_is_recognised(self):
        for caller in (CALLER, "01444222222", "00441444222222", MOBILE):
            with self.subTest(caller):
                self.setUp()
                desk, leg = self.ring()
                self.comes_back(caller)
                self.switch.respond(leg, 486)  # whatever the carrier makes of it
                self.switch.expect("ACK")  # of Kamailio's, which may not have told the server yet
                wait_for(self.one_leg_waits, 5, "the mobile's leg to be over")
                self.answers_at_the_desk(desk)
                records = self.records(2)
                self.assertEqual(sorted(record["code"] or "" for record in records), ["", "loop"])
                loop = next(record for record in records if record["code"])
                self.assertLess(loop["ended_at"] - loop["started_at"], 0.1)
                legs = next(record for record in records if not record["code"])["legs"]
                self.assertIn("it came back to us", next(each for each in legs if each["device_id"] and each["kind"] == "external")["reason"])

    def test_answered_elsewhere_is_told(self):
        desk, leg = self.ring()
        self.switch.respond(leg, 180, extra=[f"Record-Route: {value}" for value in leg.all("Record-Route")])
        Shared.outside.expect(180)
        self.answers_at_the_desk(desk)
        cancel = self.switch.expect("CANCEL")
        self.assertIn('SIP;cause=200;text="Call completed elsewhere", Q.850;cause=26', cancel.get("Reason"))
        self.switch.respond(cancel, 200)
        self.switch.respond(leg, 487)
        self.switch.expect("ACK")
        self.records(1)


class ThatRefusesForeignNumbers(WithACarrier):
    @classmethod
    def setUpClass(cls):
        cls.sipp = Sipp(os.path.join(SCENARIOS, "phone_answers.xml"), host="127.0.0.1", calls=2, extra=["-d", "50"])
        cls.addClassCleanup(cls.sipp.close)
        cls.carrier(STRICT, "127.0.0.33", own=OWN, switch=f"127.0.0.1:{cls.sipp.port}")

    def test_the_own_number_is_shown_then_and_from_then_on(self):
        for refusals in (1, 0):
            self.setUp()
            self.call_in(Shared.outside)
            rung = Shared.desk.expect("INVITE")
            Shared.desk.respond(rung, 180)
            Shared.outside.expect(180)
            try:
                answered = Shared.outside.expect(200)
            except AssertionError as error:
                raise AssertionError(f"{error}\nwith {refusals} refusals to come; the server:\n{self.server.output()[-4000:]}\n"
                                     f"behind the carrier ({self.sipp.process.poll()}):\n{self.sipp.messages()[-4000:]}") from None
            Shared.outside.within(answered, "ACK", cseq=Shared.outside.cseq)
            Shared.desk.respond(Shared.desk.expect("CANCEL"), 200)
            Shared.desk.respond(rung, 487)
            Shared.desk.expect("ACK")
            Shared.outside.within(answered, "BYE")
            Shared.outside.expect(200)
            legs = [leg for leg in self.records(1)[0]["legs"] if leg["kind"] == "external"]
            self.assertEqual([leg["sip_status"] for leg in legs], [403] * refusals + [200])
            for leg in legs[:refusals]:
                self.assertRegex(leg["reason"], rf"^403 Caller ID Not Allowed; tried again showing \{OWN}$")
        self.assertEqual(self.sipp.wait(10), 0, self.sipp.errors())
        told = self.sipp.messages()
        self.assertEqual(told.count("INVITE sip:"), 2)  # none with another number came so far
        self.assertEqual(told.count(f"<sip:{CALLER}@"), 0, told)
        self.server.logs("trunk_refuses_numbers")
        state = f"trunks/{self.trunk['id']}/state"
        self.assertIsNotNone(self.server.api.get(state)["own_number_until"])
        self.server.api.patch(f"trunks/{self.trunk['id']}", {"title": "edited"})
        self.assertIsNone(self.server.api.get(state)["own_number_until"])


class ThatEndsCalls(WithACarrier):
    @classmethod
    def setUpClass(cls):
        cls.carrier(ENDS, "127.0.0.34")

    def test_callers_hear_the_truth(self):
        for digits, (status, cause) in ENDINGS.items():
            with self.subTest(digits):
                self.setUp()
                Shared.bob.invite(f"014449999{digits}")
                refused = Shared.bob.expect(*range(400, 700))
                Shared.bob.ack_refusal(refused, Shared.bob.invite_uri)
                # Congestion is the trunk's; a phone that hears 503 would take it for ours (RFC 3261 section 16.7).
                self.assertEqual(refused.status, 480 if status == 503 else status)
                record = self.records(1)[0]
                self.assertEqual((record["q850"], record["legs"][0]["q850"], record["legs"][0]["sip_status"]), (cause, cause, status))

    def test_congestion_leads_to_the_next_trunk_and_nothing_else_does(self):
        other = Agent(self.server.sip, "127.0.0.35", user="other")
        self.addCleanup(other.close)
        trunk = self.server.api.post("trunks", {"title": "other", "host": "127.0.0.35", "port": other.port, "options_interval_s": 0})
        self.addCleanup(self.server.api.delete, f"trunks/{trunk['id']}")
        route = self.server.api.post("routes", {"pattern": "", "trunk_id": trunk["id"], "cost": 10})
        self.addCleanup(self.server.api.delete, f"routes/{route['id']}")
        for digits, (status, cause) in ENDINGS.items():
            with self.subTest(digits):
                self.setUp()
                Shared.bob.invite(f"014449999{digits}")
                if status == 503:
                    invite = other.expect("INVITE")
                    self.assertIn(f"<sip:{OWN}@", invite.get("From"))
                    other.respond(invite, 486, extra=["Reason: Q.850;cause=17"])
                    other.expect("ACK")
                refused = Shared.bob.expect(*range(400, 700))
                Shared.bob.ack_refusal(refused, Shared.bob.invite_uri)
                self.assertEqual(refused.status, 486 if status == 503 else status)
                self.assertEqual(len(self.records(1)[0]["legs"]), 2 if status == 503 else 1)
        self.assertIsNone(other.receive(0.2))


if __name__ == "__main__":
    unittest.main()

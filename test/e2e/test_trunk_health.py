#!/usr/bin/env python3
"""Carriers in every state of health: one that is dead, one that is slow, one that says 503, one that rings and then fails, and one
that takes calls. They are Kamailio, and sipp behind it; what is measured is how long a caller waits for a dead one."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from agents import Process, Sipp, free_port, wait_for
from server import Server
from wire import Agent

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = "127.0.0.41"
BEHAVIOURS = ("good", "slow", "busy", "ringer")

CONFIG = """\
debug=1
log_stderror=yes
children=4
disable_tcp=yes
{listen}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "cfgutils.so"

request_route {{
	if (is_method("OPTIONS")) {{
		if ($Rp == {slow})
			sleep("2");
		sl_send_reply("200", "OK");
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans())
			t_relay();
		exit;
	}}
	if (has_totag()) {{
		if (loose_route())
			t_relay();
		else if (is_method("ACK"))
			t_check_trans();
		exit;
	}}
	if ($Rp == {busy}) {{
		sl_send_reply("503", "Service Unavailable");
		exit;
	}}
	if ($Rp == {ringer}) {{
		t_newtran();
		t_reply("180", "Ringing");
		sleep("1");
		t_reply("503", "Service Unavailable");
		exit;
	}}
	record_route();
	$du = "sip:{behind}";
	t_relay();
}}
"""


class Carrier(Process):
    """A Kamailio with a port for each behaviour; whoever calls the good and the slow one reaches sipp."""

    def __init__(self, behind, ports=None):
        self.ports = ports or {name: free_port(HOST) for name in BEHAVIOURS}
        folder = tempfile.mkdtemp(prefix="carillon-carrier-")
        listen = "\n".join(f"listen=udp:{HOST}:{port}" for port in self.ports.values())
        with open(f"{folder}/kamailio.cfg", "w") as config:
            config.write(CONFIG.format(listen=listen, behind=behind, **self.ports))
        super().__init__("kamailio", ["kamailio", "-DD", "-E", "-f", f"{folder}/kamailio.cfg", "-Y", folder, "-w", folder,
                                      "-m", "32", "-M", "4"], folder)
        wait_for(self.answers, 20, "kamailio to answer")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("kamailio ended:\n" + self.output())
        probe = Agent(f"{HOST}:{self.ports['good']}", user="probe")
        try:
            probe.send(probe.request("OPTIONS", f"sip:probe@{HOST}:{self.ports['good']}"))
            return probe.receive(0.5)
        finally:
            probe.close()


def setUpModule():
    if not shutil.which("kamailio") or not shutil.which("sipp"):
        raise unittest.SkipTest("kamailio and sipp are needed")


class TrunkHealth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sipp = Sipp(os.path.join(HERE, "sipp/phone_answers.xml"), "127.0.0.43", calls=1000, extra=["-d", "100"])
        cls.addClassCleanup(cls.sipp.close)
        cls.carrier = Carrier(f"127.0.0.43:{cls.sipp.port}")
        cls.addClassCleanup(cls.carrier.close)
        cls.dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # takes what comes and says nothing
        cls.dead.bind(("127.0.0.42", 0))
        cls.addClassCleanup(cls.dead.close)
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        device = cls.server.device("330")
        cls.caller = Agent(cls.server.sip, "127.0.0.1", "udp", "330", password=device["sip_password"])
        cls.addClassCleanup(cls.caller.close)
        assert cls.caller.register().status == 200
        cls.server.user("bob", "511", [(device, 0, 20)], toll_class=1)
        cls.area = 1440

    def setUp(self):
        self.trunks, self.routes = [], []
        TrunkHealth.area += 1
        self.number = f"0{self.area}123456"

    def tearDown(self):
        self.server.quiet(45)
        for route in self.routes:
            self.server.api.delete(f"routes/{route}")
        for trunk in self.trunks:
            self.server.api.delete(f"trunks/{trunk}")

    def trunk(self, behaviour, cost, **fields):
        host, port = ("127.0.0.42", self.dead.getsockname()[1]) if behaviour == "dead" else (HOST, self.carrier.ports[behaviour])
        trunk = self.server.api.post("trunks", {"title": behaviour, "host": host, "port": port, "options_interval_s": 5, **fields})
        route = self.server.api.post("routes", {"pattern": f"+44{self.area}", "trunk_id": trunk["id"], "cost": cost})
        self.trunks.append(trunk["id"])
        self.routes.append(route["id"])
        return trunk["id"]

    def state(self, trunk):
        return self.server.api.get(f"trunks/{trunk}/state")

    def becomes(self, trunk, service, seconds):
        began = time.monotonic()
        wait_for(lambda: self.state(trunk)["service"] == service, seconds, f"the trunk to be {service}")
        return time.monotonic() - began

    def call(self):
        """A call that somebody answers, from INVITE to BYE; gives the seconds until the caller heard it ring."""
        began = time.monotonic()
        self.caller.invite(self.number)
        self.caller.expect(180, seconds=10)
        took = time.monotonic() - began
        answered = self.caller.expect(200)
        self.caller.within(answered, "ACK", cseq=self.caller.cseq)
        self.caller.within(answered, "BYE")
        self.caller.expect(200)
        return took

    def test_a_dead_trunk_is_skipped_at_once(self):
        dead, good = self.trunk("dead", 0), self.trunk("good", 1)
        noticed = self.becomes(dead, "out_of_service", 8)
        self.becomes(good, "in_service", 8)
        target = self.state(dead)["targets"][0]
        self.assertEqual((target["last_status"], target["reason"]), (None, "It does not answer."))
        took = [self.call() for _ in range(5)]
        print(f"\na dead carrier is out of service after {noticed:.1f} s; then calls ring over the next one after "
              f"{min(took) * 1000:.0f} to {max(took) * 1000:.0f} ms")
        self.assertLess(max(took), 2)  # its timers would take 4 s and more
        problems = {problem["code"]: problem for problem in self.server.api.get("status")["problems"]}
        self.assertEqual([each["label"] for each in problems["trunk_down"]["examples"]], ["dead"])
        metrics = self.server.api.raw("GET", "/metrics")[2]
        self.assertIn('carillon_trunk_out_of_service{trunk="dead"} 1\n', metrics)
        self.assertIn('carillon_trunk_out_of_service{trunk="good"} 0\n', metrics)
        self.assertIn('carillon_trunk_legs_total{trunk="good"} 5\n', metrics)

    def test_without_another_trunk_the_caller_hears_it_at_once(self):
        self.becomes(self.trunk("dead", 0), "out_of_service", 8)
        began = time.monotonic()
        self.caller.invite(self.number)
        refused = self.caller.expect(503)
        took = time.monotonic() - began
        self.caller.ack_refusal(refused, self.caller.invite_uri)
        print(f"\nwithout another trunk 503 comes after {took * 1000:.0f} ms")
        self.assertEqual(refused.get("Retry-After"), "10")
        self.assertLess(took, 2)

    def test_what_says_503_is_left_and_what_has_rung_is_not(self):
        busy, ringer, good = self.trunk("busy", 0), self.trunk("ringer", 1), self.trunk("good", 2)
        for trunk in (busy, ringer, good):
            self.becomes(trunk, "in_service", 8)  # OPTIONS are answered by all three
        before = self.sipp.messages().count("INVITE sip:")
        self.caller.invite(self.number)
        self.caller.expect(180)
        refused = self.caller.receive(10)
        self.assertGreaterEqual(refused.status, 480)
        self.caller.ack_refusal(refused, self.caller.invite_uri)
        self.assertEqual(self.sipp.messages().count("INVITE sip:"), before)  # nobody rang a second time
        records = wait_for(lambda: [each for each in self.server.api.get("call-records?limit=100")["items"] if each["dialled"] == self.number],
                           10, "the call's record")
        legs = self.server.record(records[0]["id"])["legs"]
        self.assertEqual([leg["sip_status"] for leg in legs], [503, 503])

    def test_a_slow_one_is_in_service_and_its_round_trip_is_shown(self):
        slow = self.trunk("slow", 0)
        self.becomes(slow, "in_service", 12)
        target = self.state(slow)["targets"][0]
        self.assertEqual(target["last_status"], 200)
        self.assertTrue(1900 < target["round_trip_ms"] < 4000, target)

    def test_it_goes_out_of_service_and_comes_back(self):
        sipp = Sipp(os.path.join(HERE, "sipp/phone_answers.xml"), "127.0.0.43", calls=10, extra=["-d", "100"])
        self.addCleanup(sipp.close)
        other = Carrier(f"127.0.0.43:{sipp.port}")
        trunk = self.trunk("good", 0, targets=f"{HOST}:{other.ports['good']};priority=1 {HOST}:{self.carrier.ports['good']};priority=2")
        services = lambda: [target["service"] for target in self.state(trunk)["targets"]]
        wait_for(lambda: services() == ["in_service"] * 2, 10, "both to be in service")
        self.call()
        self.assertIn("INVITE sip:", sipp.messages())
        other.stop()
        began = time.monotonic()
        wait_for(lambda: services() == ["out_of_service", "in_service"], 5 + 4 + 2, "one to be out of service")
        out = time.monotonic() - began
        self.assertLess(self.call(), 2)
        again = Carrier(f"127.0.0.43:{sipp.port}", other.ports)
        self.addCleanup(again.close)
        began = time.monotonic()
        wait_for(lambda: services() == ["in_service"] * 2, 5 + 2 + 4, "both to be in service again")
        back = time.monotonic() - began
        print(f"\nasked every 5 s: out of service {out:.1f} s after its end, back {back:.1f} s after its return")
        before = sipp.messages().count("INVITE sip:")
        self.call()
        self.assertGreater(sipp.messages().count("INVITE sip:"), before)
        shown = subprocess.run([os.environ.get("CARILLON", os.path.join(HERE, "../../build/src/cli/carillon")), "trunks"],
                               capture_output=True, text=True, timeout=20,
                               env={**os.environ, "CARILLON_URL": f"http://127.0.0.1:{self.server.http_port}",
                                    "CARILLON_TOKEN": self.server.api.token})
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, rf"good +{HOST} +{HOST}:{other.ports['good']} +udp +in service")


if __name__ == "__main__":
    unittest.main()

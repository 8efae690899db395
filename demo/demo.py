#!/usr/bin/env python3
"""Places real calls to extension 510 with real SIP agents, on free ports and a throw-away store: at once and in sequence.
Prints what rang when and who answered, from the call records, and ends with 0 only if that is what the ring plan says."""

import argparse
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test", "e2e"))

from agents import Baresip, free_port, wait_for  # noqa: E402
from relay import Relay, installed  # noqa: E402
from server import Server  # noqa: E402

TOLERANCE_S = 0.6
CARRIER_HOST = "127.0.0.9"


class Demo:
    def __init__(self, server, carillon):
        self.server, self.carillon, self.failures = server, carillon, []
        self.agents = {}
        self.devices = {}

    def build(self):
        """Jane with three devices, Bob with one, and a carrier that the mobile is reached over."""
        server = self.server
        port = free_port(CARRIER_HOST)
        trunk = server.api.post("trunks", {"title": "Carrier", "host": CARRIER_HOST, "port": port})
        server.api.post("routes", {"pattern": "", "trunk_id": trunk["id"]})
        for number, kind, title in (("330", "sip_phone", "Jane's desk"), ("821", "softphone", "Jane's softphone"),
                                    ("01444 123456", "external", "Jane's mobile"), ("822", "softphone", "Bob")):
            self.devices[number] = server.device(number, kind, title=title)
        self.jane = server.user("jane", "510", toll_class=1)
        server.user("bob", "512", [(self.devices["822"], 0, 20)])

        for number, host, transport in (("330", "127.0.0.2", "udp"), ("821", "127.0.0.3", "tcp"),
                                        ("822", "127.0.0.4", "udp")):
            self.agents[number] = Baresip(number, self.devices[number]["sip_password"], server.sip, host, transport)
        self.agents["01444 123456"] = Baresip("+441444123456", "none", server.sip, CARRIER_HOST, "udp", register=False,
                                              port=port)
        for number in ("330", "821", "822"):
            self.agents[number].registered()
            print(f"  {number} is registered")

    def expect(self, right, sentence):
        if not right:
            self.failures.append(sentence)
            print(f"  NOT AS PLANNED: {sentence}")

    def call(self, title, strategy, turns, answering, answer_at):
        """Bob calls 510; `answering` answers that long after the call began; None: Bob gives up then. `turns` are the
        plan; `expected` follows from it alone: when each device rings, and for how long."""
        print(f"\n{title}")
        self.server.plan(self.jane, [(self.devices[number], start, ring) for number, start, ring in turns], strategy)
        known = len(self.server.api.get("call-records?limit=100")["items"])
        began = time.monotonic()
        bob = self.agents["822"]
        bob.dial("sip:510@" + self.server.sip)
        if answering:
            self.agents[answering].wait("CALL_INCOMING", answer_at + 5, began)
        time.sleep(max(0, began + answer_at - time.monotonic()))
        if answering:
            self.agents[answering].answer()
            bob.wait("CALL_ESTABLISHED", 5, began)
            self.agents[answering].wait("CALL_ESTABLISHED", 5, began)
        else:
            bob.hang_up()
        time.sleep(1)
        if answering:
            bob.hang_up()
        self.server.quiet()
        record = self.server.records(known + 1)[0]
        print(subprocess.run([self.carillon, "--url", f"http://127.0.0.1:{self.server.http_port}", "--token",
                              self.server.api.token, "record", record["id"]], check=True, text=True,
                             capture_output=True).stdout)
        self.judge(record, turns, strategy, answering, answer_at, began)

    def judge(self, record, turns, strategy, answering, answer_at, began):
        legs = {leg["number"]: leg for leg in record["legs"]}
        start = 0
        for number, start_s, ring_s in turns:
            begins = start if strategy == "in_sequence" else start_s
            ends = min(begins + ring_s, answer_at)
            start += ring_s
            leg, seen = legs.get(number), self.agents[number].seen("CALL_INCOMING", began)
            if begins >= answer_at:
                self.expect(not seen and not (leg and leg["started_at"]), f"{number} should not have rung")
                continue
            self.expect(leg and leg["started_at"] and seen, f"{number} should have rung")
            if not (leg and leg["started_at"] and seen):
                continue
            rang = leg["started_at"] - record["started_at"]
            self.expect(abs(rang - begins) < TOLERANCE_S, f"{number} rang after {rang:.1f} s, not {begins} s")
            self.expect(abs(seen[0] - began - begins) < TOLERANCE_S + 0.5,
                        f"{number} saw the call after {seen[0] - began:.1f} s, not {begins} s")
            if number == answering:
                wanted = "answered"
            elif ends < answer_at:
                wanted = "timed_out"
            else:
                wanted = "answered_elsewhere" if answering else "caller_gave_up"
            self.expect(leg["outcome"] == wanted, f"{number}: {leg['outcome']}, not {wanted}")
            if number != answering:
                stopped = leg["ended_at"] - record["started_at"]
                self.expect(abs(stopped - ends) < TOLERANCE_S, f"{number} stopped after {stopped:.1f} s, not {ends} s")
        wanted = "answered" if answering else "caller_gave_up"
        self.expect(record["outcome"] == wanted, f"the call: {record['outcome']}, not {wanted}")
        self.expect(record["caller_number"] == "512", "Jane should have seen 512, Bob's extension")

    def close(self):
        for agent in self.agents.values():
            agent.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carillond", required=True)
    parser.add_argument("--carillon", required=True)
    options = parser.parse_args()

    print("Starting Carillon with a throw-away store")
    relay = Relay() if installed() else None
    if not relay:
        print("rtpengine is not installed: what needs a media relay would be refused.")
    server = Server(options.carillond, relay.settings if relay else "")
    demo = Demo(server, os.path.abspath(options.carillon))
    try:
        demo.build()
        demo.call("1. At once, the mobile 2 s later. Jane takes her softphone after 4 s.", "at_once",
                  [("330", 0, 20), ("821", 0, 20), ("01444 123456", 2, 20)], "821", 4)
        demo.call("2. At once. Jane takes her mobile after 3 s.", "at_once",
                  [("330", 0, 20), ("821", 0, 20), ("01444 123456", 0, 20)], "01444 123456", 3)
        demo.call("3. In sequence, 3 s each, the mobile 10 s. Jane takes the mobile after 8 s.", "in_sequence",
                  [("330", 0, 3), ("821", 0, 3), ("01444 123456", 0, 10)], "01444 123456", 8)
        demo.call("4. In sequence. Bob gives up after 5 s.", "in_sequence",
                  [("330", 0, 3), ("821", 0, 10), ("01444 123456", 0, 10)], None, 5)
    finally:
        demo.close()
        server.close()
        if relay:
            relay.close()
    if demo.failures:
        print(f"{len(demo.failures)} things were not as the ring plan says.")
        return 1
    print("Every call went as the ring plan says.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

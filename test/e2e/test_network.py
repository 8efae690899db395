#!/usr/bin/env python3
"""Hundreds of calls (CALLS says how many) over a network that loses a tenth, doubles a tenth, lets a tenth be overtaken and takes 10 to 90 ms each way."""

import ctypes
import json
import os
import re
import subprocess
import sys
import unittest

from agents import wait_for
from server import ROOT, Server

sys.path.insert(0, os.path.join(ROOT, "bench"))
from storm import FIRST_DEVICE, FIRST_EXTENSION, fill  # noqa: E402

CLONE_NEWNET = 0x40000000
PAIRS = 200
CALLS = int(os.environ.get("CALLS", "500"))


def own_namespace():
    """Puts this process, and the server that it starts, into a network namespace of its own. False where that is not allowed."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return True


class Network(unittest.TestCase):
    def setUp(self):
        self.apart = own_namespace()
        if not self.apart:
            print("no network namespaces here: the phones lose the packets themselves")
        self.phones = subprocess.Popen([*(["unshare", "--net"] if self.apart else []), sys.executable,
                                        os.path.join(ROOT, "test/e2e/lossy.py")], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_phones)
        if self.apart:
            self.connect()

    def connect(self):
        """A cable between the two namespaces."""
        def space(pid):
            return os.readlink(f"/proc/{pid}/ns/net")

        wait_for(lambda: space(self.phones.pid) != space("self"), 10, "the phones' namespace")
        for command in (f"ip link add server type veth peer name phones netns {self.phones.pid}",
                        "ip addr add 10.213.0.1/30 dev server", "ip link set server up"):
            subprocess.run(command.split(), check=True)

    def end_phones(self):
        self.phones.stdin.close()
        if self.phones.poll() is None:
            self.phones.kill()
        self.phones.wait()
        self.phones.stdout.close()

    def plan(self):
        plan = {"server": None, "host": "10.213.0.2" if self.apart else "127.0.0.1", "seed": 1, "loss": 0.0 if self.apart else 0.1,
                "kernel_loss": 0.1, "duplicates": 0.1, "reordering": 0.1, "delay_min_s": 0.010, "delay_max_s": 0.090,
                "pairs": PAIRS, "first_device": FIRST_DEVICE, "first_extension": FIRST_EXTENSION, "calls": CALLS,
                "calls_per_s": 40, "registers_per_s": 100, "join": self.apart}
        return plan

    def serve(self, host):
        server = Server(sip_host=host, settings="log level = warning\noverload busy_percent = 0\n"
                        "limits requests_per_s = 100000\nlimits requests_burst = 100000")
        server.device("1")
        server.user("template", "199")
        server.stop()
        fill(os.path.join(server.folder, "carillon.db"), 6 * PAIRS)
        server.restart()
        self.addCleanup(server.close)
        return server

    def records(self, server):
        found, cursor = [], ""
        while cursor is not None:
            page = server.api.get("call-records?limit=100" + (f"&cursor={cursor}" if cursor else ""))
            found += page["items"]
            cursor = page["next"]
        return found

    def test_calls_and_registrations(self):
        plan = self.plan()
        server = self.serve("10.213.0.1" if self.apart else "127.0.0.1")
        plan["server"] = server.sip
        self.phones.stdin.write(json.dumps(plan) + "\n")
        self.phones.stdin.flush()
        said = self.phones.stdout.readlines()
        self.assertTrue(said, "the phones ended without a word")
        result = json.loads(said[-1])
        server.quiet(40)
        records = wait_for(lambda: len(found := self.records(server)) >= CALLS and found, 20, "the records")
        metrics = server.api.raw("GET", "/metrics")[2]
        again = int(re.search(r"^carillon_sip_retransmissions_total (\d+)$", metrics, re.M).group(1))
        print(json.dumps(result))
        print(f"{result['outcomes'].get('completed', 0)} of {CALLS} calls completed; {len(records)} records; the server sent "
              f"{again} messages again")
        self.assertEqual(len(records), CALLS)
        self.assertEqual(len({record["call_id"] for record in records}), CALLS)
        self.assertGreaterEqual(result["outcomes"].get("completed", 0), CALLS * 0.995, result)
        self.assertEqual(result["left"], 0)
        self.assertGreaterEqual(sum(record["outcome"] == "answered" for record in records), CALLS * 0.995)


if __name__ == "__main__":
    unittest.main()

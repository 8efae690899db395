#!/usr/bin/env python3
"""Scanners against a running server: sipvicious as it is, from the same host as a registered phone, which keeps working."""

import os
import re
import subprocess
import tempfile
import unittest

from agents import wait_for
from server import Server
from wire import Agent, sdp


class Abuse(unittest.TestCase):
    def setUp(self):
        # A sanitizer keeps what was freed: little enough not to be taken for a leak.
        self.server = Server(environment={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"})
        self.device = self.server.device("330")
        self.other = self.server.device("331")
        self.server.user("jane", "510", [(self.other, 0, 20)])
        self.server.user("bob", "512", [(self.device, 0, 20)])
        self.phone = self.agent("330", self.device)
        self.desk = self.agent("331", self.other)
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        for agent in (self.phone, self.desk):
            agent.close()
        self.folder.cleanup()
        self.server.close()

    def agent(self, number, device):
        agent = Agent(self.server.sip, user=number, password=device["sip_password"])
        self.assertEqual(agent.register().status, 200)
        return agent

    def scan(self, tool, *arguments):
        """What the tool printed; it may run into the silence of a ban."""
        scan = subprocess.run([tool, "-v", *arguments, "-b", "127.0.0.1", "-x", "127.0.0.1", "--maximumtime", "3"], check=False,
                              timeout=60, capture_output=True, text=True, cwd=self.folder.name,
                              env={**os.environ, "HOME": self.folder.name})
        return scan.stdout + scan.stderr

    def metric(self, name):
        text = self.server.api.raw("GET", "/metrics")[2]
        return int(re.search(rf"^carillon_{name} (\d+)$", text, re.M).group(1))

    def phone_works(self):
        """It refreshes its registration, calls, and is answered."""
        self.assertEqual(self.phone.register().status, 200)
        self.phone.invite("510")
        invite = self.desk.expect("INVITE")
        self.desk.respond(invite, 200, sdp("127.0.0.1", 41000))
        answered = self.phone.expect(200)
        self.phone.within(answered, "ACK", cseq=self.phone.cseq)
        self.desk.expect("ACK")
        self.phone.within(answered, "BYE")
        self.phone.expect(200)
        self.desk.respond(self.desk.expect("BYE"), 200)
        self.server.quiet()

    def test_a_map_shows_no_device(self):
        found = subprocess.run(["svmap", "127.0.0.1", "-p", str(self.server.sip_port)], check=False,
                               timeout=60, capture_output=True, text=True, cwd=self.folder.name,
                               env={**os.environ, "HOME": self.folder.name})
        text = found.stdout + found.stderr
        self.assertIn("| unknown ", text)  # that there is a server, and not whose
        for word in ("arillon", "330", "331", "510"):
            self.assertNotIn(word, text.replace(str(self.server.sip_port), ""))
        self.phone_works()

    def test_no_number_is_found(self):
        for method in ("REGISTER", "INVITE"):
            found = self.scan("svwar", "-m", method, "-e", "300-399", "--force", f"udp://127.0.0.1:{self.server.sip_port}")
            self.assertIn("found nothing", found)
        self.assertGreaterEqual(self.metric("sip_messages_received_total"), 4 + 4)  # it gives up when all are alike
        self.phone_works()

    def test_no_password_is_found(self):
        words = os.path.join(self.folder.name, "words")
        with open(words, "w") as dictionary:
            dictionary.write("\n".join([f"wrong{i}" for i in range(300)] + [self.device["sip_password"]]) + "\n")
        found = self.scan("svcrack", "-u", "330", "-d", words, f"udp://127.0.0.1:{self.server.sip_port}")
        self.assertIn("found nothing", found)
        self.assertNotIn(self.device["sip_password"], found)
        self.assertGreaterEqual(self.metric("sip_waits_total"), 1)
        self.assertIn("sip_account_waits source=127.0.0.1 account=330", self.server.output())
        self.phone_works()

    def test_a_guesser_is_banned_and_the_phone_beside_it_is_not(self):
        guesser = Agent(self.server.sip, user="600", password="a guess")
        try:
            for number in range(600, 650):
                guesser.user = str(number)
                guesser.register()
            self.assertEqual(self.metric("sip_sources_banned"), 1)
            self.assertEqual(self.server.output().count("sip_source_banned"), 1)
            guesser.send(guesser.request("OPTIONS", f"sip:{self.server.sip}"))
            wait_for(lambda: self.metric("sip_messages_received_total") and guesser.receive(0.5) is None, 5, "silence")
            self.phone_works()
        finally:
            guesser.close()

    def test_a_flood_costs_no_memory(self):
        def resident_kib():
            with open(f"/proc/{self.server.process.pid}/status") as status:
                return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

        attacker = Agent(self.server.sip, user="600")
        try:
            def flood(count):
                for number in range(count):
                    attacker.call_id = f"flood{number}"
                    attacker.send(attacker.request("INVITE", f"sip:510@{self.server.sip}", sdp("127.0.0.1")))

            flood(5000)
            self.phone_works()
            before = resident_kib()
            flood(20000)
            self.phone_works()
            self.assertLessEqual(self.metric("sip_sessions"), 4)  # the phone's two calls, until their transactions are over
            self.assertGreater(self.metric("sip_dropped_over_limit_total"), 1000)
            self.assertLess(resident_kib() - before, 4096)
        finally:
            attacker.close()


if __name__ == "__main__":
    unittest.main()

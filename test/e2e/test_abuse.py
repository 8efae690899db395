#!/usr/bin/env python3
"""Scanners against a running server: sipvicious as it is, from the same host as a registered phone, which keeps working."""

import os
import re
import subprocess
import tempfile
import unittest

from agents import wait_for
from server import Server
from wire import Agent, digest, sdp


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
        self.server.logs("sip_account_waits source=127.0.0.1 account=330")
        self.phone_works()

    def test_a_guesser_is_banned_and_the_phone_beside_it_is_not(self):
        guesser = Agent(self.server.sip, user="600", password="a guess")
        try:
            for number in range(600, 650):
                guesser.user = str(number)
                guesser.register()
            self.assertEqual(self.metric("sip_sources_banned"), 1)
            self.server.logs("sip_source_banned")
            guesser.send(guesser.request("OPTIONS", f"sip:{self.server.sip}"))
            wait_for(lambda: self.metric("sip_messages_received_total") and guesser.receive(0.5) is None, 5, "silence")
            self.phone_works()
            self.assertEqual(self.server.output().count("sip_source_banned"), 1)
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

    # ---- what one side says and the other must not hear

    SMUGGLED = ["X-Evil: 1", "Authorization: Digest evil=1", "Proxy-Authorization: Digest evil=1",
                "P-Asserted-Identity: \"Evil\" <sip:evil@evil.example>", "P-Preferred-Identity: <sip:evil@evil.example>",
                "Remote-Party-ID: <sip:evil@evil.example>", "Diversion: <sip:evil@evil.example>",
                "History-Info: <sip:evil@evil.example>;index=1", "Referred-By: <sip:evil@evil.example>",
                "Alert-Info: <http://evil.example>", "Call-Info: <http://evil.example>", "Subject: evil", "Organization: evil",
                "User-Agent: evil", "Server: evil", "Warning: 399 evil \"evil\"", "Error-Info: <sip:evil@evil.example>",
                "Geolocation: <sip:evil@evil.example>", "Identity: evil", "Date: evil", "Reply-To: <sip:evil@evil.example>",
                "In-Reply-To: evil@evil.example", "Priority: evil", "Content-Disposition: session; handling=optional; evil=1",
                "Folded: one\r\n\tX-Evil: 1"]

    def clean(self, agent, since):
        """What an agent got since then, each read strictly as it came, has nothing that the other side smuggled in."""
        self.assertTrue(agent.received[since:])
        for message in agent.received[since:]:
            self.assertNotIn("evil", message.text().lower())

    def test_no_header_crosses_from_leg_to_leg(self):
        callers, callees = len(self.phone.received), len(self.desk.received)
        smuggled = [line for line in self.SMUGGLED if not line.startswith("Authorization")]
        self.phone.invite("510", extra=smuggled)
        invite = self.desk.expect("INVITE")
        self.desk.respond(invite, 180, extra=self.SMUGGLED)
        self.desk.respond(invite, 200, sdp("127.0.0.1", 41000), extra=self.SMUGGLED)
        self.phone.expect(180)
        answered = self.phone.expect(200)
        self.phone.within(answered, "ACK", cseq=self.phone.cseq, extra=self.SMUGGLED)
        self.desk.expect("ACK")
        self.phone.within(answered, "INFO", b"", extra=self.SMUGGLED)
        self.desk.respond(self.desk.expect("INFO"), 200, extra=self.SMUGGLED)
        self.phone.expect(200)
        self.desk.within_theirs(invite, "BYE", extra=self.SMUGGLED)
        self.desk.expect(200)
        self.phone.respond(self.phone.expect("BYE"), 200, extra=self.SMUGGLED)
        self.server.quiet()
        self.clean(self.phone, callers)
        self.clean(self.desk, callees)

    def test_names_and_numbers_cannot_break_out_of_their_line(self):
        """A carrier's caller has a name and a number with escapes, quotes, folds and control characters."""
        carrier = Agent(self.server.sip, "127.0.0.8", "udp", "carrier")
        try:
            self.server.api.post("trunks", {"title": "inbound", "host": "127.0.0.8"})
            jane = next(user for user in self.server.api.get("users")["items"] if user["name"] == "jane")
            self.server.api.post("dids", {"number": "01632 960123", "user_id": jane["id"]})
            since = len(self.desk.received)
            for sender in ('"Eve\\\" \r\n X-Evil: 1" <sip:eve@127.0.0.8>', '"%0d%0aX-Evil: 1" <sip:eve@127.0.0.8>',
                           '"Eve" <sip:44%0d%0aX-Evil:%201%0d%0a@127.0.0.8>', '"Eve" <sip:44%22%3e%3bx=%3csip:evil%40127.0.0.8>',
                           '"Eve\\\\" <sip:%00%01%1b%7f@127.0.0.8>'):
                carrier.call_id = f"{os.urandom(6).hex()}@test"
                carrier.send(carrier.request("INVITE", f"sip:+441632960123@{carrier.remote}", sdp("127.0.0.8")).replace(
                    f"From: <sip:carrier@{carrier.remote}>".encode(), b"From: " + sender.encode()))
                answer = carrier.expect(180, 400, 486, 480, 100)
                if answer.status == 400:
                    continue
                invite = self.desk.receive()
                self.assertEqual(invite.method, "INVITE")  # and its reader is a strict one
                self.desk.respond(invite, 486)
                self.desk.expect("ACK")
                if answer.status == 100:
                    answer = carrier.expect(486)
                carrier.ack_refusal(answer, f"sip:+441632960123@{carrier.remote}")
            invites = [message for message in self.desk.received[since:] if message.method == "INVITE"]
            self.assertGreaterEqual(len(invites), 3)
            for invite in invites:
                names = {name.lower() for name, _ in invite.headers}
                self.assertNotIn("x-evil", names)
                self.assertNotRegex(invite.text().replace("\r\n", ""), r"[\x00-\x08\x0a-\x1f\x7f]")
                self.assertRegex(invite.get("From"), r'^("([^"\\]|\\.)*" )?<sip:[^<>@\s"]+@[\w.]+:\d+>;tag=\w+$')
            self.assertNotRegex(self.server.output(), r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
        finally:
            carrier.close()

    def test_no_control_character_reaches_the_log(self):
        guesser = Agent(self.server.sip, user="600", password="a guess")
        try:
            for user in ("\x1b[31m330", "33\x07\x08", "330\t x=y", "\u009b31m", "330\\\"\x00"):
                uri = f"sip:{guesser.remote}"
                guesser.send(guesser.request("REGISTER", uri))
                challenge = guesser.expect(401)
                line = digest(challenge.get("WWW-Authenticate"), "REGISTER", uri, user, "a guess")
                guesser.send(guesser.request("REGISTER", uri, extra=["Authorization: " + line, f"User-Agent: {user}"]))
                self.assertIn(guesser.receive().status, (400, 401))
            wait_for(lambda: "sip_authentication_refused" in self.server.output(), 10, "a line in the log")
            self.assertNotRegex(self.server.output(), r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
        finally:
            guesser.close()

    def test_a_device_has_ten_contacts_at_most(self):
        for port in range(30):
            self.phone.call_id = f"{port}@test"
            self.assertEqual(self.phone.register(contact=f"<sip:330@127.0.0.1:{20000 + port}>").status, 200)
        self.assertEqual(len([item for item in self.server.api.get("registrations")["items"]
                              if item["number"] == "330"]), 10)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Calls by way of a media relay, Debian's rtpengine: their voice, what the status says, and what becomes of them when it dies."""

import os
import re
import time
import unittest

from agents import Baresip, wait_for
from relay import Relay, installed
from server import Server


@unittest.skipUnless(installed(), "rtpengine is not installed")
class MediaRelay(unittest.TestCase):
    def setUp(self):
        self.relay = Relay()
        self.addCleanup(self.relay.close)
        self.server = Server(settings=self.relay.settings + self.settings())
        self.addCleanup(self.server.close)
        self.phones = {}
        for number, name, extension in (("330", "jane", "510"), ("822", "bob", "512")):
            device = self.server.device(number)
            self.server.user(name, extension, [(device, 0, 20)])
            phone = Baresip(number, device["sip_password"], self.server.sip)
            self.addCleanup(phone.close)
            self.phones[number] = phone
        wait_for(lambda: len(self.server.api.get("registrations")["items"]) == 2, 10, "both phones to register")
        wait_for(lambda: self.state()["up"], 10, "the relay to be up")

    @staticmethod
    def settings():
        return "media anchor = all\n"

    def state(self):
        return self.server.api.get("status")["media_relays"][0]

    def metric(self, name):
        text = self.server.api.raw("GET", "/metrics")[2]
        return int(re.search(rf'^carillon_{name}{{relay="one"}} (\d+)$', text, re.M).group(1))

    def call(self):
        desk, bob = self.phones["330"], self.phones["822"]
        began = time.monotonic()
        bob.dial(f"sip:510@{self.server.sip}")
        desk.wait("CALL_INCOMING", after=began)
        desk.answer()
        bob.wait("CALL_ESTABLISHED", after=began)
        return desk, bob

    def sockets(self):
        """What the relay listens on for voice."""
        folder = f"/proc/{self.relay.process.pid}/fd"
        return sum(os.readlink(f"{folder}/{each}").startswith("socket:") for each in os.listdir(folder))

    def test_voice_goes_through_it(self):
        idle = self.sockets()
        desk, bob = self.call()
        wait_for(lambda: self.state()["sessions"] == 1, 5, "a session")
        self.assertEqual(self.sockets(), idle + 4)
        self.assertEqual(self.metric("media_relay_sessions"), 1)
        self.assertEqual(self.metric("media_relay_up"), 1)
        time.sleep(3)  # of talk, so that there is something to tell of
        bob.hang_up()
        wait_for(lambda: self.state()["sessions"] == 0, 5, "no session")
        self.assertEqual(self.sockets(), idle)
        record = self.server.records()[0]
        self.assertEqual(record["outcome"], "answered")
        leg = next(each for each in record["legs"] if each["outcome"] == "answered")
        heard = wait_for(lambda: leg["quality"] or self.server.record(record["id"])["legs"][0]["quality"], 5, "the quality")
        self.assertEqual((heard["relay"], heard["codec"]), ("one", "PCMU"))
        self.assertGreater(heard["packets"], 100)

    def test_relay_that_dies(self):
        self.call()
        self.relay.stop()
        wait_for(lambda: not self.state()["up"], 10, "the relay to be down")
        status = self.server.api.get("status")
        self.assertFalse(status["all_right"])
        trouble = next(each for each in status["problems"] if each["code"] == "media_relay_down")
        self.assertEqual((trouble["severity"], trouble["sentence"]), ("error", "Media relay one does not answer."))
        self.assertEqual(self.metric("media_relay_up"), 0)
        self.phones["822"].hang_up()
        self.server.quiet()
        # These two can do without.
        self.call()
        self.phones["822"].hang_up()
        self.server.quiet()
        self.relay.again()
        wait_for(lambda: self.state()["up"], 10, "the relay to be up again")
        self.call()
        wait_for(lambda: self.state()["sessions"] == 1, 5, "a session")


if __name__ == "__main__":
    unittest.main()

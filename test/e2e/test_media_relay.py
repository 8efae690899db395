#!/usr/bin/env python3
"""Calls by way of a media relay, Debian's rtpengine: their voice, what the status says, and what becomes of them when it dies."""

import os
import re
import socket
import struct
import time
import unittest

from agents import Baresip, wait_for
from relay import Relay, installed
from server import Server
from wire import Agent, sdp


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



@unittest.skipUnless(installed(), "rtpengine is not installed")
class PressOne(unittest.TestCase):
    """An outside phone hears who calls, in real RTP, and presses 1."""

    def setUp(self):
        self.relay = Relay()
        self.addCleanup(self.relay.close)
        self.server = Server(settings=self.relay.settings)
        self.addCleanup(self.server.close)
        device = self.server.device("330")
        self.caller = self.agent(device["number"], device["sip_password"])
        self.assertEqual(self.caller.register().status, 200)
        self.server.user("bob", "512", [(device, 0, 20)])
        self.mobile = self.agent("+441444123456", "", "127.0.0.9")
        trunk = self.server.api.post("trunks", {"title": "Carrier", "host": self.mobile.host, "port": self.mobile.port,
                                                "options_interval_s": 0})
        self.server.api.post("routes", {"pattern": "", "trunk_id": trunk["id"]})
        outside = self.server.device("01444 123456", "external", confirm=True)
        self.server.user("jane", "510", [(outside, 0, 60)], toll_class=1)
        wait_for(lambda: self.server.api.get("status")["media_relays"][0]["up"], 10, "the relay to be up")

    def agent(self, user, password, host="127.0.0.1"):
        agent = Agent(self.server.sip, host, user=user, password=password)
        self.addCleanup(agent.close)
        agent.voice = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        agent.voice.bind((host, 0))
        agent.voice.settimeout(0.5)
        self.addCleanup(agent.voice.close)
        agent.sdp = sdp(host, agent.voice.getsockname()[1])
        return agent

    def heard(self, agent, seconds):
        """Packets that come to it within this time."""
        packets, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                packets.append(agent.voice.recv(2000))
            except TimeoutError:
                pass
        return packets

    def press(self, key, to, kind):
        """RFC 4733: three packets that it goes on, three that it is over."""
        for count in range(6):
            head = struct.pack(">BBHII", 0x80, kind | (0x80 if count == 0 else 0), 100 + count, 16000, 77)
            self.mobile.voice.sendto(head + struct.pack(">BBH", key, 0x0a | (0x80 if count > 2 else 0), 160 * min(count + 1, 4)), to)
            time.sleep(0.02)

    @staticmethod
    def place(body):
        text = body.decode()
        return re.search(r"^c=IN IP4 (\S+)", text, re.M).group(1), int(re.search(r"^m=audio (\d+)", text, re.M).group(1))

    def test_press_one(self):
        self.caller.invite("510", self.caller.sdp)
        invite = self.mobile.expect("INVITE")
        place = self.place(invite.body)
        kind = int(re.search(r"^a=rtpmap:(\d+) telephone-event/8000", invite.body.decode(), re.M).group(1))
        own = self.mobile.sdp.decode().replace("RTP/AVP 0", f"RTP/AVP 0 {kind}") + f"a=rtpmap:{kind} telephone-event/8000\r\n"
        self.mobile.respond(invite, 180)
        time.sleep(2)  # or it is a voicemail
        self.mobile.respond(invite, 200, own.encode())
        self.mobile.expect("ACK")
        prompt = self.heard(self.mobile, 1.5)
        self.assertGreater(len(prompt), 40)
        self.assertTrue(any(len(set(packet[12:])) > 8 for packet in prompt), "silence alone")
        self.press(1, place, kind)
        answered = self.caller.expect(180, 183, 200)
        while answered.status != 200:
            answered = self.caller.expect(180, 183, 200)
        self.caller.within(answered, "ACK", cseq=self.caller.cseq)
        # The two hear each other.
        there = self.place(answered.body)
        for count in range(50):
            self.caller.voice.sendto(struct.pack(">BBHII", 0x80, 0, count, count * 160, 5) + b"\x11" * 160, there)
            self.mobile.voice.sendto(struct.pack(">BBHII", 0x80, 0, 200 + count, 32000 + count * 160, 77) + b"\x22" * 160, place)
            time.sleep(0.02)
        self.assertGreater(len([each for each in self.heard(self.mobile, 0.5) if each[12:14] == b"\x11\x11"]), 30)
        self.assertGreater(len([each for each in self.heard(self.caller, 0.5) if each[12:14] == b"\x22\x22"]), 30)
        self.caller.within(answered, "BYE")
        self.caller.expect(200)
        self.mobile.respond(self.mobile.expect("BYE"), 200)
        record = self.server.records()[0]
        self.assertEqual(record["outcome"], "answered")


if __name__ == "__main__":
    unittest.main()

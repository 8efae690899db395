#!/usr/bin/env python3
"""Calls by way of a media relay, Debian's rtpengine: their voice, what the status says, and what becomes of them when it dies."""

import os
import re
import time
import unittest

from agents import Baresip, wait_for
from listening import Listening
from relay import Relay, installed
from server import Server
from voice import Voice, VoiceAgent, exchange, heard_from, place_of


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
class Codecs(unittest.TestCase):
    """Two phones without a codec in common: the relay translates."""

    def test_opus_and_g711(self):
        relay = Relay()
        self.addCleanup(relay.close)
        server = Server(settings=relay.settings + "media anchor = all\n")
        self.addCleanup(server.close)
        phones = []
        for number, name, extension, hertz, codec in (("330", "jane", "510", 400, "opus/48000/2"), ("822", "bob", "512", 1000, "pcma")):
            device = server.device(number)
            server.user(name, extension, [(device, 0, 20)])
            phones.append(Listening(number, device["sip_password"], server.sip, hertz, codec))
            self.addCleanup(phones[-1].close)
            phones[-1].registered()
        wait_for(lambda: server.api.get("status")["media_relays"][0]["up"], 20, "the relay to be up")
        jane, bob = phones
        for caller, called, extension in (jane, bob, "512"), (bob, jane, "510"):
            began = time.monotonic()
            caller.dial(f"sip:{extension}@{server.sip}")
            called.wait("CALL_INCOMING", after=began)
            called.answer()
            caller.wait("CALL_ESTABLISHED", after=began)
            jane.hears(1000)
            bob.hears(400)
            caller.hang_up()
            called.wait("CALL_CLOSED", after=began)
            server.quiet()


@unittest.skipUnless(installed(), "rtpengine is not installed")
class Waiting(unittest.TestCase):
    """What is heard where nobody sends anything."""

    def setUp(self):
        self.relay = Relay()
        self.addCleanup(self.relay.close)
        self.server = Server(settings=self.relay.settings + "media anchor = all\n")
        self.addCleanup(self.server.close)
        self.jane, self.bob, self.carol = (self.phone(*who) for who in (("330", "jane", "510"), ("331", "bob", "511"), ("332", "carol", "512")))
        wait_for(lambda: self.server.api.get("status")["media_relays"][0]["up"], 20, "the relay to be up")

    def phone(self, number, name, extension):
        device = self.server.device(number)
        self.server.user(name, extension, [(device, 0, 20)])
        agent = VoiceAgent(self.server.sip, user=number, password=device["sip_password"])
        self.addCleanup(agent.close)
        self.assertEqual(agent.register().status, 200)
        return agent

    def talk(self):
        self.bob.invite("510", self.bob.sdp())
        invite = self.jane.expect("INVITE")
        self.jane.place = place_of(invite.body)
        self.jane.respond(invite, 200, self.jane.sdp())
        self.jane.expect("ACK")
        answered = self.bob.expect(200)
        self.bob.within(answered, "ACK", cseq=self.bob.cseq)
        self.bob.place = place_of(answered.body)
        return invite, answered

    def hold(self, invite, direction):
        """By Jane, of Bob."""
        self.jane.within_theirs(invite, "INVITE", self.jane.sdp(direction))
        offer = self.bob.expect("INVITE")
        self.bob.respond(offer, 200, self.bob.sdp({"sendonly": "recvonly"}.get(direction, direction)))
        self.bob.expect("ACK")
        self.jane.expect(200)
        self.jane.within_theirs(invite, "ACK", cseq=self.jane.cseq)

    def test_music_while_held(self):
        invite, answered = self.talk()
        self.assertFalse(self.bob.hears_sound(0.5))
        self.hold(invite, "sendonly")
        self.assertTrue(self.bob.hears_sound(), "no music came")
        self.hold(invite, "sendrecv")
        self.bob.forget()
        self.bob.hear(0.3)
        self.assertFalse(self.bob.hears_sound(1), "the music went on")
        self.assertGreater(min(exchange(self.bob, self.jane)), 25)
        self.bob.within(answered, "BYE")
        self.bob.expect(200)
        self.jane.respond(self.jane.expect("BYE"), 200)

    def test_the_ringing_tone_after_a_transfer(self):
        invite, _ = self.talk()
        self.jane.within_theirs(invite, "REFER", extra=["Refer-To: <sip:512@carillon>", "Refer-Sub: false", "Supported: norefersub"])
        self.jane.expect(200, 202)
        ringing = self.carol.expect("INVITE")
        self.carol.respond(ringing, 100)
        self.jane.within_theirs(invite, "BYE")
        while self.jane.expect(200, "NOTIFY").cseq_method != "BYE":
            pass
        self.assertFalse(self.bob.hears_sound(0.5), "nothing rings yet")
        self.carol.respond(ringing, 180)
        self.assertTrue(self.bob.hears_sound(), "no ringing tone came")
        self.carol.respond(ringing, 200, self.carol.sdp())
        offer = self.bob.expect("INVITE")
        self.bob.respond(offer, 200, self.bob.sdp())
        self.bob.expect("ACK")
        self.bob.place, self.carol.place = place_of(offer.body), place_of(self.carol.expect("ACK").body)
        self.assertGreater(min(exchange(self.bob, self.carol)), 25)
        self.carol.within_theirs(ringing, "BYE")
        self.carol.expect(200)
        self.bob.respond(self.bob.expect("BYE"), 200)


@unittest.skipUnless(installed(), "rtpengine is not installed")
class BehindNat(unittest.TestCase):
    """Phones whose descriptions name a place where they are not, and a third party that sends to their ports before they do."""

    PRIVATE, LEARNING_S = "10.9.9.9", 4

    def setUp(self):
        self.relay = Relay()
        self.addCleanup(self.relay.close)
        self.server = Server(settings=self.relay.settings)
        self.addCleanup(self.server.close)
        self.bob, self.jane = self.phone("331", "bob", "511", "127.0.0.3"), self.phone("330", "jane", "510", "127.0.0.4")
        self.thief = Voice("127.0.0.2")
        self.addCleanup(self.thief.close)
        wait_for(lambda: self.server.api.get("status")["media_relays"][0]["up"], 20, "the relay to be up")

    def phone(self, number, name, extension, host):
        device = self.server.device(number)
        self.server.user(name, extension, [(device, 0, 20)])
        agent = VoiceAgent(self.server.sip, host, user=number, password=device["sip_password"])
        self.addCleanup(agent.close)
        self.assertEqual(agent.register(contact=f"<sip:{number}@{self.PRIVATE}:{agent.port}>").status, 200)
        return agent

    def private(self, agent):
        return agent.sdp().replace(agent.host.encode(), self.PRIVATE.encode())

    def all_speak(self, victim, other):
        """The thief to the victim's port, before the victim does and faster. Gives what each has heard."""
        for agent in self.thief, victim, other:
            agent.forget()
        for _ in range(20):
            self.thief.say(0x33)
            victim.say(0x11)
            self.thief.say(0x33)
            other.say(0x22)
        return victim.hear(0.3), other.hear(0.3), self.thief.hear(0.1)

    def robbed(self, victim, other):
        self.thief.place = victim.place
        self.thief.say(0x33, 10)
        heard, at_other, stolen = self.all_speak(victim, other)
        self.assertGreater(heard_from(heard, 0x22), 15)
        self.assertGreater(heard_from(at_other, 0x11), 15)
        self.assertEqual(heard_from(stolen, 0x22), 0)
        time.sleep(self.LEARNING_S)
        self.all_speak(victim, other)
        heard, at_other, stolen = self.all_speak(victim, other)
        self.assertGreater(heard_from(heard, 0x22), 15)
        self.assertGreater(heard_from(at_other, 0x11), 15)
        self.assertEqual((heard_from(at_other, 0x33), len(stolen)), (0, 0))

    def talk(self):
        self.bob.invite("510", self.private(self.bob))
        invite = self.jane.expect("INVITE")
        self.jane.place = place_of(invite.body)
        self.jane.respond(invite, 200, self.private(self.jane))
        self.jane.expect("ACK")
        self.answered = self.bob.expect(200)
        self.bob.within(self.answered, "ACK", cseq=self.bob.cseq)
        self.bob.place = place_of(self.answered.body)

    def over(self):
        self.bob.within(self.answered, "BYE")
        self.bob.expect(200)
        self.jane.respond(self.jane.expect("BYE"), 200)
        self.assertEqual(self.server.records()[0]["legs"][0]["anchor_reason"], "nat")

    def test_who_is_faster_than_the_caller_takes_nothing(self):
        self.talk()
        self.robbed(self.bob, self.jane)
        self.over()

    def test_who_is_faster_than_the_called_takes_nothing(self):
        self.talk()
        self.robbed(self.jane, self.bob)
        self.over()


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Press 1 to take, with real RTP over a real relay: what outside phones hear, what their keys do, and what becomes of the others."""

import io
import time
import unittest
import urllib.request
import wave

from agents import wait_for
from relay import Relay, installed
from server import Server
from voice import VoiceAgent, exchange, heard_from, place_of

MOBILES = ("+441444123456", "+441444123457")


@unittest.skipUnless(installed(), "rtpengine is not installed")
class PressOne(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.relay = Relay()
        cls.addClassCleanup(cls.relay.close)
        cls.server = Server(settings=cls.relay.settings)
        cls.addClassCleanup(cls.server.close)
        cls.caller, cls.desk = cls.phone("330"), cls.phone("331")
        cls.server.user("bob", "512", [(cls.devices["330"], 0, 20)])
        # One carrier for each, so that they are two ends of the wire.
        cls.mobiles = [cls.agent(number, "", host) for number, host in zip(MOBILES, ("127.0.0.9", "127.0.0.10"))]
        outside = [cls.server.device(number, "external", confirm=True) for number in MOBILES]
        for mobile in cls.mobiles:
            trunk = cls.server.api.post("trunks", {"title": mobile.user, "host": mobile.host, "port": mobile.port, "options_interval_s": 0})
            cls.server.api.post("routes", {"pattern": mobile.user, "trunk_id": trunk["id"]})
        cls.server.user("jane", "510", [(outside[0], 0, 60)], toll_class=1)
        cls.server.user("carol", "513", [(device, 0, 60) for device in outside], toll_class=1)
        cls.server.user("dave", "514", [(outside[0], 0, 60), (cls.devices["331"], 0, 60)], toll_class=1)
        wait_for(lambda: cls.server.api.get("status")["media_relays"][0]["up"], 20, "the relay to be up")

    devices = {}

    @classmethod
    def agent(cls, user, password, host="127.0.0.1"):
        agent = VoiceAgent(cls.server.sip, host, user=user, password=password)
        cls.addClassCleanup(agent.close)
        return agent

    @classmethod
    def phone(cls, number):
        device = cls.devices[number] = cls.server.device(number)
        agent = cls.agent(number, device["sip_password"])
        if agent.register().status != 200:
            raise AssertionError(f"{number} could not register")
        return agent

    def setUp(self):
        self.count = self.server.record_count()
        for agent in (self.caller, self.desk, *self.mobiles):
            agent.call_id = f"{agent.new_branch()}@test"
            agent.forget()

    def record(self):
        self.server.quiet()
        return self.server.records(self.count + 1)[0]

    # ---- the way to the prompt

    def rings(self, mobile):
        invite = mobile.expect("INVITE", seconds=10)
        mobile.respond(invite, 180)
        return invite

    def answers(self, mobile, invite):
        """It answers, and hears who calls."""
        mobile.place = place_of(invite.body)
        mobile.respond(invite, 200, mobile.sdp())
        mobile.expect("ACK", seconds=10)
        self.assertTrue(mobile.hears_sound(), "no prompt came")

    def call(self, extension, *mobiles):
        """Calls and has these answer. Gives the INVITEs that they got."""
        self.caller.invite(extension, self.caller.sdp())
        invites = [self.rings(mobile) for mobile in mobiles]
        for mobile, invite in zip(mobiles, invites):
            self.answers(mobile, invite)
        return invites

    def until(self, *wanted):
        """What the caller gets at last; that it rings is passed over."""
        while (message := self.caller.expect(*wanted, 180, 183, seconds=15)).status in (180, 183):
            pass
        return message

    def connected(self):
        answered = self.until(200)
        self.caller.within(answered, "ACK", cseq=self.caller.cseq)
        self.caller.place = place_of(answered.body)
        return answered

    def refused(self, status):
        self.caller.ack_refusal(self.until(status), self.caller.invite_uri)

    def hear_each_other(self, one, other):
        self.assertGreater(min(exchange(one, other)), 25)

    def hang_up(self, answered, other):
        self.caller.within(answered, "BYE")
        self.caller.expect(200)
        other.respond(other.expect("BYE"), 200)

    def is_dropped(self, mobile, seconds=10):
        mobile.respond(mobile.expect("BYE", seconds=seconds), 200)

    # ---- what happens there

    def test_1_takes_it(self):
        mobile = self.mobiles[0]
        self.call("510", mobile)
        self.caller.forget()
        mobile.say(0x33, 10)
        self.assertEqual(heard_from(self.caller.hear(0.3), 0x33), 0, "heard before it had the call")
        mobile.press(1)
        answered = self.connected()
        self.hear_each_other(self.caller, mobile)
        self.hang_up(answered, mobile)
        self.assertEqual(self.record()["outcome"], "answered")

    def test_it_hangs_up(self):
        mobile = self.mobiles[0]
        invite, = self.call("510", mobile)
        mobile.within_theirs(invite, "BYE")
        mobile.expect(200)
        self.refused(486)  # as the user wants it for calls that nobody takes
        self.assertEqual(self.record()["legs"][0]["outcome"], "not_confirmed")

    def test_2_refuses_it(self):
        mobile = self.mobiles[0]
        self.call("510", mobile)
        mobile.press(2)
        self.is_dropped(mobile)
        self.refused(486)
        self.assertEqual(self.record()["legs"][0]["outcome"], "declined")

    def test_another_key_begins_again(self):
        mobile = self.mobiles[0]
        self.call("510", mobile)
        mobile.press(5)
        mobile.hear(0.5)
        self.assertTrue(mobile.hears_sound(), "the prompt did not come again")
        mobile.press(1)
        answered = self.connected()
        self.hang_up(answered, mobile)
        self.assertEqual(self.record()["outcome"], "answered")

    def test_silence(self):
        """Three prompts with five seconds after each. What is said is made short for it."""
        self.shorten()
        mobile = self.mobiles[0]
        began = time.monotonic()
        self.call("510", mobile)
        prompts = 1
        while prompts < 3:
            silent_since = time.monotonic()
            while time.monotonic() - silent_since < 2:
                if mobile.hears_sound(0.2):
                    silent_since = time.monotonic()
            self.assertTrue(mobile.hears_sound(10), f"prompt {prompts + 1} did not come")
            prompts += 1
        self.is_dropped(mobile, 20)
        self.assertGreater(time.monotonic() - began, 15)
        self.refused(486)  # as the user wants it for calls that nobody takes
        self.assertEqual(self.record()["legs"][0]["outcome"], "not_confirmed")

    def shorten(self):
        sound = io.BytesIO()
        with wave.open(sound, "wb") as file:
            file.setnchannels(1), file.setsampwidth(2), file.setframerate(8000)
            file.writeframes(bytes(range(256)) * 12)
        for piece in self.server.api.get("prompts")["items"]:
            if piece["id"].startswith("en-"):
                self.recording("PUT", piece["id"], sound.getvalue())
                self.addCleanup(self.recording, "DELETE", piece["id"])

    def recording(self, method, piece, sound=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.api.port}/api/v1/prompts/{piece}/recording", sound, method=method,
                                         headers={"Authorization": "Bearer " + self.server.api.token, "Content-Type": "audio/wav"})
        urllib.request.urlopen(request, timeout=10).close()

    def test_a_late_1(self):
        mobile = self.mobiles[0]
        self.caller.invite("514", self.caller.sdp())
        at_desk = self.rings(self.desk)
        self.answers(mobile, self.rings(mobile))
        self.desk.place = place_of(at_desk.body)
        self.desk.respond(at_desk, 200, self.desk.sdp())
        self.desk.expect("ACK")
        answered = self.connected()
        self.assertEqual(self.caller.place, self.desk.voice.getsockname(), "two phones need no relay")
        mobile.forget()
        self.assertTrue(mobile.hears_sound(), "nothing said that somebody else has it")
        mobile.press(1)
        self.is_dropped(mobile)
        self.caller.forget()
        mobile.say(0x33, 10)
        self.assertEqual(heard_from(self.caller.hear(0.3), 0x33), 0)
        self.hang_up(answered, self.desk)
        record = self.record()
        self.assertEqual({leg["number"]: leg["outcome"] for leg in record["legs"]}, {"331": "answered", MOBILES[0]: "answered_elsewhere"})

    def test_two_press_1_at_once(self):
        one, other = self.mobiles
        self.call("513", one, other)
        one.press(1), other.press(1)
        answered = self.connected()
        # Whose key came first is the relay's to say. The other hears that it is taken; then his call is over.
        legs = self.server.api.get("calls")["items"][0]["legs"]
        talking = next(leg["number"] for leg in legs if leg["state"] == "talking")
        winner, loser = (one, other) if talking == one.user else (other, one)
        self.is_dropped(loser, 15)
        self.hear_each_other(self.caller, winner)
        self.hang_up(answered, winner)
        self.assertEqual(sorted(leg["outcome"] for leg in self.record()["legs"]), ["answered", "answered_elsewhere"])

    def test_the_caller_gives_up(self):
        mobile = self.mobiles[0]
        self.call("510", mobile)
        while self.caller.received[-1].status not in (180, 183):
            self.caller.expect(180, 183)
        self.caller.cancel()
        self.is_dropped(mobile)
        self.caller.cancelled()
        self.assertEqual(self.record()["outcome"], "caller_gave_up")


if __name__ == "__main__":
    unittest.main()

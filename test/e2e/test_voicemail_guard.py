#!/usr/bin/env python3
"""The voicemail guard against a carrier whose voicemail answers: at once, after early media, reliably or not, and late. What
is said at both ends is read byte by byte: to the carrier, and to the caller, who must hear nothing of it."""

import os
import unittest

from agents import Sipp
from server import Server, timeline, wait_for
from test_sipp import received
from wire import Agent, sdp

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
TOO_SOON = 'Q.850;cause=16;text="Answered too soon"'
RING_TIME_OVER = 'SIP;cause=408;text="Ring time over", Q.850;cause=19'
ANNOUNCEMENT = b"s=announcement"


class VoicemailGuard(unittest.TestCase):
    last = 400

    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def number(self):
        VoicemailGuard.last += 1
        return str(VoicemailGuard.last)

    def phone(self, title):
        device = self.server.device(self.number(), title=title)
        agent = Agent(self.server.sip, user=device["number"], password=device["sip_password"])
        self.addCleanup(agent.close)
        self.assertEqual(agent.register().status, 200)
        agent.device = device
        return agent

    def carrier(self, scenario, ring_ms=0, calls=1, **guard):
        """A carrier that sipp plays, and a mobile behind it with these times of the guard."""
        number = self.number()
        sipp = Sipp(os.path.join(SCENARIOS, scenario + ".xml"), host="127.0.0.9", calls=calls,
                    extra=["-d", str(ring_ms)])
        self.addCleanup(sipp.close)
        trunk = self.server.api.post("trunks", {"title": f"carrier {number}", "host": sipp.host, "port": sipp.port,
                                                    "options_interval_s": 0})
        self.server.api.post("routes", {"pattern": f"+441444123{number}", "trunk_id": trunk["id"]})
        sipp.device = self.server.device(f"01444 123{number}", "external", title="mobile", **guard)
        return sipp

    def call(self, *devices, **user):
        """Somebody calls a user with these devices; the caller and the extension."""
        caller, extension = self.phone("caller"), self.number()
        self.server.user(f"caller{extension}", self.number(), [(caller.device, 0, 20)])
        self.server.user(f"user{extension}", extension, [(device, 0, 30) for device in devices], toll_class=1, **user)
        caller.invite(extension)
        return caller, extension

    def finished(self, sipp):
        self.assertEqual(sipp.wait(30), 0, f"{sipp.errors()}\n{sipp.messages()[-6000:]}")
        return received(sipp)

    def record(self, extension):
        self.server.quiet()
        return wait_for(lambda: next((record for record in self.server.records() if record["dialled"] == extension), None),
                        10, "the record")

    def takes(self, caller, desk, invite):
        """The desk has rung on, and takes the call; the caller has heard ringing and the desk, and nothing else."""
        desk.respond(invite, 200, sdp(desk.host, 41000))
        answered = caller.expect(180, 200)
        if answered.status == 180:
            answered = caller.expect(200)
        self.assertEqual(answered.body, sdp(desk.host, 41000))
        caller.within(answered, "ACK", cseq=caller.cseq)
        desk.expect("ACK")
        caller.within(answered, "BYE")
        caller.expect(200)
        desk.respond(desk.expect("BYE"), 200)
        for message in caller.received:
            self.assertNotIn(ANNOUNCEMENT, message.body)
            self.assertNotEqual(message.status, 183)

    def voicemail_is_dropped(self, scenario, **carrier):
        sipp, desk = self.carrier(scenario, too_soon_ms=1500, **carrier), self.phone("desk")
        caller, extension = self.call(sipp.device, desk.device)
        invite = desk.expect("INVITE")
        desk.respond(invite, 180)
        said = self.finished(sipp)
        self.assertEqual([message.method for message in said if message.method != "PRACK"], ["INVITE", "ACK", "BYE"])
        self.assertEqual(said[-1].get("Reason"), TOO_SOON)
        self.takes(caller, desk, invite)
        record = self.record(extension)
        outcomes = {leg["title"]: leg["outcome"] for leg in record["legs"]}
        self.assertEqual(outcomes, {"mobile": "too_soon", "desk": "answered"}, timeline(record))
        return record

    def test_without_any_ringing(self):
        leg = next(leg for leg in self.voicemail_is_dropped("voicemail_at_once")["legs"] if leg["title"] == "mobile")
        self.assertIsNone(leg["ringing_at"])
        self.assertIn("too soon", leg["reason"])

    def test_after_two_seconds_of_silence_and_early_media(self):
        """Longer than the limit since our INVITE, 200 ms since it rang."""
        self.voicemail_is_dropped("voicemail_after_early_media", ring_ms=2000)

    def test_after_reliable_early_media(self):
        self.voicemail_is_dropped("phone_answers_reliably", ring_ms=200)

    def test_that_crosses_our_cancel_when_it_is_too_late(self):
        sipp, desk = self.carrier("phone_answers_cancelled", too_late_ms=2000), self.phone("desk")
        caller, extension = self.call(sipp.device, desk.device)
        invite = desk.expect("INVITE")
        desk.respond(invite, 180)
        said = self.finished(sipp)
        self.assertEqual([message.method for message in said], ["INVITE", "CANCEL", "ACK", "BYE"])
        self.assertEqual([message.get("Reason") for message in said if message.method in ("CANCEL", "BYE")],
                         [RING_TIME_OVER] * 2)
        self.takes(caller, desk, invite)
        leg = next(leg for leg in self.record(extension)["legs"] if leg["title"] == "mobile")
        self.assertEqual(leg["outcome"], "too_late")
        self.assertAlmostEqual(leg["answered_at"] - leg["ringing_at"], 2, delta=1)

    def test_the_last_device_is_a_voicemail(self):
        sipp = self.carrier("voicemail_at_once", too_soon_ms=1500)
        caller, extension = self.call(sipp.device, unanswered="busy")
        answer = caller.expect(486)  # as the user wants it when nobody answers
        caller.ack_refusal(answer, caller.invite_uri)
        self.finished(sipp)
        self.assertEqual(self.record(extension)["outcome"], "timed_out")

    def test_what_its_answers_tell(self):
        """A voicemail that answers each call at once: after twenty of them the time that keeps it away is proposed."""
        sipp = self.carrier("voicemail_at_once", calls=20, too_soon_ms=1500, too_late_ms=0)
        caller, extension = self.call(sipp.device, unanswered="hang_up")
        for call in range(20):
            if call > 0:
                self.assertIsNone(self.answer_times(sipp)["too_soon"])  # not enough yet
                caller.call_id = f"{call}-{caller.call_id}"
                caller.invite(extension)
            caller.ack_refusal(caller.expect(480), caller.invite_uri)
            wait_for(lambda: self.answer_times(sipp)["answers"] == call + 1, 10, "the record")
        self.finished(sipp)
        times = self.answer_times(sipp)
        self.assertEqual((times["too_soon_ms"], times["too_late_ms"]), (1500, 0))
        self.assertEqual(sum(bucket["too_soon"] for bucket in times["buckets"]), 20)
        self.assertEqual((times["too_soon"]["reason"], times["too_soon"]["answers"]), ("voicemail", 20))
        self.assertGreater(times["too_soon"]["ms"], times["too_soon"]["to_ms"])
        self.assertEqual(times["too_late"]["reason"], "none_seen")

    def answer_times(self, sipp):
        return self.server.api.get(f"devices/{sipp.device['id']}/answer-times")


if __name__ == "__main__":
    unittest.main()

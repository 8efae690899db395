#!/usr/bin/env python3
"""Phones that dial feature codes: selected with a PIN, given back, do-not-disturb; and no PIN is written anywhere."""

import json
import unittest

from agents import wait_for
from server import ApiError, Server
from wire import Agent, sdp

PIN, WRONG = "470815", "470816"


class FeatureCodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(settings="log level = debug")
        cls.api = cls.server.api

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.agents = []

    def tearDown(self):
        for agent in self.agents:
            agent.close()
        self.server.quiet(45)

    def phone(self, number, **fields):
        device = self.server.device(number, **fields)
        agent = Agent(self.server.sip, "127.0.0.1", "udp", device["number"], device["sip_password"])
        self.agents.append(agent)
        self.assertEqual(agent.register().status, 200)
        agent.device = device
        return agent

    def dial(self, phone, code, body=None):
        """The final answer to a feature code; a 200 is acknowledged and its BYE answered."""
        phone.invite(code, body)
        answer = phone.expect(200, 403, 404, 480, 486, 503, seconds=60)
        if answer.status == 200:
            phone.within(answer, "ACK", cseq=phone.cseq)
            phone.respond(phone.expect("BYE", seconds=30), 200)
        else:
            phone.ack_refusal(answer, phone.invite_uri)
        return answer

    def selected_by(self, user):
        device = self.api.get(f"users/{user['id']}")["selected_device"]
        return device and device["number"]

    def test_a_phone_is_selected_and_given_back(self):
        lobby, other = (self.phone(number, available_for_selection=True) for number in ("330", "331"))
        kept = self.phone("332")
        jane = self.server.user("jane", "510", pin=PIN)
        self.server.user("bob", "511", pin=PIN)
        desk = self.phone("333")
        self.server.user("carol", "512", [(desk.device, 0, 20)])
        self.assertNotIn('"pin', json.dumps(self.api.get(f"users/{jane['id']}")))
        refused = self.dial(lobby, "512")
        self.assertEqual(refused.status, 403)
        answer = self.dial(lobby, f"*70510*{PIN}")
        self.assertEqual(answer.status, 200)
        self.assertEqual([line.split()[1] for line in answer.body.decode().splitlines() if line.startswith("m=")], ["0"])
        self.assertEqual(self.selected_by(jane), "330")
        # Exclusive, and only what may be selected; whoever has assignments selects nothing.
        self.assertEqual(self.dial(lobby, f"*70511*{PIN}").status, 486)
        self.assertEqual(self.dial(kept, f"*70510*{PIN}").status, 403)
        # The phone is hers: she calls from it, and is rung there.
        lobby.invite("512")
        invite = desk.expect("INVITE", seconds=30)
        self.assertIn('"Jane" <sip:510@', invite.get("From"))
        desk.respond(invite, 486)
        desk.expect("ACK", seconds=30)
        lobby.ack_refusal(lobby.expect(486, seconds=30), lobby.invite_uri)
        desk.invite("510")
        ring = lobby.expect("INVITE", seconds=30)
        lobby.respond(ring, 486)
        lobby.expect("ACK", seconds=30)
        desk.ack_refusal(desk.expect(486, seconds=30), desk.invite_uri)
        # Another phone takes the first one's place.
        self.assertEqual(self.dial(other, f"*70510*{PIN}").status, 200)
        self.assertEqual(self.selected_by(jane), "331")
        self.assertEqual(self.dial(lobby, "512").status, 403)
        self.assertEqual(self.dial(other, "*71").status, 200)
        self.assertIsNone(self.selected_by(jane))
        self.assertEqual(self.dial(desk, "*71").status, 403, "what is assigned stays so")
        entry = next(entry for entry in self.api.get("audit?entity=selection")["items"] if entry["action"] == "release")
        self.assertEqual((entry["actor"], entry["via"], entry["address"]), ("jane", "phone", "331"))

    def test_guessing_gets_slow_and_says_nothing(self):
        phone = self.phone("340", available_for_selection=True)
        self.server.user("dan", "520", pin=PIN)
        self.server.user("eve", "521")  # without a PIN
        answers = [self.dial(phone, code) for code in (f"*70520*{WRONG}", f"*70521*{WRONG}", f"*70529*{WRONG}", f"*70520*{WRONG}x")]
        self.assertEqual({(answer.status, answer.get("Warning")) for answer in answers},
                         {(403, answers[0].get("Warning"))}, "a wrong PIN, none, no such extension, no PIN at all")
        self.assertIn("The extension or the PIN is wrong.", answers[0].get("Warning"))
        wait_for(lambda: self.dial(phone, f"*70528*{WRONG}").status == 480, 60, "the phone to be made to wait")
        for text in (PIN, WRONG):
            self.assertNotIn(text, self.server.output())
            self.assertNotIn(text, json.dumps(self.server.records()))
            self.assertNotIn(text, json.dumps(self.api.get("audit?limit=1000")))
        changes = [change for entry in self.api.get("audit?entity=user&limit=1000")["items"] for change in entry["changes"]]
        self.assertIn("pin", {change["field"] for change in changes})
        self.assertNotIn("argon2", json.dumps(changes))

    def test_do_not_disturb(self):
        phone = self.phone("350")
        user = self.server.user("fay", "530", [(phone.device, 0, 20)])
        for code, on in (("*181", True), ("*181", True), ("*182", False)):
            self.assertEqual(self.dial(phone, code).status, 200)
            self.assertEqual(self.api.get(f"users/{user['id']}")["do_not_disturb"], on)

    def test_a_pin_is_set_by_its_owner_and_by_administrators(self):
        phone = self.phone("360", available_for_selection=True)
        user = self.server.user("gil", "540")
        own = type(self.api)(self.server.http_port)
        own.sign_in("gil", "correct horse battery")
        own.put("me/password", {"password": "correct horse battery", "new_password": "correct horse stapler"})
        own.sign_in("gil", "correct horse stapler")
        for wrong in ("123", "1" * 16, "12a4", 1234, None):
            for call in (lambda: own.patch("me", {"pin": wrong}), lambda: self.api.patch(f"users/{user['id']}", {"pin": wrong})):
                with self.assertRaises(ApiError) as refused:
                    call()
                self.assertEqual(refused.exception.status, 422)
                self.assertIn("pin", json.dumps(refused.exception.problem))
        self.assertNotIn("argon2", json.dumps(own.patch("me", {"pin": PIN})))
        self.assertEqual(self.dial(phone, f"*70540*{PIN}").status, 200)
        self.api.patch(f"users/{user['id']}", {"pin": ""})
        self.assertEqual(self.dial(phone, f"*70540*{PIN}").status, 403)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""The password of a session's phone: it registers over the console's WebSocket, and ends with the session or the hold."""

import signal
import time
import unittest

from agents import wait_for
from server import Api, ApiError, Server
from wire import Agent

PASSWORD = "a better horse"


class BrowserPhone(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.device = self.server.device("330", "webrtc")
        self.jane = self.server.user("jane", "510", [(self.device, 0, 20)])
        api = Api(self.server.api.port)
        api.sign_in("jane", "correct horse battery")
        api.put("me/password", {"password": "correct horse battery", "new_password": PASSWORD})
        api.delete("session")

    def session(self, name="jane"):
        api = Api(self.server.api.port)
        api.sign_in(name, PASSWORD)
        return api

    def begin(self, api):
        given = api.post("me/phone", {})
        self.assertEqual((given["device_id"], given["number"], given["path"]), (self.device["id"], "330", "/sip"))
        return given["password"]

    def phone(self, password):
        agent = Agent(f"127.0.0.1:{self.server.api.port}", user="330", password=password, transport="ws")
        self.addCleanup(agent.close)
        return agent

    def bindings(self):
        return self.server.api.get("registrations")["items"]

    def test_registers_and_renews(self):
        api = self.session()
        first = self.phone(self.begin(api))
        self.assertEqual(first.register().status, 200)
        second = self.phone(self.begin(api))
        self.assertEqual(second.register().status, 200)
        self.assertEqual(first.register().status, 200, "the one before is still good")
        self.begin(api)
        self.assertNotEqual(first.register().status, 200, "two of a session at a time")

    def test_connections_that_break_as_the_server_ends(self):
        """The second binding's end waits for the first's to be on disk, which it often is only when the server is about to be gone."""
        api = self.session()
        for _ in range(10):
            api.port = self.server.api.port  # another one after each start
            phones = [self.phone(self.begin(api)) for _ in range(2)]
            for phone in phones:
                self.assertEqual(phone.register().status, 200)
            for phone in phones:
                phone.close()
            time.sleep(0.002)
            self.server.restart(signal.SIGTERM)
        self.assertNotIn("registration_not_forgotten", self.server.output())

    def test_a_wrong_password(self):
        self.begin(self.session())
        self.assertIn(self.phone("wrong").register().status, (401, 403))

    def test_ends_with_the_session(self):
        api = self.session()
        phone = self.phone(self.begin(api))
        self.assertEqual(phone.register().status, 200)
        password = phone.password
        api.delete("session")
        wait_for(lambda: not self.bindings(), 10, "the registration to end")
        self.assertIn(self.phone(password).register().status, (401, 403))

    def test_ends_with_the_hold_of_the_device(self):
        api = self.session()
        phone = self.phone(self.begin(api))
        self.assertEqual(phone.register().status, 200)
        self.server.plan(self.jane, [])
        wait_for(lambda: not self.bindings(), 10, "the registration to end")
        self.assertIn(self.phone(phone.password).register().status, (401, 403))
        with self.assertRaises(ApiError) as caught:
            api.post("me/phone", {})
        self.assertEqual(caught.exception.status, 409)

    def test_not_for_tokens(self):
        with self.assertRaises(ApiError) as caught:
            self.server.api.post("me/phone", {})
        self.assertEqual(caught.exception.status, 403)


if __name__ == "__main__":
    unittest.main()

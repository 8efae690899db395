#!/usr/bin/env python3
"""SIGHUP: the configuration is read again while a call is up over TCP; nothing that is up ends."""

import re
import signal
import unittest

from agents import wait_for
from server import Server
from wire import Agent, sdp


class Reload(unittest.TestCase):
    def setUp(self):
        self.server = Server(settings="registrar min_s = 60")
        self.agents = []

    def tearDown(self):
        for agent in self.agents:
            agent.close()
        self.server.close()

    def phone(self, number):
        device = self.server.device(str(number))
        agent = Agent(self.server.sip, "127.0.0.1", "tcp", device["number"], device["sip_password"])
        self.agents.append(agent)
        self.assertEqual(agent.register().status, 200)
        agent.person = self.server.user(f"user{number}", str(number + 1), [(device, 0, 20)])
        return agent

    def rewrite(self, *changes):
        with open(self.server.path) as config:
            text = config.read()
        for before, after in changes:
            self.assertIn(before, text)
            text = text.replace(before, after)
        with open(self.server.path, "w") as config:
            config.write(text)

    def reload(self, wanted):
        skip = len(self.server.output())
        self.server.process.send_signal(signal.SIGHUP)
        return wait_for(lambda: re.search(wanted + ".*", self.server.output()[skip:]), 10, wanted).group(0)

    def test_a_call_goes_on(self):
        caller, callee = self.phone(600), self.phone(610)
        caller.invite(callee.person["extension"])
        invite = callee.expect("INVITE")
        callee.respond(invite, 200, sdp(callee.host, 41000))
        answered = caller.expect(180, 200)
        if answered.status == 180:
            answered = caller.expect(200)
        caller.within(answered, "ACK", cseq=caller.cseq)
        callee.expect("ACK")

        # A mistake changes nothing, and is named by its line.
        self.rewrite(("min_s = 60", "min_s = sixty"))
        with open(self.server.path) as config:
            line = config.read().split("\n").index("min_s = sixty") + 1
        self.assertIn(f"line={line}", self.reload("configuration_not_reloaded"))
        self.assertEqual(caller.register(expires=100).status, 200)

        # What can change does; what cannot is named.
        self.rewrite(("min_s = sixty", "min_s = 300"), ("[http]", "[http]\nworkers = 3"),
                     ("[sip]", "[overload]\nretry_after_s = 20\n[sip]\nnonce_life_s = 1000\nsession_min_s = 700"))
        changed = self.reload("configuration_reloaded")
        for key in ("[registrar] min_s", "[overload] retry_after_s", "[sip] nonce_life_s", "[sip] session_min_s"):
            self.assertIn(key, changed)
        wait_for(lambda: re.search(r'configuration_needs_restart.*\[http\] workers', self.server.output()), 5, "the key")
        self.assertEqual(caller.register(expires=100).status, 423)
        self.assertEqual(caller.register(expires=600).status, 200)

        caller.invite(callee.person["extension"], extra=["Supported: timer", "Session-Expires: 600"])
        refused = caller.expect(422)
        self.assertEqual(refused.get("Min-SE"), "700")
        caller.ack_refusal(refused, caller.invite_uri)

        # The call is still there, over the same connections.
        caller.within(answered, "BYE")
        callee.respond(callee.expect("BYE"), 200)
        caller.expect(200)
        self.server.quiet()


if __name__ == "__main__":
    unittest.main()

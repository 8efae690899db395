#!/usr/bin/env python3
"""Peers that say no more, and what the server waits for until it gives them up: half a minute of real time each."""

import socket
import time
import unittest

import test_faults
from agents import wait_for
from wire import Agent


class Silence(test_faults.Means):
    def test_peers_that_are_silent(self):
        """Both wait at the same time: one that reads no more, and two that are gone in a call."""
        self.serve()
        began = time.monotonic()
        self.stop_reading()
        self.die_in_a_call()
        wait_for(lambda: self.metric("sip_connections") == 0, 55, "the end of its connection")
        print(f"let go after {time.monotonic() - began:.0f} s")
        self.assertGreater(time.monotonic() - began, 20)
        caller = self.phone("330")
        caller.invite("513")  # it is not rung any more
        caller.ack_refusal(caller.expect(486), caller.invite_uri)
        self.server.quiet()
        self.assertEqual(self.server.records(3)[0]["legs"][0]["outcome"], "unreachable")
        wait_for(lambda: self.metric("sip_sessions") == 0, 60, "the sessions' end")

    def stop_reading(self):
        """Eve's phone, extension 513. Little waits for it, so it is let go after a time: half a minute."""
        self.devices["332"] = self.server.device("332")
        self.server.user("eve", "513", [(self.devices["332"], 0, 20)])
        narrow = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        narrow.connect(("127.0.0.1", self.server.sip_port))
        deaf = Agent(self.server.sip, transport="tcp", user="332", password=self.devices["332"]["sip_password"],
                     accepted=narrow)
        self.addCleanup(deaf.close)
        self.assertEqual(deaf.register().status, 200)
        for _ in range(60):
            deaf.send(deaf.request("OPTIONS", f"sip:{self.server.sip}"))

    def die_in_a_call(self):
        caller, callee = self.phone("330", "tcp"), self.phone("331")
        answered, invite = self.talk(caller, callee)
        caller.socket.close()  # without a word
        callee.within_theirs(invite, "BYE")
        callee.expect(200)
        self.server.quiet()
        self.assertEqual(callee.register(expires=0).status, 200)
        caller, callee = self.phone("330"), self.phone("331", "tcp")
        answered, invite = self.talk(caller, callee)
        callee.socket.close()
        caller.within(answered, "BYE")
        caller.expect(200)
        self.server.quiet()
        self.assertEqual([record["outcome"] for record in self.server.records(2)], ["answered", "answered"])


if __name__ == "__main__":
    unittest.main()

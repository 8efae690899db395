#!/usr/bin/env python3
"""Idempotency keys outlive the server: what a request did is done once, however often it is sent and whenever the server is killed;
and what was shown once lies on no disk."""

import http.client
import json
import os
import random
import sqlite3
import threading
import time
import unittest

from server import Server

ROUNDS = int(os.environ.get("CARILLON_KILLS", "100")) // 10


class Idempotency(unittest.TestCase):
    def setUp(self):
        self.server = Server(settings="log level = warning\n")
        self.addCleanup(self.server.close)

    def post(self, path, body, key):
        status, headers, text = self.server.api.raw("POST", "/api/v1/" + path, body, {"Idempotency-Key": key})
        return status, headers, json.loads(text)

    def stored(self):
        with sqlite3.connect(os.path.join(self.server.folder, "carillon.db")) as database:
            return database.execute("SELECT status, body FROM request_answers ORDER BY at").fetchall()

    def test_a_key_survives_a_restart_and_the_secret_does_not(self):
        body = {"kind": "sip_phone", "number": "330"}
        status, headers, first = self.post("devices", body, "one")
        self.assertEqual(status, 201)
        self.assertNotIn("idempotency-replayed", headers)
        _, headers, again = self.post("devices", body, "one")
        self.assertEqual(again, first)  # the password too, as long as it is remembered
        self.assertEqual(headers["idempotency-replayed"], "true")
        self.assertEqual(self.post("devices", body, "two")[0], 409)  # refused: done nothing, so nothing is kept of it
        self.assertEqual(len(self.stored()), 1)
        self.assertNotIn(first["sip_password"], str(self.stored()))
        self.server.restart()
        status, headers, again = self.post("devices", body, "one")
        password = first.pop("sip_password")
        self.assertEqual((status, again), (201, first))
        self.assertEqual(headers["idempotency-replayed"], "true")
        self.assertEqual(headers["location"], f"/api/v1/devices/{first['id']}")
        self.assertEqual(headers["etag"], '"1"')
        status, _, refused = self.post("devices", {"kind": "sip_phone", "number": "331"}, "one")
        self.assertEqual((status, refused["code"]), (422, "key_reused"))
        for name in os.listdir(self.server.folder):
            if name.startswith("carillon.db"):
                with open(os.path.join(self.server.folder, name), "rb") as file:
                    self.assertNotIn(password.encode(), file.read())
        # A token's secret, a user's password, the passwords of an import: none of them is kept either.
        token = self.post("tokens", {"title": "t", "role": "auditor"}, "three")[2]
        self.assertNotIn(token["secret"], str(self.stored()))
        # What was done and whose answer is not known is said to be done.
        with sqlite3.connect(os.path.join(self.server.folder, "carillon.db")) as database:
            database.execute("UPDATE request_answers SET status = 0, body = ''")
        self.server.restart()
        status, _, refused = self.post("devices", body, "one")
        self.assertEqual((status, refused["code"]), (409, "request_done"))

    def test_killed_at_any_moment_it_counts_once(self):
        """The key is written by the transaction of the creation: there is none without the other."""
        seed = int(os.environ.get("CARILLON_KILL_SEED", time.time()))
        print(f"CARILLON_KILL_SEED={seed}")
        chance = random.Random(seed)
        for round_number in range(ROUNDS):
            body, key = {"kind": "external", "number": f"01444 {100000 + round_number}"}, f"round {round_number}"

            def send():
                try:
                    self.post("devices", body, key)
                except (OSError, http.client.HTTPException, ValueError):
                    pass  # killed meanwhile
            sender = threading.Thread(target=send)
            sender.start()
            threading.Event().wait(chance.uniform(0, 0.02))
            self.server.restart()
            sender.join()
            status, _, answer = self.post("devices", body, key)
            self.assertTrue(status == 201 or answer.get("code") == "request_done", answer)
            self.assertEqual(self.server.api.get("devices?q=" + str(100000 + round_number))["total"], 1)


if __name__ == "__main__":
    unittest.main()

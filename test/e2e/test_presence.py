#!/usr/bin/env python3
"""The presence of Teams users, from a Microsoft Graph that behaves as documented: tokens, throttling, pages, batches, errors."""

import http.client
import json
import os
import tempfile
import time
import unittest

from agents import wait_for
from graph import BATCH_MAX, Graph
from server import ApiError, Server

PRESENCES, TOKEN = "/communications/getPresencesByUserId", "/oauth2/v2.0/token"


class Events:
    """Listens to devices' events."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
        self.connection.request("GET", "/api/v1/events?kinds=device", headers={"Authorization": "Bearer " + server.api.token})
        self.stream = self.connection.getresponse()

    def next(self, wanted):
        for line in self.stream:
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                if wanted(event):
                    return event
        raise AssertionError("the stream of events has ended")

    def close(self):
        self.connection.close()


class Presence(unittest.TestCase):
    NAMES = ("jane@example.com", "bob+odd@example.com")

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="carillon-graph-")
        cls.graph = Graph(cls.folder.name)
        cls.server = Server(environment={**os.environ, "SSL_CERT_FILE": cls.graph.authority.path})
        cls.api = cls.server.api
        for name, number in zip(cls.NAMES, ("+441444123456", "+441444123457")):
            cls.graph.add(name)
            cls.api.post("devices", {"kind": "teams", "number": number, "title": name.split("@")[0], "teams_user": name})

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.graph.close()
        cls.folder.cleanup()

    def setUp(self):
        self.api.patch("settings", {"graph_presence": False})
        self.until("off")
        self.graph.reset()
        for name in self.NAMES:
            self.graph.set(name, "Available", "Available")

    def until(self, state, seconds=20):
        return wait_for(lambda: (lambda now: now["state"] == state and now)(self.api.get("teams-presence")), seconds,
                        f"the state {state}")

    def on(self, **more):
        self.api.patch("settings", self.graph.settings(**more))

    def presences(self):
        return {each["title"]: each["presence"] for each in self.api.get("devices?kind=teams&limit=1000")["items"]}

    def is_shown(self, title, availability, activity, seconds=20):
        def look():
            shown = self.presences()[title]
            return shown and (shown["availability"], shown["activity"]) == (availability, activity)
        wait_for(look, seconds, f"{title} to be {availability}")

    def test_presence_is_shown_and_told_as_it_changes(self):
        self.assertFalse(any(self.presences().values()))
        self.graph.life_s = 4  # a token that is renewed at half of its life
        self.on()
        now = self.until("working")
        self.assertEqual((now["users"], now["known"], now["sentence"]), (2, 2, ""))
        self.is_shown("jane", "available", "Available")
        device = self.api.get("devices?number=%2B441444123456")["items"][0]
        self.assertIsNotNone(self.api.get(f"devices/{device['id']}")["presence"]["at"])
        events = Events(self.server)
        self.addCleanup(events.close)
        self.graph.set("jane@example.com", "Busy", "InACall")
        event = events.next(lambda event: event["id"] == device["id"])
        self.assertEqual((event["presence"]["availability"], event["presence"]["activity"]), ("busy", "InACall"))
        self.is_shown("bob+odd", "available", "Available")
        for jane, bob in ((("DoNotDisturb", "do_not_disturb"), ("BeRightBack", "away")),
                          (("Offline", "offline"), ("PresenceUnknown", "unknown"))):  # a look at both takes as long as one
            for name, (said, _) in zip(self.NAMES, (jane, bob)):
                self.graph.set(name, said, said)
            for title, (said, shown) in (("jane", jane), ("bob+odd", bob)):
                self.is_shown(title, shown, said)
        self.assertGreater(len(self.graph.seen(TOKEN, 200)), 2)
        self.assertEqual(self.graph.seen("", 401), [])  # each token was renewed before its end
        self.assertEqual(len(self.graph.seen("/users/jane%40example.com")), 1)  # and who somebody is, asked once
        metrics = self.api.raw("GET", "/metrics")[2]
        self.assertIn("\ncarillon_graph_up 1\n", metrics)
        self.assertIn("\ncarillon_graph_users 2\n", metrics)

    def test_a_server_that_asks_for_patience_gets_it(self):
        self.on()
        self.until("working")
        self.graph.fail = [(PRESENCES, 429, 7)]  # longer than it is between two looks
        now = self.until("waiting")
        self.assertIn("429, TooManyRequests", now["sentence"])
        self.until("working")
        self.assertEqual(self.graph.impatient, 0)
        # Without a time it waits longer and longer, and does not ask for tokens meanwhile.
        self.graph.fail = [(PRESENCES, 429, None), (PRESENCES, 503, None)]
        tokens = len(self.graph.seen(TOKEN))
        wait_for(lambda: not self.graph.fail, 30, "two refusals")
        self.until("working", 30)
        times = [each[0] for each in self.graph.seen(PRESENCES)]
        refused = next(i for i in range(len(times)) if self.graph.seen(PRESENCES)[i][2] in (429, 503) and i > 1)
        waits = [times[i + 1] - times[i] for i in range(refused, refused + 2)]
        self.assertGreaterEqual(waits[0], 1.9)
        self.assertGreaterEqual(waits[1], 3.9)
        self.assertEqual(len(self.graph.seen(TOKEN)), tokens)
        self.assertRegex(self.api.raw("GET", "/metrics")[2], r"\ncarillon_graph_throttled_total 2\n")

    def test_a_token_that_is_taken_back_is_replaced_at_once(self):
        self.on()
        self.until("working")
        self.graph.tokens.clear()
        wait_for(lambda: len(self.graph.seen(TOKEN)) == 2, 20, "a second token")
        self.graph.set("jane@example.com", "Away", "Away")
        self.is_shown("jane", "away", "Away")
        self.assertEqual(len(self.graph.seen("", 401)), 1)

    def test_what_microsoft_refuses_is_said(self):
        self.on(graph_client_secret="wrong")
        self.assertIn("invalid_client. The client id or the client secret is wrong", self.until("refused")["sentence"])
        problem = next(each for each in self.api.get("status")["problems"] if each["code"] == "teams_presence")
        self.assertIn("invalid_client", problem["sentence"])
        self.on(graph_tenant="elsewhere.example")
        wait_for(lambda: "The tenant may be wrong" in self.api.get("teams-presence")["sentence"], 20, "the tenant to be wrong")
        self.graph.fail = [(PRESENCES, 403, None)]
        self.on()
        wait_for(lambda: "Presence.Read.All" in self.api.get("teams-presence")["sentence"], 20, "a permission to be missing")
        self.assertIsNone(self.api.get("teams-presence")["heard_at"])

    def test_the_secret_is_never_seen_again(self):
        self.on()
        self.until("working")
        settings = self.api.get("settings")
        self.assertTrue(settings["graph_client_secret_is_set"])
        self.assertNotIn("graph_client_secret", settings)
        for path in ("settings", "audit?limit=1000", "teams-presence", "status"):
            self.assertNotIn(json.dumps(Graph.SECRET)[1:-1], json.dumps(self.api.get(path)))
        # Nor does it go anywhere else, whoever asks for that.
        for change in ({"graph_login_url": "https://elsewhere.example"}, {"graph_url": "https://elsewhere.example"},
                       {"graph_tenant": "elsewhere.example"}):
            with self.assertRaises(ApiError) as refused:
                self.api.patch("settings", change)
            self.assertEqual(refused.exception.problem["field"][0]["name"], "graph_client_secret")
        with self.assertRaises(ApiError) as refused:
            self.api.patch("settings", self.graph.settings(graph_url="http://127.0.0.1:1"))
        self.assertEqual(refused.exception.problem["field"][0]["name"], "graph_url")
        log = self.server.output()
        self.assertNotIn(Graph.SECRET, log)
        self.assertNotIn("eyJ", log)

    def test_a_user_whom_microsoft_does_not_know_is_unknown(self):
        made = self.api.post("devices", {"kind": "teams", "number": "+441444123458", "title": "ghost", "teams_user": "ghost@example.com"})
        self.addCleanup(self.api.delete, f"devices/{made['id']}")
        self.on()
        now = self.until("working")
        self.assertEqual((now["users"], now["known"]), (3, 2))
        self.is_shown("jane", "available", "Available")
        self.assertEqual(self.presences()["ghost"], {"availability": "unknown", "activity": None, "at": None})
        self.api.patch("settings", {"graph_presence": False})
        wait_for(lambda: not any(self.presences().values()), 10, "nothing to be shown any more")

    def test_many_users_are_asked_for_in_batches_and_pages(self):
        count, made = BATCH_MAX + 20, []
        for i in range(count):
            user = self.graph.add(f"many{i}@example.com", "Away", "Away")  # by their ids, that need no looking up
            made.append(self.api.post("devices", {"kind": "teams", "number": f"+4420{i:08}", "title": f"many{i}", "teams_user": user})["id"])
        for device in made:
            self.addCleanup(self.api.delete, f"devices/{device}")
        self.graph.page = 300
        self.on()
        self.assertEqual(self.until("working", 40)["known"], count + 2)
        self.assertEqual({each["availability"] for title, each in self.presences().items() if title.startswith("many")}, {"away"})
        first = [each[0] for each in self.graph.seen(PRESENCES, 200)]
        self.assertGreaterEqual(len(first), 4)  # three pages of one batch, one of the other


if __name__ == "__main__":
    unittest.main()

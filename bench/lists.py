#!/usr/bin/env python3
"""How quick the lists are with 50,000 users and 150,000 devices while calls go on, and whether the calls notice. Prints for each
request of a list its p50 and p99, and what a caller waits for a ringing tone with and without the lists; ends with 0 only when
each p99 is below the bound and no call failed."""

import argparse
import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test", "e2e"))
sys.path.insert(0, os.path.join(ROOT, "bench"))

import storm  # noqa: E402
from server import Server  # noqa: E402

DEVICES, PHONES = 150000, 3000  # of the devices so many register and call

LISTS = [
    ("devices", "devices", {}),
    ("devices by number", "devices", {"sort": "number"}),
    ("devices by title, backwards", "devices", {"sort": "-title"}),
    ("devices by description", "devices", {"sort": "description"}),
    ("devices by call limit", "devices", {"sort": "call_limit"}),
    ("SIP phones by title", "devices", {"kind": "sip_phone", "sort": "title"}),
    ("external numbers by number", "devices", {"kind": "external", "sort": "number"}),
    ("devices, a word in one", "devices", {"q": "149998", "sort": "title"}),
    ("devices, a word in none", "devices", {"q": "nobody-at-all", "sort": "title"}),
    ("devices, a word in a third", "devices", {"q": "laptop", "sort": "number"}),
    ("devices, a word in all", "devices", {"q": "of", "sort": "-number"}),
    ("devices, two words", "devices", {"q": "laptop 1499", "sort": "number"}),
    ("external numbers, a word in some", "devices", {"kind": "external", "q": "room 17", "sort": "title"}),
    ("devices that nobody has", "devices", {"held": "nobody", "sort": "number"}),
    ("devices that are assigned", "devices", {"held": "assigned", "sort": "title"}),
    ("devices by who has them", "devices", {"sort": "holder"}),
    ("SIP phones by state", "devices", {"kind": "sip_phone", "sort": "-registered"}),
    ("external numbers, assigned, by title", "devices", {"kind": "external", "held": "assigned", "sort": "title"}),
    ("devices offered, by NAT", "devices", {"available_for_selection": "false", "sort": "nat"}),
    ("devices, two letters in none", "devices", {"q": "zq", "sort": "title"}),
    ("one user's devices", "devices", {"holder_id": "777"}),
    ("registered devices", "devices", {"registered": "true", "sort": "title"}),
    ("SIP phones not registered", "devices", {"kind": "sip_phone", "registered": "false", "sort": "title"}),
    ("users", "users", {}),
    ("users by title", "users", {"sort": "title"}),
    ("users by extension, backwards", "users", {"sort": "-extension"}),
    ("users, a word in one", "users", {"q": "user49998", "sort": "title"}),
    ("users, a word in many", "users", {"q": "person", "sort": "title"}),
    ("users who are signed in", "users", {"signed_in": "true"}),
    ("users without devices", "users", {"has_devices": "false", "sort": "title"}),
    ("users who cannot be reached", "users", {"reach": "unreachable", "sort": "title"}),
    ("administrators", "users", {"role": "admin", "sort": "title"}),
    ("call records", "call-records", {}),
    ("call records of a user", "call-records", {"user_id": "777"}),
    ("call records, a word", "call-records", {"q": "500123"}),
    ("audit log", "audit", {}),
    ("registrations", "registrations", {}),
    ("status", "status", {}),
]


def fill(path):
    """The storm's devices, named like an office's, a few of them nobody's."""
    storm.fill(path, DEVICES)
    database = sqlite3.connect(path)
    database.execute(f"UPDATE devices SET kind = CASE id % 3 WHEN 0 THEN 'sip_phone' WHEN 1 THEN 'softphone' ELSE 'external' END, "
                     f"canonical = CASE id % 3 WHEN 2 THEN '+441444' || number ELSE '' END WHERE id > 10 + {PHONES}")
    database.execute("UPDATE devices SET title = CASE id % 3 WHEN 0 THEN 'Desk' WHEN 1 THEN 'Laptop' ELSE 'Mobile' END || "
                     "' of person ' || id, description = 'Room ' || (id % 977)")
    database.execute("DELETE FROM assignments WHERE device_id % 1000 = 999 AND device_id > 10000")
    database.execute("UPDATE devices SET held = CASE WHEN id IN (SELECT device_id FROM assignments) THEN 'assigned' ELSE 'nobody' END")
    database.execute("UPDATE devices SET search = lower(number || char(10) || canonical || char(10) || title || char(10) || description)")
    database.execute("UPDATE users SET title = 'Person ' || id WHERE id >= 10")
    database.execute("UPDATE devices SET holder = coalesce((SELECT title FROM users JOIN assignments ON users.id = user_id "
                     "WHERE device_id = devices.id), '')")
    database.execute("UPDATE users SET reach = CASE WHEN id NOT IN (SELECT user_id FROM assignments) THEN 'nothing' WHEN id IN "
                     "(SELECT user_id FROM assignments JOIN devices ON devices.id = device_id WHERE kind = 'external') "
                     "THEN 'reachable' ELSE 'unreachable' END")
    database.execute("UPDATE users SET search = lower(name || char(10) || title || char(10) || extension)")
    for table in "users", "devices":
        database.execute(f"INSERT INTO {table}_words ({table}_words) VALUES ('rebuild')")
    database.commit()
    database.close()


class Asker:
    """One browser: a connection that stays."""

    def __init__(self, api):
        self.connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
        self.headers = {"Authorization": "Bearer " + api.token} if api.token else {"Cookie": api.cookie}

    def ask(self, path):
        began = time.perf_counter()
        self.connection.request("GET", "/api/v1/" + path, headers=self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {text[:200]}")
        return took, json.loads(text)


def measure(asker, resource, parameters, count, pages):
    """Times of `count` requests, going on to the next page up to `pages` deep."""
    times, cursor, page, total = [], None, 0, None
    for _ in range(count):
        query = dict(parameters, **({"cursor": cursor} if cursor else {}))
        if resource != "status":
            query["limit"] = "50"
        took, body = asker.ask(resource + "?" + urllib.parse.urlencode(query))
        times.append(took)
        total = body.get("total", total)
        page += 1
        cursor = body.get("next") if page % pages else None
    times.sort()
    return times, total


def storm_start(options, server, seconds):
    return subprocess.Popen([options.storm, str(server.sip_port), str(PHONES), "50", str(options.calls), str(seconds), storm.REALM],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def storm_end(process):
    text = process.communicate(timeout=600)[0]
    latency = re.search(r"INVITE to 180 at the caller: p50 (\d+) us, p99 (\d+) us", text)
    calls = re.search(r"calls \d+ completed \d+ refused \d+ failures \d+", text)
    if process.returncode or not latency:
        print(text)
    return process.returncode, latency.group(0) if latency else "no calls", calls.group(0) if calls else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carillond", default=os.path.join(ROOT, "build/src/carillond"))
    parser.add_argument("--storm", default=os.path.join(ROOT, "build/bench/storm"))
    parser.add_argument("--calls", type=int, default=50, help="calls a second meanwhile")
    parser.add_argument("--requests", type=int, default=100, help="of each list")
    parser.add_argument("--pages", type=int, default=10, help="how deep")
    parser.add_argument("--bound", type=float, default=50, help="milliseconds that each p99 must be below")
    options = parser.parse_args()
    server = Server(options.carillond, settings="sip idle_s = 900\nlog level = warning\nlimits known_requests_per_s = 1000000\n")
    slow = []
    try:
        server.device("1")
        server.user("template", "199")
        server.stop()
        fill(os.path.join(server.folder, "carillon.db"))
        server.restart()
        status, alone, calls = storm_end(storm_start(options, server, 20))
        print(f"{options.calls} calls a second alone:      {alone}; {calls}")
        asker = Asker(server.api)
        process = storm_start(options, server, 60)
        while process.poll() is None and asker.ask("calls")[1]["total"] == 0:
            pass  # the phones register first
        rounds = 0
        results = {}
        while process.poll() is None:
            for name, resource, parameters in LISTS:
                times, total = measure(asker, resource, parameters, 10, options.pages)
                results.setdefault(name, ([], total))[0].extend(times)
            rounds += 1
        again, beside, calls = storm_end(process)
        print(f"load of the machine: {os.getloadavg()[0]:.1f} over {os.cpu_count()} processors")
        for name, _, _ in LISTS:
            times, total = sorted(results[name][0]), results[name][1]
            p99 = times[min(len(times) - 1, len(times) * 99 // 100)]
            if p99 >= options.bound:
                slow.append(name)
            print(f"{name:36} p50 {times[len(times) // 2]:6.1f} ms  p99 {p99:6.1f} ms  {len(times)} requests"
                  + (f", {total} found" if total is not None else ""))
        print(f"{options.calls} calls a second and lists:  {beside}; {calls}")
        if slow:
            print("too slow: " + ", ".join(slow))
        return 1 if slow or status or again else 0
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())

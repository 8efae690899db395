#!/usr/bin/env python3
"""How long a phone that registers waits for its answer while 50,000 users are imported, by the rows that one request takes: as the
console sends a large file. Prints p50, p99 and the longest of it, and how long the import took."""

import argparse
import http.client
import os
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test", "e2e"))

from server import Server  # noqa: E402
from wire import Agent  # noqa: E402


def send(server, rows, first):
    text = "name,title,extension\n" + "".join(f"user{at},Person {at},{100000 + at}\n" for at in range(first, first + rows))
    connection = http.client.HTTPConnection("127.0.0.1", server.api.port, timeout=300)
    connection.request("POST", "/api/v1/import/users", text,
                       {"Authorization": "Bearer " + server.api.token, "Content-Type": "text/csv"})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{answer.status} {said[:300]}")


def measure(binary, users, rows):
    server = Server(binary, settings="log level = warning\nlimits known_requests_per_s = 1000000\n")
    try:
        device = server.device("330")
        phone = Agent(server.sip, "127.0.0.1", "udp", "330", device["sip_password"])
        waits, over = [], threading.Event()

        def register():
            while not over.is_set():
                began = time.perf_counter()
                assert phone.register().status == 200
                waits.append((time.perf_counter() - began) * 1000)
                time.sleep(0.02)
        alone = threading.Thread(target=register)
        alone.start()
        began = time.perf_counter()
        for first in range(0, users, rows):
            send(server, rows, first)
        took = time.perf_counter() - began
        over.set()
        alone.join()
        waits.sort()
        print(f"{rows:5} rows a part: {users} users in {took:5.1f} s; {len(waits)} registrations waited p50 "
              f"{waits[len(waits) // 2]:6.1f} ms  p99 {waits[len(waits) * 99 // 100]:6.1f} ms  longest {waits[-1]:6.1f} ms")
        phone.close()
    finally:
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carillond", default=os.path.join(ROOT, "build/src/carillond"))
    parser.add_argument("--users", type=int, default=50000)
    parser.add_argument("--rows", type=int, nargs="*", default=[250, 500, 1000, 5000])
    options = parser.parse_args()
    for rows in options.rows:
        measure(options.carillond, options.users, rows)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} over {os.cpu_count()} processors")


if __name__ == "__main__":
    main()

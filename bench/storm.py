#!/usr/bin/env python3
"""A storm of registrations and calls at a server that is pinned to one core: 10,000 devices that register, refresh and call
extensions with three devices each. Prints what was acknowledged, what failed and what CPU the server took; ends with 0 only
when nothing failed."""

import argparse
import hashlib
import os
import sqlite3
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test", "e2e"))

from server import Server  # noqa: E402

FIRST_DEVICE, FIRST_EXTENSION, DEVICES_PER_USER, REALM = 100000, 500000, 3, "carillon"


def fill(path, devices):
    """Multiplies the one user and the one device that the API made: by the API alone it would take minutes."""
    database = sqlite3.connect(path)

    def columns(table, given):
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        return ", ".join(names), ", ".join("?" if name in given else name for name in names), \
            [name for name in names if name in given]

    def multiply(table, template, rows):
        names, values, given = columns(table, rows[0])
        database.executemany(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE id = {template}",
                             [tuple(row[name] for name in given) for row in rows])

    def hashed(algorithm, number):
        return hashlib.new(algorithm, f"{number}:{REALM}:secret{number}".encode()).hexdigest()

    numbers = [FIRST_DEVICE + i for i in range(devices)]
    multiply("devices", 1, [{"id": 10 + i, "number": str(number), "search": str(number), "ha1_md5": hashed("md5", number),
                             "ha1_sha256": hashed("sha256", number)} for i, number in enumerate(numbers)])
    users = devices // DEVICES_PER_USER
    template = database.execute("SELECT max(id) FROM users").fetchone()[0]
    multiply("users", template, [{"id": 10 + i, "name": f"user{i}", "search": f"user{i}",
                                  "extension": str(FIRST_EXTENSION + i)} for i in range(users)])
    database.executemany("INSERT INTO assignments (user_id, position, device_id, start_s, ring_s) VALUES (?, ?, ?, 0, 20)",
                         [(10 + i // DEVICES_PER_USER, i % DEVICES_PER_USER, 10 + i)
                          for i in range(users * DEVICES_PER_USER)])
    database.execute("UPDATE last_ids SET id = 1000000")
    database.commit()
    database.close()


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return [int(fields[i]) / os.sysconf("SC_CLK_TCK") for i in (11, 12)]


def memory_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carillond", default=os.path.join(ROOT, "build/src/carillond"))
    parser.add_argument("--storm", default=os.path.join(ROOT, "build/bench/storm"))
    parser.add_argument("--devices", type=int, default=10000)
    parser.add_argument("--registers", type=int, default=500, help="refreshes a second during the storm")
    parser.add_argument("--calls", type=int, default=200, help="calls a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--overload", action="store_true", help="more than the server can do: some may be sent away, none lost")
    options = parser.parse_args()

    server = Server(options.carillond, settings="sip idle_s = 900\nlog level = warning\n"
                    "limits known_requests_per_s = 1000000\noverload busy_percent = "
                    + ("90" if options.overload else "0"))  # one socket plays ten thousand phones
    try:
        server.device("1")
        server.user("template", "199")
        server.stop()
        fill(os.path.join(server.folder, "carillon.db"), options.devices)
        server.restart()
        os.sched_setaffinity(server.process.pid, {0})
        for task in os.listdir(f"/proc/{server.process.pid}/task"):
            os.sched_setaffinity(int(task), {0})
        empty = memory_kib(server.process.pid)
        before, began = cpu_seconds(server.process.pid), time.monotonic()
        storm = subprocess.run(["taskset", "-c", str(os.cpu_count() - 1), options.storm, str(server.sip_port),
                                str(options.devices), str(options.registers), str(options.calls), str(options.seconds), REALM,
                                *(["OVERLOAD"] if options.overload else [])],
                               check=False, timeout=options.seconds + 300, capture_output=True, text=True)
        user, system = (after - start for after, start in zip(cpu_seconds(server.process.pid), before))
        print(storm.stdout + storm.stderr, end="")
        print(f"server's CPU in {time.monotonic() - began:.0f} s: user {user:.1f} s, system {system:.1f} s; "
              f"memory {empty} KiB before, {memory_kib(server.process.pid)} KiB after")
        metrics = server.api.raw("GET", "/metrics")[2]
        for name in ("sip_retransmissions_total", "sip_timeouts_total", "store_failures_total", "store_commits_total", "sip_overload_total",
                     "sip_overload_refused_calls_total", "sip_overload_refused_registers_total", "sip_busy_percent",
                     "sip_admitted_percent"):
            print(next(line for line in metrics.splitlines() if line.startswith(f"carillon_{name} ")))
        said = {problem["code"]: problem["sentence"] for problem in server.api.get("status")["problems"]}
        print("status:", said.get("overloaded", ""), said.get("calls_refused", ""))
        return storm.returncode
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What browsers that listen to events cost the calls: the same calls a second with nobody listening, with so many agents and
with so many administrators, who hear of every call. Prints for each the time from INVITE to 180 and the CPU that the server
took; ends with 0 only when no call failed and every listener was still there at the end."""

import argparse
import json
import multiprocessing
import os
import selectors
import socket
import subprocess
import sys
import time

from storm import REALM, ROOT, Server, cpu_seconds, fill, memory_kib


def listen(port, token, count, ready, stop, result):
    """Opens the streams, reads them to the end and counts."""
    selector, received, ended = selectors.DefaultSelector(), 0, 0
    for _ in range(count):
        stream = socket.create_connection(("127.0.0.1", port))
        stream.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        assert stream.recv(65536).startswith(b"HTTP/1.1 200")
        selector.register(stream, selectors.EVENT_READ)
    ready.set()
    while not stop.is_set():
        for key, _ in selector.select(0.2):
            more = key.fileobj.recv(1 << 18)
            received += len(more)
            if not more:
                ended += 1
                selector.unregister(key.fileobj)
    result.put((received, ended))


def metric(server, name):
    lines = server.api.raw("GET", "/metrics")[2].splitlines()
    return int(next(line for line in lines if line.startswith(f"carillon_{name} ")).split()[1])


def threads_cpu(pid):
    """CPU of each thread, by its id."""
    times = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        times[task] = sum(int(fields[i]) for i in (11, 12)) / os.sysconf("SC_CLK_TCK")
    return times


def run(options, role, count):
    server = Server(options.carillond, settings="sip idle_s = 900\nlog level = warning\n"
                    "limits known_requests_per_s = 1000000\n")
    ready, stop, result = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.Queue()
    listener = None
    try:
        server.device("1")
        server.user("template", "199")
        token = server.api.post("tokens", {"title": "listener", "role": role or "auditor"})["secret"]
        server.stop()
        fill(os.path.join(server.folder, "carillon.db"), options.devices)
        server.restart()
        pid = server.process.pid
        if count:
            listener = multiprocessing.Process(target=listen, args=(server.http_port, token, count, ready, stop, result))
            listener.start()
            ready.wait(60)
        before, threads, sent, began = cpu_seconds(pid), threads_cpu(pid), metric(server, "event_bytes_total"), time.monotonic()
        storm = subprocess.run([options.storm, str(server.sip_port), str(options.devices), "50", str(options.calls),
                                str(options.seconds), REALM], check=False, timeout=options.seconds + 300,
                               capture_output=True, text=True)
        seconds = time.monotonic() - began
        user, system = (after - start for after, start in zip(cpu_seconds(pid), before))
        call_thread = threads_cpu(pid)[str(pid)] - threads.get(str(pid), 0)
        there, bytes_sent = metric(server, "event_listeners"), metric(server, "event_bytes_total") - sent
        print(f"== {count} listeners{' as ' + role if role else ''}, {options.calls} calls/s")
        print(storm.stdout + storm.stderr, end="")
        print(f"server's CPU in {seconds:.0f} s: user {user:.1f} s, system {system:.1f} s, of it the call thread "
              f"{call_thread:.1f} s; events sent {bytes_sent / seconds / 1e6:.2f} MB/s; memory {memory_kib(pid)} KiB; "
              f"listeners at the end {there}")
        return storm.returncode == 0 and there == count
    finally:
        if listener:
            stop.set()
            print("listeners received", json.dumps(result.get(timeout=30)))
            listener.join()
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carillond", default=os.path.join(ROOT, "build/src/carillond"))
    parser.add_argument("--storm", default=os.path.join(ROOT, "build/bench/storm"))
    parser.add_argument("--devices", type=int, default=900)
    parser.add_argument("--calls", type=int, default=50, help="calls a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--listeners", type=int, default=1000)
    options = parser.parse_args()
    done = [run(options, None, 0), run(options, "agent", options.listeners), run(options, "admin", options.listeners)]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())

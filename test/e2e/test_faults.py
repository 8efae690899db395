#!/usr/bin/env python3
"""What goes wrong around a server: peers that stop reading, no file descriptors left, a clock that is set, a log that nobody takes,
and the order to stop. Each time the others' calls go on, and nothing is left behind."""

import os
import re
import resource
import signal
import socket
import stat
import time
import unittest

from agents import wait_for
from server import Server
from wire import Agent, sdp

# A sanitizer keeps what was freed: little enough not to be taken for a leak.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1:verify_asan_link_order=0"}


class Means(unittest.TestCase):
    def serve(self, settings="", environment=None, binary=None):
        """A server with Bob's phone 330 (extension 512) and Jane's 331 (510)."""
        self.server = Server(binary=binary, settings=settings, environment={**ENVIRONMENT, **(environment or {})})
        self.addCleanup(self.server.close)
        self.devices = {number: self.server.device(number) for number in ("330", "331")}
        self.server.user("bob", "512", [(self.devices["330"], 0, 20)])
        self.server.user("jane", "510", [(self.devices["331"], 0, 20)])

    def phone(self, number, transport="udp"):
        phone = Agent(self.server.sip, transport=transport, user=number, password=self.devices[number]["sip_password"])
        self.addCleanup(phone.close)
        self.assertEqual(phone.register().status, 200)
        return phone

    def talk(self, caller, callee):
        """Bob calls Jane and is answered; gives what the caller got and what the callee did."""
        caller.call_id, caller.tag = f"{os.urandom(6).hex()}@test", os.urandom(4).hex()
        caller.invite("510")
        invite = callee.expect("INVITE")
        callee.respond(invite, 200, sdp("127.0.0.1", 41000))
        answered = caller.expect(200)
        caller.within(answered, "ACK", cseq=caller.cseq)
        callee.expect("ACK")
        return answered, invite

    def hang_up(self, caller, callee, answered):
        caller.within(answered, "BYE")
        caller.expect(200)
        callee.respond(callee.expect("BYE"), 200)

    def call(self, caller, callee):
        """A whole call; gives the seconds that it took."""
        began = time.monotonic()
        answered, _ = self.talk(caller, callee)
        self.hang_up(caller, callee, answered)
        return time.monotonic() - began

    def metric(self, name):
        text = self.server.api.raw("GET", "/metrics")[2]
        return int(re.search(rf"^carillon_{name} (\d+)$", text, re.M).group(1))

    def status(self, field):
        with open(f"/proc/{self.server.process.pid}/status") as status:
            return int(re.search(rf"{field}:\s+(\d+)", status.read()).group(1))

    def cpu_s(self):
        with open(f"/proc/{self.server.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Faults(Means):
    # ---- peers

    def test_a_peer_that_stops_reading(self):
        self.serve("limits known_requests_per_s = 1000000\noverload busy_percent = 0")
        caller, callee = self.phone("330"), self.phone("331")
        usual = max(self.call(caller, callee) for _ in range(3))
        third = self.devices["332"] = self.server.device("332")
        self.server.user("eve", "513", [(third, 0, 20)])
        deaf = self.phone("332", "tcp")
        connections, before = self.metric("sip_connections"), self.status("VmRSS")

        def ask(count):
            """Asks, and takes no answer."""
            for _ in range(count):
                try:
                    deaf.send(deaf.request("OPTIONS", f"sip:{self.server.sip}"))
                except (socket.timeout, ConnectionError):
                    return False
            return True

        # It asks faster than anybody takes the answers: what waits for it is bounded, and then it is let go.
        deaf.socket.settimeout(5)
        end, slowest = time.monotonic() + 40, 0
        while ask(2000) and self.metric("sip_connections") == connections and time.monotonic() < end:
            slowest = max(slowest, self.call(caller, callee))
        wait_for(lambda: self.metric("sip_connections") == connections - 1, 10, "the end of its connection")
        grown = self.status("VmRSS") - before
        print(f"a call took {usual * 1000:.0f} ms, beside a deaf peer {slowest * 1000:.0f} ms; {grown} KiB more")
        self.assertLess(slowest, usual + 2)
        self.assertLess(grown, 8192)

    def test_an_edge_proxy_whose_connection_ends(self):
        """What is registered through it is reached at its Path, by a new connection."""
        self.serve()
        caller = self.phone("330")
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        path = f"<sip:127.0.0.1:{listener.getsockname()[1]};transport=tcp;lr>"
        edge = Agent(self.server.sip, transport="tcp", user="331", password=self.devices["331"]["sip_password"])
        answer = edge.register(contact="<sip:331@browser.invalid;transport=ws>", lines=["Supported: path", f"Path: {path}"])
        self.assertEqual(answer.status, 200)
        edge.close()
        wait_for(lambda: self.metric("sip_connections") == 0, 10, "the end of its connection")
        caller.invite("510")
        listener.settimeout(10)
        again = Agent(self.server.sip, transport="tcp", user="331", accepted=listener.accept()[0])
        self.addCleanup(again.close)
        invite = again.expect("INVITE")
        self.assertEqual((invite.uri, invite.all("Route")), ("sip:331@browser.invalid;transport=ws", [path]))
        again.respond(invite, 486)
        again.expect("ACK")
        caller.ack_refusal(caller.expect(486), caller.invite_uri)
        self.assertEqual(self.server.records(1)[0]["legs"][0]["outcome"], "busy")

    # ---- file descriptors

    def test_no_file_descriptors(self):
        self.serve()
        caller, callee = self.phone("330"), self.phone("331")
        self.call(caller, callee)
        pid = self.server.process.pid
        used = len(os.listdir(f"/proc/{pid}/fd"))
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 4, usual[1]))
        waiting = [socket.create_connection(("127.0.0.1", self.server.sip_port), 5) for _ in range(40)]
        before, began = self.cpu_s(), time.monotonic()
        calls = [self.call(caller, callee) for _ in range(10)]  # UDP goes on
        wait_for(lambda: time.monotonic() - began > 2, 5, "two seconds")
        busy = (self.cpu_s() - before) / (time.monotonic() - began)
        print(f"with no descriptor left: slowest of ten calls {max(calls) * 1000:.0f} ms, {busy * 100:.0f} % of a core")
        self.assertLess(busy, 0.6)  # ten calls under a sanitizer; who spins takes all of it
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        for connection in waiting:
            connection.close()
        again = self.phone("331", "tcp")
        self.call(caller, again)
        self.assertEqual(self.server.api.raw("GET", "/readyz")[0], 200)

    # ---- the clock

    def test_the_clock_is_set(self):
        """An hour back and two hours forward, in a call and between: no binding ends, no password is refused, and no call takes
        less than no time."""
        shift = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"carillon-clock-{os.getpid()}")

        def set_clock(seconds):
            with open(shift + ".new", "w") as file:
                file.write(f"{seconds}\n")
            os.replace(shift + ".new", shift)

        set_clock(0)
        self.addCleanup(os.unlink, shift)
        self.serve(environment={"LD_PRELOAD": os.environ["CLOCK_SHIM_LIBRARY"], "CLOCK_SHIM": shift})
        caller, callee = self.phone("330"), self.phone("331")
        for seconds in (-3600, 7200, 0):
            answered, _ = self.talk(caller, callee)
            set_clock(seconds)
            self.hang_up(caller, callee, answered)
            self.call(caller, callee)  # with a challenge that is answered; the callee is still registered
            self.assertEqual(caller.register().status, 200)
        records = self.server.records(6)
        starts = [record["started_at"] for record in records]
        self.assertGreater(max(starts) - min(starts), 3600)  # the server did see the clock being set
        for record in records:
            for part in (record, *record["legs"]):
                self.assertGreaterEqual(part["ended_at"] - part["answered_at"], 0)
                self.assertLess(part["ended_at"] - part["started_at"], 60)
        registrations = self.server.api.get("registrations")["items"]
        self.assertEqual(len(registrations), 2)

    # ---- the log

    def wrapped(self, redirection):
        """The server's program with its standard error led elsewhere."""
        real = os.path.abspath(os.environ.get("CARILLOND") or "build/src/carillond")
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"carillond-{os.getpid()}")
        with open(path, "w") as script:
            script.write(f'#!/bin/sh\nexec "{real}" "$@" 2>{redirection}\n')
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        self.addCleanup(os.unlink, path)
        return path

    def calls_with_a_log_that_nobody_takes(self, redirection):
        self.serve(binary=self.wrapped(redirection), settings="log level = debug")
        caller, callee = self.phone("330"), self.phone("331")
        slowest = max(self.call(caller, callee) for _ in range(50))
        print(f"slowest of fifty calls {slowest * 1000:.0f} ms; {self.metric('log_lines_lost_total')} lines lost")
        self.assertLess(slowest, 5)
        return caller, callee

    def test_a_log_on_a_full_disk(self):
        self.calls_with_a_log_that_nobody_takes("/dev/full")
        self.assertGreater(self.metric("log_lines_lost_total"), 0)

    def test_a_log_into_a_stuck_pipe(self):
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"carillon-pipe-{os.getpid()}")
        os.mkfifo(path)
        self.addCleanup(os.unlink, path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        caller, callee = self.calls_with_a_log_that_nobody_takes(path)
        # More than the pipe and the buffers hold.
        end = time.monotonic() + 60
        while self.metric("log_lines_lost_total") == 0 and time.monotonic() < end:
            for _ in range(300):
                caller.send(b"INVITE nonsense SIP/2.0\r\n\r\n")
            self.call(caller, callee)
        self.assertGreater(self.metric("log_lines_lost_total"), 0)
        self.assertLess(self.call(caller, callee), 5)

    # ---- the order to stop

    def test_the_order_to_stop_lets_a_call_end(self):
        self.serve("server drain_s = 60")
        caller, callee = self.phone("330"), self.phone("331")
        answered, _ = self.talk(caller, callee)
        self.server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "server_draining" in self.server.output(), 10, "the drain")
        callee.call_id = "late@test"
        callee.invite("512")
        refused = callee.expect(503)
        self.assertGreater(int(refused.get("Retry-After")), 0)
        callee.ack_refusal(refused, callee.invite_uri)
        self.hang_up(caller, callee, answered)
        began = time.monotonic()
        self.assertEqual(self.server.process.wait(30), 0)
        print(f"ended {time.monotonic() - began:.1f} s after its last call")
        self.server.restart()
        self.assertEqual(sorted(record["outcome"] for record in self.server.records(2)), ["answered", "refused"])

    def test_at_the_deadline_calls_are_ended(self):
        self.serve("server drain_s = 2")
        caller, callee = self.phone("330"), self.phone("331")
        self.talk(caller, callee)
        began = time.monotonic()
        self.server.process.send_signal(signal.SIGTERM)
        for phone in (caller, callee):
            phone.respond(phone.expect("BYE", seconds=20), 200)
        self.assertEqual(self.server.process.wait(30), 0)
        self.assertGreater(time.monotonic() - began, 1.9)
        self.server.restart()
        self.assertEqual([record["outcome"] for record in self.server.records(1)], ["answered"])


if __name__ == "__main__":
    unittest.main()

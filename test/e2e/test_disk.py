#!/usr/bin/env python3
"""A disk that is full, and one that fails: 503 instead of a false 200, calls go on, and all is well again within five seconds
of the trouble's end."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

from agents import wait_for
from server import ApiError, Server
from wire import Agent, sdp


class Disk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="carillon-disk-")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", self.folder], capture_output=True,
                                 text=True, check=False)
        if mounted.returncode != 0:
            shutil.rmtree(self.folder)
            self.skipTest("a small file system cannot be mounted here: " + mounted.stderr.strip())
        self.server = Server(settings=f"store url = sqlite:{self.folder}/small.db", arguments=[])

    def tearDown(self):
        if not hasattr(self, "server"):
            return
        try:
            self.server.close()
        finally:
            subprocess.run(["umount", self.folder], check=True)
            shutil.rmtree(self.folder)

    def fill(self):
        with open(os.path.join(self.folder, "filler"), "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass

    def free(self):
        os.truncate(os.path.join(self.folder, "filler"), 0)

    def phone(self, number):
        device = self.server.device(number)
        agent = Agent(self.server.sip, user=number, password=device["sip_password"])
        agent.device = device
        self.addCleanup(agent.close)
        self.assertEqual(agent.register().status, 200)
        return agent

    def call(self, caller, desk):
        caller.invite("510")
        invite = desk.expect("INVITE")
        desk.respond(invite, 200, sdp(desk.host))
        answered = caller.expect(200)
        caller.within(answered, "ACK", cseq=caller.cseq)
        desk.expect("ACK")
        caller.within(answered, "BYE")
        caller.expect(200)
        desk.respond(desk.expect("BYE"), 200)

    def test_full(self):
        caller, desk, spare = self.phone("301"), self.phone("302"), self.phone("303")
        self.server.user("jane", "510", [(desk.device, 0, 20)])
        self.server.user("bob", "512", [(caller.device, 0, 20)])
        self.fill()

        def full():
            """The write-ahead log may still have room of its own for a while."""
            answer = spare.register(expires=500)
            spare.call_id += "x"
            return answer.status == 503

        wait_for(full, 20, "a 503 to a REGISTER")
        with self.assertRaises(ApiError) as refused:
            for number in range(2000):
                self.server.device(str(5000 + number))
        self.assertEqual(refused.exception.status, 503)
        self.assertEqual(self.server.api.raw("GET", "/readyz")[0], 503)
        self.assertEqual(self.server.api.raw("GET", "/healthz")[0], 200)
        self.call(caller, desk)
        self.call(caller, desk)

        self.free()
        began = time.monotonic()

        def well():
            answer = spare.register(expires=500)
            spare.call_id += "y"
            return answer.status == 200

        wait_for(well, 5, "a REGISTER to be taken again")
        print(f"taken again {time.monotonic() - began:.1f} s after there was room")
        self.assertEqual(len([r for r in self.server.records(2) if r["dialled"] == "510"]), 2)
        wait_for(lambda: self.server.api.raw("GET", "/readyz")[0] == 200, 5, "readiness")
        self.server.stop()
        database = sqlite3.connect(os.path.join(self.folder, "small.db"))
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        database.close()


class FailingDisk(unittest.TestCase):
    def test_input_output_errors(self):
        """Every sync of the store fails for a while: strace makes it so."""
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        server = Server()
        try:
            device = server.device("301")
            agent = Agent(server.sip, user="301", password=device["sip_password"])
            self.addCleanup(agent.close)
            self.assertEqual(agent.register().status, 200)
            tracer = subprocess.Popen(["strace", "-f", "-q", "-e", "trace=fdatasync,fsync", "-e",
                                       "inject=fdatasync,fsync:error=EIO", "-p", str(server.process.pid), "-o",
                                       os.path.join(server.folder, "strace.log")], stderr=subprocess.PIPE, text=True)
            try:
                time.sleep(1)
                if tracer.poll() is not None:
                    self.skipTest("strace cannot attach here: " + tracer.stderr.read().strip())
                agent.call_id += "x"
                self.assertEqual(agent.register(expires=500).status, 503)
            finally:
                tracer.terminate()
                tracer.wait()
                tracer.stderr.close()
            began = time.monotonic()

            def well():
                agent.call_id += "y"
                return agent.register(expires=500).status == 200

            wait_for(well, 5, "a REGISTER to be taken again")
            print(f"taken again {time.monotonic() - began:.1f} s after the errors ended")
            server.stop()
            database = sqlite3.connect(os.path.join(server.folder, "carillon.db"))
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            database.close()
        finally:
            server.close()


if __name__ == "__main__":
    unittest.main()

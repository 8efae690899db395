#!/usr/bin/env python3
"""What keeps the server from starting is one clear sentence and exit status 1."""

import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from agents import free_port
from server import ROOT, Server

CARILLOND = os.path.abspath(os.environ.get("CARILLOND") or os.path.join(ROOT, "build/src/carillond"))


class Start(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="carillon-start-")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def refused(self, config, *words, binary=CARILLOND):
        """Starts with this file; the sentence must hold the words."""
        path = os.path.join(self.folder, "carillond.conf")
        with open(path, "w") as file:
            file.write(config)
        result = subprocess.run([binary, "-c", path], capture_output=True, text=True, timeout=20)
        self.assertEqual(result.returncode, 1, result.stderr)
        lines = [line for line in result.stderr.splitlines() if line.startswith("carillond: ")]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertNotIn("Sanitizer", result.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def usual(self, sip=None, http="127.0.0.1:0", store=None):
        sip = sip or f"127.0.0.1:{free_port()}"
        return (f"[sip]\nudp = {sip}\ntcp = {sip}\n[http]\nlisten = {http}\n[store]\n"
                f"url = {store or 'sqlite:' + self.folder + '/carillon.db'}\n")

    def test_unknown_key(self):
        self.refused("[sip]\nudp = 127.0.0.1:0\nudpp = 1\n", "line 3", "udpp")

    def test_unknown_section(self):
        self.refused("[sipp]\nudp = 127.0.0.1:0\n", "sipp")

    def test_bad_number(self):
        self.refused("[http]\nworkers = many\n", "line 2", "workers")

    def test_number_out_of_range(self):
        self.refused("[http]\n\nworkers = 100000\n", "line 3", "workers", "64")

    def test_not_an_address(self):
        self.refused("[sip]\nudp = localhost:5060\n", "udp", "localhost:5060")

    def test_key_twice(self):
        self.refused("[http]\nworkers = 1\nworkers = 2\n", "line 3", "workers")

    def test_feature_code_twice(self):
        self.refused("[features]\npick_up = *70\n", "features", "*70", "a code of its own")

    def test_relay_without_weight(self):
        self.refused("[media]\nrelays = 192.0.2.1:2223 weight=0\n", "[media] relays", "weight=0")

    def test_relays_of_one_name(self):
        self.refused("[media]\nrelays = 192.0.2.1 name=a, 192.0.2.2 name=a\n", "[media] relays")

    def test_anchor_of_its_own_invention(self):
        self.refused("[media]\nanchor = most\n", "[media] anchor", "needed or all")

    def test_very_long_line(self):
        self.refused("[sip]\nrealm = " + "x" * 5000 + "\n", "line 2")

    def test_no_such_file(self):
        result = subprocess.run([CARILLOND, "-c", self.folder + "/none"], capture_output=True, text=True, timeout=20)
        self.assertEqual(result.returncode, 1)
        self.assertIn(self.folder + "/none", result.stderr)

    def test_garbage(self):
        self.refused("\x00\x01\x02\xff[[[[\n====\n", "line 1")

    def test_sip_port_taken(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            self.refused(self.usual(sip=f"127.0.0.1:{port}"), f"127.0.0.1:{port}", "in use")

    def test_http_port_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused(self.usual(http=f"127.0.0.1:{port}"), f"127.0.0.1:{port}", "in use")

    def test_store_in_no_folder(self):
        self.refused(self.usual(store="sqlite:/nowhere/at/all.db"), "/nowhere/at/all.db")

    def test_store_is_a_folder(self):
        self.refused(self.usual(store="sqlite:" + self.folder), self.folder)

    def test_store_is_another_programs(self):
        path = os.path.join(self.folder, "other.db")
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE something (id INTEGER)")
        database.commit()
        database.close()
        self.refused(self.usual(store="sqlite:" + path), path)

    def test_store_is_newer(self):
        server = Server()
        server.stop()
        path = os.path.join(server.folder, "carillon.db")
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = 1000000")
        database.commit()
        database.close()
        self.refused(self.usual(store="sqlite:" + path), "newer")
        shutil.rmtree(server.folder)

    def test_store_has_a_server_already(self):
        server = Server()
        path = os.path.join(server.folder, "carillon.db")
        self.refused(self.usual(store="sqlite:" + path), path, "another server", f"process {server.process.pid}.")
        server.restart()  # killed, so nobody took the lock file away: it must not keep the next one from starting
        server.close()

    def test_store_is_garbage(self):
        path = os.path.join(self.folder, "garbage.db")
        with open(path, "wb") as file:
            file.write(os.urandom(10000))
        self.refused(self.usual(store="sqlite:" + path), path)

    def test_store_of_an_unknown_kind(self):
        self.refused(self.usual(store="mysql://localhost/carillon"), "mysql")

    def test_a_right_file_is_called_right(self):
        path = os.path.join(self.folder, "right.conf")
        with open(path, "w") as file:
            file.write(subprocess.run([CARILLOND, "--print-config"], capture_output=True, text=True, check=True).stdout)
        subprocess.run([CARILLOND, "-c", path, "--check"], check=True, capture_output=True)


if __name__ == "__main__":
    unittest.main()

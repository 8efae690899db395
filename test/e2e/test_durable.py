#!/usr/bin/env python3
"""What was acknowledged is on disk: the server is killed in the middle of a storm of registrations, again and again
(CARILLON_KILLS times), and nothing that it answered with 200 may be missing; and it rings the phones from memory that it
read back, without their registering again."""

import hashlib
import os
import random
import re
import signal
import socket
import sqlite3
import threading
import time
import unittest

from agents import wait_for
from server import Server
from wire import Agent, Message, sdp

KILLS = int(os.environ.get("CARILLON_KILLS", "50"))
DEVICES = 60
WINDOW = 40  # requests on their way at once


class Storm:
    """Devices that register as fast as the server answers, each time with a new contact in place of the last."""

    def __init__(self, server, devices):
        self.server, self.devices = server, devices
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.uri = f"sip:{server.sip}"
        self.step = {number: 0 for number in devices}
        self.acknowledged = {number: 0 for number in devices}
        self.pending, self.running, self.challenge, self.count = {}, False, None, 0
        self.run_id = os.urandom(4).hex()

    def contact(self, number, step):
        return f"<sip:{number}@{self.address};n={step}>"

    def authorization(self, number):
        self.count += 1
        nonce, realm = self.challenge
        hashed = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
        ha1 = hashed(f"{number}:{realm}:{self.devices[number]['sip_password']}")
        response = hashed(f"{ha1}:{nonce}:{self.count:08x}:c:auth:{hashed('REGISTER:' + self.uri)}")
        return (f'Authorization: Digest username="{number}", realm="{realm}", nonce="{nonce}", uri="{self.uri}", '
                f'response="{response}", algorithm=MD5, cnonce="c", qop=auth, nc={self.count:08x}\r\n')

    def send(self, number):
        step = self.step[number] = self.step[number] + 1
        contacts = self.contact(number, step)
        if step > 1:
            contacts += f", {self.contact(number, step - 1)};expires=0"
        self.pending[number] = time.monotonic()
        self.socket.sendto((
            f"REGISTER {self.uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address};branch=z9hG4bK{self.run_id}{number}x{step}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{number}@carillon>;tag=s\r\nTo: <sip:{number}@carillon>\r\n"
            f"Call-ID: {number}-{self.run_id}\r\nCSeq: {step} REGISTER\r\nContact: {contacts}\r\nExpires: 3600\r\n"
            f"{self.authorization(number) if self.challenge else ''}Content-Length: 0\r\n\r\n").encode(),
            (self.server.sip_host, self.server.sip_port))

    def run(self):
        """Until stopped. One nonce serves all devices, each request with a count of its own."""
        waiting = list(self.devices)
        random.shuffle(waiting)
        while self.running:
            while waiting and len(self.pending) < (WINDOW if self.challenge else 1):
                self.send(waiting.pop())
            try:
                answer = Message(self.socket.recv(65536))
            except (socket.timeout, ConnectionError):
                old = time.monotonic() - 1
                waiting += [number for number, sent in self.pending.items() if sent < old]
                self.pending = {number: sent for number, sent in self.pending.items() if sent >= old}
                continue
            number = re.search(r"sip:(\d+)@", answer.get("To")).group(1)
            if answer.status == 401:
                challenge = next(value for value in answer.all("WWW-Authenticate") if "MD5" in value)
                self.challenge = (re.search('nonce="([^"]+)"', challenge).group(1),
                                  re.search('realm="([^"]+)"', challenge).group(1))
                self.count = 0
            elif answer.status == 200:
                self.acknowledged[number] = max(self.acknowledged[number], answer.cseq)
            if self.pending.pop(number, None) is not None:
                waiting.append(number)
        self.pending.clear()

    def start(self):
        self.running = True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def stop(self):
        self.running = False
        self.thread.join()

    def close(self):
        if self.running:
            self.stop()
        self.socket.close()

    def missing(self, registrations):
        """Devices whose last acknowledged contact, or a later one, is not there."""
        present = {}
        for item in registrations:
            found = re.search(r"sip:(\d+)@.*;n=(\d+)", item["contact"])
            present[found.group(1)] = max(present.get(found.group(1), 0), int(found.group(2)))
        return {number: (step, present.get(number, 0)) for number, step in self.acknowledged.items()
                if present.get(number, 0) < step}


class Durable(unittest.TestCase):
    def registrations(self, server):
        items, cursor = [], ""
        while True:
            page = server.api.get("registrations?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
            items += page["items"]
            cursor = page.get("next")
            if not cursor:
                return items

    def test_kill(self):
        server = Server()
        devices = {str(1000 + i): server.device(str(1000 + i)) for i in range(DEVICES)}
        storm = Storm(server, devices)
        total = 0
        try:
            for kill in range(KILLS):
                before = sum(storm.acknowledged.values())
                storm.start()
                wait_for(lambda: sum(storm.acknowledged.values()) > before + 50, 20, "registrations to be acknowledged")
                time.sleep(random.uniform(0, 0.15))
                server.process.kill()
                server.process.wait()
                storm.stop()
                total = sum(storm.acknowledged.values())
                server.restart()
                storm.challenge = None
                missing = storm.missing(self.registrations(server))
                self.assertFalse(missing, f"after kill {kill + 1}: device: (acknowledged, there)")
            print(f"{KILLS} kills, {total} registrations acknowledged, none missing")
            self.rings(server, storm, devices)
            database = sqlite3.connect(os.path.join(server.folder, "carillon.db"))
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            database.close()
        finally:
            storm.close()
            server.close()

    def rings(self, server, storm, devices):
        """A call reaches the phone where it registered before the kill."""
        number = next(iter(devices))
        server.user("jane", "510", [(devices[number], 0, 20)])
        phone = server.device("2000")
        server.user("bob", "512", [(phone, 0, 20)])
        caller = Agent(server.sip, user="2000", password=phone["sip_password"])
        caller.register()
        caller.invite("510")
        storm.socket.settimeout(5)
        invite = Message(storm.socket.recv(65536))
        while invite.method != "INVITE":
            invite = Message(storm.socket.recv(65536))
        self.assertIn(f"sip:{number}@{storm.address};n=", invite.uri)
        caller.cancel()
        caller.expect(200, 487)
        caller.close()

    def test_terminate(self):
        """SIGTERM ends the server with status 0 and loses nothing either."""
        server = Server()
        devices = {str(1000 + i): server.device(str(1000 + i)) for i in range(DEVICES)}
        storm = Storm(server, devices)
        storm.start()
        try:
            wait_for(lambda: sum(storm.acknowledged.values()) > 200, 20, "registrations to be acknowledged")
            self.assertEqual(server.stop(signal.SIGTERM), 0)
            storm.stop()
            server.restart()
            self.assertFalse(storm.missing(self.registrations(server)))
        finally:
            storm.close()
            server.close()


if __name__ == "__main__":
    unittest.main()

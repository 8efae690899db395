#!/usr/bin/env python3
"""The torture messages of RFC 4475 and RFC 5118 against the running server, over UDP and over TCP: a message of our own for each
section, and the RFCs' own bytes where they are at hand. Prints the outcome of each. And what a stream may bring besides messages."""

import ctypes
import os
import re
import socket
import subprocess
import tempfile
import unittest

from server import ROOT, Server
from wire import Agent

# Any answer of normal processing; what must be understood gets one of these.
NORMAL = {401, 403, 404, 405, 407, 408, 415, 416, 420, 478, 480, 481, 483, 484, 486, 488, 501, 503, 603, 606}
CLONE_NEWNET = 0x40000000
HOST = "127.0.0.77"
RFCS = os.path.join(os.path.dirname(ROOT), "shared", "torture")

# Where a stream differs from a datagram: the length is all that parts one message from the next, so a wrong one is never forgiven,
# bytes that are promised are waited for, and what follows a message is the next one.
OVER_TCP = {"clerr": "waits", "ncl": 400, "intmeth": 400, "inv2543": 400}
# Where we depart from the RFCs' table: in a dialog that nobody has, RFC 3261 section 12.2.2 wants 481. Only an INVITE is challenged first.
NO_DIALOG = ("via-received-param-with-delim", "mult-ip-in-header")
# What the parser takes and the server does not: somebody to register who is nobody here.
OF_THE_SERVER = {"unksm2": 400}


def normal(status):
    return status is not None and (100 <= status < 400 or status in NORMAL)


def repaired(data):
    """The archive of RFC 5118 has bare LF, has lost some blank lines, and one body its last bytes: what Content-Length counts is
    filled up with line ends."""
    data = re.sub(rb"(?<!\r)\n", b"\r\n", data)
    if b"\r\n\r\n" not in data:
        data += b"\r\n" if data.endswith(b"\r\n") else b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d+)", head)
    missing = int(length.group(1)) - len(body) if length else 0
    return data + b"\r\n" * ((missing + 1) // 2 if 0 < missing <= 80 else 0)


class Torture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Answers go to the port in the topmost Via, which the messages choose: in a network of our own all are free.
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        cls.server = Server(settings="sip domains = example.com example.net example.org 127.0.0.1\nlog level = warning\n"
                            "limits requests_per_s = 100000\nlimits requests_burst = 100000\nlimits connections_per_source = 1000")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def alive(self):
        agent = Agent(self.server.sip, user="nobody")
        try:
            agent.send(agent.request("OPTIONS", f"sip:{self.server.sip}"))
            agent.expect(200)
        finally:
            agent.close()

    def first_status(self, read, wait_s):
        """The status of the first final answer, or of a provisional one; None when nothing came."""
        status, seconds = None, wait_s
        while True:
            data = read(seconds)
            if not data:
                return status
            answer = re.match(rb"SIP/2\.0 (\d\d\d) ", data)  # it repeats what was odd in the request, so it is read no further
            self.assertTrue(answer, data)
            status, seconds = int(answer.group(1)), 0.05
            if status >= 200:
                return status

    def over_udp(self, data, wait_s):
        via = re.search(rb"(?im)^(?:via|v)[ \t]*:\s*SIP\s*/\s*2.0\s*/\s*\w+\s+(?:\[[^\]]*\]|[^\s;,:]+)(?:\s*:\s*(\d+))?", data)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            phone.bind((HOST, int(via.group(1) or 5060) if via else 5060))

            def read(seconds):
                phone.settimeout(seconds)
                try:
                    return phone.recv(65536)
                except socket.timeout:
                    return None

            phone.sendto(data, ("127.0.0.1", self.server.sip_port))
            return self.first_status(read, wait_s)

    def over_tcp(self, data, wait_s):
        with socket.create_connection(("127.0.0.1", self.server.sip_port), 5) as phone:
            phone.sendall(data)
            buffer = b""

            def read(seconds):
                nonlocal buffer
                phone.settimeout(seconds)
                try:
                    while b"\r\n\r\n" not in buffer:
                        piece = phone.recv(65536)
                        if not piece:
                            return None
                        buffer += piece
                except (socket.timeout, ConnectionError):
                    return None
                head, _, rest = buffer.partition(b"\r\n\r\n")
                length = int(re.search(rb"(?im)^content-length: *(\d+)", head).group(1))
                message, buffer = head + b"\r\n\r\n" + rest[:length], rest[length:]
                return message

            return self.first_status(read, wait_s)

    def judge(self, row, transport, data):
        """Whether the server did as it should, and what it did."""
        is_request = not data.lstrip(b"\r\n").startswith(b"SIP/")
        wanted = OF_THE_SERVER.get(row["name"], row["wanted"])
        if transport == "tcp":
            wanted = OVER_TCP.get(row["name"], wanted)
        silent = wanted in ("silence", "waits") or (wanted == "an answer" and not is_request)
        status = (self.over_udp if transport == "udp" else self.over_tcp)(data, 0.3 if silent else 5)
        if silent:
            good = status is None
        elif wanted == "an answer":
            good = normal(status)
        else:
            good = status == wanted
        said = "silence" if status is None else str(status)
        print(f"{row['section']:<10} {row['name']:<32} {transport} {str('silence' if silent else wanted):<10} {said:<8} "
              f"{'' if good else 'WRONG'}")
        return good

    def test_ours(self):
        wrong = []
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([os.environ["TORTURE"], "--write", folder], check=True, capture_output=True)
            with open(os.path.join(folder, "index")) as index:
                rows = [line.rstrip("\n").split(" ") for line in index]
            self.assertEqual(len(rows), 49 + 12)
            for section, name, wanted in rows:
                row = {"section": section, "name": name,
                       "wanted": "an answer" if wanted == "parsed" else "silence" if wanted == "dropped" else int(wanted)}
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                wrong += [(name, transport) for transport in ("udp", "tcp") if not self.judge(row, transport, data)]
        self.alive()
        self.assertEqual(wrong, [])

    @unittest.skipUnless(os.path.isdir(RFCS), "the RFCs' own bytes are not at hand")
    def test_the_rfcs_own(self):
        """Over UDP against the strict column of the table beside them; over TCP that the server lives through them."""
        wrong, count, departed = [], 0, 0
        for rfc in ("rfc4475", "rfc5118"):
            with open(os.path.join(RFCS, f"expected-{rfc}.tsv")) as table:
                rows = [line.rstrip("\n").split("\t") for line in table if not line.startswith("#")]
            for name, section, _, strict, *_ in rows:
                with open(os.path.join(RFCS, rfc, name), "rb") as file:
                    data = file.read()
                if rfc == "rfc5118":
                    data = repaired(data)
                wanted = strict.split(",")
                status = self.over_udp(data, 0.3 if wanted == ["NONE"] else 5)
                good = (status is None and "NONE" in wanted) or str(status) in wanted or \
                    ("N" in wanted and status != 481 and normal(status))
                departs = not good and status == 481 and name in NO_DIALOG
                print(f"{section:<10} {name:<32} udp {strict:<20} {status or 'silence'} "
                      f"{'' if good else 'as it belongs to no dialog' if departs else 'WRONG'}")
                count, departed = count + 1, departed + departs
                if not good and not departs:
                    wrong.append(name)
                self.over_tcp(data, 0.05)
        self.alive()
        print(f"{count - len(wrong) - departed} of {count} strict, {departed} with a reason not")
        self.assertEqual((count, departed, wrong), (49 + 12, len(NO_DIALOG), []))

    def test_streams(self):
        def options(lines, number, body=b""):
            return (f"OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP {HOST};branch=z9hG4bKs{number}\r\nMax-Forwards: 70\r\n"
                    f"From: <sip:a@example.com>;tag=f\r\nTo: <sip:example.com>\r\nCall-ID: s{number}\r\nCSeq: 1 OPTIONS\r\n"
                    f"{lines}\r\n").encode() + body

        length = "Content-Length: {}\r\n".format
        rows = [  # what is sent; the statuses that come; whether the connection is still there
            ("garbage", os.urandom(3000).replace(b"\r", b"x").replace(b"\n", b"x") + b"\r\n\r\n", [], False),
            ("garbage without an end", b"x" * 200000, [], False),
            ("line ends", b"\r\n" * 10000, [], True),
            ("half a message, then silence", options(length(0), 1)[:150], [], True),
            ("half a body, then silence", options(length(100), 2, b"x" * 50), [], True),
            ("50 requests in one segment", b"".join(options(length(0), 100 + i) for i in range(50)), [200] * 50, True),
            ("Content-Length missing", options("", 3), [400], False),
            ("two that differ", options(length(0) + length(4), 4, b"body"), [400], False),
            ("two that are the same", options(length(0) + length(0), 5), [200], True),
            ("negative", options(length(-1), 6), [400], False),
            ("hex", options(length("0x10"), 7), [400], False),
            ("2^31", options(length(2**31), 8), [400, 413, 513], False),
            ("2^64", options(length(2**64), 9), [400, 413, 513], False),
            ("a good one after a broken one", options(length(0), 10).replace(b"CSeq: 1 ", b"CSeq: x ")
             + options(length(0), 11), [400, 200], True),
        ]
        wrong = []
        for what, data, wanted, stays in rows:
            with socket.create_connection(("127.0.0.1", self.server.sip_port), 5) as phone:
                got, there = b"", True
                phone.settimeout(2 if wanted or not stays else 0.3)
                try:
                    phone.sendall(data)
                    while True:
                        piece = phone.recv(65536)
                        if not piece:
                            there = False
                            break
                        got += piece
                        if stays and wanted and got.count(b"SIP/2.0 ") == got.count(b"\r\n\r\n") >= len(wanted):
                            phone.settimeout(0.1)
                except socket.timeout:
                    pass
                except ConnectionError:
                    there = False
            statuses = [int(status) for status in re.findall(rb"(?m)^SIP/2\.0 (\d+)", got)]
            one_of = len(statuses) == 1 and len(wanted) > 1 and not stays and statuses[0] in wanted
            good = (statuses == wanted or one_of) and there == stays
            said = f"{len(statuses)} times {statuses[0]}" if len(set(statuses)) == 1 and len(statuses) > 1 else str(statuses)
            print(f"{what:<32} {said:<16} {'goes on' if there else 'closed':<8} {'' if good else 'WRONG'}")
            if not good:
                wrong.append(what)
        self.alive()
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()

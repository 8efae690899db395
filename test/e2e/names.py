"""A small name server on the loopback, over UDP: answers A, AAAA, SRV and NAPTR questions from a table."""

import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "AAAA": 28, "SRV": 33, "NAPTR": 35}


def labels(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def text(value):
    return bytes([len(value)]) + value.encode()


def wire(kind, data):
    """The data of a record, from its words as in a zone file."""
    words = data.split()
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(words[0]).packed
    if kind == "SRV":
        return struct.pack("!HHH", *map(int, words[:3])) + labels(words[3])
    return struct.pack("!HH", int(words[0]), int(words[1])) + text(words[2]) + text(words[3]) + b"\0" + labels(words[4])


class NameServer:
    """Answers while it is not .silent; .asked counts the questions."""

    def __init__(self):
        self.records, self.silent, self.asked = {}, False, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def add(self, name, ttl, kind, data):
        self.records.setdefault((name.lower(), TYPES[kind]), []).append((ttl, wire(kind, data)))

    def remove(self, name):
        for key in [key for key in self.records if key[0] == name.lower()]:
            del self.records[key]

    def close(self):
        closing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        closing.sendto(b"", self.socket.getsockname())  # an empty datagram ends the thread
        closing.close()
        self.thread.join(5)
        self.socket.close()

    def _serve(self):
        while True:
            query, source = self.socket.recvfrom(4096)
            if not query:
                return
            self.asked += 1
            if not self.silent:
                self.socket.sendto(self._answer(query), source)

    def _answer(self, query):
        at, name = 12, []
        while query[at]:
            name.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        end = at + 5
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        known = ".".join(name).lower()
        found = self.records.get((known, kind), [])
        refusal = 0 if any(key[0] == known for key in self.records) else 3
        answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data for ttl, data in found)
        return (query[:2] + struct.pack("!HHHHH", 0x8180 | refusal, 1, len(found), 0, 0) + query[12:end] + answers)

"""A WebSocket (RFC 6455) by hand, as a client of SIP (RFC 7118): enough to say what a browser says, and what none would."""

import base64
import hashlib
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def greeting(host, key="AAAAAAAAAAAAAAAAAAAAAA==", **changed):
    """The HTTP request; a header given as None is left out, underscores in names stand for hyphens."""
    headers = {"Host": host, "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Key": key,
               "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "sip"}
    headers.update((name.replace("_", "-"), value) for name, value in changed.items())
    lines = ["GET /sip HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def ask(address, request, seconds=5):
    """The whole answer to an HTTP request that is refused."""
    with socket.create_connection(address, seconds) as raw:
        raw.settimeout(seconds)
        raw.sendall(request)
        answer = b""
        while chunk := raw.recv(4096):
            answer += chunk
        return answer.decode()


class WebSocket:
    """Over a connected socket, plain or wrapped in TLS."""

    def __init__(self, raw, **changed):
        self.raw, self.buffer, self.pongs, self.closed = raw, b"", [], None
        key = base64.b64encode(os.urandom(16)).decode()
        raw.sendall(greeting("localhost", key, **changed))
        while b"\r\n\r\n" not in self.buffer:
            chunk = raw.recv(4096)
            if not chunk:
                raise ConnectionError(self.buffer)
            self.buffer += chunk
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert head.startswith(b"HTTP/1.1 101 ") and accept in head and b"Sec-WebSocket-Protocol: sip" in head, head

    def frame(self, opcode, data, last=True, masked=True):
        self.raw.sendall(self.frame_bytes(opcode, data, last, masked))

    @staticmethod
    def frame_bytes(opcode, data, last=True, masked=True):
        head = bytes([(0x80 if last else 0) | opcode])
        bit = 0x80 if masked else 0
        if len(data) < 126:
            head += bytes([bit | len(data)])
        elif len(data) < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", len(data))
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", len(data))
        if not masked:
            return head + data
        mask = os.urandom(4)
        return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))

    def sendall(self, message):
        self.frame(TEXT, message)

    def _take(self, count):
        while len(self.buffer) < count:
            chunk = self.raw.recv(65536)
            if not chunk:
                raise ConnectionError("closed")
            self.buffer += chunk
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def message(self):
        """The next message; pings are answered, b"" when it was closed (see .closed)."""
        while True:
            first, second = self._take(2)
            assert first & 0x80 and not second & 0x80, "a server neither masks nor needs fragments"
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self._take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self._take(8))[0]
            opcode, data = first & 15, self._take(size)
            if opcode == PING:
                self.frame(PONG, data)
            elif opcode == PONG:
                self.pongs.append(data)
                return b"pong"
            elif opcode == CLOSE:
                self.closed = struct.unpack(">H", data[:2])[0] if data else 1005
                return b""
            else:
                return data

    def settimeout(self, seconds):
        self.raw.settimeout(seconds)

    def getsockname(self):
        return self.raw.getsockname()

    def close(self):
        self.raw.close()

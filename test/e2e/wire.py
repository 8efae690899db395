"""SIP as bytes: a strict reader of messages, a digest answer, and a bare agent on a socket of its own. It shares no code
with the server on purpose."""

import hashlib
import itertools
import os
import re
import socket
import ssl

from websocket import WebSocket

COUNTER = itertools.count(1)
TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")


class Broken(AssertionError):
    """A message that is not as RFC 3261 section 25.1 wants it."""


class Message:
    """One message, read strictly: what a lenient phone would forgive is an error here."""

    def __init__(self, data):
        self.data = data
        head, separator, self.body = data.partition(b"\r\n\r\n")
        if not separator:
            raise Broken(f"no blank line: {data!r}")
        if b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b""):
            raise Broken(f"a bare CR or LF: {head!r}")
        lines = head.decode("utf-8").split("\r\n")
        self.start, self.headers = lines[0], []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not TOKEN.fullmatch(name) or not value.startswith(" "):
                raise Broken(f"not a header as we write them: {line!r}")
            self.headers.append((name, value.strip()))
        self.status, self.method = None, None
        response = re.fullmatch(r"SIP/2\.0 ([1-6]\d\d) .*", self.start)
        request = re.fullmatch(r"([A-Z]+) (\S+) SIP/2\.0", self.start)
        if response:
            self.status = int(response.group(1))
        elif request:
            self.method, self.uri = request.groups()
        else:
            raise Broken(f"not a start line: {self.start!r}")
        for name in ("From", "To", "Call-ID", "CSeq", "Content-Length"):
            if len(self.all(name)) != 1:
                raise Broken(f"{len(self.all(name))} {name} in {self.start!r}")
        if int(self.get("Content-Length")) != len(self.body):
            raise Broken(f"Content-Length {self.get('Content-Length')} for {len(self.body)} bytes: {data!r}")
        if not self.all("Via") or not self.get("Via").split(";branch=")[1:]:
            raise Broken(f"no Via with a branch in {self.start!r}")
        if "tag=" not in self.get("From"):
            raise Broken("From without a tag")
        number, method = self.get("CSeq").split(" ")
        self.cseq, self.cseq_method = int(number), method
        if self.method and self.method != method:
            raise Broken(f"CSeq of another method in {self.start!r}")
        if self.method and not self.all("Max-Forwards"):
            raise Broken(f"no Max-Forwards in {self.start!r}")
        if self.method == "INVITE" and len(self.all("Contact")) != 1:
            raise Broken("an INVITE without one Contact")
        if self.body and not self.all("Content-Type"):
            raise Broken("a body without Content-Type")
        if self.status and self.status > 100 and "tag=" not in self.get("To") and self.cseq_method != "CANCEL":
            raise Broken(f"{self.start!r} without a To tag")

    def all(self, name):
        return [value for header, value in self.headers if header.lower() == name.lower()]

    def get(self, name):
        return next(iter(self.all(name)), "")

    @property
    def branch(self):
        return re.search(r";branch=([^;,\s]+)", self.get("Via")).group(1)

    @property
    def to_tag(self):
        found = re.search(r";tag=([^;>\s]+)", self.get("To"))
        return found.group(1) if found else ""

    @property
    def from_tag(self):
        return re.search(r";tag=([^;>\s]+)", self.get("From")).group(1)

    @property
    def contact_uri(self):
        return re.search(r"<([^>]+)>", self.get("Contact")).group(1)

    def text(self):
        return self.data.decode("utf-8", "backslashreplace")


def digest(challenge, method, uri, user, password, count=1):
    """The Authorization value that answers a challenge (RFC 7616, qop=auth)."""
    fields = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.partition(" ")[2]))
    make = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}[fields.get("algorithm", "MD5")]

    def hashed(text):
        return make(text.encode()).hexdigest()

    cnonce, nc = os.urandom(8).hex(), f"{count:08x}"
    ha1 = hashed(f"{user}:{fields['realm']}:{password}")
    response = hashed(f"{ha1}:{fields['nonce']}:{nc}:{cnonce}:auth:{hashed(f'{method}:{uri}')}")
    return (f'Digest username="{user}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", uri="{uri}", '
            f'response="{response}", algorithm={fields.get("algorithm", "MD5")}, cnonce="{cnonce}", qop=auth, nc={nc}')


def sdp(host, port=40000, direction="sendrecv"):
    return (f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
            f"a=rtpmap:0 PCMU/8000\r\na={direction}\r\n").encode()


class Agent:
    """A bare SIP agent on UDP, TCP, TLS, WS or WSS. Every message that comes is read strictly and kept in .received."""

    def __init__(self, server, host="127.0.0.1", transport="udp", user="nobody", password="", tls=None, accepted=None):
        """`tls` is the ssl.SSLContext to connect with; `accepted` a connected socket that came to us."""
        self.transport, self.user, self.password = transport, user, password
        server_host, server_port = server.rsplit(":", 1)
        self.server, self.remote = (server_host.strip("[]"), int(server_port)), server
        family = socket.AF_INET6 if ":" in self.server[0] else socket.AF_INET
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        if accepted:
            self.socket = accepted
        else:
            self.socket = socket.socket(family, kind)
            self.socket.bind((host, 0))
            if transport != "udp":
                self.socket.connect(self.server)
            if transport in ("tls", "wss"):
                self.socket = tls.wrap_socket(self.socket, server_hostname=self.server[0])
            if transport in ("ws", "wss"):
                self.socket = WebSocket(self.socket)
        self.host, self.port = self.socket.getsockname()[:2]
        # A browser has no address that it knows of (RFC 7118 section 5.2).
        if transport in ("ws", "wss"):
            self.address = f"{os.urandom(6).hex()}.invalid"
            self.uri_transport = "ws"
        else:
            self.uri_transport = transport
            self.address = f"[{self.host}]:{self.port}" if family == socket.AF_INET6 else f"{self.host}:{self.port}"
        self.received, self.buffer, self.cseq = [], b"", 0
        self.call_id = f"{os.urandom(6).hex()}@test"
        self.tag = os.urandom(4).hex()

    def close(self):
        self.socket.close()

    def send(self, data):
        if self.transport == "udp":
            self.socket.sendto(data, self.server)
        else:
            self.socket.sendall(data)

    def _frame(self):
        self.buffer = self.buffer.lstrip(b"\r\n")
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = int(re.search(rb"(?im)^content-length: *(\d+)", head).group(1))
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return head + separator + rest[:length]

    def receive(self, seconds=5):
        """The next message, or None after that long."""
        self.socket.settimeout(seconds)
        try:
            while True:
                if self.transport in ("ws", "wss"):
                    data = self.socket.message()
                    if not data:
                        return None
                elif self.transport == "udp":
                    data = self.socket.recvfrom(65536)[0]
                    if not data.strip(b"\r\n\0"):
                        continue
                else:
                    data = self._frame()
                    while data is None:
                        chunk = self.socket.recv(65536)
                        if not chunk:
                            return None
                        self.buffer += chunk
                        data = self._frame()
                message = Message(data)
                self.received.append(message)
                return message
        except (socket.timeout, ConnectionError, ssl.SSLError):
            return None

    def expect(self, *wanted, seconds=15):
        """The next message that is one of the wanted statuses or methods; 100 is passed over, and whether we are there is answered."""
        while True:
            message = self.receive(seconds)
            if message is None:
                raise AssertionError(f"{self.user}: no {wanted} came; so far: "
                                     + "; ".join(m.start for m in self.received))
            if message.status == 100 and 100 not in wanted:
                continue
            if message.status in wanted or message.method in wanted:
                return message
            if message.method == "OPTIONS":
                self.respond(message, 200)
                continue
            raise AssertionError(f"{self.user}: {message.start!r} instead of {wanted}:\n{message.text()}")

    def request(self, method, uri, body=b"", extra=(), to=None, cseq=None, branch=None, contact=None):
        """The bytes of a request outside a dialog, or with `to` within one."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        lines = [f"{method} {uri} SIP/2.0",
                 f"Via: SIP/2.0/{self.transport.upper()} {self.address};branch={branch or self.new_branch()};rport",
                 "Max-Forwards: 70", f"From: <sip:{self.user}@{self.remote}>;tag={self.tag}",
                 f"To: {to or '<' + uri + '>'}", f"Call-ID: {self.call_id}", f"CSeq: {cseq} {method}",
                 f"Contact: {contact or f'<sip:{self.user}@{self.address};transport={self.uri_transport}>'}", *extra]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    @staticmethod
    def new_branch():
        return f"z9hG4bK{os.urandom(5).hex()}{next(COUNTER)}"

    def register(self, expires=600, contact=None, lines=()):
        """Registers with the password; gives the final response."""
        uri = f"sip:{self.remote}"
        kept, self.call_id = self.call_id, f"reg-{self.call_id}"
        to = f"<sip:{self.user}@{self.remote}>"
        extra = [f"Expires: {expires}", *lines]
        try:
            self.send(self.request("REGISTER", uri, extra=extra, to=to, contact=contact))
            answer = self.expect(401, 200, 403, 503)
            if answer.status == 401:
                extra.append("Authorization: " + digest(answer.get("WWW-Authenticate"), "REGISTER", uri, self.user,
                                                        self.password))
                self.send(self.request("REGISTER", uri, extra=extra, to=to, contact=contact))
                answer = self.expect(200, 401, 403, 423, 500, 503)
            return answer
        finally:
            self.call_id = kept

    def invite(self, number, body=None, extra=()):
        """Calls a number and answers the challenge; gives the CSeq of the INVITE that stands."""
        uri = f"sip:{number}@{self.remote}"
        body = sdp(self.host) if body is None else body
        self.send(self.request("INVITE", uri, body, extra))
        answer = self.expect(401)
        self.ack_refusal(answer, uri)
        authorization = "Authorization: " + digest(answer.get("WWW-Authenticate"), "INVITE", uri, self.user, self.password)
        self.invite_branch, self.invite_uri = self.new_branch(), uri
        self.send(self.request("INVITE", uri, body, [authorization, *extra], branch=self.invite_branch))
        return self.cseq

    def ack_refusal(self, answer, uri):
        lines = [f"ACK {uri} SIP/2.0", "Via: " + re.sub(r";(received|rport)(=[^;]*)?", "", answer.get("Via")),
                 "Max-Forwards: 70", f"From: {answer.get('From')}", f"To: {answer.get('To')}",
                 f"Call-ID: {answer.get('Call-ID')}", f"CSeq: {answer.cseq} ACK", "Content-Length: 0"]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n")

    def cancel(self):
        self.send("\r\n".join([
            f"CANCEL {self.invite_uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport.upper()} {self.address};branch={self.invite_branch};rport", "Max-Forwards: 70",
            f"From: <sip:{self.user}@{self.remote}>;tag={self.tag}", f"To: <{self.invite_uri}>",
            f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} CANCEL", "Content-Length: 0"]).encode() + b"\r\n\r\n")

    def cancelled(self):
        """Both answers to a call that was given up. Over a proxy with several processes either may be the first."""
        answers = {answer.cseq_method: answer for answer in (self.expect(200, 487), self.expect(200, 487))}
        if (answers["CANCEL"].status, answers["INVITE"].status) != (200, 487):
            raise AssertionError(f"{self.user}: {answers['CANCEL'].start!r} and {answers['INVITE'].start!r}")
        self.ack_refusal(answers["INVITE"], self.invite_uri)

    def respond(self, request, status, body=b"", extra=(), tag=None):
        """Answers a request as a phone does."""
        tag = tag or self.tag
        to = request.get("To")
        if ";tag=" not in to and status > 100:
            to += f";tag={tag}"
        lines = [f"SIP/2.0 {status} Whatever", *(f"Via: {via}" for via in request.all("Via")),
                 f"From: {request.get('From')}", f"To: {to}", f"Call-ID: {request.get('Call-ID')}",
                 f"CSeq: {request.get('CSeq')}", *extra]
        if request.method in ("INVITE", "UPDATE"):
            lines.append(f"Contact: <sip:{self.user}@{self.address};transport={self.uri_transport}>")
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def within(self, answered, method, body=b"", extra=(), cseq=None):
        """Sends a request within the dialog that our INVITE made."""
        self.send(self.request(method, answered.contact_uri, body, extra, to=answered.get("To"), cseq=cseq))

    def within_theirs(self, invite, method, body=b"", extra=(), cseq=None):
        """Sends a request within the dialog that their INVITE made, which we answered with our tag."""
        self.cseq += cseq is None
        lines = [f"{method} {invite.contact_uri} SIP/2.0",
                 f"Via: SIP/2.0/{self.transport.upper()} {self.address};branch={self.new_branch()};rport",
                 "Max-Forwards: 70", f"From: {invite.get('To')};tag={self.tag}", f"To: {invite.get('From')}",
                 f"Call-ID: {invite.get('Call-ID')}", f"CSeq: {cseq or self.cseq} {method}",
                 f"Contact: <sip:{self.user}@{self.address};transport={self.uri_transport}>", *extra]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

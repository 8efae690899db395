"""Microsoft's end of Direct Routing, as its documentation describes it, over TLS with certificates on both sides: strict where the real
one is strict, and as varied in what it sends. It shares no code with the server on purpose.

What it refuses: a certificate that does not name the Contact's host, an address in Contact, From or Record-Route, sips: URIs, calls
before OPTIONS (403); numbers that are not + and digits (400); Replaces (403); media other than RTP/SAVP with AES_CM_128_HMAC_SHA1_80
(488). What is wrong within a dialog cannot be refused usefully: it stands in .complaints."""

import ipaddress
import os
import queue
import re
import select
import socket
import ssl
import threading
import time

from wire import Broken, Message

HOSTS = ("sip.pstnhub.microsoft.com", "sip2.pstnhub.microsoft.com", "sip3.pstnhub.microsoft.com")
EDGE = "sip-du-a-eu.pstnhub.microsoft.com"  # what its Record-Route names
AGENT = "Microsoft.PSTNHub.SIPProxy v.2026.11.2.1 i.EUWE.3"
KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
SUITE = "AES_CM_128_HMAC_SHA1_80"


def srtp_sdp(host, port=49170, direction="sendrecv", offer=True, codec="8"):
    """What its media processor offers, or answers by this codec."""
    crypto = [f"a=crypto:1 {SUITE} inline:{KEY}|2^31"]
    if offer:
        crypto.insert(0, f"a=crypto:0 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|2^31")
    codecs = "104 9 103 0 8 97 13 118 101" if offer else f"{codec} 101 13"
    maps = {"104": "SILK/16000", "9": "G722/8000", "103": "SILK/8000", "0": "PCMU/8000", "8": "PCMA/8000", "97": "RED/8000",
            "13": "CN/8000", "118": "CN/16000", "101": "telephone-event/8000"}
    lines = ["v=0", f"o=- 134928 0 IN IP4 {host}", "s=session", f"c=IN IP4 {host}", "b=CT:10000000", "t=0 0",
             f"m=audio {port} RTP/SAVP {codecs}", f"c=IN IP4 {host}", f"a=rtcp:{port + 1}", f"a={direction}", *crypto,
             *(f"a=rtpmap:{code} {maps[code]}" for code in codecs.split()), "a=fmtp:101 0-16", "a=ptime:20"]
    return "\r\n".join(lines).encode() + b"\r\n"


def host_of(uri):
    return re.sub(r"^sips?:", "", uri).rpartition("@")[2].partition(";")[0].partition(":")[0].strip("[]")


def user_of(uri):
    return re.sub(r"^sips?:", "", uri).rpartition("@")[0]


def uri_in(value):
    found = re.search(r"<([^>]+)>", value)
    return found.group(1) if found else value.partition(";")[0]


def is_address(host):
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        return False


def names_of(certificate):
    return [name.lower() for kind, name in certificate.get("subjectAltName", ()) if kind == "DNS"]


def certificate_names(certificate, host):
    """By RFC 2818 section 3.1, as the documentation says: a wildcard stands for one label."""
    host = host.lower()
    return any(name == host or (name.startswith("*.") and name[2:] == host.partition(".")[2]) for name in names_of(certificate))


class Connection:
    """One TLS connection, read by a thread of its own. An SSL object bears one thread at a time, so nobody waits within it."""

    def __init__(self, peer, stream):
        self.peer, self.stream, self.buffer = peer, stream, b""
        stream.setblocking(False)
        self.certificate = stream.getpeercert() or {}
        self.lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, text, body=b""):
        data = text.encode() + body
        while data:
            try:
                with self.lock:
                    data = data[self.stream.send(data):]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                select.select([], [self.stream], [], 1)

    def close(self):
        """Ends it. The thread that reads gives the descriptor back: while it still uses that, nobody else may get the same number."""
        try:
            self.stream.shutdown(socket.SHUT_RDWR)
        except OSError:  # it had ended
            pass

    def _chunk(self):
        while True:
            try:
                with self.lock:
                    return self.stream.recv(65536)
            except ssl.SSLWantReadError:
                select.select([self.stream], [], [])

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

    def _read(self):
        try:
            while (chunk := self._chunk()) != b"":
                self.buffer += chunk
                while (data := self._frame()) is not None:
                    try:
                        self.peer.received(self, Message(data))
                    except Broken as broken:
                        self.peer.complaints.append(str(broken))
        except (OSError, ValueError):
            pass
        self.stream.close()
        self.peer.connections.discard(self)


class Call:
    """A dialog with the other side; `invite` is theirs, or ours."""

    def __init__(self, peer, connection, invite=None):
        self.peer, self.connection, self.invite, self.messages = peer, connection, invite, queue.Queue()
        self.cseq, self.tag, self.call_id = 1, os.urandom(8).hex(), invite.get("Call-ID") if invite else os.urandom(16).hex()
        self.x_c = f"{self.call_id}/d/8/{os.urandom(16).hex()}"
        self.local = invite.get("To") if invite else None
        self.remote = invite.get("From") if invite else None
        self.target = invite.contact_uri if invite else None
        peer.dialogs[self.call_id] = self

    @property
    def contact(self):
        return f"<sip:api-du-a-euwe.pstnhub.microsoft.com:443;x-i=109abb90-581d-40dc-ad31-2c5d51a80aa3;x-c={self.x_c}>"

    @property
    def record_route(self):
        return f"<sip:{EDGE}:{self.peer.port};transport=tls;lr>"

    def expect(self, *wanted, seconds=20):
        """The next message of this call that is one of the wanted statuses or methods. 100 is passed over."""
        deadline, seen = time.monotonic() + seconds, []
        while True:
            try:
                message = self.messages.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"Teams: no {wanted} came; only {seen}") from None
            if message.status == 100 and 100 not in wanted:
                continue
            if message.status in wanted or message.method in wanted:
                return message
            seen.append(message.start)
            if message.method not in ("ACK",):
                raise AssertionError(f"Teams: {message.start!r} instead of {wanted}:\n{message.text()}")

    # ---- their INVITE

    def respond(self, request, status, body=b"", extra=(), tag=None):
        self.peer.respond(self.connection, request, status, body, [f"Record-Route: {self.record_route}", *extra]
                          if request.method == "INVITE" else extra, tag or self.tag, self.contact)

    def ring(self, tag=None):
        """Each client of the user that rings says so in an early dialog of its own."""
        self.respond(self.invite, 180, tag=tag)

    def progress(self, tag=None):
        self.respond(self.invite, 183, srtp_sdp(self.peer.host, offer=False), tag=tag)

    def answer(self, tag=None, body=None):
        self.tag = tag or self.tag
        self.local = f"{self.invite.get('To')};tag={self.tag}"
        self.respond(self.invite, 200, srtp_sdp(self.peer.host, offer=False) if body is None else body)
        return self.expect("ACK")

    def refuse(self, status, extra=()):
        self.respond(self.invite, status, extra=extra)
        self.expect("ACK")

    # ---- our INVITE

    def call(self, number, caller, body=None, extra=(), name=""):
        uri = f"sip:{number}@{self.peer.sbc}:{self.peer.sbc_port};user=phone;transport=tls"
        self.local = f'{name}<sip:{caller}@{HOSTS[0]}:{self.peer.port};user=phone>;tag={self.tag}'
        self.remote = f"<sip:{number}@{self.peer.sbc}:{self.peer.sbc_port};user=phone>"
        self.uri, self.branch = uri, f"z9hG4bK{os.urandom(6).hex()}"
        self._send("INVITE", uri, srtp_sdp(self.peer.host) if body is None else body,
                   [f"Record-Route: {self.record_route}", "MIN-SE: 300", "SUPPORTED: timer", "SESSION-EXPIRES: 3600",
                    "ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY", "X-MS-Conversation-Id: 4b1c0", *extra], self.branch)

    def answered(self, seconds=20):
        """Their 200, acknowledged."""
        answer = self.expect(200, 180, 183, seconds=seconds)
        while answer.status != 200:
            answer = self.expect(200, 180, 183, seconds=seconds)
        self.remote, self.target = answer.get("To"), answer.contact_uri
        self.peer.judge_contact(self.connection, answer)
        self._send("ACK", self.target, cseq=answer.cseq)
        return answer

    def ack_refusal(self, answer):
        self.connection.send("\r\n".join([f"ACK {self.uri} SIP/2.0", f"Via: {answer.get('Via')}", "Max-Forwards: 70",
                                          f"From: {answer.get('From')}", f"To: {answer.get('To')}", f"Call-ID: {self.call_id}",
                                          f"CSeq: {answer.cseq} ACK", "Content-Length: 0", "", ""]))

    def cancel(self):
        self._send("CANCEL", self.uri, cseq=self.cseq, branch=self.branch)

    # ---- within the dialog

    def _send(self, method, uri, body=b"", extra=(), branch=None, cseq=None):
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        lines = [f"{method} {uri} SIP/2.0", f"FROM: {self.local}", f"TO: {self.remote}", f"CSEQ: {cseq or self.cseq} {method}",
                 f"CALL-ID: {self.call_id}", "MAX-FORWARDS: 70",
                 f"VIA: SIP/2.0/TLS {self.peer.host}:{self.peer.port};branch={branch or 'z9hG4bK' + os.urandom(6).hex()}"]
        if method not in ("ACK", "CANCEL", "BYE"):
            lines.append(f"CONTACT: {self.contact}")
        lines += [f"USER-AGENT: {AGENT}", *extra]
        if body:
            lines.append("CONTENT-TYPE: application/sdp")
        self.connection.send("\r\n".join([*lines, f"CONTENT-LENGTH: {len(body)}", "", ""]), body)

    def ask(self, method, body=b"", extra=()):
        self._send(method, self.target, body, extra)

    def hang_up(self):
        self.ask("BYE", extra=['X-MS-Reason: "Call ended"'])
        return self.expect(200)

    def refer(self, number, extra=()):
        self.ask("REFER", extra=[f"REFER-TO: <sip:{number}@{HOSTS[0]}:{self.peer.port};user=phone;transport=tls>",
                                 f"REFERRED-BY: <sip:{HOSTS[0]}:{self.peer.port};x-m=8:orgid:1;x-t=2;x-ti=3;x-tt=aHR0cHM6>", *extra])


class TeamsPeer:
    """Listens at the port as one of the hosts. `sbc` is the name that it knows the other side by, at 127.0.0.1:`sbc_port`."""

    def __init__(self, authority, host, port, sbc, sbc_port, names=HOSTS, certificate=None):
        self.host, self.port, self.sbc, self.sbc_port = host, port, sbc, sbc_port
        self.complaints, self.refused, self.options, self.asked, self.own_options = [], [], [], False, queue.Queue()
        self.calls, self.dialogs, self.connections, self.calls_are_lost = queue.Queue(), {}, set(), False
        # As Microsoft's are now: good for servers alone.
        path = certificate or authority.issue(f"teams-{host}", ",".join(f"DNS:{name}" for name in names), purposes="serverAuth")
        self.server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_side.load_cert_chain(path)
        self.server_side.load_verify_locations(authority.path)
        self.server_side.verify_mode = ssl.CERT_REQUIRED
        self.client_side = ssl.create_default_context(cafile=authority.path)
        self.client_side.load_cert_chain(path)
        self.listener = socket.create_server((host, port))
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # ends the thread that waits there
        except OSError:  # closed before
            pass
        self.listener.close()
        self.drop()

    def drop(self):
        """Every connection ends, as they do when they are idle."""
        for connection in list(self.connections):
            connection.close()

    def _listen(self):
        while True:
            try:
                raw = self.listener.accept()[0]
            except OSError:
                return
            try:
                self._keep(self.server_side.wrap_socket(raw, server_side=True))
            except (ssl.SSLError, OSError) as error:
                self.complaints.append(f"handshake: {error}")
                raw.close()

    def _keep(self, stream):
        connection = Connection(self, stream)
        self.connections.add(connection)
        return connection

    def connect(self, context=None):
        """To the other side: its certificate must name it, and ours is shown when it is asked for."""
        raw = socket.create_connection(("127.0.0.1", self.sbc_port), timeout=5, source_address=(self.host, 0))
        return self._keep((context or self.client_side).wrap_socket(raw, server_hostname=self.sbc))

    # ---- what comes

    def received(self, connection, message):
        call = self.dialogs.get(message.get("Call-ID"))
        if message.status:
            (call.messages if call else self.own_options).put(message)
            return
        if call and message.method != "OPTIONS":
            self._within(call, connection, message)
        elif message.method == "OPTIONS":
            self._take_options(connection, message)
        elif message.method == "INVITE" and not self.calls_are_lost:
            self._take_invite(connection, message)
        elif message.method in ("INVITE", "ACK", "CANCEL"):
            pass
        else:
            self.respond(connection, message, 481)

    def _within(self, call, connection, message):
        call.connection = connection
        if message.method == "CANCEL":
            self.respond(connection, message, 200, tag=call.tag)
        elif message.method == "INVITE" and not message.to_tag:
            self.respond(connection, message, 482)
        elif message.method != "ACK" or message.to_tag and call.local:
            self._judge_route(call, message)
        call.messages.put(message)

    def _judge_route(self, call, message):
        acknowledges_refusal = message.method == "ACK" and not message.all("Route")
        if message.all("Route") != [call.record_route] and not acknowledges_refusal:
            self.complaints.append(f"Route {message.all('Route')}, not {call.record_route}, in {message.start!r}")
        if message.uri != uri_in(call.contact) and not acknowledges_refusal:
            self.complaints.append(f"{message.start!r} is not for {call.contact}")

    def judge_contact(self, connection, message):
        """Why the Contact and Record-Route are no good; None."""
        named = [("Contact", uri) for uri in message.all("Contact")] + [("Record-Route", uri) for uri in message.all("Record-Route")]
        for header, value in named:
            host = host_of(uri_in(value))
            if uri_in(value).startswith("sips:"):
                return f"{header} with sips:"
            if is_address(host):
                return f"{header} with an address"
            if not certificate_names(connection.certificate, host):
                return f"{header} names {host}, and the certificate {names_of(connection.certificate)}"
        return None if message.all("Contact") else "no Contact"

    def _judge(self, connection, message):
        wrong = self.judge_contact(connection, message)
        if not wrong and host_of(uri_in(message.get("From"))) not in (self.sbc, "anonymous.invalid"):
            wrong = f"From with {host_of(uri_in(message.get('From')))}"
        if not wrong and not message.uri.startswith("sip:"):
            wrong = "not a sip: URI"
        return wrong

    def _refuse(self, connection, message, status, why):
        self.refused.append((status, why))
        self.respond(connection, message, status, extra=[f'Reason: Q.850;cause=21;text="{status};{why}"'], tag=os.urandom(4).hex())

    def _take_options(self, connection, message):
        self.options.append(message)
        wrong = self._judge(connection, message)
        if wrong:
            self._refuse(connection, message, 403, wrong)
            return
        self.respond(connection, message, 200, extra=["ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY"], tag=os.urandom(4).hex())
        if not self.asked:
            self.asked = True
            threading.Thread(target=self.send_options, daemon=True).start()

    def send_options(self, connection=None):
        """To the name that the Contact gave; they are answered with 200, or it sends no calls."""
        try:
            connection = connection or self.connect()
        except (OSError, ssl.SSLError) as error:
            self.complaints.append(f"OPTIONS: {error}")
            return
        connection.send("\r\n".join([
            f"OPTIONS sip:{self.sbc}:{self.sbc_port};transport=tls SIP/2.0", f"FROM: <sip:{EDGE}:{self.port}>;tag={os.urandom(8).hex()}",
            f"TO: <sip:{self.sbc}>", "CSEQ: 1 OPTIONS", f"CALL-ID: {os.urandom(16).hex()}", "MAX-FORWARDS: 70",
            f"VIA: SIP/2.0/TLS {self.host}:{self.port};branch=z9hG4bK{os.urandom(4).hex()}", f"CONTACT: <sip:{EDGE}:{self.port}>",
            "CONTENT-LENGTH: 0", f"USER-AGENT: {AGENT}", "ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY", "", ""]))

    def _take_invite(self, connection, message):
        wrong = self._judge(connection, message)
        numbers = [user_of(message.uri).partition(";")[0]] + [user_of(uri_in(message.get(name))) for name in ("From", "To")]
        sdp = message.body.decode()
        if wrong:
            self._refuse(connection, message, 403, wrong)
        elif not self.options:
            self._refuse(connection, message, 403, "no OPTIONS came before")
        elif message.all("Replaces"):
            self._refuse(connection, message, 403, "Replaces is not supported")
        elif not all(re.fullmatch(r"\+\d{3,15}|anonymous", number) for number in numbers):
            self._refuse(connection, message, 400, f"numbers {numbers}")
        elif not re.search(r"(?m)^m=audio \d+ RTP/SAVP ", sdp) or not re.search(rf"(?m)^a=crypto:\d+ {SUITE} inline:[A-Za-z0-9+/]{{40}}", sdp):
            self._refuse(connection, message, 488, "no SRTP is offered")
        else:
            self.respond(connection, message, 100)
            self.calls.put(Call(self, connection, message))

    def respond(self, connection, request, status, body=b"", extra=(), tag=None, contact=None):
        to = request.get("To")
        if tag and ";tag=" not in to:
            to += f";tag={tag}"
        lines = [f"SIP/2.0 {status} Whatever", f"FROM: {request.get('From')}", f"TO: {to}", f"CSEQ: {request.get('CSeq')}",
                 f"CALL-ID: {request.get('Call-ID')}", *(f"VIA: {via}" for via in request.all("Via")), *extra]
        if contact and request.method in ("INVITE", "UPDATE"):
            lines.append(f"CONTACT: {contact}")
        lines.append(f"SERVER: {AGENT}")
        if body:
            lines.append("CONTENT-TYPE: application/sdp")
        connection.send("\r\n".join([*lines, f"CONTENT-LENGTH: {len(body)}", "", ""]), body)

    # ---- what a test does

    def forget(self):
        self.complaints.clear()
        self.refused.clear()
        while not self.calls.empty():
            self.calls.get()

    def next_call(self, seconds=20):
        try:
            return self.calls.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"no call came to Teams; refused: {self.refused}, complaints: {self.complaints}") from None

    def call(self, number, caller, body=None, extra=(), name="", connection=None):
        """A user of Teams calls over a connection of Microsoft's own."""
        call = Call(self, connection or self.connect())
        call.call(number, caller, body, extra, name)
        return call

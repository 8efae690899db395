#!/usr/bin/env python3
"""linphone's daemon as a phone over UDP, TCP and TLS, and a bare agent that reads every byte strictly at the other end."""

import os
import re
import shutil
import socket
import tempfile
import unittest

from agents import Process, free_port, wait_for
from certificates import Authority
from server import Server
from wire import Agent, sdp

# Everything on loopback; no sound device is there, so a tone's file is played and nothing is heard.
CONFIG = """\
[sip]
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port={tls}
use_ipv6=0
bind_address=127.0.0.1
guess_hostname=0
root_ca={authority}
verify_server_certs=1
verify_server_cn=1
register_only_when_network_is_up=0
media_encryption=none
keepalive_period=60000
[net]
dns_srv_enabled=0
firewall_policy=0
[sound]
remote_ring=
local_ring=
[rtp]
audio_rtp_port={rtp}
[video]
enabled=0
capture=0
display=0
[misc]
log_collection=0
"""


class Linphone(Process):
    """A linphone-daemon with one account, driven over its socket in /tmp."""

    def __init__(self, user, password, server, transport="udp", authority=""):
        folder = tempfile.mkdtemp(prefix="carillon-linphone-")
        self.user, self.pipe = user, os.path.basename(folder) + ".pipe"
        ports = {name: free_port() if name == transport else 0 for name in ("udp", "tcp", "tls")}
        with open(f"{folder}/linphonerc", "w") as config:
            config.write(CONFIG.format(**ports, authority=authority, rtp=free_port()))
        os.makedirs(f"{folder}/.local/share/linphone")
        super().__init__("linphone", ["linphone-daemon", "--pipe", self.pipe, "--config", f"{folder}/linphonerc",
                                      "--disable-stats-events"], folder, {**os.environ, "HOME": folder})
        self.control = wait_for(self._connect, 20, "linphone's control socket")
        self.account = self.command(f"register sip:{user}@{server} sip:{server};transport={transport} {password} {user}")

        self.last_call = 0

    def _connect(self):
        if self.process.poll() is not None:
            raise AssertionError("linphone ended:\n" + self.output())
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            control.connect(f"/tmp/{self.pipe}")
            control.settimeout(10)
            return control
        except OSError:
            control.close()
            return None

    def ask(self, command):
        """The answer's text, whatever it says."""
        self.control.sendall(command.encode() + b"\n")
        return self.control.recv(65536).decode()

    def command(self, command):
        """The fields of the answer to a command that must go well."""
        answer = self.ask(command)
        if not answer.startswith("Status: Ok"):
            raise AssertionError(f"{command}: {answer}")
        return dict(re.findall(r"(?m)^([\w -]+): (.*)$", answer))

    def registered(self):
        self.wait(f"register-status {self.account['Id']}", "LinphoneRegistrationOk")

    def wait(self, command, state):
        """Until the answer names this state."""
        wait_for(lambda: state in self.ask(command), 20, f"{state} of {self.user}: {self.ask(command)}")

    # Calls are numbered from 1.

    def call(self, uri):
        self.last_call = int(self.command(f"call {uri}")["Id"])

    def called(self):
        self.last_call += 1
        self.in_call("LinphoneCallIncomingReceived")

    def in_call(self, state):
        self.wait(f"call-status {self.last_call}", state)

    def of_call(self, command):
        self.command(f"{command} {self.last_call}")

    def free(self):
        self.in_call("No call with such id")

    def close(self):
        self.control.close()
        super().close()


@unittest.skipUnless(shutil.which("linphone-daemon"), "linphone-cli is not installed")
class OverUdp(unittest.TestCase):
    transport = "udp"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="carillon-certificates-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        authority = Authority(cls.folder)
        tls = free_port()
        certificate = authority.issue("server", "IP:127.0.0.1,DNS:127.0.0.1")  # linphone compares names alone
        cls.server = Server(settings=f"sip tls = 127.0.0.1:{tls}\ntls certificate = {certificate}\n")
        cls.addClassCleanup(cls.server.close)
        device = cls.server.device("330")
        cls.server.user("jane", "510", [(device, 0, 20)])
        cls.linphone = Linphone("330", device["sip_password"], f"127.0.0.1:{tls}" if cls.transport == "tls" else cls.server.sip,
                                cls.transport, authority.path)
        cls.addClassCleanup(cls.linphone.close)
        device = cls.server.device("331")
        cls.server.user("john", "511", [(device, 0, 20)])
        cls.linphone.registered()
        cls.desk = Agent(cls.server.sip, user="331", password=device["sip_password"])
        cls.addClassCleanup(cls.desk.close)
        assert cls.desk.register().status == 200

    def setUp(self):
        self.before = self.server.record_count()
        self.desk.call_id = f"{self.desk.new_branch()}@test"
        self.addCleanup(lambda: self.linphone.ask(f"terminate {self.linphone.last_call}"))

    def outcome(self):
        self.server.quiet()
        return self.server.records(self.before + 1)[0]["outcome"]

    def test_registered(self):
        items = [item for item in self.server.api.get("registrations")["items"] if self.transport in str(item)]
        self.assertTrue(items, self.server.api.get("registrations"))

    def test_it_calls(self):
        self.linphone.call(f"sip:511@{self.server.sip}")
        invite = self.desk.expect("INVITE", seconds=20)
        self.assertIn(b"m=audio ", invite.body)
        self.desk.respond(invite, 180)
        self.linphone.in_call("LinphoneCallOutgoingRinging")
        self.desk.respond(invite, 200, sdp("127.0.0.1"))
        self.desk.expect("ACK")
        self.linphone.in_call("LinphoneCallStreamsRunning")
        for command, state, direction in (("call-pause", "LinphoneCallPaused", b"a=sendonly"),
                                          ("call-resume", "LinphoneCallStreamsRunning", b"a=sendrecv")):
            self.linphone.of_call(command)
            change = self.desk.expect("INVITE", seconds=20)
            if direction == b"a=sendonly":
                self.assertIn(direction, change.body)
            else:
                self.assertNotRegex(change.body, rb"a=(sendonly|recvonly|inactive)")
            self.desk.respond(change, 200, sdp("127.0.0.1", direction="recvonly" if direction == b"a=sendonly" else "sendrecv"))
            self.desk.expect("ACK")
            self.linphone.in_call(state)
        self.linphone.of_call("terminate")
        self.desk.respond(self.desk.expect("BYE", seconds=20), 200)
        self.assertEqual(self.outcome(), "answered")

    def test_it_is_called(self):
        self.desk.invite("510")
        self.desk.expect(180, seconds=20)
        self.linphone.called()
        self.linphone.of_call("answer")
        answered = self.desk.expect(200, seconds=20)
        self.desk.within(answered, "ACK", cseq=self.desk.cseq)
        self.linphone.in_call("LinphoneCallStreamsRunning")
        self.desk.within(answered, "INVITE", sdp("127.0.0.1", direction="sendonly"))
        held = self.desk.expect(200, seconds=20)
        self.assertRegex(held.body, rb"a=(recvonly|inactive)")
        self.desk.within(answered, "ACK", cseq=self.desk.cseq)
        self.linphone.in_call("LinphoneCallPausedByRemote")
        self.desk.within(answered, "BYE")
        self.desk.expect(200)
        self.assertEqual(self.outcome(), "answered")
        self.linphone.free()

    def test_it_gives_up(self):
        self.linphone.call(f"sip:511@{self.server.sip}")
        invite = self.desk.expect("INVITE", seconds=20)
        self.desk.respond(invite, 180)
        self.linphone.in_call("LinphoneCallOutgoingRinging")
        self.linphone.of_call("terminate")
        self.desk.respond(self.desk.expect("CANCEL", seconds=20), 200)
        self.desk.respond(invite, 487)
        self.desk.expect("ACK")
        self.assertEqual(self.outcome(), "caller_gave_up")

    def test_its_caller_gives_up(self):
        self.desk.invite("510")
        self.desk.expect(180, seconds=20)
        self.linphone.called()
        self.desk.cancel()
        self.desk.expect(200)
        self.desk.ack_refusal(self.desk.expect(487), self.desk.invite_uri)
        self.assertEqual(self.outcome(), "caller_gave_up")
        self.linphone.free()

    def test_it_declines(self):
        self.desk.invite("510")
        self.desk.expect(180, seconds=20)
        self.linphone.called()
        self.linphone.of_call("terminate")
        self.desk.ack_refusal(self.desk.expect(480, 486, 603, seconds=20), self.desk.invite_uri)
        self.server.quiet()


class OverTcp(OverUdp):
    transport = "tcp"


class OverTls(OverUdp):
    transport = "tls"


if __name__ == "__main__":
    unittest.main()

"""Voices: real RTP, sent and heard, plain or as SRTP; and a bare SIP agent with one of its own."""

import re
import socket
import struct
import time

from srtp import Stream
from wire import Agent, sdp

FRAME_S = 0.02


def place_of(body):
    """Where a description wants its packets."""
    text = body.decode()
    return re.search(r"^c=IN IP4 (\S+)", text, re.M).group(1), int(re.search(r"^m=audio (\d+)", text, re.M).group(1))


def is_sound(packet):
    """Not a DTMF event, and not the silence of mu-law or A-law."""
    return len(packet) > 100 and len(set(packet[12:])) > 8


class Voice:
    """A socket that speaks to `.place`."""

    EVENTS = 101  # the payload type of its keys (RFC 4733)

    def __init__(self, host):
        self.voice = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.voice.bind((host, 0))
        self.sequence, self.place = 0, None

    def close(self):
        self.voice.close()

    @property
    def voice_port(self):
        return self.voice.getsockname()[1]

    def sealed(self, packet):
        """As it goes over the wire."""
        return packet

    def opened(self, packet):
        """What has come over the wire."""
        return packet

    def hear(self, seconds):
        """All packets that come within this time."""
        packets, until = [], time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.voice.settimeout(left)
            try:
                packets.append(self.opened(self.voice.recv(2000)))
            except TimeoutError:
                pass
        return packets

    def hears_sound(self, seconds=8):
        """Whether a prompt, music or a tone comes within this time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(is_sound(packet) for packet in self.hear(0.2)):
                return True
        return False

    def forget(self):
        """What has come so far."""
        self.voice.settimeout(0)
        try:
            while True:
                self.voice.recv(2000)
        except BlockingIOError:
            pass

    def say(self, byte, frames=1):
        for _ in range(frames):
            self.sequence += 1
            head = struct.pack(">BBHII", 0x80, 0, self.sequence, self.sequence * 160, self.voice_port)
            self.voice.sendto(self.sealed(head + bytes([byte]) * 160), self.place)
            time.sleep(FRAME_S)

    def press(self, key):
        """RFC 4733: three packets that it goes on, three that it is over, all at one time."""
        at = (self.sequence + 1) * 160
        for count in range(6):
            self.sequence += 1
            head = struct.pack(">BBHII", 0x80, self.EVENTS | (0x80 if count == 0 else 0), self.sequence, at, self.voice_port)
            body = struct.pack(">BBH", key, 0x0a | (0x80 if count > 2 else 0), 160 * min(count + 1, 4))
            self.voice.sendto(self.sealed(head + body), self.place)
            time.sleep(FRAME_S)


class VoiceAgent(Voice, Agent):
    def __init__(self, *parts, **named):
        Agent.__init__(self, *parts, **named)
        Voice.__init__(self, self.host)

    def close(self):
        Voice.close(self)
        Agent.close(self)

    def sdp(self, direction="sendrecv"):
        own = sdp(self.host, self.voice_port, direction).decode()
        return (own.replace("RTP/AVP 0", f"RTP/AVP 0 {self.EVENTS}") + f"a=rtpmap:{self.EVENTS} telephone-event/8000\r\n").encode()


class SecureVoice(Voice):
    """Over SRTP: `inline` is the key that it gives."""

    def __init__(self, host, inline):
        super().__init__(host)
        self.inline, self.ours, self.theirs = inline, Stream(inline), None

    def meets(self, body):
        """The other side's description: where it listens, and its key."""
        self.place = place_of(body)
        self.theirs = Stream(re.search(r"a=crypto:\d+ \S+ inline:([A-Za-z0-9+/=]+)", body.decode()).group(1))

    def sealed(self, packet):
        return self.ours.protect(packet)

    def opened(self, packet):
        return self.theirs.open(packet)


def exchange(one, other, frames=40):
    """Both speak at once. Gives how much of it each has heard of the other."""
    for agent in (one, other):
        agent.forget()
    for _ in range(frames):
        one.say(0x11)
        other.say(0x22)
    return heard_from(one.hear(0.3), 0x22), heard_from(other.hear(0.3), 0x11)


def heard_from(packets, byte):
    """How many of them one has said by say()."""
    return sum(packet[12:172] == bytes([byte]) * 160 for packet in packets)

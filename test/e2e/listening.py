"""A baresip that says a tone, and what it hears as samples: what it would play goes into a second call of it, to an ear here."""

import array
import math
import os
import re
import shutil
import socket
import tempfile
import threading
import time
import wave

from agents import Baresip, wait_for

RATE = 8000
BLOCK = 160  # samples, 20 ms
KEPT = 500  # blocks
SOUND = 900  # amplitude
SPAN_S = 0.7  # that a tone is listened to
DEAF_S = 0.3  # without even silence


def _linear(byte):
    """ITU-T G.711, mu-law."""
    byte = ~byte & 0xff
    value = (((byte & 0x0f) << 3) + 0x84) << ((byte >> 4) & 7)
    return 0x84 - value if byte & 0x80 else value - 0x84


LINEAR = [_linear(byte) for byte in range(256)]


def tone_write(path, hertz, seconds=120, rate=48000):
    """A multiple of 100 Hz, so that a hundredth of a second can be repeated."""
    piece = array.array("h", (int(8000 * math.sin(2 * math.pi * hertz * i / rate)) for i in range(rate // 100)))
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(piece.tobytes() * (100 * seconds))


class Ear:
    """Answers one call over UDP, and keeps what it is sent: (time of arrival, samples)."""

    def __init__(self):
        self.sip, self.voice = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for each in self.sip, self.voice:
            each.bind(("127.0.0.1", 0))
        self.port = self.sip.getsockname()[1]
        self.heard, self.lock, self.answered = [], threading.Lock(), threading.Event()
        for run in self._answer, self._listen:
            threading.Thread(target=run, daemon=True).start()

    def _answer(self):
        while True:
            try:
                data, source = self.sip.recvfrom(65536)
            except OSError:
                return
            text = data.decode()
            if text.startswith("ACK"):
                self.answered.set()
            if text.startswith(("ACK", "SIP/2.0")):
                continue
            lines = re.findall(r"(?m)^(?:Via|From|To|Call-ID|CSeq):.*?$", text)
            head = "\r\n".join(line.strip() + (";tag=ear" if line.startswith("To:") and "tag=" not in line else "") for line in lines)
            body = ""
            if text.startswith("INVITE"):
                body = (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                        f"m=audio {self.voice.getsockname()[1]} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")
            answer = (f"SIP/2.0 200 OK\r\n{head}\r\nContact: <sip:ear@127.0.0.1:{self.port}>\r\n"
                      f"{'Content-Type: application/sdp' + chr(13) + chr(10) if body else ''}"
                      f"Content-Length: {len(body)}\r\n\r\n{body}")
            try:
                self.sip.sendto(answer.encode(), source)
            except OSError:
                return

    def _listen(self):
        while True:
            try:
                packet = self.voice.recv(4096)
            except OSError:
                return
            if len(packet) > 12 and packet[1] & 0x7f == 0:
                with self.lock:
                    self.heard.append((time.monotonic(), [LINEAR[byte] for byte in packet[12:]]))
                    del self.heard[:-KEPT]

    def samples(self, since):
        """What has come since then."""
        with self.lock:
            return [sample for at, samples in self.heard if at >= since for sample in samples]

    def close(self):
        self.sip.close()
        self.voice.close()


def pitches(samples):
    """Of each 20 ms, by where it rises through zero, in hertz; 0 where it is silent."""
    found = []
    for start in range(0, len(samples) - 4 * BLOCK + 1, BLOCK):
        wide = samples[start:start + 4 * BLOCK]
        rises = [i - wide[i] / (wide[i] - wide[i - 1]) for i in range(1, len(wide)) if wide[i - 1] < 0 <= wide[i]]
        if max(map(abs, wide[:BLOCK])) < SOUND or len(rises) < 3:
            found.append(0)
        else:
            found.append((len(rises) - 1) * RATE / (rises[-1] - rises[0]))
    return found


class Listening(Baresip):
    """Like Baresip, with a tone of its own to say. `codec` as baresip's accounts name it: "pcmu", "opus/48000/2,pcma"."""

    def __init__(self, user, password, server, hertz=400, codec="pcmu"):
        self.ear, self.server = Ear(), server
        self.tones = tempfile.mkdtemp(prefix="carillon-tone-")
        tone = os.path.join(self.tones, "tone.wav")
        tone_write(tone, hertz)
        super().__init__(user, password, server, codec=codec, account=f";audio_source=aufile,{tone};audio_player=aubridge,nothing",
                         also="<sip:ear@127.0.0.1>;regint=0;audio_codecs=pcmu;audio_source=aubridge,nobody;audio_player=aubridge,nothing\n",
                         sound_modules=("opus.so", "g722.so", "aufile.so"),
                         settings="ausrc_srate 48000\nauplay_srate 48000\nausrc_channels 1\nauplay_channels 1\n")

    def _listen(self):
        """What its call plays goes to the ear from now on, until baresip plays anew, as it does with each hold: then to where nobody
        listens. When either end of a bridge goes, the other is forgotten as well: so both begin again, the one that plays last."""
        oneself, ear = f"sip:{self.user}@{self.server}", "sip:ear@127.0.0.1"
        self.command("auplay", "aubridge,nothing")
        self.command("uafind", ear)
        if not self.ear.answered.is_set():
            self.command("dial", f"sip:ear@127.0.0.1:{self.ear.port}")
            wait_for(self.ear.answered.is_set, 5, "the ear's call")
        self.command("ausrc", "aubridge,nobody")
        self.command("ausrc", "aubridge,ear")
        self.command("uafind", oneself)
        self.command("auplay", "aubridge,ear")

    def hears(self, hertz, within=20):
        """Waits until it has heard this tone for a while without a break."""
        self._heard(lambda found: sum(abs(got - hertz) < 0.02 * hertz for got in found) > 0.97 * len(found),
                    f"{self.user} to hear {hertz} Hz", within)

    def misses(self, hertz, within=20):
        """Waits until it has heard anything else for a while, or nothing."""
        self._heard(lambda found: all(abs(got - hertz) > 0.02 * hertz for got in found),
                    f"{self.user} no longer to hear {hertz} Hz", within)

    def _heard(self, right, what, within):
        found, asked = [], 0.0

        def so():
            nonlocal asked
            now = time.monotonic()
            if now - asked > DEAF_S and not self.ear.samples(now - DEAF_S):
                self._listen()
                asked = time.monotonic()
            found[:] = pitches(self.ear.samples(now - SPAN_S))
            return len(found) > 25 and right(found)

        try:
            wait_for(so, within, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; at last {[round(each) for each in found]}") from None

    def close(self):
        super().close()
        self.ear.close()  # after it has answered the BYE that baresip waits for
        shutil.rmtree(self.tones, ignore_errors=True)

"""Real SIP user agents on loopback: baresip as a phone that is driven over its control socket, sipp as whatever a
scenario file says. Each runs in a folder of its own and is ended by its own process id."""

import json
import os
import pty
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time


# Below those that the system gives to whoever asks for none: a port that is free stays so until it is used, and between two starts.
PORTS = range(10000, 20000)
given_ports = set()


def free_port(host="127.0.0.1"):
    """A port that is free for UDP and TCP alike, and is not given again by this process."""
    while True:
        port = random.choice(PORTS)
        if port in given_ports:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as second:
            try:
                first.bind((host, port))
                second.bind((host, port))
            except OSError:
                continue
        given_ports.add(port)
        return port


def free_port_pair(host="127.0.0.1"):
    """Two ports in a row that were free a moment ago, the first for UDP and TCP: baresip listens for TLS on the next one."""
    while True:
        port = free_port(host)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as following:
            try:
                following.bind((host, port + 1))
                return port
            except (OSError, OverflowError):
                continue


def wait_for(condition, seconds, what):
    """Waits until condition() gives something true, and gives it back; after `seconds` fails, saying what was awaited."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Process:
    """A child process with its folder and its output in a file; closed in every case."""

    def __init__(self, name, arguments, folder=None, environment=None, on_terminal=False):
        """`on_terminal`: for what prints by the line to a terminal and by the block to a file."""
        self.folder = folder or tempfile.mkdtemp(prefix=f"carillon-{name}-")
        self.name = name
        self.log_path = os.path.join(self.folder, f"{name}.log")
        self.log = open(self.log_path, "ab")
        screen, terminal = pty.openpty() if on_terminal else (None, None)
        self.process = subprocess.Popen(arguments, cwd=self.folder, stdin=subprocess.DEVNULL,
                                        stdout=terminal if on_terminal else self.log,
                                        stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        if on_terminal:
            os.close(terminal)
            threading.Thread(target=self._copy, args=(screen, self.log), daemon=True).start()

    @staticmethod
    def _copy(screen, log):
        with open(screen, "rb", buffering=0) as screen:
            try:
                while chunk := screen.read(65536):
                    log.write(chunk)
                    log.flush()
            except (OSError, ValueError):  # the process has ended (EIO), or the log is closed
                pass

    def output(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def stop(self, sign=signal.SIGTERM, seconds=10):
        if self.process.poll() is None:
            self.process.send_signal(sign)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # the children of one that had no time to end them
        except ProcessLookupError:
            pass
        self.log.close()
        return self.process.returncode

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


BARESIP_CONFIG = """\
poll_method epoll
sip_listen {host}:{port}
net_interface {host}
call_max_calls 4
call_local_timeout 600
audio_player aubridge,sink
audio_source aubridge,sink
audio_alert aubridge,sink
rtp_ports {rtp}-{rtp_end}
module_path {modules}
module g711.so
module aubridge.so
module_app menu.so
module ctrl_tcp.so
{sounds}{more}module_tmp account.so
ctrl_tcp_listen 127.0.0.1:{control}
{settings}{tls}"""


class Baresip(Process):
    """A baresip with one account. Its events are kept in order, with the time of each."""

    def __init__(self, user, password, server, host="127.0.0.1", transport="udp", register=True, display="",
                 port=None, certificate=None, authority=None, application=None, account="", codec="pcmu", also="",
                 sound_modules=(), settings=""):
        """`certificate` (with its key) and `authority` are files for TLS; `application` is one more module, `account` more
        parameters of the account, `also` more accounts, `settings` more lines of its configuration."""
        folder = tempfile.mkdtemp(prefix="carillon-baresip-")
        self.user, self.host = user, host
        self.port, self.control_port = port or free_port_pair(host), free_port()
        rtp = 20000 + (self.port % 1000) * 40
        modules = next(path for path in ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules")
                       if os.path.isdir(path))
        with open(os.path.join(folder, "config"), "w") as config:
            config.write(BARESIP_CONFIG.format(host=host, port=self.port, control=self.control_port, rtp=rtp,
                                               rtp_end=rtp + 38, modules=modules,
                                               more=f"module_app {application}\n" if application else "",
                                               sounds="".join(f"module {each}\n" for each in sound_modules), settings=settings,
                                               tls=f"sip_certificate {certificate}\nsip_cafile {authority}\n"
                                               if certificate else ""))
        with open(os.path.join(folder, "accounts"), "w") as accounts:
            accounts.write(f'"{display}" <sip:{user}@{server};transport={transport}>;auth_user={user};auth_pass={password};'
                           f'regint={60 if register else 0};answermode=manual;outbound="sip:{server};transport={transport}"'
                           f";audio_codecs={codec}{account}\n{also}")
        open(os.path.join(folder, "contacts"), "w").close()
        self.events, self.responses, self.lock = [], [], threading.Lock()
        super().__init__("baresip", ["baresip", "-f", folder, "-v"], folder, on_terminal=True)
        self.control = wait_for(self._connect, 10, "baresip's control socket")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _connect(self):
        if self.process.poll() is not None:
            raise AssertionError("baresip ended:\n" + self.output())
        try:
            return socket.create_connection(("127.0.0.1", self.control_port), 1)
        except OSError:
            return None

    def _read(self):
        """Netstrings of JSON: events, and the answers to commands."""
        data = b""
        self.control.settimeout(None)
        while True:
            try:
                chunk = self.control.recv(65536)
            except OSError:
                return
            if not chunk:
                return
            data += chunk
            while b":" in data:
                length, rest = data.split(b":", 1)
                size = int(length)
                if len(rest) < size + 1:
                    break
                message = json.loads(rest[:size])
                data = rest[size + 1:]
                with self.lock:
                    if message.get("event"):
                        self.events.append((time.monotonic(), message["type"], message))
                    else:
                        self.responses.append(message)

    def command(self, command, parameters=""):
        text = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self.control.sendall(str(len(text)).encode() + b":" + text + b",")

    def seen(self, kind, after=0.0):
        """The first event of this type after a moment of time.monotonic(), or None."""
        with self.lock:
            return next((event for event in self.events if event[1] == kind and event[0] >= after), None)

    def all_seen(self, kind, after=0.0):
        with self.lock:
            return [event for event in self.events if event[1] == kind and event[0] >= after]

    def wait(self, kind, seconds=10, after=0.0):
        return wait_for(lambda: self.seen(kind, after), seconds, f"{kind} at {self.user}; events: "
                        + ", ".join(event[1] for event in self.events))

    def registered(self, seconds=10):
        """It may have registered before its control socket was there to tell, so its own words count as well."""
        wait_for(lambda: self.seen("REGISTER_OK") or "200 OK" in self.output(), seconds, f"{self.user} to be registered")

    def dial(self, uri):
        self.command("dial", uri)

    def answer(self):
        self.command("accept")

    def hang_up(self):
        self.command("hangup")

    def stop(self, sign=signal.SIGTERM, seconds=5):
        try:
            self.control.close()
        except (AttributeError, OSError):
            pass
        return super().stop(sign, seconds)


class Sipp(Process):
    """A sipp with a scenario file. Keeps every message it sent and received in messages()."""

    def __init__(self, scenario, host="127.0.0.1", port=None, remote=None, transport="u1", calls=1, keys=(),
                 extra=()):
        folder = tempfile.mkdtemp(prefix="carillon-sipp-")
        self.host, self.port = host, port or free_port(host)
        self.trace = os.path.join(folder, "messages.log")
        arguments = ["sipp", "-sf", scenario, "-i", host, "-p", str(self.port), "-t", transport, "-nostdin",
                     "-m", str(calls), "-trace_msg", "-message_file", self.trace, "-trace_err", "-error_file",
                     os.path.join(folder, "errors.log"), "-trace_logs", "-log_file", os.path.join(folder, "actions.log"),
                     "-timeout", "120", "-timeout_error", "-max_socket", "1000"]
        for name, value in keys:
            arguments += ["-key", name, str(value)]
        arguments += list(extra)
        if remote:
            arguments.append(remote)
        self.error_path = os.path.join(folder, "errors.log")
        super().__init__("sipp", arguments, folder)

    def wait(self, seconds=60):
        """0 when every call went as the scenario says."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def messages(self):
        try:
            with open(self.trace, errors="replace", newline="") as trace:
                return trace.read()
        except FileNotFoundError:
            return ""

    def errors(self):
        try:
            with open(self.error_path, errors="replace") as errors:
                return errors.read()
        except FileNotFoundError:
            return ""

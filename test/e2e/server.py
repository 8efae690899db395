"""A carillond on free ports with a throw-away store, and its API as a small client."""

import datetime
import http.client
import json
import os
import re
import shutil
import signal
import tempfile

from agents import Process, free_port, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class ApiError(Exception):
    def __init__(self, status, problem):
        super().__init__(f"{status} {problem}")
        self.status, self.problem = status, problem


class Api:
    """Speaks to /api/v1 with a cookie, or with a token once one was made."""

    def __init__(self, port):
        self.port, self.token, self.cookie, self.csrf = port, None, None, None

    def raw(self, method, path, body=None, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = dict(headers)
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = json.dumps(body)
        if self.token:
            sent["Authorization"] = "Bearer " + self.token
        elif self.cookie:
            sent["Cookie"] = self.cookie
            if self.csrf:
                sent["X-CSRF-Token"] = self.csrf
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), text
        finally:
            connection.close()

    def call(self, method, path, body=None, headers=()):
        status, _, text = self.raw(method, "/api/v1/" + path, body, headers)
        content = json.loads(text) if text else None
        if status >= 400:
            raise ApiError(status, content)
        return content

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def patch(self, path, body):
        return self.call("PATCH", path, body)

    def put(self, path, body):
        return self.call("PUT", path, body)

    def delete(self, path):
        return self.call("DELETE", path)

    def sign_in(self, name, password):
        status, headers, text = self.raw("POST", "/api/v1/session", {"name": name, "password": password})
        if status >= 400:
            raise ApiError(status, text)
        self.cookie = headers["set-cookie"].split(";")[0]
        self.csrf = json.loads(text).get("csrf_token")
        return json.loads(text)


class Server(Process):
    """Started on creation, ready when the constructor returns, with an administrator's token in .api."""

    def __init__(self, binary=None, settings="", environment=None, sip_host="127.0.0.1", folder=None, arguments=(), ready_s=30):
        self.binary = os.path.abspath(binary or os.environ.get("CARILLOND") or os.path.join(ROOT, "build/src/carillond"))
        folder = folder or tempfile.mkdtemp(prefix="carillon-server-")
        self.sip_host, self.sip_port = sip_host, free_port(sip_host)
        self.settings, self.arguments, self.environment = settings, list(arguments), environment
        self.path = os.path.join(folder, "carillond.conf")
        self.write_config(folder)
        self.password = None
        self.ready_s = ready_s  # how long a start may take
        super().__init__("carillond", [self.binary, "-c", self.path, *self.arguments], folder, environment)
        self._ready()

    def write_config(self, folder):
        sections = {"sip": [f"udp = {self.sip_host}:{self.sip_port}", f"tcp = {self.sip_host}:{self.sip_port}", "tls ="],
                    "http": ["listen = 127.0.0.1:0", "https ="], "store": [f"url = sqlite:{folder}/carillon.db"], "server": ["drain_s = 2"]}
        for line in self.settings.splitlines():
            section, _, key = line.strip().partition(" ")
            if section:  # a key given here takes the usual one's place
                name = key.split(" ")[0]
                kept = [line for line in sections.get(section, []) if line.split(" ")[0] != name]
                sections[section] = kept + [key]
        with open(self.path, "w") as config:
            for section, keys in sections.items():
                config.write(f"[{section}]\n" + "\n".join(keys) + "\n")

    @property
    def sip(self):
        return f"{self.sip_host}:{self.sip_port}"

    def _ready(self):
        started = len(self.output())

        def ready():
            if self.process.poll() is not None:
                raise AssertionError("carillond ended:\n" + self.output())
            return re.search(r"is ready: http://\S+?:(\d+)\n", self.output()[self.skip:])

        self.skip = getattr(self, "skip", 0)
        match = wait_for(ready, self.ready_s, "carillond to be ready: " + self.output()[started:])
        self.http_port = int(match.group(1))
        first = re.search(r"First administrator: name (\S+), password (\S+)", self.output())
        if first and not self.password:
            self.api = Api(self.http_port)
            self.api.sign_in(first.group(1), first.group(2))
            self.password = "a much better password"
            self.api.put("me/password", {"password": first.group(2), "new_password": self.password})
            self.api.sign_in("admin", self.password)
            self.api.token = self.api.post("tokens", {"title": "tests", "role": "admin"})["secret"]
        elif hasattr(self, "api"):
            self.api.port = self.http_port

    def restart(self, sign=signal.SIGKILL):
        """Ends the process by this signal and starts it again on the same ports and store."""
        self.stop(sign)
        self.skip = len(self.output())
        Process.__init__(self, "carillond", [self.binary, "-c", self.path, *self.arguments], self.folder,
                         self.environment)
        self._ready()

    def logs(self, text, count=1):
        """Waits until the log has it so often: it is written by a thread of its own."""
        wait_for(lambda: self.output().count(text) >= count, 5, f"the log to say {text}")

    def close(self):
        code = self.stop()
        output = self.output()
        shutil.rmtree(self.folder, ignore_errors=True)
        if code != 0 or "ERROR: " in output or "runtime error" in output:
            raise AssertionError(f"carillond ended with {code}:\n{output[-8000:]}")

    # ---- the usual cast

    def device(self, number, kind="softphone", **fields):
        """Creates a device; its SIP password is in the answer. Carriers in tests answer at once, which a voicemail would."""
        if kind in ("external", "teams"):
            fields = {"too_soon_ms": 0, "too_late_ms": 0, **fields}
        return self.api.post("devices", {"number": number, "kind": kind, **fields})

    def user(self, name, extension, devices=(), strategy="at_once", **fields):
        """Creates a user with the devices as turns: (device, start_s, ring_s) each."""
        user = self.api.post("users", {"name": name, "title": name.capitalize(), "extension": extension,
                                       "role": "agent", "password": "correct horse battery", **fields})
        if devices:
            self.plan(user, devices, strategy)
        return user

    def plan(self, user, devices, strategy="at_once"):
        turns = [{"device_id": device["id"], "start_s": start, "ring_s": ring} for device, start, ring in devices]
        self.api.put(f"users/{user['id']}/ring-plan", {"strategy": strategy, "turns": turns})

    def records(self, count=1, seconds=10):
        """The newest call records, each with its legs, once there are `count` of them."""
        def enough():
            items = self.api.get("call-records?limit=100")["items"]
            return items if len(items) >= count else None

        items = wait_for(enough, seconds, f"{count} call records")
        return [self.record(item["id"]) for item in items]

    def record_count(self):
        """How many there are once the last call's is among them."""
        self.quiet()
        return len(self.api.get("call-records?limit=100")["items"])

    def record(self, record_id):
        """A call record with its times as seconds since 1970."""
        record = self.api.get("call-records/" + record_id)
        for part in (record, *record["legs"]):
            for key in ("started_at", "ringing_at", "answered_at", "ended_at"):
                if part.get(key):
                    part[key] = datetime.datetime.fromisoformat(part[key].replace("Z", "+00:00")).timestamp()
        return record

    def quiet(self, seconds=10):
        """Waits until there is no call, and every one that there was is on record."""
        wait_for(lambda: not self.api.get("calls")["items"], seconds, "the calls to end")
        wait_for(lambda: re.search(r"^carillon_store_records_kept 0$", self.api.raw("GET", "/metrics")[2], re.M), seconds,
                 "the call records to be written")


def timeline(record):
    """What happened, as a person would tell it, with times in seconds after the call's start."""
    start = record["started_at"]
    lines = []
    for leg in record["legs"]:
        moments = [f"{name} {leg[key] - start:.1f}" for name, key in
                   (("invited", "started_at"), ("ringing", "ringing_at"), ("answered", "answered_at"),
                    ("ended", "ended_at")) if leg.get(key)]
        lines.append(f"  {leg['number']:<14} {leg['outcome']:<20} {', '.join(moments)}")
    return "\n".join(lines)


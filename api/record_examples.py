#!/usr/bin/env python3
"""Records the examples of the API anew, from a story played on a real server: api/record_examples.py [carillond]. Writes
api/examples.yaml; after a change of the API run it and look at the difference. What the story does not play keeps the example that it
has there, so that it can be written by hand."""

import http.client
import json
import os
import re
import struct
import sys
import time

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test", "e2e"))

from server import Server  # noqa: E402
from wire import Agent, sdp  # noqa: E402

HEAD = """# What each operation is sent and answers, by its id: `request`, and the answer by its status. Recorded by record_examples.py; they
# become part of the document that the server serves, and a test holds them against its schemas.
"""
SECRETS = {"csrf_token": "Mf3qI0rVbJkXn1r8wq2bZs4uY7tE9aLdC5gH6oPvQxk", "sip_password": "example-sip-password",
           "secret": "example-secret-of-a-token", "password": "correct horse battery", "new_password": "another good password"}
# Played, but a story of a few seconds does not show all that they can say: these are written by hand.
BY_HAND = ("getTrunkState", "listTrunkStates", "getCallRecord", "getStatus")
PASSWORD, NEW_PASSWORD = "correct horse battery", "another good password"
FIRST_PLAN = {"strategy": "in_sequence", "turns": [{"device_id": "3", "start_s": 0, "ring_s": 10},
                                                   {"device_id": "1", "start_s": 0, "ring_s": 25}]}


class Recorder:
    def __init__(self, server, described):
        self.server, self.api, self.examples = server, server.api, {}
        self.operations = {operation["operationId"]: (method.upper(), path, operation)
                           for path, methods in described["paths"].items() for method, operation in methods.items()
                           if isinstance(operation, dict) and "operationId" in operation}
        self.api.token = None

    def sign_in(self, name, password):
        self.api.cookie = self.api.csrf = None
        self.api.sign_in(name, password)

    def play(self, operation, body=None, id=None, query="", media="application/json"):
        """Asks, keeps what was sent and what came, and gives it."""
        method, path, _ = self.operations[operation]
        headers = {"Cookie": self.api.cookie or "", "X-CSRF-Token": self.api.csrf or "", "Content-Type": media}
        text = body if media in ("text/csv", "audio/wav") else json.dumps({} if body is None else body)
        connection = http.client.HTTPConnection("127.0.0.1", self.api.port)
        connection.request(method, path.replace("{id}", str(id)) + query, None if method in ("GET", "DELETE") else text, headers)
        answer = connection.getresponse()
        said = answer.read().decode()
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{operation}: {answer.status} {said}")
        kept = self.examples.setdefault(operation, {})
        if body is not None:
            kept["request"] = "(a WAV file)" if media == "audio/wav" else body
        if "json" in (answer.getheader("Content-Type") or ""):
            said = json.loads(said)
        if said:
            kept[str(answer.status)] = said
        return said

    # ---- the story

    def trunks(self):
        self.play("createTrunk", {"title": "Other carrier", "host": "192.0.2.9"})
        self.play("createTrunk", {"title": "Carrier", "host": "192.0.2.8", "transport": "tls", "username": "carillon",
                                  "password": "a secret of the carrier", "inbound": "192.0.2.0/24"})
        self.play("replaceTrunk", {"title": "Carrier", "host": "192.0.2.8", "transport": "tls"}, id=2)
        self.play("changeTrunk", {"caller_id": "+441444555500"}, id=2)
        for operation in "getTrunk", "getTrunkState":
            self.play(operation, id=2)
        self.play("listTrunks")
        self.play("listTrunkStates")
        self.play("createRoute", {"pattern": "+44.", "trunk_id": "2", "cost": 10, "strip": 3, "prepend": "0", "toll_class": 1})
        self.play("replaceRoute", {"pattern": "+44.", "trunk_id": "2", "cost": 20}, id=1)
        self.play("changeRoute", {"cost": 30}, id=1)
        self.play("getRoute", id=1)
        self.play("listRoutes")

    def devices(self):
        self.play("createDevice", {"kind": "external", "number": "01444 123456", "title": "Jane's mobile", "confirm": True})
        self.play("createDevice", {"kind": "softphone", "number": "821", "title": "Jane's laptop", "available_for_selection": True})
        self.play("createDevice", {"kind": "sip_phone", "number": "330", "title": "Jane's desk", "description": "Room 12"})
        self.play("replaceDevice", {"kind": "sip_phone", "number": "330", "title": "Jane's desk", "call_limit": 2}, id=3)
        self.play("changeDevice", {"title": "Desk of Jane"}, id=3)
        self.play("unverifyDevice", id=1)
        self.play("verifyDevice", {"by": "Jane, on the phone from it"}, id=1)
        self.play("listDevices", query="?q=jane&sort=number&limit=2")

    def users(self):
        bob = self.play("createUser", {"name": "bob", "title": "Bob Stone", "extension": "520", "password": PASSWORD})["id"]
        jane = self.play("createUser", {"name": "jane", "title": "Jane Doe", "extension": "510", "role": "agent"})["id"]
        self.play("replaceUser", {"name": "jane", "title": "Jane Doe", "extension": "510", "call_limit": 2}, id=jane)
        self.play("changeUser", {"unanswered": "extension", "unanswered_target": "520"}, id=jane)
        self.play("replaceRingPlan", FIRST_PLAN, id=jane)
        for operation in "getUser", "getRingPlan", "previewRingPlan":
            self.play(operation, id=jane)
        self.play("listUsers", query="?role=agent&sort=extension")
        self.play("createDid", {"number": "+44 1444 555510", "user_id": jane, "trunk_id": "2"})
        self.play("replaceDid", {"number": "+44 1444 555510", "user_id": jane}, id=1)
        self.play("changeDid", {"trunk_id": "1"}, id=1)
        self.play("getDid", id=1)
        self.play("listDids")
        return jane, bob

    def call(self, jane, bob):
        """Bob calls Jane from the laptop, and an administrator ends it."""
        agents = {}
        for device in 2, 3:
            made = self.play("createDevicePassword", id=device)
            agents[device] = Agent(self.server.sip, "127.0.0.1", "udp", made["number"], made["sip_password"])
            agents[device].register()
        self.api.put(f"users/{bob}/ring-plan", {"strategy": "at_once", "turns": [{"device_id": "2"}]})
        self.play("listRegistrations")
        agents[2].invite("510")
        invite = agents[3].expect("INVITE")
        agents[3].respond(invite, 180)
        agents[2].expect(180)
        call = self.play("listCalls")["items"][0]["id"]
        agents[3].respond(invite, 200, sdp("127.0.0.1", 41000))
        agents[2].within(agents[2].expect(200), "ACK", cseq=agents[2].cseq)
        agents[3].expect("ACK")
        self.play("hangUpCall", id=call)
        while not (records := self.play("listCallRecords")["items"]):
            time.sleep(0.1)
        self.play("getCallRecord", id=records[0]["id"])
        self.api.put(f"users/{bob}/ring-plan", {"strategy": "at_once", "turns": []})
        for agent in agents.values():
            agent.close()

    def many(self, jane, bob):
        self.play("bulkUsers", {"ids": [jane, bob], "change": {"toll_class": 2}, "dry_run": True})
        self.play("bulkDevices", {"ids": ["1", "2"], "change": {"available_for_selection": True}})
        for what in "Users", "Devices", "Dids", "RingPlans":
            self.play("export" + what)
        for what, table in (("Users", "name,title,extension,role\ntom,Tom Hill,530,agent\n"),
                            ("Devices", "kind,number,title\nsip_phone,331,Reception\n"), ("Dids", "number,user\n+44 1444 555520,520\n"),
                            ("RingPlans", "user,strategy,device,start_s,ring_s\n530,at_once,331,0,20\n")):
            self.play("import" + what, table, media="text/csv")

    def prompts(self, jane):
        """A beep in place of a digit, and another as a name; then both go again."""
        data = struct.pack("<4000h", *(8000 if n // 10 % 2 else -8000 for n in range(4000)))
        wav = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", len(data)) + data
        for record, get, delete, id in ("recordPrompt", "getPrompt", "restorePrompt", "en-digit-5"), (
                "recordName", "getRecordedName", "deleteRecordedName", jane):
            self.play(record, wav, id=id, media="audio/wav")
            self.play(get, id=id)
            self.play(delete, id=id)
        self.play("listPrompts")
        self.examples["listPrompts"]["200"]["items"] = self.examples["listPrompts"]["200"]["items"][:3]

    def server_itself(self):
        token = self.play("createToken", {"title": "Reports", "role": "auditor", "scopes": "read"})["id"]
        self.play("getToken", id=token)
        self.play("listTokens")
        settings = self.play("getSettings")
        self.play("replaceSettings", {name: value for name, value in settings.items() if name not in ("id", "version", "graph_client_secret_is_set")})
        self.play("changeSettings", {"multi_login": "allow", "time_zone": "Europe/London", "opening_hours": "mon-fri 08:00-18:00, sat 09:00-13:00",
                                     "closed_days": "12-25 12-26", "closed_toll_class": 1})
        change = self.play("listAudit", query="?entity=device&action=update&entity_id=1&limit=2")["items"][0]["id"]
        self.play("getAuditEntry", id=change)
        self.play("undoChange", {}, id=change)
        self.play("explainNumber", query="?number=01444%20123456")
        for operation in "getStatus", "getHealth", "getReadiness", "getSingleSignOn":
            self.play(operation)

    def agent(self):
        self.sign_in("bob", PASSWORD)
        self.play("changePassword", {"password": PASSWORD, "new_password": NEW_PASSWORD})
        self.sign_in("bob", NEW_PASSWORD)
        self.play("changeMe", {"do_not_disturb": True})
        self.play("listSelectableDevices")
        self.play("selectDevice", {"device_id": "2"})
        for operation in "getMe", "listMySessions", "getSession":
            self.play(operation)

    def story(self):
        self.api.cookie = self.api.csrf = None
        self.play("signIn", {"name": "admin", "password": self.server.password})
        self.sign_in("admin", self.server.password)
        self.trunks()
        self.devices()
        jane, bob = self.users()
        self.call(jane, bob)
        self.many(jane, bob)
        self.prompts(jane)
        self.server_itself()
        self.agent()
        self.sign_in("admin", self.server.password)
        self.play("listSessions")
        self.play("listSelections")
        for operation in BY_HAND:
            self.examples.pop(operation, None)


def settled(value, name=None):
    """The same from one recording to the next, as far as that goes: no secret, no address, one day."""
    if isinstance(value, dict):
        return {key: settled(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [settled(member) for member in value]
    if name == "disk_free_bytes":
        return 52613349376
    if not isinstance(value, str):
        return value
    if name in SECRETS and value:
        return SECRETS[name]
    value = value.lstrip("\ufeff").replace("\r\n", "\n").replace("127.0.0.1", "192.0.2.10")
    return re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$", "2026-01-31T12:00:00.000Z", value)


def wanted(described, recorded):
    """Of each operation what it describes, and what has no example there already. What the story does not play is named."""
    missing = [operation for operation, (_, _, said) in described.items() if operation not in recorded and
               any("example" not in content for body in (said.get("requestBody", {}), *(answer for status, answer in
                   said["responses"].items() if status.startswith("2"))) for content in body.get("content", {}).values())]
    if missing:
        raise SystemExit(f"The story does not play {', '.join(missing)}: let it, or write an example into api/examples.yaml.")
    for operation, (_, _, said) in described.items():
        bodies = {"request": said.get("requestBody", {}), **{status: answer for status, answer in said["responses"].items()
                                                             if status.startswith("2")}}
        kept = {where: recorded[operation][where] for where, body in bodies.items()
                for content in body.get("content", {}).values() if "example" not in content}
        if kept:
            yield operation, kept


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _):
        return True


Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text,
                                                                         style='"' if "\n" in text else None))


def main():
    with open(os.path.join(ROOT, "api/openapi.yaml"), encoding="utf-8") as file:
        described = yaml.safe_load(file)
    server = Server(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build-check/src/carillond"),
                    settings="log level = warning\n")
    try:
        recorder = Recorder(server, described)
        recorder.story()
    finally:
        server.close()
    path = os.path.join(ROOT, "api/examples.yaml")
    with open(path, encoding="utf-8") as file:
        examples = dict(wanted(recorder.operations, {**yaml.safe_load(file), **settled(recorder.examples)}))
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD + yaml.dump(examples, Dumper=Dumper, sort_keys=False, width=140, default_flow_style=None, allow_unicode=True))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Phones for the console's browser tests: baresips that are driven by lines of JSON on standard input, and answer each with one.

    {"do": "register", "user": "330", "password": "..."}    a phone of this number, registered
    {"do": "dial", "user": "822", "number": "510"}          it calls
    {"do": "rings", "user": "330"}                          waits until it rings
    {"do": "answer", "user": "330"}   {"do": "hang_up", "user": "330"}
    {"do": "transfer", "user": "330", "number": "512"}      it passes its call on
    {"do": "register", ..., "hertz": 400, "codec": "opus/48000/2"}  one that says a tone and listens
    {"do": "hears", "user": "330", "hertz": 700}            waits until it has heard that tone for a second
    {"do": "key", "user": "330", "key": "5"}                waits until the other one has pressed it
    {"do": "misses", "user": "330", "hertz": 700}           or anything else, or nothing
"""

import json
import sys
import time

from agents import Baresip, wait_for
from listening import Listening


def main():
    server, phones = sys.argv[1], {}
    since = {}  # what a phone's next call is later than

    def do(command):
        user, what = command["user"], command["do"]
        if what == "register":
            if command.get("hertz"):
                phones[user] = Listening(user, command["password"], server, command["hertz"], command["codec"])
            else:
                phones[user] = Baresip(user, command["password"], server)
            phones[user].registered(60)
        elif what == "dial":
            since[user] = time.monotonic()
            phones[user].dial(f"sip:{command['number']}@{server}")
        elif what == "rings":
            since[user] = phones[user].wait("CALL_INCOMING", 60, after=since.get(user, 0))[0] + 1e-6
        elif what == "answer":
            phones[user].answer()
            phones[user].wait("CALL_ESTABLISHED", 60, after=since.get(user, 0))
        elif what == "hears":
            phones[user].hears(command["hertz"], within=40)
        elif what == "key":
            wait_for(lambda: any(event[2].get("param") == command["key"] for event in phones[user].all_seen("CALL_DTMF_START")), 40,
                     f"key {command['key']} at {user}; " + ", ".join(event[1] for event in phones[user].events))
        elif what == "misses":
            phones[user].misses(command["hertz"], within=40)
        elif what == "transfer":
            phones[user].command("transfer", f"sip:{command['number']}@{server}")
        elif what == "hang_up":
            phones[user].hang_up()
        else:
            raise ValueError(what)

    try:
        for line in sys.stdin:
            try:
                do(json.loads(line))
                answer = {"ok": True, "at": time.time()}
            except Exception as error:  # told to the test, which then fails
                answer = {"ok": False, "error": repr(error)}
            print(json.dumps(answer), flush=True)
    finally:
        for phone in phones.values():
            phone.close()


main()

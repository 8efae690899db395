#!/usr/bin/env python3
"""Phones for the console's browser tests: baresips that are driven by lines of JSON on standard input, and answer each with one.

    {"do": "register", "user": "330", "password": "..."}    a phone of this number, registered
    {"do": "dial", "user": "822", "number": "510"}          it calls
    {"do": "rings", "user": "330"}                          waits until it rings
    {"do": "answer", "user": "330"}   {"do": "hang_up", "user": "330"}
"""

import json
import sys
import time

from agents import Baresip


def main():
    server, phones = sys.argv[1], {}

    def do(command):
        user, what = command["user"], command["do"]
        if what == "register":
            phones[user] = Baresip(user, command["password"], server)
            phones[user].registered(60)
        elif what == "dial":
            phones[user].dial(f"sip:{command['number']}@{server}")
        elif what == "rings":
            phones[user].wait("CALL_INCOMING", 60)
        elif what == "answer":
            phones[user].answer()
            phones[user].wait("CALL_ESTABLISHED", 60)
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

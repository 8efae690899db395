#!/usr/bin/env python3
"""Writes the table of time zones: each name of the IANA database with its rule from now on (POSIX TZ, the last line of a TZif file,
RFC 8536 section 3.3). Usage: time_zones.py FOLDER > time_zones.inc"""
import os
import re
import sys

NAME = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*")


def rule_of(path):
    with open(path, "rb") as file:
        content = file.read()
    if content[:4] != b"TZif" or content[4:5] < b"2" or content[-1:] != b"\n":
        return None
    return content[content.rindex(b"\n", 0, -1) + 1:-1].decode("ascii")


def main(folder):
    zones = {}
    for here, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each not in ("posix", "right")]
        for each in files:
            path = os.path.join(here, each)
            name = os.path.relpath(path, folder)
            rule = rule_of(path) if NAME.fullmatch(name) else None
            if rule and name not in ("localtime", "posixrules", "Factory"):
                zones[name] = rule
    if len(zones) < 300:
        sys.exit(f"{folder} holds {len(zones)} time zones: is the package tzdata there?")
    for name in sorted(zones, key=lambda each: each.encode()):
        print(f'{{"{name}", "{zones[name]}"}},')


main(sys.argv[1])

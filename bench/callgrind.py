"""Instructions that the server takes for a datagram, counted by valgrind: the same on a busy machine as on an idle one."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "test", "e2e"), os.path.join(ROOT, "bench")]

from agents import wait_for  # noqa: E402
from looks import Load  # noqa: E402
from peers import Carillon  # noqa: E402

os.environ.pop("MALLOC_PERTURB_", None)  # meson's tests have it: the allocator would write into all it gives

# What is counted: everything from the reception of a datagram to the return into the loop, and what sends at the end of the turn.
ENTRIES = ("datagrams_came*", "datagram_came*", "udp_send_held*")  # the second is what the first was called once
SCENARIOS = {
    "register, refresh": ({"what": "refreshes"}, {}),
    "register, digest": ({"what": "refreshes"}, {"digest": True}),
    "call to one device": ({"what": "calls"}, {}),
    "call to three devices": ({"what": "calls", "devices": 3}, {}),
    "call over a trunk": ({"what": "calls", "plan": "trunk"}, {}),
}
OPERATIONS, RATE, USERS = 150, 50, 100
ALLOCATORS = ("malloc", "calloc", "realloc")


class Profile:
    """What one run has cost: instructions by function, alone and with all that it calls, how often each was called, and by whom the
    allocators were."""

    def __init__(self, path, operations):
        self.operations = operations
        self.own, self.whole, self.calls, self.callers = Counter(), Counter(), Counter(), Counter()
        names, function, called = {}, None, None

        def name(text):
            number, _, given = text.partition(") ")
            return names.setdefault(number, given) if given else names[number.rstrip(")")]

        with open(path) as lines:
            for line in lines:
                line = line.rstrip("\n")
                if line.startswith("fn="):
                    function = name(line[3:])
                elif line.startswith("cfn="):
                    called = name(line[4:])
                elif line.startswith("calls="):
                    times = int(line[6:].split()[0])
                    self.calls[called] += times
                    if called in ALLOCATORS and function not in ALLOCATORS:
                        self.callers[called, function] += times
                    cost = int(next(lines).split()[1])
                    if called != function:
                        self.whole[called] += cost
                elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
                    self.own[function] += int((line.split() + ["0", "0"])[1])
        self.total = sum(self.own.values())

    @property
    def per_operation(self):
        return self.total / self.operations


def wrapper(folder, build, output):
    """A program that runs the build's server under valgrind."""
    path = os.path.join(folder, "carillond")
    with open(path, "w") as script:
        counted = " ".join(f"'--toggle-collect={entry}'" for entry in ENTRIES)
        script.write(f"#!/bin/sh\nexec valgrind --tool=callgrind --collect-atstart=no {counted} "
                     f"--callgrind-out-file={output}.%p {os.path.join(build, 'src', 'carillond')} \"$@\"\n")
    os.chmod(path, 0o755)
    return path


def count(build, scenario, operations=OPERATIONS):
    """Runs a scenario against this build's server and gives its Profile."""
    wanted, options = SCENARIOS[scenario]
    folder = tempfile.mkdtemp(prefix="carillon-callgrind-")
    try:
        output = os.path.join(folder, "out")
        with Carillon(build, users=USERS, measured=wrapper(folder, build, output), **options) as peer:
            pid = str(peer.server.process.pid)
            load = Load(build, peer, {**wanted, "users": USERS, "rate": RATE, "seconds": operations // RATE})
            subprocess.run(["callgrind_control", "-z", pid], check=True, capture_output=True)
            load.go()
            load.result()
            subprocess.run(["callgrind_control", "-d", pid], check=True, capture_output=True)
            dump = f"{output}.{pid}.1"
            wait_for(lambda: os.path.exists(dump), 120, f"callgrind's counts of {scenario}")
            load.end()
            shutil.copy(dump, os.path.join(folder, "kept"))
        return Profile(os.path.join(folder, "kept"), operations)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

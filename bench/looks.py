"""Looks at what a server takes: a load is put on it, and its CPU read before and after."""

import json
import os
import subprocess

from peers import OTHER_CORE


class Load:
    """One run of a build's bench/load: prepared when the constructor returns."""

    def __init__(self, build, peer, arguments):
        words = [f"{key}={value}" for key, value in peer.arguments(arguments).items()]
        self.process = subprocess.Popen(["taskset", "-c", OTHER_CORE, os.path.join(build, "bench", "load"), *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"{peer.name}: {' '.join(words)}: {self.process.stderr.read()}")

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def result(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the load ended: " + self.process.stderr.read())
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()


def look(peer, load, seconds):
    """CPU of the server's processes per operation while a load does its work for so long, what failed, what the load saw."""
    before, commands = peer.cpu_us(), peer.relay_commands()
    load.go()
    result = load.result()
    after = peer.cpu_us()
    if commands is not None:
        result["round_trips_per_leg"] = (peer.relay_commands() - commands) / 2 / max(1, result["done"])
    result.update(cpu_us=(after - before) / max(1, result["done"]), wrong=result["failed"] + result["unexpected"],
                  kept_up=result["seconds"] < seconds * 1.05)
    return result


def measure(build, peer, arguments, seconds, rate):
    """One look at one scenario, by a load of its own."""
    load = Load(build, peer, {**arguments, "rate": rate, "seconds": seconds})
    result = look(peer, load, seconds)
    load.end()
    return result

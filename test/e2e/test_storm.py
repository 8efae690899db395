#!/usr/bin/env python3
"""A short storm, so that the generator and the server's way through it stay whole: bench/storm.py without options is the
long one, and the one whose figures mean something."""

import os
import re
import subprocess
import sys
import unittest

from server import ROOT


class Storm(unittest.TestCase):
    def storm(self, *options, program="storm"):
        result = subprocess.run([sys.executable, os.path.join(ROOT, f"bench/{program}.py"), "--carillond", os.environ["CARILLOND"],
                                 "--storm", os.environ["STORM"], *options], capture_output=True, text=True, timeout=170, check=False)
        print(result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_overload(self):
        """Far more calls than the server can take: some are sent away with Retry-After, and each of the others is completed."""
        said = self.storm("--overload", "--devices", "6000", "--registers", "50", "--calls", "3000", "--seconds", "5")
        refused, episodes = (int(re.search(rf"^carillon_sip_overload_{name} (\d+)$", said, re.M).group(1))
                             for name in ("refused_calls_total", "total"))
        self.assertGreater(refused, 0)
        self.assertIn(f"{refused} calls were sent away by overload since the start.", said)
        self.assertIn(episodes, (1, 2))  # a busy machine may find the registering hard already

    def test_memory_does_not_grow(self):
        """The short version, of a few thousand calls: the store's cache takes 1.5 KiB for each until it has its 32 MiB, and what a call
        of four legs needs itself is ten times that."""
        self.storm("--devices", "6000", "--rate", "40", "--seconds", "85", "--allowed-bytes", "4000", program="growth")

    def test_storm(self):
        """2,000 devices, 300 refreshes and 100 calls a second to extensions with three devices, for five seconds."""
        self.storm("--devices", "2001", "--registers", "300", "--calls", "100", "--seconds", "5")


if __name__ == "__main__":
    unittest.main()

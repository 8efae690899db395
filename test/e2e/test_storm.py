#!/usr/bin/env python3
"""A short storm, so that the generator and the server's way through it stay whole: bench/storm.py without options is the
long one, and the one whose figures mean something."""

import os
import subprocess
import sys
import unittest

from server import ROOT


class Storm(unittest.TestCase):
    def test_storm(self):
        """2,000 devices, 300 refreshes and 100 calls a second to extensions with three devices, for ten seconds."""
        result = subprocess.run([sys.executable, os.path.join(ROOT, "bench/storm.py"), "--carillond", os.environ["CARILLOND"],
                                 "--storm", os.environ["STORM"], "--devices", "2001", "--registers", "300", "--calls", "100",
                                 "--seconds", "10"], capture_output=True, text=True, timeout=120, check=False)
        print(result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()

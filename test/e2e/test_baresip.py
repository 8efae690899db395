#!/usr/bin/env python3
"""The demonstration: real phones, a real far end of a trunk, at once and in sequence."""

import os
import subprocess
import sys
import unittest

from server import ROOT


class Demonstration(unittest.TestCase):
    def test_demo(self):
        carillond = os.environ.get("CARILLOND") or os.path.join(ROOT, "build/src/carillond")
        carillon = os.environ.get("CARILLON") or os.path.join(ROOT, "build/src/cli/carillon")
        result = subprocess.run([sys.executable, os.path.join(ROOT, "demo/demo.py"), "--carillond", carillond, "--carillon",
                                 carillon], capture_output=True, text=True, timeout=180, check=False)
        print(result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()

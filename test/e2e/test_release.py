"""What is to be installed: packaging/release builds it, trains it under load, and it takes calls."""

import os
import subprocess
import sys
import unittest

from server import ROOT

FOLDER = os.path.join(ROOT, "build-release")


class Release(unittest.TestCase):
    def test_it_is_built_and_takes_calls(self):
        subprocess.run([os.path.join(ROOT, "packaging", "release"), FOLDER], check=True)
        program = os.path.join(FOLDER, "src", "carillond")
        build = os.stat(program).st_mtime
        calls = subprocess.run([sys.executable, os.path.join(ROOT, "test", "e2e", "test_calls.py")], capture_output=True, text=True,
                               env={**os.environ, "CARILLOND": program, "CARILLON": os.path.join(FOLDER, "src", "cli", "carillon")})
        self.assertEqual(calls.returncode, 0, calls.stderr)
        subprocess.run([os.path.join(ROOT, "packaging", "release"), FOLDER], check=True)
        self.assertEqual(os.stat(program).st_mtime, build, "it was built again, though no source has changed")


if __name__ == "__main__":
    unittest.main()

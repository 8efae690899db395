#!/usr/bin/env python3
"""Adds up what the test runs in the given build folders found; the last line is "N passed, N failed, N skipped"."""

import json
import pathlib
import sys

counts = {"passed": 0, "failed": 0, "skipped": 0}
for folder in sys.argv[1:]:
    for log in sorted(pathlib.Path(folder, "meson-logs").glob("testlog*.json")):
        for line in log.read_text().splitlines():
            test = json.loads(line)
            result = {"OK": "passed", "SKIP": "skipped"}.get(test["result"], "failed")
            counts[result] += 1
            if result == "skipped":
                why = (test.get("stdout") or test.get("stderr") or "").strip().splitlines()
                print(f"skipped: {test['name']}: {why[-1] if why else 'no reason given'}")
print(", ".join(f"{count} {what}" for what, count in counts.items()))
sys.exit(1 if counts["failed"] or not counts["passed"] else 0)

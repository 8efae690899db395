#!/usr/bin/env python3
"""Whether memory grows: 200,000 calls to extensions with three devices each and as many refreshes of registrations, in one go, while
the server's memory is sampled each second. Prints the series, compares the end with the middle, and draws it as SVG. Ends with 0
only when no call failed and nothing grew."""

import argparse
import os
import statistics
import subprocess
import sys
import time

from storm import REALM, ROOT, Server, fill, memory_kib

SETTLED_S = 45  # transactions live for 32 s; from then on as many end as begin
WINDOW_S = 10   # what is compared: the median of this many samples


def plot(path, samples, calls, title):
    """Memory in MiB over the calls made."""
    width, height, left, bottom = 720, 320, 60, 40
    top = max(kib for _, kib in samples) / 1024 * 1.15
    last = max(calls, 1)

    def at(made, kib):
        return (f"{left + made / last * (width - left - 20):.1f},"
                f"{height - bottom - kib / 1024 / top * (height - bottom - 40):.1f}")

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>', f'<text x="{left}" y="20">{title}</text>']
    for i in range(5):
        x, y = at(last * i / 4, top * 1024 * i / 4).split(",")
        lines.append(f'<text x="{x}" y="{height - bottom + 18}" text-anchor="middle">{last * i // 4:,}</text>')
        lines.append(f'<text x="{left - 8}" y="{float(y) + 4:.1f}" text-anchor="end">{top * i / 4:.0f}</text>')
        lines.append(f'<line x1="{left}" x2="{width - 20}" y1="{y}" y2="{y}" stroke="#ddd"/>')
    lines.append(f'<text x="{width - 20}" y="{height - 6}" text-anchor="end">calls, and as many registrations</text>')
    lines.append(f'<text x="8" y="{height - 6}">MiB</text>')
    lines.append(f'<polyline fill="none" stroke="#06c" stroke-width="2" points="{" ".join(at(*sample) for sample in samples)}"/>')
    lines.append("</svg>")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carillond", default=os.path.join(ROOT, "build/src/carillond"))
    parser.add_argument("--storm", default=os.path.join(ROOT, "build/bench/storm"))
    parser.add_argument("--devices", type=int, default=15000)
    parser.add_argument("--rate", type=int, default=1000, help="calls a second, and as many refreshes")
    parser.add_argument("--seconds", type=int, default=200)
    parser.add_argument("--allowed-percent", type=float, default=1, help="what may be left over")
    parser.add_argument("--allowed-bytes", type=int, default=0, help="for each call, when that is more: until the store's cache is full")
    parser.add_argument("--svg", default="")
    options = parser.parse_args()

    # The log of a call is a line on disk, and no memory.
    server = Server(options.carillond, settings="sip idle_s = 900\nlog level = warning\noverload busy_percent = 0\n"
                    "limits known_requests_per_s = 1000000",
                    environment={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"})
    try:
        server.device("1")
        server.user("template", "199")
        server.stop()
        fill(os.path.join(server.folder, "carillon.db"), options.devices)
        server.restart()
        storm = subprocess.Popen([options.storm, str(server.sip_port), str(options.devices), str(options.rate),
                                  str(options.rate), str(options.seconds), REALM], stdout=subprocess.PIPE, text=True)
        print(storm.stdout.readline(), end="")  # they are registered: the calls begin
        began, samples = time.monotonic(), []
        while storm.poll() is None:
            gone = time.monotonic() - began
            samples.append((min(gone, options.seconds) * options.rate, memory_kib(server.process.pid)))
            time.sleep(max(0.0, began + len(samples) - time.monotonic()))
        print(storm.stdout.read(), end="")
        storm.stdout.close()
        calls = options.rate * options.seconds
        series = [kib for made, kib in samples if made < calls]
        for made, kib in samples[::max(1, len(samples) // 20)]:
            print(f"{made:10,.0f} calls  {kib:8,} KiB")
        since = max(SETTLED_S, options.seconds // 2)
        # What was given back for a moment and taken again has not grown.
        settled = max(statistics.median(series[i:i + WINDOW_S]) for i in range(since + 1))
        end = statistics.median(series[-WINDOW_S:])
        made = (len(series) - WINDOW_S - since) * options.rate
        print(f"{settled:,.0f} KiB once settled, {end:,.0f} KiB after {made:,} calls and {made:,} registrations more: "
              f"{end - settled:+,.0f} KiB, {(end - settled) * 1024 / max(made, 1):+.2f} bytes a call")
        if options.svg:
            plot(options.svg, samples, calls, f"Memory (PSS) at {options.rate} calls and {options.rate} registrations a second")
        allowed = max(settled * options.allowed_percent / 100, options.allowed_bytes * made / 1024)
        return storm.returncode or end - settled > allowed
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Turns the shipped recordings into a C file: to_c.py prompt_pieces.def prompt_shipped.c, the recordings lying beside this file."""
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    table, target = sys.argv[1:]
    names = re.findall(r'^PIECE\((\w+), "([^"]+)"', Path(table).read_text("utf-8"), re.M)
    lines = ['#include "media/prompts.h"\n']
    rows = []
    for place, language in enumerate(("en", "cs")):
        for symbol, name in names:
            tone = HERE / "tones" / f"{name}.wav"
            data = (tone if tone.exists() else HERE / language / f"{name}.wav").read_bytes()
            array = f"recording_{language}_{symbol.lower()}"
            if tone.exists():
                array = f"recording_{symbol.lower()}"
            rows.append(f"\t[{place}][PIECE_{symbol}] = {{(const char *){array}, sizeof {array}}},")
            if tone.exists() and place > 0:
                continue
            lines.append(f"static const unsigned char {array}[] = {{")
            lines += [",".join(str(byte) for byte in data[at : at + 32]) + "," for at in range(0, len(data), 32)]
            lines.append("};")
    lines.append("\nstatic const struct str shipped[PROMPT_LANGUAGE_COUNT][PIECE_COUNT] = {")
    lines += rows
    lines.append("};\n\nstruct str prompt_shipped(enum prompt_language language, enum prompt_piece piece)\n{")
    lines.append("\treturn shipped[language][piece];\n}\n")
    Path(target).write_text("\n".join(lines), "ascii")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Turns openapi.yaml into JSON inside a C file: to_c.py openapi.yaml openapi.c"""
import json
import sys

import yaml


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        document = json.dumps(yaml.safe_load(file), ensure_ascii=True, separators=(",", ":")) + "\n"
    data = document.encode("ascii")
    with open(target, "w", encoding="ascii") as file:
        file.write('#include "http/openapi.h"\n\nconst char openapi_document[] = {\n')
        for at in range(0, len(data), 24):
            file.write(",".join(str(byte) for byte in data[at : at + 24]) + ",\n")
        file.write("};\nconst size_t openapi_document_size = sizeof openapi_document;\n")


main()

#!/usr/bin/env python3
"""Turns the API's description into JSON inside a C file: to_c.py openapi.yaml examples.yaml openapi.c"""
import json
import sys

import yaml


def document(described, examples):
    """The description with the examples at their operations. An example of what takes none is a mistake."""
    with open(described, encoding="utf-8") as file:
        whole = yaml.safe_load(file)
    with open(examples, encoding="utf-8") as file:
        examples = yaml.safe_load(file)
    for path in whole["paths"].values():
        for operation in path.values():
            if not isinstance(operation, dict):
                continue  # what all of a path's operations share
            for where, example in examples.get(operation["operationId"], {}).items():
                body = operation["requestBody"] if where == "request" else operation["responses"][where]
                for content in body["content"].values():
                    if "example" in content:
                        sys.exit(f"{operation['operationId']}: {where} has an example already")
                    content["example"] = example
    return whole


def main():
    described, examples, target = sys.argv[1:]
    text = json.dumps(document(described, examples), ensure_ascii=True, separators=(",", ":")) + "\n"
    data = text.encode("ascii")
    with open(target, "w", encoding="ascii") as file:
        file.write('#include "http/openapi.h"\n\nconst char openapi_document[] = {\n')
        for at in range(0, len(data), 24):
            file.write(",".join(str(byte) for byte in data[at : at + 24]) + ",\n")
        file.write("};\nconst size_t openapi_document_size = sizeof openapi_document;\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Each operation of the API's description has an example of what it is sent and of what it answers, and each example is what its schema
says: test_examples.py api/openapi.yaml api/examples.yaml"""

import sys
import unittest

import jsonschema
import yaml

sys.path.insert(0, sys.argv[1].rpartition("/")[0])
from to_c import document  # noqa: E402

METHODS = {"get", "put", "post", "delete", "patch"}


def contents(operation):
    """(where, media type, what is said of it) of the request and of each answer of success."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media, content
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            for media, content in response.get("content", {}).items():
                yield status, media, content


class Examples(unittest.TestCase):
    paths = sys.argv[1], sys.argv[2]

    @classmethod
    def setUpClass(cls):
        cls.document = document(*cls.paths)
        cls.operations = [operation for path in cls.document["paths"].values() for method, operation in path.items()
                          if method in METHODS]

    def test_each_operation_has_one_that_fits_its_schema(self):
        seen = 0
        for operation in self.operations:
            for where, media, content in contents(operation):
                name = f"{operation['operationId']} {where} {media}"
                self.assertIn("example", content, name)
                schema = {**content["schema"], "components": self.document["components"]}
                checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
                problems = [f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message}"
                            for error in checker.iter_errors(content["example"])]
                self.assertEqual(problems, [])
                seen += 1
        self.assertGreater(seen, 100)

    def test_none_is_of_an_operation_that_there_is_not(self):
        with open(self.paths[1], encoding="utf-8") as file:
            examples = yaml.safe_load(file)
        self.assertEqual(set(examples) - {operation["operationId"] for operation in self.operations}, set())

    def test_one_that_does_not_fit_is_found(self):
        schema = {**self.document["components"]["schemas"]["Device"], "components": self.document["components"]}
        self.assertTrue(list(jsonschema.Draft202012Validator(schema).iter_errors({"id": 7})))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

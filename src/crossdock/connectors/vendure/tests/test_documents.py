"""Every document is valid where it will be sent: by the simulator's schema always, by the vendor's whole one when it
is at hand.
"""

import gzip
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_client_schema, build_schema, parse, validate

from crossdock.connectors.vendure import client
from crossdock.connectors.vendure.client import document
from crossdock.connectors.vendure.sandbox import api

VENDOR = Path(__file__).parents[6] / "shared" / "platforms" / "schemas" / "vendure" / "schema-admin.json.gz"
CUT = hashlib.sha256((files(api.__package__) / "schema.graphql").read_bytes()).hexdigest()
OPERATIONS = re.findall(
    r"^(?:query|mutation) (\w+)", (files(client.__package__) / "documents.graphql").read_text("utf-8"), flags=re.M
)


def problems(schema: GraphQLSchema, name: str, lines: int) -> list[str]:
    return [problem.message for problem in validate(schema, parse(document(name, lines)))]


def test_there_are_operations() -> None:
    assert len(OPERATIONS) == len(set(OPERATIONS)) > 20


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("lines", [1, 3])
def test_each_is_valid_in_the_simulators_schema(name: str, lines: int) -> None:
    assert problems(api.schema(), name, lines) == []


@pytest.mark.skipif(not VENDOR.exists(), reason="the vendor's schema is not beside this project")
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_is_valid_in_the_vendors_whole_schema_of_an_older_release_too(name: str) -> None:
    """That file is of core 3.5.4; tests/real asks the 3.7.3 server itself."""
    answer = json.loads(gzip.decompress(VENDOR.read_bytes()))
    assert problems(build_client_schema(answer.get("data", answer)), name, 2) == []


def test_the_simulators_schema_is_what_was_cut_and_not_edited_after() -> None:
    """Cut it again with tests/real/cut_schema.py, then write the new hash here."""
    assert CUT == "f3491222c2829f5785ca2356e917a589993220420e85c71f7f406d53a84c9b51"


def test_a_schema_without_a_field_of_ours_is_noticed() -> None:
    """So that the tests above can fail."""
    text = (files(api.__package__) / "schema.graphql").read_text("utf-8")
    without = build_schema(text.replace("  stockAllocated: Int!\n", ""))
    assert problems(without, "Counts", 1) == [
        "Cannot query field 'stockAllocated' on type 'StockLevel'. Did you mean 'stockLocationId'?"
    ]

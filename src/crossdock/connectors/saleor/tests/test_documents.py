"""Every document is valid where it will be sent, and costs what Saleor takes."""

import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from crossdock.connectors.saleor.sandbox import api
from crossdock.connectors.saleor.sandbox.cost import MOST_COST, cost_of
from crossdock.connectors.saleor.tests import cut

VENDOR = Path(__file__).parents[6] / "shared/platforms/schemas/saleor/schema-3.24.0-a.0.graphql.gz"
DOCUMENTS = cut.documents()
TEXT = (files(api.__package__) / "schema.graphql").read_text("utf-8")
EVIDENCE = json.loads((files(api.__package__) / "evidence.json").read_text("utf-8"))


def test_there_are_documents() -> None:
    assert len(DOCUMENTS) > 25


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_is_valid_in_the_simulators_schema(name: str) -> None:
    assert [error.message for error in validate(api.schema(), parse(DOCUMENTS[name]))] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_was_valid_in_the_vendors_whole_schema(name: str) -> None:
    """Changed since? Cut again with tests/cut.py, which refuses what the whole schema does not have."""
    assert EVIDENCE["documents_sha256"][name] == cut.digest(DOCUMENTS[name])


def test_the_simulators_schema_is_what_was_cut_and_not_edited_after() -> None:
    assert EVIDENCE["cut_schema_sha256"] == cut.digest(TEXT)


@pytest.mark.skipif(not VENDOR.exists(), reason="the vendor's schema is not beside this project")
def test_cut_again_it_is_the_same() -> None:
    raw = gzip.decompress(VENDOR.read_bytes()).decode()
    assert EVIDENCE["full_schema_sha256"] == cut.digest(raw)
    schema = build_schema(raw)
    assert cut.complaints(schema) == []
    assert cut.cut(schema) == TEXT


def test_a_schema_without_a_field_of_ours_is_noticed() -> None:
    """So that the tests above can fail."""
    without = build_schema(TEXT.replace("  quantityAllocated: Int!\n", ""))
    assert any(
        complaint.startswith("Counts: Cannot query field 'quantityAllocated'") for complaint in cut.complaints(without)
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_costs_less_than_a_fifth_of_what_is_allowed(name: str) -> None:
    assert cost_of(api.schema(), parse(DOCUMENTS[name]), {}) < MOST_COST / 5


def test_a_page_of_orders_costs_its_rows() -> None:
    """100 orders, and within each: lines, their allocations with a warehouse, variants with a product, ..."""
    document = DOCUMENTS["Orders"]
    one, many = (
        cost_of(api.schema(), parse(text), {}) for text in (document.replace("first: 100", "first: 1"), document)
    )
    assert one > 10
    assert many == 100 * one

"""Every operation against the vendor's schema: the part kept here always, the whole one where it lies beside the
project.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crossdock.connectors.shopify import reading
from crossdock.connectors.shopify.client import DOCUMENTS, Client
from crossdock.connectors.shopify.manifest import API_VERSION, FULFILMENT_SCOPES, SCOPES
from crossdock.connectors.shopify.sandbox import graph
from crossdock.connectors.shopify.tests import cut
from crossdock.connectors.shopify.tests.conftest import a_shop

HERE = Path(__file__).parent
FULL = HERE.parents[4].parent / "shared/platforms/schemas/shopify" / f"admin_{API_VERSION}.json.gz"
EVIDENCE = json.loads((HERE.parent / "sandbox/evidence.json").read_text())
CUT = (HERE.parent / "sandbox/schema.graphql").read_text()


def test_every_operation_was_checked_as_it_stands() -> None:
    """An operation that changed, or is new, has no hash here until cut.py has seen it."""
    assert EVIDENCE["documents_sha256"] == {name: cut.digest(text) for name, text in DOCUMENTS.items()}
    assert EVIDENCE["api_version"] == API_VERSION
    assert EVIDENCE["cut_schema_sha256"] == cut.digest(CUT)


def test_the_part_kept_here_accepts_them() -> None:
    assert cut.complaints(graph.schema()) == []


def test_a_wrong_field_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DOCUMENTS, "Job", DOCUMENTS["Job"].replace("done", "finished"))
    assert cut.complaints(graph.schema()) == ["Job: Cannot query field 'finished' on type 'Job'."]
    assert EVIDENCE["documents_sha256"]["Job"] != cut.digest(DOCUMENTS["Job"])


@pytest.mark.skipif(not FULL.exists(), reason="the vendor's full schema is not beside the project")
def test_the_whole_schema_accepts_them_and_the_cut_is_fresh() -> None:
    schema, digest = cut.full_schema(FULL)
    assert digest == EVIDENCE["full_schema_sha256"]
    assert cut.complaints(schema) == []
    assert cut.cut(schema) == CUT


def sizes_of(name: str, settings: dict[str, str]) -> dict[str, Any]:
    """The variables that decide the cost, as the connector chooses them for a shop with these settings."""
    scope = reading.stock_scope(Client(a_shop(settings=settings)))
    first, variants = reading.page_sizes(scope)
    once = reading.at_once(scope)
    listing = {"first": first if name == "Products" else reading.ORDERS_AT_ONCE}
    return {"ids": ["x"] * once, "variants": variants if name == "Products" else once, **listing, **scope}


@pytest.mark.parametrize(
    "settings",
    [{"locations": n} for n in ("1", "2", "10", "50", "199")]
    + [{"location": "5"}, {"locations": "50", "location": "5,6"}],
    ids=str,
)
@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_no_request_can_cost_more_than_the_shop_takes(name: str, settings: dict[str, str]) -> None:
    others = dict.fromkeys(re.findall(r"\$(\w+):", DOCUMENTS[name]), "x")
    points = graph.requested(DOCUMENTS[name], others | sizes_of(name, settings))
    assert 0 < points <= graph.MOST_POINTS


def test_only_what_is_used_is_asked_for_as_a_right() -> None:
    assert len(set(SCOPES)) == len(SCOPES)
    assert not {scope for scope in SCOPES if scope.startswith("write_")} - {"write_inventory", "write_orders"}
    assert FULFILMENT_SCOPES == ("write_merchant_managed_fulfillment_orders",)


def test_the_version_is_pinned_in_one_place() -> None:
    elsewhere = [
        path.name
        for path in HERE.parent.rglob("*.py")
        if path.name != "manifest.py" and "tests" not in path.parts and API_VERSION in path.read_text()
    ]
    assert elsewhere == []

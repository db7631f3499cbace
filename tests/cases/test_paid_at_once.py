"""Four orders for one unit, paid in the same moment on Vendure 3.7.3 with PostgreSQL 17: four allocation records.

The answers are what the server said; each order was called proven by its record.
"""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from crossdock.connectors.vendure import stock
from crossdock.kit.connector import Http, Shop
from crossdock.kit.json_node import Node, node_of

# id, paid (the transaction's beginning), placed (the program's clock); the order of commits was 3, 1, 4, 2.
PAID = {
    "1": ("01:43:25.678", "01:43:26.011"),
    "2": ("01:43:25.679", "01:43:26.034"),
    "3": ("01:43:25.687", "01:43:25.973"),
    "4": ("01:43:25.690", "01:43:26.032"),
}
STOCK = {"trackInventory": "TRUE", "outOfStockThreshold": 0, "useGlobalOutOfStockThreshold": True}


def at(clock: str) -> str:
    return f"2026-11-29T{clock}Z"


def order(id: str) -> dict[str, Any]:
    paid, placed = PAID[id]
    variant = {"id": "7", "productId": "3", "sku": "S", "stockMovements": {"totalItems": 5}}
    return {
        "id": id,
        "code": f"CODE{id}",
        "state": "PaymentSettled",
        "orderPlacedAt": at(placed),
        "updatedAt": at(placed),
        "totalWithTax": 1750,
        "currencyCode": "USD",
        "customer": {"emailAddress": "b@example.test"},
        "payments": [{"method": "crossdock", "transactionId": f"CD-{id}", "createdAt": at(paid), "refunds": []}],
        "lines": [{"id": id, "quantity": 1, "orderPlacedQuantity": 1, "productVariant": variant}],
        "fulfillments": [],
    }


class Server:
    """What it answers to the two questions."""

    def __init__(self, allocated: int, on_hand: int = 1) -> None:
        self.shop = Shop("https://shop.example", {}, {}, http=cast(Http, None), now=lambda: datetime.now(UTC))
        self.level = {"stockLocationId": "1", "stockOnHand": on_hand, "stockAllocated": allocated}

    async def ask(self, operation: str, **_: Any) -> Node:
        orders = {"items": [order(id) for id in PAID]}
        if operation == "Holding":
            return node_of({"orders": orders}, "data")
        records = [{"__typename": "Allocation", "quantity": 1, "createdAt": at(paid)} for paid, _ in PAID.values()]
        movements = {"items": [{"__typename": "StockAdjustment"}, *records]}
        variant = {"id": "7", **STOCK, "stockLevels": [self.level], "stockMovements": movements}
        return node_of(
            {
                "order": {"lines": [{"productVariant": variant}]},
                "orders": orders,
                "globalSettings": {"trackInventory": True, "outOfStockThreshold": 0},
                "stockLocations": {"items": [{"id": "1"}]},
            },
            "data",
        )


@pytest.mark.parametrize(("id", "short"), [("3", ()), ("1", ("7",)), ("4", ("7",)), ("2", ("7",))])
async def test_only_the_first_of_four_can_have_the_unit_and_nobody_is_called_proven(
    id: str, short: tuple[str, ...]
) -> None:
    judged = await stock.judge(Server(1), node_of(order(id), "order"), {"7": 1}, fresh=False)  # type: ignore[arg-type]
    assert judged.short == short
    assert judged.unsure == (() if short else ("7",))
    assert judged.order.stock_taken is False
    read = await stock.proven(Server(1), node_of(order(id), "order"))  # type: ignore[arg-type]
    assert (read.stock_taken, read.lines[0].stock_taken) == (False, None)


async def test_where_the_level_holds_all_four_each_is_proven() -> None:
    judged = await stock.judge(Server(4, on_hand=4), node_of(order("2"), "order"), {"7": 1}, fresh=False)  # type: ignore[arg-type]
    assert (judged.short, judged.unsure, judged.order.stock_taken) == ((), (), True)

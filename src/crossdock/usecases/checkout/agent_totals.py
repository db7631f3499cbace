"""Amounts as the protocol's totals. Its schema checks no sum, so what goes out is checked here."""

from typing import Any

from crossdock.domain.values import Money


def entry(kind: str, words: str, amount: Money) -> dict[str, Any]:
    return {"type": kind, "display_text": words, "amount": amount.minor}


def totals(items: Money, shipping: Money | None) -> list[dict[str, Any]]:
    """Prices hold all taxes, so there is no line for them. Without shipping, which needs a country, the total is of the
    items alone.
    """
    found = [entry("items_base_amount", "Items", items), entry("subtotal", "Subtotal", items)]
    if shipping is not None:
        found.append(entry("fulfillment", "Shipping", shipping))
    return [*found, entry("total", "Total", items if shipping is None else items + shipping)]


def add_up(said: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    """Raises ValueError where a total is not the sum of what stands above it; nothing of it goes out then."""
    by = {one["type"]: one["amount"] for one in said}
    of_lines = sum(one["amount"] for line in lines for one in line["totals"] if one["type"] == "total")
    if by["items_base_amount"] != of_lines or by["subtotal"] != of_lines:
        raise ValueError("The items do not add up.")
    if by["total"] != by["subtotal"] + by.get("fulfillment", 0) or min(by.values()) < 0 or len(by) != len(said):
        raise ValueError("The totals do not add up.")

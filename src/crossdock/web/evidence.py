"""A case's evidence as people read it: one line per item, the rest unfolds.

What stands here is what was copied into the case, nothing more.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TITLES = {
    "calls": ("What we asked the shop", "Each with its calls, and what our connector made of the answers."),
    "exchanges": ("Other calls to the shop", "Signing in, tests of the connection, webhooks."),
    "deliveries": ("What the shop told us", "Deliveries of its webhooks."),
    "commands": ("What we decided to do", "Each with how it ended."),
    "timeline": ("The order's timeline", ""),
    "movements": ("Stock", "Movements of the variants in question."),
}
_OPERATIONS = {
    "create": "Create the order",
    "confirm": "Look whether the order has its units",
    "cancel": "Cancel the order",
    "cancel_lines": "Take units out of the order",
    "adjust": "Correct a count",
    "write_risk": "Write the risk level",
    "write_fulfilment": "Write the fulfilment",
    "find": "Look for the order by our reference",
    "order": "Read the order",
    "orders": "Read changed orders",
    "product": "Read a product",
    "products": "Read changed products",
    "counts": "Read stock counts",
}
LONGEST = 6000


@dataclass(frozen=True, slots=True)
class Item:
    """`blocks` are (heading, text), shown as they are."""

    key: str
    headline: str
    at: datetime | None
    tone: str = ""
    word: str = ""
    blocks: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    title: str
    about: str
    items: list[Item]


def parts(evidence: Mapping[str, Any]) -> list[Part]:
    """What there is, part by part; empty ones are left out."""
    made = []
    for name, (title, about) in TITLES.items():
        items = [_item(name, item) for item in evidence.get(name, [])]
        if items:
            made.append(Part(name, title, about, items))
    return made


def facts(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What it is about, in a few lines."""
    about, shop = evidence.get("about", {}), evidence.get("shop") or {}
    found: list[tuple[str, Any]] = []
    if order := about.get("order"):
        copy = order.get("copy") or {}
        found += [
            ("Order", f"#{order['number']}, {order['reference']}"),
            ("State", f"{order['money']}, {order['parcels']}".replace("_", " ")),
        ]
        found += [("In the shop", " ".join(str(copy.get(name) or "") for name in ("state", "shop_number", "said")))]
        found += [
            ("Lines", ", ".join(f"{line['quantity']} × {line['sku'] or line['variant_id']}" for line in order["lines"]))
        ]
    if listing := about.get("listing"):
        found.append(("Listing", f"{listing['title']} ({listing['state']})"))
    if alert := about.get("alert"):
        found.append(("Alert", f"{alert['code']}: {alert['said']}"))
    if shop:
        found += [
            ("Shop", f"{shop['platform']} {shop['api_version']}, {shop['url']}"),
            ("Connection", f"{shop['state']} {shop['state_said']}"),
        ]
    return [(words, str(value).strip()) for words, value in found if str(value).strip()]


def _item(part: str, item: Mapping[str, Any]) -> Item:
    at = _moment(item.get("at"))
    match part:
        case "calls":
            return _call(item, at)
        case "exchanges":
            return Item(item["key"], _line(item), at, *_status(item), blocks=_sides(item))
        case "deliveries":
            blocks = [
                ("Said", item["body"]),
                ("Headers", _json(item["headers"])),
                ("Read as", _json(item["made"])),
                ("Note", item["note"]),
            ]
            return Item(
                item["key"],
                item["topic"],
                at,
                "",
                f"came {item['doubles'] + 1} times" if item["doubles"] else "",
                _some(blocks),
            )
        case "commands":
            tone = (
                "good"
                if item["result"] == "ok"
                else "bad"
                if item["state"] == "dead" or item["result"] == "refused"
                else ""
            )
            ending = item["result"] if item["result"] not in ("", "none") else item["state"]
            blocks = [
                ("Asked", _json(item["given"])),
                ("Outcome", _json(item["outcome"])),
                ("Tries", str(item["attempts"])),
            ]
            return Item(
                item["key"],
                f"{item['kind']} {item['said']}".replace("_", " ", 1).strip(),
                at,
                tone,
                ending.replace("_", " "),
                _some(blocks),
            )
        case "timeline":
            return Item(item["key"], item["said"], at, "", item["source"])
        case _:
            counts = (
                f", count {'?' if item['count_before'] is None else item['count_before']} → {item['count_after']}"
                if item["count_after"] is not None
                else ""
            )
            units = f" {item['quantity']:+d}" if item["quantity"] is not None else ""
            return Item(
                item["key"],
                f"{item['sku']}: {item['kind'].replace('_', ' ')}{units}{counts}",
                at,
                "",
                "",
                _some([("Because", item["because"])]),
            )


def _call(item: Mapping[str, Any], at: datetime | None) -> Item:
    made = item["made"]
    kind = str(made.get("type", ""))
    bad = bool(made.get("raised") or made.get("stumbled")) or kind in ("Refused", "SignInAgain")
    tone = "bad" if bad else "warn" if kind in ("Unknown", "Later") else "good"
    blocks = [("Given", _json(item["given"])), ("What our connector made of it", _json(made))]
    for exchange in item["exchanges"]:
        words, status = _line(exchange), exchange["status"] or "no answer"
        blocks += [
            (f"{words}: {status}{' (asked)' if name == 'Asked' else ''}", text) for name, text in _sides(exchange)
        ]
    return Item(item["key"], _OPERATIONS.get(item["operation"], item["operation"]), at, tone, kind, _some(blocks))


def _line(exchange: Mapping[str, Any]) -> str:
    return f"{exchange['method']} {exchange['url']}"[:160]


def _status(exchange: Mapping[str, Any]) -> tuple[str, str]:
    status = exchange["status"]
    return ("bad", "no answer") if status is None else ("good" if status < 400 else "warn", str(status))


def _sides(exchange: Mapping[str, Any]) -> list[tuple[str, str]]:
    return _some([("Asked", exchange["request"]), ("Answered", exchange["answer"] or exchange["trouble"])])


def _some(blocks: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(words, _cut(text)) for words, text in blocks if text and text not in ("{}", "[]", "null")]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters; the case file has them)"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None

"""The simulated shop's catalogue, its stock levels and the records of what moved them.

`settings["database"]` is what the shop runs on. On "sqlite" everything happens one after the other and dates have whole
seconds. On "postgres" two payments at once read the same level and each writes its own number over the other's, as
3.7.3 was seen doing on PostgreSQL 17.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crossdock.connectors.vendure.sandbox.refusals import NoSuchEntity
from crossdock.kit.sandbox import Doc, Shelf, books

COUNTRIES = frozenset({"US", "DE", "GB"})
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ123456789"


# The seller's settings, as a person would find them under Settings.
DEFAULTS: Doc = {
    "database": "sqlite",
    "track": True,
    "threshold": 0,
    "tax": 0,
    "currency": "USD",
    "methods": True,
    "countries": sorted(COUNTRIES),
}


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Begun:
    """What a payment's transaction read when it began: the order's state, the moment, levels as (on hand,
    allocated).
    """

    state: str
    at: str
    levels: dict[str, tuple[int, int]]


class Shelves(books.Documents):
    """All documents are JSON on the shelf; amounts are in 1/100."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], random: random.Random) -> None:
        super().__init__(shelf, clock, lambda *_: None, stamp=_stamp, settings=DEFAULTS)
        self._random = random

    def second(self) -> str:
        """What the database writes by itself; SQLite's datetime('now') has whole seconds."""
        return self.now() if self.settings["database"] == "postgres" else self.now()[:19] + ".000Z"

    def token(self) -> str:
        """The default channel's token: the shop's identity, made once."""
        doc = self.shelf.get("channel", "1") or {
            "token": "".join(self._random.choice(CODE_LETTERS) for _ in range(20)).lower()
        }
        self.shelf.put("channel", "1", doc)
        return str(doc["token"])

    def _id(self, kind: str) -> str:
        return str(self.new_id(kind))

    # Catalogue

    def add_product(
        self, title: str, rows: list[tuple[str, int, int]], image: str, description: str
    ) -> tuple[str, list[str]]:
        """`rows` are (sku, price, count)."""
        product = self._id("product")
        words = {"name": title, "description": description, "image": image}
        self.shelf.put(
            "product", product, {"id": product, **words, "enabled": True, "deleted": False, "updatedAt": self.second()}
        )
        made = []
        for sku, price, count in rows:
            variant = self._id("variant")
            doc = {
                "id": variant,
                "productId": product,
                "sku": sku,
                "name": f"{title} {sku}" if len(rows) > 1 else title,
                "price": price,
                "option": sku if len(rows) > 1 else "",
                "onHand": count,
                "allocated": 0,
                "track": "INHERIT",
                "threshold": None,
                "enabled": True,
                "deleted": False,
                "updatedAt": self.second(),
            }
            self.shelf.put("variant", variant, doc, key=product)
            made.append(variant)
        return product, made

    def gross(self, price: int) -> int:
        """With tax, in per cent: a setting of the shop that moves no product's date."""
        return round(price * (100 + int(self.settings["tax"])) / 100)

    def change_variant(self, variant_id: str, **fields: Any) -> None:
        """Moves the variant's `updatedAt` and not the product's."""
        doc = self.variant(variant_id)
        self.keep_variant({**doc, **fields, "updatedAt": self.now()})

    def change_product(self, product_id: str, **fields: Any) -> None:
        doc = self.product(product_id)
        self.shelf.put("product", product_id, {**doc, **fields, "updatedAt": self.now()})

    def delete_product(self, product_id: str) -> None:
        """Soft: old orders still show its variants, nothing else does."""
        self.change_product(product_id, deleted=True)
        for doc in self.shelf.by_key("variant", product_id):
            self.keep_variant({**doc, "deleted": True})

    def keep_variant(self, doc: Doc) -> None:
        self.shelf.put("variant", doc["id"], doc, key=doc["productId"])

    def product(self, product_id: str) -> Doc:
        return self._must("product", product_id, "Product")

    def variant(self, variant_id: str, *, deleted: bool = False) -> Doc:
        doc = self.shelf.get("variant", variant_id)
        if doc is None or (doc["deleted"] and not deleted):
            raise NoSuchEntity("ProductVariant", variant_id)
        return doc

    def _must(self, kind: str, id: str, name: str) -> Doc:
        doc = self.shelf.get(kind, id)
        if doc is None or doc.get("deleted"):
            raise NoSuchEntity(name, id)
        return doc

    # Stock

    def tracks(self, variant: Doc) -> bool:
        return bool({"TRUE": True, "FALSE": False}.get(variant["track"], self.settings["track"]))

    def threshold(self, variant: Doc) -> int:
        return int(self.settings["threshold"] if variant["threshold"] is None else variant["threshold"])

    def saleable(self, variant: Doc) -> int:
        return (
            int(variant["onHand"] - variant["allocated"] - self.threshold(variant)) if self.tracks(variant) else 2**53
        )

    def _move(self, variant_id: str, *, on_hand: int = 0, allocated: int = 0) -> None:
        """Stock levels are rows of their own: the variant's `updatedAt` stays."""
        doc = self.variant(variant_id, deleted=True)
        if self.tracks(doc):
            self.keep_variant({**doc, "onHand": doc["onHand"] + on_hand, "allocated": doc["allocated"] + allocated})

    def _allocate(self, line: Doc, units: int, begun: Begun | None = None) -> None:
        """What there is, without a word about the rest; `begun` is what the transaction believes there is."""
        variant = self.variant(line["variant"], deleted=True)
        on_hand, allocated = begun.levels[variant["id"]] if begun else (variant["onHand"], variant["allocated"])
        units = min(units, max(0, self.saleable({**variant, "onHand": on_hand, "allocated": allocated})))
        if units:
            self._record("ALLOCATION", line, units, at=begun.at if begun else None)
            if self.tracks(variant):
                self.keep_variant({**variant, "allocated": allocated + units})
            line["allocated"] += units

    def _record(self, kind: str, line: Doc, units: int, *, at: str | None = None) -> None:
        number = self._id("movement")
        doc = {"id": number, "type": kind, "variant": line["variant"], "line": line["id"], "quantity": units}
        self.shelf.put("movement", number, {**doc, "createdAt": at or self.second()}, key=line["variant"])

    def movements(self, variant_id: str) -> list[Doc]:
        return self.shelf.by_key("movement", variant_id)

#!/usr/bin/env python3
"""A shop that can only export a CSV file: its products come from the file, its orders wait on one page for a person.

    python feed.py --csv products.csv --data mailbox.sqlite --port 8098

It is the reference shop of the folder beside, behind the same signed door; a shop needs no program of its own. What can
be sold is what the file says, less the units of orders that the file cannot know yet: those that nobody has entered in
the shop, and those entered after the file was written.
"""

import csv
import hashlib
import io
import sys
import time
import urllib.request
from collections import Counter
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reference_shop"))

from more import FullShop
from shop import now

NAMES = {
    "sku": ("sku", "id", "article", "article number"),
    "title": ("title", "name", "product"),
    "price": ("price", "selling price"),
    "stock": ("stock", "quantity", "qty", "inventory", "count"),
    "group": ("group", "parent", "product id"),
    "image": ("image", "image url", "picture"),
    "description": ("description", "text"),
    "tags": ("tags", "keywords"),
    "type": ("type", "category"),
}
# Columns whose names go on: `option: Condition`, `property: Set`.
ABOUT = {"option:": "options", "property:": "properties"}
NEEDED = ("sku", "title", "price", "stock")
BIGGEST = 50_000_000
MOST = 10**9  # of units, and of a price
MOST_WORDS = 20  # of a product: what the contract takes of options and properties
AHEAD = 300  # seconds that two clocks may differ


class Unusable(Exception):
    """Nothing of this file is taken; what was read before stays."""


class FeedShop(FullShop):
    """`places` is how many decimals the currency has (EUR 2, JPY 0); `slack` is how many seconds an export may take."""

    def __init__(self, path, source, currency="EUR", name="Shop with a feed", places=2, slack=600):
        super().__init__(path, currency, name)
        del self.calls["counts/adjust"]  # the file is the shop's word on counts; nobody writes into it
        self.source, self.places, self.slack = source, places, slack
        self.trouble, self.odd = "", []

    # What can be sold

    def move(self, variant_id, delta):
        """Nothing: counts follow from the file and from the orders that it cannot know."""

    def keep(self, order):
        shown = super().keep(order)
        self.pend(order)
        for line in order["lines"]:
            self.recount(line["variant_id"])
        return shown

    def pend(self, order):
        """How many units of each variant the file may not know of, for as long as it may not."""
        entered = order.get("entered")
        called_off = order["state"] == "cancelled" and order.get("restock", True)
        if called_off or (entered and self.written() > entered + self.slack):
            self.db.execute("DELETE FROM row WHERE kind = 'pending' AND id = ?", (order["id"],))
            return
        units = {}
        for line in order["lines"]:
            units[line["variant_id"]] = units.get(line["variant_id"], 0) + line["units"]
        self.put("pending", {"id": order["id"], "entered": entered, "units": units})

    def written(self):
        return (self.get("feed", "it") or {"at": 0})["at"]

    def recount(self, variant_id):
        product, row = self.variant(variant_id)
        if row is None or row["listed"] is None:
            return
        promised = sum(doc["units"].get(variant_id, 0) for doc in self.every("pending"))
        count = max(0, row["listed"] - promised)
        if row["count"] != count:
            row["count"] = count
            self.put("product", product)

    def call_off(self, order, note="", restock=True):
        """Units that do not come back count as sold until an export says how many there are."""
        lost = {} if restock or order.get("entered") else {"entered": time.time()}
        return super().call_off({**order, **lost, "restock": restock}, note, restock)

    def enter(self, order, number=""):
        """A person has entered it in the shop: an export from now on contains it."""
        if not order.get("entered"):
            self.keep({**order, "entered": time.time(), "entered_as": number})

    # The file

    def refresh(self):
        """Read the file if it changed. A file that cannot be used changes nothing and is said on the page."""
        try:
            with self.lock:
                before = self.written()
            found = fetched(self.source, before)  # without the lock: orders do not wait for a slow server
            with self.transaction():
                self.read_feed(*found)
        except (Unusable, OSError, ValueError, csv.Error, HTTPException) as why:
            self.trouble = f"The file was not taken: {why}"
        except Exception as why:  # whatever it is: the next look comes, and the page says it
            self.trouble = f"The file was not taken: {why!r}"

    def read_feed(self, text, at):
        """Raises Unusable, ValueError and csv.Error when nothing of it can be taken. One that is no newer is left."""
        if text is not None and at > self.written():
            rows, stopped, odd = products(text, self.places)
            self.take(rows, stopped, at)
            self.trouble, self.odd = "", odd

    def take(self, rows, stopped, at):
        """The file's rows are the shop's products from now on. What stands in an odd row is not sold until it can be
        read again, and is not deleted either.
        """
        there = {doc["id"]: doc for doc in self.every("product") if not doc.get("deleted")}
        for doc in there.values():
            for row in doc["variants"]:
                if row["sku"] in stopped:
                    product = rows.setdefault(doc["id"], {**doc, "variants": []})
                    product["variants"].append({**row, "listed": 0})
        gone = [id_ for id_ in there if id_ not in rows]
        if len(gone) > max(5, len(there) // 2):
            raise Unusable(
                f"{len(gone)} of {len(there)} products are missing in it. If that is right, remove them in two steps."
            )
        self.put("feed", {"id": "it", "at": at, "read_at": now()})
        promised = {}
        for doc in self.every("pending"):
            self.pend(self.get("order", doc["id"]))
        for doc in self.every("pending"):
            for variant_id, units in doc["units"].items():
                promised[variant_id] = promised.get(variant_id, 0) + units
        currency = self.get("shop", "it")["currency"]
        for id_, product in rows.items():
            for row in product["variants"]:
                listed = row["listed"]
                row["count"] = None if listed is None else max(0, listed - promised.get(row["id"], 0))
            new = {**product, "id": id_, "currency": currency, "on_sale": True}
            if plain(new) != plain(there.get(id_, {})):
                self.put("product", {**new, "updated_at": now()})
        for id_ in gone:
            self.put("product", {"id": id_, "deleted": True})


def plain(product):
    """What says that a product changed."""
    return {name: value for name, value in product.items() if name not in ("seq", "updated_at")}


def fetched(source, before):
    """The text and when it was written; (None, 0) when it is the one that was read before, or half written."""
    if source.startswith("https://"):
        begun = time.time()
        with urllib.request.urlopen(source, timeout=60) as answer:
            data, said = answer.read(BIGGEST + 1), answer.headers.get("Last-Modified")
            left = answer.length  # of the length that was announced: a part that breaks off raises nothing
        # An export that is made for each request is as new as the request; one that lies there says how old it is.
        at = parsedate_to_datetime(said).timestamp() if said else begun
    else:
        path, left = Path(source), 0
        seen = path.stat()
        data, at = path.read_bytes(), seen.st_mtime
        after = path.stat()
        if (after.st_mtime, after.st_size) != (at, len(data)):
            return None, 0
    if at <= before:
        return None, 0
    if at > time.time() + AHEAD:
        # Orders would count as known to it that are not, and no later file would be newer.
        raise Unusable("its date lies in the future; set the clock, or the time zone, of the server that dates it.")
    if len(data) > BIGGEST:
        raise Unusable(f"it is larger than {BIGGEST:,} bytes.")
    if left:
        raise Unusable("it broke off before its end.")
    try:
        return data.decode("utf-8-sig"), at
    except UnicodeDecodeError:
        return data.decode("cp1252"), at


def table_of(text):
    """(number of the row, its cells by our names). The separator is the one that the first line has most of."""
    first, _, _ = text.partition("\n")
    table = csv.reader(io.StringIO(text), delimiter=max(",;\t|", key=first.count), strict=True)
    titles = [name.strip() for name in next(table, [])]
    head = [name.lower() for name in titles]
    about = [
        (column, field, titles[column][len(begin) :].strip())
        for column, name in enumerate(head)
        for begin, field in ABOUT.items()
        if name.startswith(begin)
    ]
    at = {field: head.index(name) for field, names in NAMES.items() for name in reversed(names) if name in head}
    if missing := [field for field in NEEDED if field not in at]:
        raise Unusable(f"its first line names no column {', '.join(missing)}.")
    for number, cells in enumerate(table, 2):
        if any(cell.strip() for cell in cells):
            row = {field: cells[column].strip() for field, column in at.items() if column < len(cells)}
            for column, field, name in about:
                if column < len(cells) and cells[column].strip():
                    row.setdefault(field, []).append({"name": name, "value": cells[column].strip()})
            yield number, row


def products(text, places):
    """(products by id, SKUs of rows that cannot be read, a sentence for each such row)."""
    rows = list(table_of(text))
    skus = Counter(row.get("sku", "") for _, row in rows)
    found, stopped, odd = {}, set(), []
    for number, row in rows:
        sku = row.get("sku", "")
        try:
            if not sku:
                raise ValueError("it has no SKU")
            if skus[sku] > 1:
                raise ValueError(f"the SKU “{sku}” stands in the file {skus[sku]} times")
            if not row.get("title"):
                raise ValueError("it has no title")
            variant = {"sku": sku, "price": price(row.get("price", ""), places), "listed": count(row.get("stock", ""))}
        except ValueError as why:
            stopped.add(sku)
            odd.append(f"Row {number}: {why}.")
            continue
        id_ = "p" + digest(row.get("group") or sku)
        images = [row["image"]] if row.get("image", "").startswith("https://") else []
        fresh = {"title": row["title"], "description": row.get("description", ""), "images": images, "variants": []}
        fresh |= {"tags": words(row.get("tags", "")), "types": words(row.get("type", ""))}
        fresh["properties"] = row.get("properties", [])[:MOST_WORDS]
        product = found.setdefault(id_, fresh)
        title = row["title"] if row["title"] != product["title"] else sku
        options = row.get("options", [])[:MOST_WORDS]
        product["variants"].append({"id": f"{id_}.{digest(sku)}", "title": title, "options": options, **variant})
    return found, stopped, odd


def words(cell):
    """Tags and types stand in one cell, with `|` or, where there is none, commas between."""
    parts = cell.split("|") if "|" in cell else cell.split(",")
    return [part.strip() for part in parts if part.strip()][:MOST_WORDS]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def price(text, places):
    """`12.50` or `12,50`. What can be read in two ways (`1,250`, `1.250`) is left out rather than guessed."""
    plain = text.replace("\u00a0", "").replace(" ", "").replace(",", ".")
    behind = plain.partition(".")[2]
    try:
        value = Decimal(plain)
        if (
            not plain.replace(".", "").isdecimal()
            or value >= MOST
            or (len(behind) == 3 and places != 3)
            or behind[places:].strip("0")
        ):
            raise ValueError
        return f"{value:.{places}f}"
    except (InvalidOperation, ValueError):
        raise ValueError(f"“{text}” is no price, or can be read as two") from None


def count(text):
    """Whole units; `unlimited` for what is never counted."""
    if text.lower() == "unlimited":
        return None
    try:
        value = Decimal(text)
        if value.is_finite() and abs(value) < MOST and value == value.to_integral_value():
            return max(0, int(value))
    except (InvalidOperation, ValueError):
        pass
    raise ValueError(f"“{text}” is no number of units (write unlimited for what is never counted)")


if __name__ == "__main__":
    from mailbox_page import main

    main(FeedShop)

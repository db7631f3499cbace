#!/usr/bin/env python3
"""A shop behind the open door: copy it and put your own shop behind it. Standard library alone.

    python shop.py --data shop.sqlite --port 8099 --add "Blue mug" 12.50 7        (it makes a key and prints it)

Six calls are required; cancelling and webhooks are here because they are short. What each call has to do stands in
the contract (openapi.json); door.py signs and serves, more.py has the other calls, proving.py what proves them.
"""

import argparse
import base64
import json
import secrets
import sqlite3
import threading
from contextlib import contextmanager
from datetime import datetime, timezone
from decimal import Decimal

from door import No, serve

TABLES = """
CREATE TABLE IF NOT EXISTS row (kind TEXT, id TEXT, seq INTEGER, reference TEXT, body TEXT, PRIMARY KEY (kind, id));
CREATE INDEX IF NOT EXISTS row_seq ON row (kind, seq);
CREATE TABLE IF NOT EXISTS change (number INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE UNIQUE INDEX IF NOT EXISTS row_reference ON row (reference) WHERE reference <> '';
"""


class Shop:
    """Rows of JSON in SQLite. One call at a time, each in one transaction."""

    def __init__(self, path, currency="EUR", name="Reference shop"):
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.executescript("PRAGMA journal_mode = WAL;" + TABLES)
        self.lock = threading.RLock()
        if not self.get("shop", "it"):
            self.put("shop", {"id": "it", "shop": secrets.token_hex(12), "name": name, "currency": currency, "url": ""})
        self.calls = {
            "about": self.about,
            "products/list": self.list_products,
            "products/read": self.read_products,
            "orders/list": self.list_orders,
            "orders/read": self.read_orders,
            "orders/create": self.create,
            "orders/cancel": self.cancel,
            "webhooks/set": self.set_webhook,
        }

    # Rows. A shop with a database of its own replaces this part; `seq` may be a time of change with the id behind it.

    def get(self, kind, id_):
        row = self.db.execute("SELECT body FROM row WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
        return json.loads(row[0]) if row else None

    def every(self, kind, after=-1, most=-1):
        rows = self.db.execute(
            "SELECT body FROM row WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?", (kind, after, most)
        )
        return [json.loads(row[0]) for row in rows.fetchall()]

    def last(self):
        return self.db.execute("SELECT COALESCE(MAX(number), 0) FROM change").fetchone()[0]

    def put(self, kind, doc):
        """Every change gets the next number, so that a list read by number skips none."""
        doc["seq"] = self.db.execute("INSERT INTO change DEFAULT VALUES").lastrowid
        self.db.execute(
            "INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?, ?)",
            (kind, doc["id"], doc["seq"], doc.get("reference", "") if kind == "order" else "", json.dumps(doc)),
        )
        if kind in ("order", "product") and self.get("shop", "it")["url"]:
            type_ = f"{kind}.deleted" if doc.get("deleted") else f"{kind}.changed"
            self.put("event", {"id": f"msg_{secrets.token_hex(8)}", "type": type_, "about": doc["id"], "at": now()})

    @contextmanager
    def transaction(self):
        """One call at a time, done whole or not at all."""
        with self.lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def waiting(self):
        """Where webhooks go, and those that nobody took yet."""
        with self.lock:
            url = self.get("shop", "it")["url"]
            return url, self.every("event") if url else []

    def taken(self, id_):
        with self.lock:
            self.db.execute("DELETE FROM row WHERE kind = 'event' AND id = ?", (id_,))

    # The calls

    def about(self, asked):
        shop = self.get("shop", "it")
        return {
            "contract": "1",
            "shop": {"id": shop["shop"], "name": shop["name"], "currency": shop["currency"]},
            "calls": sorted(self.calls),
            "webhooks": shop["url"],
        }

    def page(self, kind, asked, begin):
        after, most = int(asked["cursor"] or begin), asked.get("limit", 100)
        found = self.every(kind, after, most + 1)
        items = [shown(doc) for doc in found[:most]]
        return {"items": items, "cursor": str(found[:most][-1]["seq"] if items else after), "more": len(found) > most}

    def list_products(self, asked):
        return self.page("product", asked, 0)

    def list_orders(self, asked):
        return self.page("order", asked, self.last())

    def read_products(self, asked):
        found = (self.get("product", id_) for id_ in asked["ids"])
        return {"items": [shown(doc) for doc in found if doc and not doc.get("deleted")]}

    def read_orders(self, asked):
        rows = self.db.execute("SELECT id FROM row WHERE reference = ?", (asked.get("reference") or "-",)).fetchall()
        found = (self.get("order", id_) for id_ in [*(row[0] for row in rows), *asked.get("ids", [])])
        return {"items": [shown(doc) for doc in found if doc]}

    def variant(self, variant_id):
        """The product and its variant; (None, None) when it is gone."""
        product = self.get("product", variant_id.partition(".")[0])
        rows = product.get("variants", []) if product else []
        return next(((product, row) for row in rows if row["id"] == variant_id), (None, None))

    def move(self, variant_id, delta):
        product, row = self.variant(variant_id)
        if row is not None and row["count"] is not None:
            row["count"] += delta
            self.put("product", product)

    def create(self, asked):
        """Once per reference; every unit is taken, or none and there is no order."""
        new = asked["order"]
        there = self.read_orders({"reference": new["reference"]})["items"] if new["reference"] else []
        if there:
            return {"order": there[0], "already": True}
        if new["currency"] != self.get("shop", "it")["currency"]:
            raise No("invalid", "This shop sells in another currency.")
        wanted, short = {}, []
        for line in new["lines"]:
            wanted[line["variant_id"]] = wanted.get(line["variant_id"], 0) + line["units"]
        for variant_id, units in wanted.items():
            _, row = self.variant(variant_id)
            if row is None:
                raise No("product_gone", "A product of this order is not in the shop any more.")
            if row["count"] is not None and row["count"] < units:
                short.append(variant_id)
        if short:
            raise No("no_stock", "There is not enough in stock.", short=short)
        for variant_id, units in wanted.items():
            self.move(variant_id, -units)
        number = str(1000 + len(self.every("order")) + 1)
        lines = [{"id": f"{number}.{n}", **line} for n, line in enumerate(new["lines"])]
        order = {
            **new,
            "id": number,
            "number": number,
            "state": "open",
            "stock_taken": True,
            "lines": lines,
            "parcels": [],
            "refunds": [],
            "cancellations": [],
            "updated_at": now(),
        }
        return {"order": self.keep(order), "already": False}

    def keep(self, order):
        goods = sum(Decimal(line["unit_price"]) * line["units"] for line in order["lines"])
        order |= {"total": str(Decimal(order["shipping"]) + goods), "updated_at": now()}
        self.put("order", order)
        return shown(order)

    def ours(self, asked):
        order = self.get("order", asked["order_id"])
        if order is None:
            raise No("not_found", "This shop has no such order.")
        if order["reference"] != asked["reference"]:
            raise No("conflict", "This order has another reference.")
        return order

    def cancel(self, asked):
        order = self.ours(asked)
        if order["state"] == "cancelled":
            return {"order": shown(order), "already": True}
        if any(not parcel.get("cancelled") for parcel in order["parcels"]):
            raise No("too_late", "This order is shipped.")
        return {"order": self.call_off(order, asked.get("note", "")), "already": False}

    def call_off(self, order, note="", restock=True):
        for line in order["lines"] if restock else ():
            self.move(line["variant_id"], self.left(order)[line["id"]])
        return self.keep({**order, "state": "cancelled", "note": note})

    def left(self, order):
        """Units by line that no parcel holds."""
        units = {line["id"]: line["units"] for line in order["lines"]}
        for parcel in order["parcels"]:
            for row in [] if parcel.get("cancelled") else parcel["lines"]:
                units[row["line_id"]] -= row["units"]
        return units

    def set_webhook(self, asked):
        shop = self.get("shop", "it")
        already = shop["url"] == asked["url"]
        self.put("shop", {**shop, "url": asked["url"]})
        return {"url": asked["url"], "already": already}

    def add_product(self, title, rows, **more):
        """`rows` are (SKU, price, count). For your own code; the contract has no such call."""
        id_ = f"p{len(self.every('product')) + 1}"
        variants = [
            {"id": f"{id_}.{n}", "sku": sku, "title": sku, "price": price, "count": count}
            for n, (sku, price, count) in enumerate(rows)
        ]
        self.put(
            "product",
            {
                "id": id_,
                "title": title,
                "currency": self.get("shop", "it")["currency"],
                "on_sale": True,
                "updated_at": now(),
                "variants": variants,
                **more,
            },
        )
        return variants


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(doc):
    """As the contract has it: what is about the buyer stays in the shop."""
    return {
        name: value for name, value in doc.items() if name not in ("seq", "email", "ship_to", "placed_at", "shipping")
    }


def main(make=Shop):
    words = argparse.ArgumentParser(description="A reference shop behind the open door.")
    words.add_argument("--key", default="", help="whsec_...; one is made when it is left out")
    words.add_argument("--data", default=":memory:", help="an SQLite file")
    words.add_argument("--port", type=int, default=8099)
    words.add_argument("--add", nargs=3, action="append", default=[], metavar=("TITLE", "PRICE", "COUNT"))
    args = words.parse_args()
    key = args.key or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    shop = make(args.data)
    for title, price, count in args.add:
        shop.add_product(title, [(title[:20], price, int(count))])
    server = serve(shop, key, args.port)
    print(f"Address: http://127.0.0.1:{server.server_port}\nKey:     {key}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

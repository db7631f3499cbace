#!/usr/bin/env python3
"""The shop with a feed and the seller's hand behind `test/do`, for `crossdock check connector ADDRESS --key KEY`.

    python proving_feed.py --csv proving.csv --data :memory: --port 8098

The hand changes the shop as its seller would: by the next export. Never in a shop that sells.
"""

import csv
import os
import time
from pathlib import Path

from feed import FeedShop, digest, fetched
from mailbox_page import No, main
from proving import ProvingShop

HEAD = ("sku", "title", "price", "stock", "group", "image", "description")


class ProvingFeed(FeedShop, ProvingShop):
    def __init__(self, path, source, *more):
        super().__init__(path, source, *more)
        self.slack, self.rows, self.made, self.at = 0, [], 0, time.time()
        self.export()

    def export(self):
        """Write the file as its shop would, newer than the last one, and look at it."""
        self.at = max(self.at + 0.01, time.time())
        with Path(self.source).open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, HEAD)
            table.writeheader()
            table.writerows(self.rows)
        os.utime(self.source, (self.at, self.at))
        self.read_feed(*fetched(self.source, self.written()))

    def do_add_product(self, title, variants, image="", description=""):
        if len({sku for sku, _, _ in variants}) < len(variants):
            raise No("invalid", "A feed has each SKU once.")
        self.made += 1
        group, made = f"g{self.made}", []
        for number, (sku, price, count) in enumerate(variants):
            name = title if number == 0 else f"{title} {sku}"
            row = {"sku": sku, "title": name, "price": price, "stock": count, "group": group}
            self.rows.append({**row, "image": image, "description": description})
            made.append({"product_id": "p" + digest(group), "variant_id": f"p{digest(group)}.{digest(sku)}"})
        self.export()
        return made

    def changed(self, variant, **to):
        for row in self.rows_of(variant):
            row |= {{"count": "stock"}.get(name, name): value for name, value in to.items()}
        self.export()

    def rows_of(self, variant):
        _, there = self.variant(variant["variant_id"])
        return [row for row in self.rows if there and row["sku"] == there["sku"]]

    def do_delete_product(self, product_id):
        self.rows = [row for row in self.rows if "p" + digest(row["group"]) != product_id]
        self.export()

    def do_recount(self, variant, count):
        """What lies there: the units of orders that wait to be entered are among it."""
        waiting = sum(doc["units"].get(variant["variant_id"], 0) for doc in self.every("pending"))
        self.changed(variant, count=count + waiting)


if __name__ == "__main__":
    main(ProvingFeed)

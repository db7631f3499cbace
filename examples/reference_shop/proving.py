#!/usr/bin/env python3
"""The reference shop with the seller's hand behind `test/do`, so that `crossdock check connector ADDRESS` can prove it.

    python proving.py --port 8099

A shop that sells never offers this call. Yours needs the same few actions to be proved whole.
"""

from more import FullShop
from shop import main


class ProvingShop(FullShop):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.calls["test/do"] = lambda asked: {"result": getattr(self, f"do_{asked['do']}")(**asked["with"])}

    def do_products(self):
        return [
            {
                "product_id": doc["id"],
                "variant_id": row["id"],
                "sku": row["sku"],
                "title": doc["title"],
                "count": row["count"],
                "price": row["price"],
            }
            for doc in self.every("product")
            if not doc.get("deleted")
            for row in doc["variants"]
        ]

    def do_add_product(self, title, variants, image="", description=""):
        made = self.add_product(title, variants, images=[image] if image else [], description=description)
        return [{"product_id": row["id"].partition(".")[0], "variant_id": row["id"]} for row in made]

    def changed(self, variant, **to):
        product, row = self.variant(variant["variant_id"])
        row |= to
        self.put("product", product)

    def do_reprice(self, variant, price):
        self.changed(variant, price=price)

    def do_recount(self, variant, count):
        self.changed(variant, count=count)

    def do_delete_product(self, product_id):
        self.put("product", {"id": product_id, "deleted": True})

    def do_count(self, variant):
        return self.variant(variant["variant_id"])[1]["count"]

    def do_sell(self, variant, quantity):
        """An order of the shop's own: it has no reference of the marketplace."""
        line = {**variant, "units": quantity, "unit_price": self.variant(variant["variant_id"])[1]["price"]}
        new = {
            "reference": "",
            "currency": self.get("shop", "it")["currency"],
            "shipping": "0.00",
            "email": "walk-in",
            "lines": [line],
        }
        return self.create({"order": new})["order"]["id"]

    def do_orders(self):
        return [
            {
                "shop_id": doc["id"],
                "number": doc["number"],
                "reference": doc["reference"],
                "buyer": doc["email"],
                "lines": [[line["variant_id"], line["units"]] for line in doc["lines"]],
                "total": doc["total"],
                "cancelled": doc["state"] == "cancelled",
                "parcels": len([parcel for parcel in doc["parcels"] if not parcel.get("cancelled")]),
            }
            for doc in self.every("order")
        ]

    def do_fulfil(self, shop_id, tracking="", carrier="", lines=()):
        order, wanted = self.get("order", shop_id), dict(lines)
        rest = self.left(order)
        units = {
            line["id"]: min(rest[line["id"]], wanted.get(line["variant_id"], 0)) if lines else rest[line["id"]]
            for line in order["lines"]
        }
        rows = [{"line_id": line, "units": n} for line, n in units.items() if n]
        return self.ship(order, rows, tracking_number=tracking, carrier=carrier)["id"]

    def do_change_tracking(self, shop_id, parcel_id, tracking):
        order = self.get("order", shop_id)
        next(parcel for parcel in order["parcels"] if parcel["id"] == parcel_id)["tracking_number"] = tracking
        self.keep(order)

    def do_cancel(self, shop_id, restock=True):
        self.call_off(self.get("order", shop_id), restock=restock)

    def do_refund(self, shop_id, amount):
        order = self.get("order", shop_id)
        order["refunds"].append({"id": f"r{len(order['refunds']) + 1}", "amount": amount})
        self.keep(order)
        return order["refunds"][-1]["id"]

    def do_staff_words(self, shop_id):
        return [f"{note['text']} [{note['id']}]" for note in self.every("note") if note["order_id"] == shop_id]

    def do_buyer_words(self, shop_id):
        return []


if __name__ == "__main__":
    main(ProvingShop)

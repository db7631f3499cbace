"""What a shop can offer besides: single units cancelled, counts corrected, parcels and notes from the marketplace."""

from door import No
from shop import Shop, main, shown


class FullShop(Shop):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.calls |= {
            "orders/cancel_units": self.cancel_units,
            "counts/adjust": self.adjust,
            "parcels/write": self.write_parcel,
            "parcels/cancel": self.cancel_parcel,
            "notes/write": self.note,
        }

    def cancel_units(self, asked):
        order = self.ours(asked)
        if any(row["key"] == asked["key"] for row in order["cancellations"]):
            return {"order": shown(order), "already": True}
        wanted = self.wanted(order, asked["lines"])
        for line in order["lines"]:
            line["units"] -= wanted.get(line["id"], 0)
            self.move(line["variant_id"], wanted.get(line["id"], 0))
        order["cancellations"].append({"key": asked["key"], "lines": asked["lines"]})
        return {"order": self.keep(order), "already": False}

    def wanted(self, order, rows):
        """Units by line, of what no parcel holds."""
        units = {row["line_id"]: row["units"] for row in rows}
        if order["state"] != "open" or not units or any(n > self.left(order).get(line, 0) for line, n in units.items()):
            raise No("too_late", "So much of this order is not left.")
        return units

    def adjust(self, asked):
        _, row = self.variant(asked["variant_id"])
        if row is None:
            raise No("not_found", "This shop has no such product.")
        already = self.get("adjusted", asked["key"]) is not None
        if not already:
            self.move(asked["variant_id"], asked["delta"])
            self.put("adjusted", {"id": asked["key"]})
        return {"count": self.variant(asked["variant_id"])[1]["count"], "already": already}

    def write_parcel(self, asked):
        order = self.ours(asked)
        about = {
            name: asked[name] for name in ("tracking_number", "carrier", "tracking_url", "shipped_at") if name in asked
        }
        for parcel in order["parcels"]:
            same = parcel["id"] == asked["parcel_id"] if "parcel_id" in asked else parcel.get("key") == asked["key"]
            if same and not parcel.get("cancelled"):
                already = parcel["tracking_number"] == about["tracking_number"]
                parcel |= {} if already else about
                self.keep(order)
                return {"parcel": parcel, "already": already}
        if "parcel_id" in asked:
            raise No("not_found", "This order has no such parcel.")
        return {"parcel": self.ship(order, asked["lines"], key=asked["key"], **about), "already": False}

    def ship(self, order, lines, **about):
        self.wanted(order, lines)
        parcel = {"id": f"{order['id']}-p{len(order['parcels']) + 1}", "lines": lines, **about}
        order["parcels"].append(parcel)
        self.keep(order)
        return parcel

    def cancel_parcel(self, asked):
        order = self.ours(asked)
        for parcel in order["parcels"]:
            if parcel["id"] == asked["parcel_id"]:
                already = parcel.get("cancelled", False)
                parcel["cancelled"] = True
                self.keep(order)
                return {"already": already}
        raise No("not_found", "This order has no such parcel.")

    def note(self, asked):
        self.ours(asked)
        already = self.get("note", asked["key"]) is not None
        if not already:
            self.put("note", {"id": asked["key"], "order_id": asked["order_id"], "text": asked["text"]})
        return {"already": already}


if __name__ == "__main__":
    main(FullShop)

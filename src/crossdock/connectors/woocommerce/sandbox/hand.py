"""The seller in the simulated shop's admin, and a customer at its own checkout."""

import json
import time
from collections.abc import Sequence
from decimal import Decimal

from crossdock.connectors.woocommerce.sandbox.books import Books, sold
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked, Words
from crossdock.kit.sandbox import Doc
from crossdock.kit.sandbox.books import left_of, money, rows_to_ship, split, standing
from crossdock.kit.sandbox.merchant import acting

CLOSED = ("cancelled", "trash", "failed", "refunded")
TRACKING = "_wc_shipment_tracking_items"


class Admin:
    """Implements kit.hand.Hand.

    Which way a parcel is recorded depends on the shop's settings, as with a real seller.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def _product(self, variant: VariantRef) -> Doc:
        doc = self._books.product(variant.variant_id)
        if doc is None or str(doc["parent"] or doc["id"]) != variant.product_id:
            raise LookupError(f"the shop has no variant {variant.variant_id} of a product {variant.product_id}")
        return doc

    def _order(self, shop_id: str) -> Doc:
        doc = self._books.order(shop_id)
        if doc is None:
            raise LookupError(f"the shop has no order {shop_id}")
        return doc

    # Products

    async def products(self) -> Sequence[Stocked]:
        docs = {doc["id"]: doc for doc in self._books.shelf.all("product") if doc["status"] != "trash"}
        return [
            Stocked(
                str(parent["id"]), str(doc["id"]), doc["sku"], doc["name"], self._books.count(doc["id"]), doc["price"]
            )
            for doc in docs.values()
            for parent in [docs.get(doc["parent"]) if doc["parent"] else doc]
            if parent and doc["type"] != "variable"
        ]

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        about = {"description": description, "images": [image] if image else []}
        if len(variants) == 1:
            sku, price, count = variants[0]
            doc = self._books.new_product(name=title, sku=sku, price=price, count=count, **about)
            return (VariantRef(str(doc["id"]), str(doc["id"])),)
        options = [sku for sku, _, _ in variants]
        with self._books.shelf.transaction():
            parent = self._books.new_product(
                name=title,
                type="variable",
                manage=False,
                count=None,
                price=variants[0][1],
                options=options,
                children=[],
                **about,
            )
            for sku, price, count in variants:
                child = self._books.new_product(
                    name=f"{title} - {sku}",
                    type="variation",
                    parent=parent["id"],
                    option=sku,
                    sku=sku,
                    price=price,
                    count=count,
                    image=image,
                )
                parent["children"].append(child["id"])
            self._books.save_product(parent)
        return tuple(VariantRef(str(parent["id"]), str(id_)) for id_ in parent["children"])

    async def reprice(self, variant: VariantRef, price: str) -> None:
        doc = self._product(variant)
        doc["price"] = price
        self._books.save_product(doc)

    async def describe(self, product_id: str, words: Words) -> None:
        doc = self._books.need("product", product_id)
        for id_, value in zip(doc.get("children", ()), words.values, strict=True):
            child = self._books.need("product", id_)
            self._books.save_product(child | {"option": value, "option_name": words.option})
        doc |= {"options": list(words.values), "option_name": words.option, "tags": list(words.tags)}
        doc |= {"types": list(words.types), "properties": [list(pair) for pair in words.properties]}
        self._books.save_product(doc)

    async def delete_product(self, product_id: str) -> None:
        """To the trash, as the link in the list of products does."""
        self._delete(product_id, force=False)

    async def delete_for_good(self, product_id: str) -> None:
        """As "Delete permanently" in the trash does, and programs with `force`: nobody is told."""
        self._delete(product_id, force=True)

    def _delete(self, product_id: str, *, force: bool) -> None:
        doc = self._books.product(product_id)
        if doc is None:
            raise LookupError(f"the shop has no product {product_id}")
        self._books.bin_product(doc, force=force)

    async def change_currency(self, currency: str) -> None:
        self._books.set(currency=currency)

    async def recount(self, variant: VariantRef, count: int) -> None:
        doc = self._product(variant)
        if doc["manage"] == "parent" and (parent := self._books.product(doc["parent"])):
            doc = parent
        doc["count"] = count
        self._books.save_product(doc)

    async def count(self, variant: VariantRef) -> int:
        return self._books.count(variant.variant_id)

    # Orders

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        """A customer of the shop's own; its checkout, unlike its REST API, sells only what is there."""
        doc = self._product(variant)
        if self._books.count(doc["id"]) < quantity:
            raise ValueError(f"there are only {self._books.count(doc['id'])} left")
        line = {
            "product_id": int(variant.product_id),
            "variation_id": doc["id"] if doc["parent"] else 0,
            "quantity": quantity,
        }
        who = {"first_name": "Own", "last_name": "Customer", "email": "customer@example.test", "country": "US"}
        body = {"status": "processing", "billing": who, "shipping": {"first_name": "Own"}, "line_items": [line]}
        with self._books.shelf.transaction():
            return str(self._books.new_order(body, via="checkout")["id"])

    async def orders(self) -> Sequence[Standing]:
        return [self._standing(doc) for doc in self._books.shelf.all("order")]

    def _standing(self, doc: Doc) -> Standing:
        billing, refunded = doc["billing"], self._books.refunded_units(doc)
        who = (billing["first_name"], billing["last_name"], billing.get("email", ""), doc["customer_note"])
        return standing(
            doc,
            reference=self._books.meta(doc, "_crossdock_reference") or "",
            buyer=" ".join(part for part in who if part),
            lines=tuple((str(sold(line)), line["quantity"] - refunded[line["id"]]) for line in doc["line_items"]),
            total=f"{Decimal(doc['total']):.2f}",
            cancelled=doc["status"] in CLOSED,
            parcels=self._parcels(doc),
            taken_back=doc["status"] == "cancelled" and self._books.meta(doc, "_crossdock_refused") is not None,
        )

    def _parcels(self, doc: Doc) -> int:
        noted = len(self._books.meta(doc, TRACKING) or []) + len(self._books.fulfillments(doc["id"]))
        return noted or int(doc["status"] == "completed")

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        """Without a number the order is just completed; with one it is a fulfilment of the core, which has one field
        for it, or an entry of the tracking plugin for each number.
        """
        doc = self._order(shop_id)
        if doc["status"] in CLOSED:
            raise ValueError(f"order {shop_id} is {doc['status']}")
        if not tracking and not lines:
            self._books.change_status(doc, "completed")
            self._books.save_order(doc)
            return "completed"
        with acting(self._books):
            items = self._items(doc, lines)
        if self._books.settings["fulfillments"]:
            return self._fulfilment(doc, items, tracking, carrier)
        known = self._books.meta(doc, TRACKING) or []
        numbers = [number.strip() for number in tracking.split(",")]
        rows = [{"item_id": str(item["item_id"]), "qty": str(item["qty"])} for item in items] if lines else []
        made = [_noted(doc, len(known) + place, number, carrier, rows) for place, number in enumerate(numbers)]
        self._books.set_meta(doc, TRACKING, [*known, *made])
        self._books.save_order(doc)
        return str(made[0]["tracking_id"])

    def _fulfilment(self, doc: Doc, items: list[Doc], tracking: str, carrier: str) -> str:
        metas = {
            "_items": items,
            "_tracking_number": tracking,
            "_shipment_provider": carrier.lower(),
            "_tracking_url": "",
            "_date_fulfilled": self._books.now()[:19].replace("T", " "),
        }
        entry = {"is_fulfilled": True, "meta_data": [{"key": key, "value": value} for key, value in metas.items()]}
        return str(self._books.save_fulfillment(doc, entry)["id"])

    def _items(self, doc: Doc, lines: Sequence[tuple[str, int]]) -> list[Doc]:
        """Units by line id: those named, or all that is left. Raises ValueError when there is nothing to ship."""
        gone = [*self._books.fulfilled(doc["id"]).items(), *self._books.refunded_units(doc).items()]
        left = left_of(doc["line_items"], gone)
        rows = rows_to_ship(doc["line_items"], left, lines, variant=sold) if lines else left.items()
        return [{"item_id": id_, "qty": units} for id_, units in rows]

    async def split_line(self, shop_id: str, variant_id: str, units: int) -> None:
        """An edit of the order: fewer of the line, and the same product added once more."""
        doc = self._order(shop_id)
        line = next(each for each in doc["line_items"] if str(sold(each)) == variant_id)
        part = {name: str(Decimal(line[name]) * units / line["quantity"]) for name in ("subtotal", "total")}
        new = {**split(line, units, "reduced"), **part, "id": self._books.shelf.next_number("item")}
        for name, worth in part.items():
            line[name] = str(Decimal(line[name]) - Decimal(worth))
        doc["line_items"].append(new)
        self._books.save_order(doc)

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        doc = self._order(shop_id)
        entries = json.loads(json.dumps(self._books.meta(doc, TRACKING) or []))
        for entry in entries:
            if entry["tracking_id"] == parcel_id:
                entry["tracking_number"] = tracking
                self._books.set_meta(doc, TRACKING, entries)
                self._books.save_order(doc)
                return
        for fulfilment in self._books.fulfillments(doc["id"]):
            if str(fulfilment["id"]) == parcel_id:
                kept = [meta for meta in fulfilment["meta_data"] if meta["key"] != "_tracking_number"]
                fulfilment["meta_data"] = [*kept, {"key": "_tracking_number", "value": tracking}]
                self._books.save_fulfillment(doc, fulfilment)
                return
        raise LookupError(f"order {shop_id} has no parcel {parcel_id}")

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        """WooCommerce always puts the units back; a seller who does not want that corrects the counts after."""
        doc = self._order(shop_id)
        taken = [(sold(line), line["reduced"]) for line in doc["line_items"]]
        self._books.change_status(doc, "cancelled")
        self._books.save_order(doc)
        for product_id, units in taken if not restock else []:
            self._books.move_stock(product_id, -units)

    async def delete_order(self, shop_id: str) -> None:
        """Into the trash: the units stay taken."""
        self._books.bin_order(self._order(shop_id), force=False)

    async def reopen(self, shop_id: str) -> None:
        """Back to processing, which takes the units again."""
        doc = self._order(shop_id)
        self._books.change_status(doc, "processing")
        self._books.save_order(doc)

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        """The private notes in the order's "Order notes"."""
        return [note["note"] for note in self._books.notes(shop_id, "internal")]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        mails = [str(mail) for mail in self._books.shelf.ledger("mail")]
        return [note["note"] for note in self._books.notes(shop_id, "customer")] + mails

    async def refund(self, shop_id: str, amount: str) -> str:
        return str(self._books.refund(self._order(shop_id), f"{money(amount):.2f}")["id"])


def _noted(order: Doc, place: int, number: str, carrier: str, rows: list[Doc]) -> Doc:
    """An entry of the tracking plugin; one that says what is in the parcel has `products_list`."""
    entry: Doc = {
        "tracking_provider": carrier,
        "custom_tracking_provider": "",
        "custom_tracking_link": "",
        "tracking_number": number,
        "date_shipped": str(int(time.time())),
        "tracking_id": f"{order['id']}{place}",
    }
    return entry | ({"products_list": rows} if rows else {})

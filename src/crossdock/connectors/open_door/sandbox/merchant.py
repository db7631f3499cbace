"""The seller in the simulated shop behind the open door (the Hand)."""

from collections.abc import Sequence

from crossdock.connectors.open_door.sandbox.store import No, Store
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked
from crossdock.kit.sandbox import Doc


class Merchant:
    """Implements Hand, ReadsNotes and SetsCurrency."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def _order(self, shop_id: str) -> Doc:
        try:
            return self._store.order(shop_id)
        except No as error:
            raise LookupError(str(error)) from None

    async def products(self) -> Sequence[Stocked]:
        return [
            Stocked(doc["id"], row["id"], row["sku"], doc["title"], row["count"] or 0, row["price"])
            for doc in self._store.shelf.all("product")
            if not doc.get("deleted")
            for row in doc["variants"]
        ]

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        doc = self._store.add_product(title, variants, image=image, description=description)
        return tuple(VariantRef(doc["id"], row["id"]) for row in doc["variants"])

    async def reprice(self, variant: VariantRef, price: str) -> None:
        doc, row = self._store.variant(variant.variant_id)
        row["price"] = price
        self._store.keep("product", doc)

    async def delete_product(self, product_id: str) -> None:
        self._store.delete_product(product_id)

    async def recount(self, variant: VariantRef, count: int) -> None:
        doc, row = self._store.variant(variant.variant_id)
        row["count"] = count
        self._store.keep("product", doc)

    async def count(self, variant: VariantRef) -> int:
        return int(self._store.variant(variant.variant_id)[1]["count"])

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        _, row = self._store.variant(variant.variant_id)
        line = {
            "product_id": variant.product_id,
            "variant_id": variant.variant_id,
            "units": quantity,
            "unit_price": row["price"],
        }
        asked: Doc = {"reference": "", "currency": self._store.currency, "shipping": "0.00", "lines": [line]}
        asked |= {"email": "walk-in", "ship_to": {}, "placed_at": self._store.now()}
        try:
            order, _ = self._store.place(asked)
        except No as error:
            raise ValueError(str(error)) from None
        return str(order["id"])

    async def orders(self) -> Sequence[Standing]:
        return [
            Standing(
                shop_id=doc["id"],
                number=doc["number"],
                reference=doc["reference"],
                buyer=doc["email"],
                lines=tuple((line["variant_id"], line["units"]) for line in doc["lines"]),
                total=doc["total"],
                cancelled=doc["state"] == "cancelled",
                parcels=len([parcel for parcel in doc["parcels"] if not parcel.get("cancelled")]),
            )
            for doc in self._store.shelf.all("order")
        ]

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        order = self._order(shop_id)
        left, wanted, rows = self._store.left(order), dict(lines), {}
        for line in order["lines"]:
            units = min(left[line["id"]], wanted.get(line["variant_id"], 0)) if lines else left[line["id"]]
            if units > 0:
                rows[line["id"]] = units
        try:
            return str(self._store.ship(order, rows, tracking_number=tracking, carrier=carrier)["id"])
        except No as error:
            raise ValueError(str(error)) from None

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        order = self._order(shop_id)
        next(parcel for parcel in order["parcels"] if parcel["id"] == parcel_id)["tracking_number"] = tracking
        self._store.keep("order", order)

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        self._store.cancel(self._order(shop_id), restock=restock)

    async def refund(self, shop_id: str, amount: str) -> str:
        order = self._order(shop_id)
        id_ = f"r{self._store.shelf.next_number('refund')}"
        order["refunds"].append({"id": id_, "amount": amount, "at": self._store.now()})
        self._store.keep("order", order)
        return id_

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        notes = self._store.shelf.all("note")
        return [f"{note['text']} [{note['key']}]" for note in notes if note["order_id"] == shop_id]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        return [str(mail) for mail in self._store.shelf.ledger("mail")]

    async def change_currency(self, currency: str) -> None:
        shop = self._store.shelf.need("shop", "it")
        self._store.shelf.put("shop", "it", {**shop, "currency": currency})
        for doc in self._store.shelf.all("product"):
            if not doc.get("deleted"):
                self._store.keep("product", {**doc, "currency": currency})

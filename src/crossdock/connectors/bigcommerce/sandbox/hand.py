"""The seller in the simulated store's control panel, and a customer at its own checkout (the Hand)."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from crossdock.connectors.bigcommerce.sandbox.books import AWAITING, CANCELLED, DECLINED, HOME, REFUNDED, Books
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked
from crossdock.kit.sandbox import Doc

SOURCE, TAKEN_BACK = "crossdock", " (taken back)"


class Panel:
    """Implements Hand, SeveralLocations, SetsCurrency and ReadsNotes."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def _order(self, shop_id: str) -> Doc:
        return self._books.shelf.need("order", shop_id)

    # Products

    async def products(self) -> Sequence[Stocked]:
        return [
            Stocked(str(doc["id"]), str(row["id"]), row["sku"], doc["name"], sum(row["stock"].values()), row["price"])
            for doc in self._books.shelf.all("product")
            for row in doc["variants"]
        ]

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        with self._books.shelf.transaction():
            doc = self._books.new_product(title, variants, image=image, description=description)
        return tuple(VariantRef(str(doc["id"]), str(row["id"])) for row in doc["variants"])

    async def reprice(self, variant: VariantRef, price: str) -> None:
        doc, row = self._books.variant(variant.product_id, variant.variant_id)
        row["price"] = price
        self._books.save_product(doc)

    async def delete_product(self, product_id: str) -> None:
        self._books.delete_product(product_id)

    async def recount(self, variant: VariantRef, count: int) -> None:
        """The whole count; what lies at other locations is moved to the first."""
        _, row = self._books.variant(variant.product_id, variant.variant_id)
        elsewhere = sum(count for place, count in row["stock"].items() if place != HOME)
        self._books.stock(variant.product_id, variant.variant_id, HOME, count - elsewhere)

    async def count(self, variant: VariantRef) -> int:
        _, row = self._books.variant(variant.product_id, variant.variant_id)
        return int(sum(row["stock"].values()))

    async def open_location(self, name: str) -> str:
        number = self._books.shelf.next_number("location", 2)
        self._books.shelf.put("location", number, {"id": number, "code": f"LOC-{number}", "label": name})
        return str(number)

    async def stock_at(self, variant: VariantRef, location: str, count: int) -> None:
        self._books.stock(variant.product_id, variant.variant_id, location, count)

    async def change_currency(self, currency: str) -> None:
        self._books.set(currency=currency)

    # Orders

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        """A customer of the store's own; its checkout sells only what is there."""
        left = await self.count(variant)
        if left < quantity:
            raise ValueError(f"there are only {left} left")
        line = {"product_id": variant.product_id, "variant_id": variant.variant_id, "quantity": quantity}
        who = {"first_name": "Own", "last_name": "Customer", "email": "customer@example.test", "zip": "00000"}
        asked = {"billing_address": who, "products": [line], "status_id": AWAITING}
        return str(self._books.new_order(asked)["id"])

    async def orders(self) -> Sequence[Standing]:
        return [self._standing(doc) for doc in self._books.shelf.all("order")]

    def _standing(self, doc: Doc) -> Standing:
        reference, billing = doc["external_order_id"], doc["billing"]
        who = (billing.get("first_name"), billing.get("last_name"), billing.get("email"), doc["staff_notes"])
        return Standing(
            shop_id=str(doc["id"]),
            number=str(doc["id"]),
            reference=reference if doc["external_source"] == SOURCE else "",
            buyer=" ".join(filter(None, who)),
            lines=tuple((str(line["variant_id"]), line["quantity"]) for line in doc["lines"]),
            total=f"{self._books.total(doc):.2f}",
            cancelled=doc["status_id"] in (CANCELLED, DECLINED, REFUNDED),
            parcels=len(doc["shipments"]),
            taken_back=reference.endswith(TAKEN_BACK),
        )

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        doc = self._order(shop_id)
        left, items = self._books.left(doc), []
        wanted = dict(lines)
        for line in doc["lines"]:
            here = min(left[line["id"]], wanted.get(str(line["variant_id"]), 0)) if lines else left[line["id"]]
            if here:
                items.append({"order_product_id": line["id"], "quantity": here})
        if not items:
            raise ValueError("nothing of it is left to ship")
        address = doc["lines"][0]["order_address_id"]
        asked = {"order_address_id": address, "items": items, "tracking_number": tracking}
        return str(self._books.ship(doc, asked | {"tracking_carrier": carrier.lower()})["id"])

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        self._books.change_shipment(self._order(shop_id), int(parcel_id), {"tracking_number": tracking})

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        self._books.change_status(self._order(shop_id), CANCELLED, restock=restock)

    async def refund(self, shop_id: str, amount: str) -> str:
        try:
            return str(self._books.refund(self._order(shop_id), f"{Decimal(amount):.2f}")["id"])
        except InvalidOperation:
            raise ValueError(f"{amount!r} is no amount") from None

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return [note for note in self._order(shop_id)["staff_notes"].split("\n\n") if note]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        mails = [str(mail) for mail in self._books.shelf.ledger("mail")]
        return [*filter(None, [self._order(shop_id)["customer_message"]]), *mails]

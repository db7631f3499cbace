"""The seller at work in the simulated shop's admin."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from crossdock.connectors.shopify.sandbox.books import Books, total, total_of
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked
from crossdock.kit.sandbox import Doc


class ShopHand:
    """`settle` runs what is due in the shop first: a person at the counter sees the end of a cancel that was just
    asked for.
    """

    def __init__(self, books: Books, settle: Callable[[], None]) -> None:
        self._books, self._shelf, self._settle = books, books.shelf, settle

    async def products(self) -> Sequence[Stocked]:
        titles = {product["id"]: product["title"] for product in self._shelf.all("product")}
        return [
            Stocked(
                row["product"], row["id"], row["sku"], _title(titles[row["product"]], row), total(row), row["price"]
            )
            for row in self._shelf.all("variant")
        ]

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        made = self._books.add_product(title, variants, image=image, description=description)
        return tuple(VariantRef(row["product"], row["id"]) for row in made)

    async def reprice(self, variant: VariantRef, price: str) -> None:
        self._books.change_variant(variant.variant_id, price=str(Decimal(price)))

    async def delete_product(self, product_id: str) -> None:
        self._books.delete_product(product_id)

    async def change_currency(self, currency: str) -> None:
        self._books.change_currency(currency)

    async def recount(self, variant: VariantRef, count: int) -> None:
        """At the first location, so that the sum over all is `count`."""
        row = self._books.need("variant", variant.variant_id)
        self._books.move(row, min(row["levels"], key=int), count - total(row), "recount")

    async def open_location(self, name: str) -> str:
        return self._books.add_location(name)

    async def stock_at(self, variant: VariantRef, location: str, count: int) -> None:
        row = self._books.need("variant", variant.variant_id)
        self._books.move(row, location, count - row["levels"].get(location, 0), "recount")

    async def count(self, variant: VariantRef) -> int:
        self._settle()
        return total(self._books.need("variant", variant.variant_id))

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        row = self._books.need("variant", variant.variant_id)
        line: Doc = {
            "id": self._books.new_id(),
            "variant": row["id"],
            "product": row["product"],
            "sku": row["sku"],
            "title": row["title"],
            "quantity": quantity,
            "price": row["price"],
            "requires_shipping": True,
        }
        order: Doc = {
            "reference": "",
            "source_identifier": None,
            "tags": [],
            "email": "walkin@customer.example",
            "note": "",
            "buyer": "Walk-in customer",
            "lines": [line],
            "shipping": "0",
            "financial_status": "PAID",
        }
        with self._books.at_once():
            placed = self._books.place(order, "DECREMENT_IGNORING_POLICY")
        return str(placed["id"])

    async def orders(self) -> Sequence[Standing]:
        self._settle()
        return [
            Standing(
                shop_id=order["id"],
                number=order["name"],
                reference=order["reference"],
                buyer=order["buyer"],
                lines=tuple((line["variant"], line["quantity"]) for line in order["lines"]),
                total=f"{total_of(order):f}",
                cancelled=bool(order["cancelled"]),
                parcels=sum(part["status"] == "SUCCESS" for part in order["fulfillments"]),
            )
            for order in self._shelf.all("order")
        ]

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        self._settle()
        numbers = [number.strip() for number in tracking.split(",") if number.strip()]
        order = self._books.need("order", shop_id)
        wanted = [(_line_of(order, variant), units) for variant, units in lines]
        part = self._books.fulfil(shop_id, tracking=[(number, carrier, "") for number in numbers], lines=wanted)
        return str(part["id"])

    async def split_line(self, shop_id: str, variant_id: str, units: int) -> None:
        """An edit of the order: fewer of the line, and the same variant added once more."""
        order = self._books.need("order", shop_id)
        line = next(each for each in order["lines"] if each["variant"] == variant_id)
        line["quantity"] -= units
        claimed, moved = [], []
        left = units
        for place, there in line["claimed"]:
            here = min(left, there)
            left -= here
            moved.append((place, here))
            claimed.append((place, there - here))
        line["claimed"] = claimed
        order["lines"].append({**line, "id": self._books.new_id(), "quantity": units, "claimed": moved})
        self._books.changed_order(order)

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        part_id, _, place = parcel_id.partition("/")
        order = self._books.need("order", shop_id)
        part = next(part for part in order["fulfillments"] if part["id"] == part_id)
        infos = list(part["tracking"]) or [{"number": "", "company": "", "url": ""}]
        infos[int(place or 1) - 1] |= {"number": tracking, "url": f"https://track.example/{tracking}"}
        self._books.change_fulfilment(shop_id, part_id, tracking=infos)

    async def undo_fulfilment(self, shop_id: str, parcel_id: str) -> None:
        self._books.change_fulfilment(shop_id, parcel_id, status="CANCELLED")

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        self._settle()
        with self._books.at_once():
            self._books.cancel(shop_id, restock=restock, reason="CUSTOMER", note="Cancelled by the seller")

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        """The assessments under the order's "Fraud analysis"."""
        return [
            "\n".join([f"Risk: {each['riskLevel']}", *(fact["description"] for fact in each["facts"])])
            for each in self._shelf.by_key("risk", shop_id)
        ]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        """Nothing that an app writes about risk is shown to a buyer, so only mails can."""
        return [str(mail) for mail in self._shelf.ledger("mail")]

    async def refund(self, shop_id: str, amount: str) -> str:
        return self._books.refund(shop_id, Decimal(amount))


def _title(product: str, variant: Doc) -> str:
    return product if variant["title"] == "Default Title" else f"{product}, {variant['title']}"


def _line_of(order: Doc, variant: str) -> str:
    line = next((line for line in order["lines"] if line["variant"] == variant), None)
    if line is None:
        raise LookupError(f"the order has no variant {variant}")
    return str(line["id"])

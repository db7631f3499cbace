"""The seller at work in the simulated shop's admin."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from crossdock.connectors.shopify.sandbox.books import Books, on_hand
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked, Words
from crossdock.kit.sandbox import Doc
from crossdock.kit.sandbox.merchant import OrderAdmin


class ShopHand(OrderAdmin):
    """`settle` runs what is due in the shop first: a person at the counter sees the end of a cancel that was just
    asked for.
    """

    def __init__(self, books: Books, settle: Callable[[], None]) -> None:
        super().__init__(books)
        self._books, self._shelf, self._settle = books, books.shelf, settle

    async def products(self) -> Sequence[Stocked]:
        titles = {product["id"]: product["title"] for product in self._shelf.all("product")}
        return [
            Stocked(
                row["product"], row["id"], row["sku"], _title(titles[row["product"]], row), on_hand(row), row["price"]
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

    async def describe(self, product_id: str, words: Words) -> None:
        """The product's type is one."""
        doc = self._books.need("product", product_id)
        doc |= {"tags": list(words.tags), "type": words.types[0], "option_name": words.option}
        self._shelf.put("product", product_id, doc)
        for id_, value in zip(doc["variants"], words.values, strict=True):
            self._books.change_variant(id_, title=value)

    async def delete_product(self, product_id: str) -> None:
        self._books.delete_product(product_id)

    async def change_currency(self, currency: str) -> None:
        self._books.change_currency(currency)

    async def recount(self, variant: VariantRef, count: int) -> None:
        """At the first location, so that the sum over all is `count`."""
        row = self._books.need("variant", variant.variant_id)
        self._books.move(row, min(row["levels"], key=int), count - on_hand(row), "recount")

    async def open_location(self, name: str) -> str:
        return self._books.add_location(name)

    async def stock_at(self, variant: VariantRef, location: str, count: int) -> None:
        row = self._books.need("variant", variant.variant_id)
        self._books.move(row, location, count - row["levels"].get(location, 0), "recount")

    async def count(self, variant: VariantRef) -> int:
        self._settle()
        return on_hand(self._books.need("variant", variant.variant_id))

    async def orders(self) -> Sequence[Standing]:
        self._settle()
        return await super().orders()

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        self._settle()
        return await super().fulfil(shop_id, tracking=tracking, carrier=carrier, lines=lines)

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        self._settle()
        await super().cancel(shop_id, restock=restock)

    async def split_line(self, shop_id: str, variant_id: str, units: int) -> None:
        """An edit of the order: fewer of the line, and the same variant added once more."""
        order = self._books.need("order", shop_id)
        line = next(each for each in order["lines"] if each["variant_id"] == variant_id)
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

    async def undo_fulfilment(self, shop_id: str, parcel_id: str) -> None:
        self._books.change_fulfilment(shop_id, parcel_id, status="CANCELLED")

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        """The assessments under the order's "Fraud analysis"."""
        return [
            "\n".join([f"Risk: {each['riskLevel']}", *(fact["description"] for fact in each["facts"])])
            for each in self._shelf.by_key("risk", shop_id)
        ]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        """Nothing that an app writes about risk is shown to a buyer, so only mails can."""
        return [str(mail) for mail in self._shelf.ledger("mail")]


def _title(product: str, variant: Doc) -> str:
    return product if variant["title"] == "Default Title" else f"{product}, {variant['title']}"

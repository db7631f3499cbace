"""The seller of a simulated shop (kit/hand.py), over its books. A platform's seller takes the parts that its admin does
alike, and writes what it does in another way in full.

No method here calls another one, so that each is read by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any, Protocol

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked, Words
from crossdock.kit.sandbox.books import Books, Documents, Refusal, Rows, money, refs, rows_to_ship, stocked
from crossdock.kit.sandbox.shelf import Doc, Shelf


class Store(Protocol):
    """What the platform's store does when somebody acts on an order in its admin: its rules, its dates, its news."""

    @property
    def shelf(self) -> Shelf: ...

    def at_once(self) -> AbstractContextManager[None]: ...

    def order(self, order_id: str, /) -> Doc:
        """Raises LookupError or Refusal."""

    def sell(self, product_id: str, variant_id: str, units: int, /) -> str:
        """To a customer of its own; the order's id. Raises Refusal when it has not so many."""

    def standing(self, order: Doc, /) -> Standing:
        """As the seller sees it."""

    def left(self, order: Doc, /) -> Mapping[Any, int]:
        """Units by line id."""

    def ship(self, order: Doc, rows: Rows, /, *, tracking: str, carrier: str) -> str:
        """The parcel's id."""

    def renumber(self, order: Doc, parcel_id: str, tracking: str, /) -> None: ...

    def cancel(self, order: Doc, /, *, restock: bool) -> None: ...

    def refund(self, order: Doc, amount: Decimal, /) -> str:
        """The refund's id."""


@contextmanager
def acting(store: Store | Documents) -> Iterator[None]:
    """All or nothing; what the shop refuses is a sentence to the person at its admin."""
    try:
        with store.at_once():
            yield
    except Refusal as refusal:
        raise ValueError(str(refusal)) from None


class OrderAdmin:
    """The half of Hand about orders, where lines have `id` and `variant_id`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        with acting(self._store):
            return self._store.sell(variant.product_id, variant.variant_id, quantity)

    async def orders(self) -> Sequence[Standing]:
        return [self._store.standing(order) for order in self._store.shelf.all("order")]

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        with acting(self._store):
            order = self._store.order(shop_id)
            rows = rows_to_ship(order["lines"], self._store.left(order), lines)
            return self._store.ship(order, rows, tracking=tracking, carrier=carrier)

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        with acting(self._store):
            self._store.renumber(self._store.order(shop_id), parcel_id, tracking)

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        with acting(self._store):
            self._store.cancel(self._store.order(shop_id), restock=restock)

    async def refund(self, shop_id: str, amount: str) -> str:
        with acting(self._store):
            return self._store.refund(self._store.order(shop_id), money(amount))


class ProductAdmin:
    """The half of Hand about products, where a product holds its variants and each its stock by place."""

    def __init__(self, books: Books, *, place: str = "") -> None:
        self._books, self._place = books, place

    async def products(self) -> Sequence[Stocked]:
        return [stocked(doc, row) for doc in self._books.shelf.all("product") for row in doc["variants"]]

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        with acting(self._books):
            return refs(
                self._books.add_product(title, variants, place=self._place, image=image, description=description)
            )

    async def reprice(self, variant: VariantRef, price: str) -> None:
        doc, row = self._books.variant(variant.product_id, variant.variant_id)
        row["price"] = price
        self._books.keep("product", doc)

    async def describe(self, product_id: str, words: Words) -> None:
        self._books.describe(product_id, words)

    async def delete_product(self, product_id: str) -> None:
        self._books.delete_product(product_id)

    async def count(self, variant: VariantRef) -> int:
        _, row = self._books.variant(variant.product_id, variant.variant_id)
        return sum(row["stock"].values())

    async def recount(self, variant: VariantRef, count: int) -> None:
        """The whole count: what lies at other places stays, and this one makes up the sum."""
        with acting(self._books):
            _, row = self._books.variant(variant.product_id, variant.variant_id)
            elsewhere = sum(units for place, units in row["stock"].items() if place != self._place)
            self._books.put_stock(variant.product_id, variant.variant_id, self._place, count - elsewhere)

    async def stock_at(self, variant: VariantRef, location: str, count: int) -> None:
        with acting(self._books):
            self._books.put_stock(variant.product_id, variant.variant_id, location, count)

    async def change_currency(self, currency: str) -> None:
        """One of the books' settings; prices keep their numbers."""
        self._books.set(currency=currency)


class Merchant(ProductAdmin, OrderAdmin):
    """Both halves: Hand and SetsCurrency. `store` is the same object where the platform's books are more than Books."""

    def __init__(self, books: Books, store: Store, *, place: str = "") -> None:
        ProductAdmin.__init__(self, books, place=place)
        OrderAdmin.__init__(self, store)

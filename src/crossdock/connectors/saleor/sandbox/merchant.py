"""The seller in the simulated shop's dashboard. A count is what can be sold; what is allocated lies there besides."""

from collections.abc import Sequence
from dataclasses import replace

from crossdock.connectors.saleor.sandbox.books import HOME, Books, available
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked
from crossdock.kit.sandbox import Merchant
from crossdock.kit.sandbox.books import stocked
from crossdock.kit.sandbox.merchant import acting


class Seller(Merchant):
    """Implements Hand, SeveralLocations, SetsCurrency and ReadsNotes."""

    def __init__(self, books: Books) -> None:
        super().__init__(books, books, place=HOME)
        self._own = books

    async def products(self) -> Sequence[Stocked]:
        docs = self._own.shelf.all("product")
        return [replace(stocked(doc, row), count=available(row)) for doc in docs for row in doc["variants"]]

    async def count(self, variant: VariantRef) -> int:
        return available(self._own.variant(variant.product_id, variant.variant_id)[1])

    async def recount(self, variant: VariantRef, count: int) -> None:
        with acting(self._own):
            _, row = self._own.variant(variant.product_id, variant.variant_id)
            home = row["stock"].get(HOME, 0) + count - available(row)
            self._own.put_stock(variant.product_id, variant.variant_id, HOME, home)

    async def reprice(self, variant: VariantRef, price: str) -> None:
        self._own.change(variant.product_id, variant.variant_id, price=price)

    async def open_location(self, name: str) -> str:
        """In the channel, and in a shipping zone of all its countries."""
        id_ = str(self._own.new_id("warehouse"))
        self._own.shelf.put("warehouse", id_, {"id": id_, "name": name, "countries": None})
        return id_

    async def orders(self) -> Sequence[Standing]:
        return [self._own.standing(doc) for doc in self._own.shelf.all("order") if doc["status"] != "DRAFT"]

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return [event["message"] for event in self._own.order(shop_id)["events"]]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        doc = self._own.order(shop_id)
        mails = [str(mail) for mail in self._own.shelf.ledger("mail") if mail["to"] == doc["email"]]
        return [*filter(None, [doc["note"]]), *mails]

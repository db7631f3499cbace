"""The seller in the simulated store's dashboard. A count is what can be sold; what is reserved lies there besides."""

from collections.abc import Sequence
from dataclasses import replace

from crossdock.connectors.medusa.sandbox.books import HOME, Books, available
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked
from crossdock.kit.sandbox import Merchant
from crossdock.kit.sandbox.books import stocked
from crossdock.kit.sandbox.merchant import acting


class Seller(Merchant):
    """Implements Hand, SetsCurrency and ReadsNotes."""

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
        self._own.change_variant(variant.product_id, variant.variant_id, price=price)

    async def delete_product(self, product_id: str) -> None:
        """What has reserved units is not deleted; the seller takes it off sale."""
        doc = self._own.shelf.need("product", product_id)
        if any(sum(row["reserved"].values()) for row in doc["variants"]):
            self._own.keep("product", {**doc, "status": "draft"})
        else:
            self._own.delete_product(product_id)

    async def open_location(self, name: str) -> str:
        """At which the sales channel sells."""
        id_ = str(self._own.new_id("location"))
        self._own.shelf.put("location", id_, {"id": id_, "name": name})
        return id_

    async def orders(self) -> Sequence[Standing]:
        return [self._own.standing(doc) for doc in self._own.shelf.all("order") if doc["status"] != "draft"]

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        """Medusa has no note that only the staff read."""
        return []

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        """The storefront shows the metadata; the core mails nobody."""
        return [f"{name}: {value}" for name, value in self._own.order(shop_id)["metadata"].items()]

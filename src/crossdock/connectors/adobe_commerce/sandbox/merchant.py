"""The seller in the simulated admin (kit/hand.py): what they count is salable, what they type is a source's."""

from collections.abc import Sequence

from crossdock.connectors.adobe_commerce.sandbox.books import HOME, Books
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Stocked
from crossdock.kit.sandbox import Merchant
from crossdock.kit.sandbox.merchant import acting


class Admin(Merchant):
    """Implements Hand, SeveralLocations, SetsCurrency and ReadsNotes."""

    def __init__(self, books: Books) -> None:
        super().__init__(books, books, place=HOME)
        self._admin = books

    async def products(self) -> Sequence[Stocked]:
        docs = self._admin.shelf.all("product")
        return [self._admin.stocked(doc, row) for doc in docs for row in doc["variants"]]

    async def count(self, variant: VariantRef) -> int:
        return int(self._admin.salable(self._admin.variant(variant.product_id, variant.variant_id)[1]))

    async def recount(self, variant: VariantRef, count: int) -> None:
        """So that so many are salable: what is reserved lies there as well."""
        with acting(self._admin):
            _, row = self._admin.variant(variant.product_id, variant.variant_id)
            elsewhere = sum(units for place, units in row["stock"].items() if place != HOME)
            self._admin.put_stock(variant.product_id, variant.variant_id, HOME, count + row["reserved"] - elsewhere)

    async def reprice(self, variant: VariantRef, price: str) -> None:
        self._admin.change_variant(variant.product_id, variant.variant_id, price=price)

    async def open_location(self, name: str) -> str:
        code = f"source_{self._admin.new_id('source')}"
        self._admin.add_source(code, name)
        return code

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return [row["words"] for row in self._admin.order(shop_id)["comments"] if not row["visible"]]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        """What the customer sees in the order, and whatever is mailed to whom."""
        doc = self._admin.order(shop_id)
        mails = [str(mail) for mail in self._admin.shelf.ledger("mail") if str(mail["order"]) == shop_id]
        return [*(row["words"] for row in doc["comments"] if row["visible"]), *mails]

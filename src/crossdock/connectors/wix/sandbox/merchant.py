"""The seller in the simulated site's dashboard (kit/hand.py): what it has besides the kit's merchant."""

from collections.abc import Sequence

from crossdock.connectors.wix.sandbox.books import HOME, Books
from crossdock.kit.connector import VariantRef
from crossdock.kit.sandbox import Merchant


class Panel(Merchant):
    """Implements Hand, SetsCurrency and ReadsNotes."""

    def __init__(self, books: Books) -> None:
        super().__init__(books, books, place=HOME)
        self._site = books

    async def count(self, variant: VariantRef) -> int:
        """What an order could take: at the default location."""
        _, row = self._site.variant(variant.product_id, variant.variant_id)
        return int(row["stock"].get(HOME, 0))

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return [each["message"] for each in self._site.order(shop_id)["comments"]]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        mails = [str(mail) for mail in self._site.shelf.ledger("mail") if mail["order"] == shop_id]
        return [*filter(None, [self._site.order(shop_id)["note"]]), *mails]

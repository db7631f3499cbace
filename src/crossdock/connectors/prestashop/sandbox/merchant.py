"""The seller in the simulated back office (kit/hand.py): what it has besides the kit's merchant."""

from collections.abc import Sequence

from crossdock.connectors.prestashop.sandbox.books import Books
from crossdock.kit.sandbox import Merchant


class BackOffice(Merchant):
    """Implements Hand, SetsCurrency and ReadsNotes."""

    def __init__(self, books: Books) -> None:
        super().__init__(books, books)
        self._office = books

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return [note for note in self._office.order(shop_id)["note"].split("\n\n") if note]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        """Whatever is mailed to whom."""
        return [str(mail) for mail in self._office.shelf.ledger("mail") if str(mail["order"]) == shop_id]

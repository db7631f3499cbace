"""The seller in the simulated site (kit/hand.py): what it has besides the kit's merchant."""

from collections.abc import Sequence

from crossdock.connectors.squarespace.sandbox.books import Books
from crossdock.kit.sandbox import Merchant


class Panel(Merchant):
    """Implements Hand, SetsCurrency and ReadsNotes."""

    def __init__(self, books: Books) -> None:
        super().__init__(books, books)
        self._site = books

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        """No program can write any."""
        return []

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        return [str(mail) for mail in self._site.shelf.ledger("mail") if mail["order"] == shop_id]

"""The seller in the simulated store's admin (kit/hand.py): what it has besides the kit's merchant."""

from collections.abc import Sequence

from crossdock.connectors.ecwid.sandbox.books import Books
from crossdock.kit.sandbox import Merchant


class Panel(Merchant):
    """Implements Hand, SetsCurrency and ReadsNotes."""

    def __init__(self, books: Books) -> None:
        super().__init__(books, books)
        self._store_books = books

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        notes = self._store_books.order(shop_id)["fields"].get("privateAdminNotes") or ""
        return [note for note in notes.split("\n\n") if note]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        comments = self._store_books.order(shop_id)["fields"].get("orderComments")
        return [*filter(None, [comments]), *(str(mail) for mail in self._store_books.shelf.ledger("mail"))]

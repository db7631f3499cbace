"""The seller in the simulated shop behind the open door (kit/hand.py): what they have besides the kit's merchant."""

from collections.abc import Sequence

from crossdock.connectors.open_door.sandbox.books import Books
from crossdock.kit import sandbox


class Merchant(sandbox.Merchant):
    """Implements Hand, ReadsNotes and SetsCurrency."""

    def __init__(self, books: Books) -> None:
        super().__init__(books, books)
        self._shelf, self._keep = books.shelf, books.keep

    async def change_currency(self, currency: str) -> None:
        """Every product is one that changed."""
        self._books.set(currency=currency)
        for doc in self._shelf.all("product"):
            if not doc.get("deleted"):
                self._keep("product", doc)

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return [f"{note['text']} [{note['key']}]" for note in self._shelf.all("note") if note["order_id"] == shop_id]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        return [str(mail) for mail in self._shelf.ledger("mail")]

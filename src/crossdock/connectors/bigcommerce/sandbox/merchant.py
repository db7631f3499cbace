"""The seller in the simulated store's control panel (kit/hand.py): what it has besides the kit's merchant."""

from collections.abc import Sequence

from crossdock.connectors.bigcommerce.sandbox.books import HOME, Books
from crossdock.kit.sandbox import Merchant


class Panel(Merchant):
    """Implements Hand, SeveralLocations, SetsCurrency and ReadsNotes."""

    def __init__(self, books: Books) -> None:
        super().__init__(books, books, place=HOME)
        self._panel = books

    async def open_location(self, name: str) -> str:
        number = self._panel.shelf.next_number("location", 2)
        self._panel.shelf.put("location", number, {"id": number, "code": f"LOC-{number}", "label": name})
        return str(number)

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return [note for note in self._panel.order(shop_id)["staff_notes"].split("\n\n") if note]

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        mails = [str(mail) for mail in self._panel.shelf.ledger("mail")]
        return [*filter(None, [self._panel.order(shop_id)["customer_message"]]), *mails]

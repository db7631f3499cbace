"""Stock locations of the simulated shop. Orders are allocated at the default one; what stands elsewhere only counts."""

from typing import Any

from crossdock.connectors.vendure.sandbox.books import Books

Doc = dict[str, Any]
HOME = {"id": "1", "name": "Default Stock Location"}


def places(books: Books) -> list[Doc]:
    """The default location, and those that were opened since."""
    return [HOME, *books.shelf.all("place")]


def open_place(books: Books, name: str) -> str:
    number = str(len(places(books)) + 1)
    books.shelf.put("place", number, {"id": number, "name": name})
    return number


def stock_at(books: Books, variant_id: str, place: str, units: int) -> None:
    doc = books.variant(variant_id)
    books.keep_variant({**doc, "elsewhere": {**doc.get("elsewhere", {}), place: units}})


def levels(variant: Doc) -> list[Doc]:
    """As `stockLevels` answers them."""
    home = {"stockLocationId": HOME["id"], "stockOnHand": variant["onHand"], "stockAllocated": variant["allocated"]}
    others = [
        {"stockLocationId": place, "stockOnHand": units, "stockAllocated": 0}
        for place, units in variant.get("elsewhere", {}).items()
    ]
    return [home, *others]


def close_place(books: Books, variant_ids: list[str]) -> None:
    """A location that held these is deleted, its stock handed over: numbers stay as they are, its records are gone."""
    for variant in variant_ids:
        for row in books.movements(variant):
            books.shelf.delete("movement", row["id"])

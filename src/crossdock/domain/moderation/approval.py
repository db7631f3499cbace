"""What a new seller has to bring before they sell, and how far they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 1000


class Stage(StrEnum):
    """`PREPARING` is whose list is not handed in yet, `ASKED` waits for staff."""

    PREPARING = "preparing"
    ASKED = "asked"
    SENT_BACK = "sent_back"
    APPROVED = "approved"


class Deed(StrEnum):
    """What was done about an approval, by the seller or by staff."""

    ASKED = "asked"
    SENT_BACK = "sent_back"
    APPROVED = "approved"
    LOOKED = "looked"
    AGAIN = "again"


WORDS = {
    Deed.ASKED: "Asked for approval",
    Deed.SENT_BACK: "Sent back",
    Deed.APPROVED: "Approved",
    Deed.LOOKED: "Staff looked at what changed",
    Deed.AGAIN: "Who sells changed: approval is asked for again",
}


class Item(StrEnum):
    """A line of the list, in its order."""

    EMAIL = "email"
    IDENTITY = "identity"
    SHIPS_FROM = "ships_from"
    TAX = "tax"
    CONTACT = "contact"
    TERMS = "terms"


class Mark(StrEnum):
    DONE = "done"
    MISSING = "missing"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a seller already. Of the marketplace's terms the number of the version that is read now, 0 where
    it has none, and of the one that they accepted.
    """

    email_confirmed: bool
    document: bool
    ships_from: bool
    particulars: bool
    contact_needed: bool
    contact: bool
    terms: int
    terms_accepted: int


@dataclass(frozen=True, slots=True)
class Line:
    """`words` say what stands, or what to do."""

    item: Item
    title: str
    mark: Mark
    words: str

    @property
    def missing(self) -> bool:
        return self.mark is Mark.MISSING

    @property
    def badge(self) -> tuple[str, str]:
        """Its word and tone."""
        return _BADGES[self.mark]


_BADGES = {Mark.DONE: ("Done", "good"), Mark.MISSING: ("Missing", "warn"), Mark.NOT_NEEDED: ("Not needed", "")}
TITLES = {
    Item.EMAIL: "Confirmed e-mail address",
    Item.IDENTITY: "Who you are",
    Item.SHIPS_FROM: "Where you ship from",
    Item.TAX: "Tax details",
    Item.CONTACT: "Contact in the European Union",
    Item.TERMS: "The marketplace’s terms",
}


def checklist(facts: Facts) -> tuple[Line, ...]:
    """Every line in its order, each with the words that the seller reads."""
    return (
        _line(
            Item.EMAIL,
            facts.email_confirmed,
            "Confirmed.",
            "Open the link in the mail that we sent you, or have it sent again.",
        ),
        _line(
            Item.IDENTITY,
            facts.document,
            "We have a picture of your document.",
            "Show a picture of your passport or identity card; of a company, of its extract from the register.",
        ),
        _line(
            Item.SHIPS_FROM,
            facts.ships_from,
            "We know where your parcels start.",
            "Type the address that your parcels start from. What cannot be delivered comes back to it.",
        ),
        _line(
            Item.TAX,
            facts.particulars,
            "We know what tax law asks of us. Only our staff who approve sellers see it.",
            "Type your legal name, address and tax number. Tax law wants us to know them before you sell.",
        ),
        _contact(facts),
        _terms(facts),
    )


def _line(item: Item, done: bool, said: str, todo: str) -> Line:
    return Line(item, TITLES[item], Mark.DONE if done else Mark.MISSING, said if done else todo)


def _contact(facts: Facts) -> Line:
    if not facts.contact and not facts.contact_needed:
        words = "Only who ships into the European Union from outside of it names somebody there."
        return Line(Item.CONTACT, TITLES[Item.CONTACT], Mark.NOT_NEEDED, words)
    todo = "You ship there, so somebody there has to answer for your products. Name them, or do not ship there."
    return _line(Item.CONTACT, facts.contact, "Buyers see it with each listing.", todo)


def _terms(facts: Facts) -> Line:
    if not facts.terms:
        return Line(Item.TERMS, TITLES[Item.TERMS], Mark.NOT_NEEDED, "The marketplace has published none so far.")
    todo = (
        "They have changed since you accepted them: read and accept the new ones."
        if facts.terms_accepted
        else "Read them, and accept them."
    )
    said = f"You accepted version {facts.terms}."
    return _line(Item.TERMS, facts.terms_accepted == facts.terms, said, todo)


def why_not_complete(lines: Iterable[Line]) -> str:
    """Empty when nothing is missing."""
    left = [line.title for line in lines if line.missing]
    return f"Still missing: {'; '.join(left)}." if left else ""


def changed_words(items: Iterable[str]) -> list[str]:
    """What changed since staff approved, by its title; an item that there is no more is left out."""
    return [TITLES[Item(item)] for item in items if item in set(Item)]

"""A listing is taken down: on which ground, what its seller reads (a statement of reasons, article 17 of the Digital
Services Act), and how it comes back: asked for by the seller, decided by staff.

An appeal says that the decision was wrong, so another member of staff decides it. That something was changed since says
nothing against the decision, so whoever is there looks again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = 3000
# Article 20(1): for at least six months.
APPEAL_FOR = timedelta(days=184)


class ReviewState(StrEnum):
    """Of one look at a listing. DOWN and ASKED: it is taken down."""

    WAITING = "waiting"
    DISMISSED = "dismissed"
    DOWN = "down"
    ASKED = "asked"
    BACK = "back"


OPEN = (ReviewState.WAITING, ReviewState.DOWN, ReviewState.ASKED)
IS_DOWN = (ReviewState.DOWN, ReviewState.ASKED)


class Deed(StrEnum):
    """What is written into the story of a review."""

    DISMISSED = "dismissed"
    TAKEN_DOWN = "taken_down"
    APPEALED = "appealed"
    CHANGED = "changed"
    UPHELD = "upheld"
    PUT_BACK = "put_back"


WORDS: dict[Deed, str] = {
    Deed.DISMISSED: "Reports dismissed",
    Deed.TAKEN_DOWN: "Taken down by the marketplace",
    Deed.APPEALED: "The seller appealed",
    Deed.CHANGED: "The seller changed it and asks to look again",
    Deed.UPHELD: "It stays taken down",
    Deed.PUT_BACK: "Put back",
}
# What the seller reads of it on the listing; who reported what, and what came of nothing, is not theirs to see.
SELLERS = frozenset(Deed) - {Deed.DISMISSED}


@dataclass(frozen=True, slots=True)
class Reasons:
    """`law`: it is illegal, not only against the terms."""

    title: str
    sentence: str
    law: bool


class Ground(StrEnum):
    FAKE = "fake"
    RIGHTS = "rights"
    UNSAFE = "unsafe"
    FORBIDDEN = "forbidden"
    STOLEN = "stolen"
    MISLEADING = "misleading"
    HATE = "hate"
    CHILDREN = "children"
    WRONG_PLACE = "wrong_place"
    TERMS = "terms"


GROUNDS: dict[Ground, Reasons] = {
    Ground.FAKE: Reasons(
        "A fake, or a brand without permission",
        "Offering goods under a trade mark without its owner's permission infringes trade mark law.",
        law=True,
    ),
    Ground.RIGHTS: Reasons(
        "Somebody else's pictures, words or personal data",
        "It uses what belongs to somebody else, or is about them, without their permission.",
        law=True,
    ),
    Ground.UNSAFE: Reasons(
        "Dangerous, or recalled",
        "A product that is not safe, or was recalled, may not be offered under product safety law.",
        law=True,
    ),
    Ground.FORBIDDEN: Reasons(
        "Not to be sold, or not like this", "The law forbids to sell it, or asks for more than is there.", law=True
    ),
    Ground.STOLEN: Reasons("Said to be stolen", "There is reason to believe that it was stolen.", law=True),
    Ground.MISLEADING: Reasons(
        "Not what it says",
        "Title, pictures or description mislead buyers about what they get, which the terms and consumer law forbid.",
        law=False,
    ),
    Ground.HATE: Reasons("Hate or violence", "It spreads hate or calls for violence, which is illegal.", law=True),
    Ground.CHILDREN: Reasons("Sexual abuse of children", "It is illegal; the authorities are told.", law=True),
    Ground.WRONG_PLACE: Reasons(
        "Does not belong here",
        "By the terms this marketplace is not for goods of this kind, or for what is listed twice.",
        law=False,
    ),
    Ground.TERMS: Reasons("Against the terms in another way", "It breaks the marketplace's terms.", law=False),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`asked` is what the seller asks now; `appealed`: an appeal was decided, and there is one alone."""

    state: ReviewState
    until_changed: bool = False
    asked: Deed | None = None
    appealed: bool = False
    decided_at: datetime | None = None


def may_ask(standing: Standing, now: datetime) -> tuple[Deed, ...]:
    """What the seller may ask just now; an appeal first."""
    if standing.state is not ReviewState.DOWN:
        return ()
    in_time = standing.decided_at is not None and now < standing.decided_at + APPEAL_FOR
    appeal = (Deed.APPEALED,) if in_time and not standing.appealed else ()
    return (*appeal, *((Deed.CHANGED,) if standing.until_changed else ()))


def why_not_ask(standing: Standing, ask: Deed, now: datetime) -> str:
    """Empty when the seller may ask this."""
    if standing.state is ReviewState.ASKED:
        return "You asked already. Staff look at it and write to you."
    if standing.state is not ReviewState.DOWN:
        return "This listing is not taken down."
    if ask in may_ask(standing, now):
        return ""
    if ask is Deed.CHANGED:
        return "It was not taken down until it is changed, so a change brings nothing. You can appeal."
    if standing.appealed:
        return "Your appeal was decided. You can still turn to an out-of-court dispute settlement body or a court."
    return "The time to appeal is over: it was six months."


def why_not_decide(standing: Standing, *, took_down: bool, reported: bool, put_back: bool) -> str:
    """Empty when this member of staff may decide. `took_down`: they did; `reported`: one of the reports is theirs."""
    if standing.state not in IS_DOWN:
        return "It is not taken down any more; look at it as it is now."
    if standing.state is not ReviewState.ASKED:
        return "" if put_back else "The seller has not asked for anything yet."
    if standing.asked is Deed.APPEALED and took_down:
        return "You took it down. Somebody else of staff decides about the appeal."
    if standing.asked is Deed.APPEALED and reported:
        return "You reported it. Somebody else of staff decides about the appeal."
    return ""

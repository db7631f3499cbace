"""A report of a listing, as article 16 of the Digital Services Act (EU 2022/2065) asks for it: what is wrong and why,
where, who says so, and that they believe it.
"""

from enum import StrEnum

LONGEST, SHORTEST, LONGEST_NAME = 3000, 20, 120
# To one address within a day: it gets a receipt for each, whoever typed it.
MOST_A_DAY = 10


class Reason(StrEnum):
    FAKE = "fake"
    RIGHTS = "rights"
    UNSAFE = "unsafe"
    FORBIDDEN = "forbidden"
    STOLEN = "stolen"
    MISLEADING = "misleading"
    HATE = "hate"
    CHILDREN = "children"
    OTHER = "other"


REASONS: dict[Reason, str] = {
    Reason.FAKE: "It is a fake, or uses a brand without permission",
    Reason.RIGHTS: "It uses pictures, words or personal data of mine",
    Reason.UNSAFE: "It is dangerous or was recalled",
    Reason.FORBIDDEN: "It must not be sold, or not like this",
    Reason.STOLEN: "It was stolen",
    Reason.MISLEADING: "It is not what it says, or looks like a fraud",
    Reason.HATE: "It spreads hate or calls for violence",
    Reason.CHILDREN: "It shows sexual abuse of children",
    Reason.OTHER: "Something else that is against the law or the terms",
}


def needs_a_name(reason: Reason) -> bool:
    """Article 16(2)(c): of this one alone nobody has to say who they are."""
    return reason is not Reason.CHILDREN


def why_not_report(reason: Reason, words: str, name: str, email: str) -> str:
    """Empty when it can be taken in."""
    if len(words) < SHORTEST:
        return "Say what is wrong and why, in a sentence or two, so that somebody who never saw it understands."
    if needs_a_name(reason) and not (name and email):
        return "Type your name and your e-mail address: we write to you what was decided."
    return ""

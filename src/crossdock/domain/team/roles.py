"""Who of a seller's team may what: the one table. `usecases/record/rights.py` asks it; docs/roles.md and the team's
page show it.
"""

from enum import StrEnum


class TeamRole(StrEnum):
    """What somebody is in a shop. `User.works_as` holds one or several with spaces between them; the owner's is held by
    nobody's word but `Seller.owner`.
    """

    OWNER = "owner"
    ORDERS = "orders"
    LISTINGS = "listings"
    READER = "reader"


class Duty(StrEnum):
    """What can be done in a shop. Each page and each deed of the panel is one; OWN is whatever is not given away."""

    LOOK = "look"
    ORDERS = "orders"
    PAPERS = "papers"
    LISTINGS = "listings"
    ASK = "ask"
    OWN = "own"


# What it is, as it reads after "Only the owner may".
WORDS: dict[Duty, str] = {
    Duty.LOOK: "look at orders, returns, labels, listings, stock, offers, messages, cases and alerts",
    Duty.ORDERS: (
        "work on orders: ship, reject and credit them, buy labels, answer returns, messages, offers and ratings"
    ),
    Duty.PAPERS: "take buyers' names and addresses along: print slips and labels, and export orders",
    Duty.LISTINGS: "work on listings: write and price them, set attributes, limits and counts, read shops again",
    Duty.ASK: "settle alerts, and write to the marketplace's staff",
    Duty.OWN: (
        "do the rest: money and payouts, connecting, pausing and disconnecting shops, API tokens and webhooks, the"
        " profile, shipping prices, holidays, the team, and closing the shop"
    ),
}
GIVEN: dict[TeamRole, frozenset[Duty]] = {
    TeamRole.OWNER: frozenset(Duty),
    TeamRole.ORDERS: frozenset({Duty.LOOK, Duty.ORDERS, Duty.PAPERS, Duty.ASK}),
    TeamRole.LISTINGS: frozenset({Duty.LOOK, Duty.LISTINGS, Duty.ASK}),
    TeamRole.READER: frozenset({Duty.LOOK}),
}
# What a member can be, as it is kept and as people read it.
CHOICES: dict[str, str] = {
    "orders": "Orders",
    "listings": "Listings",
    "orders listings": "Orders and listings",
    "reader": "Read only",
}


def roles_in(words: str) -> frozenset[TeamRole]:
    """Of what is kept; a word that is no role any more gives nothing, and nobody is made an owner by one."""
    known = {role.value: role for role in TeamRole if role is not TeamRole.OWNER}
    return frozenset(known[word] for word in words.split() if word in known)


def duties_of(roles: frozenset[TeamRole]) -> frozenset[Duty]:
    return frozenset().union(*(GIVEN[role] for role in roles))


def roles_with(duty: Duty) -> tuple[TeamRole, ...]:
    return tuple(role for role in TeamRole if duty in GIVEN[role])


def in_words(roles: frozenset[TeamRole]) -> str:
    """ "orders and listings"; "read only"."""
    names = {TeamRole.READER: "read only"}
    return " and ".join(names.get(role, role.value) for role in TeamRole if role in roles)


def who_may(duty: Duty, roles: frozenset[TeamRole]) -> str:
    """The sentence for a member who may not: who does it, and what they are themselves."""
    others = [role.value for role in roles_with(duty) if role is not TeamRole.OWNER]
    helpers = f" and who is in the team for {' or '.join(others)}" if others else ""
    return f"Only the owner of the shop{helpers} may do this. You are in the team for: {in_words(roles)}."

"""Who may: the one place that says what is whose. A seller's owner may what is theirs, and who is in the team what
their role there gives them; a buyer what they began; staff what the table of roles gives them, whichever seller it
concerns.

Use-cases call `require`, which raises. Lists and look-ups begin with `theirs`: what is somebody else's is not found,
which tells nobody that it exists. tests/house/test_who_may.py keeps other modules from deciding it by hand.
"""

from typing import Protocol, TypeVar

from django.db.models import Model, Q, QuerySet

from crossdock.domain.roles import GIVEN, WORDS, Right, Role, roles_with
from crossdock.domain.team import roles as team
from crossdock.domain.team.roles import Duty, TeamRole
from crossdock.store.models import Order, Seller, User
from crossdock.usecases.errors import NotAllowed

_Row = TypeVar("_Row", bound=Model)
NOT_YOURS = "This shop is not yours."


class Bought(Protocol):
    """What a buyer began: a checkout, an offer."""

    @property
    def buyer_id(self) -> int: ...


class Owned(Protocol):
    """What belongs to a seller."""

    @property
    def seller_id(self) -> int: ...


def is_staff(person: User | None) -> bool:
    return person is not None and person.is_staff


def roles_of(person: User | None) -> tuple[Role, ...]:
    """In the table's order; a word that is no role any more gives nothing."""
    held = person.roles.split() if person is not None and person.is_staff else []
    return tuple(role for role in Role if role in held)


def rights_of(person: User | None) -> frozenset[Right]:
    return frozenset().union(*(GIVEN[role] for role in roles_of(person)))


def holds(person: User | None, *rights: Right) -> bool:
    """Any one of them will do."""
    return not rights_of(person).isdisjoint(rights)


def who_may(right: Right, person: User | None = None) -> str:
    """The sentence for whoever may not: who does it, and what they are themselves."""
    names = " and ".join(roles_with(right))
    mine = roles_of(person)
    yours = f" Your role{'s are' if len(mine) > 1 else ' is'} {' and '.join(mine)}." if mine else ""
    return f"Only {names} may {WORDS[right]}.{yours}"


def who_hold(right: Right) -> QuerySet[User]:
    """The staff who may, oldest first."""
    any_of = Q(pk__in=[])
    for role in roles_with(right):
        any_of |= Q(roles__contains=role)
    return User.objects.filter(any_of, is_staff=True, is_active=True).order_by("pk")


def is_owner(person: User | None, seller: Seller) -> bool:
    return person is not None and seller.owner_id == person.pk


def team_roles(person: User | None, seller: Seller) -> frozenset[TeamRole]:
    """What they are in this shop; nothing for who has no part in it. Read of the two rows alone, with no look-up."""
    if person is None:
        return frozenset()
    if is_owner(person, seller):
        return frozenset({TeamRole.OWNER})
    return team.roles_in(person.works_as) if person.works_for_id == seller.pk else frozenset()


def belongs(person: User | None, seller: Seller) -> bool:
    """The owner, and who is in the team: it is their own shop, of which staff decide nothing."""
    return bool(team_roles(person, seller))


def duties_of(person: User | None, seller: Seller) -> frozenset[Duty]:
    """What they may press in this shop."""
    return team.duties_of(team_roles(person, seller))


def may(person: User | None, seller: Seller | None, *staff: Right, duty: Duty = Duty.OWN) -> bool:
    """`seller` None is what belongs to the marketplace itself. Of staff whoever has one of the rights; where none is
    named, who may act as a seller. Of the seller's team whoever has the duty: where none is named, the owner alone.
    """
    if seller is not None and (mine := team_roles(person, seller)):
        # Whoever is in the team is there what the team says, staff or not.
        return duty in team.duties_of(mine)
    return holds(person, *(staff or (Right.ACT,)))


def require(
    person: User | None,
    seller: Seller | None,
    sentence: str = NOT_YOURS,
    *staff: Right,
    duty: Duty = Duty.OWN,
) -> None:
    """Raises NotAllowed: with the sentence, or to staff and to the team with the roles that may."""
    if may(person, seller, *staff, duty=duty):
        return
    if seller is not None and (mine := team_roles(person, seller)):
        raise NotAllowed(team.who_may(duty, mine))
    raise NotAllowed(who_may((staff or (Right.ACT,))[0], person) if is_staff(person) else sentence)


def require_owner(person: User | None, seller: Seller, sentence: str) -> None:
    """Raises NotAllowed with the sentence: what is done in the seller's name alone, staff do not."""
    if not is_owner(person, seller):
        raise NotAllowed(sentence)


def require_buyer(person: User, begun: Bought, sentence: str) -> None:
    """Raises NotAllowed with the sentence. What a buyer began is nobody else's, staff's neither."""
    if begun.buyer_id != person.pk:
        raise NotAllowed(sentence)


def require_of(seller: Seller, thing: Owned, sentence: str = NOT_YOURS) -> None:
    """Raises NotAllowed with the sentence where one seller's deed names another's thing; for staff as well."""
    if thing.seller_id != seller.pk:
        raise NotAllowed(sentence)


def why_not_yours(order: Order, actor: User) -> str:
    """Nobody of staff decides about an order that they or their team bought or sold. Empty for somebody else's."""
    if order.buyer_id == actor.pk or belongs(actor, order.seller):
        return "This order is your own. Somebody else of staff decides about it."
    return ""


def side_of(person: User, seller: Seller) -> str:
    """Whose doing it is, as the timeline says it: staff who are sellers themselves do their own shop's."""
    return "seller" if belongs(person, seller) else "staff"


# The way from a row to its seller; "seller" where none is named.
_WAYS = {
    "Variant": "listing__seller",
    "HeldPrice": "variant__listing__seller",
    "OrderLine": "order__seller",
    "Shipment": "order__seller",
    "ShipmentLine": "shipment__order__seller",
    "TimelineEntry": "order__seller",
    "OrderNote": "order__seller",
    "BulkRow": "run__seller",
    "ReturnLine": "row__order__seller",
    "Difference": "recount__connection__seller",
}


def theirs(rows: type[_Row] | QuerySet[_Row], seller: Seller | None) -> QuerySet[_Row]:
    """The seller's rows; `None` stands for the marketplace's own token, which sees all."""
    found = rows if isinstance(rows, QuerySet) else rows._default_manager.all()
    return found if seller is None else found.filter(**{_WAYS.get(found.model.__name__, "seller"): seller})


def bought_by(rows: type[_Row] | QuerySet[_Row], buyer: User) -> QuerySet[_Row]:
    """What this buyer began or bought."""
    found = rows if isinstance(rows, QuerySet) else rows._default_manager.all()
    return found.filter(buyer=buyer)

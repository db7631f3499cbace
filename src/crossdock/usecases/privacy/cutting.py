"""What stays of rows that are cut when their person leaves: each function changes one row, in memory, and gives the
columns that it set.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crossdock.domain.redact import redact_text, redact_value
from crossdock.store.models import (
    Command,
    Connection,
    Label,
    Order,
    PaymentIntent,
    Quarantined,
    Return,
    Seller,
    User,
    Withdrawal,
)
from crossdock.store.models.work import CommandState
from crossdock.store.vault import seal
from crossdock.usecases.outbox.payloads import without_buyer
from crossdock.usecases.privacy.beside import people_in
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.record.mail import ERASED
from crossdock.usecases.shops.privacy import NOBODY

CLOSED = "Closed shop"


def words(way: Callable[[Any], Order], *names: str) -> Callable[[Any, Whose], Sequence[str]]:
    """Takes the buyer's name and address out of these columns, texts or JSON. `way` leads to the order."""

    def change(row: Any, whose: Whose) -> Sequence[str]:
        known = people_in(way(row), whose)
        for name in names:
            said = getattr(row, name)
            setattr(row, name, redact_text(said, known) if isinstance(said, str) else redact_value(said, "", known))
        return names

    return change


def _cut(to: Mapping[str, Any]) -> dict[str, Any]:
    return {**NOBODY, "country": to.get("country", "")}


def cut_order(order: Order, whose: Whose) -> Sequence[str]:
    order.ship_to = _cut(order.ship_to)
    return ["ship_to"]


def cut_intent(intent: PaymentIntent, whose: Whose) -> Sequence[str]:
    if "ship_to" in intent.basket:
        intent.basket = {**intent.basket, "ship_to": _cut(intent.basket["ship_to"])}
    intent.checks, intent.sentence = {}, ""
    return ["basket", "checks", "sentence"]


def cut_buyers_end(label: Label, whose: Whose) -> Sequence[str]:
    label.wanted, label.events = {**label.wanted, "ship_to": _cut(label.wanted.get("ship_to", {}))}, []
    return ["wanted", "events"]


def cut_sellers_end(label: Label, whose: Whose) -> Sequence[str]:
    label.wanted = {**label.wanted, "ship_from": _cut(label.wanted.get("ship_from", {}))}
    return ["wanted"]


def cut_withdrawal(row: Withdrawal, whose: Whose) -> Sequence[str]:
    """The name that they typed may be no name of the account."""
    row.statement = redact_text(row.statement, [*people_in(row.order, whose), *filter(None, [row.name])])
    row.name = ""
    return ("name", "statement")


def cut_return(row: Return, whose: Whose) -> Sequence[str]:
    row.words = row.carrier = row.tracking_number = row.label = ""
    known = people_in(row.order, whose)
    row.answer, row.kept_why = redact_text(row.answer, known), redact_text(row.kept_why, known)
    return ("words", "carrier", "tracking_number", "label", "answer", "kept_why")


def cut_command(row: Command, whose: Whose) -> Sequence[str]:
    """One that waits may still be carried out, so all but the person stays. Shops repeat what they refuse."""
    known = people_in(whose.bought.get(reference=row.subject), whose)
    waits = row.state in (CommandState.WAITING, CommandState.IN_FLIGHT)
    row.payload, row.sentence = without_buyer(row.payload) if waits else {}, redact_text(row.sentence, known)
    # The shop's own ids stay as they are.
    row.outcome = {
        key: redact_text(said, known) if key in ("note", "sentence") else said for key, said in row.outcome.items()
    }
    return ["payload", "sentence", "outcome"]


def cut_trace(row: Quarantined, whose: Whose) -> Sequence[str]:
    row.trace = ""
    assert row.order is not None
    row.cause = redact_text(row.cause, people_in(row.order, whose))
    return ["trace", "cause"]


def cut_shop(shop: Connection, whose: Whose) -> Sequence[str]:
    empty: dict[str, Any] = {"address": "", "name": CLOSED, "state_sentence": "", "paused_by_staff": "", "settings": {}}
    empty |= {"shop_key": f"closed-{shop.pk}", "secrets": seal({}), "checks": [], "hooks": {}}
    for name, value in empty.items():
        setattr(shop, name, value)
    return list(empty)


def cut_seller(seller: Seller, whose: Whose) -> Sequence[str]:
    seller.slug, seller.closed_days, seller.eu_contact = f"closed-{seller.public_id}", [], {}
    if not Order.objects.filter(seller=seller).exists():
        seller.name = CLOSED
    seller.away_from = seller.away_until = seller.away_since = None
    return ["slug", "name", "closed_days", "eu_contact", "away_from", "away_until", "away_since"]


def cut_user(person: User, whose: Whose) -> Sequence[str]:
    person.email, person.name, person.first_name, person.last_name = f"erased-{person.pk}{ERASED}", "", "", ""
    person.set_unusable_password()
    person.is_active, person.roles, person.last_login, person.language = False, "", None, ""
    person.works_for, person.works_as, person.identity = None, "", ""
    changed = ["email", "name", "first_name", "last_name", "password", "is_active", "roles", "last_login", "language"]
    return [*changed, "works_for", "works_as", "identity"]

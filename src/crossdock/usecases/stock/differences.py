"""What the seller does about a difference that reconciling found: take the shop's, take ours, or set it aside.

Nothing here overwrites a count blindly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.capability import Manifest
from crossdock.domain.recount import SENTENCES, TITLES, Cause, Decision, suggestion
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Connection, Difference, User
from crossdock.usecases.errors import Invalid, NotAllowed, Problem
from crossdock.usecases.record.rights import require
from crossdock.usecases.stock.reconcile import tell_of_differences
from crossdock.usecases.stock.reservations import locked, record
from crossdock.usecases.stock.restore import correct_count, why_not_correct

MOST = 500
SET_ASIDE = "set aside when stock was reconciled"


@dataclass(frozen=True, slots=True)
class Told:
    """A difference as the page shows it.

    `why_not_ours` is empty when the shop's count can be put back to what was expected.
    """

    row: Difference
    title: str
    sentence: str
    delta: int | None
    first: Decision
    why_not_ours: str


def open_differences(*, connection: Connection) -> QuerySet[Difference]:
    rows = Difference.objects.filter(recount__connection=connection, decision="")
    return rows.select_related("variant__listing__seller", "variant__stock", "variant__connection", "recount").order_by(
        "-pk"
    )


def told(row: Difference, manifest: Manifest | None) -> Told:
    cause = Cause(row.cause)
    delta = None if row.shop is None or row.expected is None else row.shop - row.expected
    return Told(row, TITLES[cause], SENTENCES[cause], delta, suggestion(cause), why_not_ours(row, manifest))


def why_not_ours(row: Difference, manifest: Manifest | None) -> str:
    """Only a correction by the difference is ever sent; where that is impossible the seller corrects the count in the
    shop.
    """
    if row.shop is None or row.expected is None or row.cause == Cause.GONE:
        return "There is no count to correct."
    if row.expected < 0:
        return "Fewer than none cannot be there."
    return why_not_correct(variant=row.variant, manifest=manifest)


def decide(
    *, difference: Difference, decision: Decision, manifest: Manifest | None, actor: User, now: datetime
) -> None:
    """One button. Pressed twice it is done once. Raises NotAllowed, Invalid or Stale with the sentence."""
    with transaction.atomic():
        row = (
            Difference.objects.select_for_update(no_key=True, of=("self",))
            .select_related("variant__listing__seller", "variant__connection", "recount__connection__seller")
            .get(pk=difference.pk)
        )
        shop = row.recount.connection
        require(actor, shop.seller, duty=Duty.LISTINGS)
        if row.decision:
            return
        match decision:
            case Decision.OURS:
                _ours(row, manifest=manifest, actor=actor, now=now)
            case Decision.ASIDE:
                _aside(row, actor=actor, now=now)
            case Decision.SHOP:
                record(
                    variant_id=row.variant_id,
                    now=now,
                    kind="agreed",
                    cause="reconciled: the shop's count is right",
                    after=row.shop,
                    actor=actor,
                )
        row.decision, row.decided_by, row.decided_at = decision, actor, now
        row.save(update_fields=["decision", "decided_by", "decided_at"])
        tell_of_differences(connection=shop, now=now)


def _ours(row: Difference, *, manifest: Manifest | None, actor: User, now: datetime) -> None:
    why_not = why_not_ours(row, manifest)
    if why_not or row.shop is None or row.expected is None:
        raise NotAllowed(why_not or "There is no count to correct.")
    correct_count(
        variant=row.variant,
        seen=row.shop,
        wanted=row.expected,
        key=f"difference:{row.pk}",
        manifest=manifest,
        actor=actor,
        now=now,
    )


def _aside(row: Difference, *, actor: User, now: datetime) -> None:
    """Nothing sells until the seller confirms a count; no read lifts it (rule 12)."""
    stock = locked([row.variant_id])[row.variant_id]
    stock.aside_why = SET_ASIDE
    stock.save(update_fields=["aside_why"])
    record(variant_id=row.variant_id, now=now, kind="set_aside", cause=SET_ASIDE, actor=actor)


def decide_many(
    *, differences: Iterable[Difference], decision: Decision, manifest: Manifest | None, actor: User, now: datetime
) -> list[tuple[Difference, str]]:
    """Each by itself, so that one that cannot be done does not stop the rest.

    Returns those with the sentence that says why.
    """
    rows = list(differences)
    if len(rows) > MOST:
        raise Invalid(f"At most {MOST} at once.")
    left: list[tuple[Difference, str]] = []
    for row in rows:
        try:
            decide(difference=row, decision=decision, manifest=manifest, actor=actor, now=now)
        except Problem as problem:
            left.append((row, str(problem)))
    return left

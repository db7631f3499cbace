"""Asking the shop before money is taken: which lines are worth it, and what its answer, or its silence, means for this
checkout.

The read is one like any other: its number is drawn before it leaves, and what it says counts for everybody. Who held
first is served first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from crossdock.domain import stock as rules
from crossdock.domain.events import Count, StockHint
from crossdock.domain.stock import HoldState
from crossdock.store.because import because
from crossdock.store.models import Connection, PaymentIntent, Reservation, Variant, VariantStock
from crossdock.store.models.money import IntentState
from crossdock.store.models.shops import NoAnswer
from crossdock.usecases.catalogue.import_products import variants_gone
from crossdock.usecases.checkout.checkout import payment_failed
from crossdock.usecases.record.telling import telling
from crossdock.usecases.stock.counts import apply_counts, draw_read_no, take_hints
from crossdock.usecases.stock.reservations import as_value, locked, open_holds, record

# A connector answers for so many in one call; the first ones of a longer cart are asked for.
MOST = 100
_SILENT = "shop_silent"
_NO_WORD = {
    NoAnswer.SELL: "the shop did not answer in time: sold without its word, as you chose",
    NoAnswer.HOLD: "the shop did not answer in time: kept for the buyer, as you chose",
    NoAnswer.REFUSE: "the shop did not answer in time: not sold, as you chose",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What the shop is to be asked; it leaves after `read_no` was drawn."""

    intent: str
    connection_id: int
    read_no: int
    refs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`go`: take the money. Otherwise `sentence` is for the buyer; `left` says of each short variant (public id) how
    many there are.

    `wait`: nothing was given up, the units stay held, and the same button may be pressed again in a moment.
    """

    go: bool
    sentence: str = ""
    left: Mapping[str, int] = field(default_factory=dict)
    wait: bool = False


GO = Verdict(True)


def question_of(*, intent_id: str, now: datetime) -> Question | None:
    """None when nothing is worth asking: made by hand, many left and read lately, or paid already."""
    intent = PaymentIntent.objects.get(public_id=intent_id)
    shop = Connection.objects.filter(pk=intent.basket["connection"]).first()
    if shop is None or intent.state != IntentState.CREATED:
        return None
    mine = _mine(intent)
    rows = VariantStock.objects.filter(pk__in=mine).select_related("variant__connection", "variant__listing")
    holds = open_holds(mine)
    asked: list[tuple[str, str]] = []
    for row in rows.order_by("pk"):
        others = [hold.value() for hold in holds[row.pk] if hold.pk != mine[row.pk].pk]
        left = rules.available(as_value(row, now=now), others)
        age = (now - row.count_at).total_seconds() if row.count_at else float("inf")
        few, old = settings.ASK_BELOW, settings.ASK_OLDER_SECONDS
        if left is None or rules.worth_asking(left=left, age_seconds=age, few=few, old_seconds=old):
            asked.append((row.variant.listing.shop_product_id, row.variant.shop_variant_id))
    return Question(intent_id, shop.pk, draw_read_no(), tuple(asked[:MOST])) if asked else None


def answered(*, question: Question, counts: Sequence[Count], now: datetime) -> Verdict:
    """The shop said how many it has.

    Too few for what was promised before and for this checkout: it is off, nothing is charged.
    """
    with telling(now) as told:
        intent = PaymentIntent.objects.select_for_update(no_key=True).get(public_id=question.intent)
        with because(f"checkout:{question.intent}"):
            apply_counts(
                connection_id=question.connection_id,
                read_no=question.read_no,
                asked=question.refs,
                counts=counts,
                waited=False,
                now=now,
            )
            _lower(question, counts, now=now)
            known = {count.variant_id for count in counts}
            missing = [variant for _, variant in question.refs if variant not in known]
            variants_gone(connection_id=question.connection_id, variants=missing, told=told)
        if intent.state != IntentState.CREATED:
            return GO
        _heard_again(intent)
        short = _short(intent, now=now)
        if not short:
            return GO
        sentence = _sentence(short)
        payment_failed(intent_id=question.intent, sentence=sentence, now=now)
        return Verdict(False, sentence, {variant.public_id: left for variant, left in short})


def unanswered(*, question: Question, now: datetime, may_wait: bool = True) -> Verdict:
    """The shop did not answer in time: the seller's policy says what happens.

    `may_wait` is false for programs, which hold nothing while they wait.
    """
    shop = Connection.objects.get(pk=question.connection_id)
    _tell_silence(question, NoAnswer(shop.no_answer), now=now)
    if shop.no_answer == NoAnswer.SELL:
        return GO
    if shop.no_answer == NoAnswer.HOLD and may_wait:
        with transaction.atomic():
            intent = PaymentIntent.objects.select_for_update(no_key=True).get(public_id=question.intent)
            intent.basket[_SILENT] = now.isoformat()
            intent.save(update_fields=["basket"])
        return Verdict(
            False,
            f"{shop.seller.name}'s shop is slow to confirm its stock. Your items are kept for you; pay again in a"
            " moment. Nothing was charged.",
            wait=True,
        )
    sentence = (
        f"{shop.seller.name}'s shop could not confirm that it still has this. Nothing was charged; try again later."
    )
    payment_failed(intent_id=question.intent, sentence=sentence, now=now)
    return Verdict(False, sentence)


def _tell_silence(question: Question, policy: NoAnswer, *, now: datetime) -> None:
    """In each line's flight recorder: if the unit turns out to be gone, the seller sees that nobody could know, and
    whose choice it was.
    """
    with transaction.atomic(), because(f"checkout:{question.intent}"):
        mine = _mine(PaymentIntent.objects.get(public_id=question.intent))
        locked(mine)
        for pk, hold in sorted(mine.items()):
            record(variant_id=pk, now=now, kind="unanswered", cause=_NO_WORD[policy], quantity=hold.quantity)


def waits_for_shop(intent: PaymentIntent) -> bool:
    """Nothing was asked of the bank yet: the shop was silent, and the buyer was told to try again."""
    return intent.state == IntentState.CREATED and _SILENT in intent.basket


def _heard_again(intent: PaymentIntent) -> None:
    if intent.basket.pop(_SILENT, None):
        intent.save(update_fields=["basket"])


def _mine(intent: PaymentIntent) -> dict[int, Reservation]:
    """This checkout's open holds by variant; an accepted offer's hold is its own."""
    causes = Q(cause__startswith=f"checkout:{intent.public_id}:")
    if intent.basket.get("offer"):
        causes |= Q(cause=f"offer:{intent.basket['offer']}")
    return {hold.variant_id: hold for hold in Reservation.objects.filter(causes, state=HoldState.CHECKOUT)}


def _lower(question: Question, counts: Sequence[Count], *, now: datetime) -> None:
    """An answer that came too late to be a read (another one overlapped it) still may lower, as any word of the shop
    may.
    """
    known = dict(
        VariantStock.objects.filter(
            variant__connection_id=question.connection_id,
            variant__shop_variant_id__in=[count.variant_id for count in counts],
        ).values_list("variant__shop_variant_id", "count")
    )
    hints = [
        StockHint(count.variant_id, count.count)
        for count in counts
        if count.count is not None and (known.get(count.variant_id) or 0) > count.count
    ]
    if hints:
        take_hints(connection_id=question.connection_id, hints=hints, now=now)


def _short(intent: PaymentIntent, *, now: datetime) -> list[tuple[Variant, int]]:
    """Under the rows' locks: what of this checkout has no unit any more, and how many there are of it."""
    mine = _mine(intent)
    holds = open_holds(mine)
    short = []
    for pk, row in locked(mine).items():
        earlier = [hold.value() for hold in holds[pk] if hold.pk < mine[pk].pk]
        there = rules.covered(as_value(row, now=now), earlier, mine[pk].value())
        if there is None or there < mine[pk].quantity:
            short.append((row.variant, there or 0))
            record(
                variant_id=pk,
                now=now,
                kind="asked_short",
                cause="asked at checkout: fewer than were held",
                quantity=mine[pk].quantity,
                after=row.count,
            )
    return short


def _sentence(short: Sequence[tuple[Variant, int]]) -> str:
    said = [
        f"“{variant}” was just sold in the shop." if not left else f"Only {left} of “{variant}” are left in the shop."
        for variant, left in short
    ]
    return " ".join([*said, "Nothing was charged."])

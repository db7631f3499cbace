"""Asking the shop before money is taken: which lines are worth it, and what its answer, or its silence, means for this
checkout.

The read is one like any other: its number is drawn before it leaves, and what it says counts for everybody. Who held
first is served first.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain import stock as rules
from crossdock.domain.events import Count, StockHint
from crossdock.store.because import because
from crossdock.store.models import Connection, PaymentIntent, Reservation, User, Variant, VariantStock
from crossdock.store.models.money import IntentState
from crossdock.store.models.shops import NoAnswer
from crossdock.usecases.catalogue.import_products import variants_gone
from crossdock.usecases.checkout.checkout import open_holds as own_holds
from crossdock.usecases.checkout.checkout import payment_failed
from crossdock.usecases.checkout.parts import parts_of, units_of
from crossdock.usecases.errors import Stale
from crossdock.usecases.record.telling import Telling, telling
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
# The units went back, and whoever waited for this payment was told that nothing was charged.
_OVER = (IntentState.DECLINED, IntentState.ABANDONED)


def questions_of(*, intent_id: str, now: datetime) -> list[Question]:
    """One for each shop that is worth asking. None where it was made by hand, many are left that were read lately, or
    it is paid already. Raises Stale when it was called off meanwhile.
    """
    intent = PaymentIntent.objects.get(public_id=intent_id)
    if intent.state in _OVER:
        raise Stale(intent.sentence)
    shops = {part.connection for part in parts_of(intent)} - {None}
    if not shops or intent.state != IntentState.CREATED:
        return []
    mine = _mine(intent)
    rows = VariantStock.objects.filter(pk__in=mine).select_related("variant__connection", "variant__listing")
    holds = open_holds(mine)
    asked = defaultdict[int, list[tuple[str, str]]](list)
    for row in rows.order_by("pk"):
        shop = row.variant.connection_id
        if shop is None:
            continue
        others = [hold.value() for hold in holds[row.pk] if hold.pk != mine[row.pk].pk]
        left = rules.available(as_value(row, now=now), others)
        age = (now - row.count_at).total_seconds() if row.count_at else float("inf")
        few, old = settings.ASK_BELOW, settings.ASK_OLDER_SECONDS
        if left is None or rules.worth_asking(left=left, age_seconds=age, few=few, old_seconds=old):
            asked[shop].append((row.variant.listing.shop_product_id, row.variant.shop_variant_id))
    return [Question(intent_id, shop, draw_read_no(), tuple(refs[:MOST])) for shop, refs in sorted(asked.items())]


Answer = Sequence[Count] | None


def judged(
    *, intent_id: str, answers: Sequence[tuple[Question, Answer]], now: datetime, may_wait: bool = True
) -> Verdict:
    """What the shops said of a checkout, each to its question; None is silence in time, and the seller's policy says
    what that means. One that has too few calls the payment off before anything is charged, and is named with what it
    has.

    `may_wait` is false for programs, which hold nothing while they wait.
    """
    with telling(now) as told:
        intent = PaymentIntent.objects.select_for_update(no_key=True).get(public_id=intent_id)
        if len(units_of(parts_of(intent))) > 1:
            # All rows in one order, before those that were asked for are locked.
            locked(_mine(intent))
        silent = [question for question, counts in answers if counts is None]
        for question, counts in answers:
            if counts is not None:
                _take_in(question, counts, told=told)
        verdicts = [_silence(intent, question, now=now, may_wait=may_wait) for question in silent]
        if intent.state in _OVER:
            # Another click's answer called it off: this one must not charge either.
            return Verdict(False, intent.sentence)
        if intent.state != IntentState.CREATED:
            return GO
        heard = {question.connection_id for question, counts in answers if counts is not None}
        if short := _short(intent, heard, now=now) if heard else []:
            verdicts.append(Verdict(False, _sentence(short), {variant.public_id: left for variant, left in short}))
        return _all_in_all(intent, [verdict for verdict in verdicts if not verdict.go], now=now)


def _take_in(question: Question, counts: Sequence[Count], *, told: Telling) -> None:
    with because(f"checkout:{question.intent}"):
        apply_counts(
            connection_id=question.connection_id,
            read_no=question.read_no,
            asked=question.refs,
            counts=counts,
            waited=False,
            now=told.now,
        )
        _lower(question, counts, now=told.now)
        known = {count.variant_id for count in counts}
        missing = [variant for _, variant in question.refs if variant not in known]
        variants_gone(connection_id=question.connection_id, variants=missing, told=told)


def _silence(intent: PaymentIntent, question: Question, *, now: datetime, may_wait: bool) -> Verdict:
    shop = Connection.objects.select_related("seller").get(pk=question.connection_id)
    _tell_silence(intent, shop, now=now)
    if shop.no_answer == NoAnswer.SELL:
        return GO
    if shop.no_answer == NoAnswer.HOLD and may_wait:
        return Verdict(
            False,
            f"{shop.seller.name}'s shop is slow to confirm its stock. Your items are kept for you; pay again in a"
            " moment.",
            wait=True,
        )
    return Verdict(False, f"{shop.seller.name}'s shop could not confirm that it still has this.")


def _all_in_all(intent: PaymentIntent, against: Sequence[Verdict], *, now: datetime) -> Verdict:
    """Waiting is enough where nobody said no."""
    if not against:
        _heard_again(intent)
        return GO
    final = [verdict for verdict in against if not verdict.wait]
    words = " ".join(verdict.sentence for verdict in final or against)
    if not final:
        intent.basket[_SILENT] = now.isoformat()
        intent.save(update_fields=["basket"])
        return Verdict(False, f"{words} Nothing was charged.", wait=True)
    left = {name: units for verdict in final for name, units in verdict.left.items()}
    again = "Nothing was charged; try again later." if any(not one.left for one in final) else "Nothing was charged."
    if any(not one.left for one in final) and len(intent.basket["parts"]) > 1:
        again = "Nothing was charged; try again later, or take these items out of your cart and buy the rest."
    payment_failed(intent_id=intent.public_id, sentence=f"{words} {again}", now=now)
    return Verdict(False, f"{words} {again}", left)


def _tell_silence(intent: PaymentIntent, shop: Connection, *, now: datetime) -> None:
    """In each line's flight recorder: if the unit turns out to be gone, the seller sees that nobody could know, and
    whose choice it was.
    """
    with because(f"checkout:{intent.public_id}"):
        mine = _mine(intent)
        for pk, row in locked(mine).items():
            if row.variant.connection_id == shop.pk:
                cause = _NO_WORD[NoAnswer(shop.no_answer)]
                record(variant_id=pk, now=now, kind="unanswered", cause=cause, quantity=mine[pk].quantity)


def kept_for(*, buyer: User) -> dict[int, int]:
    """Units by variant that this buyer's own checkouts hold while a shop is silent: for them they are not sold out."""
    kept = defaultdict[int, int](int)
    for intent in _waiting_of(buyer):
        for hold in own_holds(intent):
            kept[hold.variant_id] += hold.quantity
    return kept


def let_go(*, buyer: User, now: datetime) -> None:
    """Another checkout takes the place of those that wait for a silent shop: their units are free for it."""
    with transaction.atomic():
        for intent in _waiting_of(buyer).select_for_update(no_key=True):
            payment_failed(
                intent_id=intent.public_id, sentence="You paid for another cart instead; nothing was charged.", now=now
            )


def _waiting_of(buyer: User) -> QuerySet[PaymentIntent]:
    rows = PaymentIntent.objects.filter(buyer=buyer, state=IntentState.CREATED, basket__has_key=_SILENT)
    return rows.order_by("pk")


def waits_for_shop(intent: PaymentIntent) -> bool:
    """Nothing was asked of the bank yet: the shop was silent, and the buyer was told to try again."""
    return intent.state == IntentState.CREATED and _SILENT in intent.basket


def _heard_again(intent: PaymentIntent) -> None:
    if intent.basket.pop(_SILENT, None):
        intent.save(update_fields=["basket"])


def _mine(intent: PaymentIntent) -> dict[int, Reservation]:
    """This checkout's open holds by variant; an accepted offer's hold is its own."""
    return {hold.variant_id: hold for hold in own_holds(intent, with_offer=True)}


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


def _short(intent: PaymentIntent, heard: Collection[int], *, now: datetime) -> list[tuple[Variant, int]]:
    """Under the rows' locks: what of this checkout its shop has no unit of any more, of the shops that answered, and
    how many there are of it.
    """
    mine = _mine(intent)
    holds = open_holds(mine)
    short = []
    for pk, row in locked(mine).items():
        if row.variant.connection_id not in heard:
            continue
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
    return " ".join(said)

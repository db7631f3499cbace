"""The question to its shops that a payment waits for: at most 1.5 seconds in all, never inside a transaction."""

from collections.abc import Sequence
from functools import partial

from django.utils import timezone

from crossdock.domain.events import Count
from crossdock.kit.ask import PATIENCE_SECONDS
from crossdock.kit.connector import VariantRef
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import Outside, Strange
from crossdock.kit.http import Recorder, Transport
from crossdock.kit.rows import readable, unreadable
from crossdock.kit.shops import open_shop
from crossdock.store.models import Connection, PaymentIntent
from crossdock.store.vault import VaultLocked
from crossdock.usecases.checkout.confirm_stock import GO, Question, Verdict, judged, questions_of, waits_for_shop
from crossdock.usecases.errors import Stale
from crossdock.usecases.shops.connect import access_of
from crossdock.usecases.shops.queries import shop_with
from crossdock.web.heard import ask_all_and_keep


def confirmed(intent: PaymentIntent, *, may_wait: bool = True) -> Verdict:
    """Whether the money may be taken now, by what each of its shops says, asked side by side.

    Silence, nonsense and dead keys are all "no answer"; what that means each seller decided.
    """
    if all(part["connection"] is None for part in intent.basket["parts"]):
        # Made by hand: there is nobody to ask.
        return GO
    try:
        questions = questions_of(intent_id=intent.public_id, now=timezone.now())
    except Stale as over:
        return Verdict(False, str(over))
    if not questions and not waits_for_shop(intent):
        return GO
    answers = list(zip(questions, heard_of(questions), strict=True)) if questions else []
    return judged(intent_id=intent.public_id, answers=answers, now=timezone.now(), may_wait=may_wait)


def heard_of(questions: Sequence[Question], within: float = PATIENCE_SECONDS) -> list[Sequence[Count] | None]:
    """What each shop says, asked side by side; None where it does not."""
    shops = [shop_with(question.connection_id) for question in questions]
    asks = [(shop.party_id, partial(_counts, question, shop)) for question, shop in zip(questions, shops, strict=True)]
    heard: list[Sequence[Count] | None] = []
    # Kept among the shop's last calls: a sale that was called off for its answer can be explained.
    try:
        answers = ask_all_and_keep(asks, within)
    except Outside:
        # The loop that asks is busy itself.
        return [None] * len(questions)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, (Outside, NoSuchFolder, VaultLocked)):
            raise answer
        heard.append(None if isinstance(answer, BaseException) else answer)
    return heard


async def _counts(question: Question, shop: Connection, transport: Transport, recorder: Recorder) -> Sequence[Count]:
    connector, opened = open_shop(access_of(connection=shop), transport, lane="interactive", recorder=recorder)
    answer = await connector.counts(opened, [VariantRef(*ref) for ref in question.refs])
    for odd in unreadable(answer):
        # Not understood is not answered; a count that is left out would mean "the shop has it no more".
        raise Strange(odd.path or "the count", "count", None)
    return readable(answer)

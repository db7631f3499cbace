"""The question to a shop that a buyer's payment waits for: at most 1.5 seconds in all, never inside a transaction."""

from collections.abc import Sequence

from django.utils import timezone

from crossdock.domain.events import Count
from crossdock.kit.ask import PATIENCE_SECONDS
from crossdock.kit.connector import VariantRef
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import Outside, Strange
from crossdock.kit.http import Recorder, Transport
from crossdock.kit.rows import readable, unreadable
from crossdock.kit.shops import open_shop
from crossdock.store.models import PaymentIntent
from crossdock.store.vault import VaultLocked
from crossdock.usecases.checkout.confirm_stock import GO, Question, Verdict, answered, question_of, unanswered
from crossdock.usecases.shops.connect import access_of
from crossdock.usecases.shops.queries import shop_with
from crossdock.web.heard import ask_and_keep


def confirmed(intent: PaymentIntent, *, may_wait: bool = True) -> Verdict:
    """Whether the money may be taken now.

    Silence, nonsense and dead keys are all "no answer"; what that means the seller decided.
    """
    if intent.basket["connection"] is None:
        # Made by hand: there is nobody to ask.
        return GO
    question = question_of(intent_id=intent.public_id, now=timezone.now())
    if question is None:
        return GO
    try:
        counts = counts_now(question)
    except (Outside, NoSuchFolder, VaultLocked):
        return unanswered(question=question, now=timezone.now(), may_wait=may_wait)
    return answered(question=question, counts=counts, now=timezone.now())


def counts_now(question: Question, within: float = PATIENCE_SECONDS) -> Sequence[Count]:
    """Raises Outside, NoSuchFolder or VaultLocked."""
    access = access_of(connection=shop_with(question.connection_id))

    async def ask(transport: Transport, recorder: Recorder) -> Sequence[Count]:
        connector, shop = open_shop(access, transport, lane="interactive", recorder=recorder)
        answer = await connector.counts(shop, [VariantRef(*ref) for ref in question.refs])
        for odd in unreadable(answer):
            # Not understood is not answered; a count that is left out would mean "the shop has it no more".
            raise Strange(odd.path or "the count", "count", None)
        return readable(answer)

    # Kept among the shop's last calls: a sale that was called off for its answer can be explained.
    return ask_and_keep(ask, within, party_id=access.party_id)

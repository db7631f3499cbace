"""What is available is sent to a seller's bank account."""

from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models.work import PartyKind
from crossdock.usecases.money import payouts
from crossdock.usecases.outbox.payloads import PAYOUT
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind
from crossdock.usecases.record.telling import Telling


def done(held: Held, outcome: Done, facts: Facts) -> None:
    payouts.acknowledged(public_id=_payout(held), ref=outcome.shop_id, told=facts.told)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    payouts.refused(public_id=_payout(held), sentence=outcome.sentence, told=told)


def gave_up(held: Held, sentence: str, told: Telling) -> None:
    payouts.in_doubt(public_id=_payout(held), sentence=sentence, told=told)


def _payout(held: Held) -> str:
    return PAYOUT.validate_python(held.row.payload).payout


KIND = Kind(CommandKind.SEND_PAYOUT, PartyKind.PAYOUT, PAYOUT, done=done, refused=refused, gave_up=gave_up)

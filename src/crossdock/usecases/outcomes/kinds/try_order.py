"""A test order: its steps stand in its own payload. One that still stands in the shop at the end asks its seller to
cancel it there.
"""

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind, Refused
from crossdock.store.models import Connection
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import TRIAL
from crossdock.usecases.outcomes.kinds.kind import Held, Kind
from crossdock.usecases.record.telling import Telling


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    _left_standing(held, outcome.sentence, told)


def gave_up(held: Held, sentence: str, told: Telling) -> None:
    _left_standing(held, sentence, told)


def _left_standing(held: Held, sentence: str, told: Telling) -> None:
    trial = TRIAL.validate_python(held.row.payload)
    shop = Connection.objects.select_related("seller__owner").filter(party_id=held.row.party_id).first()
    if shop is None or not trial.stands:
        return
    told.raise_alert(
        code=AlertCode.COMMAND_DEAD,
        seller=shop.seller,
        connection=shop,
        key=f"command:{held.row.pk}",
        evidence={"command": held.row.pk},
        sentence=f"The test order {trial.named} still stands in {shop.name}; cancel it there. {sentence}",
    )


KIND = Kind(CommandKind.TRY_ORDER, PartyKind.SHOP, TRIAL, refused=refused, gave_up=gave_up)

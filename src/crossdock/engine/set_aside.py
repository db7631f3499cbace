"""What stands in quarantine of parties that no pump looks at for it: news of gateways and carriers, and requests of
shops that are closed. A shop's own is tried by its own handler (engine/shop).
"""

from typing import TYPE_CHECKING

from crossdock.domain.events import Look, LookKind
from crossdock.engine import contain, labels, payments, payouts
from crossdock.engine.shop import inbox
from crossdock.kit.errors import Missing
from crossdock.store.models import Quarantined
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.store.models.work import PartyKind
from crossdock.usecases.labels import carrier_news
from crossdock.usecases.parties import quarantine
from crossdock.usecases.parties.quarantine import of_database

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_AT_ONCE = 50


async def try_again(engine: "Engine") -> int:
    """Returns how many healed."""
    healed = 0
    for row in await engine.threads.run(quarantine.due_elsewhere, limit=_AT_ONCE, now=engine.clock()):
        kind, _, entity = row.entity.partition(":")
        look = Look(LookKind(kind), entity)
        try:
            await _look(engine, row, look)
        except Missing:
            pass
        except Exception as error:
            if of_database(error):
                raise
            if not contain.of_party(error):
                await contain.set_aside_of(engine, row.party_id, look, error)
            continue
        await engine.threads.sure(
            quarantine.heal,
            party_id=row.party_id,
            kind=QuarantineKind.DELIVERY,
            entities=[row.entity],
            now=engine.clock(),
        )
        healed += 1
    return healed


async def _look(engine: "Engine", row: Quarantined, look: Look) -> None:
    match row.party.kind:
        case PartyKind.PAYMENT:
            await payments.look_at(engine, row.party.name, look.entity_id)
        case PartyKind.CARRIER:
            label_id = await engine.threads.run(
                carrier_news.label_of_news, provider=row.party.name, carrier_ref=look.entity_id
            )
            if label_id is not None:
                await labels.read_label(engine, labels.opened(row.party.name), label_id)
        case PartyKind.PAYOUT:
            await payouts.look_at(engine, row.party.name, look.entity_id)
        case _ if row.connection_id is not None:
            await engine.threads.sure(inbox.obey, connection_id=row.connection_id, look=look)

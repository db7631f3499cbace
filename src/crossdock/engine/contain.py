"""One odd thing of a party concerns itself alone: it is set aside and tried again, and everything else goes on."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from crossdock.domain.commands import Done, Later, Outcome, Refused, SignInAgain, Unknown
from crossdock.domain.events import Look
from crossdock.kit.errors import AuthDead, NotSent, Outside, Strange, Throttled
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.outcomes import stumble
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.parties import quarantine
from crossdock.usecases.parties.quarantine import Trip, of_database

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_log = logging.getLogger(__name__)
# The horizon of a look-up counts from the moment when the command was written as sent, so the whole carrying out is
# bounded: longer than one call's own time limit, since an order may take several.
MOST_SECONDS = 30.0


async def guarded(call: Awaitable[Outcome], *, seconds: float | None = MOST_SECONDS) -> Outcome:
    """A connector's command as an outcome, whatever happens in it: what is not understood may have been carried out.

    Without `seconds` the call keeps its own time, and ends with TimeoutError.
    """
    try:
        async with asyncio.timeout(seconds):
            outcome: object = await call
    except TimeoutError:
        return Unknown("The shop did not finish in time.")
    except Outside as error:
        return Unknown(str(error))
    except Exception as error:
        _log.exception("a connector stumbled over a command")
        return Unknown(f"Our connector stumbled over the shop's answer ({type(error).__name__}: {error}).")
    if isinstance(outcome, Done | Refused | Later | SignInAgain | Unknown):
        return outcome
    _log.error("a connector answered %r to a command", outcome)
    return Unknown("Our connector did not say how it ended.")


def tripped(kind: QuarantineKind, entity: str, error: BaseException) -> Trip:
    """In the words of the trouble itself where it came from outside."""
    outside = isinstance(error, Outside)
    path, ours = (error.path, error.ours) if isinstance(error, Strange) else ("", True)
    return quarantine.trip_of(kind, entity, error, sentence=str(error) if outside else "", path=path, ours=ours)


def of_party(error: BaseException) -> bool:
    """Trouble that is not the entity's: the shop did not answer, or what came is no answer of its platform at all."""
    return isinstance(error, Outside) and not (isinstance(error, Strange) and not error.whole)


def of_all(error: BaseException) -> bool:
    """Whatever else would be asked now would meet the same."""
    return isinstance(error, AuthDead | NotSent | Throttled) or of_database(error)


async def set_aside_of(engine: "Engine", party_id: int, look: Look, error: BaseException) -> None:
    """The same for a party that is no shop: what a delivery of it was about."""
    _log.warning("%s %s is set aside", look.kind, look.entity_id, exc_info=error)
    trip = tripped(QuarantineKind.DELIVERY, f"{look.kind}:{look.entity_id}", error)
    await engine.threads.sure(quarantine.hold, party_id=party_id, trips=[trip], now=engine.clock())


async def stumbled(engine: "Engine", claimed: Claimed, error: Exception) -> Outcome | None:
    """What came of a command could not be read: it is not lost, and not sent again before it is looked for.

    None, since that says nothing about the party. With the database gone its row stays in flight, and the next holder
    looks.
    """
    _log.error("command %s (%s of %s) stumbled", claimed.id, claimed.kind, claimed.subject, exc_info=error)
    if not of_database(error):
        trip = tripped(QuarantineKind.COMMAND, str(claimed.id), error)
        try:
            await engine.threads.sure(stumble.stumbled, command_id=claimed.id, trip=trip, now=engine.clock())
        except Exception:
            _log.exception("command %s could not be set aside; its row stays in flight", claimed.id)
        else:
            return None
    return Unknown("Our own code stumbled.")


async def settled(engine: "Engine", claimed: Claimed) -> None:
    """A command that had been set aside was taken in; others cost nothing."""
    if claimed.look_first:
        await engine.threads.sure(stumble.taken_in, command_id=claimed.id, now=engine.clock())

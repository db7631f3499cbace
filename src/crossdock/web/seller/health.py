"""How a connected shop is doing, in a word and a sentence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from crossdock.store.models import Alert, Connection
from crossdock.store.models.shops import ConnectionState

HEALTHY, CATCHING_UP, NEEDS_YOU, PAUSED, GONE = "Healthy", "Catching up", "Needs you", "Paused", "Disconnected"
_TONES = {HEALTHY: "good", CATCHING_UP: "warn", NEEDS_YOU: "bad", PAUSED: "", GONE: ""}


@dataclass(frozen=True, slots=True)
class Health:
    """`sentence` is empty for a healthy shop."""

    shop: Connection
    word: str
    sentence: str
    alerts: tuple[Alert, ...] = ()

    @property
    def tone(self) -> str:
        return _TONES[self.word]


def health_of(shop: Connection, alerts: Iterable[Alert] = ()) -> Health:
    """`alerts` are the seller's open ones; those about the shop itself count, those about single orders don't."""
    mine = tuple(alert for alert in alerts if alert.connection_id == shop.pk and alert.order_id is None)
    if shop.state == ConnectionState.DISCONNECTED:
        return Health(shop, GONE, shop.state_sentence)
    if shop.state == ConnectionState.PAUSED:
        return Health(shop, PAUSED, shop.state_sentence, mine)
    if shop.state == ConnectionState.NEEDS_REAUTH:
        return Health(shop, NEEDS_YOU, shop.state_sentence, mine)
    party = shop.party
    if party.failures or (party.resting_until is not None and party.resting_until > timezone.now()):
        why = party.last_error or "Your shop did not answer."
        return Health(shop, CATCHING_UP, f"{why} We try again by ourselves; orders wait and are sent then.", mine)
    if mine:
        return Health(shop, NEEDS_YOU, mine[0].sentence, mine)
    if shop.last_read_at is None:
        return Health(shop, CATCHING_UP, "Its products are being read for the first time.", mine)
    return Health(shop, HEALTHY, "")


def summary(healths: Iterable[Health]) -> str:
    """ "2 shops healthy, 1 needs you": the one sentence at the top."""
    counts = Counter(health.word for health in healths if health.word != GONE)
    if not counts:
        return "No shop is connected yet."
    parts = []
    if healthy := counts[HEALTHY]:
        parts.append(f"{healthy} shop{'s' if healthy > 1 else ''} healthy")
    if needy := counts[NEEDS_YOU]:
        parts.append(f"{needy} need{'' if needy > 1 else 's'} you")
    if late := counts[CATCHING_UP]:
        parts.append(f"{late} catching up")
    if paused := counts[PAUSED]:
        parts.append(f"{paused} paused")
    return f"{', '.join(parts)}."

"""How a connected shop is doing, in a word and a sentence."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from crossdock.domain.alerts import AlertCode
from crossdock.domain.health import Late
from crossdock.store.models import Alert, Connection
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.shops.health import Ill, Trouble, not_working, worker_works

HEALTHY, CATCHING_UP, BEHIND, NEEDS_YOU = "Healthy", "Catching up", "Behind", "Needs you"
ATTENTION, PAUSED, GONE = "Needs attention", "Paused", "Disconnected"
_TONES = {
    ATTENTION: "warn",
    HEALTHY: "good",
    CATCHING_UP: "warn",
    BEHIND: "bad",
    NEEDS_YOU: "bad",
    PAUSED: "",
    GONE: "",
}


@dataclass(frozen=True, slots=True)
class Health:
    """`sentence` is empty for a healthy shop. `late` are the streams that are overdue."""

    shop: Connection
    word: str
    sentence: str
    alerts: tuple[Alert, ...] = ()
    late: tuple[Late, ...] = ()

    def is_late(self, stream: str) -> bool:
        return any(late.stream == stream for late in self.late)

    @property
    def tone(self) -> str:
        return _TONES[self.word]


def health_of(shop: Connection, alerts: Iterable[Alert] = ()) -> Health:
    (health,) = healths_of([shop], alerts)
    return health


def healths_of(
    shops: Iterable[Connection], alerts: Iterable[Alert] = (), *, known: Mapping[int, Ill] | None = None
) -> list[Health]:
    """`alerts` are the seller's open ones; those about the shop itself count, those about single orders don't. `known`
    is what `not_working` said already.
    """
    rows, about = list(shops), list(alerts)
    ill = not_working(now=timezone.now(), only=[shop.pk for shop in rows]) if known is None else known
    late = any(ill[shop.pk].trouble is Trouble.LATE for shop in rows if shop.pk in ill)
    hint = (TRY if worker_works() else OURS) if late else ""
    return [_health(shop, about, ill.get(shop.pk), hint) for shop in rows]


# What a seller can do about a stream that is late.
TRY = "We keep trying; “Read everything now” tries at once. If it stays like this, report a problem."
OURS = "The marketplace's own background work stands still; there is nothing for you to do."


def _health(shop: Connection, alerts: Iterable[Alert], ill: Ill | None, hint: str) -> Health:
    mine = tuple(alert for alert in alerts if alert.connection_id == shop.pk and alert.order_id is None)
    if shop.state == ConnectionState.DISCONNECTED:
        return Health(shop, GONE, shop.state_sentence)
    if shop.state == ConnectionState.PAUSED:
        return Health(shop, PAUSED, shop.paused_by_staff or shop.state_sentence, mine)
    if shop.state == ConnectionState.NEEDS_REAUTH:
        return Health(shop, NEEDS_YOU, f"{shop.state_sentence} {shop.paused_by_staff}".strip(), mine)
    party = shop.party
    if party.failures or (party.resting_until is not None and party.resting_until > timezone.now()):
        why = party.last_error or "Your shop did not answer."
        return Health(shop, CATCHING_UP, f"{why} We try again by ourselves; orders wait and are sent then.", mine)
    if ill is not None and ill.trouble is not Trouble.ODD:
        return Health(shop, BEHIND, f"{ill.sentence} {hint}".strip(), mine, ill.late)
    asked = [alert for alert in mine if ill is None or alert.code != AlertCode.NOT_UNDERSTOOD]
    if asked:
        return Health(shop, NEEDS_YOU, asked[0].sentence, mine)
    if ill is not None:
        return Health(shop, ATTENTION, ill.sentence, mine)
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
    if odd := counts[ATTENTION]:
        parts.append(f"{odd} need{'' if odd > 1 else 's'} attention")
    if behind := counts[BEHIND]:
        parts.append(f"{behind} behind")
    if late := counts[CATCHING_UP]:
        parts.append(f"{late} catching up")
    if paused := counts[PAUSED]:
        parts.append(f"{paused} paused")
    return f"{', '.join(parts)}."

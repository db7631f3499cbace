"""What is known of a shop on its way to the first sale. Nothing here writes."""

from crossdock.domain.evening.steps import Facts
from crossdock.domain.wording import counted
from crossdock.store.models import Connection, Listing, ShippingRate
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.catalogue.evening.report import would_sell
from crossdock.usecases.shops.trial_orders import trials_of


def facts_of(*, connection: Connection) -> Facts:
    """Five statements."""
    here = Listing.objects.filter(connection=connection)
    listed = would_sell(connection).count()
    return Facts(
        connected=connection.state in (ConnectionState.ACTIVE, ConnectionState.PAUSED),
        read=connection.cursors.filter(stream="products", completed_at__isnull=False).exists(),
        listed=listed,
        not_listed=here.count() - listed,
        ships=ShippingRate.objects.filter(seller=connection.seller_id).exists(),
        limits=_limits(connection),
        trial=_trial(connection),
        shadow=connection.shadow_since is not None,
        paused=connection.state == ConnectionState.PAUSED,
    )


def _limits(connection: Connection) -> str:
    parts = [f"{counted(connection.buffer, 'unit')} of each product kept back"]
    if connection.floor:
        parts.append(f"nothing sold below {connection.floor}")
    if connection.most_shown:
        parts.append(f"at most {connection.most_shown} shown")
    return f"{', '.join(parts)}."


def _trial(connection: Connection) -> str:
    """One that passed once is enough."""
    trials = trials_of(connection)
    if any(trial.passed for trial in trials):
        return "passed"
    if trials and trials[0].running:
        return "running"
    return "left" if trials and trials[0].order.stands else ""

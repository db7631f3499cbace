"""What is known of a shop on its way to the first sale. Nothing here writes."""

from django.db.models import Exists, OuterRef, QuerySet

from crossdock.domain.evening.steps import Facts
from crossdock.domain.wording import counted
from crossdock.store.models import Connection, Listing, Order, Selling, ShippingRate
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.catalogue.evening.report import would_sell
from crossdock.usecases.catalogue.selling.rules import choice_in, pricing_in
from crossdock.usecases.shops.trial_orders import trials_of


def with_sold(shops: QuerySet[Connection]) -> QuerySet[Connection]:
    """Each with `sold`: whether an order of it was placed here, which ends its first evening. No statement more."""
    return shops.annotate(sold=Exists(Order.objects.filter(connection=OuterRef("pk"))))


def facts_of(*, connection: Connection) -> Facts:
    """Six statements."""
    here = Listing.objects.filter(connection=connection)
    listed = would_sell(connection).count()
    rules = Selling.objects.filter(connection=connection).first()
    return Facts(
        connected=connection.state in (ConnectionState.ACTIVE, ConnectionState.PAUSED),
        read=connection.cursors.filter(stream="products", completed_at__isnull=False).exists(),
        listed=listed,
        not_listed=here.count() - listed,
        chosen=_chosen(rules),
        prices=_prices(rules),
        ships=ShippingRate.objects.filter(seller=connection.seller_id).exists(),
        limits=_limits(connection),
        trial=_trial(connection),
        shadow=connection.shadow_since is not None,
        paused=connection.state == ConnectionState.PAUSED,
    )


def _chosen(row: Selling | None) -> str:
    said = choice_in(row.choice).sentences if row else []
    tried = " You tried out another choice and have not decided yet." if row and row.draft is not None else ""
    return (f"You chose: {'; '.join(said)}." if said else "You chose everything.") + tried


def _prices(row: Selling | None) -> str:
    said = pricing_in(row.pricing).sentences if row else []
    tried = " You tried out another price rule, not decided yet." if row and row.pricing_draft is not None else ""
    return (f"Prices: {'; '.join(said)}." if said else "Your shop's prices are asked.") + tried


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

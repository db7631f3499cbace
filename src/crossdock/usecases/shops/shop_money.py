"""What amounts of a shop mean, its currency and decimals, compared with what was connected.

A shop may change either any day, and its prices carry no currency: 1,500 yen would be sold for 1,500 euros. On a change
nothing of it is sold until the seller has looked, and until every price was read again.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import MONEY_SETTINGS
from crossdock.domain.currencies import CURRENCIES
from crossdock.store.bulk import lock_in_order
from crossdock.store.models import Connection, Cursor, Listing, User
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid, Stale
from crossdock.usecases.record.alerts import raise_alert, settle_by_fact
from crossdock.usecases.record.rights import require

CHANGED = "money_changed"
# The title of the connection test's line.
CHECK = "Currency and decimals"


class ReadOtherwise(Stale):
    """What was read was read with settings that a confirmation has replaced since; it has to be read again."""


def read_alike(*, connection_id: int, settings: Mapping[str, str], rules: Collection[int] = ()) -> None:
    """Raises ReadOtherwise when amounts do not mean the same now as with the `settings` of the reading, or when the
    seller changed their rules since: `rules` are the revisions that it was judged by, 0 where there were none.

    Asked in the reading's transaction, at its end: a confirmation that comes later waits for the listings and puts them
    back into waiting.
    """
    rows = Connection.objects.values_list("settings", "selling__revision")
    now, revision = rows.get(pk=connection_id)
    if any(each != (revision or 0) for each in rules):
        raise ReadOtherwise("Its seller's rules for the shop were changed while it was read.")
    if any(str(now.get(name, "")) != settings.get(name, "") for name in MONEY_SETTINGS):
        raise ReadOtherwise("The shop's currency or decimals were confirmed anew while it was read.")


def look_due(*, connection_id: int, every: timedelta, now: datetime) -> bool:
    """Not right after it was connected or tested, which looked already."""
    shop = Connection.objects.only("checked_at", "created_at").get(pk=connection_id)
    return now - (shop.checked_at or shop.created_at) >= every


def money_seen(
    *, connection_id: int, currency: str, settings: Mapping[str, str], now: datetime, follows: Collection[str] = ()
) -> bool:
    """Whether it is as connected. What was never known is learnt; a difference stops the sales and raises the alert.

    Of the `settings`, those that `follows` names are taken over: at once, or with the change that the seller confirms,
    since what goes with the new currency (its number, its regions) is wrong for orders in the old one.
    """
    found = {name: settings[name] for name in MONEY_SETTINGS if name in settings} | {"currency": currency}
    following = {name: settings[name] for name in follows if name in settings}
    with transaction.atomic():
        shop = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection_id)
        _countries_seen(shop, settings)
        kept: dict[str, Any] = {"currency": shop.currency, **shop.settings}
        new = _differing(kept, found)
        learnt = {name: value for name, value in found.items() if name not in kept}
        if not new:
            if shop.settings.get(CHANGED) or learnt or _differing(kept, following) or following.keys() - kept.keys():
                taken = learnt | following
                shop.settings = {name: value for name, value in kept.items() if name != CHANGED} | taken
                shop.save(update_fields=["settings"])
                settle_by_fact(
                    now=now,
                    how="Your shop is as it was connected again.",
                    codes=(AlertCode.SHOP_MONEY_CHANGED,),
                    connection=shop,
                )
            return True
        shop.settings = {**kept, CHANGED: following | found}
        shop.save(update_fields=["settings"])
        raise_alert(
            code=AlertCode.SHOP_MONEY_CHANGED,
            seller=shop.seller,
            connection=shop,
            now=now,
            evidence={"was": {name: kept.get(name, "") for name in new}, "is": new},
            sentence=(
                f"{_what(kept, new, shop.name)} Its listings are not sold until you confirm. Then every price is read"
                " again, and each listing is for sale as soon as its price is known."
            ),
        )
    return False


def change_in_words(*, connection_id: int) -> str:
    """What differs from what was connected: "Example had prices in USD when you connected it; now they are in EUR."
    Empty when nothing waits for the seller's word.
    """
    shop = Connection.objects.only("name", "currency", "settings").get(pk=connection_id)
    kept: dict[str, Any] = {"currency": shop.currency, **shop.settings}
    new = _differing(kept, shop.settings.get(CHANGED, {}))
    return _what(kept, new, shop.name) if new else ""


def _countries_seen(shop: Connection, settings: Mapping[str, str]) -> None:
    """Where the shop sells to follows the shop without a question: nothing is sold at a wrong price by it."""
    found = settings.get("countries")
    if found is not None and found != shop.settings.get("countries", ""):
        shop.settings = {**shop.settings, "countries": found}
        shop.save(update_fields=["settings"])


def _differing(kept: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, str]:
    """What was never known differs from nothing."""
    return {name: value for name, value in found.items() if kept.get(name, value) != value}


def _what(kept: Mapping[str, Any], new: Mapping[str, str], name: str) -> str:
    if "currency" in new:
        return f"{name} had prices in {kept['currency']} when you connected it; now they are in {new['currency']}."
    if "prices" in new:
        return f"{name} has changed how prices are entered or shown with regard to tax."
    decimals = new.get("precision") or new.get("decimals")
    return f"{name} has changed the number of decimals of its prices to {decimals}."


def confirm_money(*, connection: Connection, actor: User, now: datetime) -> None:
    """The seller says that the change is meant: it holds, with the settings that came with it.

    Raises Stale when there is none, NotAllowed, Invalid.
    """
    require(actor, connection.seller)
    with transaction.atomic():
        # A page of products locks its listings, and then the shop when it notes that it was read: so in this order.
        lock_in_order(Listing.objects.filter(connection=connection))
        shop = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection.pk)
        found = shop.settings.get(CHANGED)
        if not found:
            raise Stale("There is nothing to confirm: the shop is as it was connected.")
        if found["currency"] not in CURRENCIES:
            raise Invalid(f"The shop's currency ({found['currency'] or 'none'}) is not one we know.")
        shop.settings = {name: value for name, value in shop.settings.items() if name != CHANGED} | found
        shop.currency = found["currency"]
        shop.checks = [check for check in shop.checks if check.get("title") != CHECK]
        shop.save(update_fields=["settings", "currency", "checks"])
        prices_unknown(shop=shop, now=now)
        settle_by_fact(now=now, how="You confirmed it.", codes=(AlertCode.SHOP_MONEY_CHANGED,), connection=shop)
        wake([shop.party_id])


def prices_unknown(*, shop: Connection, now: datetime) -> None:
    """Every price is of another currency or another decimal point: each listing waits until its product is read.

    The prices from which offers are accepted or declined are the seller's own, in the old currency: they end. The
    caller holds the listings' locks.
    """
    others = Listing.objects.filter(connection=shop).exclude(currency=shop.currency)
    others.update(accept_from_minor=None, decline_below_minor=None)
    Listing.objects.filter(connection=shop).update(active_in_shop=False)
    Cursor.objects.filter(connection=shop, stream="products").update(value="", due_at=now)

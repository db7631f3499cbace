"""The connected shops: how each is doing, the proof of it, and what its seller can change."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.capability import Capability
from crossdock.kit.called import why_not_called
from crossdock.store.models import Connection, Seller
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandState
from crossdock.store.work import wake
from crossdock.usecases.catalogue.queries import counted_of
from crossdock.usecases.outbox.queries import calls_of, of_party
from crossdock.usecases.parties.quarantine import in_words, standing
from crossdock.usecases.record.alerts import open_alerts
from crossdock.usecases.record.policy import rules_for
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.shops import connect, pausing
from crossdock.usecases.shops.news import lags, stir
from crossdock.usecases.shops.shop_money import confirm_money
from crossdock.usecases.stock.limits import MOST_BUFFER, Limits, choose_settings, sync_now
from crossdock.web.forms import WholeNumber
from crossdock.web.people import signed_in
from crossdock.web.platforms import proofs_of
from crossdock.web.seller import asking
from crossdock.web.seller.alert_view import view_of
from crossdock.web.seller.connecting import capabilities
from crossdock.web.seller.health import health_of, healths_of, summary
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.signin.again import fresh

LAST_CALLS = 15
STREAM_WORDS = {
    "products": "Products and prices",
    "orders": "Orders",
    "counts": "Stock counts",
    "hooks": "Webhooks checked",
    "prices": "Every price read again",
    "secrets": "Sign-in renewed",
    "recount": "Counts compared",
    "quarantine": "Odd rows tried again",
}


class SettingsForm(forms.Form):
    buffer = WholeNumber(
        label="Units kept back",
        min_value=0,
        max_value=MOST_BUFFER,
        help_text="Of every product, so many are never sold here.",
    )
    floor = WholeNumber(
        label="Floor",
        min_value=0,
        max_value=MOST_BUFFER,
        help_text="With fewer than this in your shop, nothing of it is for sale here.",
    )
    most_shown = WholeNumber(
        label="At most shown",
        min_value=1,
        max_value=MOST_BUFFER,
        required=False,
        help_text="However many there are, buyers see no more and buy no more at once.",
    )
    no_answer = forms.ChoiceField(
        label="When your shop does not answer at checkout",
        choices=[
            ("sell", "Sell on the last count"),
            ("hold", "Ask the buyer to try again in a moment; the units stay held"),
            ("refuse", "Do not sell"),
        ],
        help_text="Before money is taken, your shop is asked for items of which few are left. It has 1.5 seconds.",
    )
    push_fulfilments = forms.BooleanField(
        label="Enter shipments in your shop too",
        required=False,
        help_text="What you ship here is fulfilled in your shop, with its tracking number. Your shop mails nobody.",
    )
    location = forms.MultipleChoiceField(
        label="Whose stock counts",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=(
            "None ticked: all locations together. After a change nothing is sold until every count was read again."
        ),
    )

    def __init__(self, shop: Connection, data: QueryDict | None = None) -> None:
        chosen = [place for place in str(shop.settings.get("location", "")).split(",") if place]
        super().__init__(
            data,
            initial={
                "buffer": shop.buffer,
                "floor": shop.floor,
                "most_shown": shop.most_shown,
                "no_answer": shop.no_answer,
                "push_fulfilments": shop.push_fulfilments,
                "location": chosen,
            },
        )
        places = [(str(place[0]), str(place[1])) for place in shop.settings.get("location_names", [])]
        if len(places) > 1:
            self.fields["location"].choices = places  # type: ignore[attr-defined]
        else:
            del self.fields["location"]
        speaker = asking.platform(shop.platform)
        if speaker is None or not speaker.manifest.can(Capability.FULFILMENT_WRITE):
            del self.fields["push_fulfilments"]


def _shop(seller: Seller, public_id: str) -> Connection:
    return get_object_or_404(theirs(Connection, seller).select_related("party", "seller__owner"), public_id=public_id)


@sellers_only
@require_safe
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    alerts = list(open_alerts(seller=seller))
    shops = theirs(Connection, seller).select_related("party").order_by("pk")
    shops = shops.annotate(live=Count("listings", filter=Q(listings__state=ListingState.LIVE)))
    healths = healths_of(shops, alerts)
    return show(request, seller, "shops", {"healths": healths, "summary": summary(healths)}, here="shops")


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop = _shop(seller, public_id)
    _somebody_looks(shop)
    return show(request, seller, "shop", _page(shop, SettingsForm(shop)), here="shops")


def _somebody_looks(shop: Connection) -> None:
    """A shop at rest is asked again soon while its seller reads this page."""
    speaker = asking.platform(shop.platform)
    if speaker is not None and shop.state == ConnectionState.ACTIVE and not settings.POLL_SECONDS:
        soon = timedelta(seconds=speaker.manifest.poll_seconds)
        if stir(connection_id=shop.pk, soon=soon, now=timezone.now()):
            wake([shop.party_id])


def _page(shop: Connection, form: SettingsForm) -> dict[str, object]:
    speaker = asking.platform(shop.platform)
    manifest = speaker.manifest if speaker else None
    open_commands = of_party(shop.party)
    hooks = shop.hooks or {}
    alerts = list(open_alerts(seller=shop.seller).filter(connection=shop, order=None, listing=None))
    health = health_of(shop, alerts)
    news_lag, order_lag = lags(connection_id=shop.pk, now=timezone.now())
    return {
        "shop": shop,
        "health": health,
        # The sentence of an alert stands beside its button.
        "alerts": [view_of(alert) for alert in alerts],
        "told": any(alert.sentence == health.sentence for alert in alerts),
        "manifest": manifest,
        "label": manifest.label if manifest else shop.platform,
        "capabilities": capabilities(manifest) if manifest else [],
        "proofs": proofs_of(shop.platform),
        "rules": rules_for(manifest=manifest) if manifest else [],
        "form": form,
        "quarantined": in_words(standing(connection_id=shop.pk).select_related("order")),
        "streams": [
            (STREAM_WORDS.get(row.stream, row.stream), row, health.is_late(row.stream))
            for row in shop.cursors.order_by("pk")
        ],
        "waiting": open_commands.filter(state__in=[CommandState.WAITING, CommandState.IN_FLIGHT]).count(),
        "dead": open_commands.filter(state=CommandState.DEAD).order_by("pk")[:LAST_CALLS],
        "calls": calls_of(shop.party)[:LAST_CALLS],
        "hooks": hooks,
        # All of them at once is the first time, not a healing.
        "healed": [] if hooks.get("healed") == hooks.get("active") else hooks.get("healed", []),
        "missing": sorted(set(hooks.get("expected", [])) - set(hooks.get("active", []))),
        "polling_only": not settings.HOOK_URL or manifest is None or not manifest.can(Capability.WEBHOOKS),
        "no_public_url": not settings.HOOK_URL,
        "not_called": why_not_called(manifest, settings.PUBLIC_URL) if manifest else "",
        "news_lag": news_lag,
        "order_lag": order_lag,
    }


@sellers_only
@require_safe
def first_import(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """How far the first reading is. Reloads itself until all products were seen."""
    shop = _shop(seller, public_id)
    all_of_them, counted = counted_of(shop)
    listings = shop.listings.all()
    context = {
        "shop": shop,
        "done": shop.cursors.filter(stream="products", completed_at__isnull=False).exists(),
        "listings": listings.count(),
        "left_out": listings.filter(state=ListingState.LEFT_OUT).count(),
        "unpublished": listings.filter(active_in_shop=False).count(),
        "variants": all_of_them,
        "counted": counted,
        "uncounted": all_of_them - counted,
        "health": health_of(shop, open_alerts(seller=seller)),
    }
    return show(request, seller, "first_import", context, here="shops")


@sellers_only
@require_POST
def settings_form(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop = _shop(seller, public_id)
    form = SettingsForm(shop, request.POST)
    if not form.is_valid():
        return show(request, seller, "shop", _page(shop, form), here="shops", status=422)
    data, actor = form.cleaned_data, signed_in(request)
    chosen = {"location": ",".join(data["location"])} if "location" in form.fields else {}
    try_it(
        request,
        lambda now: choose_settings(
            connection=shop,
            buffer=data["buffer"],
            limits=Limits(None, data["floor"], data["most_shown"]),
            no_answer=data["no_answer"],
            push_fulfilments=data.get("push_fulfilments"),
            settings=chosen,
            actor=actor,
            now=now,
        ),
        "Saved.",
    )
    return redirect("seller_shop", public_id)


@sellers_only
@require_POST
def test(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    well, missing = asking.test(_shop(seller, public_id))
    if well:
        messages.success(request, "The connection works: every check passed.")
    else:
        messages.error(request, missing)
    return redirect("seller_shop", public_id)


@sellers_only
@require_POST
def money(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The seller confirms that the shop's currency or decimals changed on purpose."""
    shop, actor = _shop(seller, public_id), signed_in(request)
    try_it(
        request,
        lambda now: confirm_money(connection=shop, actor=actor, now=now),
        "Confirmed. Every price is being read again; look at your shipping prices too.",
    )
    return redirect("seller_shop", public_id)


@sellers_only
@require_POST
def read_now(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop, actor = _shop(seller, public_id), signed_in(request)
    try_it(request, lambda now: sync_now(connection=shop, actor=actor, now=now), "Everything is being read again.")
    return redirect("seller_shop", public_id)


@sellers_only
@require_POST
def pause(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop, actor = _shop(seller, public_id), signed_in(request)
    said = f"{shop.name} is paused. Its listings are not sold until you resume it."
    try_it(request, lambda now: pausing.pause(connection=shop, actor=actor, now=now), said)
    return redirect("seller_shop", public_id)


@sellers_only
@require_POST
def resume(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop, actor = _shop(seller, public_id), signed_in(request)
    said = f"{shop.name} is resumed. Everything is being read again, and what waited is sent."
    try_it(request, lambda now: pausing.resume(connection=shop, actor=actor, now=now), said)
    return redirect("seller_shop", public_id)


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def disconnect(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """What it does stands on the page before its button."""
    shop = _shop(seller, public_id)
    if request.method != "POST":
        effects = connect.what_disconnect_does(connection=shop)
        return show(request, seller, "disconnect", {"shop": shop, "effects": effects}, here="shops")
    # Nothing of ours is in a shop that is only looked at.
    left_behind = "" if shop.shadow_since else asking.say_goodbye(shop)
    actor = signed_in(request)
    if (
        try_it(
            request,
            lambda now: connect.disconnect(connection=shop, actor=actor, now=now),
            f"{shop.name} is disconnected.",
        )
        and left_behind
    ):
        messages.warning(
            request, f"Our webhooks could not be removed there: {left_behind} You can delete them in your shop."
        )
    return redirect("seller_shops")

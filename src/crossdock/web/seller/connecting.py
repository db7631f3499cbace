"""Connecting a shop, one plain page per step: platform, way, form, test and preview, confirmation.

Words and forms come from the manifest.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.capability import Capability, Manifest, Way, Yes
from crossdock.kit import discover
from crossdock.kit.connector import Connector, HasContract
from crossdock.kit.errors import Outside
from crossdock.store.models import ConnectAttempt, Connection, Seller
from crossdock.usecases.errors import Invalid, Problem
from crossdock.usecases.record.policy import rules_for
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.shops import connect
from crossdock.usecases.stock.limits import MOST_BUFFER, choose_settings
from crossdock.web.forms import typed
from crossdock.web.middleware import allow
from crossdock.web.people import signed_in
from crossdock.web.platforms import foreign, proofs_of
from crossdock.web.seller import asking
from crossdock.web.seller.care import guarded, not_too_often
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.signin.again import fresh

LONGEST_FIELD = 2000


class WayForm(forms.Form):
    """The fields of one way, from the manifest. A secret is typed anew each time and never shown again."""

    def __init__(self, way: Way, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in way.fields:
            drawn = forms.PasswordInput(render_value=False) if field.secret else forms.TextInput()
            drawn.attrs.update({"placeholder": field.placeholder, "autocomplete": "off", "spellcheck": "false"})
            self.fields[field.name] = forms.CharField(
                label=field.label, help_text=field.help, required=field.required, max_length=LONGEST_FIELD, widget=drawn
            )


def capabilities(manifest: Manifest) -> list[tuple[bool, str]]:
    """The capability table in words: (can, sentence)."""
    return [(isinstance(manifest.answers[item], Yes), manifest.sentence(item)) for item in Capability]


def _connector(name: str) -> Connector:
    found = asking.platform(name)
    if found is None:
        raise Http404
    return found


def _closed(way: Way) -> str:
    """Why this way cannot be used here now; empty when it can."""
    if way.needs_public_url and not asking.reachable():
        return (
            "Your shop has to call us for this, and this marketplace has no public https address. Choose another way."
        )
    return ""


@sellers_only
@require_safe
def platforms(request: HttpRequest, seller: Seller) -> HttpResponse:
    manifests = sorted(
        (found.manifest for found in discover.connectors().values()),
        key=lambda manifest: (bool(manifest.for_whom), manifest.label.lower()),
    )
    rows = [
        (manifest, sum(can for can, _ in capabilities(manifest)), len(Capability), foreign(manifest.name))
        for manifest in manifests
    ]
    return show(request, seller, "connect", {"rows": rows}, here="shops")


@sellers_only
@require_safe
def platform(request: HttpRequest, seller: Seller, platform: str) -> HttpResponse:
    connector = _connector(platform)
    manifest = connector.manifest
    context = {
        "manifest": manifest,
        "has_contract": isinstance(connector, HasContract),
        "foreign": foreign(platform),
        "proofs": proofs_of(platform),
        "ways": [(way, _closed(way)) for way in manifest.ways],
        "capabilities": capabilities(manifest),
        "rules": rules_for(manifest=manifest),
        "polling_only": not settings.HOOK_URL,
    }
    return show(request, seller, "connect_platform", context, here="shops")


@sellers_only
@require_safe
def contract(request: HttpRequest, seller: Seller, platform: str) -> HttpResponse:
    """For the seller's developer."""
    connector = _connector(platform)
    if not isinstance(connector, HasContract):
        raise Http404
    name = f'attachment; filename="{platform}.openapi.json"'
    return HttpResponse(connector.contract(), content_type="application/json", headers={"Content-Disposition": name})


def _shops_anywhere() -> tuple[str, ...]:
    return ("https:", "http://127.0.0.1:*", "http://localhost:*") if settings.ALLOW_LOCAL_SHOPS else ("https:",)


@sellers_only
@fresh(form_action=_shops_anywhere)
@require_http_methods(["GET", "HEAD", "POST"])
def way(request: HttpRequest, seller: Seller, platform: str, way: str) -> HttpResponse:
    """The form of one way. `?shop=` reconnects that one."""
    connector = _connector(platform)
    chosen = next((item for item in connector.manifest.ways if item.name == way), None)
    if chosen is None:
        raise Http404
    again = typed(request.GET, "shop", longest=20)
    shop = get_object_or_404(theirs(Connection, seller), public_id=again, platform=platform) if again else None
    form = WayForm(chosen, request.POST or None, initial=_initial(chosen, shop))
    closed = _closed(chosen)
    if request.method == "POST" and not closed and form.is_valid():
        answer = _begin(request, seller, connector, chosen, form, shop)
        if answer is not None:
            return answer
    context = {"manifest": connector.manifest, "way": chosen, "form": form, "closed": closed, "shop": shop}
    response = show(
        request,
        seller,
        "connect_way",
        context,
        here="shops",
        status=422 if form.errors or (closed and form.is_bound) else 200,
    )
    # The form's answer sends the browser on to the shop, and browsers apply form-action to that too.
    return allow(response, form_action=_shops_anywhere()) if chosen.redirect else response


def _initial(way: Way, shop: Connection | None) -> dict[str, str]:
    """The shop's address, so that it is not typed again; it stands in the field that takes it, which is the first open
    one.
    """
    if shop is None:
        return {}
    first = next((field.name for field in way.fields if not field.secret), "")
    return {first: shop.address} if first else {}


def _begin(
    request: HttpRequest, seller: Seller, connector: Connector, way: Way, form: WayForm, shop: Connection | None
) -> HttpResponse | None:
    """To the shop for a sign-in, or straight to the test. None when the form must be shown again with what is wrong."""
    values: Mapping[str, str] = form.cleaned_data
    try:
        not_too_often(seller.pk)
        address = guarded(connector.manifest.name, lambda: connector.address(values, local=settings.ALLOW_LOCAL_SHOPS))
        row, state = connect.start_attempt(
            seller=seller,
            user=signed_in(request),
            platform=connector.manifest.name,
            way=way.name,
            address=address,
            form=values,
            reconnects=shop,
            now=timezone.now(),
        )
        if way.redirect:
            back = settings.BASE_URL + reverse("seller_connect_return")
            callback = settings.BASE_URL + reverse("seller_connect_callback")
            ahead = asking.begin(row, form=values, state=state, back=back, callback=callback)
            connect.keep_more(attempt=row, keep=ahead.keep)
            return redirect(ahead.url)
        taken = connect.take_attempt(state=state, now=timezone.now())
        asking.finish(taken, {})
    except (Outside, Problem) as trouble:
        form.add_error(None, str(trouble))
        return None
    return redirect("seller_attempt", row.public_id)


@sellers_only
@require_safe
def reconnect(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The way that the shop was connected by; its page offers the others."""
    shop = get_object_or_404(theirs(Connection, seller), public_id=public_id)
    return redirect(f"{reverse('seller_connect_way', args=[shop.platform, shop.way])}?shop={shop.public_id}")


def _attempt(seller: Seller, public_id: str) -> ConnectAttempt:
    return get_object_or_404(
        theirs(ConnectAttempt, seller).select_related("reconnects", "seller"),
        public_id=public_id,
        expires_at__gt=timezone.now(),
    )


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def attempt(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """What the test found, the first products, and the last question before the shop is connected."""
    row = _attempt(seller, public_id)
    manifest = _connector(row.platform).manifest
    if row.proof is None:
        return redirect("seller_connect_way", row.platform, row.way)
    wrong = ""
    if request.method == "POST":
        try:
            return _confirm(request, row)
        except Problem as problem:
            wrong = str(problem)
    context = {
        "attempt": row,
        "manifest": manifest,
        "proof": row.proof,
        "ok": all(check["ok"] for check in row.proof["checks"]),
        "preview": row.preview or [],
        "rules": rules_for(manifest=manifest),
        "wrong": wrong,
        "polling_only": not settings.HOOK_URL or not manifest.can(Capability.WEBHOOKS),
        "most_buffer": MOST_BUFFER,
        "places_note": manifest.note(Capability.LOCATIONS),
        "counted": row.reconnects.settings.get("location", "").split(",") if row.reconnects else [],
    }
    return show(request, seller, "attempt", context, here="shops", status=422 if wrong else 200)


def _confirm(request: HttpRequest, row: ConnectAttempt) -> HttpResponse:
    """Raises a use-case's Problem. Products that were shown and not ticked are left out."""
    proof, now = row.proof or {}, timezone.now()
    wanted = set(request.POST.getlist("product"))
    left_out = [product["id"] for product in row.preview or [] if product["id"] not in wanted]
    if row.reconnects is not None:
        left_out = list(row.reconnects.settings.get("left_out", []))
    buffer = typed(request.POST, "buffer", longest=6) or "0"
    if not buffer.isdecimal() or int(buffer) > MOST_BUFFER:
        raise Invalid(f"Type how many units to keep back, from 0 to {MOST_BUFFER:,}.")
    places = [list(place) for place in proof.get("locations", [])]
    ticked = [place[0] for place in places if place[0] in request.POST.getlist("location")]
    chosen: dict[str, Any] = {"location_names": places, "location": ",".join(ticked)}
    shadow = typed(request.POST, "begin", longest=10) == "shadow"
    shop = connect.confirm_attempt(attempt=row, left_out=left_out, settings=chosen, now=now, shadow=shadow)
    choose_settings(connection=shop, buffer=int(buffer), settings={}, actor=signed_in(request), now=now)
    if shadow and shop.shadow_since is None:
        said = f"{shop.name} was connected here before, so it is paused and sells nothing."
        messages.warning(request, f"{said} Begin shadow mode, or resume it.")
        return redirect("seller_evening", shop.public_id)
    still = " It is still in shadow mode: go live to sell." if shop.shadow_since and not shadow else ""
    messages.success(request, f"{shop.name} is connected.{still}")
    return redirect("seller_shop_first", shop.public_id)


@sellers_only
@require_POST
def test_again(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    row = _attempt(seller, public_id)
    try:
        not_too_often(seller.pk)
        asking.prove(row, connect.secrets_of(attempt=row))
    except Outside as trouble:
        messages.error(request, str(trouble))
    return redirect("seller_attempt", row.public_id)

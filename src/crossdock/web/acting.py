"""A member of staff who acts as a seller: kept in their own session, so that they stay who they are in every row that
is written.

What may be sent meanwhile is a list, not a list of exceptions: a page that is added later is closed until somebody
thinks about it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_out
from django.db.models import Q
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from crossdock.domain.roles import Right
from crossdock.store.models import Seller, User
from crossdock.usecases.accounts.queries import sellers_named, where_in
from crossdock.usecases.record.rights import holds
from crossdock.usecases.support.impersonation import begin_acting, end_acting, trace, trace_reading
from crossdock.web.middleware import Around

KEY = "acting"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
# What staff may send as a seller. Not here: sign-ins, credentials of shops, API tokens, webhooks' secrets, money asked
# for, letters in the seller's name, and confirmed counts, which are worth something only as the word of whoever
# counted.
OPEN = frozenset(
    {
        "seller_alert_settle",
        "seller_alerts_settle",
        "seller_shop_settings",
        "seller_shop_test",
        "seller_shop_read",
        "seller_resend",
        "seller_listing_new",
        "seller_listing_edit",
        "seller_listing_state",
        "seller_offer_terms",
        "seller_offers_bulk",
        "seller_offer_answer",
        "seller_order_ship",
        "seller_parcel",
        "seller_order_create",
        "seller_order_reject",
        "seller_order_parts",
        "seller_profile",
    }
)
# Pages that show who bought: opening one of them as a seller leaves a row too.
BUYERS = (
    *("seller_order", "seller_parcel", "seller_slips", "seller_pull_sheet", "seller_paste"),
    *("seller_label", "seller_offer", "seller_case", "seller_bulk", "seller_run", "seller_return"),
)
_ENDS_IT = frozenset({"account_logout"})


@dataclass(frozen=True, slots=True)
class Acting:
    """As whom, and until when. `seller` is the public id."""

    seller: str
    name: str
    until: datetime


def _kept(request: HttpRequest) -> Acting | None:
    """What the session says, run out or not; only while the person may act as a seller."""
    user = getattr(request, "user", None)
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not isinstance(user, User) or not holds(user, Right.ACT):
        return None
    kept = request.session.get(KEY)
    return Acting(kept["seller"], kept["name"], datetime.fromisoformat(kept["until"])) if kept else None


def acting_of(request: HttpRequest) -> Acting | None:
    found = _kept(request)
    return found if found is not None and found.until > timezone.now() else None


def seller_of(request: HttpRequest, user: User) -> Seller | None:
    """Whose panel this person sees: their own, their team's, or that of the seller they act as."""
    acting = acting_of(request)
    whose = Q(public_id=acting.seller) if acting else where_in(user)
    return sellers_named("").filter(whose).first()


def begin(request: HttpRequest, *, staff: User, seller: Seller, why: str) -> None:
    """Raises a Problem. Whoever acts as another already ends that first."""
    now = timezone.now()
    end(request, how="Began to act as another seller.")
    until = begin_acting(actor=staff, seller=seller, why=why, now=now)
    request.session[KEY] = {"seller": seller.public_id, "name": seller.name, "until": until.isoformat()}


def end(request: HttpRequest, *, how: str) -> Acting | None:
    """As whom it was, or None when nobody acted."""
    found = _kept(request)
    if found is None:
        return None
    del request.session[KEY]
    assert isinstance(request.user, User)
    end_acting(actor=request.user, seller=found.seller, name=found.name, how=how, now=timezone.now())
    return found


class ActingAs(Around):
    """Keeps the list, writes the trace, and ends it when its time is over."""

    def process_view(
        self, request: HttpRequest, view: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        found = _kept(request)
        if found is None:
            return None
        match = request.resolver_match
        name = (match.url_name if match else "") or ""
        if found.until <= timezone.now():
            return _over(request, found, name)
        reads = request.method in SAFE and name.startswith(BUYERS)
        if (request.method in SAFE and not reads) or name in _ENDS_IT or name.startswith("staff_"):
            return None
        if not reads and name not in OPEN:
            return _closed(request, found)
        assert isinstance(request.user, User)
        order = str(kwargs.get("public_id", "")) if name.startswith(("seller_order", "seller_parcel")) else ""
        note = trace_reading if reads else trace
        note(
            actor=request.user, seller=found.seller, name=found.name, path=request.path, order=order, now=timezone.now()
        )
        return None


def _over(request: HttpRequest, found: Acting, name: str) -> HttpResponse | None:
    """The hour is over. What was being sent is not done: it would land in the person's own panel."""
    end(request, how="The 60 minutes were over.")
    if name in _ENDS_IT or not name.startswith("seller_"):
        return None
    messages.warning(request, f"The 60 minutes are over: you no longer act as {found.name}. Nothing was sent.")
    return redirect("staff_seller", found.seller)


def _closed(request: HttpRequest, found: Acting) -> HttpResponse:
    sentence = (
        f"While you act as {found.name} this stays closed: sign-ins, shop credentials, API tokens, payments and letters"
        " are the seller's own. End acting to go on as yourself."
    )
    return render(request, "403.html", {"sentence": sentence}, status=403)


@receiver(user_logged_out)
def _logged_out(sender: object, request: HttpRequest | None = None, user: User | None = None, **more: object) -> None:
    """Signing out ends it. The session is still there when this is called."""
    if request is not None and isinstance(getattr(request, "user", None), User):
        end(request, how="Signed out.")

"""Who is asking: the token's hash is looked up whatever the text looks like, and what it may see is one query away."""

import base64
import binascii
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from crossdock.store.models import ApiToken, User
from crossdock.usecases.accounts.tokens import reaches, token_of
from crossdock.usecases.record.rights import theirs
from crossdock.web.api.pace import not_too_fast
from crossdock.web.api.problems import Refuse

_Row = TypeVar("_Row", bound=Model)


class Bearer(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = token_of(secret=token, now=timezone.now())
        if found is not None:
            not_too_fast(found.pk)
            _within_reach(request, found)
        return found


# The address's name -> what a token has to reach. One that is not here is closed to tokens with a narrower reach.
AREA_OF = {
    **dict.fromkeys(
        (
            *("listings", "listings_make", "listing", "listing_edit", "listing_archive", "listing_relist"),
            *("preview_price", "preview_buffer", "preview_sale"),
        ),
        "listings",
    ),
    **dict.fromkeys(("listing_offers", "offers", "offer", "offer_answer"), "offers"),
    **dict.fromkeys(
        (
            *("orders", "orders_place", "order", "order_ship", "order_parcel", "order_create", "quotes", "checkout"),
            *("returns", "return", "return_picture", "return_accept", "return_decline"),
            *("order_cancel_request", "order_cancel_decline", "preview_shipment", "preview_decline"),
        ),
        "orders",
    ),
    **dict.fromkeys(
        (
            *("order_reject", "order_reject_lines", "order_credit", "balance", "statement", "payouts", "payout"),
            *("preview_reject", "return_receive"),
        ),
        "money",
    ),
    **dict.fromkeys(
        ("connections", "connection", "connection_change", "connection_pause", "connection_resume", "rules"), "shops"
    ),
    **dict.fromkeys(("alerts", "alert_settle"), "alerts"),
}


# Asks by itself, once it knows what is confirmed.
_ASKS_ITSELF = "confirm"


def _within_reach(request: HttpRequest, token: ApiToken) -> None:
    match = request.resolver_match
    name = (match.url_name if match else "") or ""
    if name != _ASKS_ITSELF:
        require_reach(token, AREA_OF.get(name, ""), change=request.method not in ("GET", "HEAD"))


def require_reach(token: ApiToken, area: str, *, change: bool) -> None:
    """Raises Refuse."""
    if not reaches(token.scopes, area=area, change=change):
        wanted = f"{area or 'everything'}:{'change' if change else 'read'}"
        raise Refuse("not-yours", f"This needs a token with {wanted}; this one has {token.scopes}.")


def token_in(request: HttpRequest) -> ApiToken:
    found: ApiToken = request.auth  # type: ignore[attr-defined]
    return found


def mine(rows: type[_Row], request: HttpRequest) -> QuerySet[_Row]:
    """A seller's token sees that seller's rows; the marketplace's sees all."""
    return theirs(rows, token_in(request).seller)


def actor_of(request: HttpRequest) -> User:
    """On whose behalf a deed is done: the seller's owner, or the member of staff who made the marketplace's token."""
    token = token_in(request)
    return token.made_by if token.seller is None else token.seller.owner


def source_of(request: HttpRequest) -> str:
    """Whose doing it is, as the timeline says it."""
    return "seller" if token_in(request).seller_id else "staff"


def marketplace_only(request: HttpRequest) -> ApiToken:
    token = token_in(request)
    if token.seller_id is not None:
        raise Refuse("not-yours", "Only the marketplace's own token places orders.")
    return token


def seller_only(request: HttpRequest) -> ApiToken:
    token = token_in(request)
    if token.seller_id is None:
        raise Refuse("not-yours", "This is done with a seller's own token.")
    return token


def cursor_after(pk: int) -> str:
    return base64.urlsafe_b64encode(f"after:{pk}".encode()).decode().rstrip("=")


def after_cursor(cursor: str | None) -> int | None:
    """Raises Refuse for what we did not hand out."""
    if not cursor:
        return None
    try:
        word, _, number = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        word, number = "", ""
    if word != "after" or not number.isdecimal() or len(number) > 18:
        raise Refuse("invalid", "This cursor was not handed out by us; begin without one.")
    return int(number)

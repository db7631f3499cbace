"""A checkout as the protocol writes it."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from crossdock.domain.agents.ucp import CHECKOUT, ORDER, VERSION
from crossdock.domain.site.pages import Page
from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout.agents.order import agent_order, moment
from crossdock.usecases.checkout.agents.sessions import note_shown
from crossdock.usecases.checkout.agents.ucp import add_up, entry, line_out, order_out, sold_by, totals
from crossdock.usecases.checkout.basket import PricedBasket, PricedPart
from crossdock.usecases.record.pages import links
from crossdock.web.agents.looking import Looked, option_id
from crossdock.web.agents.ucp.details import destination
from crossdock.web.agents.ucp.handlers import handlers
from crossdock.web.agents.ucp.messages import by_buyer, message
from crossdock.web.agents.ucp.profiles import Terms
from crossdock.web.agents.ucp.speech import home

_LINK = {Page.TERMS: "terms_of_service", Page.PRIVACY: "privacy_policy"}
METHOD, ALL = "shipping", "all"


def checkout_out(looked: Looked, terms: Terms) -> dict[str, Any]:
    """As it goes out; the agent was told these prices then, and no others are charged."""
    session, shown = looked.session, looked.shown
    if looked.paid is None:
        note_shown(session=session, fingerprint=shown.fingerprint)
    lines = [line_out(line) for line in shown.lines]
    said = totals(shown.items, shown.shipping)
    add_up(said, lines)
    over = looked.status in ("paid", "canceled", "expired")
    names = {key: value for key, value in session.details.get("buyer", {}).items() if key != "full_name"}
    return {
        "ucp": {
            "version": VERSION,
            "status": "success",
            "capabilities": terms.of(CHECKOUT),
            "payment_handlers": handlers(with_config=True),
        },
        "id": session.public_id,
        "status": _status(looked, terms),
        # What a checkout that is over would cost may be in another one by now.
        "currency": shown.items.currency,
        "line_items": lines,
        **({"buyer": names} if names else {}),
        **({"fulfillment": _fulfillment(looked, terms)} if terms.ships else {}),
        "totals": said,
        "messages": [
            *(message(note, ships=terms.ships) for note in (*looked.against, *looked.more)),
            *(sold_by(number, line) for number, line in enumerate(shown.lines)),
        ],
        "links": [{"type": _LINK[Page(name)], **_page(name, title)} for name, title in links() if name in _LINK],
        "expires_at": moment(session.expires_at),
        **({} if over else {"continue_url": _continued(shown)}),
        **_order(looked),
    }


def order_of(looked: Looked, terms: Terms) -> dict[str, Any] | None:
    """None for a checkout that came to no order."""
    if looked.came is None or looked.paid is None or looked.paid.state != IntentState.CAPTURED:
        return None
    ucp = {"version": VERSION, "status": "success", "capabilities": terms.of(ORDER)}
    return order_out(agent_order(looked.session.public_id, looked.paid, looked.came), ucp)


def _order(looked: Looked) -> dict[str, Any]:
    paid = looked.paid
    if paid is None or paid.state != IntentState.CAPTURED:
        return {}
    return {"order": {"id": paid.public_id, "permalink_url": f"{settings.BASE_URL}/checkout/paid/{paid.public_id}/"}}


def _status(looked: Looked, terms: Terms) -> str:
    if looked.status == "open":
        stuck = any(by_buyer(note, ships=terms.ships) for note in looked.against)
        return "requires_escalation" if stuck else "incomplete"
    return {
        "ready": "ready_for_complete",
        "paying": "complete_in_progress",
        "paid": "completed",
        "canceled": "canceled",
        "expired": "canceled",
    }[looked.status]


def _page(name: str, title: str) -> dict[str, str]:
    return {"url": settings.BASE_URL + reverse("page", args=[name]), "title": title}


def _continued(shown: PricedBasket) -> str:
    """There is no page that takes a whole checkout over; one listing has its own."""
    listings = {line.variant.listing.public_id for line in shown.lines}
    return settings.BASE_URL + reverse("listing", args=[listings.pop()]) if len(listings) == 1 else home()


def _fulfillment(looked: Looked, terms: Terms) -> dict[str, Any]:
    """One way of shipping to one address; each seller's parcel is a group of its own where the agent can show that,
    else all are one.
    """
    to, shown = destination(looked.session.details), looked.shown
    method: dict[str, Any] = {"id": METHOD, "type": "shipping", "line_item_ids": _ids(*shown.parts)}
    if to is not None:
        method |= {"destinations": [to], "selected_destination_id": to["id"], "groups": groups(shown, terms)}
    return {"methods": [method]}


def groups(shown: PricedBasket, terms: Terms) -> list[dict[str, Any]]:
    if terms.several_groups:
        return [_group(option_id(part), (part,), part.shipping) for part in shown.parts]
    return [_group(ALL, shown.parts, shown.shipping)]


def _group(id: str, parts: tuple[PricedPart, ...], price: Any) -> dict[str, Any]:
    """There is one way to ship, so it is chosen; without its price, none."""
    group = {"id": id, "line_item_ids": _ids(*parts)}
    if price is None:
        return group
    title = f"Shipping by {' and '.join(dict.fromkeys(part.seller.name for part in parts))}"
    option = {
        "id": id,
        "title": title,
        "totals": [entry("fulfillment", "Shipping", price), entry("total", "Total", price)],
    }
    return {**group, "options": [option], "selected_option_id": id}


def _ids(*parts: PricedPart) -> list[str]:
    return [line.variant.public_id for part in parts for line in part.lines]

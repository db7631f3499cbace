"""What templates need to say: money in its currency's decimals, times with their zone, icons, states as badges.

Nothing here asks the database.
"""

from datetime import datetime, timedelta
from typing import Any

from babel import Locale
from babel.dates import format_timedelta
from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_noop

from crossdock.domain.earnings.protection import COVER_WORDS, Cover
from crossdock.domain.labels import PAID, STATUS_WORDS, LabelState, Parcel, TrackStatus
from crossdock.domain.orders import CopyState, MoneyState, ParcelState
from crossdock.domain.requests.returns import REASONS, ReturnReason, ReturnState
from crossdock.domain.risk import RiskLevel
from crossdock.domain.roles import Right
from crossdock.domain.values import Money
from crossdock.store.models import Label, Order, Return, Shipment, Variant
from crossdock.usecases.orders.shippable import asked_to_cancel
from crossdock.usecases.record import rights
from crossdock.web.languages.local import away_words, country_name, day_words, moment_words, money_words

register = template.Library()
_LOCALE = Locale("en", "US")

# 20 x 20, drawn with a stroke of the text's colour.
_ICONS = {
    "search": '<circle cx="9" cy="9" r="5.5"/><path d="m13.2 13.2 4 4"/>',
    "cart": '<path d="M2.5 3.5h2l2 9.5h8.5l2-7H6"/><circle cx="7.5" cy="16" r="1.2"/><circle cx="14" cy="16" r="1.2"/>',
    "person": '<circle cx="10" cy="6.5" r="3.2"/><path d="M3.5 17c.6-3.4 3.2-5 6.5-5s5.9 1.6 6.5 5"/>',
    "box": '<path d="M3 6.5 10 3l7 3.5v7L10 17l-7-3.5zM3 6.5l7 3.5 7-3.5M10 10v7"/>',
    "truck": (
        '<path d="M2 5h9.5v8.5H2zM11.5 8h3.5l3 3v2.5h-6.5"/><circle cx="5.5" cy="14.5" r="1.5"/><circle cx="14.5"'
        ' cy="14.5" r="1.5"/>'
    ),
    "check": '<path d="m4 10.5 4 4 8-9"/>',
    "star": '<path d="m10 2.5 2.3 4.9 5.2.7-3.8 3.7.9 5.3-4.6-2.6-4.6 2.6.9-5.3L2.5 8.1l5.2-.7z"/>',
    "cross": '<path d="m5 5 10 10M15 5 5 15"/>',
    "warn": '<path d="M10 3 2.5 16.5h15zM10 8v4M10 14.2v.3"/>',
    "info": '<circle cx="10" cy="10" r="7.5"/><path d="M10 9v5M10 6v.3"/>',
    "down": '<path d="m5 8 5 5 5-5"/>',
    "left": '<path d="m12 5-5 5 5 5"/>',
    "right": '<path d="m8 5 5 5-5 5"/>',
    "out": '<path d="M11 4h5v5M16 4l-7 7M13 11v5H4V7h5"/>',
    "plus": '<path d="M10 4v12M4 10h12"/>',
    "more": '<circle cx="4.5" cy="10" r=".9"/><circle cx="10" cy="10" r=".9"/><circle cx="15.5" cy="10" r=".9"/>',
    "shop": (
        '<path d="M3.5 9v8h13V9M2.5 7 4 3h12l1.5 4c0 1.3-1 2.2-2.5 2.2S12.5 8.3 12.5 7c0 1.3-1 2.2-2.5 2.2S7.5 8.3 7.5'
        ' 7c0 1.3-1 2.2-2.5 2.2S2.5 8.3 2.5 7zM8 17v-4.5h4V17"/>'
    ),
    "link": '<path d="M8.5 11.5 11.5 8.5M9 6l2-2a3.5 3.5 0 0 1 5 5l-2 2M11 14l-2 2a3.5 3.5 0 0 1-5-5l2-2"/>',
    "clock": '<circle cx="10" cy="10" r="7.5"/><path d="M10 6v4.5l3 1.5"/>',
    "mail": '<path d="M2.5 5h15v10.5h-15zM3 5.5l7 5.5 7-5.5"/>',
    "talk": '<path d="M3 4h14v9.5H9L5.5 17v-3.5H3zM6.5 8h7M6.5 10.5h4"/>',
    "refresh": '<path d="M16.5 10a6.5 6.5 0 1 1-2-4.7M16.5 3v3.5H13"/>',
    "coin": '<circle cx="10" cy="10" r="7.5"/><path d="M12.5 7.5c-2-1.8-5-.8-5 1s5 1.2 5 3.2-3 2.6-5 .8M10 5v10"/>',
    "lock": '<path d="M4.5 9h11v8h-11zM7 9V6.5a3 3 0 0 1 6 0V9"/>',
}


_OFFER_WORDS = {
    "open": (gettext_noop("Waits for the seller"), "info"),
    "countered": (gettext_noop("Waits for the buyer"), "info"),
    "accepted": (gettext_noop("To be paid"), "warn"),
    "paid": (gettext_noop("Paid"), "good"),
    "declined": (gettext_noop("Declined"), ""),
    "withdrawn": (gettext_noop("Withdrawn by the buyer"), ""),
    "expired": (gettext_noop("Time ran out"), ""),
}


@register.simple_tag
def offer_badge(state: str) -> SafeString:
    return badge(*_OFFER_WORDS[state])


_PAYOUT_WORDS = {
    "intended": ("On its way to the bank", "info"),
    "acknowledged": ("The bank has it", "info"),
    "paid": ("Arrived", "good"),
    "refused": ("Refused", "bad"),
    "returned": ("Came back", "bad"),
}


@register.simple_tag
def payout_badge(state: str) -> SafeString:
    return badge(*_PAYOUT_WORDS[state])


@register.simple_tag
def cover_badge(cover: str) -> SafeString:
    return badge(*COVER_WORDS[Cover(cover)])


@register.simple_tag(takes_context=True)
def who_may(context: Context, right: str) -> str:
    """For staff who may not: the roles that do."""
    return rights.who_may(Right(right), context.get("user"))


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decoration: hidden from screen readers, so the words beside it must say it all."""
    drawing = mark_safe(_ICONS[name])  # noqa: S308 - our own drawings
    return format_html('<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">{}</svg>', drawing)


@register.filter
def money(value: Money | None) -> str:
    """$12.50, ¥500, KWD 1.234; a dash for nothing known."""
    return "–" if value is None else money_words(value)


@register.filter
def minor(value: int | None, currency: str) -> str:
    """Money from an integer column: {{ order.total_minor|minor:order.currency }}."""
    return money(None if value is None else Money(value, currency))


@register.filter
def country(code: str) -> str:
    return gettext("Everywhere else") if code == "*" else country_name(code)


@register.simple_tag
def when(value: datetime | None, empty: str = "–") -> str:
    """A moment with its zone; the browser's own zone replaces it where scripts run."""
    if value is None:
        return empty
    local = timezone.localtime(value)
    words = moment_words(local)
    return format_html('<time datetime="{}" data-local>{}</time>', local.isoformat(timespec="seconds"), words)


@register.simple_tag
def day(value: datetime | None, empty: str = "–") -> str:
    if value is None:
        return empty
    local = timezone.localtime(value)
    return format_html('<time datetime="{}">{}</time>', local.date().isoformat(), day_words(local))


@register.simple_tag
def ago(value: datetime | None, empty: str = "") -> str:
    """ "3 minutes ago" or "in 2 hours"; the exact moment is in the tooltip."""
    if value is None:
        return empty or gettext("never")
    words = away_words(value - timezone.now())
    local = timezone.localtime(value)
    exact = moment_words(local, seconds=True)
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"), exact, words)


@register.simple_tag
def soon(value: datetime | None) -> str:
    """When something is due next: "in 2 minutes", and "now" for what is due already."""
    return "now" if value is not None and value <= timezone.now() else ago(value)


@register.simple_tag
def took(seconds: float) -> str:
    """A length of time: "0.4 seconds", "12 seconds", "3 minutes"."""
    if seconds < 10:
        return f"{max(seconds, 0.1):.1f} seconds"
    return format_timedelta(timedelta(seconds=seconds), locale=_LOCALE, threshold=1.5)


@register.simple_tag
def badge(words: object, tone: str = "") -> SafeString:
    """Tones: good, warn, bad, info, or none. The words carry the meaning, the colour repeats it."""
    return format_html('<span class="badge {}">{}</span>', tone, gettext(str(words)) if words else words)


_MONEY = {
    MoneyState.PAID: (gettext_noop("Paid"), "good"),
    MoneyState.PARTLY_CREDITED: (gettext_noop("Partly credited"), "warn"),
    MoneyState.CREDITED: (gettext_noop("Credited"), "info"),
}
_PARCELS = {
    ParcelState.UNSHIPPED: (gettext_noop("Unshipped"), "warn"),
    ParcelState.PARTLY_SHIPPED: (gettext_noop("Partly shipped"), "warn"),
    ParcelState.SHIPPED: (gettext_noop("Shipped"), "good"),
    ParcelState.CANCELLED: (gettext_noop("Cancelled"), "bad"),
}
_COPY = {
    CopyState.NONE: ("No shop", ""),
    CopyState.INTENDED: ("On its way to the shop", "info"),
    CopyState.SENT: ("Sent to the shop", "info"),
    CopyState.ACKNOWLEDGED: ("In the shop", "good"),
    CopyState.EQUAL: ("Synced", "good"),
    CopyState.DIFFERS: ("Differs in the shop", "bad"),
    CopyState.REFUSED: ("Refused by the shop", "bad"),
    CopyState.MISSING: ("Not in the shop", "bad"),
    CopyState.CANCELLED: ("Cancelled in the shop", "bad"),
}
_RISK = {
    RiskLevel.LOW: ("Low risk", "good"),
    RiskLevel.MEDIUM: ("Medium risk", "warn"),
    RiskLevel.HIGH: ("High risk", "bad"),
    RiskLevel.NOT_ASSESSED: ("Not assessed", ""),
}


_LABEL = {
    LabelState.QUOTED: ("Prices", "info"),
    LabelState.INTENDED: ("Being bought", "info"),
    LabelState.UNKNOWN: ("Being looked for", "warn"),
    LabelState.REFUSED: ("Not bought", "bad"),
    LabelState.BOUGHT: ("Bought", "good"),
    LabelState.VOIDING: ("Being taken back", "info"),
    LabelState.VOIDED: ("Voided", ""),
    LabelState.VOID_REFUSED: ("Bought, not taken back", "warn"),
}


@register.simple_tag
def label_badge(label: Label) -> SafeString:
    if label.state in PAID:
        if label.back_at or label.returned_at:
            return badge("Came back" if label.back_at else "Going back", "bad")
        if label.delivered_at:
            return badge("Delivered", "good")
    return badge(*_LABEL[LabelState(label.state)])


@register.simple_tag
def whereabouts(parcel: Shipment) -> str:
    """Where a parcel with a label from here is, in words; empty when the carrier has said nothing that matters."""
    label = getattr(parcel, "label", None)
    status = TrackStatus(label.events[-1]["status"]) if label is not None and label.events else TrackStatus.MADE
    return "" if status is TrackStatus.MADE else gettext(STATUS_WORDS[status])


@register.simple_tag
def money_badge(order: Order) -> SafeString:
    return badge(*_MONEY[MoneyState(order.money)])


@register.simple_tag
def parcels_badge(order: Order) -> SafeString:
    return badge(*_PARCELS[ParcelState(order.parcels)])


@register.simple_tag
def copy_badge(order: Order) -> SafeString:
    """How far it got in its shop; a held one waits here. Empty for an order of no shop."""
    hold = getattr(order, "risk_hold", None)
    if hold is not None and hold.cleared_at is None and order.cancelled_at is None:
        return badge("Held: waits for our staff", "warn")
    copy = getattr(order, "copy", None)
    if copy is None:
        return SafeString("")
    if copy.state == CopyState.EQUAL and copy.sentence:
        # The same lines at another total; the sentence says both.
        return badge("Synced, totals differ", "warn")
    return badge(*_COPY[CopyState(copy.state)])


@register.simple_tag
def asked_badge(order: Order) -> SafeString:
    """What its buyer asked and nobody has answered; empty otherwise."""
    request = asked_to_cancel(order)
    if request is None:
        return SafeString("")
    return badge(gettext_noop("Withdrawn") if request.binding else gettext_noop("Asked to cancel"), "warn")


_RETURNS = {
    ReturnState.ASKED: (gettext_noop("To answer"), "warn"),
    ReturnState.ACCEPTED: (gettext_noop("Accepted"), "info"),
    ReturnState.DECLINED: (gettext_noop("Declined"), ""),
    ReturnState.TAKEN_BACK: (gettext_noop("Taken back"), ""),
    ReturnState.RECEIVED: (gettext_noop("Received"), "good"),
    ReturnState.REFUNDED: (gettext_noop("Refunded in the shop"), "good"),
    ReturnState.LAPSED: (gettext_noop("Never sent"), ""),
}


@register.filter
def return_reason(row: Return) -> str:
    return gettext(REASONS[ReturnReason(row.reason)])


@register.simple_tag
def return_badge(row: Return) -> SafeString:
    if row.open and row.sent_at:
        return badge(gettext_noop("On its way"), "info")
    return badge(*_RETURNS[ReturnState(row.state)])


@register.simple_tag
def risk_badge(order: Order) -> SafeString:
    return badge(*_RISK[RiskLevel(order.risk)])


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """This page's query string with some values replaced; an empty value removes one."""
    values = context["request"].GET.copy()
    for name, value in changes.items():
        values.pop(name, None)
        if value not in (None, ""):
            values[name] = str(value)
    return f"?{values.urlencode()}"


@register.filter
def moment(text: str) -> str:
    """`when` for a moment that is kept as text."""
    return when(datetime.fromisoformat(text))


@register.filter
def measures(parcel: Parcel) -> str:
    """In both worlds' units: which ones were typed is forgotten."""
    sides = (parcel.length_mm, parcel.width_mm, parcel.height_mm)
    metric, inches = (" × ".join(f"{side / one:.1f}".removesuffix(".0") for side in sides) for one in (10, 25.4))
    return f"{parcel.grams} g ({parcel.grams / 28.3495:.1f} oz), {metric} cm ({inches} in)"


@register.filter
def plain(code: str) -> str:
    """A state or a kind as a word: "shop_refund" is "Shop refund"."""
    return code.replace("_", " ").capitalize()


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """{{ counts|get:variant.pk }}; None when it is not there."""
    return mapping.get(key)


@register.filter
def picture(variant: Variant) -> str:
    """The variant's own picture, or its listing's first; empty without any."""
    return variant.image or next(iter(variant.listing.images), "")


@register.filter
def web_address(url: str) -> str:
    """The address when a browser may open it.

    Shops and sellers write these: anything but http and https is dropped, or a click would run it.
    """
    return url if url.lower().startswith(("https://", "http://")) else ""

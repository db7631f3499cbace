"""What templates need to say of when things are shipped: working days and holidays of their seller."""

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from crossdock.domain.due import away
from crossdock.domain.due.ship_by import in_words
from crossdock.domain.due.zones import place_of
from crossdock.store.models import Order, Seller
from crossdock.usecases.accounts.working_days import expected_due
from crossdock.web.languages.local import long_day_words

register = template.Library()


@register.simple_tag
def due(order: Order, seller: Seller) -> str:
    """Until when an order has to leave, in its seller's time zone."""
    value = expected_due(order, seller)
    if value is None:
        return gettext("the day that is known when the seller is back from their holidays")
    calendar = seller.calendar
    local = calendar.local(value)
    ends = calendar.ends(local.date()) == value
    words = gettext("{day}, end of the day in {place}") if ends else gettext("{day}, {time} in {place}")
    day = long_day_words(local, year=local.year != timezone.now().year)
    return format_html(
        '<time datetime="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        words.format(day=day, time=f"{local:%H:%M}", place=place_of(calendar.zone)),
    )


@register.simple_tag
def due_day(order: Order, seller: Seller) -> str:
    """`due` for a table: the day alone."""
    value = expected_due(order, seller)
    if value is None:
        return "When you are back"
    local, words = seller.calendar.local(value), in_words(value, seller.calendar)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        words,
        f"{local:%a} {local.day} {local:%b %Y}",
    )


@register.filter
def ships_within(seller: Seller) -> str:
    """ "within 2 working days"."""
    if not seller.handling_days:
        return gettext("on the same working day")
    return ngettext("within {days} working day", "within {days} working days", seller.handling_days).format(
        days=seller.handling_days
    )


@register.filter
def ships_from(seller: Seller) -> str:
    return away.ships_from(seller.away, seller.calendar)


@register.filter
def holiday_banner(seller: Seller) -> str:
    """What the panel says while it holds."""
    held = seller.away
    if held is None or not held.begun:
        return ""
    sold = "your listings are paused" if held.pauses else "your listings ship later"
    until = f" until {away.day_words(held.ends, seller.calendar)}" if held.ends else ""
    return f"You are on holiday{until}: {sold}."


@register.filter
def on_holiday(seller: Seller) -> str:
    """What a seller's page says while nothing of theirs is sold; empty otherwise."""
    return away.why_paused(seller.away, seller.calendar).replace("It can", "Their things can")

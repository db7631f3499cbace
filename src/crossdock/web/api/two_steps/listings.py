"""Of listings: another price, units kept back, taken off sale and listed again."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Field

from crossdock.domain.values import Money as Amount
from crossdock.store.models import Listing
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.catalogue.listings import (
    archive_listing,
    edit_listing,
    leave_out,
    locked_listing,
    relist,
    said_after,
    why_not_live,
)
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.stock.limits import MOST_BUFFER, Limits, left_with, set_limits
from crossdock.usecases.stock.queries import first_stock_of
from crossdock.web.api.listings import in_currency, listing_of
from crossdock.web.api.people import actor_of, seller_only
from crossdock.web.api.shapes import MoneyIn, Strict
from crossdock.web.api.two_steps.deed import Deed, Doing, PreviewLine, Seen


class PreviewPriceIn(Strict):
    price: MoneyIn


class PreviewBufferIn(Strict):
    buffer: Annotated[int, Field(ge=0, le=MOST_BUFFER)] | None = Field(
        description="Units of each variant that are never sold here; null follows what is set for the shop."
    )


class PreviewSaleIn(Strict):
    on_sale: bool


def _found(request: HttpRequest, id: str) -> Listing:
    seller_only(request)
    return listing_of(request, id)


def _words_of(listing: Listing) -> dict[str, str]:
    return {"title": listing.title}


def _price_now(listing: Listing) -> Amount:
    if listing.synced:
        raise NotAllowed("This listing follows the shop; change the product there.")
    return listing.variants.get().price


def _look_price(listing: Listing, asked: PreviewPriceIn, now: datetime) -> Seen:
    before, after = _price_now(listing), in_currency(asked.price, listing.currency)
    if before == after:
        raise Invalid(f"The price is {after.words} already.")
    return Seen(
        title="Change the price",
        sentences=[
            f"The price goes from {before.words} to {after.words}.",
            "Orders and accepted offers keep the price that they were made at.",
        ],
        from_others=_words_of(listing),
        state=[listing.state],
    )


def _price(it: Doing[Listing, PreviewPriceIn]) -> str:
    price = in_currency(it.asked.price, it.row.currency)
    edit_listing(
        listing=it.row, title=it.row.title, description=it.row.description, price=price, count=None, now=it.now
    )
    return f"Saved. The price is {price.words}."


def _limits(listing: Listing, buffer: int | None) -> Limits:
    """What else is set stays."""
    row = first_stock_of(listing)
    return Limits(buffer, row.floor if row else None, row.most_shown if row else None)


def _look_buffer(listing: Listing, asked: PreviewBufferIn, now: datetime) -> Seen:
    if listing.connection is None:
        raise NotAllowed("Nothing is kept back of a listing made by hand; change its count instead.")
    row = first_stock_of(listing)
    rows = left_with(listing=listing, limits=_limits(listing, asked.buffer), now=now)
    lines = [
        PreviewLine(
            id=variant.public_id,
            sentence=f"For sale now: {_many(before)}. After it: {_many(after)}.",
            from_others={"title": variant.title, "sku": variant.sku},
        )
        for variant, before, after in rows
    ]
    return Seen(
        title="Change how many units are kept back",
        sentences=[
            f"Kept back of each variant: {_kept(asked.buffer)}; today it is {_kept(row.buffer if row else None)}.",
            "Nothing changes in your shop.",
        ],
        lines=lines,
        from_others=_words_of(listing),
        state=[listing.state],
    )


def _many(units: int | None) -> str:
    return "not known" if units is None else f"{units:,}"


def _kept(units: int | None) -> str:
    return "as set for the shop" if units is None else f"{units:,}"


def _buffer(it: Doing[Listing, PreviewBufferIn]) -> str:
    limits = _limits(it.row, it.asked.buffer)
    set_limits(listings=[it.row], limits=limits, actor=actor_of(it.request), now=it.now)
    return "The limits of this listing are set."


def _look_sale(listing: Listing, asked: PreviewSaleIn, now: datetime) -> Seen:
    live = listing.state == ListingState.LIVE
    if asked.on_sale == live and listing.state != ListingState.TAKEN_DOWN:
        raise Invalid("It is listed already." if live else "It is off sale already.")
    if asked.on_sale:
        title, sentences = "List again", ["It is for sale again, as soon as nothing else keeps it from selling."]
        sentences += [why for why in why_not_live(listing=listing, now=now) if "List again" not in why]
    elif listing.synced:
        title, sentences = "Leave out", ["It stays in your shop and is not sold here, until you list it again."]
    else:
        title, sentences = "Archive", ["It stops selling. Nothing of it is lost; “List again” sells it again."]
    sentences += [] if asked.on_sale else ["Orders placed before go on."]
    return Seen(title=title, sentences=sentences, from_others=_words_of(listing), state=[listing.state])


def _sale(it: Doing[Listing, PreviewSaleIn]) -> str:
    if it.asked.on_sale:
        relist(listing=it.row, now=it.now)
        return said_after(it.row, now=it.now)
    if it.row.synced:
        leave_out(listing=it.row, now=it.now)
        return "Left out. It stays in your shop and is not sold here."
    archive_listing(listing=it.row, now=it.now)
    return "Archived. Nothing of it is lost; “List again” sells it again."


PRICE = Deed("price", "listings", PreviewPriceIn, _found, locked_listing, _look_price, _price)
BUFFER = Deed("buffer", "listings", PreviewBufferIn, _found, locked_listing, _look_buffer, _buffer)
SALE = Deed("sale", "listings", PreviewSaleIn, _found, locked_listing, _look_sale, _sale)

"""Staff's one search box: an order, a seller, a listing or a unit, by whatever name somebody has at hand."""

from dataclasses import dataclass

from django.db.models import Q

from crossdock.domain.finding.words import folded
from crossdock.store.models import Listing, Order, Seller, Shipment, ShopCopy, User, Variant

MOST = 20
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Found:
    """At most MOST of each; `more` names the kinds that have further ones."""

    orders: list[Order]
    sellers: list[Seller]
    listings: list[Listing]
    more: frozenset[str] = frozenset()

    @property
    def anything(self) -> bool:
        return bool(self.orders or self.sellers or self.listings)


def look_up(*, text: str) -> Found:
    """Orders by number, reference, id, the shop's number, tracking number or the buyer's e-mail; sellers by name or
    e-mail; listings by title, SKU or id.

    Each way in is a question of its own that some index carries, instead of one join over everything.
    """
    text = text.strip()
    if not text:
        return Found([], [], [])
    orders = Order.objects.filter(pk__in=_order_ids(text)).select_related("seller", "buyer", "copy").order_by("-pk")
    sellers = Seller.objects.filter(
        Q(name__unaccent__icontains=text) | Q(owner__in=_people(text)) | Q(slug__iexact=text) | Q(public_id=text)
    )
    by_sku = Variant.objects.filter(Q(sku__iexact=text) & ~Q(sku="") | Q(public_id=text)).order_by("-pk")
    ids = {*by_sku.values_list("listing", flat=True)[: MOST + 1], *_listing_ids(text)}
    listings = Listing.objects.filter(pk__in=ids).select_related("seller", "connection").prefetch_related("variants")
    found: dict[str, list[object]] = {
        "orders": list(orders[: MOST + 1]),
        "sellers": list(sellers.select_related("owner").order_by("name")[: MOST + 1]),
        "listings": list(listings.order_by("-pk")[: MOST + 1]),
    }
    more = frozenset(kind for kind, rows in found.items() if len(rows) > MOST)
    return Found(**{kind: rows[:MOST] for kind, rows in found.items()}, more=more)  # type: ignore[arg-type]


def _order_ids(text: str) -> set[int]:
    bare = text.lstrip("#")
    found = set(Order.objects.filter(Q(reference=bare.upper()) | Q(public_id=bare)).values_list("pk", flat=True))
    if bare.isdecimal() and int(bare) <= _LARGEST:
        found |= set(Order.objects.filter(number=int(bare)).values_list("pk", flat=True))
    by_number = Q(shop_number__in=[bare, f"#{bare}"]) & ~Q(shop_number="")
    copies = ShopCopy.objects.filter(by_number | Q(shop_order_id=text) & ~Q(shop_order_id="")).order_by("-order")
    found |= set(copies.values_list("order", flat=True)[: MOST + 1])
    parcels = Shipment.objects.filter(tracking_number__iexact=text).exclude(tracking_number="").order_by("-order")
    found |= set(parcels.values_list("order", flat=True)[: MOST + 1])
    if "@" in text:
        # The address that a shop has of a buyer begins with the order's reference.
        whose = Order.objects.filter(Q(buyer__in=_people(text)) | Q(reference=text.split("@")[0].upper())).order_by(
            "-pk"
        )
        found |= set(whose.values_list("pk", flat=True)[: MOST + 1])
    return found


def _people(text: str) -> list[int]:
    return list(User.objects.filter(email__iexact=text).values_list("pk", flat=True)) if "@" in text else []


def _listing_ids(text: str) -> set[int]:
    listings = Listing.objects.filter(Q(search__contains=folded(text)) | Q(public_id=text)).order_by("-pk")
    return set(listings.values_list("pk", flat=True)[: MOST + 1])

"""The seller's hand in their own shop: what a person does there.

Simulators and adapters for real servers offer it; scenarios are written against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from crossdock.domain.capability import Manifest
from crossdock.kit.connector import Shop, VariantRef


@dataclass(frozen=True, slots=True)
class Standing:
    """An order in the shop's own ledger. `lines` are (variant id, units). Doubles are looked for by buyer and lines,
    without our reference.

    `untaken` are units of it that the shop never took out of its stock: some take a payment without looking.
    `taken_back`: cancelled by the one who had made it, since the shop had not the units, and marked so; it is no copy
    of anything.
    """

    shop_id: str
    number: str
    reference: str
    buyer: str
    lines: tuple[tuple[str, int], ...]
    total: str
    cancelled: bool
    parcels: int
    untaken: tuple[tuple[str, int], ...] = ()
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Stocked:
    """A variant in the shop's admin, as the seller sees it in the list of products. `price` is a decimal amount."""

    product_id: str
    variant_id: str
    sku: str
    title: str
    count: int
    price: str


class Hand(Protocol):
    """A person in the shop's admin. Ids are the shop's. Everything here happens at once and without faults."""

    async def products(self) -> Sequence[Stocked]:
        """Every variant that is still in the shop."""

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        """`variants` are (sku, decimal price, count); one variant makes a simple product."""

    async def reprice(self, variant: VariantRef, price: str) -> None: ...

    async def delete_product(self, product_id: str) -> None: ...

    async def recount(self, variant: VariantRef, count: int) -> None: ...

    async def count(self, variant: VariantRef) -> int:
        """What the shop could still sell of it, from the shop's own books."""

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        """An order of the shop's own; its id."""

    async def orders(self) -> Sequence[Standing]:
        """Every order placed in the shop, cancelled ones too. A draft that nobody paid is no order."""

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        """Ship (variant id, units), or all that is left; the fulfilment's id. Several numbers have commas between."""

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None: ...

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None: ...

    async def refund(self, shop_id: str, amount: str) -> str:
        """Record a refund of a decimal amount; its id."""


@runtime_checkable
class SeveralLocations(Protocol):
    """What a hand offers besides where a shop may keep its stock at several locations."""

    async def open_location(self, name: str) -> str:
        """Its id."""

    async def stock_at(self, variant: VariantRef, location: str, count: int) -> None:
        """So many lie there now; what lies elsewhere stays as it is."""


@runtime_checkable
class SetsCurrency(Protocol):
    """What a hand offers besides: the shop's currency is a setting, and its prices keep their numbers."""

    async def change_currency(self, currency: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Words:
    """What a seller writes about a product. `values` are of its variants, in order, of the one option `option`."""

    option: str
    values: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    types: tuple[str, ...]


@runtime_checkable
class Describes(Protocol):
    """What a hand offers besides where products say things by name: what the platform has no field for is left out."""

    async def describe(self, product_id: str, words: Words) -> None: ...


@runtime_checkable
class EmptiesBin(Protocol):
    """What a hand offers besides where a product that is deleted goes to a bin first."""

    async def delete_for_good(self, product_id: str) -> None: ...


@runtime_checkable
class SplitsLines(Protocol):
    """What a hand offers besides where the seller may edit an order's lines."""

    async def split_line(self, shop_id: str, variant_id: str, units: int) -> None:
        """So many units of the variant's line stand in a row of their own from now on."""


@runtime_checkable
class ReadsNotes(Protocol):
    """What a hand offers besides where something about an order's risk can be written to it."""

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        """What stands at the order for the shop's staff alone, one text per writing, oldest first."""

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        """What the buyer sees of it or was mailed."""


@runtime_checkable
class TestCopies(Protocol):
    """What a connector may have besides: a shop of its kind can be a test copy, in which it moves the seller's hand.
    Such a shop is proved over the network by whoever runs it.
    """

    def manifest_of(self, shop: Shop) -> Manifest:
        """What this very shop can do, as it said when it was proved."""

    def test_hand(self, shop: Shop) -> Hand | None:
        """None where the shop is no test copy: then nothing is tried in it."""

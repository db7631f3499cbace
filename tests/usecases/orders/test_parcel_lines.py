"""Which of our lines a line of the shop's copy is, and what a parcel there means in our units."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.events import OrderLine
from crossdock.domain.parcels import Bond, Ours, dealt, match, rows_of

VARIANTS = ("v1", "v2")


def row(line: str, variant: str, units: int, *, product: str = "p1", sku: str = "") -> OrderLine:
    return OrderLine(line, product, variant, sku, units)


def ours(*units: tuple[str, int], left: bool = True) -> tuple[Ours, ...]:
    return tuple(
        Ours(key, "p1", variant, f"SKU-{key}", n, n if left else 0) for key, (variant, n) in enumerate(units, 1)
    )


def forgotten(rows: list[OrderLine]) -> list[OrderLine]:
    """As the shop answers after the products were deleted for good."""
    return [replace(each, product_id="", variant_id="", sku="") for each in rows]


def test_one_variant_on_two_lines_is_told_apart_by_units() -> None:
    mine, rows = ours(("v1", 2), ("v1", 1)), [row("L1", "v1", 1), row("L2", "v1", 2)]
    bonds = match(mine, rows)
    assert set(bonds) == {Bond(1, "L2", 2), Bond(2, "L1", 1)}
    assert dealt([("L1", 1)], bonds, mine) == {2: 1}
    assert dealt([("L2", 1)], bonds, mine) == {1: 1}


def test_one_of_ours_in_two_rows_there_is_summed() -> None:
    mine, rows = ours(("v1", 3), ("v2", 1)), [row("L1", "v1", 1), row("L2", "v2", 1), row("L3", "v1", 2)]
    bonds = match(mine, rows)
    assert set(bonds) == {Bond(1, "L1", 1), Bond(1, "L3", 2), Bond(2, "L2", 1)}
    assert dealt([("L1", 1), ("L3", 2)], bonds, mine) == {1: 3}
    assert dealt([("L3", 1), ("L3", 1)], bonds, mine) == {1: 2}, "a line named twice in one parcel"


def test_what_was_matched_stays_when_the_product_is_deleted() -> None:
    mine, rows = ours(("v1", 2), ("v2", 1)), [row("L1", "v1", 2), row("L2", "v2", 1)]
    bonds = match(mine, rows)
    assert match(mine, forgotten(rows), bonds) == bonds
    swapped = [row("L1", "v2", 2), row("L2", "v1", 1)]
    assert match(mine, swapped, bonds) == bonds, "the line's id counts, not what the shop calls its article"


def test_forgotten_before_the_first_reading_goes_by_sku_then_by_order() -> None:
    mine = ours(("v1", 2), ("v2", 1))
    assert match(mine, [row("L1", "", 1, product="", sku="SKU-2"), row("L2", "", 2, product="", sku="SKU-1")]) == (
        Bond(2, "L1", 1),
        Bond(1, "L2", 2),
    )
    assert match(mine, forgotten([row("L1", "v1", 2), row("L2", "v2", 1)])) == (Bond(1, "L1", 2), Bond(2, "L2", 1))
    assert match(mine, forgotten([row("L1", "v1", 1)])) == (), "other units: nothing is guessed"
    assert match(mine, [row("L1", "v7", 2, product="p7"), row("L2", "v8", 1, product="p8")]) == (), "other articles"


def test_a_deleted_variation_leaves_its_product() -> None:
    mine = (Ours(1, "17", "171", "", 1, 1),)
    assert match(mine, [row("L1", "17", 1, product="17")]) == (Bond(1, "L1", 1),)
    simple = (Ours(1, "18", "18", "", 1, 1),)
    assert match(simple, [row("L1", "17", 1, product="17")]) == (), "a simple product of its own is no trace of ours"


def test_a_line_made_again_there_is_matched_again_and_a_gift_is_not() -> None:
    mine, rows = ours(("v1", 2)), [row("L1", "v1", 2)]
    bonds = match(mine, rows)
    again = match(mine, [row("L9", "v1", 2)], bonds)
    assert again == (Bond(1, "L1", 2), Bond(1, "L9", 2))
    gift = match(mine, [*rows, row("L8", "v1", 1), row("L7", "v9", 1, product="p9")], bonds)
    assert gift == (Bond(1, "L1", 2), Bond(1, "L8", 0))
    assert dealt([("L1", 2), ("L8", 1), ("L7", 1)], gift, mine) == {1: 2}, "never more than was bought"
    assert dealt([("L7", 1)], gift, mine) == {}


def test_a_parcel_that_names_nothing_has_all_that_is_left() -> None:
    mine = (Ours(1, "p", "v1", "", 3, 2), Ours(2, "p", "v2", "", 1, 0))
    assert dealt([], match(mine, [row("L1", "v1", 3)]), mine) == {1: 2}


@st.composite
def layouts(draw: st.DrawFn) -> tuple[tuple[Ours, ...], list[OrderLine]]:
    """Our lines, and the same units dealt into rows there in any way."""
    mine = ours(*draw(st.lists(st.tuples(st.sampled_from(VARIANTS), st.integers(1, 5)), min_size=1, max_size=4)))
    rows: list[OrderLine] = []
    for variant in VARIANTS:
        left = sum(one.units for one in mine if one.variant_id == variant)
        while left:
            units = draw(st.integers(1, left))
            left -= units
            rows.append(row(f"L{len(rows)}", variant, units))
    return mine, draw(st.permutations(rows))


@given(layouts())
def test_every_unit_of_ours_stands_in_one_row(layout: tuple[tuple[Ours, ...], list[OrderLine]]) -> None:
    mine, rows = layout
    bonds = match(mine, rows)
    here, there = Counter[int](), Counter[str]()
    for bond in bonds:
        here[bond.key] += bond.units
        there[bond.there] += bond.units
    assert here == {one.key: one.units for one in mine}
    assert there == {each.line_id: each.quantity for each in rows}
    assert match(mine, forgotten(rows), bonds) == bonds
    assert match(mine, rows, bonds) == bonds, "read again, nothing is new"


@given(layouts(), st.data())
def test_parcels_never_ship_more_than_was_ordered_and_add_up(
    layout: tuple[tuple[Ours, ...], list[OrderLine]], data: st.DataObject
) -> None:
    mine, rows = layout
    bonds = match(mine, rows)
    parcels = data.draw(
        st.lists(
            st.lists(st.tuples(st.sampled_from([r.line_id for r in rows]), st.integers(0, 4)), min_size=1), max_size=4
        )
    )
    article = {each.line_id: each.variant_id for each in rows}
    named = Counter[str]()
    for parcel in parcels:
        for line, units in parcel:
            named[article[line]] += units
    ordered = Counter[str]()
    for one in mine:
        ordered[one.variant_id] += one.units
    ends = set()
    for order in list(permutations(parcels))[:6]:
        lines, shipped = mine, Counter[str]()
        for parcel in order:
            units = dealt(parcel, bonds, lines)
            assert all(0 < units[one.key] <= one.left for one in lines if one.key in units)
            lines = tuple(replace(one, left=one.left - units.get(one.key, 0)) for one in lines)
            shipped.update(
                {variant: n for one in lines if (n := units.get(one.key, 0)) for variant in [one.variant_id]}
            )
        got = Counter[str]()
        for one in lines:
            got[one.variant_id] += one.units - one.left
        assert got == Counter({v: min(named[v], ordered[v]) for v in VARIANTS if min(named[v], ordered[v])})
        ends.add(tuple(sorted(got.items())))
    assert len(ends) == 1, "whichever parcel is read first"


@given(layouts(), st.data())
def test_a_parcel_of_ours_is_written_there_with_as_many_units(
    layout: tuple[tuple[Ours, ...], list[OrderLine]], data: st.DataObject
) -> None:
    mine, rows = layout
    bonds = match(mine, rows)
    units = {one.key: data.draw(st.integers(0, one.units)) for one in mine}
    there = rows_of(units, bonds, {})
    assert sum(there.values()) == sum(units.values())
    assert all(n <= next(r.quantity for r in rows if r.line_id == line) for line, n in there.items())
    assert rows_of(units, bonds, {r.line_id: r.quantity for r in rows}) == {}, "other parcels have it all"

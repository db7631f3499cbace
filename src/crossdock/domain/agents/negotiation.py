"""What two sides of the Universal Commerce Protocol can do together (its overview.md, Intersection Algorithm)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Capability:
    """One version of it. An extension `extends` others and is nothing without one of them."""

    version: str
    extends: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


def shared(
    ours: Mapping[str, Sequence[Capability]], theirs: Mapping[str, Sequence[Capability]]
) -> dict[str, tuple[Capability, Capability]]:
    """By name ours and theirs, in the highest version that both have; extensions without a parent are left out until
    none is left.
    """
    found: dict[str, tuple[Capability, Capability]] = {}
    for name in ours.keys() & theirs.keys():
        mine = {one.version: one for one in ours[name]}
        other = {one.version: one for one in theirs[name]}
        if both := mine.keys() & other.keys():
            found[name] = (mine[max(both)], other[max(both)])
    while orphans := [
        name for name, (mine, _) in found.items() if mine.extends and not any(one in found for one in mine.extends)
    ]:
        for name in orphans:
            del found[name]
    return dict(sorted(found.items()))

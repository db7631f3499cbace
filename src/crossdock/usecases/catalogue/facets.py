"""How many listings each value has, beside what is chosen already: the numbers behind a filter's boxes.

Each attribute is counted without its own choice, so that a box says what ticking it as well would bring. Counting stops
after so many listings, however many there are, and then says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q

from crossdock.domain.finding.choosing import Choice
from crossdock.store.together import ask
from crossdock.usecases.catalogue.finding import IN_RANGE, Wanted, in_range, narrowed, with_words, words_of

# What a number says at most, and after how many listings counting stops.
MOST_SAID, LOOKED_AT = 1_000, 1_000
# Choices that are counted without their own; an address can name more.
_CHOICES = 8
# In place of a fact: every listing once; all that were looked at.
_EACH, _LOOKED = "*", "#"

_ROWS = "WITH l AS MATERIALIZED ({rows}) SELECT '#' f, count(*) FROM l UNION ALL "
# A listing counts where one variant alone has all that is chosen, and a unit by its shop's count where that is wanted.
_BY_VARIANT = (
    "SELECT f, count(DISTINCT l.id) FROM l JOIN store_variant v ON v.listing_id = l.id {stock}"
    " CROSS JOIN LATERAL unnest(v.facts || '{{*}}'::text[]) f WHERE {chosen} GROUP BY f"
)
_BY_LISTING = "SELECT f, count(*) FROM l CROSS JOIN LATERAL unnest(l.facts || '{{*}}'::text[]) f GROUP BY f"
_STOCK = "JOIN store_variantstock s ON s.variant_id = v.id AND s.count > 0"


@dataclass(frozen=True, slots=True)
class Counted:
    """Listings by fact. `whole`: all were counted; otherwise each number is the least that there are."""

    by_fact: Mapping[str, int] = field(default_factory=dict)
    whole: bool = True

    def said(self, fact: str) -> str:
        """As buyers read it; empty where nothing is known."""
        many = self.by_fact.get(fact, 0)
        if many >= MOST_SAID:
            return f"{MOST_SAID:,}+"
        if self.whole:
            return str(many)
        return f"{many}+" if many else ""

    @property
    def all(self) -> str:
        return self.said(_EACH)


@dataclass(frozen=True, slots=True)
class Facets:
    """`beside` what is chosen of the other attributes, for each that has a choice; `base` for all others."""

    base: Counted
    beside: Mapping[str, Counted]

    def of(self, attribute: str) -> Counted:
        return self.beside.get(attribute, self.base)


# Where nothing is defined.
NOTHING = Facets(Counted(), {})


def count(wanted: Wanted) -> Facets:
    """One round trip, and one more for each word."""
    own = [choice.attribute for choice in wanted.choices][:_CHOICES]
    # What the words mean is asked for once.
    worded = with_words(words_of(wanted))
    narrower = [wanted, *(_without(wanted, attribute) for attribute in own)]
    base, *others = (_counted(rows) for rows in ask(*(_question(each, worded) for each in narrower)))
    return Facets(base, dict(zip(own, others, strict=True)))


def _without(wanted: Wanted, attribute: str) -> Wanted:
    return replace(wanted, choices=tuple(choice for choice in wanted.choices if choice.attribute != attribute))


def _question(wanted: Wanted, worded: Sequence[Q]) -> tuple[str, Sequence[Any]]:
    found = narrowed(wanted).filter(*worded).select_related(None).prefetch_related(None).order_by()
    sql, params = found.values("id", "facts")[: LOOKED_AT + 1].query.sql_with_params()
    if not wanted.choices and not wanted.in_stock:
        return (_ROWS + _BY_LISTING).format(rows=sql), list(params)
    parts = [_of_variant(choice) for choice in wanted.choices]
    chosen = " AND ".join(["NOT v.gone", *(part for part, _ in parts)])
    values = [value for _, values in parts for value in values]
    stock = _STOCK if wanted.in_stock else ""
    return (_ROWS + _BY_VARIANT).format(rows=sql, stock=stock, chosen=chosen), [*params, *values]


def _of_variant(choice: Choice) -> tuple[str, list[Any]]:
    if choice.is_range:
        return IN_RANGE.format(column="v.facts"), in_range(choice)
    return "v.facts && %s::text[]", [choice.facts]


def _counted(rows: Sequence[tuple[str, int]]) -> Counted:
    by_fact = dict(rows)
    return Counted(by_fact, by_fact.get(_LOOKED, 0) <= LOOKED_AT)

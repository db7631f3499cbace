"""Filters by attributes beside a grid: what the page's address chooses, and the boxes with their counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.http import QueryDict
from django.utils.translation import gettext

from crossdock.domain.currencies import NotMoney
from crossdock.domain.finding.choosing import END, Choice, in_category
from crossdock.domain.finding.taxonomy import CATEGORY, Attribute, Category, Kind, Taxonomy, offered
from crossdock.usecases.catalogue.facets import Counted, Facets
from crossdock.web.forms import typed
from crossdock.web.languages.local import typed_number

# Boxes that are seen at once; the others are a press away.
FIRST, MOST_BOXES, MOST_CHOSEN = 8, 200, 50


@dataclass(frozen=True, slots=True)
class Box:
    value: str
    name: str
    count: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """An attribute with its boxes, or with a range. `error` is about what was typed."""

    attribute: Attribute
    name: str
    boxes: Sequence[Box] = ()
    more: Sequence[Box] = ()
    low: str = ""
    high: str = ""
    error: str = ""

    @property
    def is_range(self) -> bool:
        return self.attribute.kind is Kind.NUMBER

    @property
    def more_open(self) -> bool:
        return any(box.checked for box in self.more)


@dataclass(frozen=True, slots=True)
class Branch:
    """A category in the list of all, `depth` deep."""

    category: Category
    depth: int
    count: str
    checked: bool

    @property
    def words(self) -> str:
        count = f" ({self.count})" if self.count else ""
        return f"{chr(0xA0) * 3 * self.depth}{self.category.name}{count}"


def _name(attribute: Attribute) -> str:
    """In the address; words of other fields never begin like this."""
    return f"f-{attribute.key}"


def category_in_address(data: QueryDict, taxonomy: Taxonomy) -> str:
    key = typed(data, CATEGORY, longest=60)
    return key if key in taxonomy.categories else ""


def choices_in(data: QueryDict, taxonomy: Taxonomy, category: str) -> tuple[Choice, ...]:
    """What cannot be read, or is not asked of this category, narrows nothing."""
    found = [in_category(category)] if category else []
    for attribute in offered(taxonomy, category):
        if attribute.kind is Kind.NUMBER:
            low, high, error = _range(data, attribute)
            if not error and (low is not None or high is not None):
                found.append(Choice(attribute.key, (), low, high))
        elif values := _values(data, attribute):
            found.append(Choice(attribute.key, values))
    return tuple(found)


def _values(data: QueryDict, attribute: Attribute) -> tuple[str, ...]:
    given = data.getlist(_name(attribute))[:MOST_CHOSEN]
    known = ("yes", "no") if attribute.kind is Kind.YES_NO else ()
    return tuple(dict.fromkeys(value for value in given if value in known or attribute.choice(value)))


def _range(data: QueryDict, attribute: Attribute) -> tuple[Decimal | None, Decimal | None, str]:
    """From, to, and what is wrong with them."""
    ends: list[Decimal | None] = []
    for end in ("from", "to"):
        text = typed(data, f"{_name(attribute)}-{end}", longest=20)
        try:
            number = typed_number(text) if text else None
        except NotMoney:
            return None, None, gettext("“{typed}” is no number.").format(typed=text)
        if number is not None and abs(number) >= END:
            return None, None, gettext("“{typed}” is too large.").format(typed=text)
        ends.append(number)
    low, high = ends
    if low is not None and high is not None and low > high:
        return None, None, gettext("The second number is below the first.")
    return low, high, ""


def filters_of(data: QueryDict, taxonomy: Taxonomy, category: str, facets: Facets) -> list[Filter]:
    """Those of which something is there, or chosen."""
    found = []
    for attribute in offered(taxonomy, category):
        counted = facets.of(attribute.key)
        if attribute.kind is Kind.NUMBER:
            filtered = _ranged(data, attribute)
            there = counted.by_fact.get(attribute.key) or not counted.whole
            if there or filtered.low or filtered.high or filtered.error:
                found.append(filtered)
        elif boxes := _boxes(attribute, _values(data, attribute), counted):
            found.append(Filter(attribute, _name(attribute), boxes[:FIRST], boxes[FIRST:MOST_BOXES]))
    return found


def _ranged(data: QueryDict, attribute: Attribute) -> Filter:
    name = _name(attribute)
    low, high = (typed(data, f"{name}-{end}", longest=20) for end in ("from", "to"))
    return Filter(attribute, name, low=low, high=high, error=_range(data, attribute)[2])


def _boxes(attribute: Attribute, chosen: Sequence[str], counted: Counted) -> list[Box]:
    """In the order of the definitions. Where there are many the ones with most listings come first."""
    pairs = [(choice.key, choice.name) for choice in attribute.choices]
    if attribute.kind is Kind.YES_NO:
        pairs = [("yes", "Yes"), ("no", "No")]
    known = [
        Box(value, name, counted.said(f"{attribute.key}={value}"), value in chosen)
        for value, name in pairs
        if value in chosen or counted.by_fact.get(f"{attribute.key}={value}") or not counted.whole
    ]
    if len(known) > FIRST:
        known.sort(key=lambda box: (not box.checked, -counted.by_fact.get(f"{attribute.key}={box.value}", 0)))
    return known


def branches_of(taxonomy: Taxonomy, category: str, facets: Facets, above: str = "", depth: int = 0) -> list[Branch]:
    """All categories with something in them, as a tree in a row."""
    counted = facets.of(CATEGORY)
    found: list[Branch] = []
    for each in taxonomy.below(above):
        fact = f"{CATEGORY}={each.key}"
        if counted.by_fact.get(fact) or not counted.whole or each in taxonomy.way_to(category):
            found.append(Branch(each, depth, counted.said(fact), each.key == category))
            found += branches_of(taxonomy, category, facets, each.key, depth + 1)
    return found

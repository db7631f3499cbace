"""The attributes and categories that an operator defines, read from one JSON document.

    {"attributes": [{"key": "condition", "name": "Condition", "kind": "choice",
                     "choices": [{"key": "near-mint", "name": "Near Mint", "also": ["NM"]}]},
                    {"key": "grade", "name": "Grade", "kind": "number"}],
     "categories": [{"key": "cards", "name": "Cards", "attributes": ["condition", "grade"]},
                    {"key": "singles", "name": "Single cards", "in": "cards"}]}

A category has its own attributes and those of the ones that it is in. An attribute of no category is of all of them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CATEGORY = "category"
MOST_ATTRIBUTES, MOST_CHOICES, MOST_CATEGORIES, LONGEST = 40, 2000, 500, 60


class Kind(StrEnum):
    CHOICE = "choice"
    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes-no"


class NotATaxonomy(Exception):
    """Its words are a sentence: where in the document, and what to write there."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`also` is what shops write for it."""

    key: str
    name: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """`unit` is written behind a number. Two are the same when they are one object, so that looking one up is quick."""

    key: str
    name: str
    kind: Kind
    choices: tuple[Choice, ...] = ()
    unit: str = ""

    def choice(self, key: str) -> Choice | None:
        return _choices(self).get(key)


@lru_cache(maxsize=200)
def _choices(attribute: Attribute) -> Mapping[str, Choice]:
    return {choice.key: choice for choice in attribute.choices}


@dataclass(frozen=True, slots=True)
class Category:
    """`above` is the key of the one that it is in; empty at the top."""

    key: str
    name: str
    above: str = ""
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Taxonomy:
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    categories: Mapping[str, Category] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.attributes or self.categories)

    def way_to(self, category: str) -> tuple[Category, ...]:
        """From the top down to it; empty when there is no such category."""
        found: list[Category] = []
        while category in self.categories:
            found.append(self.categories[category])
            category = found[-1].above
        return tuple(reversed(found))

    def below(self, category: str = "") -> tuple[Category, ...]:
        return tuple(each for each in self.categories.values() if each.above == category)

    def of(self, category: str = "") -> tuple[Attribute, ...]:
        """What is asked of something in this category; of everything where none is named."""
        way = self.way_to(category)
        if not way:
            return tuple(self.attributes.values())
        named = {key for each in self.categories.values() for key in each.attributes}
        own = {key for each in way for key in each.attributes}
        return tuple(each for each in self.attributes.values() if each.key in own or each.key not in named)


def offered(taxonomy: Taxonomy, category: str) -> tuple[Attribute, ...]:
    """By what a buyer who looks at this category can narrow: what is asked of it and of any below it."""
    inside = [
        each.key for each in taxonomy.categories.values() if category in (a.key for a in taxonomy.way_to(each.key))
    ]
    keys = {attribute.key for key in inside or [category] for attribute in taxonomy.of(key)}
    return tuple(each for each in taxonomy.attributes.values() if each.key in keys)


def read_taxonomy(document: Any) -> Taxonomy:
    """Raises NotATaxonomy."""
    if not isinstance(document, Mapping):
        raise NotATaxonomy("The file holds one JSON object with “attributes” and “categories”.")
    _only(document, "the file", "attributes", "categories")
    attributes = _by_key(map(_attribute, _rows(document, "attributes", "the file", MOST_ATTRIBUTES)), "attribute")
    if CATEGORY in attributes:
        raise NotATaxonomy(f"“{CATEGORY}” cannot be the key of an attribute; every listing has categories.")
    categories = _by_key(map(_category, _rows(document, "categories", "the file", MOST_CATEGORIES)), "category")
    for category in categories.values():
        for key in category.attributes:
            if key not in attributes:
                raise NotATaxonomy(f"Category “{category.key}” names the attribute “{key}”, which is not defined.")
        _not_in_itself(category, categories)
    return Taxonomy(attributes, categories)


def _not_in_itself(category: Category, categories: Mapping[str, Category]) -> None:
    seen, above = {category.key}, category.above
    while above:
        if above not in categories:
            raise NotATaxonomy(f"Category “{category.key}” is in “{above}”, which is not defined.")
        if above in seen:
            raise NotATaxonomy(f"Category “{category.key}” is in itself, by way of “{above}”.")
        seen.add(above)
        above = categories[above].above


def _attribute(row: Mapping[str, Any]) -> Attribute:
    key = _key(row, "an attribute")
    where = f"attribute “{key}”"
    _only(row, where, "key", "name", "kind", "choices", "unit")
    try:
        kind = Kind(row.get("kind", ""))
    except ValueError:
        raise NotATaxonomy(f"The kind of {where} is one of {', '.join(Kind)}.") from None
    if kind is Kind.CHOICE and not row.get("choices"):
        raise NotATaxonomy(f"The {where} is a choice and needs “choices”.")
    if kind is not Kind.CHOICE and "choices" in row:
        raise NotATaxonomy(f"Only a choice has “choices”; {where} is of the kind {kind}.")
    choices = _by_key(
        (_choice(each, where) for each in _rows(row, "choices", where, MOST_CHOICES)), f"choice of {where}"
    )
    return Attribute(
        key, _name(row, where), kind, tuple(choices.values()), _words(row.get("unit", ""), f"unit of {where}")
    )


def _choice(row: Mapping[str, Any], where: str) -> Choice:
    key = _key(row, f"a choice of {where}")
    _only(row, f"choice “{key}” of {where}", "key", "name", "also")
    return Choice(key, _name(row, f"choice “{key}” of {where}"), _texts(row, "also", f"choice “{key}” of {where}"))


def _category(row: Mapping[str, Any]) -> Category:
    key = _key(row, "a category")
    where = f"category “{key}”"
    _only(row, where, "key", "name", "in", "attributes")
    return Category(
        key, _name(row, where), _words(row.get("in", ""), f"“in” of {where}"), _texts(row, "attributes", where)
    )


def _by_key(rows: Iterable[Any], what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        if row.key in found:
            raise NotATaxonomy(f"The {what} “{row.key}” is there twice.")
        found[row.key] = row
    return found


def _rows(holder: Mapping[str, Any], name: str, where: str, most: int) -> Sequence[Mapping[str, Any]]:
    rows = holder.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise NotATaxonomy(f"“{name}” of {where} is a list of objects.")
    if len(rows) > most:
        raise NotATaxonomy(f"“{name}” of {where} has {len(rows)} entries; at most {most} are kept.")
    return rows


def _only(row: Mapping[str, Any], where: str, *names: str) -> None:
    for name in row:
        if name not in names:
            raise NotATaxonomy(f"“{str(name)[:40]}” is nothing that {where} has: {', '.join(names)}.")


def _key(row: Mapping[str, Any], where: str) -> str:
    key = row.get("key")
    if not isinstance(key, str) or not KEY.fullmatch(key) or len(key) > LONGEST:
        raise NotATaxonomy(
            f"The key of {where} is “{str(key)[:40]}”: small letters, digits and single hyphens, as in “near-mint”."
        )
    return key


def _name(row: Mapping[str, Any], where: str) -> str:
    name = _words(row.get("name", ""), f"name of {where}")
    if not name:
        raise NotATaxonomy(f"The {where} needs a name, which buyers read.")
    return name


def _words(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise NotATaxonomy(f"The {where} is text of at most {LONGEST} letters.")
    return value.strip()


def _texts(row: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    values = row.get(name, [])
    if not isinstance(values, list):
        raise NotATaxonomy(f"“{name}” of {where} is a list of texts.")
    return tuple(_words(value, f"“{name}” of {where}") for value in values)

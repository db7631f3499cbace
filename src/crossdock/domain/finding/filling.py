"""From what a shop says of a product to facts that are looked for.

A fact is a text, "attribute=value": the key of a choice, "yes" or "no", a number in plain digits, or words. What is no
choice of the marketplace is kept as the shop wrote it, behind a question mark ("condition=?Minty"): shown, and found by
no filter. The bare attribute ("condition") stands beside its values, so that an index finds who has any.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache

from crossdock.domain.finding.taxonomy import CATEGORY, Attribute, Kind, Taxonomy
from crossdock.domain.finding.words import folded

UNKNOWN = "?"
LONGEST_VALUE, MOST_VALUES = 120, 20
_WORD = re.compile(r"\w+")
_MOST_WORDS, _LONGEST_NAME = 40, 8
_YES, _NO = frozenset({"yes", "true", "1", "y", "ja", "oui"}), frozenset({"no", "false", "0", "n", "nein", "non"})


class Source(StrEnum):
    """Where in the shop a rule looks."""

    OPTION = "option"
    TAG = "tag"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where `source` says `word`, the attribute is `value`. `name` is of the option; empty is any.

    Without a word the rule takes whatever stands there: the choice whose name it holds, or a text or number as it is.
    """

    source: Source
    name: str
    word: str
    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a shop says of a product. `options` are (name, value) of each variant, in order; the name may be empty."""

    tags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    options: tuple[tuple[tuple[str, str], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """Sorted. `listing` has what any of its variants has; `variants` are in the order of `Said.options`."""

    listing: list[str]
    variants: list[list[str]]


def fill(taxonomy: Taxonomy, rules: Sequence[Rule], said: Said, by_hand: Mapping[str, Sequence[str]]) -> Filled:
    """What a seller set by hand wins, an empty list too. Of the rules a variant's own option wins over tags and types.
    Attributes that the category does not have are left out.
    """
    whole = {
        key: found
        for key, its in _by_attribute(rules).items()
        if (found := _values(taxonomy, key, its, _words_of_product(said))) and key not in by_hand
    }
    whole |= {key: _checked(taxonomy, key, values) for key, values in by_hand.items()}
    category = next(iter(whole.get(CATEGORY, ())), "")
    asked = _asked(taxonomy, category)
    by_option = {key: its for key, its in _by_attribute(rules).items() if key not in by_hand and key != CATEGORY}
    variants = []
    for options in said.options or ((),):
        own = {
            key: found
            for key, its in by_option.items()
            if (found := _values(taxonomy, key, its, ((Source.OPTION, name, word) for name, word in options)))
        }
        known = {
            **whole,
            **{key: values for key, values in own.items() if not _all_unknown(values) or key not in whole},
        }
        variants.append(sorted(set(_facts(taxonomy, {key: its for key, its in known.items() if key in asked}))))
    return Filled(sorted({fact for facts in variants for fact in facts}), variants if said.options else [])


@lru_cache(maxsize=1000)
def _asked(taxonomy: Taxonomy, category: str) -> frozenset[str]:
    return frozenset({each.key for each in taxonomy.of(category)} | {CATEGORY})


def _all_unknown(values: Iterable[str]) -> bool:
    return all(value.startswith(UNKNOWN) for value in values)


def _by_attribute(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        found.setdefault(rule.attribute, []).append(rule)
    return found


def _words_of_product(said: Said) -> Iterator[tuple[Source, str, str]]:
    yield from ((Source.TAG, "", tag) for tag in said.tags)
    yield from ((Source.TYPE, "", kind) for kind in said.types)


def _values(
    taxonomy: Taxonomy, key: str, rules: Sequence[Rule], words: Iterable[tuple[Source, str, str]]
) -> tuple[str, ...]:
    """Values of the attribute; where none is known, what the shop wrote instead."""
    known: list[str] = []
    odd: list[str] = []
    for source, name, word in words:
        its = [rule for rule in rules if rule.source is source and (not rule.name or folded(rule.name) == folded(name))]
        exact = [rule.value for rule in its if rule.word and folded(rule.word) == folded(word)]
        if exact:
            known += exact
        elif any(not rule.word for rule in its):
            value = value_of(taxonomy, key, word)
            # Whatever a tag says is no unknown condition; what stands in the option that a rule names was meant.
            if not value.startswith(UNKNOWN):
                known.append(value)
            elif any(rule.name and not rule.word for rule in its):
                odd.append(value)
    if key == CATEGORY:
        return tuple(_deepest(taxonomy, known))
    return tuple(dict.fromkeys(known or odd[:1]))[:MOST_VALUES]


def _deepest(taxonomy: Taxonomy, keys: Iterable[str]) -> list[str]:
    """A listing is in one category: the one furthest down, the first of several."""
    here = [key for key in keys if key in taxonomy.categories]
    return [max(here, key=lambda key: len(taxonomy.way_to(key)))] if here else []


def _checked(taxonomy: Taxonomy, key: str, values: Iterable[str]) -> tuple[str, ...]:
    """By hand it is a key; one that the operator took away since is kept as it was written."""
    if key == CATEGORY:
        return tuple(_deepest(taxonomy, values))
    attribute = taxonomy.attributes.get(key)
    if attribute is None:
        return ()
    return tuple(dict.fromkeys(_value(attribute, value) for value in values))[:MOST_VALUES]


def value_of(taxonomy: Taxonomy, key: str, word: str) -> str:
    """What a word of a shop or of a person means; behind a question mark when nothing."""
    if key == CATEGORY:
        named = {folded(each.name): each.key for each in taxonomy.categories.values()}
        return word if word in taxonomy.categories else named.get(folded(word).strip(), f"{UNKNOWN}{_short(word)}")
    attribute = taxonomy.attributes.get(key)
    return f"{UNKNOWN}{_short(word)}" if attribute is None else _value(attribute, word)


def _value(attribute: Attribute, word: str) -> str:
    text = folded(word).strip()
    found = ""
    match attribute.kind:
        case Kind.CHOICE:
            found = word if attribute.choice(word) else _named_in(attribute, text)
        case Kind.YES_NO:
            found = "yes" if text in _YES else "no" if text in _NO else ""
        case Kind.NUMBER:
            found = _number(text)
        case Kind.TEXT:
            return _short(word)
    return found or f"{UNKNOWN}{_short(word)}"


def _short(word: str) -> str:
    return " ".join(word.split())[:LONGEST_VALUE]


def _number(text: str) -> str:
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return ""
    return f"{number.normalize():f}" if number.is_finite() and abs(number) < 10**12 else ""


def _named_in(attribute: Attribute, text: str) -> str:
    """The choice whose name or other words stand in the text, as whole words; the longest of several ("near mint" in
    "HT-06 near mint foil").
    """
    keys = _keys_by_word(attribute)
    if text in keys:
        return keys[text]
    words = _WORD.findall(text)[:_MOST_WORDS]
    for length in range(min(len(words), _LONGEST_NAME), 0, -1):
        for begin in range(len(words) - length + 1):
            if found := keys.get(" ".join(words[begin : begin + length])):
                return found
    return ""


@lru_cache(maxsize=200)
def _keys_by_word(attribute: Attribute) -> Mapping[str, str]:
    """Each name as it is written, and as words with a space between; the first choice of several has it."""
    found: dict[str, str] = {}
    for choice in attribute.choices:
        for name in (choice.name, *choice.also, choice.key):
            text = folded(name).strip()
            found.setdefault(text, choice.key)
            found.setdefault(" ".join(_WORD.findall(text)), choice.key)
    found.pop("", None)
    return found


def _facts(taxonomy: Taxonomy, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for key, values in known.items():
        for value in values:
            if key == CATEGORY:
                yield from (f"{CATEGORY}={each.key}" for each in taxonomy.way_to(value))
                continue
            yield f"{key}={value}"
        if values and key != CATEGORY:
            yield key


@dataclass(frozen=True, slots=True)
class Shown:
    """An attribute of a listing as people read it. `odd`: no value of the marketplace's."""

    attribute: Attribute
    words: str
    odd: bool = False


def values_in(facts: Iterable[str], *, category: bool = False) -> dict[str, list[str]]:
    """Values by attribute, with or without the categories."""
    by_key: dict[str, list[str]] = {}
    for fact in facts:
        key, equals, value = fact.partition("=")
        if equals and (category or key != CATEGORY):
            by_key.setdefault(key, []).append(value)
    return by_key


def shown(taxonomy: Taxonomy, facts: Iterable[str]) -> list[Shown]:
    """In the order of the definitions."""
    by_key = values_in(facts)
    return [
        Shown(each, ", ".join(words_of(each, value) for value in values), _all_unknown(values))
        for each in taxonomy.attributes.values()
        if (values := by_key.get(each.key))
    ]


def words_of(attribute: Attribute, value: str) -> str:
    if value.startswith(UNKNOWN):
        return value.removeprefix(UNKNOWN)
    choice = attribute.choice(value)
    if choice:
        return choice.name
    if attribute.kind is Kind.YES_NO:
        return "Yes" if value == "yes" else "No"
    return f"{value} {attribute.unit}".strip()


def category_in(taxonomy: Taxonomy, facts: Iterable[str]) -> str:
    """The key of the deepest category that these facts name; empty when none."""
    keys = [fact.partition("=")[2] for fact in facts if fact.startswith(f"{CATEGORY}=")]
    return next(iter(_deepest(taxonomy, keys)), "")


def texts_in(taxonomy: Taxonomy, facts: Iterable[str]) -> list[str]:
    """What the search box finds a listing by: its free words, as a card's number or a certificate's."""
    free = {each.key for each in taxonomy.attributes.values() if each.kind is Kind.TEXT}
    return [value for key, _, value in (fact.partition("=") for fact in facts) if key in free and value]

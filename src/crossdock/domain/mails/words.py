"""A sentence that is in no language yet: its English text, which is the key of the catalogues, and the facts for its
places. It is put into words when it is known who reads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from babel import Locale
from babel.dates import format_date

from crossdock.domain.values import Money

# The languages that people read here. English is that of the United States, as it was before there were others.
LOCALES = {"en": Locale("en", "US"), "de": Locale("de"), "fr": Locale("fr"), "es": Locale("es")}
Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Words:
    """`text` with a fact for each of its places ({seller})."""

    text: str
    facts: Mapping[str, "Fact"]

    def of(self, **facts: "Fact") -> "Words":
        """The same sentence about these."""
        return Words(self.text, facts)

    def __str__(self) -> str:
        """In English, for what is kept and for staff."""
        return filled(self)


@dataclass(frozen=True, slots=True)
class Joined:
    """Several one after the other, `between` them; those that are empty are left out."""

    parts: tuple["Fact", ...]
    between: str = " "

    def __str__(self) -> str:
        return filled(self)


@dataclass(frozen=True, slots=True)
class Exact:
    """A moment with its seconds."""

    at: datetime


Fact = str | int | Money | datetime | date | Exact | Words | Joined


def said(text: str, **facts: Fact) -> Words:
    """The first argument is read out of the code for the catalogues, so it is written out in full."""
    return Words(text, facts)


def lines(*parts: Fact) -> Joined:
    return Joined(parts, "\n")


def paragraphs(*parts: Fact) -> Joined:
    return Joined(parts, "\n\n")


def _itself(text: str) -> str:
    return text


def filled(fact: Fact, *, translate: Translate = _itself, locale: Locale = LOCALES["en"], zone: tzinfo = UTC) -> str:
    """As the language writes it; moments in `zone`. Raises KeyError where the text has a place without a fact."""
    match fact:
        case Words():
            shown = {
                name: filled(one, translate=translate, locale=locale, zone=zone) for name, one in fact.facts.items()
            }
            return (translate(fact.text) if fact.text else "").format(**shown).strip()
        case Joined():
            parts = (filled(one, translate=translate, locale=locale, zone=zone) for one in fact.parts)
            return fact.between.join(part for part in parts if part)
        case Money():
            return fact.shown(locale)
        case Exact():
            return _moment(fact.at, "%H:%M:%S", locale, zone)
        case datetime():
            return _moment(fact, "%H:%M", locale, zone)
        case date():
            return _day(fact, locale)
        case _:
            return str(fact)


def _moment(at: datetime, clock: str, locale: Locale, zone: tzinfo) -> str:
    """ "30 November 2026, 10:21 UTC", which everybody reads alike."""
    local = at.astimezone(zone)
    return f"{_day(local, locale)}, {local:{clock}} {local.tzname()}"


def _day(day: date, locale: Locale) -> str:
    return f"{day:%d %B %Y}" if locale.language == "en" else format_date(day, "long", locale=locale)

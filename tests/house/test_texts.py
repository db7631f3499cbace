"""The catalogues of the pages' texts: whole, fresh, translated with the same placeholders; nothing is said untagged."""

import re
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from crossdock.domain.amounts import NO_NUMBER
from crossdock.domain.credit import REASONS as CREDITS
from crossdock.domain.labels import STATUS_WORDS
from crossdock.domain.moderation.reports import REASONS as REPORTS
from crossdock.domain.moderation.sellers import Bar, why_barred
from crossdock.domain.requests.returns import REASONS as RETURNS
from crossdock.domain.site.pages import TITLES
from crossdock.usecases.catalogue.offer_terms import NOT_TAKEN, SYNCED
from crossdock.usecases.orders.queries import LISTS
from crossdock.usecases.orders.reject import REASON_FOR_BUYER
from crossdock.web.languages import words
from texts import LANGUAGES, WEB, catalogue, fresh, read, templates, written

_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.S)
_TRANSLATED = re.compile(r"\{% blocktranslate\b.*?\{% endblocktranslate %\}", re.S)
_ELEMENT = re.compile(r"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.S)
_SAID = re.compile(r"(?<![\w-])(?:aria-label|placeholder|title|alt|data-label)=\"([^\"]*)\"")
_GIVEN = re.compile(r"\{% include [^%]*?\b(?:title|text|action|noun|words)=\"([^\"]*)\"|\{% badge \"([^\"]*)\"")
_LETTERS = re.compile(r"[^\W\d_]{2,}")


def untagged(template: str) -> list[str]:
    """What it says without a translate tag."""
    given = [one for pair in _GIVEN.findall(template) for one in pair if _LETTERS.search(one)]
    bare = _TAG.sub("", _TRANSLATED.sub("", template))
    bare = re.sub(r"<!doctype[^>]*>", "", re.sub(r"&\w+;", "", bare), flags=re.I)
    named = [one for one in _SAID.findall(bare) if _LETTERS.search(one)]
    left = _LETTERS.findall(_ELEMENT.sub(" ", bare))
    return [*given, *named, *left]


def marks(text: str) -> list[str]:
    """Placeholders and tags."""
    fields = [f"{{{name}}}" for _, name, _, _ in Formatter().parse(text) if name] if "%(" not in text else []
    return sorted([*re.findall(r"%\(\w+\)s", text), *re.findall(r"</?\w+", text), *fields])


def said_in(catalog: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """What a .po file holds as tuples stands in a .mo file as lists."""
    return {said_in_one(one.id): said_in_one(one.string) for one in catalog if one.id}


def said_in_one(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_the_check_sees_what_is_untagged() -> None:
    assert untagged('<p class="soft" title="Hey you">Hello {{ name }}</p>') == ["Hey you", "Hello"]
    assert untagged('{% include "x.html" with title="Nothing" %}{% badge "On" "good" %}') == ["Nothing", "On"]
    clean = '<a href="{% url "x" %}" alt="{% translate "Hey" %}">{% blocktranslate %}Hi{% endblocktranslate %}</a>'
    assert untagged(clean) == []


def test_every_word_of_the_covered_templates_is_tagged() -> None:
    found = {str(path.relative_to(WEB)): untagged(path.read_text()) for path in templates()}
    assert len(found) > 50 and {path: left for path, left in found.items() if left} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_fresh_whole_and_compiled(language: str) -> None:
    """`make texts` writes it; what is empty then is to be translated."""
    path, known = catalogue(language), read(language)
    assert path.read_bytes() == written(fresh(language, known)), "run `make texts`"
    with path.with_suffix(".mo").open("rb") as file:
        made = read_mo(file)
    assert said_in(made) == said_in(known), "run `make texts`"
    for message in known:
        if not message.id:
            continue
        ids, said = (
            (list(message.id), list(message.string))
            if isinstance(message.id, tuple)
            else ([message.id], [message.string])
        )
        assert all(said) and not message.fuzzy, f"{language}: {message.id} is not translated"
        for each, one in zip(said, ids, strict=True):
            assert marks(each) == marks(one), f"{language}: {one}"
            assert each.strip() == each and '"' not in re.sub(r"<[^>]*>", "", each), f"{language}: {one}"


# What a language never has, beside the English text's own signs.
_WRONG = {
    "de": r"”|[«»]| - | (?=[;:!?])",
    "fr": r"[“”„]|(?<![\u00a0\u202f])[;:!?»]|«(?!\u00a0)|'",
    "es": r"[“”„]|^[^¿]*\?|^[^¡]*!| (?=[;:!?])",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_its_own_quotes_and_spaces(language: str) -> None:
    said = [text for message in read(language) if message.id for text in said_in_one(message.string)]
    bare = [re.sub(r"<[^>]*>", "", text) for text in said]
    assert [text for text in bare if re.search(_WRONG[language], text)] == []
    for left, right in ("„“", "«»", "¿?"):
        assert [text for text in bare if left in text and text.count(left) != text.count(right)] == []


def test_words_of_the_domain_are_listed() -> None:
    assert set(words.OF_AMOUNTS) == {NO_NUMBER}
    assert set(words.OF_OFFERS) == {SYNCED, NOT_TAKEN}
    assert set(words.OF_PAGES) == set(TITLES.values())
    assert set(words.OF_LISTS) == {word for word, _ in LISTS.values()}
    assert set(words.OF_RETURNS) == set(RETURNS.values())
    assert set(words.OF_PARCELS) == set(STATUS_WORDS.values())
    assert set(words.OF_REPORTS) == set(REPORTS.values())
    assert set(words.OF_SELLERS) == {why_barred(bar) for bar in Bar} - {""}
    assert set(words.OF_CANCELS) == set(REASON_FOR_BUYER.values())
    assert set(words.OF_CREDITS) == set(CREDITS)

"""What must not be shown is blacked out here and nowhere else: keys, cards, and whoever bought. Ids, SKUs, counts and
states stay, since they explain what happened.

A name in running text cannot be told from any other word. So what a document gives away in fields that hold a person
is looked for in the rest of it, and whoever knows the people concerned says so (`known`).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from crossdock.domain.redact_text import HIDDEN, SECRET_NAME, Known, known_people, redact, redact_start

__all__ = ["DEEPEST", "HIDDEN", "SECRET_NAME", "hides", "redact_address", "redact_cut", "redact_text", "redact_value"]

_PERSON_NAME = re.compile(
    r"^(e[-_]?mail|email_?address|phone.*|.*phone(_?number)?|mobile|(street|address)[-_]?(line)?[-_]?[12]?|street.*|line[12]"
    r"|(first|last|full|given|family|recipient|sur|display|cardholder|customer|buyer|contact)[-_]?name|company(_?name)?"
    r"|(customer_|browser_|client_)?ip(_?address)?|.*user_?agent|birth.*|latitude|longitude)$",
    re.IGNORECASE,
)
# A plain "name" is a person's beside one of these, and an order's or a product's elsewhere.
_BESIDE_A_PERSON = re.compile(
    r"^(e[-_]?mail|email_?address|phone|phone_?number|address[-_]?1|line[-_]?1|street.*|zip|post(al)?_?code"
    r"|(first|last|full)_?name)$",
    re.IGNORECASE,
)
# Fields whose values never hold a person's words: nothing that is merely known is looked for in them.
_PLAIN_NAME = re.compile(
    r"^(id|sku|key|status|state|type|__typename|operation|handle|currency|country|reference)$|(^|[_-])id$|(?-i:Id$)|_?code$",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_SIGNING_IN = frozenset({"client_id", "client_secret", "grant_type", "redirect_uri", "hmac"})
_LONGEST_NAME = 300
# No shop's answer is nested so deeply; what lies below is hidden unread.
DEEPEST = 100


class _Name(NamedTuple):
    """What a field's name says of its value: it is hidden (the name may be a path), it is a person's, it stands beside
    a person's name, nobody is named in it, a number in it is a secret.
    """

    hides: bool
    person: bool
    beside: bool
    plain: bool
    secret: bool


def _read_name(name: str) -> _Name:
    # Some platforms write a field's path into its name: billing[email], meta_data[0][api_key].
    last = name[-_LONGEST_NAME:].replace("]", "").rpartition("[")[2]
    return _Name(
        hides=bool(SECRET_NAME.search(last) or _PERSON_NAME.match(last)),
        person=bool(_PERSON_NAME.match(name)),
        beside=bool(_BESIDE_A_PERSON.match(name)),
        plain=bool(_PLAIN_NAME.search(name)),
        secret=bool(SECRET_NAME.search(name)),
    )


# Names are few and come again in every document; a long one is not kept.
_read_name_once = lru_cache(maxsize=4_096)(_read_name)


def _about(name: str) -> _Name:
    return (_read_name if len(name) > _LONGEST_NAME else _read_name_once)(name)


def hides(name: str) -> bool:
    """Whether a field of this name holds a secret or a person."""
    return _about(name).hides


def redact_value(value: Any, name: str = "", known: Iterable[str] = ()) -> Any:
    """A JSON value with what its field names and its texts give away hidden; whoever it names is hidden in its other
    texts too.
    """
    return _value(value, name, known_people([*known, *_people(value)]), 0)


def redact_text(text: str, known: Iterable[str] = ()) -> str:
    """Running text without keys, cards, e-mail addresses, telephone numbers, streets, and the people that are known."""
    return redact(text, known_people(known))


def redact_cut(text: str, longest: int) -> str:
    """The start of a long text, redacted: the rest costs nothing, and nothing is recognised too late at the border."""
    return redact_start(text, longest)


def redact_address(url: str, known: Iterable[str] = ()) -> str:
    """A URL as it was recorded: what its percent signs hide is looked at too."""
    plain = _unquoted(url)
    clean = redact_text(plain, known)
    return redact_text(url, known) if clean == plain else clean


def _unquoted(text: str) -> str:
    return _PERCENT.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode(errors="replace"), text)


def _value(value: Any, name: str, known: Known | None, depth: int) -> Any:
    if depth > DEEPEST:
        return HIDDEN
    match value:
        case dict():
            person = any(_about(str(key)).beside for key in value)
            said, signing_in = _said_name(value), not _SIGNING_IN.isdisjoint(value)
            return {
                key: (
                    HIDDEN
                    if person and _is_person(key, inner)
                    else _value(inner, _called(str(key), said, signing_in), known, depth + 1)
                )
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_value(inner, name, known, depth + 1) for inner in value]
        case str() if value:
            about = _about(name)
            return HIDDEN if about.hides else redact(value, None if about.plain else known)
        case int() | float() if not isinstance(value, bool) and _about(name).secret:
            return HIDDEN
        case _:
            return value


def _said_name(value: Mapping[str, Any]) -> str | None:
    """The name that a {key: ..., value: ...} pair gives to its value."""
    said = value.get("key", value.get("name"))
    return said if "value" in value and isinstance(said, str) else None


def _called(key: str, said: str | None, signing_in: bool) -> str:
    """In a pair the value is named by its key, and the key itself is no secret.

    A "code" is one only while signing in; else it says what went wrong.
    """
    if key == "code" and not signing_in:
        return "id"
    if said is None:
        return key
    return said if key.lower() == "value" else "id" if key == "key" else key


def _is_person(key: Any, value: Any) -> bool:
    """An order's name ("#1001") stays: it is no two words, and has a digit."""
    if key != "name" or not isinstance(value, str) or not value:
        return False
    return any(map(str.isspace, value)) or not any(map(str.isdecimal, value))


def _people(value: Any) -> Iterable[str]:
    """What the fields that hold a person say in this document."""
    waiting: list[Any] = [value]
    while waiting:
        match waiting.pop():
            case dict() as fields:
                person = any(_about(str(key)).beside for key in fields)
                for key, inner in fields.items():
                    if isinstance(inner, str) and ((person and _is_person(key, inner)) or _about(str(key)).person):
                        # Words of a company's name are any words, so it is looked for as a whole.
                        yield inner.lower() if str(key).lower().startswith("company") else inner
                    elif isinstance(inner, dict | list | tuple):
                        waiting.append(inner)
            case list() | tuple() as items:
                waiting += [inner for inner in items if isinstance(inner, dict | list | tuple)]
            case _:
                pass
